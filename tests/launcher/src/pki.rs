//! The certificates of one control plane: one authority, one server certificate, client certificates whose
//! subject is the user (CN) and the groups (O).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// A certificate and its key, both PEM.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// The authority of one control plane.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one. It lives as long as its control plane.
    pub(crate) fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "avnm end-to-end tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().context("generate the authority's key")?;
        Ok(Self(CertifiedIssuer::self_signed(params, key).context("sign the authority's certificate")?))
    }

    /// The authority's certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for the API server, on the loopback address and under its names in the cluster.
    pub(crate) fn server(&self) -> Result<Identity> {
        let names = ["127.0.0.1", "10.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc"];
        let params = CertificateParams::new(names.map(String::from)).context("name the API server")?;
        self.sign(params, "kube-apiserver", None, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a user in a group.
    pub(crate) fn client(&self, user: &str, group: &str) -> Result<Identity> {
        self.sign(CertificateParams::default(), user, Some(group), ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        common_name: &str,
        organization: Option<&str>,
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<Identity> {
        params.distinguished_name.push(DnType::CommonName, common_name);
        if let Some(organization) = organization {
            params.distinguished_name.push(DnType::OrganizationName, organization);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().with_context(|| format!("generate the key of {common_name}"))?;
        let certificate = params
            .signed_by(&key, &self.0)
            .with_context(|| format!("sign the certificate of {common_name}"))?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// A key pair for the tokens of service accounts: the private half signs, the public one verifies. The API
/// server reads them from two files, as it accepts no PKCS #8 private key where it wants to verify. RSA, as clusters
/// have it whose tokens Entra takes: it knows RS256 only.
pub(crate) fn signing_key() -> Result<(String, String)> {
    let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256)
        .context("generate the key of service account tokens")?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

/// Writes a file of the control plane; only its owner reads it.
pub(crate) fn write(dir: &Path, name: &str, text: &str) -> Result<PathBuf> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = dir.join(name);
    let mut file = fs::File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("create {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("write {}", path.display()))?;
    Ok(path)
}
