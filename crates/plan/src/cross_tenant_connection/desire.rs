//! From the inputs to what is wanted, or to why nothing can be.

use avnm_api::{Claim, ConnectionHalf, Policies};
use avnm_terms::{
    Actor, ArmId, AzureName, ManagerConnectionId, ManagerId, ScopeConnectionId, ScopeId, TenantId,
};

use super::{Half, HalfInput, Halves, Inputs, Standing};
use crate::{
    credential::{CredentialInput, UsableCredential, unusable},
    finding::Finding,
    item::{Body, Goal},
    reason::Reason,
};

/// Whose a half is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ours: made, corrected and deleted.
    Ours,
    /// Someone else's: read only.
    External,
    /// Not even read.
    Absent,
}

/// What is wanted of one half.
#[derive(Debug, Clone, PartialEq)]
pub struct HalfDesire {
    /// Whose it is.
    pub role: Role,
    /// Its id, if it is ours, or still claimed.
    pub id: Option<ArmId>,
    /// What it shall say, if it is ours.
    pub want: Option<Body>,
    /// The description that spec declares.
    pub description: Option<String>,
    /// The credential that reads and writes it.
    pub signer: Option<UsableCredential>,
    /// Why there is none.
    pub blocked: Option<Finding>,
    /// What shall become of it.
    pub goal: Goal,
}

/// What is wanted of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// The network manager.
    pub manager: ManagerId,
    /// The target's tenant.
    pub tenant: TenantId,
    /// The target.
    pub scope: ScopeId,
    /// The policies.
    pub policies: Policies,
    /// Both halves.
    pub halves: Halves<HalfDesire>,
    /// Why nothing can be done, found before any call to Azure.
    pub refused: Option<Finding>,
}

impl Desired {
    /// What no two objects may both have of this half: its id, and what it connects.
    pub fn keys(&self, half: Half) -> Vec<String> {
        let desire = self.halves.get(half);
        if desire.role != Role::Ours {
            return Vec::new();
        }
        let id = desire.id.as_ref().map(|id| id_key(&self.tenant, id));
        let connects = format!("{half:?}|{}|{}|{}", self.manager.key(), self.tenant, self.scope.key());
        id.into_iter().chain([connects]).collect()
    }
}

/// The key of a half's id, given the target's tenant. A subscription's GUID is unique everywhere, and a scope connection
/// does not lie in the target's tenant at all; the name of a management group is unique only within its tenant.
pub fn id_key(tenant: &TenantId, id: &ArmId) -> String {
    let in_subscription =
        id.segments().next().is_some_and(|first| first.eq_ignore_ascii_case("subscriptions"));
    if in_subscription { id.key().to_owned() } else { format!("{tenant}|{}", id.key()) }
}

/// From the inputs to what is wanted. `Err` means that spec cannot even be read.
pub fn desire(inputs: &Inputs, standing: &Standing) -> Result<Desired, Finding> {
    let spec = &inputs.spec;
    let invalid = |field: &str, why: &dyn std::fmt::Display| {
        Finding::new(Reason::InvalidSpec, format!("spec.{field}: {why} ({})", Actor::ClusterOperator))
    };
    let manager =
        ManagerId::parse(&spec.network_manager_id).map_err(|why| invalid("networkManagerId", &why))?;
    let tenant = TenantId::parse(&spec.target.tenant_id).map_err(|why| invalid("target.tenantId", &why))?;
    let scope = ScopeId::parse(&spec.target.scope).map_err(|why| invalid("target.scope", &why))?;
    let policies = spec.policies();

    let id_of = |half: Half, declared: Option<&ConnectionHalf>| -> Result<ArmId, Finding> {
        let name = declared.and_then(|declared| declared.name.as_deref()).unwrap_or(&inputs.meta.name);
        let name = AzureName::parse(name).map_err(|why| invalid(half.field(), &why))?;
        Ok(match half {
            Half::Scope => ScopeConnectionId::new(&manager, &name).arm().clone(),
            Half::Target => ManagerConnectionId::new(&scope, &name).arm().clone(),
        })
    };
    let make = |half: Half, declared: Option<&ConnectionHalf>| -> Result<HalfDesire, Finding> {
        let claim = standing.claims.get(half).as_ref();
        let input = inputs.credentials.get(half);
        let role = match declared {
            None => Role::Absent,
            Some(declared) if declared.is_external() => Role::External,
            Some(_) => Role::Ours,
        };
        let goal = goal(inputs, half, role);
        // A claimed half that was taken out of spec is let go, so its id is not needed.
        let id = if role == Role::Ours { Some(id_of(half, declared)?) } else { None };
        let description = declared.and_then(|declared| declared.description.clone());
        let want = (role == Role::Ours).then(|| match half {
            Half::Scope => Body::scope_connection(&tenant, &scope, description.as_deref()),
            Half::Target => Body::manager_connection(manager.arm(), description.as_deref()),
        });
        let (signer, blocked) = if role == Role::Absent && claim.is_none() {
            (None, None)
        } else if inputs.meta.deleting {
            let at = match half {
                Half::Scope => manager.arm(),
                Half::Target => scope.arm(),
            };
            signer_for_deletion(half, input, claim, at)
        } else {
            signer(half, input)
        };
        Ok(HalfDesire { role, id, want, description, signer, blocked, goal })
    };
    let halves = Halves {
        scope: make(Half::Scope, spec.scope_connection.as_ref())?,
        target: make(Half::Target, spec.network_manager_connection.as_ref())?,
    };
    let mut desired = Desired { manager, tenant, scope, policies, halves, refused: None };
    if !inputs.meta.deleting {
        desired.refused = refuse(&desired, standing);
    }
    Ok(desired)
}

fn goal(inputs: &Inputs, half: Half, role: Role) -> Goal {
    let policies = inputs.spec.policies();
    if inputs.meta.deleting {
        let left = policies.leaves()
            || role != Role::Ours
            // The winner's is not ours to delete; the half that it has no part in is.
            || *inputs.contested.get(half);
        if left { Goal::Left } else { Goal::Gone }
    } else if role == Role::Ours {
        Goal::Present
    } else {
        Goal::Left
    }
}

fn signer(half: Half, input: &HalfInput) -> (Option<UsableCredential>, Option<Finding>) {
    match &input.spec {
        None => (None, None),
        Some(CredentialInput::Usable(usable)) => (Some(usable.clone()), None),
        Some(other) => (None, Some(unusable::finding(&format!("the {}", half.words()), other))),
    }
}

/// Spec's credential, then the claim's: the first usable one of the claim's tenant.
fn signer_for_deletion(
    half: Half,
    input: &HalfInput,
    claim: Option<&Claim>,
    at: &ArmId,
) -> (Option<UsableCredential>, Option<Finding>) {
    let Some(claim) = claim else { return (None, None) };
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
            half.words(),
            credential.kind.as_str(),
            credential.name,
            claim.tenant_id,
            Actor::ClusterOperator
        ),
    )
    .with_failure("delete", half.field(), "CredentialUnusable", Actor::ClusterOperator);
    (None, Some(finding))
}

fn refuse(desired: &Desired, standing: &Standing) -> Option<Finding> {
    let operator = Actor::ClusterOperator;
    let scope = desired.halves.scope.signer.as_ref();
    let target = desired.halves.target.signer.as_ref();
    if scope.is_some_and(|signer| signer.tenant == desired.tenant) {
        return Some(Finding::new(
            Reason::SameTenant,
            format!(
                "target.tenantId is the manager's own tenant: add the scope to the network manager itself; a cross-tenant connection cannot do it ({operator})"
            ),
        ));
    }
    if let Some(signer) = target.filter(|signer| signer.tenant != desired.tenant) {
        return Some(Finding::new(
            Reason::TenantMismatch,
            format!(
                "networkManagerConnection.credentialRef {} is of tenant {}, and target.tenantId is {}: refer to a credential of the target tenant ({operator})",
                signer.credential.name, signer.tenant, desired.tenant
            ),
        ));
    }
    for (half, wanted) in desired.halves.each() {
        if let (Some(signer), Some(claim)) = (&wanted.signer, standing.claims.get(half))
            && !signer.tenant.as_str().eq_ignore_ascii_case(&claim.tenant_id)
        {
            return Some(Finding::new(
                Reason::TenantMismatch,
                format!(
                    "{}.credentialRef {} is of tenant {}, and what this object holds lies in tenant {}: point it to a credential of that tenant ({operator})",
                    half.field(),
                    signer.credential.name,
                    signer.tenant,
                    claim.tenant_id
                ),
            ));
        }
        if let Some(signer) = &wanted.signer {
            let at = match half {
                Half::Scope => desired.manager.arm(),
                Half::Target => desired.scope.arm(),
            };
            if !signer.allows(at) {
                return Some(Finding::new(
                    Reason::ScopeNotAllowed,
                    format!(
                        "{} {} has allowedScopes, and none of them holds {at}: add it there, or use another credential ({operator})",
                        signer.credential.kind.as_str(),
                        signer.credential.name
                    ),
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/networkManagers/NM";

    fn key(tenant: &str, id: &str) -> String {
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
