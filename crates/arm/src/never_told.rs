//! That a panic tells no secret, whatever it was about: each type that holds one says only what it is.

use std::{
    fmt::Debug,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use async_trait::async_trait;
use avnm_terms::{ClientId, Fault, TenantId};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use secrecy::SecretString;

use crate::{
    AssertionSource, Certificate, Cloud, Credential, CredentialKey, Material, Tokens, Transport,
    TransportOptions, assertion::Fixed, token::Token,
};

const SECRET: &str = "never-told-canary";

/// A source that has its assertion in its hands, as those of ServiceAccounts do.
struct Held(SecretString);

#[async_trait]
impl AssertionSource for Held {
    async fn assertion(&self) -> Result<SecretString, Fault> {
        Ok(self.0.clone())
    }

    fn identity(&self) -> String {
        "held".to_owned()
    }
}

fn credential(material: Material) -> Credential {
    Credential {
        key: CredentialKey {
            kind: "TenantCredential".into(),
            namespace: "hub".into(),
            name: "central".into(),
            uid: "u1".into(),
            fingerprint: material.fingerprint(),
        },
        tenant: TenantId::parse("24680975-1234-abcd-56ef-121314ab5643").unwrap(),
        client: ClientId::parse("00000000-0000-0000-0000-000000000001").unwrap(),
        material,
    }
}

/// What a panic about this value says, as short and as long as Debug can.
fn panic_about(value: &dyn Debug) -> String {
    let payload =
        panic::catch_unwind(AssertUnwindSafe(|| panic!("lost: {value:?}\n{value:#?}"))).unwrap_err();
    payload.downcast_ref::<String>().expect("a formatted panic has its text").clone()
}

/// The secret's forms: as it is, as a Secret has it, and as Debug shows bytes.
fn tells(text: &str, secret: &str) -> bool {
    let bytes: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    let shapes = [secret.to_owned(), STANDARD.encode(secret), bytes.join(", "), bytes.join(",\n    ")];
    shapes.iter().any(|shape| text.contains(shape))
}

#[test]
fn a_panic_tells_no_secret() {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(vec!["app".into()]).unwrap().self_signed(&key).unwrap();
    let (pem, key) = (certificate.pem(), key.serialize_pem());
    let certificate = Arc::new(Certificate::parse(pem.as_bytes(), key.as_bytes()).unwrap());
    let materials = [
        Material::ClientSecret(SecretString::from(SECRET)),
        Material::Assertion(Arc::new(Held(SecretString::from(SECRET)))),
        Material::Certificate(Arc::clone(&certificate)),
    ];
    let transport = Transport::new(&TransportOptions::default()).unwrap();
    let tokens = Tokens::new(Cloud::named("AzurePublic").unwrap(), transport.clone());
    let token = Token::stand_in(&format!("Bearer {SECRET}"));
    let mut texts: Vec<String> = materials.iter().map(|material| panic_about(material)).collect();
    texts.extend(materials.map(|material| panic_about(&credential(material))));
    let others: [&dyn Debug; 7] = [
        &SecretString::from(SECRET),
        &Fixed(SecretString::from(SECRET)),
        &certificate,
        &token,
        &token.bearer,
        &tokens,
        &transport,
    ];
    texts.extend(others.map(panic_about));
    for text in texts {
        assert!(text.starts_with("lost: "), "{text}");
        assert!(!tells(&text, SECRET), "{text}");
        // Any whole line of the key's PEM would do.
        assert!(!key.lines().any(|line| line.len() > 20 && text.contains(line)), "{text}");
    }
}

#[test]
fn a_panic_that_told_it_would_be_noticed() {
    assert!(tells(&panic_about(&SECRET), SECRET));
    assert!(tells(&panic_about(&SECRET.as_bytes()), SECRET));
    assert!(tells(&panic_about(&STANDARD.encode(SECRET)), SECRET));
}
