//! Reads what a member refers to.

use avnm_api::{Claim, ConnectionRef, StaticMember};
use avnm_arm::Credential;
use avnm_plan::{
    arbitration::{Claimant, winner_words},
    credential::CredentialInput,
    meta::Meta,
    static_member::{self as plan, ConnectionFacts, ConnectionInput, Desired, Inputs},
    status::find,
};
use kube::{Resource, runtime::reflector::ObjectRef};

use crate::{
    context::{Context, Resolved},
    guarded::Guarded,
    inventory::Visit,
    streams,
};

/// Credentials that were resolved, to find the material of those that decisions choose.
pub(super) struct Candidates(Vec<Resolved>);

impl Candidates {
    fn of(&self, input: &CredentialInput) -> Option<Credential> {
        self.0
            .iter()
            .find(|resolved| resolved.input.credential() == input.credential())
            .and_then(|resolved| resolved.credential.clone())
    }

    /// The material of the signer, of the second token, and of who reads the network.
    pub(super) fn materials(
        &self,
        desired: &Desired,
    ) -> (Option<Credential>, Option<Credential>, Option<Credential>) {
        let find = |usable: &Option<avnm_plan::credential::UsableCredential>| {
            usable.as_ref().and_then(|usable| self.of(&CredentialInput::Usable(usable.clone())))
        };
        (find(&desired.signer), find(&desired.auxiliary), find(&desired.reader))
    }
}

fn connection(
    context: &Context,
    namespace: &str,
    reference: Option<&ConnectionRef>,
) -> Option<ConnectionInput> {
    let name = &reference?.name;
    let key = ObjectRef::<Guarded<avnm_api::CrossTenantConnection>>::new(name).within(namespace);
    let Some(found) = context.stores.connections.get(&key) else {
        return Some(ConnectionInput::Missing(name.clone()));
    };
    let Ok(object) = &found.0 else { return Some(ConnectionInput::Missing(name.clone())) };
    let ready = object.status.as_ref().and_then(|status| find(&status.conditions, "Ready"));
    let current = |condition: &avnm_api::Condition| condition.observed_generation == object.meta().generation;
    Some(ConnectionInput::Found(Box::new(ConnectionFacts {
        name: name.clone(),
        ready: ready.is_some_and(|ready| ready.status == "True" && current(ready)),
        reason: ready.map_or_else(|| "not seen yet".to_owned(), |ready| ready.reason.clone()),
        terminating: object.meta().deletion_timestamp.is_some(),
        manager: object.spec.network_manager_id.clone(),
        tenant: object.spec.target.tenant_id.clone(),
        scope: object.spec.target.scope.clone(),
        manager_credential: object.spec.scope_connection.as_ref().map(|half| half.credential_ref.clone()),
        target_credential: object
            .spec
            .network_manager_connection
            .as_ref()
            .map(|half| half.credential_ref.clone()),
    })))
}

/// The object and what it refers to.
pub(super) async fn read(context: &Context, visit: &Visit, object: &StaticMember) -> (Inputs, Candidates) {
    let meta = Meta::of(object);
    let status = object.status.clone().unwrap_or_default();
    let connection = connection(context, &meta.namespace, object.spec.connection_ref.as_ref());
    let facts = match &connection {
        Some(ConnectionInput::Found(facts)) => Some(&**facts),
        _ => None,
    };
    let (manager, resource) = plan::references(&object.spec, facts);
    let from_connection = facts.and_then(|facts| facts.manager_credential.clone());
    let from_claim = status.claim.as_ref().map(|claim| claim.credential_ref.clone());
    let mut inputs = Inputs {
        spec: object.spec.clone(),
        status,
        connection,
        manager: Vec::new(),
        resource: None,
        beaten_by: None,
        meta,
    };
    let own = inputs.status.claim.as_ref().is_some_and(|claim| claim.uid == inputs.meta.uid);
    let policies = object.spec.policies();
    // Nothing is read for a suspended object, nor for one that is let go without a call.
    let unused = if inputs.meta.deleting { policies.leaves() || !own } else { policies.suspend };
    if unused {
        return (inputs, Candidates(Vec::new()));
    }
    let mut resolved: Vec<Resolved> = Vec::new();
    let mut wanted = vec![manager];
    if inputs.meta.deleting {
        wanted.extend([from_connection, from_claim]);
    }
    for reference in wanted.into_iter().flatten() {
        if !inputs.manager.iter().any(|known| *known.credential() == reference) {
            let one = context.resolve(visit, &inputs.meta.namespace, &reference, own).await;
            inputs.manager.push(one.input.clone());
            resolved.push(one);
        }
    }
    if let Some(reference) = resource {
        let known = resolved.iter().find(|known| *known.input.credential() == reference).cloned();
        let one = match known {
            Some(known) => known,
            // All that is held is the manager's tenant's; the deletion may have to name the network's, too.
            None => {
                context.resolve(visit, &inputs.meta.namespace, &reference, own && inputs.meta.deleting).await
            }
        };
        inputs.resource = Some(one.input.clone());
        resolved.push(one);
    }
    (inputs, Candidates(resolved))
}

/// Enters the object among the contenders, and says who beats it.
pub(super) fn contend(
    context: &Context,
    inputs: Inputs,
    desired: &Desired,
    claim: Option<&Claim>,
    denied: bool,
) -> Inputs {
    let me = claimant(&inputs, desired, claim, denied);
    let (winner, freed) = context.contenders.members.contend(&desired.keys(), &me);
    wake(context, &freed);
    Inputs { beaten_by: winner.map(|winner| winner_words(&me, &winner, "StaticMember")), ..inputs }
}

/// The pass is over: what it claims is reserved no more. What status still claims counts until it is written without it:
/// nobody else may make what this object, seeing its own claim again, would delete.
pub(super) fn settle(context: &Context, inputs: &Inputs, claim: Option<&Claim>, released: bool) {
    let durable = plan::standing(inputs);
    let claim = durable.as_ref().or(claim).filter(|_| !released);
    let claim = claim.map(|claim| (claim.phase, claim.since.0));
    wake(context, &context.contenders.members.settle(&inputs.meta.uid, claim));
}

fn wake(context: &Context, freed: &[Claimant]) {
    for freed in freed {
        streams::member(&context.wakers, &freed.namespace, &freed.name);
    }
}

fn claimant(inputs: &Inputs, desired: &Desired, claim: Option<&Claim>, denied: bool) -> Claimant {
    Claimant {
        namespace: inputs.meta.namespace.clone(),
        name: inputs.meta.name.clone(),
        uid: inputs.meta.uid.clone(),
        claim: claim.map(|claim| (claim.phase, claim.since.0)),
        reserved: false,
        wants: desired.policies.mode == avnm_api::Mode::Enforce
            && !desired.policies.suspend
            && !inputs.meta.deleting
            && desired.refused.is_none()
            && !denied
            && desired.signer.is_some(),
        created: inputs.meta.created,
    }
}

/// For the first entry of every object, before any verdict.
pub(crate) fn enter(context: &Context, object: &StaticMember) {
    let inputs = Inputs {
        meta: Meta::of(object),
        spec: object.spec.clone(),
        status: object.status.clone().unwrap_or_default(),
        connection: None,
        manager: Vec::new(),
        resource: None,
        beaten_by: None,
    };
    let claim = plan::standing(&inputs);
    if let Ok(desired) = plan::desire(&inputs, claim.as_ref()) {
        let me = claimant(&inputs, &desired, claim.as_ref(), false);
        // Nobody has looked yet, so nobody has to look again.
        context.contenders.members.enter(&desired.keys(), &me);
    }
}
