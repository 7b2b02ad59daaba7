//! Reads what a connection refers to.

use avnm_api::{ClaimPhase, CredentialRef, CrossTenantConnection};
use avnm_arm::Credential;
use avnm_plan::{
    arbitration::{Claimant, winner_words},
    credential::CredentialInput,
    cross_tenant_connection::{Desired, Half, HalfInput, Halves, Inputs, Role, Standing},
    item::is_of_another,
    meta::Meta,
};

use jiff::Timestamp;

use crate::{
    context::{Context, Resolved},
    inventory::Visit,
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
pub(super) async fn read(
    context: &Context,
    visit: &Visit,
    object: &CrossTenantConnection,
) -> (Inputs, Candidates) {
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
                candidates.push(context.resolve(visit, &meta.namespace, &reference, holds(&reference)).await);
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
        beaten_by: Halves::default(),
        contested: Halves::default(),
    };
    (inputs, Candidates(candidates))
}

/// Half of an object as contenders know it: each half has its own keys, claim, wish and winner.
fn contender(uid: &str, half: Half) -> String {
    format!("{uid}/{}", half.field())
}

/// The contenders that objects of these uids are.
pub(crate) fn contenders(
    uids: impl IntoIterator<Item = impl AsRef<str>>,
) -> std::collections::HashSet<String> {
    uids.into_iter().flat_map(|uid| Half::BOTH.map(|half| contender(uid.as_ref(), half))).collect()
}

/// Enters each half of ours among the contenders, and says who beats it and whether that one holds it.
pub(super) fn contend(
    context: &Context,
    mut inputs: Inputs,
    desired: &Desired,
    standing: &Standing,
    denied: &Halves<bool>,
) -> Inputs {
    let contenders = &context.contenders.connections;
    for half in Half::BOTH {
        let me = claimant(&inputs, desired, standing, half, *denied.get(half));
        let keys = desired.keys(half);
        let (winner, freed) = contenders.contend(&keys, &me);
        wake(context, &freed);
        // Under our id: what we hold under another id is ours to delete, whoever else has the same connection.
        let id = keys.into_iter().take(1).collect::<Vec<_>>();
        *inputs.contested.get_mut(half) =
            contenders.winner(&id, &me).is_some_and(|winner| winner.claim.is_some());
        *inputs.beaten_by.get_mut(half) =
            winner.map(|winner| winner_words(&me, &winner, "CrossTenantConnection"));
    }
    inputs
}

/// The pass is over: what it claims is reserved no more. What status still claims counts until it is written without it:
/// nobody else may make what this object, seeing its own claim again, would delete.
pub(super) fn settle(
    context: &Context,
    inputs: &Inputs,
    desired: &Desired,
    standing: &Standing,
    released: bool,
) {
    let durable = Standing::of(inputs);
    for half in Half::BOTH {
        let claim = claim(&durable, desired, half).or(claim(standing, desired, half)).filter(|_| !released);
        wake(context, &context.contenders.connections.settle(&contender(&inputs.meta.uid, half), claim));
    }
}

fn wake(context: &Context, freed: &[Claimant]) {
    for freed in freed {
        streams::connection(&context.wakers, &freed.namespace, &freed.name);
    }
}

/// The claim of a half that counts: one of the id that is wanted now.
fn claim(standing: &Standing, desired: &Desired, half: Half) -> Option<(ClaimPhase, Timestamp)> {
    let claim = standing.claims.get(half).as_ref()?;
    let another = is_of_another(claim, desired.halves.get(half).id.as_ref());
    (!another).then_some((claim.phase, claim.since.0))
}

fn claimant(inputs: &Inputs, desired: &Desired, standing: &Standing, half: Half, denied: bool) -> Claimant {
    let desire = desired.halves.get(half);
    Claimant {
        namespace: inputs.meta.namespace.clone(),
        name: inputs.meta.name.clone(),
        uid: contender(&inputs.meta.uid, half),
        claim: claim(standing, desired, half),
        reserved: false,
        wants: desired.policies.mode == avnm_api::Mode::Enforce
            && !desired.policies.suspend
            && !inputs.meta.deleting
            && desired.refused.is_none()
            && desire.role == Role::Ours
            // Each half is signed by its own credential.
            && desire.signer.is_some()
            && !denied,
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
        beaten_by: Halves::default(),
        contested: Halves::default(),
    };
    let standing = Standing::of(&inputs);
    if let Ok(desired) = avnm_plan::cross_tenant_connection::desire(&inputs, &standing) {
        for half in Half::BOTH {
            let me = claimant(&inputs, &desired, &standing, half, false);
            // Nobody has looked yet, so nobody has to look again.
            context.contenders.connections.enter(&desired.keys(half), &me);
        }
    }
}
