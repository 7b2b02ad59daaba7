//! A caller that costs as little as possible: the same request again and again over kept connections, and the answer
//! read only as far as its length. It shares the machine with what is measured.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use avnm_launcher::clock::Stopwatch;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where to, and whom to trust.
#[derive(Clone)]
pub(crate) struct Target {
    address: String,
    connector: TlsConnector,
}

impl Target {
    /// The server at `https://HOST:PORT`, signed for by this authority.
    pub(crate) fn new(url: &str, ca_file: &Path) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(ca_file).context("read the emulator's authority")?;
        roots.add(certificate).context("trust the emulator's authority")?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("choose the versions of TLS")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address = url.trim_start_matches("https://").to_owned();
        Ok(Self { address, connector: TlsConnector::from(Arc::new(config)) })
    }

    async fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(&self.address).await.context("connect to the emulator")?;
        stream.set_nodelay(true).context("set TCP_NODELAY")?;
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host).to_owned();
        let name = ServerName::try_from(host).context("name the emulator")?;
        let stream = self.connector.connect(name, stream).await.context("greet the emulator over TLS")?;
        Ok(Connection { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// One request, and its answer's body.
    pub(crate) async fn once(&self, request: &str) -> Result<String> {
        let mut connection = self.connect().await?;
        let body = connection.exchange(request.as_bytes()).await?;
        String::from_utf8(body).context("read the answer as text")
    }

    /// The same request for so long over so many connections: how many were answered with 200, per second.
    pub(crate) async fn per_second(&self, request: &str, connections: usize, time: Duration) -> Result<f64> {
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(self.connect().await?);
        }
        let request: Arc<[u8]> = request.as_bytes().into();
        let watch = Stopwatch::start();
        let mut tasks = JoinSet::new();
        for mut connection in open {
            let request = request.clone();
            tasks.spawn(async move {
                let mut done = 0_u32;
                while watch.elapsed() < time {
                    connection.exchange(&request).await?;
                    done += 1;
                }
                Ok::<_, anyhow::Error>(done)
            });
        }
        let mut done = 0.0;
        while let Some(one) = tasks.join_next().await {
            done += f64::from(one.context("a caller panicked")??);
        }
        Ok(done / watch.elapsed().as_secs_f64())
    }
}

struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// Sends a request and reads its answer, which must be a 200; gives the body.
    async fn exchange(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.stream.write_all(request).await.context("send a request")?;
        self.buffer.clear();
        loop {
            let more = self.stream.read_buf(&mut self.buffer).await.context("read an answer")?;
            ensure!(more > 0, "the emulator closed the connection");
            let Some(head) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&self.buffer[..head]).context("read an answer's head")?;
            if !text.starts_with("HTTP/1.1 200") {
                bail!("the emulator answered {}", text.lines().next().unwrap_or_default());
            }
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize =
                length.context("find the answer's length")?.trim().parse().context("read it")?;
            while self.buffer.len() < head + 4 + length {
                let more = self.stream.read_buf(&mut self.buffer).await.context("read an answer's body")?;
                ensure!(more > 0, "the emulator closed the connection in an answer");
            }
            return Ok(self.buffer[head + 4..].to_vec());
        }
    }
}
