//! A collector of traces, as far as a scenario needs one: it takes what comes, reads it as the protocol has it, and keeps it for
//! who looks for secrets.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What came.
#[derive(Debug, Default)]
struct Taken {
    spans: Vec<Span>,
    resources: Vec<KeyValue>,
    /// What signed in, and where.
    requests: Vec<(String, String)>,
    undecoded: usize,
}

/// One that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Collector {
    taken: Arc<Mutex<Taken>>,
    kept: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Shared = (Arc<Mutex<Taken>>, PathBuf);

async fn take(State((taken, kept)): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) {
    let decoded = ExportTraceServiceRequest::decode(&body[..]);
    let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    let signed_in = headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
    taken.requests.push((uri.path().to_owned(), signed_in.to_owned()));
    let Ok(request) = decoded else {
        taken.undecoded += 1;
        return;
    };
    for of in request.resource_spans {
        taken.resources.extend(of.resource.into_iter().flat_map(|resource| resource.attributes));
        taken.spans.extend(of.scope_spans.into_iter().flat_map(|scope| scope.spans));
    }
    let _ = std::fs::write(&kept, format!("{:#?}\n{:#?}\n", taken.resources, taken.spans));
}

impl Collector {
    /// Starts one at this address. What comes is kept in `kept` as text.
    pub(crate) async fn start(address: SocketAddr, kept: PathBuf) -> Result<Self> {
        let listener = TcpListener::bind(address).await.context("listen as a collector")?;
        let taken = Arc::new(Mutex::new(Taken::default()));
        let router = Router::new().fallback(take).with_state((Arc::clone(&taken), kept.clone()));
        let task = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { taken, kept, task })
    }

    /// All spans so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.lock().spans.clone()
    }

    /// What a service says of itself, under this key.
    pub(crate) fn resource(&self, key: &str) -> Option<String> {
        text(&self.lock().resources, key)
    }

    /// Paths and what signed in, of each request.
    pub(crate) fn requests(&self) -> Vec<(String, String)> {
        self.lock().requests.clone()
    }

    /// How many requests could not be read.
    pub(crate) fn undecoded(&self) -> usize {
        self.lock().undecoded
    }

    /// Where what came is kept.
    pub(crate) fn kept(&self) -> &std::path::Path {
        &self.kept
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attribute that is text.
pub(crate) fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    match attributes.iter().find(|it| it.key == key)?.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}
