//! The server: TLS, HTTP/1.1, and the faults that only a connection can suffer.

pub(crate) mod exchange;
pub mod tls;

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::{self, HeaderValue, Response, header};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::azure::Reaction;
use crate::request::Door;
pub use exchange::Served;
use exchange::{BODY_MAX, GIANT_START, GIANT_TYPE};

/// How long a client may take over its TLS handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How large the pieces of an endless body are, in bytes.
const PIECE: usize = 64 * 1024;

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut off by a fault")]
struct CutOff;

/// What a listener is for.
#[derive(Clone)]
pub enum Front {
    /// ARM and Entra, over TLS.
    Azure(TlsAcceptor),
    /// The instance metadata service, in the clear.
    Imds,
}

/// Serves connections until it is dropped, and they with it.
pub async fn run(listener: TcpListener, front: Front, served: Served) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (front, served) = (front.clone(), served.clone());
                    connections.spawn(async move {
                        if let Err(error) = connection(stream, front, served).await {
                            tracing::debug!(%error, "connection ended");
                        }
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: some will be closed soon.
                    tracing::warn!(%error, "accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn connection(stream: TcpStream, front: Front, served: Served) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let door = if matches!(front, Front::Imds) { Door::Imds } else { Door::Azure };
    let service = service_fn(move |request| {
        let served = served.clone();
        async move { serve(&served, door, request).await }
    });
    let http = http1::Builder::new();
    match front {
        Front::Azure(acceptor) => {
            let stream = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await??;
            http.serve_connection(TokioIo::new(stream), service).await?;
        }
        Front::Imds => http.serve_connection(TokioIo::new(stream), service).await?,
    }
    Ok(())
}

async fn serve(
    served: &Served,
    door: Door,
    request: http::Request<Incoming>,
) -> Result<Response<Body>, CutOff> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), BODY_MAX).await.map_err(|_| exchange::TooLarge);
    match exchange::exchange(served, door, &head, body).await {
        Reaction::Answer(answer) => Ok(response(answer)),
        Reaction::Cut => Err(CutOff),
        Reaction::Truncated(answer) => Ok(truncated(&answer)),
        Reaction::Giant(bytes) => Ok(giant(bytes)),
    }
}

fn response(answer: Answer) -> Response<Body> {
    exchange::head(&answer).map(|()| Body::from(answer.body))
}

/// The whole length is announced and half of it sent.
fn truncated(answer: &Answer) -> Response<Body> {
    let mut response = exchange::head(answer);
    response.headers_mut().insert(header::CONTENT_LENGTH, answer.body.len().max(2).into());
    let half = answer.body.slice(..answer.body.len() / 2);
    let end = async {
        // Time for the first half to leave; an error right behind it would take it along.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::from(io::ErrorKind::UnexpectedEof))
    };
    let body = stream::once(async { Ok(half) }).chain(stream::once(end));
    response.map(|()| Body::from_stream(body))
}

/// JSON whose list begins and does not come to an item; the whole body has so many bytes.
fn giant(bytes: u64) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(GIANT_TYPE));
    let first = Bytes::from_static(GIANT_START);
    let first = first.slice(..usize::try_from(bytes).unwrap_or(usize::MAX).min(first.len()));
    let bytes = bytes - first.len() as u64;
    let piece = Bytes::from(vec![b' '; PIECE]);
    let body = stream::unfold((first, bytes), move |(next, left)| {
        let piece = piece.clone();
        async move {
            if next.is_empty() {
                return None;
            }
            let after = if left == 0 {
                Bytes::new()
            } else {
                piece.slice(..usize::try_from(left).unwrap_or(PIECE).min(PIECE))
            };
            let left = left.saturating_sub(PIECE as u64);
            Some((Ok::<_, io::Error>(next), (after, left)))
        }
    });
    *response.body_mut() = Body::from_stream(body);
    response
}
