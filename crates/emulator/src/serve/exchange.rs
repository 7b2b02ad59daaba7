//! One call from its head and body to what its caller gets: the same for every way in.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode, header};
use bytes::Bytes;

use crate::answer::Answer;
use crate::azure::{Azure, Reaction};
use crate::journal::Journal;
use crate::request::{Door, Request};

/// ARM's own bound on a body, in bytes.
pub(crate) const BODY_MAX: usize = 8 * 1024 * 1024;
/// How the body of a giant answer begins: a list that does not come to an item.
pub(crate) const GIANT_START: &[u8] = br#"{"value":["#;
/// Its content type.
pub(crate) const GIANT_TYPE: &str = "application/json; charset=utf-8";

/// What is served.
#[derive(Clone, Debug)]
pub struct Served {
    /// The emulated Azure.
    pub azure: Arc<Azure>,
    /// Where its Entra is.
    pub entra: Arc<str>,
    /// Who is told of calls.
    pub journal: Arc<Journal>,
}

/// A body of more than [`BODY_MAX`] bytes, or one that did not come whole.
pub(crate) struct TooLarge;

/// Lets a call happen: what it is to suffer, how long it is held back, its effect, and what is told of it.
pub(crate) async fn exchange(
    served: &Served,
    door: Door,
    head: &Parts,
    body: Result<Bytes, TooLarge>,
) -> Reaction {
    let Served { azure, entra, journal } = served;
    let Ok(body) = body else {
        let text = "The request content size exceeds the maximum size of 8 MB.";
        return Reaction::Answer(Answer::gateway(413, "RequestContentTooLarge", text));
    };
    let text = |name: &str| text(&head.headers, name);
    // A request to a server names its host in a header, one that goes to no server in its URI.
    let named = text("host").or_else(|| head.uri.authority().map(ToString::to_string));
    let named = named.filter(|_| door == Door::Azure);
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
    reaction
}

/// All values of a header, as one, the way a list header is meant.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Status and headers of an answer.
pub(crate) fn head(answer: &Answer) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        // Only a fault can name a header that is none; it is then left out.
        if let (Ok(name), Ok(value)) = (name.parse::<header::HeaderName>(), value.parse()) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
