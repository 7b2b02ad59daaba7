//! Every call of the operator is a step: it is counted and told, may go wrong by the schedule, and is held against the oracle.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use avnm_arm::in_process::{Service, Unanswered};
use avnm_in_process::Azure;
use bytes::Bytes;
use http::{Method, Response, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::{
    faults::{Fault, LATE, Place, STALE, Schedule},
    manifests::{CONNECTIONS, MEMBERS},
    oracle,
};
use crate::api_server::{Action, Answer, ApiServer, Hook, Refusal, Request, RequestVerb};

/// What all that is under way shares.
pub(crate) struct Wire {
    schedule: Schedule,
    state: Mutex<State>,
    server: OnceLock<ApiServer>,
    azure: OnceLock<Azure>,
}

#[derive(Default)]
struct State {
    /// Calls so far.
    steps: usize,
    /// What each call was, by its number.
    places: Vec<Place>,
    /// Processes that ended, by their user agent.
    dead: BTreeSet<String>,
    /// What is to happen after the effect of a request that is under way.
    after: BTreeMap<String, Fault>,
    /// The status of an object before a write of it that is under way.
    before: BTreeMap<String, Value>,
    /// Faults that were played.
    played: usize,
    /// What was done, a line each.
    trace: Vec<String>,
    /// Rules that were broken.
    violations: Vec<String>,
    /// Writes that Azure was asked for.
    azure_writes: usize,
    /// Writes to our kinds that Kubernetes was asked for.
    kube_writes: usize,
}

/// What a request is, for matching its answer.
fn key(request: &Request) -> String {
    format!(
        "{} {:?} {}/{} {} {}",
        request.actor.user_agent,
        request.verb,
        request.namespace,
        request.name,
        request.resource_id(),
        request.subresource
    )
}

impl Wire {
    pub(crate) fn new(schedule: Schedule) -> Self {
        Self { schedule, state: Mutex::default(), server: OnceLock::new(), azure: OnceLock::new() }
    }

    /// Says what is at both ends.
    pub(crate) fn connect(&self, server: ApiServer, azure: Azure) {
        let _ = (self.server.set(server), self.azure.set(azure));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, line: String) {
        self.lock().trace.push(line);
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.lock().trace.clone()
    }

    pub(crate) fn violation(&self, what: String) {
        let mut state = self.lock();
        state.trace.push(format!("!! {what}"));
        state.violations.push(what);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    pub(crate) fn places(&self) -> Vec<Place> {
        self.lock().places.clone()
    }

    /// How many faults were played so far.
    pub(crate) fn played(&self) -> usize {
        self.lock().played
    }

    /// Writes so far: to Azure, and to our kinds in Kubernetes.
    pub(crate) fn writes(&self) -> (usize, usize) {
        let state = self.lock();
        (state.azure_writes, state.kube_writes)
    }

    pub(crate) fn is_dead(&self, agent: &str) -> bool {
        self.lock().dead.contains(agent)
    }

    /// A process ends: nothing of it is answered any more.
    pub(crate) fn kill(&self, agent: &str) {
        let mut state = self.lock();
        state.trace.push(format!("-- {agent} ends"));
        state.dead.insert(agent.to_owned());
    }

    /// Counts a call, and says what goes wrong with it.
    fn step(&self, place: Place, agent: &str, what: &str) -> Option<Fault> {
        let mut state = self.lock();
        let step = state.steps;
        state.steps += 1;
        state.places.push(place);
        let fault = self.schedule.at(step);
        state.played += usize::from(fault.is_some());
        let told = fault.map(|fault| format!("  <- {fault:?}")).unwrap_or_default();
        state.trace.push(format!("{step:4} {agent} {what}{told}"));
        fault
    }
}

/// No answer comes. A list of the runtime is given up by the client's own bound, and asked for again; all else has bounds of
/// the controller's.
fn hang(request: &Request) -> Action {
    match request.verb {
        RequestVerb::List => Action::Delay(avnm_controller::READ_TIMEOUT),
        _ => Action::Hang,
    }
}

fn writes(verb: RequestVerb) -> bool {
    matches!(verb, RequestVerb::Create | RequestVerb::Update | RequestVerb::Patch(_) | RequestVerb::Delete)
}

/// What is no step: the lease and the watches have faults of their own, and events change nothing.
fn is_counted(request: &Request) -> bool {
    let aside = ["leases", "events"].contains(&request.plural.as_str());
    request.actor.user_agent.starts_with("operator") && !aside && !matches!(request.verb, RequestVerb::Watch)
}

impl Hook for Wire {
    fn before(&self, request: &Request) -> Action {
        let agent = &request.actor.user_agent;
        if self.is_dead(agent) {
            return Action::Hang;
        }
        if !is_counted(request) {
            return Action::Pass;
        }
        let id = request.resource_id();
        let ours = [CONNECTIONS, MEMBERS].contains(&id.as_str());
        if writes(request.verb) && ours {
            self.lock().kube_writes += 1;
            if let Some(now) =
                self.server.get().and_then(|server| server.get(&id, &request.namespace, &request.name))
            {
                self.lock().before.insert(key(request), now);
            }
        }
        let what =
            format!("{:?} {id} {}/{} {}", request.verb, request.namespace, request.name, request.subresource);
        match self.step(Place::Kubernetes, agent, &what) {
            None => Action::Pass,
            Some(Fault::CrashBefore | Fault::LeaseLost) => {
                self.kill(agent);
                Action::Hang
            }
            Some(Fault::Hang) => hang(request),
            Some(Fault::CutBefore | Fault::Html | Fault::LateEffect) => Action::Cut,
            Some(fault @ (Fault::CrashAfter | Fault::CutAfter | Fault::HangAfter)) => {
                self.lock().after.insert(key(request), fault);
                Action::Pass
            }
            Some(Fault::Status(code)) => Action::Answer(refusal(code)),
            Some(Fault::WatchGap) => {
                if let Some(server) = self.server.get() {
                    for kind in server.kinds() {
                        server.end_watches(&kind, true);
                        server.compact(&kind);
                    }
                }
                Action::Pass
            }
            Some(Fault::StaleWatch) => {
                if let Some(server) = self.server.get().cloned() {
                    let stall = move |stalled: bool| {
                        for kind in server.kinds().iter().filter(|kind| kind.ends_with("avnm.dev")) {
                            server.stall(0, kind, stalled);
                        }
                    };
                    stall(true);
                    tokio::spawn(async move {
                        tokio::time::sleep(STALE).await;
                        stall(false);
                    });
                }
                Action::Pass
            }
        }
    }

    fn after(&self, request: &Request, answer: &Answer) -> Action {
        if !is_counted(request) {
            return Action::Pass;
        }
        let before = self.lock().before.remove(&key(request));
        if request.subresource == "status"
            && answer.code == 200
            && let (Ok(after), Some(azure)) =
                (serde_json::from_slice::<Value>(&answer.body), self.azure.get())
            && let Some(wrong) = oracle::ready(azure.control(), before.as_ref(), &after)
        {
            self.violation(wrong);
        }
        let fault = self.lock().after.remove(&key(request));
        match fault {
            Some(Fault::CrashAfter) => {
                self.kill(&request.actor.user_agent);
                Action::Hang
            }
            Some(Fault::CutAfter) => Action::Cut,
            Some(_) => hang(request),
            None => Action::Pass,
        }
    }
}

fn refusal(code: u16) -> Refusal {
    let (reason, message) = match code {
        403 => ("Forbidden", "an admission policy refuses"),
        409 => ("Conflict", "the object has been modified; please apply your changes to the latest version"),
        410 => ("Expired", "too old resource version"),
        422 => ("Invalid", "a field is invalid"),
        429 => ("TooManyRequests", "the server is busy"),
        _ => ("InternalError", "an error on the server"),
    };
    Refusal::new(code, reason, message)
}

/// Azure, as one process of the operator reaches it.
pub(crate) struct Line {
    pub(crate) wire: Arc<Wire>,
    pub(crate) azure: Azure,
    pub(crate) agent: String,
}

#[async_trait]
impl Service for Line {
    async fn call(&self, request: http::Request<Bytes>) -> Result<Response<Bytes>, Unanswered> {
        if self.wire.is_dead(&self.agent) {
            return std::future::pending().await;
        }
        let path = request.uri().path().to_owned();
        let arm = path.to_ascii_lowercase().contains("/providers/");
        let method = request.method().clone();
        let write = arm && (method == Method::PUT || method == Method::DELETE);
        if write {
            self.wire.lock().azure_writes += 1;
            if let Some(wrong) =
                self.wire.server.get().and_then(|server| oracle::write(server, method.as_str(), &path))
            {
                self.wire.violation(wrong);
            }
        }
        let fault = self.wire.step(Place::Azure, &self.agent, &format!("{method} {path}"));
        match fault {
            None | Some(Fault::WatchGap | Fault::StaleWatch) => {}
            Some(Fault::CrashBefore | Fault::LeaseLost) => {
                self.wire.kill(&self.agent);
                return std::future::pending().await;
            }
            Some(Fault::Hang) => return std::future::pending().await,
            Some(Fault::CutBefore) => return Err(Unanswered::Cut),
            Some(Fault::LateEffect) => {
                let azure = self.azure.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(LATE).await;
                    let _ = azure.call(request).await;
                });
                return Err(Unanswered::Cut);
            }
            Some(Fault::Status(code)) => return Ok(refused(code, &path)),
            Some(Fault::Html) => return Ok(page()),
            Some(Fault::CrashAfter | Fault::CutAfter | Fault::HangAfter) => {
                let _ = self.azure.call(request).await;
                if fault == Some(Fault::CrashAfter) {
                    self.wire.kill(&self.agent);
                }
                if fault == Some(Fault::CutAfter) {
                    return Err(Unanswered::Cut);
                }
                return std::future::pending().await;
            }
        }
        let answer = self.azure.call(request).await;
        // It may have ended meanwhile.
        if self.wire.is_dead(&self.agent) {
            return std::future::pending().await;
        }
        answer
    }
}

/// How long Azure asks to wait.
const RETRY_AFTER: Duration = Duration::from_secs(7);

fn refused(code: u16, path: &str) -> Response<Bytes> {
    let word = match code {
        400 => "BadRequest",
        401 => "ExpiredAuthenticationToken",
        403 => "AuthorizationFailed",
        // It proves nothing.
        404 => "InvalidResourceType",
        409 => "AnotherOperationInProgress",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalServerError",
    };
    let body = if path.contains("/oauth2/") {
        json!({"error": "temporarily_unavailable", "error_description": "AADSTS90033: a transient error"})
    } else {
        json!({"error": {"code": word, "message": "by the schedule"}})
    };
    let mut answer = Response::builder().status(code).header(CONTENT_TYPE, "application/json");
    if matches!(code, 429 | 503) {
        answer = answer.header("retry-after", RETRY_AFTER.as_secs());
    }
    answer.body(Bytes::from(body.to_string())).unwrap_or_default()
}

fn page() -> Response<Bytes> {
    let answer = Response::builder().status(502).header(CONTENT_TYPE, "text/html");
    answer.body(Bytes::from_static(b"<html><body>bad gateway</body></html>")).unwrap_or_default()
}
