//! What an answer of ARM that is no success means.
//!
//! Two writers (ARM's front door, the network provider) and what stands before them write errors in several
//! shapes; all become one `Fault`. The codes are from public lists and recordings; a code that is not known here
//! is judged by its status.

mod body;
mod details;

use std::time::Duration;

use avnm_terms::{ClientId, Fault, FaultKind, text};

pub(crate) use body::Body;

use crate::{clock, gate, message::Answer, retry_after};

/// 404s that prove that the thing, or what holds it, is not there. `SubscriptionNotFound` is not among them: it
/// also means that we may not look.
const ABSENT: [&str; 4] = ["NotFound", "ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound"];

/// The code of a 429 by the provider's own count.
pub(crate) const OF_PROVIDER: &str = "ResourceRequestsThrottled";

/// 429s that count against everyone who shares the quota.
const QUOTA: [&str; 4] =
    ["TooManyRequests", "TooManyRequestsReceived", "SubscriptionRequestsThrottled", OF_PROVIDER];

/// Answers that delay one resource, whatever their status.
const BUSY: [&str; 4] = [
    "RetryableError",
    "RetryableErrorDueToAnotherOperation",
    "AnotherOperationInProgress",
    "ReferencedResourceNotProvisioned",
];

/// Refusals that time alone does not heal, whatever their status.
const REFUSED: [&str; 7] = [
    "RequestDisallowedByPolicy",
    "MissingSubscriptionRegistration",
    "SubscriptionNotRegistered",
    "InvalidSubscriptionRegistrationState",
    "ReadOnlyDisabledSubscription",
    "PropertyChangeNotAllowed",
    "NoRegisteredProviderFound",
];

/// Refusals because of what is linked, as long as that is not in Succeeded state.
const NOT_PROVISIONED: [&str; 2] = ["ReferencedResourceNotProvisioned", "ResourceNotProvisioned"];

/// Refusals that may be of the api-version of the call.
const VERSION: [&str; 5] = [
    "NoRegisteredProviderFound",
    "InvalidResourceType",
    "InvalidApiVersionParameter",
    "UnsupportedApiVersion",
    "ApiVersionNotSupported",
];

/// Longest code kept, in characters.
const CODE_MAX: usize = 128;

/// What the answer means.
pub(crate) fn kind(status: u16, body: &Body, wait: Option<Duration>) -> FaultKind {
    let json = body.is_error();
    if (400..600).contains(&status) && body.has(&NOT_PROVISIONED) && says_failed(&body.message) {
        return FaultKind::NotProvisioned;
    }
    if (400..500).contains(&status) && body.has(&VERSION) && says_version(&body.message) {
        return FaultKind::VersionNotOffered;
    }
    match status {
        401 if body.has(&["InvalidAuthenticationTokenTenant"]) => FaultKind::WrongTenant,
        401 => FaultKind::Unauthenticated,
        404 if body.outer_is(&ABSENT) => FaultKind::NotFound,
        404 => FaultKind::UnprovenNotFound,
        429 if body.has(&QUOTA) => FaultKind::Throttled,
        429 => FaultKind::Busy,
        // A 503 of a gateway may be no JSON; its Retry-After counts all the same.
        503 if wait.is_some() => FaultKind::Unavailable,
        500..=599 if body.has(&BUSY) => FaultKind::Busy,
        500..=599 => FaultKind::Server,
        // Any other refusal is believed only if ARM wrote it: a proxy's page says nothing about rights.
        _ if !json => FaultKind::Malformed,
        _ if body.has(&["ScopeLocked"]) => FaultKind::Locked,
        _ if body.has(&BUSY) => FaultKind::Busy,
        _ if body.has(&REFUSED) => FaultKind::Refused,
        403 if body.has(&["LinkedAuthorizationFailed"]) => linked(&body.message),
        403 => FaultKind::PermissionDenied,
        408 | 409 | 412 => FaultKind::Busy,
        400..=499 => FaultKind::Refused,
        _ => FaultKind::Malformed,
    }
}

/// `Resource is in Failed state`: no time heals that. Updating, Deleting and the like end.
fn says_failed(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["failed", "canceled", "cancelled"].iter().any(|state| message.contains(&format!("in {state} state")))
}

/// The same codes also say that a location has no provider.
fn says_version(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("api-version") || message.contains("api version")
}

/// Two texts share the code `LinkedAuthorizationFailed`: the tenant has no token, or the principal has no role.
fn linked(message: &str) -> FaultKind {
    let message = message.to_ascii_lowercase();
    if message.contains("current tenant") && message.contains("not authorized to access linked") {
        FaultKind::LinkedTenantDenied
    } else {
        FaultKind::LinkedPermissionDenied
    }
}

/// The fault that an answer stands for, and what it means for the gate.
pub(crate) fn fault(
    operation: &'static str,
    target: &str,
    write: bool,
    application: Option<&ClientId>,
    answer: &Answer,
) -> (Fault, gate::Outcome) {
    let wait = answer.header("retry-after").and_then(|text| retry_after::parse(text, clock::now()));
    let body = Body::parse(&answer.body);
    let kind = kind(answer.status, &body, wait);
    let outcome = match &kind {
        FaultKind::Throttled | FaultKind::Unavailable => gate::Outcome::Closed(wait),
        FaultKind::Server => gate::Outcome::Failing,
        FaultKind::Busy if body.has(&["RetryableError", "AnotherOperationInProgress"]) => {
            gate::Outcome::Failing
        }
        _ => gate::Outcome::Answered,
    };
    let message = if !body.message.is_empty() {
        body.message.clone()
    } else if body.is_error() {
        format!("HTTP {} without a message", answer.status)
    } else {
        // Its kind and size, never its text: a page of a proxy may hold anything.
        let kind = answer.header("content-type").unwrap_or("no content type");
        let size = answer.body.len();
        format!("the answer is HTTP {} without an error of ARM ({kind}, {size} bytes)", answer.status)
    };
    let fault = Fault {
        operation,
        target: target.to_owned(),
        expired: None,
        details: None,
        // A 503 is refused work; the others may come from a gateway that gave up waiting for work that goes on.
        effect_unknown: write && answer.status >= 500 && answer.status != 503,
        code: body
            .told()
            .map_or_else(|| format!("HTTP{}", answer.status), |code| text::bounded(code, CODE_MAX)),
        message: text::bounded(&message, Fault::MESSAGE_MAX),
        correlation_id: correlation_id(answer),
        retry_after: wait,
        kind,
    };
    (fault.with_details(details::details(&body, application)), outcome)
}

/// The id by which Azure's support finds a call.
pub(crate) fn correlation_id(answer: &Answer) -> Option<String> {
    ["x-ms-correlation-request-id", "x-ms-request-id"]
        .into_iter()
        .find_map(|name| answer.header(name))
        .map(|id| text::bounded(id, 128))
}

#[cfg(test)]
mod tests;
