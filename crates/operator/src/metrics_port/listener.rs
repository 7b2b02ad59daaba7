//! Connections over TLS. Each handshake is a task of its own, so that one that stalls holds up no other, and there are only so
//! many at a time.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::serve::Listener;
use rustls::{ServerConfig, server::ResolvesServerCert};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::certificate::Certificate;

/// Most handshakes at the same time.
const HANDSHAKES: usize = 32;
/// Before the next try where the system has no connection to give, for want of descriptors.
const AGAIN: Duration = Duration::from_secs(1);

type Accepted = (TlsStream<TcpStream>, SocketAddr);

/// What axum serves on.
pub(super) struct TlsListener {
    accepted: mpsc::Receiver<Accepted>,
    address: SocketAddr,
}

impl TlsListener {
    /// Begins to accept. A handshake that takes longer than `patience` is given up.
    pub(super) fn start(
        tcp: TcpListener,
        certificate: Arc<Certificate>,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let address = tcp.local_addr().context("cannot tell the address of /metrics")?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Certificate>::clone(&certificate);
        let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (sender, accepted) = mpsc::channel(1);
        tokio::spawn(certificate.follow());
        tokio::spawn(accept(tcp, TlsAcceptor::from(Arc::new(config)), patience, sender));
        Ok(Self { accepted, address })
    }
}

async fn accept(tcp: TcpListener, acceptor: TlsAcceptor, patience: Duration, sender: mpsc::Sender<Accepted>) {
    let free = Arc::new(Semaphore::new(HANDSHAKES));
    while let Ok(place) = Arc::clone(&free).acquire_owned().await {
        let Ok((stream, from)) = tcp.accept().await else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            let _place = place;
            if let Ok(Ok(stream)) = tokio::time::timeout(patience, acceptor.accept(stream)).await {
                // Nobody serves any longer only where the process ends.
                let _ = sender.send((stream, from)).await;
            }
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
