//! A running emulator.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, ensure};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::azure::Azure;
use crate::control::{self, Control};
use crate::journal::Journal;
use crate::options::Options;
use crate::serve::{self, Front, Served};

/// A running emulator; it stops when dropped.
#[derive(Debug)]
pub struct Emulator {
    url: String,
    ca_pem: String,
    control_url: Option<String>,
    imds_url: Option<String>,
    azure: Arc<Azure>,
    control: Control,
    journal: Arc<Journal>,
    tasks: Vec<JoinHandle<()>>,
}

impl Emulator {
    /// Starts one on the current tokio runtime. It listens on return.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        options.settings.check().context("settings")?;
        let azure = Azure::new(&options.world_file()?, options.settings.clone(), options.seed)
            .with_context(|| options.world_name.clone())?;
        let azure = Arc::new(azure);
        if let Some(at) = options.control {
            ensure!(
                at.ip().is_loopback() || options.control_anywhere,
                "control endpoint at {at}: it knows no sign-in, so loopback only; --control-anywhere lets everyone who \
                 reaches it read and change everything"
            );
        }
        let (listener, url) = bind(options.listen, "https").await?;
        let port = listener.local_addr().context("ask for the port listened on")?.port();
        let tls = serve::tls::generate(options.listen.ip(), &options.names)?;
        let imds = match options.imds {
            Some(at) => Some(bind(at, "http").await?),
            None => None,
        };
        let control_at = match options.control {
            Some(at) => Some(bind(at, "http").await?),
            None => None,
        };
        // Last of what may fail, and before anything is served: who starts the same again, where this one listens, must
        // not empty its file.
        let journal = Arc::new(Journal::open(options.ledger_file.as_deref())?);

        {
            let state = &mut azure.settled().0;
            state.own_origins = vec![url.clone(), format!("https://localhost:{port}")];
            if journal.is_kept() {
                state.ledger.follow();
            }
        }
        let control = Control::new(azure.clone());
        let served =
            Served { azure: azure.clone(), entra: Arc::from(url.as_str()), journal: journal.clone() };
        let front = Front::Azure(TlsAcceptor::from(tls.config));
        let mut tasks = vec![tokio::spawn(serve::run(listener, front, served.clone()))];
        let mut imds_url = None;
        if let Some((listener, at)) = imds {
            imds_url = Some(at);
            tasks.push(tokio::spawn(serve::run(listener, Front::Imds, served)));
        }
        let mut control_url = None;
        if let Some((listener, at)) = control_at {
            if options.control.is_some_and(|at| !at.ip().is_loopback()) {
                tracing::warn!(
                    "the control endpoint is open beyond loopback: whoever reaches it reads every call and changes everything"
                );
            }
            control_url = Some(at);
            let router = control::http::router(control.clone());
            tasks.push(tokio::spawn(async move {
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::error!(%error, "control endpoint ended");
                }
            }));
        }
        Ok(Self { url, ca_pem: tls.ca_pem, control_url, imds_url, azure, control, journal, tasks })
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
        // A late effect that nobody came after.
        self.journal.tell(&self.azure);
    }
}

/// Listens, and says under which address that is reached.
async fn bind(at: SocketAddr, scheme: &str) -> anyhow::Result<(TcpListener, String)> {
    let listener = TcpListener::bind(at).await.with_context(|| format!("listen on {at}"))?;
    let address = listener.local_addr().context("ask for the address listened on")?;
    // An unspecified address is none to connect to; the certificate is for localhost too.
    let url = if address.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    };
    Ok((listener, url))
}
