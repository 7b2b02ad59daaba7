//! Spans on their way: the HTTP client that Azure is spoken to with, too.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use avnm_terms::text::bounded;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use secrecy::ExposeSecret as _;
use tokio::runtime::Handle;

use super::collector::Collector;
use crate::kubernetes::Outside;

/// Bound on one request, from connecting to the last byte of its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer that is read, in bytes: it says at most how many spans were not taken.
const ANSWER_MAX: usize = 64 * 1024;
/// Longest reason that is told, in characters.
const WHY_MAX: usize = 300;

/// Sends batches, and says in the log when that begins to fail and when it works again.
pub(super) struct Sender {
    client: reqwest::Client,
    /// The thread that asks for sending has no reactor of its own.
    runtime: Handle,
    shown: String,
    away: AtomicBool,
}

/// Without the client, which has no secrets but may have a proxy with some.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender to {}", self.shown)
    }
}

impl Sender {
    pub(super) fn new(collector: &Collector, outside: &Outside, runtime: Handle) -> anyhow::Result<Self> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(concat!("avnm-operator/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .no_proxy();
        let url = collector.url.as_str();
        // HTTPS_PROXY is for https: a collector in the cluster is usually reached in plain, and directly.
        if let Some(proxy) =
            outside.proxy.as_ref().filter(|it| collector.url.scheme() == "https" && it.is_for(url))
        {
            let proxy = reqwest::Proxy::all(proxy.url().expose_secret()).context("the proxy's URL")?;
            builder = builder.proxy(proxy);
        }
        if let Some(pem) = &outside.extra_ca_pem {
            let extra = reqwest::Certificate::from_pem_bundle(pem).context("cannot read --ca-file")?;
            builder = builder.tls_certs_merge(extra);
        }
        let client = builder.build().context("cannot set up the client of the collector")?;
        Ok(Self { client, runtime, shown: collector.shown(), away: AtomicBool::new(false) })
    }

    /// Once when it begins, and once when it is over: batches come every few seconds.
    fn tell(&self, failure: Option<&str>) {
        match failure {
            Some(why) if !self.away.swap(true, Ordering::Relaxed) => {
                let why = bounded(why, WHY_MAX);
                tracing::warn!(
                    collector = self.shown,
                    why,
                    "cannot send traces: they are lost until the collector takes them again"
                );
            }
            None if self.away.swap(false, Ordering::Relaxed) => {
                tracing::info!(collector = self.shown, "traces are sent again");
            }
            _ => {}
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.runtime.spawn(send(self.client.clone(), request)).await;
        let answer = sent.unwrap_or_else(|_| Err("the process stops".to_owned()));
        match &answer {
            Ok(answer) if answer.status().is_success() => self.tell(None),
            // Not its text, which may repeat what was sent along.
            Ok(answer) => self.tell(Some(&format!("HTTP {}", answer.status().as_u16()))),
            Err(why) => self.tell(Some(why)),
        }
        Ok(answer?)
    }
}

async fn send(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let request = reqwest::Request::try_from(request).map_err(why)?;
    let mut answer = client.execute(request).await.map_err(why)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(why)? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Err(format!("the answer is longer than {ANSWER_MAX} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

/// The innermost cause: what is around it names the URL, whose query may hold a key.
fn why(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    // A chain of errors is short; the bound only keeps a loop out.
    for _ in 0..8 {
        let Some(source) = innermost.source() else { break };
        innermost = source;
    }
    innermost.to_string()
}
