//! Reads what a member refers to.

use avnm_api::{ConnectionRef, StaticMember};
use avnm_plan::{
    meta::Meta,
    static_member::{self as plan, ConnectionFacts, ConnectionInput, Inputs},
    status::find,
};
use kube::Resource;

use crate::{
    place::named,
    resolve::{Credentials, Resolver},
    stores::Stores,
};

fn connection(
    stores: &Stores,
    namespace: &str,
    reference: Option<&ConnectionRef>,
) -> Option<ConnectionInput> {
    let name = &reference?.name;
    let Some(found) = stores.connections.get(&named(namespace, name)) else {
        return Some(ConnectionInput::Missing(name.clone()));
    };
    let found = stores.decoded.connections.object(&found);
    let Ok(object) = &found.0 else { return Some(ConnectionInput::Missing(name.clone())) };
    let ready = object.status.as_ref().and_then(|status| find(&status.conditions, "Ready"));
    let current = ready.is_some_and(|ready| ready.observed_generation == object.meta().generation);
    Some(ConnectionInput::Found(Box::new(ConnectionFacts {
        name: name.clone(),
        ready: current && ready.is_some_and(|ready| ready.status == "True"),
        reason: ready.map(|ready| ready.reason.clone()),
        current,
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
pub(super) async fn read(resolver: &Resolver<'_>, object: &StaticMember) -> (Inputs, Credentials) {
    let meta = Meta::of(object);
    let status = object.status.clone().unwrap_or_default();
    let connection = connection(resolver.stores, &meta.namespace, object.spec.connection_ref.as_ref());
    let facts = match &connection {
        Some(ConnectionInput::Found(facts)) => Some(&**facts),
        _ => None,
    };
    let (manager, resource) = plan::references(&object.spec, facts);
    let from_connection = facts.and_then(|facts| facts.manager_credential.clone());
    let from_claim = status.claim.as_ref().map(|claim| claim.credential_ref.clone());
    let mut inputs =
        Inputs { spec: object.spec.clone(), status, connection, manager: Vec::new(), resource: None, meta };
    let own = inputs.status.claim.as_ref().is_some_and(|claim| claim.uid == inputs.meta.uid);
    let policies = object.spec.policies();
    // Nothing is read for a suspended object, nor for one that is let go without a call.
    let unused = if inputs.meta.deleting { policies.leaves() || !own } else { policies.suspend };
    if unused {
        return (inputs, Credentials::default());
    }
    let mut credentials = Credentials::default();
    let mut wanted = vec![manager];
    if inputs.meta.deleting {
        wanted.extend([from_connection, from_claim]);
    }
    let namespace = inputs.meta.namespace.clone();
    for reference in wanted.into_iter().flatten() {
        if !inputs.manager.iter().any(|known| *known.credential() == reference) {
            inputs.manager.push(credentials.resolve(resolver, &namespace, &reference, own).await);
        }
    }
    if let Some(reference) = resource {
        // All that is held is the manager's tenant's; the deletion may have to name the network's, too.
        let holds = own && inputs.meta.deleting;
        inputs.resource = Some(credentials.resolve(resolver, &namespace, &reference, holds).await);
    }
    (inputs, credentials)
}

/// The same without a look at anything else.
pub(super) fn unread(object: &StaticMember) -> Inputs {
    Inputs {
        meta: Meta::of(object),
        spec: object.spec.clone(),
        status: object.status.clone().unwrap_or_default(),
        connection: None,
        manager: Vec::new(),
        resource: None,
    }
}
