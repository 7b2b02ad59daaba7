//! One leader. Every write to the Lease carries the version that was read, and the holder counts its own time on a
//! monotonic clock that was read before the request.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use avnm_arm::{WriteGuard, clock};
use avnm_terms::{Fault, FaultKind};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, ResourceExt, api::PostParams};
use tokio::time::Instant;

use crate::kube_io::{self, status_code};

/// How the lease is held.
#[derive(Debug, Clone)]
pub struct LeaseSettings {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who holds it: unique to the process.
    pub identity: String,
    /// How long it lasts without renewal.
    pub duration: Duration,
    /// How long the holder tries to renew before it gives up.
    pub renew_deadline: Duration,
    /// Between tries.
    pub retry: Duration,
}

/// So much of the lease must be left before a write to Azure goes out.
pub(crate) const MARGIN: Duration = Duration::from_secs(5);

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
        let until = self.until.lock().ok().and_then(|until| *until);
        until.is_some_and(|until| until.saturating_duration_since(clock::instant()) >= margin)
    }

    /// The same, as a fault of the operation that it forbids.
    pub(crate) fn check(&self, operation: &'static str, margin: Duration) -> Result<(), Fault> {
        if self.holds(margin) {
            return Ok(());
        }
        Err(Fault::local(operation, "", FaultKind::NoLease, "the lease is about to end"))
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
    /// The version of someone else's lease and when we first saw it: it expires by our clock, not by theirs.
    seen: Option<(String, Instant)>,
}

impl Holder {
    pub(crate) fn new(client: Client, settings: LeaseSettings, guard: LeaseGuard) -> Self {
        Self { api: Api::namespaced(client, &settings.namespace), settings, guard, seen: None }
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
        let mut last = clock::instant();
        loop {
            tokio::time::sleep(self.settings.retry).await;
            match self.try_hold().await {
                Ok(true) => last = clock::instant(),
                Ok(false) => {
                    tracing::error!("another process holds the lease");
                    break;
                }
                Err(error) => tracing::warn!(%error, "cannot renew the lease"),
            }
            if clock::instant().saturating_duration_since(last) >= self.settings.renew_deadline {
                tracing::error!("the lease could not be renewed in time");
                break;
            }
        }
        self.guard.set(None);
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

    async fn try_hold(&mut self) -> Result<bool, avnm_terms::Fault> {
        // Before the request: an answer that comes late must not count for more than it says.
        let asked = clock::instant();
        let name = self.settings.name.clone();
        let wanted = LeaseSpec {
            holder_identity: Some(self.settings.identity.clone()),
            lease_duration_seconds: i32::try_from(self.settings.duration.as_secs()).ok(),
            renew_time: Some(MicroTime(clock::now())),
            ..LeaseSpec::default()
        };
        let get = tokio::time::timeout(kube_io::TIMEOUT, self.api.get_opt(&name)).await;
        let current = match get {
            Ok(Ok(current)) => current,
            Ok(Err(error)) => return kube_io::call("get lease", &name, async { Err(error) }).await,
            Err(_) => return Ok(self.guard.holds(Duration::ZERO)),
        };
        let Some(mut lease) = current else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
                spec: Some(LeaseSpec {
                    acquire_time: Some(MicroTime(clock::now())),
                    lease_transitions: Some(0),
                    ..wanted
                }),
            };
            let created =
                tokio::time::timeout(kube_io::TIMEOUT, self.api.create(&PostParams::default(), &lease)).await;
            return match created {
                Ok(Ok(_)) => Ok(self.won(asked)),
                Ok(Err(error)) if status_code(&error) == Some(409) => Ok(false),
                Ok(Err(error)) => kube_io::call("create lease", &name, async { Err(error) }).await,
                Err(_) => Ok(false),
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
        match tokio::time::timeout(kube_io::TIMEOUT, self.api.replace(&name, &PostParams::default(), &lease))
            .await
        {
            Ok(Ok(_)) => Ok(self.won(asked)),
            // Someone was faster, or we wrote it ourselves and did not read the answer: look again.
            Ok(Err(error)) if status_code(&error) == Some(409) => {
                Ok(ours && self.guard.holds(Duration::ZERO))
            }
            Ok(Err(error)) => kube_io::call("renew lease", &name, async { Err(error) }).await,
            Err(_) => Ok(ours && self.guard.holds(Duration::ZERO)),
        }
    }

    fn won(&self, asked: Instant) -> bool {
        self.guard.set(Some(asked + self.settings.duration));
        true
    }
}
