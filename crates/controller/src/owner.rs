//! What a kind that owns things in Azure brings to the pass that all such kinds share.

use avnm_arm::Credential;
use avnm_plan::{
    credential::UsableCredential,
    finding::Finding,
    lifecycle::{self, Dependent, Object},
    status::After,
};
use avnm_terms::KubeFault;
use kube::runtime::reflector::Store;

use crate::{
    contenders::Contenders,
    context::{Context, Resolved, Stores},
    guarded::Guarded,
    inventory::{Listener, Visit},
    memory::Memories,
    pass::Pass,
    place::Kind,
};

/// All that a process remembers of an object of this kind.
pub(crate) type Kept<K> = lifecycle::Kept<<<K as Owner>::Own as lifecycle::Kind>::Memory>;
/// Its status.
pub(crate) type Status<K> = <<K as Owner>::Own as lifecycle::Kind>::Status;
/// A step that only it takes.
pub(crate) type OwnStep<K> = <<K as Owner>::Own as lifecycle::Kind>::Step;

/// A kind whose objects own things in Azure.
pub(crate) trait Owner: Kind {
    /// What is its own in decisions.
    type Own: lifecycle::Kind<Status: serde::Serialize + Send + Sync, Step: Send + Sync, Memory: Send + Sync>
        + Send
        + Sync;
    /// What its spec refers to.
    type Inputs: Send + Sync;
    /// Its name.
    const KIND: &'static str;

    /// Where its objects are cached.
    fn store(stores: &Stores) -> &Store<Guarded<Self>>;

    /// What is remembered of them.
    fn memories(context: &Context) -> &Memories<Self, Kept<Self>>;

    /// Who wants what of them.
    fn contenders(context: &Context) -> &Contenders;

    /// Has one of them looked at.
    fn wake(context: &Context, namespace: &str, name: &str);

    /// One of them, as the inventory knows it.
    fn listener(namespace: String, name: String) -> Listener;

    /// Its status.
    fn shown(&self) -> Status<Self>;

    /// What it refers to.
    fn read(
        context: &Context,
        visit: &Visit,
        object: &Self,
    ) -> impl Future<Output = (Self::Inputs, Credentials)> + Send;

    /// What is known of it before anything is read: for its first entry among the contenders.
    fn unread(object: &Self) -> Self::Inputs;

    /// What is wanted.
    ///
    /// # Errors
    /// Its spec cannot be read.
    fn desire(inputs: &Self::Inputs) -> Result<Object<Self::Own>, Finding>;

    /// Reads what only it needs to know.
    fn observe(_: &mut Pass<'_, Self>, _: bool) {}

    /// What holds something in Azure with it.
    fn dependents(_: &Pass<'_, Self>) -> impl Future<Output = Result<Vec<Dependent>, KubeFault>> + Send {
        std::future::ready(Ok(Vec::new()))
    }

    /// What a claim rests on beside the credentials, read live: why it does not serve, if so.
    ///
    /// # Errors
    /// It could not be read.
    fn vouch(_: &Pass<'_, Self>) -> impl Future<Output = Result<Option<String>, KubeFault>> + Send {
        std::future::ready(Ok(None))
    }

    /// Does a step that only it takes.
    fn take(pass: &mut Pass<'_, Self>, step: &OwnStep<Self>) -> impl Future<Output = ()> + Send;

    /// Takes note of how a pass ended.
    fn ended(_: &Pass<'_, Self>, _: &After) {}

    /// It was let go.
    fn released(_: &Pass<'_, Self>) {}
}

/// Credentials that were resolved, to find the material of those that decisions choose.
#[derive(Debug, Default)]
pub(crate) struct Credentials(pub(crate) Vec<Resolved>);

impl Credentials {
    /// The material of a credential.
    pub(crate) fn of(&self, usable: Option<&UsableCredential>) -> Option<Credential> {
        let reference = &usable?.credential;
        self.0
            .iter()
            .find(|resolved| resolved.input.credential() == reference)
            .and_then(|resolved| resolved.credential.clone())
    }

    /// Where a reference leads, asked once.
    pub(crate) async fn resolve(
        &mut self,
        context: &Context,
        visit: &Visit,
        namespace: &str,
        reference: &avnm_api::CredentialRef,
        holds: bool,
    ) -> avnm_plan::credential::CredentialInput {
        let known = self.0.iter().find(|known| known.input.credential() == reference);
        if let Some(known) = known {
            return known.input.clone();
        }
        let one = context.resolve(visit, namespace, reference, holds).await;
        let input = one.input.clone();
        self.0.push(one);
        input
    }
}
