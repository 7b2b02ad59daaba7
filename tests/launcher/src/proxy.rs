//! A proxy with `CONNECT`, as it stands between a cluster and the outside: one that only carries, one that is reached over
//! TLS, and one that ends TLS and begins it anew.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::pki::Authority;

/// Largest request that is read, in bytes.
const HEAD_MAX: usize = 16 * 1024;

/// How it stands there.
#[derive(Debug, Clone)]
pub enum ProxyKind {
    /// It is spoken to in plain, and carries what it does not understand.
    Carries,
    /// The same, spoken to over TLS with a certificate of its own authority.
    OverTls,
    /// It is spoken to in plain, and answers in everybody's name with a certificate of its own authority. These authorities
    /// (PEM) are whom it believes itself.
    EndsTls(Vec<String>),
}

/// A proxy that runs in this process until it is dropped.
#[derive(Debug)]
pub struct ConnectProxy {
    url: String,
    ca_pem: String,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What each connection needs.
struct Shared {
    kind: ProxyKind,
    /// What whoever connects has to send.
    authorization: Option<String>,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    seen: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// Starts one; with `USER:PASSWORD` it lets in nobody else.
    pub async fn start(kind: ProxyKind, credentials: Option<&str>) -> Result<Self> {
        let authority = Authority::new()?;
        let believed = match &kind {
            ProxyKind::EndsTls(authorities) => authorities.concat(),
            ProxyKind::Carries | ProxyKind::OverTls => String::new(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listen as a proxy")?;
        let scheme = if matches!(kind, ProxyKind::OverTls) { "https" } else { "http" };
        let user = credentials.map(|it| format!("{it}@")).unwrap_or_default();
        let url = format!("{scheme}://{user}{}", listener.local_addr().context("the proxy's address")?);
        let seen = Arc::new(Mutex::default());
        let shared = Arc::new(Shared {
            kind,
            authorization: credentials.map(|it| format!("Basic {}", STANDARD.encode(it))),
            acceptor: acceptor(&authority)?,
            connector: connector(&believed)?,
            seen: Arc::clone(&seen),
        });
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                // Whoever connects sees that it ended; that is all that there is to tell.
                tokio::spawn(async move { drop(shared.serve(stream).await) });
            }
        });
        Ok(Self { url, ca_pem: authority.pem(), seen, task })
    }

    /// Its URL, with user and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate of its own authority.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Where it was asked to connect to, `HOST:PORT`, in order; refused requests among them, as `refused HOST:PORT`.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    async fn serve(&self, stream: TcpStream) -> Result<()> {
        if matches!(self.kind, ProxyKind::OverTls) {
            self.connect(self.acceptor.accept(stream).await?).await
        } else {
            self.connect(stream).await
        }
    }

    async fn connect(&self, mut client: impl AsyncRead + AsyncWrite + Unpin) -> Result<()> {
        let head = head(&mut client).await?;
        let mut lines = head.lines();
        let mut request = lines.next().unwrap_or_default().split(' ');
        let (Some("CONNECT"), Some(target)) = (request.next(), request.next()) else {
            client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n").await?;
            bail!("not a CONNECT");
        };
        let sent = lines
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
        let allowed =
            self.authorization.as_deref().is_none_or(|wanted| sent.is_some_and(|(_, it)| it == wanted));
        let note = if allowed { target.to_owned() } else { format!("refused {target}") };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        if !allowed {
            let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\n\r\n";
            client.write_all(refusal).await?;
            bail!("not let in");
        }
        let Ok(mut server) = TcpStream::connect(target).await else {
            client.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await?;
            bail!("no connection to {target}");
        };
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        if matches!(self.kind, ProxyKind::EndsTls(_)) {
            let host = target.rsplit_once(':').map_or(target, |(host, _)| host).to_owned();
            let mut client = self.acceptor.accept(client).await?;
            let mut server = self.connector.connect(ServerName::try_from(host)?, server).await?;
            copy_bidirectional(&mut client, &mut server).await?;
        } else {
            copy_bidirectional(&mut client, &mut server).await?;
        }
        Ok(())
    }
}

/// A request up to its empty line, and nothing of what follows.
async fn head(client: &mut (impl AsyncRead + Unpin)) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < HEAD_MAX, "a request without an end");
        head.push(client.read_u8().await?);
    }
    String::from_utf8(head).context("a request that is no text")
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn acceptor(authority: &Authority) -> Result<TlsAcceptor> {
    let identity = authority.server()?;
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn connector(believed: &str) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(believed.as_bytes()) {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
