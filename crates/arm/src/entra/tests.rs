use avnm_terms::{ClientId, TenantId};
use rstest::rstest;
use secrecy::SecretString;

use super::*;
use crate::CredentialKey;

fn read(status: u16, body: &str) -> Refusal {
    Refusal::read(&Answer { status, headers: HeaderMap::new(), body: body.to_owned().into() })
}

fn entra(status: u16, number: u64) -> Refusal {
    let body = format!(
        r#"{{"error":"invalid_client","error_description":"AADSTS{number}: No. Trace ID: a Correlation ID: b Timestamp: c","error_codes":[{number}],"correlation_id":"9f1c"}}"#
    );
    read(status, &body)
}

#[rstest]
#[case(400, 700_016, SignInFault::Refused)]
#[case(400, 7_000_229, SignInFault::Refused)]
#[case(401, 7_000_215, SignInFault::Refused)]
#[case(401, 7_000_222, SignInFault::Refused)]
#[case(400, 90002, SignInFault::Refused)]
#[case(400, 900_023, SignInFault::Refused)]
#[case(400, 500_011, SignInFault::Refused)]
#[case(400, 53003, SignInFault::Refused)]
#[case(400, 65001, SignInFault::Refused)]
#[case(400, 123_456_789, SignInFault::Refused)]
#[case(401, 70021, SignInFault::Propagating)]
#[case(401, 700_213, SignInFault::Propagating)]
#[case(401, 700_024, SignInFault::Refused)]
#[case(401, 500_133, SignInFault::Refused)]
#[case(400, 50196, SignInFault::Unreachable)]
#[case(400, 90033, SignInFault::Unreachable)]
#[case(400, 90061, SignInFault::Unreachable)]
#[case(503, 7_000_215, SignInFault::Unreachable)]
fn numbers(#[case] status: u16, #[case] number: u64, #[case] why: SignInFault) {
    let refusal = entra(status, number);
    assert_eq!((refusal.why, refusal.code), (why, format!("AADSTS{number}")));
    assert_eq!(refusal.message, format!("AADSTS{number}: No."), "what changes with every request is cut off");
    assert_eq!(refusal.correlation_id.as_deref(), Some("9f1c"));
}

#[test]
fn a_loop_is_left_alone_for_long() {
    assert_eq!(entra(400, 50196).retry_after, Some(Duration::from_secs(600)));
    assert_eq!(entra(400, 90033).retry_after, None);
}

/// Before the fault redacts it, what was read may hold what was sent.
#[test]
fn debug_shows_nothing_of_an_echo() {
    let refusal =
        read(401, r#"{"error":"p4ssw0rd","error_description":"AADSTS7000215: p4ssw0rd is wrong."}"#);
    assert!(refusal.message.contains("p4ssw0rd"), "the echo is there to be shown");
    let wire = Seen::Refusal(Box::new(refusal));
    assert_eq!(format!("{wire:?}"), "Refusal(Refusal Refused)");
}

#[rstest]
#[case(
    400,
    r#"{"error":"invalid_request","error_description":"AADSTS900144: The request body is short."}"#,
    SignInFault::Refused,
    "AADSTS900144"
)]
#[case(400, r#"{"error":"unauthorized_client"}"#, SignInFault::Refused, "unauthorized_client")]
#[case(400, r#"{"error":"temporarily_unavailable"}"#, SignInFault::Unreachable, "temporarily_unavailable")]
#[case(429, "", SignInFault::Unreachable, "HTTP429")]
#[case(503, "<html>", SignInFault::Unreachable, "HTTP503")]
#[case(403, "<html>blocked</html>", SignInFault::Unreachable, "HTTP403")]
#[case(302, "", SignInFault::Unreachable, "HTTP302")]
#[case(400, r#"{"error":{"code":"x"}}"#, SignInFault::Unreachable, "HTTP400")]
fn other_answers(#[case] status: u16, #[case] body: &str, #[case] why: SignInFault, #[case] code: &str) {
    let refusal = read(status, body);
    assert_eq!((refusal.why, refusal.code.as_str()), (why, code));
    assert!(!refusal.message.contains('<'), "{}", refusal.message);
}

fn credential() -> Credential {
    let material = Material::ClientSecret(SecretString::from("p4ssw0rd"));
    Credential {
        key: CredentialKey {
            kind: "TenantCredential".into(),
            namespace: "hub".into(),
            name: "central".into(),
            uid: "u".into(),
            fingerprint: material.fingerprint(),
        },
        tenant: TenantId::parse("24680975-1234-abcd-56ef-121314ab5643").unwrap(),
        client: ClientId::parse("00000000-0000-0000-0000-000000000001").unwrap(),
        material,
    }
}

#[test]
fn a_fault_names_application_and_tenant_and_never_the_secret() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: p4ssw0rd is wrong","error_codes":[7000215]}"#;
    let fault = read(401, body).into_fault(&credential(), &"p4ssw0rd".into());
    assert_eq!(
        fault.to_string(),
        "sign in application 00000000-0000-0000-0000-000000000001 in tenant 24680975-1234-abcd-56ef-121314ab5643: AADSTS7000215: AADSTS7000215: [secret] is wrong"
    );
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Refused));
    // Wherever the echo stands.
    let body = r#"{"error":"p4ssw0rd","error_description":"no","correlation_id":"p4ssw0rd"}"#;
    let fault = read(401, body).into_fault(&credential(), &"p4ssw0rd".into());
    assert!(!format!("{fault:?} {fault}").contains("p4ssw0rd"), "{fault:?}");
}

proptest::proptest! {
    /// The texts that are cut and searched may hold anything.
    #[test]
    fn any_description_is_read(status in 300_u16..600, description in "(AADSTS)?[0-9]{0,30}.{0,80}(Trace ID:)?.{0,20}") {
        let body = serde_json::json!({"error": "x", "error_description": description}).to_string();
        let refusal = read(status, &body);
        proptest::prop_assert!(!refusal.code.is_empty() && !refusal.message.contains("Trace ID:"));
    }
}
