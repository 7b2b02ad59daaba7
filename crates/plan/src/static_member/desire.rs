//! From the inputs to what is wanted, or to why nothing can be.

use avnm_api::{CredentialRef, StaticMemberSpec};
use avnm_terms::{Actor, ArmId, AzureName, GroupId, ManagerId, NetworkId, ScopeId, TenantId};

use super::{
    inputs::{ConnectionFacts, ConnectionInput, Inputs},
    member::{MEMBER, Member, Memory},
};
use crate::{
    credential::{CredentialInput, UsableCredential, unusable},
    finding::Finding,
    item::{Address, Body, Item, Key, Wish},
    lifecycle::{Kind as _, Object},
    reason::Reason,
    side::Resource,
};

impl Member {
    /// Whether the group's manager may be looked at. A credential that is fenced to the group may not: then Azure says
    /// whether the manager routes subnets, when it is asked for one.
    pub fn may_read_manager(&self, signer: Option<&UsableCredential>) -> bool {
        signer.is_none_or(|signer| signer.allows(self.group.manager().arm()))
    }
}

/// Which credentials a member uses: spec's own before the connection's.
pub fn references(
    spec: &StaticMemberSpec,
    connection: Option<&ConnectionFacts>,
) -> (Option<CredentialRef>, Option<CredentialRef>) {
    let manager = spec
        .credential_ref
        .clone()
        .or_else(|| connection.and_then(|connection| connection.manager_credential.clone()));
    let resource = spec
        .resource_credential_ref
        .clone()
        .or_else(|| connection.and_then(|connection| connection.target_credential.clone()));
    (manager, resource)
}

/// From the inputs to the object with what is wanted.
///
/// # Errors
/// Spec cannot even be read.
pub fn desire(inputs: &Inputs) -> Result<Object<Member>, Finding> {
    let spec = &inputs.spec;
    let invalid = |field: &str, why: &dyn std::fmt::Display| {
        Finding::new(Reason::InvalidSpec, format!("spec.{field}: {why} ({})", Actor::ClusterOperator))
    };
    let group = GroupId::parse(&spec.network_group_id).map_err(|why| invalid("networkGroupId", &why))?;
    let network = NetworkId::parse(&spec.resource_id).map_err(|why| invalid("resourceId", &why))?;
    let name = spec.member_name.as_deref().unwrap_or(&inputs.meta.name);
    let name = AzureName::parse(name).map_err(|why| invalid("memberName", &why))?;
    let address = Address::member(&group, &network, &name);
    let wish = Wish {
        body: Body::member(&network),
        description: None,
        keys: vec![
            Key::of(address.id().key()),
            Key::of(&format!("member|{}|{}", group.key(), network.arm().key())),
        ],
        address,
    };
    let own = Member {
        group,
        network,
        reader: None,
        shown: inputs.status.clone(),
        group_seen: None,
        routing: None,
        network_seen: None,
        memory: Memory::default(),
    };
    let item = Item::new(Resource::Member, Some(wish), inputs.claim());
    let mut object =
        Object::new(inputs.meta.clone(), spec.policies(), Member::before(&inputs.status), vec![item], own);
    if inputs.meta.deleting {
        sign_deletion(inputs, &mut object);
    } else {
        resolve(inputs, &mut object);
    }
    Ok(object)
}

/// The first usable one of the claim's tenant: deleting needs the manager's side only.
fn sign_deletion(inputs: &Inputs, object: &mut Object<Member>) {
    let (group, network) = (object.own.group.arm(), object.own.network.arm());
    let item = &mut object.items[MEMBER];
    let Some(claim) = item.claim() else { return };
    let of_tenant =
        |usable: &&UsableCredential| usable.tenant.as_str().eq_ignore_ascii_case(&claim.tenant_id);
    let signer = inputs
        .manager
        .iter()
        .filter_map(CredentialInput::usable)
        .find(|usable| of_tenant(usable) && usable.allows(group))
        .cloned();
    if signer.is_none() {
        let (credential, tenant) = (claim.credential_ref.clone(), claim.tenant_id.clone());
        item.blocked = Some(unsigned(inputs, &credential, &tenant, group));
    }
    // Only for the one case in which Azure asks for it (assumed).
    let client = signer.as_ref().map(|signer| signer.client.clone());
    let auxiliary = inputs.resource.as_ref().and_then(CredentialInput::usable);
    item.auxiliary =
        auxiliary.filter(|usable| usable.allows(network) && client.as_ref() == Some(&usable.client)).cloned();
    item.signer = signer;
}

fn unsigned(inputs: &Inputs, credential: &CredentialRef, tenant: &str, at: &ArmId) -> Finding {
    let named = inputs.manager.iter().find(|input| input.credential() == credential);
    let why = match named {
        Some(CredentialInput::Usable(usable)) if !usable.allows(at) => {
            Some(format!("has allowedScopes, and none of them holds {at}"))
        }
        named => named.and_then(unusable::words),
    };
    let why = why.map(|why| format!(" {why}")).unwrap_or_default();
    let operator = Actor::ClusterOperator;
    Finding::new(
        Reason::DeletionBlocked,
        format!(
            "the member cannot be deleted: no credential of tenant {tenant} is usable ({} {}{why}). Ways out: restore it, point credentialRef to another one of that tenant, or set spec.deletionPolicy: Orphan to leave it in Azure ({operator})",
            credential.kind.as_str(),
            credential.name
        ),
    )
    .with_failure("delete", "staticMember", "CredentialUnusable", operator)
}

fn resolve(inputs: &Inputs, object: &mut Object<Member>) {
    let operator = Actor::ClusterOperator;
    let connection = match &inputs.connection {
        None => None,
        Some(ConnectionInput::Missing(name)) => {
            object.waits_for.push(
                Finding::new(
                    Reason::DependencyNotReady,
                    format!(
                        "waiting for CrossTenantConnection {name}: create it in this namespace ({operator})"
                    ),
                )
                .with_failure(
                    "read connection",
                    &format!("CrossTenantConnection/{name}"),
                    "NotFound",
                    operator,
                )
                .unread(),
            );
            return;
        }
        Some(ConnectionInput::Found(connection)) => Some(&**connection),
    };
    if let Some(refused) = connection.and_then(|connection| outside(&object.own, connection)) {
        object.refused = Some(refused);
        return;
    }
    match inputs.manager.first() {
        None => {
            object.refused = Some(Finding::new(
                Reason::CredentialMissing,
                format!(
                    "nothing gives a credential of the manager's tenant: set credentialRef, or a connectionRef whose connection has a scopeConnection ({operator})"
                ),
            ));
            return;
        }
        Some(CredentialInput::Usable(usable)) => object.items[MEMBER].signer = Some(usable.clone()),
        Some(other) => object.waits_for.push(unusable::finding("networkGroupId", other)),
    }
    let resource = match &inputs.resource {
        None if connection.is_some() => {
            object.refused = Some(Finding::new(
                Reason::CredentialMissing,
                format!(
                    "nothing gives a credential of the network's tenant: set resourceCredentialRef, or declare the connection's networkManagerConnection ({operator})"
                ),
            ));
            return;
        }
        None => None,
        Some(CredentialInput::Usable(usable)) => Some(usable.clone()),
        Some(other) => {
            object.waits_for.push(unusable::finding("resourceId", other));
            None
        }
    };
    // What waits for its own credential is not vouched for by another one.
    let signer = object.items[MEMBER].signer.clone();
    let reader = if inputs.resource.is_some() { resource.clone() } else { signer.clone() };
    object.own.reader = reader.filter(|usable| usable.allows(object.own.network.arm()));
    object.refused = refuse(inputs, object, connection, resource.as_ref());
    object.items[MEMBER].auxiliary =
        resource.filter(|resource| signer.is_some_and(|signer| signer.tenant != resource.tenant));
    if let Some(connection) = connection.filter(|connection| !connection.ready || connection.terminating) {
        object.waits_for.push(Finding::new(
            Reason::ConnectionNotReady,
            format!(
                "CrossTenantConnection {} {}: nothing is written before it is Ready; see its own conditions",
                connection.name,
                not_ready(connection)
            ),
        ));
    }
}

/// How a connection stands that is not Ready. What its conditions say of an older spec is not said of it now.
fn not_ready(connection: &ConnectionFacts) -> String {
    match &connection.reason {
        _ if connection.terminating => "is being deleted".to_owned(),
        Some(reason) if connection.current => format!("is not Ready ({reason})"),
        Some(reason) => format!("was changed, and is looked at anew (it was {reason} before)"),
        None => "is new, and is looked at first".to_owned(),
    }
}

/// The group must be of the connection's manager, the network inside its scope.
fn outside(own: &Member, connection: &ConnectionFacts) -> Option<Finding> {
    let operator = Actor::ClusterOperator;
    if ManagerId::parse(&connection.manager).is_ok_and(|manager| manager != own.group.manager()) {
        return Some(Finding::new(
            Reason::ManagerMismatch,
            format!(
                "networkGroupId is a group of {}, and CrossTenantConnection {} connects {}: name a group of that manager ({operator})",
                own.group.manager(),
                connection.name,
                connection.manager
            ),
        ));
    }
    let scope = ScopeId::parse(&connection.scope).ok()?;
    (scope.contains(own.network.arm()) == Some(false)).then(|| {
        Finding::new(
            Reason::ScopeMismatch,
            format!(
                "resourceId does not lie in {scope}, the scope of CrossTenantConnection {}: name the connection of its subscription ({operator})",
                connection.name
            ),
        )
    })
}

fn refuse(
    inputs: &Inputs,
    object: &Object<Member>,
    connection: Option<&ConnectionFacts>,
    resource: Option<&UsableCredential>,
) -> Option<Finding> {
    let operator = Actor::ClusterOperator;
    let item = &object.items[MEMBER];
    let (signer, claim) = (item.signer.as_ref(), item.claim());
    if let (Some(connection), Some(resource)) = (connection, resource)
        && TenantId::parse(&connection.tenant).is_ok_and(|tenant| tenant != resource.tenant)
    {
        let of_manager = signer.is_some_and(|signer| signer.tenant == resource.tenant);
        let (whose, lighthouse) =
            if of_manager { (", the manager's", unusable::LIGHTHOUSE) } else { ("", "") };
        return Some(Finding::new(
            Reason::TenantMismatch,
            format!(
                "the credential {} for resourceId is of tenant {}{whose}, and the connection's target is in tenant {}: {lighthouse}refer to a credential of that tenant ({operator})",
                resource.credential.name, resource.tenant, connection.tenant
            ),
        ));
    }
    if let (Some(signer), Some(claim)) = (signer, claim)
        && !signer.tenant.as_str().eq_ignore_ascii_case(&claim.tenant_id)
    {
        return Some(Finding::new(
            Reason::TenantMismatch,
            format!(
                "credential {} is of tenant {}, and what this object holds lies in tenant {}: point it to a credential of that tenant ({operator})",
                signer.credential.name, signer.tenant, claim.tenant_id
            ),
        ));
    }
    if let (Some(signer), Some(resource)) = (signer, resource)
        && signer.tenant != resource.tenant
        && signer.client != resource.client
    {
        return Some(Finding::new(
            Reason::CredentialMismatch,
            format!(
                "credentials {} and {} are of two applications ({}, {}): both tokens of one request must be of one multi-tenant application, consented to in both tenants ({operator})",
                signer.credential.name, resource.credential.name, signer.client, resource.client
            ),
        ));
    }
    // Of one tenant with the signer, or nothing of its own: then no second token is sent, and the signer vouches for the
    // network.
    let alone = signer.filter(|signer| match &inputs.resource {
        None => true,
        Some(input) => input.usable().is_some_and(|resource| resource.tenant == signer.tenant),
    });
    let (group, network) = (object.own.group.arm(), object.own.network.arm());
    for (credential, at) in [(signer, group), (resource, network), (alone, network)] {
        if let Some(credential) = credential.filter(|credential| !credential.allows(at)) {
            return Some(Finding::new(
                Reason::ScopeNotAllowed,
                format!(
                    "{} {} has allowedScopes, and none of them holds {at}: add it there, or use another credential ({operator})",
                    credential.credential.kind.as_str(),
                    credential.credential.name
                ),
            ));
        }
    }
    None
}
