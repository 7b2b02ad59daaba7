//! What an answer of ARM that is no success means.
//!
//! Two writers (ARM's front door, the network provider) and what stands before them write errors in several
//! shapes; all become one `Fault`. The codes are from public lists and recordings; a code that is not known here
//! is judged by its status.

use std::time::Duration;

use avnm_terms::{Fault, FaultKind, text};
use serde_json::Value;

use crate::{clock, gate, message::Answer, retry_after};

/// 404s that prove that the thing, or what holds it, is not there. `SubscriptionNotFound` is not among them: it
/// also means that we may not look.
const ABSENT: [&str; 4] = ["NotFound", "ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound"];

/// 429s that count against everyone who shares the quota.
const QUOTA: [&str; 4] = [
    "TooManyRequests",
    "TooManyRequestsReceived",
    "SubscriptionRequestsThrottled",
    "ResourceRequestsThrottled",
];

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

/// Outer codes that say nothing: the inner one is told instead.
const GENERIC: [&str; 5] =
    ["RetryableError", "BadRequest", "InternalServerError", "Conflict", "DeploymentFailed"];

/// Longest code kept, in characters.
const CODE_MAX: usize = 128;

/// An error body, as far as it could be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Body {
    /// The outer code; `None` where the answer is no JSON error.
    code: Option<String>,
    /// The code of the first detail, or of what the network provider adds.
    inner: Option<String>,
    pub(crate) message: String,
}

impl Body {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let Ok(Value::Object(whole)) = serde_json::from_slice(bytes) else { return Self::default() };
        let error = match whole.get("error") {
            Some(Value::Object(error)) => error,
            _ => &whole,
        };
        let code = string(error.get("code"));
        let (inner_code, inner_message) = inner(error);
        let outer_message = string(error.get("message"));
        let generic = code.as_deref().is_none_or(|code| is_one_of(code, &GENERIC));
        let message = match (outer_message, inner_message) {
            (Some(outer), Some(inner)) if generic && !outer.contains(&inner) => format!("{outer} ({inner})"),
            (Some(outer), _) => outer,
            (None, inner) => inner.unwrap_or_default(),
        };
        Self { code, inner: inner_code, message }
    }

    fn has(&self, codes: &[&str]) -> bool {
        [&self.code, &self.inner].into_iter().flatten().any(|code| is_one_of(code, codes))
    }

    /// Whether it is an error that someone of Azure wrote, as far as one can tell.
    fn is_error(&self) -> bool {
        self.code.is_some() || !self.message.is_empty()
    }

    fn outer_is(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| is_one_of(code, codes))
    }

    /// The code that is told: the inner one where the outer is generic.
    pub(crate) fn told(&self) -> Option<&str> {
        match (&self.code, &self.inner) {
            (Some(outer), Some(inner)) if is_one_of(outer, &GENERIC) => Some(inner),
            (Some(outer), _) => Some(outer),
            (None, inner) => inner.as_deref(),
        }
    }
}

fn is_one_of(code: &str, codes: &[&str]) -> bool {
    codes.iter().any(|known| known.eq_ignore_ascii_case(code))
}

fn string(value: Option<&Value>) -> Option<String> {
    value?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Code and message of the first detail, or of `innerError`, which the network provider sends as an object or as
/// text that holds JSON.
fn inner(error: &serde_json::Map<String, Value>) -> (Option<String>, Option<String>) {
    let details = error.get("details").and_then(Value::as_array).into_iter().flatten();
    for detail in details {
        let code = string(detail.get("code"));
        if code.is_some() {
            return (code, string(detail.get("message")));
        }
    }
    let parsed;
    let inner = match error.get("innerError").or_else(|| error.get("innererror")) {
        Some(Value::String(text)) => {
            parsed = serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
            &parsed
        }
        Some(value) => value,
        None => return (None, None),
    };
    let inner = inner.get("error").unwrap_or(inner);
    (string(inner.get("code")), string(inner.get("message")))
}

/// What the answer means.
pub(crate) fn kind(status: u16, body: &Body, wait: Option<Duration>) -> FaultKind {
    let json = body.is_error();
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
    (fault, outcome)
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
