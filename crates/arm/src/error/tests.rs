use rstest::rstest;

use super::*;
use crate::gate::Outcome;

const ID: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkManagers/m/scopeConnections/c";

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let headers = headers
        .iter()
        .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    Answer { status, headers, body: body.to_owned().into() }
}

fn refused(status: u16, headers: &[(&'static str, &str)], body: &str) -> (Fault, Outcome) {
    fault("get scopeConnection", ID, false, &answer(status, headers, body))
}

fn coded(status: u16, code: &str) -> Fault {
    refused(status, &[], &format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#)).0
}

#[rstest]
#[case(400, "BadRequest", FaultKind::Refused)]
#[case(400, "LinkedInvalidPropertyId", FaultKind::Refused)]
#[case(400, "NoRegisteredProviderFound", FaultKind::Refused)]
#[case(401, "InvalidAuthenticationTokenTenant", FaultKind::WrongTenant)]
#[case(401, "ExpiredAuthenticationToken", FaultKind::Unauthenticated)]
#[case(401, "InvalidAuthenticationToken", FaultKind::Unauthenticated)]
#[case(403, "AuthorizationFailed", FaultKind::PermissionDenied)]
#[case(403, "RequestDisallowedByPolicy", FaultKind::Refused)]
#[case(404, "NotFound", FaultKind::NotFound)]
#[case(404, "ResourceNotFound", FaultKind::NotFound)]
#[case(404, "ParentResourceNotFound", FaultKind::NotFound)]
#[case(404, "ResourceGroupNotFound", FaultKind::NotFound)]
#[case(404, "SubscriptionNotFound", FaultKind::UnprovenNotFound)]
#[case(404, "InvalidResourceType", FaultKind::UnprovenNotFound)]
#[case(404, "NoRegisteredProviderFound", FaultKind::UnprovenNotFound)]
#[case(405, "MethodNotAllowed", FaultKind::Refused)]
#[case(409, "ScopeLocked", FaultKind::Locked)]
#[case(409, "AnotherOperationInProgress", FaultKind::Busy)]
#[case(409, "Conflict", FaultKind::Busy)]
#[case(409, "CannotDeleteResource", FaultKind::Busy)]
#[case(409, "MissingSubscriptionRegistration", FaultKind::Refused)]
#[case(412, "PreconditionFailed", FaultKind::Busy)]
#[case(429, "TooManyRequests", FaultKind::Throttled)]
#[case(429, "TooManyRequestsReceived", FaultKind::Throttled)]
#[case(429, "SubscriptionRequestsThrottled", FaultKind::Throttled)]
#[case(429, "ResourceRequestsThrottled", FaultKind::Throttled)]
#[case(429, "RetryableError", FaultKind::Busy)]
#[case(429, "AnotherOperationInProgress", FaultKind::Busy)]
#[case(429, "SomethingNew", FaultKind::Busy)]
#[case(500, "InternalServerError", FaultKind::Server)]
#[case(500, "RetryableError", FaultKind::Busy)]
#[case(502, "BadGateway", FaultKind::Server)]
#[case(503, "ServiceUnavailable", FaultKind::Server)]
#[case(504, "GatewayTimeout", FaultKind::Server)]
#[case(302, "Found", FaultKind::Malformed)]
fn codes(#[case] status: u16, #[case] code: &str, #[case] kind: FaultKind) {
    let fault = coded(status, code);
    assert_eq!((fault.kind, fault.code.as_str()), (kind, code));
}

/// What no part of Azure wrote says nothing about rights, absence or quota.
#[rstest]
#[case(400, FaultKind::Malformed)]
#[case(403, FaultKind::Malformed)]
#[case(404, FaultKind::UnprovenNotFound)]
#[case(409, FaultKind::Malformed)]
#[case(429, FaultKind::Busy)]
#[case(502, FaultKind::Server)]
#[case(301, FaultKind::Malformed)]
fn html_and_nothing(#[case] status: u16, #[case] kind: FaultKind) {
    for body in ["<html>NotFound</html>", "", "\"NotFound\"", "[]", "{}", r#"{"error":{}}"#] {
        let (fault, _) = refused(status, &[("content-type", "text/html; charset=utf-8")], body);
        assert_eq!((fault.kind, fault.code), (kind.clone(), format!("HTTP{status}")), "{body}");
        assert!(!fault.message.contains("<html>"), "{}", fault.message);
        assert!(fault.message.contains("text/html"), "{}", fault.message);
    }
}

#[rstest]
// The network provider: message first.
#[case(
    r#"{"error":{"message":"Resource [x] does not exist or has been deleted","code":"NotFound"}}"#,
    "NotFound",
    "Resource [x] does not exist or has been deleted"
)]
// Without the envelope, with nulls.
#[case(
    r#"{"code":"NotFound","message":"gone","target":null,"details":null,"additionalInfo":null}"#,
    "NotFound",
    "gone"
)]
// A byte order mark first.
#[case("\u{feff}{\"error\":{\"code\":\"NotFound\",\"message\":\"m\"}}", "NotFound", "m")]
// A generic outer code gives way to its detail.
#[case(r#"{"error":{"code":"BadRequest","message":"outer","details":[{"code":"InvalidRequestFormat","message":"inner"}]}}"#, "InvalidRequestFormat", "outer (inner)")]
// A telling outer code does not.
#[case(
    r#"{"error":{"code":"ScopeLocked","message":"outer","details":[{"code":"X","message":"inner"}]}}"#,
    "ScopeLocked",
    "outer"
)]
// innerError as text and as an object.
#[case(r#"{"error":{"code":"InternalServerError","message":"outer","innerError":"{\"code\":\"Deep\",\"message\":\"down\"}"}}"#, "Deep", "outer (down)")]
#[case(
    r#"{"error":{"code":"InternalServerError","message":"outer","innererror":{"code":"Deep"}}}"#,
    "Deep",
    "outer"
)]
#[case(
    r#"{"error":{"code":"InternalServerError","message":"outer","innerError":"not json"}}"#,
    "InternalServerError",
    "outer"
)]
// Of a long-running operation.
#[case(r#"{"id":"/x","status":"Failed","error":{"code":"Conflict","message":"m"}}"#, "Conflict", "m")]
#[case(r#"{"status":"404","error":{"message":"no code"}}"#, "HTTP404", "no code")]
#[case(r#"{"error":{"code":"X"}}"#, "X", "HTTP 404 without a message")]
fn envelopes(#[case] body: &str, #[case] code: &str, #[case] message: &str) {
    let (fault, _) = refused(404, &[], body);
    assert_eq!((fault.code.as_str(), fault.message.as_str()), (code, message));
    assert_eq!((fault.operation, fault.target.as_str()), ("get scopeConnection", ID));
}

/// A generic outer code keeps its meaning, whatever the detail says.
#[test]
fn retryable_stays_busy_under_its_detail() {
    let body = r#"{"error":{"code":"RetryableError","message":"A retryable error occurred.","details":[{"code":"ReferencedResourceNotProvisioned","message":"m"}]}}"#;
    let (fault, outcome) = refused(429, &[("retry-after", "14")], body);
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Busy, "ReferencedResourceNotProvisioned"));
    assert_eq!(fault.retry_after, Some(Duration::from_secs(14)));
    assert_eq!(outcome, Outcome::Failing);
}

/// A detail never proves absence, nor does a code of absence under another status.
#[test]
fn only_the_outer_code_of_a_404_proves_absence() {
    let inner =
        r#"{"error":{"code":"BadRequest","message":"m","details":[{"code":"NotFound","message":"m"}]}}"#;
    assert_eq!(refused(404, &[], inner).0.kind, FaultKind::UnprovenNotFound);
    assert_eq!(coded(400, "NotFound").kind, FaultKind::Refused);
    assert_eq!(coded(503, "ResourceNotFound").kind, FaultKind::Server);
}

#[rstest]
#[case(
    "The client has permission to perform action 'Microsoft.Network/virtualNetworks/write' on scope '/x', however the current tenant '1' is not authorized to access linked subscription '2'.",
    FaultKind::LinkedTenantDenied
)]
#[case(
    "The client 'a' with object id 'b' has permission to perform action 'x' on scope 'y'; however, it does not have permission to perform action 'Microsoft.Network/virtualNetworks/write' on the linked scope(s) 'z'",
    FaultKind::LinkedPermissionDenied
)]
fn two_linked_refusals(#[case] message: &str, #[case] kind: FaultKind) {
    let body = format!(r#"{{"error":{{"code":"LinkedAuthorizationFailed","message":"{message}"}}}}"#);
    assert_eq!(refused(403, &[], &body).0.kind, kind);
}

#[rstest]
#[case(429, "TooManyRequests", Some("17"), Outcome::Closed(Some(Duration::from_secs(17))))]
#[case(429, "TooManyRequests", None, Outcome::Closed(None))]
#[case(503, "ServiceUnavailable", Some("3"), Outcome::Closed(Some(Duration::from_secs(3))))]
#[case(503, "ServiceUnavailable", None, Outcome::Failing)]
#[case(500, "InternalServerError", Some("3"), Outcome::Failing)]
#[case(502, "X", None, Outcome::Failing)]
#[case(504, "X", None, Outcome::Failing)]
#[case(429, "RetryableError", Some("5"), Outcome::Failing)]
#[case(409, "AnotherOperationInProgress", None, Outcome::Failing)]
#[case(409, "Conflict", None, Outcome::Answered)]
#[case(404, "NotFound", None, Outcome::Answered)]
#[case(403, "AuthorizationFailed", None, Outcome::Answered)]
#[case(401, "ExpiredAuthenticationToken", None, Outcome::Answered)]
fn what_closes_a_gate(
    #[case] status: u16,
    #[case] code: &str,
    #[case] wait: Option<&str>,
    #[case] wanted: Outcome,
) {
    let headers: Vec<_> = wait.into_iter().map(|wait| ("retry-after", wait)).collect();
    let (_, outcome) =
        refused(status, &headers, &format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#));
    assert_eq!(outcome, wanted);
}

#[rstest]
#[case(500, true)]
#[case(502, true)]
#[case(503, false)]
#[case(504, true)]
#[case(403, false)]
#[case(429, false)]
fn what_a_refused_write_may_still_do(#[case] status: u16, #[case] unknown: bool) {
    let answer = answer(status, &[], "");
    assert_eq!(fault("put staticMember", ID, true, &answer).0.effect_unknown, unknown);
    assert!(!fault("get staticMember", ID, false, &answer).0.effect_unknown);
}

#[rstest]
#[case(&[("x-ms-correlation-request-id", "c"), ("x-ms-request-id", "r")], Some("c"))]
#[case(&[("x-ms-request-id", "r")], Some("r"))]
#[case(&[], None)]
fn correlation_ids(#[case] headers: &[(&'static str, &str)], #[case] wanted: Option<&str>) {
    assert_eq!(refused(403, headers, "").0.correlation_id.as_deref(), wanted);
}

#[test]
fn what_azure_says_is_bounded_and_clean() {
    let long = "x".repeat(5000);
    let body = format!(r#"{{"error":{{"code":"{long}","message":"a\nb\u0007{long}"}}}}"#);
    let fault = refused(400, &[], &body).0;
    assert_eq!(fault.code.chars().count(), CODE_MAX + 1);
    assert_eq!(fault.message.chars().count(), Fault::MESSAGE_MAX + 1);
    assert!(fault.message.starts_with("a b x"));
}
