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
    fault("get scopeConnection", ID, false, None, &answer(status, headers, body))
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
// A telling outer code does not; what is within is told all the same.
#[case(
    r#"{"error":{"code":"ScopeLocked","message":"outer","details":[{"code":"X","message":"inner"}]}}"#,
    "ScopeLocked",
    "outer (inner)"
)]
// All that is within, however deep, and what says the same once.
#[case(
    r#"{"error":{"code":"BadRequest","message":"outer","details":[{"code":"Conflict","message":"one","details":[{"code":"Deep","message":"two"}]},{"code":"Y","message":"one"}]}}"#,
    "Deep",
    "outer (one; two)"
)]
// A message that is an error itself.
#[case(
    r#"{"error":{"code":"DeploymentFailed","message":"outer","details":[{"code":"Conflict","message":"{\"error\":{\"code\":\"Packed\",\"message\":\"within\"}}"}]}}"#,
    "Packed",
    "outer (within)"
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

/// A message that is JSON of which nothing is known is told as it is.
#[rstest]
#[case(r#"{\"Message\":\"subnet is locked\"}"#, r#"{"Message":"subnet is locked"}"#)]
#[case(r#"{\"error\":{\"code\":\"X\",\"message\":\"within\"}}"#, "within")]
fn no_message_is_lost(#[case] message: &str, #[case] told: &str) {
    let body = format!(r#"{{"error":{{"code":"BadRequest","message":"{message}"}}}}"#);
    assert!(refused(400, &[], &body).0.message.contains(told), "{}", refused(400, &[], &body).0.message);
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
    assert_eq!(fault("put staticMember", ID, true, None, &answer).0.effect_unknown, unknown);
    assert!(!fault("get staticMember", ID, false, None, &answer).0.effect_unknown);
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

fn details(message: &str) -> avnm_terms::Details {
    let body = serde_json::json!({"error": {"code": "X", "message": message}}).to_string();
    refused(403, &[], &body).0.details().clone()
}

const OBJECT: &str = "55556666-dddd-7777-eeee-8888ffff9999";

/// Who lacks what where, in each of the ways in which Azure says it.
#[rstest]
#[case::plain(
    "The client '00001111-aaaa-2222-bbbb-3333cccc4444' with object id '55556666-dddd-7777-eeee-8888ffff9999' does not have authorization to perform action 'Microsoft.Network/networkManagers/read' over scope '/subscriptions/s/resourceGroups/g' or the scope is invalid. If access was recently granted, please refresh your credentials.",
    (Some(OBJECT), Some("Microsoft.Network/networkManagers/read"), Some("/subscriptions/s/resourceGroups/g"), true)
)]
#[case::linked(
    "The client 'a' with object id '55556666-dddd-7777-eeee-8888ffff9999' has permission to perform action 'Microsoft.Network/networkManagers/networkGroups/staticMembers/write' on scope '/subscriptions/m/x'; however, it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/write' on the linked scope(s) '/subscriptions/t/v,/subscriptions/t/w' (respectively) or the linked scope(s) are invalid.",
    (Some(OBJECT), Some("Microsoft.Network/virtualNetworks/write"), Some("/subscriptions/t/v"), true)
)]
#[case::linked_tenant(
    "The client has permission to perform action 'Microsoft.Network/virtualNetworks/write' on scope '/subscriptions/m/x', however the current tenant '24680975-1234-abcd-56ef-121314ab5643' is not authorized to access linked subscription '87654321-abcd-1234-1def-0987654321ab'.",
    (None, Some("Microsoft.Network/virtualNetworks/write"), Some("/subscriptions/87654321-abcd-1234-1def-0987654321ab"), false)
)]
#[case::linked_subscription_is_gone(
    "The client has permission to perform action 'Microsoft.Network/virtualNetworks/write' on scope '/x/y', however the linked subscription '87654321-abcd-1234-1def-0987654321ab' was not found. ",
    (None, Some("Microsoft.Network/virtualNetworks/write"), Some("/subscriptions/87654321-abcd-1234-1def-0987654321ab"), true)
)]
// What is no id, no action and no path is nothing that could be pasted.
#[case::hostile(
    "with object id '$(reboot)' does not have authorization to perform action 'x/y; reboot' over scope '/a/../b`reboot`' or",
    (None, None, None, false)
)]
#[case::nothing("denied", (None, None, None, false))]
fn who_lacks_what_where(
    #[case] message: &str,
    #[case] wanted: (Option<&str>, Option<&str>, Option<&str>, bool),
) {
    let details = details(message);
    let found = (
        details.object.as_ref().map(avnm_terms::ObjectId::as_str),
        details.action.as_deref(),
        details.scope.as_ref().map(avnm_terms::ArmId::as_str),
        details.scope_may_be_gone,
    );
    assert_eq!(found, wanted);
}

#[test]
fn whose_the_subscription_is() {
    let [a, b] = ["24680975-1234-abcd-56ef-121314ab5643", "12345678-12a3-4abc-5cde-678909876543"];
    let one = format!(
        "The access token is from the wrong issuer 'https://sts.windows.net/{a}/'. It must match the tenant 'https://sts.windows.net/{b}/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/{b}' to get the token."
    );
    let tenants =
        |message: &str| -> Vec<String> { details(message).tenants.iter().map(ToString::to_string).collect() };
    assert_eq!(tenants(&one), [b]);
    let several = format!(
        "from the wrong issuer. It must match one of the tenants 'https://sts.windows.net/{a}/,https://sts.windows.net/{b}/' associated with this subscription."
    );
    assert_eq!(tenants(&several), [a, b]);
    assert!(tenants("It must match the tenant 'https://sts.windows.net/evil/' associated").is_empty());
}

/// The policy is named in `additionalInfo` alone, there and in what is nested, or in the message as JSON.
#[rstest]
#[case::outside(|info| serde_json::json!({"error": {"code": "RequestDisallowedByPolicy", "message": "m", "additionalInfo": info}}))]
#[case::nested(|info| serde_json::json!({"error": {"code": "BadRequest", "message": "m", "details": [{"code": "Conflict", "message": "n", "details": [{"code": "RequestDisallowedByPolicy", "message": "o", "additionalInfo": info}]}]}}))]
#[case::inner_error(|info| serde_json::json!({"error": {"code": "BadRequest", "message": "m", "innererror": {"error": {"code": "RequestDisallowedByPolicy", "additionalInfo": info}}}}))]
#[case::in_the_message(|_| serde_json::json!({"error": {"code": "RequestDisallowedByPolicy", "message": "Resource 'c' was disallowed by policy. Policy identifiers: '[{\"policyAssignment\":{\"name\":\"No links\",\"id\":\"/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/a1\"},\"policyDefinition\":{\"name\":\"Deny links\",\"id\":\"/providers/Microsoft.Authorization/policyDefinitions/d1\"}}]'."}}))]
fn which_policy(#[case] body: fn(serde_json::Value) -> serde_json::Value) {
    let info = serde_json::json!([
        {"type": "SomethingElse", "info": {"x": 1}},
        {"type": "PolicyViolation", "info": {
            "policyAssignmentName": "a1", "policyAssignmentDisplayName": "No links",
            "policyAssignmentId": "/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/a1",
            "policyDefinitionName": "d1", "policyDefinitionDisplayName": "Deny links",
            "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/d1",
            "policyDefinitionEffect": "deny", "policyAssignmentParameters": {}}},
    ]);
    let fault = refused(403, &[], &body(info).to_string()).0;
    assert_eq!((fault.kind.clone(), fault.code.as_str()), (FaultKind::Refused, "RequestDisallowedByPolicy"));
    let policies = &fault.details().policies;
    assert_eq!(policies.len(), 1, "{policies:?}");
    let named = |named: &avnm_terms::Named| (named.name.clone(), named.id.as_ref().map(ToString::to_string));
    let id = |id: &str| Some(id.to_owned());
    assert_eq!(
        named(&policies[0].assignment),
        ("No links".into(), id("/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/a1"))
    );
    assert_eq!(
        named(&policies[0].definition),
        ("Deny links".into(), id("/providers/Microsoft.Authorization/policyDefinitions/d1"))
    );
}

/// What is linked ends Updating by itself; from Failed nothing comes by itself.
#[rstest]
#[case("Updating", FaultKind::Busy)]
#[case("Deleting", FaultKind::Busy)]
#[case("Failed", FaultKind::NotProvisioned)]
#[case("Canceled", FaultKind::NotProvisioned)]
fn what_is_linked_is_not_provisioned(#[case] state: &str, #[case] kind: FaultKind) {
    let network = "/subscriptions/t/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/v";
    let message = format!(
        "Cannot proceed with operation because resource {network} used by resource {ID} is not in Succeeded state. Resource is in {state} state and the last operation that updated/is updating the resource is PutSubnetOperation."
    );
    let detail = serde_json::json!({"code": "ReferencedResourceNotProvisioned", "message": message});
    let packed = serde_json::json!({"error": {"code": "RetryableError", "message": "A retryable error occurred.", "details": [detail]}});
    for (status, body) in [
        (429, packed),
        (400, serde_json::json!({"error": detail})),
        (409, serde_json::json!({"error": detail})),
    ] {
        let (fault, outcome) = refused(status, &[], &body.to_string());
        assert_eq!(
            (fault.kind, fault.code.as_str()),
            (kind.clone(), "ReferencedResourceNotProvisioned"),
            "{status}"
        );
        assert_eq!(fault.details.unwrap().scope.map(|scope| scope.to_string()).as_deref(), Some(network));
        if kind == FaultKind::NotProvisioned {
            assert_eq!(outcome, Outcome::Answered, "it is not Azure that fails");
        }
    }
}

/// An api-version that Azure does not offer, in the ways in which it says so, and the list that it gives.
#[rstest]
#[case(
    400,
    "NoRegisteredProviderFound",
    "No registered resource provider found for location 'eastus' and API version '2031-01-01' for type 'networkManagers'. The supported api-versions are '2022-01-01, 2024-05-01, 2021-02-01-preview'. The supported locations are 'eastus, westus'."
)]
#[case(
    404,
    "InvalidResourceType",
    "The resource type 'networkManagers/scopeConnections' could not be found in the namespace 'Microsoft.Network' for api version '2031-01-01'. The supported api-versions are '2022-01-01,2024-05-01,2021-02-01-preview'."
)]
#[case(
    400,
    "InvalidApiVersionParameter",
    "The api-version '2031-01-01' is invalid. The supported versions are '2024-05-01,2022-01-01,2021-02-01-preview,$(reboot),2024-05-01'."
)]
fn an_api_version_that_is_not_offered(#[case] status: u16, #[case] code: &str, #[case] message: &str) {
    let body = serde_json::json!({"error": {"code": code, "message": message}});
    let fault = refused(status, &[], &body.to_string()).0;
    assert_eq!(fault.kind, FaultKind::VersionNotOffered);
    assert_eq!(fault.details().api_versions, ["2024-05-01", "2022-01-01", "2021-02-01-preview"]);
}

/// The same code about a location says nothing of the version.
#[test]
fn a_location_without_a_provider_is_no_fault_of_the_version() {
    assert_eq!(coded(400, "NoRegisteredProviderFound").kind, FaultKind::Refused);
    assert_eq!(coded(404, "InvalidResourceType").kind, FaultKind::UnprovenNotFound);
}

proptest::proptest! {
    /// Whatever stands there, it becomes a bounded fault, and never a proof of absence unless a 404 says so.
    #[test]
    fn any_bytes_become_a_fault(status in 300_u16..600, body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let answer = Answer { status, headers: reqwest::header::HeaderMap::new(), body: body.into() };
        let (fault, _) = fault("get staticMember", ID, false, None, &answer);
        proptest::prop_assert!(fault.message.chars().count() <= Fault::MESSAGE_MAX + 1);
        proptest::prop_assert!(fault.kind != FaultKind::NotFound);
    }

    #[test]
    fn any_code_and_message_are_cleaned(status in 300_u16..600, code in ".{0,300}", message in ".{0,2000}") {
        let body = serde_json::json!({"error": {"code": code, "message": message}}).to_string();
        let (fault, _) = refused(status, &[], &body);
        proptest::prop_assert!(fault.code.chars().count() <= CODE_MAX + 1 && !fault.code.is_empty());
        proptest::prop_assert!(!fault.message.chars().any(char::is_control) && !fault.message.is_empty());
        proptest::prop_assert!(fault.kind != FaultKind::NotFound || status == 404);
    }
}
