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

use crate::{
    live,
    owner::{Owner, Pass},
    resolve::{Credentials, Resolver},
    uses::UserKind,
};

impl Owner for CrossTenantConnection {
    type Own = Connection;
    type Inputs = Inputs;
    const KIND: &'static str = "CrossTenantConnection";
    const USER: UserKind = UserKind::Connection;

    fn shown(&self) -> CrossTenantConnectionStatus {
        self.status.clone().unwrap_or_default()
    }

    async fn read(resolver: &Resolver<'_>, object: &Self) -> (Inputs, Credentials) {
        read::read(resolver, object).await
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
        let (client, stores) = (&pass.shared.client, &pass.reconciler.stores);
        let meta = &pass.object.meta;
        live::dependents(client, stores, &meta.namespace, &meta.name).await
    }

    async fn take(pass: &mut Pass<'_, Self>, step: &Step) {
        match step {
            Step::Recreate(recreate) => pass.object.own.recreate = Some(recreate.clone()),
        }
    }
}
