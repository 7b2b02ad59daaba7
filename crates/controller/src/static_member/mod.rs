//! What is a `StaticMember`'s own in a pass: its group, its network, the connection that it names.

mod observe;
mod read;

use avnm_api::{StaticMember, StaticMemberStatus};
use avnm_plan::{
    finding::Finding,
    lifecycle::Object,
    reason::Reason,
    static_member::{self as plan, Inputs, MEMBER, Member, Step},
    status::After,
};
use avnm_terms::KubeFault;
use kube::Resource;

use crate::{
    owner::{Owner, Pass},
    resolve::{Credentials, Resolver},
    uses::UserKind,
};

impl Owner for StaticMember {
    type Own = Member;
    type Inputs = Inputs;
    const KIND: &'static str = "StaticMember";
    const USER: UserKind = UserKind::Member;

    fn shown(&self) -> StaticMemberStatus {
        self.status.clone().unwrap_or_default()
    }

    async fn read(resolver: &Resolver<'_>, object: &Self) -> (Inputs, Credentials) {
        read::read(resolver, object).await
    }

    fn unread(object: &Self) -> Inputs {
        read::unread(object)
    }

    fn desire(inputs: &Inputs) -> Result<Object<Member>, Finding> {
        plan::desire(inputs)
    }

    /// The connection must be there, and stay.
    async fn vouch(pass: &Pass<'_, Self>) -> Result<Option<String>, KubeFault> {
        let Some(reference) = &pass.resource.spec.connection_ref else { return Ok(None) };
        let (namespace, name) = (&pass.object.meta.namespace, &reference.name);
        let found = pass.shared.vouchers.connection(namespace, name).await?;
        let stands = found.is_some_and(|found| found.meta().deletion_timestamp.is_none());
        Ok((!stands).then(|| format!("CrossTenantConnection {name} is gone or being deleted")))
    }

    async fn take(pass: &mut Pass<'_, Self>, step: &Step) {
        match step {
            Step::ReadGroup => observe::group(pass),
            Step::ReadNetwork => observe::network(pass).await,
        }
    }

    fn ended(pass: &Pass<'_, Self>, after: &After) {
        let settling = after.settling && matches!(after.reason, Reason::Updating | Reason::Progressing);
        if let Some(credential) = pass.credentials.of(pass.object.items[MEMBER].signer.as_ref()) {
            let (inventory, group) = (&pass.shared.inventory, &pass.object.own.group);
            inventory.members.settling(&credential, group, pass.visit.listener(), settling);
        }
    }

    fn released(pass: &Pass<'_, Self>) {
        if let Some(credential) = pass.credentials.of(pass.object.items[MEMBER].signer.as_ref()) {
            let (inventory, group) = (&pass.shared.inventory, &pass.object.own.group);
            inventory.members.leave(&credential, group, pass.visit.listener());
        }
    }
}
