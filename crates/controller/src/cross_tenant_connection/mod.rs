//! What is a `CrossTenantConnection`'s own in a pass: someone else's half, the manager's listing, the members that name it.

mod observe;
mod read;

use avnm_api::{CrossTenantConnection, CrossTenantConnectionStatus};
use avnm_plan::{
    cross_tenant_connection::{self as plan, Connection, Inputs, Step},
    finding::Finding,
    lifecycle::{Dependent, Object},
};
use avnm_terms::KubeFault;
use kube::runtime::reflector::Store;

use crate::{
    contenders::Contenders,
    context::{Context, Stores},
    guarded::Guarded,
    inventory::{Listener, Visit},
    live,
    memory::Memories,
    owner::{Credentials, Kept, Owner},
    pass::Pass,
    streams,
};

impl Owner for CrossTenantConnection {
    type Own = Connection;
    type Inputs = Inputs;
    const KIND: &'static str = "CrossTenantConnection";

    fn store(stores: &Stores) -> &Store<Guarded<Self>> {
        &stores.connections
    }

    fn memories(context: &Context) -> &Memories<Self, Kept<Self>> {
        &context.connections
    }

    fn contenders(context: &Context) -> &Contenders {
        &context.contenders.connections
    }

    fn wake(context: &Context, namespace: &str, name: &str) {
        streams::connection(&context.wakers, namespace, name);
    }

    fn listener(namespace: String, name: String) -> Listener {
        Listener::Connection { namespace, name }
    }

    fn shown(&self) -> CrossTenantConnectionStatus {
        self.status.clone().unwrap_or_default()
    }

    async fn read(context: &Context, visit: &Visit, object: &Self) -> (Inputs, Credentials) {
        read::read(context, visit, object).await
    }

    fn unread(object: &Self) -> Inputs {
        read::unread(object)
    }

    fn desire(inputs: &Inputs) -> Result<Object<Connection>, Finding> {
        plan::desire(inputs)
    }

    fn observe(pass: &mut Pass<'_, Self>, forced: bool) {
        observe::external(pass, forced);
        observe::listing(pass, forced);
    }

    async fn dependents(pass: &Pass<'_, Self>) -> Result<Vec<Dependent>, KubeFault> {
        let (client, members) = (&pass.context.client, &pass.context.stores.members);
        let meta = &pass.object.meta;
        live::dependents(client, members, &meta.namespace, &meta.name).await
    }

    async fn take(pass: &mut Pass<'_, Self>, step: &Step) {
        match step {
            Step::Recreate(recreate) => pass.object.own.recreate = Some(recreate.clone()),
        }
    }
}
