//! The server: TLS, HTTP/1.1, and the faults that only a connection can suffer.

pub mod tls;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{self, HeaderMap, Response, StatusCode, header};
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
use crate::azure::{Azure, Door, Reaction, Request};
use crate::journal::Journal;

/// ARM's own bound on a body, in bytes.
const BODY_MAX: usize = 8 * 1024 * 1024;
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

/// What is served.
#[derive(Clone)]
pub struct Served {
    /// The emulated Azure.
    pub azure: Arc<Azure>,
    /// Where its Entra is.
    pub entra: Arc<str>,
    /// Who is told of calls.
    pub journal: Arc<Journal>,
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
    let Served { azure, entra, journal } = served;
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(Body::new(body), BODY_MAX).await else {
        let text = "The request content size exceeds the maximum size of 8 MB.";
        return Ok(response(Answer::gateway(413, "RequestContentTooLarge", text)));
    };
    let text = |name: &str| text(&head.headers, name);
    let named = text("host").filter(|_| door == Door::Azure);
    let request = Request {
        door,
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        origin: named.map_or_else(|| entra.to_string(), |host| format!("https://{host}")),
        authorization: text("authorization"),
        auxiliary: text("x-ms-authorization-auxiliary"),
        correlation: text("x-ms-correlation-request-id"),
        client_request_id: text("x-ms-client-request-id"),
        metadata: text("metadata"),
        if_match: text("if-match"),
        body,
    };
    let admitted = azure.admit(&request);
    if admitted.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(admitted.delay_ms)).await;
    }
    let reaction = azure.act(&request, &admitted);
    journal.tell(azure);
    match reaction {
        Reaction::Answer(answer) => Ok(response(answer)),
        Reaction::Cut => Err(CutOff),
        Reaction::Truncated(answer) => Ok(truncated(&answer)),
        Reaction::Giant(bytes) => Ok(giant(bytes)),
    }
}

/// All values of a header, as one, the way a list header is meant.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn head(answer: &Answer) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        // Only a fault can name a header that is none; it is then left out.
        if let (Ok(name), Ok(value)) = (name.parse::<header::HeaderName>(), value.parse()) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn response(answer: Answer) -> Response<Body> {
    let mut response = head(&answer);
    *response.body_mut() = Body::from(answer.body);
    response
}

/// The whole length is announced and half of it sent.
fn truncated(answer: &Answer) -> Response<Body> {
    let mut response = head(answer);
    response.headers_mut().insert(header::CONTENT_LENGTH, answer.body.len().max(2).into());
    let half = answer.body.slice(..answer.body.len() / 2);
    let end = async {
        // Time for the first half to leave; an error right behind it would take it along.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::from(io::ErrorKind::UnexpectedEof))
    };
    let body = stream::once(async { Ok(half) }).chain(stream::once(end));
    *response.body_mut() = Body::from_stream(body);
    response
}

/// JSON whose list begins and does not come to an item; the whole body has so many bytes.
fn giant(bytes: u64) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let json = header::HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    let first = Bytes::from_static(br#"{"value":["#);
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
