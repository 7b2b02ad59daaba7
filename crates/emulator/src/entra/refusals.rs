//! Refusals in Entra's form.

use jiff::Timestamp;
use serde::Serialize;

use crate::answer::{Answer, Answered};
use crate::guid;
use crate::state::State;

#[derive(Serialize)]
struct ErrorAnswer<'a> {
    error: &'a str,
    error_description: String,
    error_codes: [u32; 1],
    timestamp: &'a str,
    trace_id: &'a str,
    correlation_id: &'a str,
    error_uri: String,
}

/// A refusal in Entra's form.
pub(super) fn refuse(
    state: &mut State,
    now: Timestamp,
    status: u16,
    error: &str,
    code: u32,
    text: &str,
) -> Answer {
    let (trace, correlation) = (guid::draw(&mut state.rng), guid::draw(&mut state.rng));
    let time = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let body = ErrorAnswer {
        error,
        error_description: format!(
            "AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}"
        ),
        error_codes: [code],
        timestamp: &time,
        trace_id: &trace,
        correlation_id: &correlation,
        error_uri: format!("https://login.microsoftonline.com/error?code={code}"),
    };
    let mut answer = Answer::json(status, &body);
    answer.code = Some(format!("AADSTS{code}"));
    answer.with("x-ms-request-id", trace)
}

/// The tenant of that name, or a refusal.
pub(super) fn known_tenant(state: &mut State, tenant: &str, now: Timestamp) -> Answered<String> {
    let tenant = tenant.to_ascii_lowercase();
    if state.world.tenants.contains_key(&tenant) {
        return Ok(tenant);
    }
    if matches!(tenant.as_str(), "common" | "organizations" | "consumers") {
        let text = "The grant type is not supported over the /common or /consumers endpoints. Please use the \
                    /organizations or tenant-specific endpoint.";
        return Err(refuse(state, now, 400, "invalid_request", 9_001_023, text));
    }
    let text = format!(
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the \
         correct cloud. Check with your subscription administrator, this may happen if there are no active \
         subscriptions for the tenant."
    );
    Err(refuse(state, now, 400, "invalid_request", 90_002, &text))
}
