//! The certificate of `/metrics`: from files, which are read again when they change, or made at the start.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use rustls::{
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(10);

/// Where certificate and key lie.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// The one that is shown to whoever connects now.
#[derive(Debug)]
pub(super) struct Certificate {
    shown: RwLock<Arc<CertifiedKey>>,
    files: Option<Files>,
}

impl Certificate {
    /// That of files. Certificate and key must be there, and belong together.
    pub(super) fn from_files(files: Files) -> anyhow::Result<Self> {
        let shown = RwLock::new(Arc::new(files.read()?));
        Ok(Self { shown, files: Some(files) })
    }

    /// One that nobody vouches for: what is read over it is hidden from others, and who answers is not proven.
    pub(super) fn self_signed() -> anyhow::Result<Self> {
        let names = vec!["avnm-operator".to_owned(), "localhost".to_owned()];
        let made =
            rcgen::generate_simple_self_signed(names).context("cannot sign a certificate for /metrics")?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
            .map_err(|why| anyhow::anyhow!("cannot use the key made for /metrics: {why}"))?;
        let shown = RwLock::new(Arc::new(certified(vec![made.cert.der().clone()], &key)?));
        Ok(Self { shown, files: None })
    }

    /// Reads the files again and again, and shows what is new in them. What cannot be used is told once, and changes nothing.
    pub(super) async fn follow(self: Arc<Self>) {
        let Some(files) = self.files.clone() else { return };
        let mut told = false;
        loop {
            tokio::time::sleep(LOOK).await;
            let looked = self.look(&files);
            let file = files.certificate.display();
            match &looked {
                Ok(true) => tracing::info!(%file, "the certificate of /metrics was read again"),
                Err(error) if !told => {
                    let error = format!("{error:#}");
                    tracing::warn!(
                        error,
                        "cannot read the certificate of /metrics again: the one before stays"
                    );
                }
                Ok(false) | Err(_) => {}
            }
            told = looked.is_err();
        }
    }

    /// Whether there is another one now, which is then shown.
    pub(super) fn look(&self, files: &Files) -> anyhow::Result<bool> {
        let new = files.read()?;
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        if shown.cert == new.cert {
            return Ok(false);
        }
        *shown = Arc::new(new);
        Ok(true)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Files {
    fn read(&self) -> anyhow::Result<CertifiedKey> {
        let Self { certificate, key } = self;
        let pem = std::fs::read(certificate)
            .with_context(|| format!("cannot read --metrics-cert-file {}", certificate.display()))?;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<Vec<_>, _>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .with_context(|| {
                format!("no certificate in PEM in --metrics-cert-file {}", certificate.display())
            })?;
        let pem = std::fs::read(key)
            .with_context(|| format!("cannot read --metrics-key-file {}", key.display()))?;
        // Not the cause, which may quote what it read.
        let der = PrivateKeyDer::from_pem_slice(&pem)
            .ok()
            .with_context(|| format!("no private key in PEM in --metrics-key-file {}", key.display()))?;
        certified(chain, &der)
            .with_context(|| format!("cannot use {} with {}", certificate.display(), key.display()))
    }
}

fn certified(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'_>) -> anyhow::Result<CertifiedKey> {
    let certified = CertifiedKey::new(chain, any_supported_type(key).context("the key is of no known kind")?);
    certified.keys_match().context("the key is not that of the certificate")?;
    Ok(certified)
}
