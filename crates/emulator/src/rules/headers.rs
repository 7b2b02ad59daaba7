//! The headers that every answer carries.

use jiff::Timestamp;

use crate::answer::Answer;
use crate::evidence::Evidence;
use crate::request::{Door, Request};

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[Evidence::recording(
    "x-ms-request-id equals x-ms-correlation-request-id; the routing id holds it too",
    "wire-facts 11, recording not shared",
)];

/// Adds the ids by which a call can be found again. The metadata service has none.
pub fn complete(mut answer: Answer, request: &Request, correlation: &str, now: Timestamp) -> Answer {
    if request.door == Door::Imds {
        return answer;
    }
    let mut add = |name: &str, value: String| {
        if !answer.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            answer.headers.push((name.to_owned(), value));
        }
    };
    add("cache-control", "no-cache".into());
    add("pragma", "no-cache".into());
    add("expires", "-1".into());
    add("x-ms-request-id", correlation.to_owned());
    add("x-ms-correlation-request-id", correlation.to_owned());
    add("x-ms-routing-request-id", format!("EASTUS2:{}:{correlation}", now.strftime("%Y%m%dT%H%M%SZ")));
    add("strict-transport-security", "max-age=31536000; includeSubDomains".into());
    add("x-content-type-options", "nosniff".into());
    if let Some(id) = &request.client_request_id {
        add("x-ms-client-request-id", id.clone());
    }
    answer
}
