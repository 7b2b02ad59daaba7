//! The calls of the operator to Azure and Entra.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use avnm_arm::{
    clock,
    in_process::{Service, Unanswered},
};
use avnm_in_process::Azure;
use bytes::Bytes;
use http::{Method, Request, Response, header::CONTENT_TYPE};
use serde_json::json;

use crate::api_server::ApiServer;

use super::{
    super::{
        faults::{Fault, LATE, Place},
        oracle,
    },
    Wire,
};

/// How long Azure asks to wait.
const RETRY_AFTER: Duration = Duration::from_secs(7);

/// Azure, as one process of the operator reaches it.
pub(crate) struct Line {
    pub(crate) wire: Arc<Wire>,
    pub(crate) azure: Azure,
    pub(crate) agent: String,
}

#[async_trait]
impl Service for Line {
    async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unanswered> {
        if self.wire.is_dead(&self.agent) {
            return std::future::pending().await;
        }
        let path = request.uri().path().to_owned();
        self.asks(&request, &path);
        let fault = self.wire.step(
            place(request.method(), &path),
            &self.agent,
            &format!("{} {path}", request.method()),
        );
        if request.method() == Method::GET && self.wire.lock().deaf {
            return Err(Unanswered::Cut);
        }
        match fault {
            None => self.pass(request).await,
            Some(fault) => self.suffer(fault, request, &path).await,
        }
    }
}

fn place(method: &Method, path: &str) -> Place {
    if path.contains("/oauth2/") {
        Place::SignIn
    } else if method == Method::GET {
        Place::Read
    } else {
        Place::Write
    }
}

impl Line {
    async fn pass(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unanswered> {
        let read = (request.method() == Method::GET).then(|| request.uri().path().to_ascii_lowercase());
        let begun = clock::instant();
        let answer = self.azure.call(request).await;
        // It may have ended meanwhile.
        if self.wire.is_dead(&self.agent) {
            return std::future::pending().await;
        }
        if let Some(path) = read {
            self.wire.lock().read.insert((self.agent.clone(), path), begun);
        }
        answer
    }

    /// What must hold of a call before it goes out.
    fn asks(&self, request: &Request<Bytes>, path: &str) {
        let arm = path.to_ascii_lowercase().contains("/providers/");
        let method = request.method();
        let mut wrong = vec![oracle::secrecy::host(request), self.is_too_early(method, path)];
        if arm && (method == Method::PUT || method == Method::DELETE) {
            self.wire.lock().sent.azure += 1;
            if let (Some(server), Some(azure)) = (self.wire.server.get(), self.wire.azure.get()) {
                wrong.extend([
                    oracle::write::write(server, method.as_str(), path),
                    oracle::lease::write(server, &self.agent, method.as_str(), path),
                    oracle::lending::write(server, method.as_str(), path),
                ]);
                wrong.push(match *method {
                    Method::PUT => self.is_unread(azure, path),
                    _ => self.is_in_vain(server, path),
                });
            }
        }
        for wrong in wrong.into_iter().flatten() {
            self.wire.violation(wrong);
        }
    }

    /// Whoever was asked to wait does, with all of that kind: Azure counts by subscription and verb.
    fn is_too_early(&self, method: &Method, path: &str) -> Option<String> {
        let until = *self.wire.lock().told_to_wait.get(&self.counted(method, path)?)?;
        let early = until.saturating_duration_since(clock::instant());
        // What is sent at the very moment of that answer was under way.
        let knew = early < RETRY_AFTER;
        (!early.is_zero() && knew)
            .then(|| format!("L4: {method} {path} comes {early:?} before Azure wants it"))
    }

    /// What Azure counts a call as; nothing for a sign-in, of which the wire does not tell by which credential it is.
    fn counted(&self, method: &Method, path: &str) -> Option<(String, String, String)> {
        let mut segments = path.trim_start_matches('/').split('/');
        let subscription = (segments.next()? == "subscriptions").then(|| segments.next())??;
        Some((self.agent.clone(), method.to_string(), subscription.to_ascii_lowercase()))
    }

    /// What is deleted to be made anew could be made now.
    fn is_in_vain(&self, server: &ApiServer, path: &str) -> Option<String> {
        let until = *self.wire.lock().told_to_wait.get(&self.counted(&Method::PUT, path)?)?;
        let early = until.saturating_duration_since(clock::instant());
        let anew = !early.is_zero() && oracle::write::makes_anew(server, path);
        anew.then(|| format!("S2: DELETE {path}, and Azure takes no PUT for {early:?}"))
    }

    /// What is made was looked for after the claim was durable.
    fn is_unread(&self, azure: &Azure, path: &str) -> Option<String> {
        let there = azure.control().get(path, None).is_ok_and(|found| found.is_some());
        let id = path.to_ascii_lowercase();
        let state = self.wire.lock();
        let claimed = state.claimed.get(&id)?;
        let read = state.read.get(&(self.agent.clone(), id.clone()));
        let wrong = !there && read.is_none_or(|read| read < claimed);
        wrong.then(|| format!("S5: PUT {path}: nobody looked after the claim was durable"))
    }

    async fn suffer(
        &self,
        fault: Fault,
        request: Request<Bytes>,
        path: &str,
    ) -> Result<Response<Bytes>, Unanswered> {
        match fault {
            Fault::CrashBefore | Fault::LeaseLost => {
                self.wire.kill(&self.agent);
                std::future::pending().await
            }
            Fault::Hang => std::future::pending().await,
            Fault::CutBefore => Err(Unanswered::Cut),
            Fault::LateEffect | Fault::CrashLate => {
                let azure = self.azure.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(LATE).await;
                    let _ = azure.call(request).await;
                });
                if fault == Fault::CrashLate {
                    self.wire.kill(&self.agent);
                    self.wire.free_lease();
                    return std::future::pending().await;
                }
                Err(Unanswered::Cut)
            }
            Fault::Status(code) => {
                if matches!(code, 429 | 503)
                    && let Some(key) = self.counted(request.method(), path)
                {
                    self.wire.lock().told_to_wait.insert(key, clock::instant() + RETRY_AFTER);
                }
                Ok(refused(code, path))
            }
            Fault::Html => Ok(page()),
            Fault::Echo if path.contains("/oauth2/") => Ok(echo(request.body())),
            Fault::Astray if request.method() == Method::GET => Ok(astray()),
            Fault::WatchGap | Fault::StaleWatch | Fault::Echo | Fault::Astray => self.pass(request).await,
            Fault::CrashAfter | Fault::CutAfter | Fault::HangAfter => {
                let _ = self.azure.call(request).await;
                match fault {
                    Fault::CrashAfter => self.wire.kill(&self.agent),
                    Fault::CutAfter => return Err(Unanswered::Cut),
                    _ => {}
                }
                std::future::pending().await
            }
        }
    }
}

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

/// What Entra never does, and something between may: the error repeats the request.
fn echo(body: &Bytes) -> Response<Bytes> {
    let said = String::from_utf8_lossy(body);
    let body = json!({
        "error": "invalid_client", "error_description": format!("AADSTS7000215: Invalid client secret: {said}")
    });
    let answer = Response::builder().status(401).header(CONTENT_TYPE, "application/json");
    answer.body(Bytes::from(body.to_string())).unwrap_or_default()
}

fn astray() -> Response<Bytes> {
    let body = json!({"value": [], "nextLink": "https://elsewhere.example/next?page=2"});
    let answer = Response::builder().status(200).header(CONTENT_TYPE, "application/json");
    answer.body(Bytes::from(body.to_string())).unwrap_or_default()
}
