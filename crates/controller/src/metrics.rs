//! A first set of metrics. No names of objects and no error texts as labels.

use std::{
    sync::atomic::{AtomicI64, AtomicU64},
    time::Duration,
};

use avnm_arm::{CallRecord, Observer, SignInRecord};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    operation: String,
    code_class: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

/// Everything that is measured.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Family<Call, Counter>,
    call_seconds: Histogram,
    throttled: Counter,
    waiting: Gauge<i64, AtomicI64>,
    sign_ins: Family<Outcome, Counter>,
    passes: Family<Kind, Counter>,
    status_writes: Family<Kind, Counter>,
    refusals: Family<Kind, Counter>,
    leader: Gauge<i64, AtomicI64>,
    sweeps: Counter<u64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("avnm");
        let calls = Family::<Call, Counter>::default();
        let call_seconds = Histogram::new([0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]);
        let throttled = Counter::default();
        let waiting = Gauge::default();
        let sign_ins = Family::<Outcome, Counter>::default();
        let passes = Family::<Kind, Counter>::default();
        let status_writes = Family::<Kind, Counter>::default();
        let refusals = Family::<Kind, Counter>::default();
        let leader = Gauge::default();
        let sweeps = Counter::default();
        let build = Family::<Build, Gauge>::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("arm_requests", "Requests sent to Azure Resource Manager", calls.clone());
        registry.register(
            "arm_request_duration_seconds",
            "From sending to the last byte",
            call_seconds.clone(),
        );
        registry.register("arm_throttled", "Answers that closed a gate", throttled.clone());
        registry.register(
            "arm_waiting",
            "Writes that wait for their turn under Azure's quotas",
            waiting.clone(),
        );
        registry.register("sign_ins", "Sign-ins at Entra", sign_ins.clone());
        registry.register("reconcile", "Passes", passes.clone());
        registry.register("status_writes", "Writes of status", status_writes.clone());
        registry.register(
            "kubernetes_refusals",
            "Calls that the Kubernetes API refused: somebody has to allow them",
            refusals.clone(),
        );
        registry.register("leader", "1 while this process holds the lease", leader.clone());
        registry.register("sweeps", "Sweeps over the inventory", sweeps.clone());
        registry.register("build_info", "The version that runs", build);
        Self {
            registry,
            calls,
            call_seconds,
            throttled,
            waiting,
            sign_ins,
            passes,
            status_writes,
            refusals,
            leader,
            sweeps,
        }
    }
}

impl Metrics {
    /// OpenMetrics text.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(crate) fn pass(&self, kind: &'static str) {
        self.passes.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn status_write(&self, kind: &'static str) {
        self.status_writes.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn refused(&self, kind: &'static str) {
        self.refusals.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn leader(&self, is: bool) {
        self.leader.set(i64::from(is));
    }

    pub(crate) fn sweep(&self) {
        self.sweeps.inc();
    }
}

impl Observer for Metrics {
    fn call(&self, record: &CallRecord<'_>) {
        let code_class = match record.status {
            None => "none".to_owned(),
            Some(429) => "429".to_owned(),
            Some(status) => format!("{}xx", status / 100),
        };
        self.calls.get_or_create(&Call { operation: record.operation.to_owned(), code_class }).inc();
        self.call_seconds.observe(record.elapsed.as_secs_f64());
    }

    fn sign_in(&self, record: &SignInRecord<'_>) {
        let result = if record.code.is_none() { "success" } else { "error" };
        self.sign_ins.get_or_create(&Outcome { result }).inc();
    }

    fn gate_closed(&self, _key: &avnm_arm::GateKey, _wait: Duration) {
        self.throttled.inc();
    }

    fn waiting(&self, count: usize) {
        self.waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
