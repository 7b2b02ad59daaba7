//! What a kind that owns things in Azure brings to the pass that all such kinds share, and what it is handed there.

use std::{collections::HashSet, sync::Arc};

use avnm_plan::{
    finding::{Finding, Happening},
    lifecycle::{self, Dependent, Object},
    pace::Waits,
    status::After,
};
use avnm_terms::KubeFault;
use kube::runtime::reflector::Store;

use crate::{
    cached::Cached,
    contenders::Contenders,
    inventory::{Listener, Visit},
    memory::{InLine, Memories, Remembered, verb},
    metrics::Counted,
    place::Kind,
    resolve::{Credentials, Resolver},
    shared::Shared,
    stores::Stores,
    uses::{User, UserKind},
    wake::Wake,
};

/// All that a process remembers of an object of this kind.
pub(crate) type Kept<K> = lifecycle::Kept<<<K as Owner>::Own as lifecycle::Kind>::Memory>;
/// Its status.
pub(crate) type Status<K> = <<K as Owner>::Own as lifecycle::Kind>::Status;
/// A step that only it takes.
pub(crate) type OwnStep<K> = <<K as Owner>::Own as lifecycle::Kind>::Step;

/// What the passes of one kind use.
pub(crate) struct Reconciler<K: Owner> {
    pub(crate) shared: Arc<Shared>,
    /// The caches: what objects refer to is of other kinds.
    pub(crate) stores: Stores,
    /// Its own objects among them.
    pub(crate) objects: Store<Cached<K>>,
    pub(crate) memories: Memories<K, Kept<K>>,
    /// Who wants what.
    pub(crate) contenders: Contenders,
    /// Has one of them looked at.
    pub(crate) wake: Wake<Cached<K>>,
}

impl<K: Owner> Reconciler<K> {
    /// Forgets an object that is gone: nobody waits for the turn that it had.
    pub(crate) fn forget(&self, uid: &str) {
        self.shared.metrics.forget(uid);
        let waits = self.memories.forget(uid);
        self.forgo(uid, waits);
    }

    /// The writes that an object waited for are not wanted any more.
    pub(crate) fn forgo(&self, uid: &str, waits: Vec<InLine>) {
        for InLine { write, id, .. } in waits {
            self.shared.arm.forgo(verb(write), &id, uid);
        }
    }

    /// Only these objects are there: a watch that begins anew does not tell which went meanwhile.
    pub(crate) fn retain(&self, uids: &HashSet<String>) {
        for gone in self.memories.gone(uids) {
            self.forget(&gone);
        }
    }
}

/// A pass under way.
pub(crate) struct Pass<'a, K: Owner> {
    pub(crate) reconciler: &'a Reconciler<K>,
    pub(crate) shared: &'a Shared,
    pub(crate) visit: &'a Visit,
    pub(crate) counted: &'a Counted,
    /// The object as it was last read or written.
    pub(crate) resource: K,
    pub(crate) remembered: Remembered<K, Kept<K>>,
    /// What decisions know of it.
    pub(crate) object: Object<K::Own>,
    pub(crate) credentials: Credentials,
    pub(crate) happenings: Vec<Happening>,
    pub(crate) released: bool,
}

impl<K: Owner> Pass<'_, K> {
    /// The waits that decisions use.
    pub(crate) fn waits(&self) -> &Waits {
        &self.shared.settings.waits
    }
}

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
    /// It, as whoever uses something is known.
    const USER: UserKind;

    /// One of them, as the inventory knows it.
    fn listener(namespace: &str, name: &str) -> Listener {
        Arc::new(User::new(Self::USER, namespace, name))
    }

    /// Its status.
    fn shown(&self) -> Status<Self>;

    /// What it refers to.
    fn read(
        resolver: &Resolver<'_>,
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
