//! Calls to the Kubernetes API: each within a time, each failure as a fault.

use std::time::Duration;

use avnm_terms::{KubeFault, KubeFaultKind};

/// Every call but a watch ends within this time.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// A connection on which nothing comes for this long is given up: a little longer than the API server lets a watch last
/// without a word (290 s, as the runtime asks for).
pub const READ_TIMEOUT: Duration = Duration::from_secs(295);

/// Whoever wrote an older version looks again after this long: the newer one is on its way.
pub(crate) const AGAIN: Duration = Duration::from_millis(500);
/// An object that was let go is looked for once more after this: that it was not found is also what an API server says whose kinds
/// are about to be served, and then nothing would ever wake it.
pub(crate) const UNTIL_GONE: Duration = Duration::from_secs(10);

/// A wait of the plan as the runtime takes it.
pub(crate) fn seconds(wait: jiff::SignedDuration) -> Duration {
    Duration::try_from(wait).unwrap_or(AGAIN)
}

/// Runs one call within [`TIMEOUT`].
pub(crate) async fn call<T>(
    operation: &'static str,
    target: &str,
    future: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, KubeFault> {
    match tokio::time::timeout(TIMEOUT, future).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(fault(operation, target, &error)),
        Err(_) => Err(KubeFault::local(
            operation,
            target,
            KubeFaultKind::Unanswered,
            "the Kubernetes API did not answer in 5 s",
        )),
    }
}

/// The status code of an answer of the Kubernetes API.
fn status_code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

fn fault(operation: &'static str, target: &str, error: &kube::Error) -> KubeFault {
    let kind = match status_code(error) {
        Some(404) => KubeFaultKind::NotFound,
        Some(403) => KubeFaultKind::Forbidden,
        Some(409) => KubeFaultKind::Conflict,
        // These, too, say that the call was not made now, and nothing of the object: our own token is being replaced,
        // or the API server ran out of time, or sheds load.
        Some(401 | 408) | None => KubeFaultKind::Unanswered,
        Some(429) => KubeFaultKind::Throttled,
        Some(code) if code < 500 => KubeFaultKind::Invalid,
        Some(_) => KubeFaultKind::Server,
    };
    let mut fault = KubeFault::local(operation, target, kind, error);
    if let kube::Error::Api(status) = error {
        fault.reason.clone_from(&status.reason);
        fault.message = avnm_terms::text::bounded(&status.message, KubeFault::MESSAGE_MAX);
    }
    fault
}

#[cfg(test)]
mod tests {
    use kube::core::{Status, response::StatusSummary};

    use super::*;

    fn answered(code: u16) -> KubeFault {
        let status = Status {
            status: Some(StatusSummary::Failure),
            code,
            reason: "Reason".to_owned(),
            message: "message".to_owned(),
            metadata: None,
            details: None,
        };
        fault("read secret", "team-a/central", &kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn what_says_nothing_of_the_object_is_passing() {
        for code in [401, 408, 409, 429, 500, 503, 504] {
            assert!(answered(code).is_passing(), "{code}");
        }
        for code in [400, 403, 404, 405, 410, 422] {
            assert!(!answered(code).is_passing(), "{code}");
        }
    }

    #[test]
    fn only_409_is_a_conflict() {
        for code in [401, 404, 408, 422, 429, 500] {
            assert!(!answered(code).is_conflict(), "{code}");
        }
        assert!(answered(409).is_conflict());
    }
}
