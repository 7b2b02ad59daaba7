//! No verdict falls before every object was seen.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use avnm_api::{ClusterTenantCredential, CrossTenantConnection, StaticMember, TenantCredential};
use avnm_terms::{KubeFault, KubeFaultKind};
use kube::Client;
use tokio::sync::watch;

use super::served::{is_served, may_list_namespaces};
use crate::{arbitration, owner::Reconciler, scope::Scope};

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Watched {
    Connections,
    Members,
    /// Credentials too: a reference into a cache that is not filled yet would look like one that leads nowhere.
    Credentials,
    ClusterCredentials,
    /// Their labels decide what is lent to them.
    Namespaces,
}

impl Watched {
    const ALL: [Self; 5] =
        [Self::Connections, Self::Members, Self::Credentials, Self::ClusterCredentials, Self::Namespaces];

    /// Whether the API server serves it to us.
    async fn served(self, client: &Client, scope: &Scope) -> Result<(), KubeFault> {
        match self {
            Self::Connections => is_served::<CrossTenantConnection>(client, scope).await,
            Self::Members => is_served::<StaticMember>(client, scope).await,
            Self::Credentials => is_served::<TenantCredential>(client, scope).await,
            Self::ClusterCredentials => is_served::<ClusterTenantCredential>(client, scope).await,
            Self::Namespaces => may_list_namespaces(client).await,
        }
    }

    /// Whether that answer says that there is nothing to wait for. Slow is not absent: only a 404 makes a kind count as
    /// empty. Without rights on namespaces nothing is lent by label, and all else goes on.
    fn is_absent(self, fault: &KubeFault) -> bool {
        match fault.kind {
            KubeFaultKind::NotFound => true,
            KubeFaultKind::Forbidden => self == Self::Namespaces,
            _ => false,
        }
    }
}

/// What was listed at least once. The stores' own way of waiting wakes only the last of several waiters, and the
/// controllers wait there too. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Listed(Arc<watch::Sender<BTreeSet<Watched>>>);

impl Listed {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeSet::new())))
    }

    /// The first list of it, or another one, is over.
    pub(super) fn note(&self, watched: Watched) {
        self.0.send_if_modified(|listed| listed.insert(watched));
    }

    /// What was not listed yet, of these.
    fn missing(&self, absent: &BTreeSet<Watched>) -> Vec<Watched> {
        let listed = self.0.borrow();
        let missing = Watched::ALL.into_iter().filter(|it| !listed.contains(it) && !absent.contains(it));
        missing.collect()
    }

    /// Returns once everything was listed, or is not there to be listed.
    async fn wait(&self, client: &Client, scope: &Scope) {
        // A kind whose CRD is absent never syncs: after this long the API server is asked whether it is.
        const ABSENT_KIND: Duration = Duration::from_secs(5);
        let (mut changes, mut absent) = (self.0.subscribe(), BTreeSet::new());
        while !self.missing(&absent).is_empty() {
            // The sender lives as long as this does, so the wait fails by its time alone.
            if tokio::time::timeout(ABSENT_KIND, changes.changed()).await.is_ok() {
                continue;
            }
            let missing = self.missing(&absent);
            for watched in &missing {
                if watched.served(client, scope).await.is_err_and(|fault| watched.is_absent(&fault)) {
                    absent.insert(*watched);
                }
            }
            tracing::warn!(?missing, ?absent, "still waiting for the first list");
        }
    }
}

/// Whether every object was entered among the contenders: no verdict falls before. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Synced(Arc<watch::Sender<bool>>);

impl Synced {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Whether verdicts may fall.
    pub(super) fn is(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once no verdict would fall too early. A pass that waits here holds one of its kind's slots; none of them
    /// could do anything else.
    pub(super) async fn wait(&self) {
        // The sender lives as long as this does, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|synced| *synced).await;
    }
}

/// Enters all objects once all were seen, and lets passes begin.
pub(super) async fn open(
    connections: Arc<Reconciler<CrossTenantConnection>>,
    members: Arc<Reconciler<StaticMember>>,
    client: Client,
    listed: Listed,
    synced: Synced,
) {
    listed.wait(&client, &members.shared.settings.scope).await;
    arbitration::enter_all(&connections);
    arbitration::enter_all(&members);
    synced.0.send_replace(true);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    const MINUTE: Duration = Duration::from_secs(60);

    /// An API server that serves no members, is down for credentials, and lets us read no namespaces.
    fn client() -> Client {
        let (client, _) = recorded::client(|asked| match asked.path.as_str() {
            "/apis/avnm.dev/v1alpha1/staticmembers" => recorded::refusal(404, "NotFound", "no such kind"),
            "/api/v1/namespaces" => recorded::refusal(403, "Forbidden", "no such right"),
            _ => recorded::refusal(503, "ServiceUnavailable", "later"),
        });
        client
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_absent_is_not_waited_for_and_what_is_slow_is() {
        let (listed, client) = (Listed::new(), client());
        listed.note(Watched::Connections);
        listed.note(Watched::Credentials);
        assert!(
            tokio::time::timeout(MINUTE, listed.wait(&client, &Scope::default())).await.is_err(),
            "one is only slow"
        );
        listed.note(Watched::ClusterCredentials);
        assert!(tokio::time::timeout(MINUTE, listed.wait(&client, &Scope::default())).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_listed_is_waited_for_no_longer() {
        let (listed, client) = (Listed::new(), client());
        for watched in Watched::ALL {
            assert!(
                tokio::time::timeout(Duration::ZERO, listed.wait(&client, &Scope::default())).await.is_err()
            );
            listed.note(watched);
        }
        assert!(tokio::time::timeout(Duration::ZERO, listed.wait(&client, &Scope::default())).await.is_ok());
    }
}
