//! Bytes over TLS: one client for ARM and for Entra, with bounds on time and size. A test may put a function call in the
//! place of TLS (feature `in-process`), and nothing above it knows.

use std::{error::Error as _, fmt, time::Duration};

use bytes::BytesMut;

use crate::{
    message::{Answer, BODY_MAX, NoAnswer, Request},
    proxy::Proxy,
};

/// How to connect.
#[derive(Debug, Clone)]
pub struct TransportOptions {
    /// Certificates (PEM) that are trusted beside the system's.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// What stands between: nothing but this is asked for one, and no environment.
    pub proxy: Option<Proxy>,
    /// Bound on connecting, TLS included.
    pub connect_timeout: Duration,
    /// Bound on one request, from sending to the last byte of its answer.
    pub request_timeout: Duration,
    /// Sent as `User-Agent`.
    pub user_agent: String,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            extra_ca_pem: None,
            proxy: None,
            connect_timeout: Duration::from_secs(10),
            // ARM gives the resource provider 60 s and then answers 504: leave it the time to say so.
            request_timeout: Duration::from_secs(65),
            user_agent: concat!("avnm-operator/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Why there is no transport.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The extra CA bundle cannot be read.
    #[error("the extra CA bundle holds no usable PEM certificate")]
    Ca(#[source] Option<reqwest::Error>),
    /// TLS cannot be set up.
    #[error("cannot set up the HTTPS client")]
    Build(#[source] reqwest::Error),
}

/// The HTTPS client. Cheap to clone: clones share its connections.
#[derive(Clone)]
pub struct Transport {
    carrier: Carrier,
    request_timeout: Duration,
    proxy: Option<Proxy>,
}

/// What carries a request to where it is answered. All that the client does lies above it.
#[derive(Clone)]
enum Carrier {
    /// TLS.
    Network(reqwest::Client),
    /// A function call.
    #[cfg(feature = "in-process")]
    InProcess(crate::in_process::Carrier),
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("request_timeout", &self.request_timeout).finish_non_exhaustive()
    }
}

impl Transport {
    /// Sets up TLS. Only https, no redirects (a token must not follow one), no compression, no retries: whether a
    /// request may be repeated is known only to who makes it.
    pub fn new(options: &TransportOptions) -> Result<Self, TransportError> {
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(&options.user_agent)
            .connect_timeout(options.connect_timeout)
            .timeout(options.request_timeout)
            .pool_idle_timeout(Duration::from_secs(60))
            .no_proxy();
        if let Some(proxy) = &options.proxy {
            builder = builder.proxy(proxy.for_requests().map_err(TransportError::Build)?);
        }
        if let Some(pem) = &options.extra_ca_pem {
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| TransportError::Ca(Some(error)))?;
            if certificates.is_empty() {
                return Err(TransportError::Ca(None));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let carrier = Carrier::Network(builder.build().map_err(TransportError::Build)?);
        Ok(Self { carrier, request_timeout: options.request_timeout, proxy: options.proxy.clone() })
    }

    /// One without a network: what reaches Azure reaches this service, and so do the sign-ins.
    #[cfg(feature = "in-process")]
    pub fn in_process(
        service: std::sync::Arc<dyn crate::in_process::Service>,
        options: &TransportOptions,
    ) -> Self {
        let carrier = crate::in_process::Carrier::new(service, options.user_agent.clone());
        Self { carrier: Carrier::InProcess(carrier), request_timeout: options.request_timeout, proxy: None }
    }

    /// Sends one request and reads its whole answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, NoAnswer> {
        let timeout = request.timeout.map_or(self.request_timeout, |wish| wish.min(self.request_timeout));
        match &self.carrier {
            Carrier::Network(client) => {
                let proxy = self.proxy.as_ref().filter(|proxy| proxy.is_for(request.url.as_str()));
                over_network(client, request, timeout).await.map_err(|why| through(why, proxy))
            }
            #[cfg(feature = "in-process")]
            Carrier::InProcess(carrier) => carrier.send(request, timeout).await,
        }
    }
}

async fn over_network(
    client: &reqwest::Client,
    request: Request,
    timeout: Duration,
) -> Result<Answer, NoAnswer> {
    let mut builder = client.request(request.method, request.url).headers(request.headers).timeout(timeout);
    if let Some(body) = request.body {
        builder = builder.body(body);
    }
    let mut response = builder.send().await.map_err(no_answer)?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    // The declared length only says when not to begin; what is counted is what came.
    if response.content_length().is_some_and(|length| length > BODY_MAX as u64) {
        return Err(NoAnswer::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        if body.len() + chunk.len() > BODY_MAX {
            return Err(NoAnswer::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body: body.freeze() })
}

/// A connection that was not made was perhaps not made by the proxy.
fn through(why: NoAnswer, proxy: Option<&Proxy>) -> NoAnswer {
    match (why, proxy) {
        (NoAnswer::Unconnected(why), Some(proxy)) => {
            NoAnswer::Unconnected(format!("{why}, through the proxy {proxy}"))
        }
        (why, _) => why,
    }
}

/// Why no answer was read.
fn no_answer(error: reqwest::Error) -> NoAnswer {
    if error.is_connect() {
        NoAnswer::Unconnected(chain(error))
    } else if error.is_timeout() {
        NoAnswer::TimedOut
    } else {
        NoAnswer::Cut(chain(error))
    }
}

/// The causes, innermost last. Without the URL, which the fault names already.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut texts: Vec<String> = Vec::new();
    let mut next = error.source();
    // A chain of errors is short; the bound only keeps a loop out.
    for _ in 0..8 {
        let Some(error) = next else { break };
        let text = error.to_string();
        if !texts.last().is_some_and(|last| last.ends_with(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_ca_bundle_is_refused() {
        let options =
            TransportOptions { extra_ca_pem: Some(b"no certificate".to_vec()), ..Default::default() };
        assert!(matches!(Transport::new(&options), Err(TransportError::Ca(_))));
    }
}
