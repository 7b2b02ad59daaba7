//! From the inputs to what is wanted, or to why nothing can be.

use avnm_api::{Claim, CredentialRef, Policies, StaticMemberSpec};
use avnm_terms::{Actor, ArmId, AzureName, GroupId, ManagerId, MemberId, NetworkId, ScopeId, TenantId};

use super::{ConnectionFacts, ConnectionInput, Inputs};
use crate::{
    credential::{CredentialInput, UsableCredential, unusable},
    finding::Finding,
    item::{Body, Goal},
    reason::Reason,
};

/// What is wanted of a member.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// Its id.
    pub id: MemberId,
    /// Its group.
    pub group: GroupId,
    /// The network.
    pub network: NetworkId,
    /// What it shall say.
    pub want: Body,
    /// The policies.
    pub policies: Policies,
    /// The credential that reads and writes it, of the manager's tenant.
    pub signer: Option<UsableCredential>,
    /// The credential of the network's tenant, where that is another one.
    pub auxiliary: Option<UsableCredential>,
    /// The credential that may read the network itself.
    pub reader: Option<UsableCredential>,
    /// Why nothing can be done, found before any call to Azure.
    pub refused: Option<Finding>,
    /// What it waits for; it may be read, and not written.
    pub waits_for: Vec<Finding>,
    /// What shall become of it.
    pub goal: Goal,
}

impl Desired {
    /// What no two objects may both have: the id, and the network in the group.
    pub fn keys(&self) -> Vec<String> {
        vec![self.id.key().to_owned(), format!("member|{}|{}", self.group.key(), self.network.arm().key())]
    }

    /// Which credential vouches for what when the member is written, by ids. Without a second token the signer vouches for
    /// the network, too: Azure asks whether the caller may join it, and its `allowedScopes` must hold it.
    pub fn vouchers(&self) -> Vec<(&UsableCredential, Vec<&ArmId>)> {
        let (id, network) = (self.id.arm(), self.network.arm());
        match (&self.signer, &self.auxiliary) {
            (Some(signer), Some(auxiliary)) => vec![(signer, vec![id]), (auxiliary, vec![network])],
            (Some(signer), None) => vec![(signer, vec![id, network])],
            (None, _) => Vec::new(),
        }
    }

    /// Whether the group's manager may be looked at. A credential that is fenced to the group may not: then Azure says
    /// whether the manager routes subnets, when it is asked for one.
    pub fn may_read_manager(&self) -> bool {
        self.signer.as_ref().is_none_or(|signer| signer.allows(self.group.manager().arm()))
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

/// From the inputs to what is wanted. `Err` means that spec cannot even be read.
pub fn desire(inputs: &Inputs, claim: Option<&Claim>) -> Result<Desired, Finding> {
    let spec = &inputs.spec;
    let invalid = |field: &str, why: &dyn std::fmt::Display| {
        Finding::new(Reason::InvalidSpec, format!("spec.{field}: {why} ({})", Actor::ClusterOperator))
    };
    let group = GroupId::parse(&spec.network_group_id).map_err(|why| invalid("networkGroupId", &why))?;
    let network = NetworkId::parse(&spec.resource_id).map_err(|why| invalid("resourceId", &why))?;
    let name = spec.member_name.as_deref().unwrap_or(&inputs.meta.name);
    let name = AzureName::parse(name).map_err(|why| invalid("memberName", &why))?;
    let policies = spec.policies();
    let mut desired = Desired {
        id: MemberId::new(&group, &name),
        want: Body::member(&network),
        group,
        network,
        policies,
        signer: None,
        auxiliary: None,
        reader: None,
        refused: None,
        waits_for: Vec::new(),
        goal: goal(inputs, policies),
    };
    if inputs.meta.deleting {
        desired.signer = signer_for_deletion(inputs, claim, desired.group.arm());
        // Only for the one case in which Azure asks for it (assumed).
        let client = desired.signer.as_ref().map(|signer| signer.client.clone());
        let auxiliary = inputs.resource.as_ref().and_then(CredentialInput::usable);
        desired.auxiliary = auxiliary
            .filter(|usable| usable.allows(desired.network.arm()) && client.as_ref() == Some(&usable.client))
            .cloned();
        return Ok(desired);
    }
    resolve(inputs, claim, &mut desired);
    Ok(desired)
}

fn goal(inputs: &Inputs, policies: Policies) -> Goal {
    if !inputs.meta.deleting {
        Goal::Present
    } else if policies.leaves() || inputs.beaten_by.is_some() {
        Goal::Left
    } else {
        Goal::Gone
    }
}

/// The first usable one of the claim's tenant: deleting needs the manager's side only.
fn signer_for_deletion(inputs: &Inputs, claim: Option<&Claim>, at: &ArmId) -> Option<UsableCredential> {
    let claim = claim?;
    inputs
        .manager
        .iter()
        .filter_map(CredentialInput::usable)
        .find(|usable| usable.tenant.as_str().eq_ignore_ascii_case(&claim.tenant_id) && usable.allows(at))
        .cloned()
}

fn resolve(inputs: &Inputs, claim: Option<&Claim>, desired: &mut Desired) {
    let operator = Actor::ClusterOperator;
    let connection = match &inputs.connection {
        None => None,
        Some(ConnectionInput::Missing(name)) => {
            desired.waits_for.push(
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
    if let Some(refused) = connection.and_then(|connection| outside(desired, connection)) {
        desired.refused = Some(refused);
        return;
    }
    match inputs.manager.first() {
        None => {
            desired.refused = Some(Finding::new(
                Reason::CredentialMissing,
                format!(
                    "nothing gives a credential of the manager's tenant: set credentialRef, or a connectionRef whose connection has a scopeConnection ({operator})"
                ),
            ));
            return;
        }
        Some(CredentialInput::Usable(usable)) => desired.signer = Some(usable.clone()),
        Some(other) => desired.waits_for.push(unusable::finding("networkGroupId", other)),
    }
    let resource = match &inputs.resource {
        None if connection.is_some() => {
            desired.refused = Some(Finding::new(
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
            desired.waits_for.push(unusable::finding("resourceId", other));
            None
        }
    };
    // What waits for its own credential is not vouched for by another one.
    let reader = if inputs.resource.is_some() { resource.clone() } else { desired.signer.clone() };
    desired.reader = reader.filter(|usable| usable.allows(desired.network.arm()));
    desired.refused = refuse(inputs, desired, connection, resource.as_ref(), claim);
    if let (Some(signer), Some(resource)) = (&desired.signer, resource)
        && signer.tenant != resource.tenant
    {
        desired.auxiliary = Some(resource);
    }
    if let Some(connection) = connection.filter(|connection| !connection.ready || connection.terminating) {
        let state = if connection.terminating {
            "being deleted".to_owned()
        } else {
            format!("not Ready ({})", connection.reason)
        };
        desired.waits_for.push(Finding::new(
            Reason::ConnectionNotReady,
            format!("CrossTenantConnection {} is {state}: nothing is written before it is Ready; see its own conditions", connection.name),
        ));
    }
}

/// The group must be of the connection's manager, the network inside its scope.
fn outside(desired: &Desired, connection: &ConnectionFacts) -> Option<Finding> {
    let operator = Actor::ClusterOperator;
    if ManagerId::parse(&connection.manager).is_ok_and(|manager| manager != desired.group.manager()) {
        return Some(Finding::new(
            Reason::ManagerMismatch,
            format!(
                "networkGroupId is a group of {}, and CrossTenantConnection {} connects {}: name a group of that manager ({operator})",
                desired.group.manager(),
                connection.name,
                connection.manager
            ),
        ));
    }
    let scope = ScopeId::parse(&connection.scope).ok()?;
    (scope.contains(desired.network.arm()) == Some(false)).then(|| {
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
    desired: &Desired,
    connection: Option<&ConnectionFacts>,
    resource: Option<&UsableCredential>,
    claim: Option<&Claim>,
) -> Option<Finding> {
    let operator = Actor::ClusterOperator;
    let signer = desired.signer.as_ref();
    if let (Some(connection), Some(resource)) = (connection, resource)
        && TenantId::parse(&connection.tenant).is_ok_and(|tenant| tenant != resource.tenant)
    {
        return Some(Finding::new(
            Reason::TenantMismatch,
            format!(
                "the credential {} for resourceId is of tenant {}, and the connection's target is in tenant {}: refer to a credential of that tenant ({operator})",
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
    let (group, network) = (desired.group.arm(), desired.network.arm());
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
