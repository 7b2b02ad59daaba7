//! One pass, as it is counted: it begins when this is made, and ends when this is dropped.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use avnm_arm::clock;
use kube::{Resource, runtime::controller::Action};
use tokio::time::Instant;
use tracing::{Span, field::Empty};

use super::{table::Families, tally::Kind};

/// A pass under way.
#[derive(Debug)]
pub(crate) struct Counted {
    families: Arc<Families>,
    kind: Kind,
    begun: Instant,
    failed: OnceLock<&'static str>,
    again: AtomicBool,
    /// The span that it is told in. What it came to stands there once it is over, where a line of the log would repeat it.
    span: OnceLock<Span>,
}

impl Counted {
    pub(super) fn begin(families: &Arc<Families>, kind: Kind) -> Self {
        families.passes.inc([kind.as_str()]);
        families.runtime_active.add([kind.controller()], 1.0);
        let families = Arc::clone(families);
        Self {
            families,
            kind,
            begun: clock::instant(),
            failed: OnceLock::new(),
            again: AtomicBool::new(false),
            span: OnceLock::new(),
        }
    }

    /// What every line of the log says that is written in it: which object it is of. In a trace it is the pass.
    pub(crate) fn span<K: Resource>(&self, object: &K) -> Span {
        let (kind, namespace, name) =
            (self.kind.as_str(), object.meta().namespace.as_deref(), object.meta().name.as_deref());
        let span = tracing::info_span!(
            "pass",
            kind,
            namespace,
            name,
            result = Empty,
            reason = Empty,
            otel.status_code = Empty
        );
        self.span.get_or_init(|| span).clone()
    }

    /// Something failed in it, and this is the reason that it came to. The first one counts.
    pub(crate) fn failed(&self, reason: &'static str) {
        let _ = self.failed.set(reason);
    }

    /// What it tells the runtime to do next.
    pub(crate) fn ends(&self, action: &Action) {
        self.again.store(*action != Action::await_change(), Ordering::Relaxed);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Self { families, kind, begun, failed, again, span } = self;
        let controller = kind.controller();
        families.runtime_active.add([controller], -1.0);
        families.runtime_seconds.observe([controller], (clock::instant() - *begun).as_secs_f64());
        let result = if let Some(reason) = failed.get() {
            families.failures.inc([kind.as_str(), reason]);
            families.runtime_errors.inc([controller]);
            "error"
        } else if again.load(Ordering::Relaxed) {
            "requeue_after"
        } else {
            "success"
        };
        families.runtime_total.inc([controller, result]);
        let Some(span) = span.get() else { return };
        span.record("result", result);
        if let Some(reason) = failed.get() {
            span.record("reason", reason);
            span.record("otel.status_code", "ERROR");
        }
    }
}
