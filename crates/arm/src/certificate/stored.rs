//! What people store as a certificate with its key: PEM in any order and of any tool, DER, or something else that is named
//! as what it is.

use aws_lc_rs::signature::RsaKeyPair;
use base64::{Engine as _, alphabet, engine::general_purpose::STANDARD};

use super::unusable::CertificateError;

/// What stands in one or several files.
#[derive(Default)]
pub(super) struct Stored {
    /// In DER, in their order. Empty are those that are cut off.
    pub(super) certificates: Vec<Vec<u8>>,
    /// Those that can be used.
    pub(super) keys: Vec<RsaKeyPair>,
    /// What stands there in place of a key or a certificate that can be used. The first that is found is told.
    pub(super) instead: Option<CertificateError>,
}

impl Stored {
    /// Adds what stands in a file.
    pub(super) fn add(&mut self, file: &[u8]) {
        if let Some(text) = text_of(file)
            && text.contains(BEGIN)
        {
            self.add_pem(&text);
        } else if let Some(inner) = base64_of(file) {
            // Whoever writes base64 into `data` by a tool that encodes it has it twice; Key Vault gives PKCS#12 like that.
            match text_of(&inner).filter(|text| text.contains(BEGIN)) {
                Some(text) => self.add_pem(&text),
                None if is_pkcs12(&inner) => self.instead(CertificateError::Pkcs12InBase64),
                None => self.add_der(inner),
            }
        } else if !file.trim_ascii().is_empty() {
            self.add_der(file.to_vec());
        }
    }

    fn add_pem(&mut self, text: &str) {
        for section in sections(text) {
            match section.label {
                "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                    self.certificates.push(section.der().unwrap_or_default());
                }
                "ENCRYPTED PRIVATE KEY" => self.instead(CertificateError::Encrypted),
                "OPENSSH PRIVATE KEY" => self.instead(CertificateError::OpenSsh),
                label if label.ends_with("PRIVATE KEY") && section.is_encrypted() => {
                    self.instead(CertificateError::Encrypted);
                }
                label if label.ends_with("PRIVATE KEY") => match section.der().and_then(|der| key_of(&der)) {
                    Some(key) => self.keys.push(key),
                    None => self.instead(CertificateError::Key),
                },
                "PKCS12" | "PFX" => self.instead(CertificateError::Pkcs12),
                "PKCS7" | "CMS" => self.instead(CertificateError::Pkcs7),
                label if label.ends_with("CERTIFICATE REQUEST") => self.instead(CertificateError::Request),
                label if label.ends_with("PUBLIC KEY") => self.instead(CertificateError::PublicKey),
                // Parameters of a curve, lists of what was revoked: they harm nobody.
                _ => {}
            }
        }
    }

    fn add_der(&mut self, der: Vec<u8>) {
        if is_pkcs12(&der) {
            self.instead(CertificateError::Pkcs12);
        } else if der.starts_with(&JAVA_KEY_STORE) {
            self.instead(CertificateError::KeyStore);
        } else if x509_parser::parse_x509_certificate(&der).is_ok() {
            self.certificates.push(der);
        } else if let Some(key) = key_of(&der) {
            self.keys.push(key);
        } else if contains(&der, &ENCRYPTED_BY_PASSWORD) {
            self.instead(CertificateError::Encrypted);
        } else if contains(&der, &SIGNED_DATA) {
            self.instead(CertificateError::Pkcs7);
        }
    }

    fn instead(&mut self, what: CertificateError) {
        self.instead.get_or_insert(what);
    }
}

const BEGIN: &str = "-----BEGIN ";

/// How a key store of Java begins.
const JAVA_KEY_STORE: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];

/// The object identifiers of PKCS#5 with which encrypted keys begin: `1.2.840.113549.1.5` and what follows.
const ENCRYPTED_BY_PASSWORD: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05];

/// The object identifier of signed data in PKCS#7: `1.2.840.113549.1.7.2`.
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A file as text, also as PowerShell writes it (UTF-16).
fn text_of(file: &[u8]) -> Option<String> {
    let wide = |of: fn([u8; 2]) -> u16| {
        let units = file[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]]));
        char::decode_utf16(units).collect::<Result<String, _>>().ok()
    };
    match file {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => std::str::from_utf8(file).ok().map(str::to_owned),
    }
}

/// What a file holds that is base64 and nothing else.
fn base64_of(file: &[u8]) -> Option<Vec<u8>> {
    let text: String = text_of(file)?.split_ascii_whitespace().collect();
    let plausible = !text.is_empty()
        && text
            .trim_end_matches('=')
            .bytes()
            .all(|byte| alphabet::STANDARD.as_str().as_bytes().contains(&byte));
    plausible.then(|| STANDARD.decode(text).ok()).flatten()
}

/// PKCS#12 is a sequence that begins with its version, 3, and then another sequence; its length may be left open.
fn is_pkcs12(bytes: &[u8]) -> bool {
    let after_length = match bytes {
        [0x30, length, ..] if *length <= 0x80 => 2,
        [0x30, length, ..] => 2 + usize::from(length & 0x7f),
        _ => return false,
    };
    bytes.get(after_length..).is_some_and(|rest| rest.starts_with(&[0x02, 0x01, 0x03, 0x30]))
}

/// A private key in DER, in either form that holds RSA.
fn key_of(der: &[u8]) -> Option<RsaKeyPair> {
    RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).ok()
}

/// A part of a PEM file.
struct Section<'a> {
    label: &'a str,
    body: &'a str,
}

impl Section<'_> {
    /// As OpenSSL's own older form says it.
    fn is_encrypted(&self) -> bool {
        self.body.contains(",ENCRYPTED")
    }

    /// Without regard to how its lines are broken: some tools write them as one, or `\n` in two characters.
    fn der(&self) -> Option<Vec<u8>> {
        let body = self.body.replace("\\r", "").replace("\\n", "");
        let body: String = body.split_whitespace().collect();
        STANDARD.decode(body).ok()
    }
}

/// The parts of a PEM file. What stands between them is for people.
fn sections(text: &str) -> impl Iterator<Item = Section<'_>> {
    text.split(BEGIN).skip(1).filter_map(|part| {
        let (label, rest) = part.split_once("-----")?;
        // One that was cut off has no end, and is not taken for what may be left of it.
        let body = rest.split_once("-----END ").map_or("-", |(body, _)| body);
        Some(Section { label, body })
    })
}

#[cfg(test)]
mod tests;
