//! Reads what a connection refers to.

use avnm_api::{CredentialRef, CrossTenantConnection};
use avnm_plan::{
    credential::CredentialInput,
    cross_tenant_connection::{Half, HalfInput, Halves, Inputs},
    meta::Meta,
};

use crate::resolve::{Credentials, Resolver};

/// The object and what it refers to.
pub(super) async fn read(resolver: &Resolver<'_>, object: &CrossTenantConnection) -> (Inputs, Credentials) {
    let meta = Meta::of(object);
    let status = object.status.clone().unwrap_or_default();
    let mut resolved = Credentials::default();
    let mut credentials = Halves::<HalfInput>::default();
    let of = |half: Half| match half {
        Half::Scope => (&object.spec.scope_connection, &status.scope_connection),
        Half::Target => (&object.spec.network_manager_connection, &status.network_manager_connection),
    };
    // Held with a credential, or to be gone on with by it.
    let holds = |reference: &CredentialRef| {
        Half::BOTH.into_iter().any(|half| {
            let (declared, held) = of(half);
            let claim = held.as_ref().and_then(|held| held.claim.as_ref()).filter(|it| it.uid == meta.uid);
            let declared = declared.as_ref().map(|declared| &declared.credential_ref);
            claim.is_some_and(|claim| claim.credential_ref == *reference || declared == Some(reference))
        })
    };
    for half in Half::BOTH {
        let (declared, held) = of(half);
        let spec = declared.as_ref().map(|declared| declared.credential_ref.clone());
        let claim =
            held.as_ref().and_then(|held| held.claim.as_ref()).map(|claim| claim.credential_ref.clone());
        let input = credentials.get_mut(half);
        let own =
            held.as_ref().and_then(|held| held.claim.as_ref()).is_some_and(|claim| claim.uid == meta.uid);
        let policies = object.spec.policies();
        // Nothing is read for a suspended object, nor for one that is let go without a call.
        let unused = if meta.deleting { policies.leaves() || !own } else { policies.suspend };
        if unused {
            continue;
        }
        for (slot, reference) in [(&mut input.spec, spec), (&mut input.claim, claim)] {
            let Some(reference) = reference else { continue };
            let holds = holds(&reference);
            *slot = Some(resolved.resolve(resolver, &meta.namespace, &reference, holds).await);
        }
    }
    (Inputs { meta, spec: object.spec.clone(), status, credentials }, resolved)
}

/// The same without a look at anything else.
pub(super) fn unread(object: &CrossTenantConnection) -> Inputs {
    let spec = |input: &Option<avnm_api::ConnectionHalf>| HalfInput {
        spec: input.as_ref().map(|half| CredentialInput::Missing(half.credential_ref.clone())),
        claim: None,
    };
    Inputs {
        meta: Meta::of(object),
        spec: object.spec.clone(),
        status: object.status.clone().unwrap_or_default(),
        credentials: Halves {
            scope: spec(&object.spec.scope_connection),
            target: spec(&object.spec.network_manager_connection),
        },
    }
}
