//! Reads what a connection refers to.

use avnm_api::{ClaimPhase, CredentialRef, CrossTenantConnection};
use avnm_arm::Credential;
use avnm_plan::{
    contend::{Claimant, winner_words},
    cross_tenant_connection::{Desired, Half, HalfInput, Halves, Inputs, Role, Standing},
    inputs::{CredentialInput, Meta},
};

use jiff::Timestamp;

use crate::{
    context::{Context, Resolved},
    streams,
};

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
            let known = candidates.iter().position(|known| *known.input.credential() == reference);
            let at = if let Some(at) = known {
                at
            } else {
                candidates.push(context.resolve(&meta.namespace, &reference, holds(&reference)).await);
                candidates.len() - 1
            };
            *slot = Some(candidates[at].input.clone());
        }
    }
    let inputs = Inputs {
        meta,
        spec: object.spec.clone(),
        status,
        credentials,
        beaten_by: None,
        contested: Halves::default(),
    };
    (inputs, Candidates(candidates))
}

fn keys(desired: &Desired) -> Vec<String> {
    Half::BOTH.into_iter().flat_map(|half| desired.keys(half)).collect()
}

/// Enters the object among the contenders, and says who beats it and which halves that one holds.
pub(super) fn contend(
    context: &Context,
    inputs: Inputs,
    desired: &Desired,
    standing: &Standing,
    denied: bool,
) -> Inputs {
    let me = claimant(&inputs, desired, standing, denied);
    let contenders = &context.contenders.connections;
    let (winner, freed) = contenders.contend(&keys(desired), &me);
    wake(context, &freed);
    let held =
        |half: Half| contenders.winner(&desired.keys(half), &me).is_some_and(|won| won.claim.is_some());
    Inputs {
        beaten_by: winner.map(|winner| winner_words(&me, &winner, "CrossTenantConnection")),
        contested: Halves { scope: held(Half::Scope), target: held(Half::Target) },
        ..inputs
    }
}

/// The pass is over: what it claims is reserved no more. What status still claims counts until it is written without it:
/// nobody else may make what this object, seeing its own claim again, would delete.
pub(super) fn settle(context: &Context, inputs: &Inputs, standing: &Standing, released: bool) {
    let claim = claim(&Standing::of(inputs)).or(claim(standing)).filter(|_| !released);
    wake(context, &context.contenders.connections.settle(&inputs.meta.uid, claim));
}

fn wake(context: &Context, freed: &[Claimant]) {
    for freed in freed {
        streams::connection(&context.wakers, &freed.namespace, &freed.name);
    }
}

/// The claim that counts: a held one before one that is intended.
fn claim(standing: &Standing) -> Option<(ClaimPhase, Timestamp)> {
    let claims = [&standing.claims.scope, &standing.claims.target];
    let claims = claims.into_iter().flatten().map(|claim| (claim.phase, claim.since.0));
    claims.max_by_key(|(phase, _)| *phase)
}

fn claimant(inputs: &Inputs, desired: &Desired, standing: &Standing, denied: bool) -> Claimant {
    // A half is claimed by itself, also while the other one waits for its credential.
    let mut ours = desired.halves.each().into_iter().filter(|(_, half)| half.role == Role::Ours);
    let works = ours.any(|(_, half)| half.signer.is_some());
    let enforce = desired.policies.mode == avnm_api::Mode::Enforce;
    Claimant {
        namespace: inputs.meta.namespace.clone(),
        name: inputs.meta.name.clone(),
        uid: inputs.meta.uid.clone(),
        claim: claim(standing),
        reserved: false,
        wants: enforce
            && !desired.policies.suspend
            && !inputs.meta.deleting
            && desired.refused.is_none()
            && !denied
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
        contested: Halves::default(),
    };
    let standing = Standing::of(&inputs);
    if let Ok(desired) = avnm_plan::cross_tenant_connection::desire(&inputs, &standing) {
        let me = claimant(&inputs, &desired, &standing, false);
        // Nobody has looked yet, so nobody has to look again.
        context.contenders.connections.enter(&keys(&desired), &me);
    }
}
