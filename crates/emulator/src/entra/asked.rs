//! What the ledger learns about a call to Entra.

use super::assertion::Assertion;
use crate::ledger::Proof;
use crate::token::fingerprint;

/// What the ledger learns about a token call. Never the secret or the assertion itself.
#[derive(Debug, Default)]
pub struct Asked {
    /// The tenant in the path.
    pub tenant: Option<String>,
    /// The client id in the form.
    pub client_id: Option<String>,
    /// The secret's fingerprint.
    pub secret_fingerprint: Option<String>,
    /// What the caller proves itself with.
    pub proof: Option<Proof>,
    /// The assertion's fingerprint.
    pub assertion_fingerprint: Option<String>,
    /// The certificate that the assertion names.
    pub certificate_thumbprint: Option<String>,
    /// The issuer of an assertion that is not the application's own.
    pub federated_issuer: Option<String>,
    /// Its subject.
    pub federated_subject: Option<String>,
}

impl Asked {
    pub(super) fn note_assertion(&mut self, text: &str, client_id: &str) {
        self.assertion_fingerprint = Some(fingerprint(text));
        let Ok(Assertion { header, claims, .. }) = Assertion::parse(text) else { return };
        let proof = Proof::of(&claims, client_id);
        self.proof = Some(proof);
        if proof == Proof::Certificate {
            self.certificate_thumbprint = header.x5t_s256.or(header.x5t);
        } else {
            self.federated_issuer = Some(claims.iss);
            self.federated_subject = Some(claims.sub);
        }
    }
}
