//! Signing in without a secret: certificates, assertions of another issuer, managed identities.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use avnm_arm::{
    AssertionSource, Certificate, Credential, ManagedIdentity, ManagedIdentityId, Material, SecretString,
};
use avnm_emulator::Options;
use avnm_emulator::world::file::DEFAULT_WORLD;
use avnm_terms::{Fault, FaultKind, SignInFault};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::json;

use crate::world::{APP, CENTRAL, SECRET, TARGET, World, credential};

fn pair(not_after: Option<(i32, u8, u8)>) -> (String, String) {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let mut params = CertificateParams::new(vec!["avnm".to_owned()]).unwrap();
    if let Some((year, month, day)) = not_after {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, month, day);
    }
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn with(tenant: &str, material: Material) -> Credential {
    let mut credential = credential("assertion", APP, SECRET, tenant);
    credential.key.fingerprint = material.fingerprint();
    Credential { material, ..credential }
}

fn by_certificate(tenant: &str, certificate: &str, key: &str) -> Credential {
    let certificate = Certificate::parse(certificate.as_bytes(), key.as_bytes()).unwrap();
    with(tenant, Material::Certificate(Arc::new(certificate)))
}

#[tokio::test]
async fn a_registered_certificate_signs_in_to_each_tenant_with_an_assertion_of_its_own() {
    let world = World::instant().await;
    let (certificate, key) = pair(None);
    let central = by_certificate(CENTRAL, &certificate, &key);
    let unknown = world.arm.tokens().check(&central, false).await.unwrap_err();
    assert_eq!(
        (&unknown.kind, unknown.code.as_str()),
        (&FaultKind::SignIn(SignInFault::Refused), "AADSTS700027")
    );
    world.edit(json!({"op": "addCertificate", "clientId": APP, "certificate": certificate}));
    let mark = world.mark();
    for tenant in [CENTRAL, TARGET] {
        let info =
            world.arm.tokens().check(&by_certificate(tenant, &certificate, &key), false).await.unwrap();
        assert_eq!(info.tenant.as_str(), tenant);
    }
    let calls: Vec<_> = world.sign_ins(mark).iter().map(|call| json!(call)).collect();
    assert_eq!(calls.len(), 2);
    for call in &calls {
        assert_eq!(call["proof"], "certificate");
    }
    assert_ne!(calls[0]["assertionFingerprint"], calls[1]["assertionFingerprint"]);
}

#[tokio::test]
async fn an_expired_certificate_is_told_with_its_date_and_asked_of_nobody() {
    let world = World::instant().await;
    let (certificate, key) = pair(Some((2021, 2, 3)));
    let fault =
        world.arm.tokens().check(&by_certificate(CENTRAL, &certificate, &key), false).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Refused));
    assert!(fault.expired.is_some_and(|at| at.to_string().starts_with("2021-02-03")), "{fault:?}");
    // Entra's own code: who must act is the same, asked or not.
    assert_eq!(fault.code, "AADSTS1000502");
    assert!(world.sign_ins(0).is_empty());
}

/// A source that has nothing to give.
struct Nothing;

#[async_trait]
impl AssertionSource for Nothing {
    async fn assertion(&self) -> Result<SecretString, Fault> {
        Err(Fault::local("read token", "file", FaultKind::SignIn(SignInFault::SourceMissing), "not there"))
    }

    fn identity(&self) -> String {
        "nothing".to_owned()
    }
}

#[tokio::test]
async fn what_a_source_lacks_is_told_as_it_says_and_nothing_is_sent() {
    let world = World::instant().await;
    let credential = with(CENTRAL, Material::Assertion(Arc::new(Nothing)));
    let fault = world.arm.tokens().check(&credential, false).await.unwrap_err();
    assert_eq!((fault.kind, fault.operation), (FaultKind::SignIn(SignInFault::SourceMissing), "read token"));
    assert!(world.sign_ins(0).is_empty());
}

const IDENTITY: &str = "c0c0c0c0-1111-2222-3333-444444444444";
const OBJECT: &str = "d0d0d0d0-1111-2222-3333-444444444444";

/// A world in which the machine has a managed identity, and where its metadata service is.
async fn with_identity() -> (World, url::Url) {
    let identity = json!([{
        "tenant": CENTRAL, "clientId": IDENTITY, "objectId": OBJECT,
        "resourceId": format!("/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/avnm"),
    }]);
    let file = format!("{DEFAULT_WORLD}\nmanagedIdentities: {identity}\n");
    let imds = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let world = World::start(Options { world: Some(file), imds, ..Options::instant() }).await;
    let endpoint = world.emulator.imds_url().unwrap().parse().unwrap();
    (world, endpoint)
}

#[tokio::test]
async fn a_managed_identity_is_a_federated_credential_of_the_application() {
    let (world, endpoint) = with_identity().await;
    let cloud = world.arm.cloud().clone();
    let source = |id: ManagedIdentityId| ManagedIdentity::new(id, &cloud, Some(endpoint.clone())).unwrap();
    let credential =
        with(TARGET, Material::Assertion(Arc::new(source(ManagedIdentityId::Client(IDENTITY.into())))));
    // The application does not trust it yet; that may be a matter of minutes.
    let fault = world.arm.tokens().check(&credential, false).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Propagating), "{fault}");
    // What was presented is told, for whoever compares it.
    let presented = fault.details().assertion.clone().expect("an assertion was sent");
    assert_eq!(presented.subject, OBJECT);
    assert!(presented.issuer.contains(CENTRAL) && !presented.audience.is_empty(), "{presented:?}");
    world.edit(json!({"op": "addFederatedCredential", "clientId": APP, "subject": OBJECT,
        "issuer": format!("{}/{CENTRAL}/v2.0", world.emulator.url())}));
    let mark = world.mark();
    // The managed identity's own tenant is the central one; the application's token is of the target.
    let info = world.arm.tokens().check(&credential, false).await.unwrap();
    assert_eq!(info.tenant.as_str(), TARGET);
    let call = json!(world.sign_ins(mark).last().unwrap());
    assert_eq!((&call["proof"], &call["federatedSubject"]), (&json!("federated"), &json!(OBJECT)));
}

#[tokio::test]
async fn a_managed_identity_that_the_machine_lacks_is_missing_and_a_silent_service_is_unreachable() {
    let (world, endpoint) = with_identity().await;
    let cloud = world.arm.cloud().clone();
    let lacking = ManagedIdentityId::Client("e0e0e0e0-1111-2222-3333-444444444444".into());
    let lacking = ManagedIdentity::new(lacking, &cloud, Some(endpoint)).unwrap();
    let fault = lacking.assertion().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::SourceMissing), "{fault}");
    let nowhere = "http://127.0.0.1:1".parse().unwrap();
    let silent =
        ManagedIdentity::new(ManagedIdentityId::Client(IDENTITY.into()), &cloud, Some(nowhere)).unwrap();
    let fault = silent.assertion().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::Unreachable), "{fault}");
}
