//! What the log says of a pass in which something failed: one line a failure, with Azure's code and correlation id.
//! Status keeps the first failure of a streak; the log has every one.

use avnm_plan::{finding::Finding, meta::Meta, reason::Reason};

/// Logs the failures of a pass that is over.
pub(crate) fn failures(kind: &'static str, meta: &Meta, reason: Reason, findings: &[Finding]) {
    for failure in findings.iter().filter_map(|finding| finding.failure.as_ref()) {
        tracing::warn!(
            kind,
            namespace = %meta.namespace,
            name = %meta.name,
            reason = reason.word(),
            operation = %failure.operation,
            target = %failure.target,
            code = %failure.code,
            correlation_id = failure.correlation_id,
            actor = %failure.actor,
            error = %failure.message,
            "failed, and will be tried again"
        );
    }
}
