//! The tower service that a client is given: HTTP in, HTTP out, without a socket.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::StreamExt as _;
use http::{Request as HttpRequest, Response, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use kube::client::Body;
use serde_json::Value;

use super::{
    answer::{Answer, Refusal},
    delete::Deleted,
    events, finish,
    hook::{Action, Hook},
    object::Object,
    request::{Request, RequestVerb},
    resource::EVENTS_GROUP,
    store::{Shared, Store},
    tokens::SignToken,
    watch::Watch,
};

/// The body of an answer: whole, or the lines of a watch.
type AnswerBody = UnsyncBoxBody<Bytes, io::Error>;

/// What one client speaks to.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) shared: Shared,
    pub(crate) hook: Arc<dyn Hook>,
    pub(crate) sign: SignToken,
    /// Which watch caches it sees.
    pub(crate) front_end: u32,
    /// Its user agent.
    pub(crate) agent: String,
}

impl tower_service::Service<HttpRequest<Body>> for Service {
    type Response = Response<AnswerBody>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { service.serve(request).await })
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection was cut")
}

fn whole(answer: &Answer) -> Response<AnswerBody> {
    let body = Full::new(answer.body.clone()).map_err(|never| match never {}).boxed_unsync();
    response(answer.code, answer.content_type, body)
}

fn response(code: u16, content_type: &'static str, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() =
        http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

impl Service {
    async fn serve(&self, request: HttpRequest<Body>) -> io::Result<Response<AnswerBody>> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        if !parts.headers.contains_key(header::USER_AGENT)
            && let Ok(agent) = http::HeaderValue::from_str(&self.agent)
        {
            parts.headers.insert(header::USER_AGENT, agent);
        }
        let request = match Request::parse(&parts, &body, self.front_end) {
            Ok(request) => request,
            Err(refusal) => return Ok(whole(&Answer::from(&refusal))),
        };
        let answer = match act(self.hook.before(&request)).await? {
            Some(answer) => answer,
            None if request.verb == RequestVerb::Watch => return self.watch(&request).await,
            None => {
                let mut store = self.shared.lock();
                let answer = answer(&mut store, &self.shared, &self.sign, &request);
                drop(store);
                answer.unwrap_or_else(|refusal| Answer::from(&refusal))
            }
        };
        let changed = act(self.hook.after(&request, &answer)).await?;
        Ok(whole(changed.as_ref().unwrap_or(&answer)))
    }

    async fn watch(&self, request: &Request) -> io::Result<Response<AnswerBody>> {
        let watch = Watch::begin(&self.shared, &self.hook, request);
        let begun = match &watch {
            Ok(_) => Answer::bytes(200, Bytes::new()),
            Err(refusal) => Answer::from(refusal),
        };
        if let Some(answer) = act(self.hook.after(request, &begun)).await? {
            return Ok(whole(&answer));
        }
        match watch {
            Ok(watch) => {
                let frames = watch.lines().map(|line| line.map(http_body::Frame::data));
                Ok(response(200, "application/json", StreamBody::new(frames).boxed_unsync()))
            }
            Err(_) => Ok(whole(&begun)),
        }
    }
}

/// Plays what the hook says; `Some` is an answer instead of the real one.
async fn act(action: Action) -> io::Result<Option<Answer>> {
    match action {
        Action::Pass => Ok(None),
        Action::Delay(wait) => {
            tokio::time::sleep(wait).await;
            Ok(None)
        }
        Action::Hang => std::future::pending().await,
        Action::Cut => Err(cut()),
        Action::Answer(refusal) => Ok(Some(Answer::from(&refusal))),
    }
}

/// An object as the request wants to see it.
fn shown(request: &Request, code: u16, object: &Object) -> Answer {
    let body = if request.metadata_only {
        object.metadata_json()
    } else if request.group == EVENTS_GROUP {
        events::from_store(object.view()).to_string().into()
    } else {
        object.json()
    };
    Answer::bytes(code, body)
}

/// Does what is asked, and answers.
pub(crate) fn answer(
    store: &mut Store,
    shared: &Shared,
    sign: &SignToken,
    request: &Request,
) -> Result<Answer, Refusal> {
    let done = match request.verb {
        RequestVerb::Get => {
            store.collection(request)?;
            if request.subresource == "token" {
                return Err(Refusal::new(
                    405,
                    "MethodNotAllowed",
                    "the server does not allow this method on the requested resource",
                ));
            }
            (200, get(store, request)?)
        }
        RequestVerb::List | RequestVerb::Watch => return store.list(request),
        RequestVerb::Create if request.subresource == "token" => return store.token(request, sign),
        RequestVerb::Create => store.create(request)?,
        RequestVerb::Update => store.update(request)?,
        RequestVerb::Patch(patch) => store.patch(request, patch)?,
        RequestVerb::Delete => return delete(store, shared, request),
        RequestVerb::DeleteCollection => return delete_collection(store, shared, request),
    };
    Ok(shown(request, done.0, &done.1))
}

fn get(store: &mut Store, request: &Request) -> Result<Arc<Object>, Refusal> {
    let (id, key) = (request.resource_id(), super::list::key(request));
    let newest = store.version();
    // With a version, the watch cache may answer; without, the store does.
    let found = match request.parameter("resourceVersion").parse::<u64>() {
        Ok(version) => {
            let cached = store.collections.get_mut(&id).map(|it| it.cached(request.front_end));
            cached
                .filter(|cached| version <= if cached.lags { cached.version } else { newest })
                .and_then(|cached| cached.objects.get(&key).cloned())
        }
        Err(_) => store.get(&id, &key),
    };
    found.ok_or_else(|| Refusal::not_found(request.subject()))
}

fn delete(store: &mut Store, shared: &Shared, request: &Request) -> Result<Answer, Refusal> {
    match store.delete(request)? {
        Deleted::Marked(object) => {
            finish::begin(shared, &request.resource_id(), &request.name);
            Ok(shown(request, 200, &object))
        }
        // An account's end is answered with the account.
        Deleted::Gone(object) if request.plural == "serviceaccounts" => Ok(shown(request, 200, &object)),
        Deleted::Gone(object) => Ok(Answer::json(200, &Store::deleted_status(request, &object))),
    }
}

fn delete_collection(store: &mut Store, shared: &Shared, request: &Request) -> Result<Answer, Refusal> {
    let answer = store.list(request)?;
    let list: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    for item in list["items"].as_array().into_iter().flatten() {
        let text = |name: &str| super::object::text(item, name).to_owned();
        let one = Request {
            verb: RequestVerb::Delete,
            name: text("name"),
            namespace: text("namespace"),
            ..request.clone()
        };
        delete(store, shared, &one)?;
    }
    Ok(answer)
}
