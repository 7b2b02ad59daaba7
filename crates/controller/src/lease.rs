//! One leader. Every write to the Lease carries the version that was read, and the holder counts its own time on a
//! monotonic clock that was read before the request.

mod settings;

pub(crate) use settings::MARGIN;
pub use settings::{LeaseError, LeaseSettings};

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use avnm_arm::{WriteGuard, clock};
use avnm_terms::{
    KubeFault, KubeFaultKind,
    mutants::{Mutant, broken},
};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, ResourceExt, api::PostParams};
use tokio::time::Instant;

use crate::kube_io;

/// What the holder knows: until when it surely holds the lease.
#[derive(Debug, Clone, Default)]
pub struct LeaseGuard {
    until: Arc<Mutex<Option<Instant>>>,
}

impl LeaseGuard {
    fn set(&self, until: Option<Instant>) {
        if let Ok(mut held) = self.until.lock() {
            *held = until;
        }
    }

    /// Whether at least `margin` of the lease is left.
    pub fn holds(&self, margin: Duration) -> bool {
        if broken(Mutant::LeaseIgnored) {
            return true;
        }
        let until = self.until.lock().ok().and_then(|until| *until);
        until.is_some_and(|until| until.saturating_duration_since(clock::instant()) >= margin)
    }

    /// How much of the lease is left; nothing where it is not held.
    pub(crate) fn left(&self) -> Duration {
        let until = self.until.lock().ok().and_then(|until| *until);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(clock::instant()))
    }

    /// The same, as a fault of the operation that it forbids.
    pub(crate) fn check(&self, operation: &'static str, margin: Duration) -> Result<(), KubeFault> {
        if self.holds(margin) {
            return Ok(());
        }
        Err(KubeFault::local(operation, "", KubeFaultKind::NoLease, "the lease is about to end"))
    }
}

impl WriteGuard for LeaseGuard {
    fn allow_write(&self) -> Result<(), String> {
        if self.holds(MARGIN) { Ok(()) } else { Err("less than 5 s of the lease are left".to_owned()) }
    }
}

/// A lease that is tried for and renewed.
pub(crate) struct Holder {
    api: Api<Lease>,
    settings: LeaseSettings,
    guard: LeaseGuard,
    /// When the request began that took or renewed the lease last.
    renewed: Option<Instant>,
    /// The version of someone else's lease and when we first saw it: it expires by our clock, not by theirs.
    seen: Option<(String, Instant)>,
}

impl Holder {
    pub(crate) fn new(client: Client, settings: LeaseSettings, guard: LeaseGuard) -> Self {
        Self { api: Api::namespaced(client, &settings.namespace), settings, guard, renewed: None, seen: None }
    }

    /// Returns once the lease is ours.
    pub(crate) async fn acquire(&mut self) {
        loop {
            match self.try_hold().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "cannot take the lease"),
            }
            tokio::time::sleep(self.settings.retry).await;
        }
    }

    /// Renews until that fails for too long; then the lease is lost for good.
    pub(crate) async fn renew(&mut self) {
        loop {
            tokio::time::sleep(self.settings.retry.min(self.left())).await;
            let left = self.left();
            if left.is_zero() {
                if broken(Mutant::LeaseIgnored) {
                    std::future::pending::<()>().await;
                }
                tracing::error!("the lease could not be renewed in time");
                break;
            }
            // However long the API server keeps silent, the deadline is kept.
            match tokio::time::timeout(left, self.try_hold()).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => {
                    tracing::error!("another process holds the lease");
                    break;
                }
                Ok(Err(error)) => tracing::warn!(%error, "cannot renew the lease"),
                Err(_) => tracing::warn!("cannot renew the lease: no answer"),
            }
        }
        self.guard.set(None);
    }

    /// How long the lease may still be tried for, counted from the last renewal.
    fn left(&self) -> Duration {
        let since = self.renewed.map(|renewed| clock::instant().saturating_duration_since(renewed));
        self.settings.renew_deadline.saturating_sub(since.unwrap_or(Duration::MAX))
    }

    /// Lets the next one have it at once.
    pub(crate) async fn release(&mut self) {
        self.guard.set(None);
        let Ok(mut lease) =
            kube_io::call("get lease", &self.settings.name, self.api.get(&self.settings.name)).await
        else {
            return;
        };
        if let Some(spec) =
            lease.spec.as_mut().filter(|spec| spec.holder_identity.as_ref() == Some(&self.settings.identity))
        {
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
            let params = PostParams::default();
            let replace = self.api.replace(&self.settings.name, &params, &lease);
            if let Err(error) = kube_io::call("release lease", &self.settings.name, replace).await {
                tracing::debug!(%error, "the lease was not released");
            }
        }
    }

    /// Whether the lease is ours now, by a write that was answered. What was not answered is a fault, never a renewal.
    async fn try_hold(&mut self) -> Result<bool, KubeFault> {
        // Before the request: an answer that comes late must not count for more than it says.
        let asked = clock::instant();
        let name = self.settings.name.clone();
        let wanted = LeaseSpec {
            holder_identity: Some(self.settings.identity.clone()),
            lease_duration_seconds: i32::try_from(self.settings.duration.as_secs()).ok(),
            renew_time: Some(MicroTime(clock::now())),
            ..LeaseSpec::default()
        };
        let current = kube_io::call("get lease", &name, self.api.get_opt(&name)).await?;
        let Some(mut lease) = current else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
                spec: Some(LeaseSpec {
                    acquire_time: Some(MicroTime(clock::now())),
                    lease_transitions: Some(0),
                    ..wanted
                }),
            };
            let params = PostParams::default();
            return match kube_io::call("create lease", &name, self.api.create(&params, &lease)).await {
                Ok(_) => Ok(self.won(asked)),
                Err(fault) if fault.is_conflict() => Ok(false),
                Err(fault) => Err(fault),
            };
        };
        let version = lease.resource_version().unwrap_or_default();
        let spec = lease.spec.clone().unwrap_or_default();
        let ours = spec.holder_identity.as_ref() == Some(&self.settings.identity);
        let free = spec.holder_identity.as_deref().is_none_or(str::is_empty);
        if !ours && !free {
            let lasts = Duration::from_secs(
                spec.lease_duration_seconds.and_then(|s| u64::try_from(s).ok()).unwrap_or(15),
            );
            match &self.seen {
                Some((seen, since)) if *seen == version => {
                    if asked.saturating_duration_since(*since) < lasts {
                        return Ok(false);
                    }
                }
                _ => {
                    self.seen = Some((version, asked));
                    return Ok(false);
                }
            }
        }
        let transitions = spec.lease_transitions.unwrap_or_default();
        lease.spec = Some(LeaseSpec {
            acquire_time: if ours { spec.acquire_time } else { Some(MicroTime(clock::now())) },
            lease_transitions: Some(if ours { transitions } else { transitions.saturating_add(1) }),
            ..wanted
        });
        let params = PostParams::default();
        match kube_io::call("renew lease", &name, self.api.replace(&name, &params, &lease)).await {
            Ok(_) => Ok(self.won(asked)),
            // Someone was faster. If it was ours, we may have written it ourselves and not read the answer: look again.
            Err(fault) if fault.is_conflict() && !ours => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    fn won(&mut self, asked: Instant) -> bool {
        self.renewed = Some(asked);
        self.guard.set(Some(asked + self.settings.duration));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_millis(400);

    /// A holder that won its lease just now, and an API server that takes connections and keeps silent.
    async fn unanswered() -> (Holder, tokio::net::TcpListener) {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = silent.local_addr().expect("an address");
        let uri = format!("http://{address}").parse().expect("a URL");
        let client = Client::try_from(kube::Config::new(uri)).expect("a client");
        let settings = LeaseSettings {
            namespace: "operator".to_owned(),
            name: "lease".to_owned(),
            identity: "one".to_owned(),
            duration: Duration::from_secs(60),
            renew_deadline: DEADLINE,
            retry: Duration::from_millis(50),
        };
        let mut holder = Holder::new(client, settings, LeaseGuard::default());
        holder.won(clock::instant());
        (holder, silent)
    }

    #[tokio::test]
    async fn silence_is_no_renewal() {
        let (mut holder, _silent) = unanswered().await;
        let began = clock::instant();
        let late = Duration::from_secs(4);
        tokio::time::timeout(late, holder.renew()).await.expect("the deadline is kept");
        assert!(clock::instant().saturating_duration_since(began) >= DEADLINE);
        assert!(!holder.guard.holds(Duration::ZERO), "nobody may write after it");
    }

    #[tokio::test]
    async fn a_second_wait_does_not_extend_the_deadline() {
        let (mut holder, _silent) = unanswered().await;
        let _ = tokio::time::timeout(DEADLINE / 2, holder.renew()).await;
        assert!(holder.left() <= DEADLINE / 2);
    }

    #[tokio::test]
    async fn a_cut_connection_is_a_fault() {
        let (mut holder, silent) = unanswered().await;
        drop(silent);
        assert!(holder.try_hold().await.is_err());
    }

    #[test]
    fn a_lease_that_was_never_won_allows_nothing() {
        let guard = LeaseGuard::default();
        assert_eq!(
            guard.check("hold", Duration::ZERO).map_err(|fault| fault.kind),
            Err(KubeFaultKind::NoLease)
        );
        guard.set(Some(clock::instant() + Duration::from_secs(3)));
        assert!(guard.check("hold", Duration::from_secs(2)).is_ok());
        assert!(guard.check("hold", Duration::from_secs(5)).is_err());
    }
}
