//! An authority of our own and a certificate signed by it, made anew at each start and never stored with its keys.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The server's side of TLS, and the authority's certificate for the clients.
pub struct Tls {
    /// For the acceptor.
    pub config: Arc<ServerConfig>,
    /// The authority's certificate, PEM.
    pub ca_pem: String,
}

/// Makes both. The certificate is for loopback, the address listened on, and these names.
pub fn generate(listen: IpAddr, names: &[String]) -> anyhow::Result<Tls> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "avnm-emulator authority");
    let authority_key = KeyPair::generate().context("generate the authority's key")?;
    let certificate = authority.self_signed(&authority_key).context("sign the authority's certificate")?;
    let ca_pem = certificate.pem();
    let issuer = Issuer::new(authority, authority_key);

    let mut subjects: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).into();
    if !listen.is_loopback() && !listen.is_unspecified() {
        subjects.push(listen.to_string());
    }
    subjects.extend(names.iter().cloned());
    let mut leaf = CertificateParams::new(subjects).context("name the server in its certificate")?;
    leaf.distinguished_name.push(DnType::CommonName, "avnm-emulator");
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().context("generate the server's key")?;
    let certificate = leaf.signed_by(&key, &issuer).context("sign the server's certificate")?;

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("choose the versions of TLS")?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .context("use the server's certificate")?;
    // Cutting one call off means closing its connection, which HTTP/2 shares between calls.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Tls { config: Arc::new(config), ca_pem })
}
