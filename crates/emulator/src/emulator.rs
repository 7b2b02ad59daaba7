//! A running emulator.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, ensure};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::azure::Azure;
use crate::control::{self, Control};
use crate::options::Options;
use crate::serve::{self, Front};

/// A running emulator; it stops when dropped.
#[derive(Debug)]
pub struct Emulator {
    url: String,
    ca_pem: String,
    control_url: Option<String>,
    imds_url: Option<String>,
    azure: Arc<Azure>,
    control: Control,
    tasks: Vec<JoinHandle<()>>,
}

impl Emulator {
    /// Starts one on the current tokio runtime. It listens on return.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        options.settings.check().context("settings")?;
        let azure = Azure::new(&options.world_file()?, options.settings.clone(), options.seed)
            .with_context(|| options.world_name.clone())?;
        let azure = Arc::new(azure);
        let listener = bind(options.listen).await?;
        let address = listener.local_addr().context("ask for the address listened on")?;
        let tls = serve::tls::generate(address.ip(), &options.names)?;
        // An unspecified address is none to connect to; the certificate is for localhost too.
        let url = if address.ip().is_unspecified() {
            format!("https://localhost:{}", address.port())
        } else {
            format!("https://{address}")
        };
        azure.settled().0.own_origins = vec![url.clone(), format!("https://localhost:{}", address.port())];
        let control = Control::new(azure.clone());
        let entra: Arc<str> = Arc::from(url.as_str());
        let front = Front::Azure(TlsAcceptor::from(tls.config));
        let mut tasks = vec![tokio::spawn(serve::run(listener, front, azure.clone(), entra.clone()))];
        let mut imds_url = None;
        if let Some(at) = options.imds {
            let listener = bind(at).await?;
            let address = listener.local_addr().context("ask for the metadata service's address")?;
            imds_url = Some(format!("http://{address}"));
            tasks.push(tokio::spawn(serve::run(listener, Front::Imds, azure.clone(), entra)));
        }
        let mut control_url = None;
        if let Some(at) = options.control {
            ensure!(at.ip().is_loopback(), "control endpoint at {at}: it knows no sign-in, so loopback only");
            let listener = bind(at).await?;
            let address = listener.local_addr().context("ask for the control endpoint's address")?;
            control_url = Some(format!("http://{address}"));
            let router = control::http::router(control.clone());
            tasks.push(tokio::spawn(async move {
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::error!(%error, "control endpoint ended");
                }
            }));
        }
        Ok(Self { url, ca_pem: tls.ca_pem, control_url, imds_url, azure, control, tasks })
    }

    /// Where ARM is, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where Entra is: the same server, told apart by the path.
    pub fn authority(&self) -> &str {
        &self.url
    }

    /// The certificate of the authority that clients must trust, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The way behind the scenes.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Where the control endpoint is, if it is on.
    pub fn control_url(&self) -> Option<&str> {
        self.control_url.as_deref()
    }

    /// Where the instance metadata service is, if it is on.
    pub fn imds_url(&self) -> Option<&str> {
        self.imds_url.as_deref()
    }

    /// The emulated Azure itself, for calls without a network.
    pub fn azure(&self) -> &Arc<Azure> {
        &self.azure
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn bind(at: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(at).await.with_context(|| format!("listen on {at}"))
}
