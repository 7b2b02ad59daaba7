//! What is measured. Declared in `table.rs`; here it is counted, and written as OpenMetrics text.

mod count;
mod kinds;
mod table;
mod tally;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use avnm_api::Condition;
use avnm_arm::{CallRecord, GateKey, Observer, SignInRecord, VerbClass, clock};
use avnm_terms::SignInFault;
use kube::Resource;
use prometheus_client::{encoding::text::encode, registry::Registry};

pub(crate) use count::Counted;
pub(crate) use table::Families;
pub use table::{Declared, METRICS};
pub(crate) use tally::Kind;

use self::tally::{Shown, Tally};

/// What is asked when the metrics are read: what is known elsewhere, and would be a second copy here.
pub(crate) trait Source: Send + Sync {
    /// Sets its gauges.
    fn fill(&self, families: &Families);
}

/// Tells how deep a queue is.
type Depth = Box<dyn Fn() -> usize + Send>;

/// Everything that is measured.
pub struct Metrics {
    registry: Registry,
    families: Arc<Families>,
    tally: Mutex<Tally>,
    queues: Mutex<HashMap<Kind, Depth>>,
    /// When the certificates of credentials end, by the credentials' uids.
    certificates: Mutex<HashMap<String, (Kind, i64)>>,
    source: Mutex<Option<Weak<dyn Source>>>,
    /// One reader at a time: gauges are cleared before they are set.
    reading: Mutex<()>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// The classes in which Azure counts.
const CLASSES: [VerbClass; 3] = [VerbClass::Read, VerbClass::Write, VerbClass::Delete];

/// Why there is no token.
const CAUSES: [SignInFault; 5] = [
    SignInFault::SourceMissing,
    SignInFault::SourceForbidden,
    SignInFault::Refused,
    SignInFault::Propagating,
    SignInFault::Unreachable,
];

fn cause(fault: SignInFault) -> &'static str {
    match fault {
        SignInFault::SourceMissing => "source_missing",
        SignInFault::SourceForbidden => "source_forbidden",
        SignInFault::Refused => "refused",
        SignInFault::Propagating => "propagating",
        SignInFault::Unreachable => "unreachable",
    }
}

/// `put staticMember` is a verb and a type.
fn parts(operation: &'static str) -> [&'static str; 2] {
    let (verb, of) = operation.split_once(' ').unwrap_or((operation, ""));
    // "list staticMembers" and "get staticMember" are of one type.
    [verb, of.strip_suffix('s').unwrap_or(of)]
}

fn family(status: Option<u16>) -> &'static str {
    match status {
        None => "none",
        Some(429) => "429",
        Some(200..300) => "2xx",
        Some(300..400) => "3xx",
        Some(400..500) => "4xx",
        Some(500..600) => "5xx",
        Some(_) => "other",
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let families = Arc::new(Families::new(&mut registry));
        families.build.set([env!("CARGO_PKG_VERSION")], 1.0);
        for kind in Kind::ALL {
            families.passes.exists([kind.as_str()]);
            families.status_writes.exists([kind.as_str()]);
            families.refusals.exists([kind.as_str()]);
            families.runtime_errors.exists([kind.controller()]);
            families.runtime_active.set([kind.controller()], 0.0);
            for result in ["success", "error", "requeue_after"] {
                families.runtime_total.exists([kind.controller(), result]);
            }
        }
        for kind in [Kind::Connection, Kind::Member] {
            families.drift_found.exists([kind.as_str()]);
            families.drift_corrected.exists([kind.as_str()]);
        }
        for class in CLASSES {
            families.throttled.exists([class.as_str()]);
        }
        for result in ["success", "error"] {
            families.sign_ins.exists([result]);
        }
        for fault in CAUSES {
            families.sign_in_failures.exists([cause(fault)]);
        }
        Self {
            registry,
            families,
            tally: Mutex::default(),
            queues: Mutex::default(),
            certificates: Mutex::default(),
            source: Mutex::default(),
            reading: Mutex::default(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks panics.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    /// OpenMetrics text.
    pub fn render(&self) -> String {
        let _reading = lock(&self.reading);
        self.fill();
        let source = lock(&self.source).as_ref().and_then(Weak::upgrade);
        if let Some(source) = source {
            source.fill(&self.families);
        }
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Sets the gauges of what is counted here.
    fn fill(&self) {
        let (families, now) = (&self.families, clock::now().as_second());
        let sums = lock(&self.tally).sums(now);
        families.objects.clear();
        families.oldest.clear();
        families.certificate_end.clear();
        for ((kind, ready, reason), group) in &sums.groups {
            let labels = [kind.as_str(), ready.as_str(), reason];
            families.objects.count(labels, group.count);
            families.oldest.set(labels, f64::from(group.oldest));
        }
        let queues = lock(&self.queues);
        for kind in Kind::ALL {
            let labels = [kind.as_str()];
            families.stalled.count(labels, sums.stalled.get(&kind).copied().unwrap_or_default());
            let deleting = sums.deleting.get(&kind).copied().unwrap_or_default();
            families.deleting.set(labels, f64::from(deleting));
            families.queued.count(labels, queues.get(&kind).map_or(0, |depth| depth()));
        }
        let certificates = lock(&self.certificates);
        for kind in [Kind::Credential, Kind::ClusterCredential] {
            let ends = certificates.values().filter(|(of, _)| *of == kind);
            if let Some(first) = ends.map(|(_, end)| *end).min() {
                #[allow(clippy::cast_precision_loss, reason = "seconds of the epoch")]
                families.certificate_end.set([kind.as_str()], first as f64);
            }
        }
    }

    /// Whom to ask when the metrics are read, as long as it is there.
    pub(crate) fn ask(&self, source: Weak<dyn Source>) {
        *lock(&self.source) = Some(source);
    }

    /// Settings that dashboards compare with.
    pub(crate) fn settings(&self, sweep: Duration, concurrency: u16) {
        self.families.sweep_interval.set([], sweep.as_secs_f64());
        for kind in Kind::ALL {
            self.families.runtime_most.set([kind.controller()], f64::from(concurrency));
        }
    }

    /// A pass over an object begins.
    pub(crate) fn pass(&self, kind: Kind) -> Counted {
        Counted::begin(&self.families, kind)
    }

    /// How deep a queue is tells this from now on.
    pub(crate) fn queue(&self, kind: Kind, depth: impl Fn() -> usize + Send + 'static) {
        lock(&self.queues).insert(kind, Box::new(depth));
    }

    /// An object shows that now.
    pub(crate) fn shows<K: Resource<DynamicType = ()>>(&self, object: &K, conditions: &[Condition]) {
        let Some(uid) = &object.meta().uid else { return };
        let deleting = object.meta().deletion_timestamp.as_ref().map(|at| at.0.as_second());
        lock(&self.tally).put(uid, Shown::of(Kind::of::<K>(), conditions, deleting));
    }

    /// An object is gone.
    pub(crate) fn forget(&self, uid: &str) {
        lock(&self.tally).forget(uid);
        lock(&self.certificates).remove(uid);
    }

    /// A credential signs in with a certificate that ends then, or with something else.
    pub(crate) fn certificate(&self, kind: Kind, uid: &str, end: Option<i64>) {
        let mut certificates = lock(&self.certificates);
        match end {
            Some(end) => certificates.insert(uid.to_owned(), (kind, end)),
            None => certificates.remove(uid),
        };
    }

    /// What somebody else did in Azure was found.
    pub(crate) fn drift_found(&self, kind: &'static str) {
        self.families.drift_found.inc([kind]);
    }

    /// It was undone.
    pub(crate) fn drift_corrected(&self, kind: &'static str) {
        self.families.drift_corrected.inc([kind]);
    }

    pub(crate) fn status_write(&self, kind: &'static str) {
        self.families.status_writes.inc([kind]);
    }

    pub(crate) fn refused(&self, kind: &'static str) {
        self.families.refusals.inc([kind]);
    }

    pub(crate) fn leader(&self, is: bool) {
        self.families.leader.count([], usize::from(is));
    }

    /// A sweep begins.
    pub(crate) fn sweep(&self) {
        self.families.sweeps.inc([]);
    }

    /// A sweep is over.
    pub(crate) fn swept(&self, took: Duration) {
        self.families.sweep_seconds.observe([], took.as_secs_f64());
    }
}

impl Observer for Metrics {
    fn call(&self, record: &CallRecord<'_>) {
        let [verb, of] = parts(record.operation);
        self.families.calls.inc([verb, of, record.verb.as_str(), family(record.status)]);
        self.families.call_seconds.observe([verb, of], record.elapsed.as_secs_f64());
    }

    fn sign_in(&self, record: &SignInRecord<'_>) {
        let result = if record.code.is_none() { "success" } else { "error" };
        self.families.sign_ins.inc([result]);
        if let Some(fault) = record.cause {
            self.families.sign_in_failures.inc([cause(fault)]);
        }
    }

    fn gate_closed(&self, key: &GateKey, _wait: Duration) {
        self.families.throttled.inc([key.verb.as_str()]);
    }

    fn waiting(&self, count: usize) {
        self.families.waiting.count([], count);
    }
}

#[cfg(test)]
mod tests;
