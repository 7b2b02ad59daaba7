//! Reads what a connection refers to.

use avnm_api::CrossTenantConnection;
use avnm_arm::Credential;
use avnm_plan::{
    contend::{Claimant, winner_words},
    cross_tenant_connection::{Desired, Half, HalfInput, Halves, Inputs, Role, Standing},
    inputs::{CredentialInput, Meta},
};

use crate::context::{Context, Resolved};

/// Credentials that were resolved, to find the material of the one that decisions choose.
pub(super) struct Candidates(Vec<Resolved>);

impl Candidates {
    /// The material of the chosen signers.
    pub(super) fn signers(&self, desired: &Desired) -> Halves<Option<Credential>> {
        let find = |half: Half| {
            let signer = desired.halves.get(half).signer.as_ref()?;
            self.0
                .iter()
                .find(|resolved| resolved.input.credential() == &signer.credential)
                .and_then(|resolved| resolved.credential.clone())
        };
        Halves { scope: find(Half::Scope), target: find(Half::Target) }
    }
}

/// The object and what it refers to.
pub(super) async fn read(context: &Context, object: &CrossTenantConnection) -> (Inputs, Candidates) {
    let meta = Meta::of(object);
    let status = object.status.clone().unwrap_or_default();
    let mut candidates: Vec<Resolved> = Vec::new();
    let mut credentials = Halves::<HalfInput>::default();
    for half in Half::BOTH {
        let (declared, held) = match half {
            Half::Scope => (&object.spec.scope_connection, &status.scope_connection),
            Half::Target => (&object.spec.network_manager_connection, &status.network_manager_connection),
        };
        let spec = declared.as_ref().map(|declared| declared.credential_ref.clone());
        let claim =
            held.as_ref().and_then(|held| held.claim.as_ref()).map(|claim| claim.credential_ref.clone());
        let input = credentials.get_mut(half);
        if object.spec.policies().suspend && !meta.deleting {
            continue;
        }
        for (slot, reference) in [(&mut input.spec, spec), (&mut input.claim, claim)] {
            let Some(reference) = reference else { continue };
            let known = candidates.iter().position(|known| *known.input.credential() == reference);
            let at = if let Some(at) = known {
                at
            } else {
                candidates.push(context.resolve(&meta.namespace, &reference).await);
                candidates.len() - 1
            };
            *slot = Some(candidates[at].input.clone());
        }
    }
    let inputs = Inputs { meta, spec: object.spec.clone(), status, credentials, beaten_by: None };
    (inputs, Candidates(candidates))
}

/// Enters the object among the contenders and returns words for the one that beats it.
pub(super) fn beaten_by(
    context: &Context,
    inputs: &Inputs,
    desired: &Desired,
    standing: &Standing,
) -> Option<String> {
    let me = claimant(inputs, desired, standing);
    let winner = context.contenders.enter(&desired.keys(), &me)?;
    Some(winner_words(&me, &winner, "CrossTenantConnection"))
}

fn claimant(inputs: &Inputs, desired: &Desired, standing: &Standing) -> Claimant {
    let claims = [&standing.claims.scope, &standing.claims.target];
    let claim = claims
        .into_iter()
        .flatten()
        .map(|claim| (claim.phase, claim.since.0))
        .max_by_key(|(phase, _)| *phase);
    let ours = desired.halves.each().into_iter().filter(|(_, half)| half.role == Role::Ours);
    let works = ours.clone().count() > 0 && ours.into_iter().all(|(_, half)| half.signer.is_some());
    let enforce = desired.policies.mode == avnm_api::Mode::Enforce;
    Claimant {
        namespace: inputs.meta.namespace.clone(),
        name: inputs.meta.name.clone(),
        uid: inputs.meta.uid.clone(),
        claim,
        wants: enforce
            && !desired.policies.suspend
            && !inputs.meta.deleting
            && desired.refused.is_none()
            && works,
        created: inputs.meta.created,
    }
}

/// For the first entry of every object, before any verdict.
pub(crate) fn enter(context: &Context, object: &CrossTenantConnection) {
    let spec = |input: &Option<avnm_api::ConnectionHalf>| HalfInput {
        spec: input.as_ref().map(|half| CredentialInput::Missing(half.credential_ref.clone())),
        claim: None,
    };
    let inputs = Inputs {
        meta: Meta::of(object),
        spec: object.spec.clone(),
        status: object.status.clone().unwrap_or_default(),
        credentials: Halves {
            scope: spec(&object.spec.scope_connection),
            target: spec(&object.spec.network_manager_connection),
        },
        beaten_by: None,
    };
    let standing = Standing::of(&inputs);
    if let Ok(desired) = avnm_plan::cross_tenant_connection::desire(&inputs, &standing) {
        context.contenders.enter(&desired.keys(), &claimant(&inputs, &desired, &standing));
    }
}
