//! Calls to the Kubernetes API: each within a time, each failure as a fault.

use std::time::Duration;

use avnm_terms::{Fault, FaultKind};

/// Every call but a watch ends within this time.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// Runs one call within [`TIMEOUT`].
pub(crate) async fn call<T>(
    operation: &'static str,
    target: &str,
    future: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(TIMEOUT, future).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(fault(operation, target, &error)),
        Err(_) => Err(Fault::local(
            operation,
            target,
            FaultKind::Network,
            "the Kubernetes API did not answer in 5 s",
        )),
    }
}

/// The status code of an answer of the Kubernetes API.
pub(crate) fn status_code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

fn fault(operation: &'static str, target: &str, error: &kube::Error) -> Fault {
    let kind = match status_code(error) {
        Some(404) => FaultKind::NotFound,
        Some(403) => FaultKind::PermissionDenied,
        Some(409) => FaultKind::Busy,
        Some(code) if code < 500 => FaultKind::Refused,
        Some(_) => FaultKind::Server,
        None => FaultKind::Network,
    };
    let mut fault = Fault::local(operation, target, kind, error);
    if let kube::Error::Api(status) = error {
        fault.code.clone_from(&status.reason);
        fault.message = avnm_terms::text::bounded(&status.message, Fault::MESSAGE_MAX);
    }
    fault
}

/// Whether the failure is that someone wrote the object since it was read.
pub(crate) fn is_conflict(fault: &Fault) -> bool {
    fault.kind == FaultKind::Busy
}
