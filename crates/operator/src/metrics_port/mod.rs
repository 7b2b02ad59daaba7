//! The port of `/metrics`: plain and for everybody who reaches it, or over TLS and for whom the API server lets in.

mod certificate;
mod listener;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use avnm_controller::{Metrics, Reviews, serve_metrics};
use clap::Args;
use tokio::net::TcpListener;

use self::{
    certificate::{Certificate, Files},
    listener::TlsListener,
};

/// How `/metrics` is served.
#[derive(Debug, Args)]
pub(crate) struct MetricsFlags {
    /// Where /metrics is served.
    #[arg(long = "metrics-addr", env = "AVNM_METRICS_ADDR", default_value = "0.0.0.0:8080")]
    addr: String,
    /// Serve /metrics over TLS, and only to tokens of Kubernetes whose holder may get the nonResourceURL /metrics. The operator
    /// has to be allowed to create tokenreviews and subjectaccessreviews.
    #[arg(long = "metrics-secure", env = "AVNM_METRICS_SECURE")]
    secure: bool,
    /// The certificate of --metrics-secure, a file in PEM that is read again when it changes; without one, the operator signs
    /// one itself at each start.
    #[arg(
        long = "metrics-cert-file",
        env = "AVNM_METRICS_CERT_FILE",
        requires = "key_file",
        requires = "secure"
    )]
    cert_file: Option<PathBuf>,
    /// The private key of --metrics-cert-file, a file in PEM.
    #[arg(long = "metrics-key-file", env = "AVNM_METRICS_KEY_FILE", requires = "cert_file")]
    key_file: Option<PathBuf>,
}

impl MetricsFlags {
    /// Whether whoever comes is looked at.
    pub(crate) fn secure(&self) -> bool {
        self.secure
    }

    /// Listens and serves, until the process ends. `client` asks who may read, where that is asked.
    pub(crate) async fn serve(
        &self,
        metrics: Arc<Metrics>,
        client: Option<kube::Client>,
    ) -> anyhow::Result<()> {
        let tcp = TcpListener::bind(&self.addr)
            .await
            .with_context(|| format!("cannot listen on --metrics-addr {}", self.addr))?;
        let Some(client) = client else {
            tokio::spawn(serve_metrics(metrics, None, tcp));
            return Ok(());
        };
        let files = self.cert_file.clone().zip(self.key_file.clone());
        let certificate = match files.map(|(certificate, key)| Files { certificate, key }) {
            Some(files) => Certificate::from_files(files)?,
            None => Certificate::self_signed()?,
        };
        let listener = TlsListener::start(tcp, Arc::new(certificate), Duration::from_secs(10))?;
        tokio::spawn(serve_metrics(metrics, Some(Reviews::new(client)), listener));
        Ok(())
    }
}
