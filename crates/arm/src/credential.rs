//! How to sign in, and whose it is.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use avnm_terms::{
    ClientId, TenantId,
    mutants::{Mutant, broken},
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{AssertionSource, Certificate};

/// Where a credential comes from. Nothing that was had with one credential is given to a user of another, although
/// tenant and application may be equal: those are public, so that anyone can write them into a custom resource.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialKey {
    /// Kind of the custom resource.
    pub kind: String,
    /// Its namespace; empty for a cluster-wide one.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID: another object of the same name is another source.
    pub uid: String,
    /// Of its material ([`Material::fingerprint`]): a rotated secret is another key.
    pub fingerprint: String,
}

impl fmt::Debug for CredentialKey {
    /// Without the fingerprint, which nobody needs to read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{} ({})", self.kind, self.namespace, self.name, self.uid)
    }
}

/// What proves who we are. Never shown.
#[derive(Clone)]
pub enum Material {
    /// A client secret.
    ClientSecret(SecretString),
    /// A certificate with its key.
    Certificate(Arc<Certificate>),
    /// Something that gives an assertion whenever one is needed.
    Assertion(Arc<dyn AssertionSource>),
}

impl Material {
    /// When it ends, where that can be read off it: a certificate says so, a client secret does not.
    pub fn not_after(&self) -> Option<Timestamp> {
        match self {
            Self::Certificate(certificate) => Some(certificate.not_after()),
            Self::ClientSecret(_) | Self::Assertion(_) => None,
        }
    }

    /// Tells two materials apart without telling what they are.
    ///
    /// Salted with a value of this process: the fingerprint of a short secret must not be a way to guess it.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(salt().as_bytes());
        match self {
            Self::ClientSecret(secret) => {
                hash.update(b"client secret\0");
                hash.update(secret.expose_secret().as_bytes());
            }
            Self::Certificate(certificate) => {
                hash.update(b"certificate\0");
                hash.update(certificate.thumbprint().as_bytes());
            }
            Self::Assertion(source) => {
                hash.update(b"assertion\0");
                hash.update(source.identity().as_bytes());
            }
        }
        hash.finalize().iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
            use fmt::Write as _;
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// The salt of this process.
fn salt() -> uuid::Uuid {
    static SALT: OnceLock<uuid::Uuid> = OnceLock::new();
    // In a simulation there is nothing to guess, and a salt that its first run draws would set that apart from all others.
    #[cfg(feature = "in-process")]
    if crate::clock::is_set() {
        return uuid::Uuid::nil();
    }
    *SALT.get_or_init(uuid::Uuid::new_v4)
}

/// The text with a secret taken out, should someone echo it to us.
pub(crate) fn redact(secret: &SecretString, text: &str) -> String {
    if broken(Mutant::EchoTold) {
        return text.to_owned();
    }
    match secret.expose_secret() {
        "" => text.to_owned(),
        secret => text.replace(secret, "[secret]"),
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientSecret(_) => "ClientSecret",
            Self::Certificate(_) => "Certificate",
            Self::Assertion(_) => "Assertion",
        })
    }
}

/// One way to sign in to one tenant as one application.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Where it comes from.
    pub key: CredentialKey,
    /// The tenant to sign in to.
    pub tenant: TenantId,
    /// The application to sign in as.
    pub client: ClientId,
    /// The proof.
    pub material: Material,
}

impl Credential {
    /// What a fault of signing in is about.
    pub(crate) fn target(&self) -> String {
        format!("application {} in tenant {}", self.client, self.tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(secret: &str) -> Credential {
        let material = Material::ClientSecret(SecretString::from(secret));
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

    #[test]
    fn debug_shows_neither_secret_nor_fingerprint() {
        let credential = credential("s3cr3t-value");
        let shown = format!("{credential:?}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert!(!shown.contains(&credential.key.fingerprint), "{shown}");
        assert!(shown.contains("TenantCredential hub/central (u1)"), "{shown}");
    }

    #[test]
    fn fingerprints_tell_materials_apart() {
        assert_eq!(credential("a").key, credential("a").key);
        assert_ne!(credential("a").key, credential("b").key);
    }

    #[test]
    fn an_echoed_secret_is_taken_out() {
        assert_eq!(redact(&"abc".into(), "the secret abc is wrong"), "the secret [secret] is wrong");
        assert_eq!(redact(&"".into(), "empty"), "empty");
    }
}
