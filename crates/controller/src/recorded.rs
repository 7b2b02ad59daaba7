//! For tests: a `kube::Client` over a Kubernetes API in memory, which keeps what was asked of it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{Method, StatusCode, header},
    response::Response,
};
use kube::Client;
use serde_json::{Value, json};

/// Largest body that is read, in bytes: the API server's own bound.
const BODY_MAX: usize = 3 * 1024 * 1024;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) accept: String,
    /// Null where there was none.
    pub(crate) body: Value,
}

/// What was asked, in order.
#[derive(Clone, Default)]
pub(crate) struct Recorded(Arc<Mutex<Vec<Asked>>>);

impl Recorded {
    /// All so far.
    pub(crate) fn all(&self) -> Vec<Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A client of an API that answers as it is told to, with a code and a body, and the record of its requests.
pub(crate) fn client(
    answer: impl Fn(&Asked) -> (u16, Value) + Clone + Send + Sync + 'static,
) -> (Client, Recorded) {
    let recorded = Recorded::default();
    let record = recorded.clone();
    let router = Router::new().fallback(move |request: Request| {
        let (record, answer) = (record.clone(), answer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, BODY_MAX).await.expect("the body is whole");
            let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
            let asked = Asked {
                method: parts.method,
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                accept: accept.unwrap_or_default().to_owned(),
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            record.0.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
            let (code, body) = answer(&asked);
            let mut response = Response::new(Body::from(body.to_string()));
            *response.status_mut() = StatusCode::from_u16(code).expect("a code of HTTP");
            Ok::<_, Infallible>(response)
        }
    });
    (Client::new(router, "default"), recorded)
}

/// The body with which the API server refuses.
pub(crate) fn refusal(code: u16, reason: &str, message: &str) -> (u16, Value) {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": message,
    });
    (code, status)
}
