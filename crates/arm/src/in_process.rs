//! Bytes by a function call: the client in one process with what answers it, on tokio's paused clock.
//!
//! A real socket does not fit a paused clock, which jumps ahead whenever all tasks wait, also for the network. Here
//! nothing waits but for time. What lies above the transport is the same code: headers, URLs, bounds, sign-ins,
//! gates. Nothing that ships has this module; the feature `in-process` turns it on.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::header::{HeaderValue, USER_AGENT};

use crate::message::{Answer, BODY_MAX, NoAnswer, Request};

/// Answers requests in the place of Azure and Entra.
#[async_trait]
pub trait Service: Send + Sync {
    /// Answers one request, whose URI is the whole URL. It is dropped where it stands when the client's time is up, as
    /// a server drops a request whose connection was closed.
    async fn call(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Unanswered>;
}

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// No connection came about: nothing was sent.
    Unconnected,
    /// The connection was cut after the request may have been sent.
    Cut,
    /// Nobody waits for an answer any longer.
    TimedOut,
}

impl From<Unanswered> for NoAnswer {
    fn from(why: Unanswered) -> Self {
        match why {
            Unanswered::Unconnected => Self::Unconnected("connection refused".to_owned()),
            Unanswered::Cut => Self::Cut("connection closed before message completed".to_owned()),
            Unanswered::TimedOut => Self::TimedOut,
        }
    }
}

/// A service, and what the HTTPS client would add to each request.
#[derive(Clone)]
pub(crate) struct Carrier {
    service: Arc<dyn Service>,
    user_agent: String,
}

impl Carrier {
    pub(crate) fn new(service: Arc<dyn Service>, user_agent: String) -> Self {
        Self { service, user_agent }
    }

    /// Sends one request. The bound on its time is tokio's, so that a paused clock keeps it.
    pub(crate) async fn send(&self, request: Request, timeout: Duration) -> Result<Answer, NoAnswer> {
        let unfit = |what: &str| NoAnswer::Unconnected(format!("{what} cannot be sent"));
        if request.url.scheme() != "https" {
            return Err(unfit("a request that is not https"));
        }
        let mut sent = http::Request::new(request.body.unwrap_or_default());
        *sent.method_mut() = request.method;
        *sent.uri_mut() = request.url.as_str().parse().map_err(|_| unfit("this URL"))?;
        *sent.headers_mut() = request.headers;
        let agent = HeaderValue::try_from(&self.user_agent).map_err(|_| unfit("this user agent"))?;
        sent.headers_mut().insert(USER_AGENT, agent);
        // A call is where other tasks get their turn, before it has its effect and before its answer is read: a service
        // that answers at once must not make one step of what are three.
        let call = async {
            tokio::task::yield_now().await;
            let answered = self.service.call(sent).await;
            tokio::task::yield_now().await;
            answered
        };
        let answered = tokio::time::timeout(timeout, call).await;
        let (head, body) = answered.map_err(|_| NoAnswer::TimedOut)?.map_err(NoAnswer::from)?.into_parts();
        if body.len() > BODY_MAX {
            return Err(NoAnswer::TooLarge);
        }
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }
}
