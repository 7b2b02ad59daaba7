//! From the inputs to what is wanted, or to why nothing can be.

use avnm_api::{Claim, ConnectionHalf};
use avnm_terms::{Actor, ArmId, AzureName, ManagerId, ScopeId, TenantId};

use super::{
    connection::{Connection, Role},
    half::{Half, Halves},
    inputs::{HalfInput, Inputs},
};
use crate::{
    credential::{CredentialInput, UsableCredential, unusable},
    finding::Finding,
    item::{Address, Body, Item, Key, Wish},
    lifecycle::{Kind as _, Object},
    reason::Reason,
};

/// The key of a half's id, given the target's tenant. A subscription's GUID is unique everywhere, and a scope connection
/// does not lie in the target's tenant at all; the name of a management group is unique only within its tenant.
pub fn id_key(tenant: &TenantId, id: &ArmId) -> Key {
    let in_subscription =
        id.segments().next().is_some_and(|first| first.eq_ignore_ascii_case("subscriptions"));
    if in_subscription { Key::of(id.key()) } else { Key::of(&format!("{tenant}|{}", id.key())) }
}

/// From the inputs to the object with what is wanted.
///
/// # Errors
/// Spec cannot even be read.
pub fn desire(inputs: &Inputs) -> Result<Object<Connection>, Finding> {
    let spec = &inputs.spec;
    let manager =
        ManagerId::parse(&spec.network_manager_id).map_err(|why| invalid("networkManagerId", &why))?;
    let tenant = TenantId::parse(&spec.target.tenant_id).map_err(|why| invalid("target.tenantId", &why))?;
    let scope = ScopeId::parse(&spec.target.scope).map_err(|why| invalid("target.scope", &why))?;
    let declared =
        Halves { scope: spec.scope_connection.as_ref(), target: spec.network_manager_connection.as_ref() };
    let role = |half: Half| match declared.get(half) {
        None => Role::Absent,
        Some(declared) if declared.is_external() => Role::External,
        Some(_) => Role::Ours,
    };
    let own = Connection {
        manager,
        tenant,
        scope,
        roles: Halves { scope: role(Half::Scope), target: role(Half::Target) },
        shown: inputs.status.clone(),
        recreate: inputs.status.recreate.clone(),
        listed: None,
        others: Halves::default(),
    };
    let items = Half::BOTH
        .into_iter()
        .map(|half| item(inputs, &own, half, *declared.get(half)))
        .collect::<Result<Vec<Item>, Finding>>()?;
    let mut object =
        Object::new(inputs.meta.clone(), spec.policies(), Connection::before(&inputs.status), items, own);
    if !inputs.meta.deleting {
        object.refused = refuse(&object);
    }
    Ok(object)
}

fn invalid(field: &str, why: &dyn std::fmt::Display) -> Finding {
    Finding::new(Reason::InvalidSpec, format!("spec.{field}: {why} ({})", Actor::ClusterOperator))
}

fn item(
    inputs: &Inputs,
    own: &Connection,
    half: Half,
    declared: Option<&ConnectionHalf>,
) -> Result<Item, Finding> {
    let role = *own.roles.get(half);
    let wish = match declared {
        Some(declared) if role == Role::Ours => Some(wish(inputs, own, half, declared)?),
        Some(_) | None => None,
    };
    let mut item = Item::new(half.resource(), wish, inputs.claim(half));
    let input = inputs.credentials.get(half);
    let at = match half {
        Half::Scope => own.manager.arm(),
        Half::Target => own.scope.arm(),
    };
    (item.signer, item.blocked) = match item.claim() {
        None if role == Role::Absent || inputs.meta.deleting => (None, None),
        Some(claim) if inputs.meta.deleting => signer_for_deletion(half, input, claim, at),
        Some(_) | None => signer(half, input),
    };
    Ok(item)
}

fn wish(inputs: &Inputs, own: &Connection, half: Half, declared: &ConnectionHalf) -> Result<Wish, Finding> {
    let name = declared.name.as_deref().unwrap_or(&inputs.meta.name);
    let name = AzureName::parse(name).map_err(|why| invalid(half.resource().field(), &why))?;
    let description = declared.description.clone();
    let (address, body) = match half {
        Half::Scope => (
            Address::scope_connection(&own.manager, &own.tenant, &own.scope, &name),
            Body::scope_connection(&own.tenant, &own.scope, description.as_deref()),
        ),
        Half::Target => (
            Address::manager_connection(&own.scope, &own.manager, &name),
            Body::manager_connection(own.manager.arm(), description.as_deref()),
        ),
    };
    let connects = format!("{half:?}|{}|{}|{}", own.manager.key(), own.tenant, own.scope.key());
    let keys = vec![id_key(&own.tenant, address.id()), Key::of(&connects)];
    Ok(Wish { address, body, description, keys })
}

fn signer(half: Half, input: &HalfInput) -> (Option<UsableCredential>, Option<Finding>) {
    match &input.spec {
        None => (None, None),
        Some(CredentialInput::Usable(usable)) => (Some(usable.clone()), None),
        Some(other) => (None, Some(unusable::finding(&format!("the {}", half.resource().words()), other))),
    }
}

/// Spec's credential, then the claim's: the first usable one of the claim's tenant.
fn signer_for_deletion(
    half: Half,
    input: &HalfInput,
    claim: &Claim,
    at: &ArmId,
) -> (Option<UsableCredential>, Option<Finding>) {
    let candidates = [&input.spec, &input.claim];
    let usable =
        candidates.into_iter().flatten().filter_map(CredentialInput::usable).find(|usable| {
            usable.tenant.as_str().eq_ignore_ascii_case(&claim.tenant_id) && usable.allows(at)
        });
    if let Some(usable) = usable {
        return (Some(usable.clone()), None);
    }
    let named = input.spec.as_ref().or(input.claim.as_ref());
    let credential = named.map_or(&claim.credential_ref, CredentialInput::credential);
    let why = match named {
        Some(CredentialInput::Usable(usable))
            if usable.tenant.as_str().eq_ignore_ascii_case(&claim.tenant_id) =>
        {
            format!("has allowedScopes, and none of them holds {at}")
        }
        Some(CredentialInput::Usable(_)) => "is of another tenant than the one that holds it".to_owned(),
        Some(other) => unusable::words(other).unwrap_or_default(),
        None => "is gone".to_owned(),
    };
    let finding = Finding::new(
        Reason::DeletionBlocked,
        format!(
            "the {} cannot be deleted: {} {} {why}. Ways out: restore the credential, point credentialRef to another one of tenant {}, or set spec.deletionPolicy: Orphan to leave it in Azure ({})",
            half.resource().words(),
            credential.kind.as_str(),
            credential.name,
            claim.tenant_id,
            Actor::ClusterOperator
        ),
    )
    .with_failure("delete", half.resource().field(), "CredentialUnusable", Actor::ClusterOperator);
    (None, Some(finding))
}

fn refuse(object: &Object<Connection>) -> Option<Finding> {
    let (own, operator) = (&object.own, Actor::ClusterOperator);
    let signer = |half: Half| object.items[half.at()].signer.as_ref();
    if signer(Half::Scope).is_some_and(|signer| signer.tenant == own.tenant) {
        return Some(Finding::new(
            Reason::SameTenant,
            format!(
                "target.tenantId is the manager's own tenant: add the scope to the network manager itself; a cross-tenant connection cannot do it ({operator})"
            ),
        ));
    }
    if let Some(target) = signer(Half::Target).filter(|target| target.tenant != own.tenant) {
        let of_manager = signer(Half::Scope).is_some_and(|scope| scope.tenant == target.tenant);
        let (whose, lighthouse) =
            if of_manager { (", the manager's", unusable::LIGHTHOUSE) } else { ("", "") };
        return Some(Finding::new(
            Reason::TenantMismatch,
            format!(
                "networkManagerConnection.credentialRef {} is of tenant {}{whose}, and target.tenantId is {}: {lighthouse}refer to a credential of the target tenant ({operator})",
                target.credential.name, target.tenant, own.tenant
            ),
        ));
    }
    Half::BOTH.into_iter().find_map(|half| refuse_half(object, half, signer(half)?))
}

fn refuse_half(object: &Object<Connection>, half: Half, signer: &UsableCredential) -> Option<Finding> {
    let operator = Actor::ClusterOperator;
    let claim = object.items[half.at()].claim();
    if let Some(claim) = claim.filter(|claim| !signer.tenant.as_str().eq_ignore_ascii_case(&claim.tenant_id))
    {
        return Some(Finding::new(
            Reason::TenantMismatch,
            format!(
                "{}.credentialRef {} is of tenant {}, and what this object holds lies in tenant {}: point it to a credential of that tenant ({operator})",
                half.resource().field(),
                signer.credential.name,
                signer.tenant,
                claim.tenant_id
            ),
        ));
    }
    let at = match half {
        Half::Scope => object.own.manager.arm(),
        Half::Target => object.own.scope.arm(),
    };
    (!signer.allows(at)).then(|| {
        Finding::new(
            Reason::ScopeNotAllowed,
            format!(
                "{} {} has allowedScopes, and none of them holds {at}: add it there, or use another credential ({operator})",
                signer.credential.kind.as_str(),
                signer.credential.name
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/networkManagers/NM";

    fn key(tenant: &str, id: &str) -> Key {
        id_key(&TenantId::parse(tenant).unwrap(), &ArmId::parse(id).unwrap())
    }

    #[test]
    fn one_id_is_one_key_whatever_the_target() {
        let (one, other) = ("12345678-12a3-4abc-5cde-678909876543", "22345678-12a3-4abc-5cde-678909876543");
        let scope_connection = format!("{MANAGER}/scopeConnections/prod");
        assert_eq!(key(one, &scope_connection), key(other, &scope_connection.to_uppercase()));
        let group = "/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Network/networkManagerConnections/prod";
        assert_ne!(
            key(one, group),
            key(other, group),
            "a management group's name is unique in its tenant only"
        );
    }
}
