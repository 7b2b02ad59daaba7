//! One sign-in at Entra, and what its refusals mean.
//!
//! The token request is azure_identity's. A credential of it is built for one request and dropped: its cache
//! cannot be told to forget a token. Its transport is ours (so that the extra CA, the bounds and "no redirects"
//! hold), its retries are off, and what Entra answered is read here, not out of its error text.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use avnm_terms::{Details, Fault, FaultKind, SignInFault, text};
use azure_core::{
    cloud::CustomConfiguration,
    credentials::{AccessToken, Secret, TokenCredential},
    error::ErrorKind,
    http::{
        AsyncRawResponse, Body, ClientOptions, HttpClient, Method, Request as AzureRequest, RetryOptions,
        Transport as AzureTransport, headers::Headers,
    },
};
use azure_identity::{
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Cloud, Credential, Material, Transport,
    assertion::{self, Fixed},
    clock,
    credential::redact,
    error,
    message::{Answer, NoAnswer, Request},
    retry_after,
};

/// What was tried, in faults.
pub(crate) const OPERATION: &str = "sign in";

/// Entra's own code for a certificate that has expired: it is told without asking.
const CERTIFICATE_EXPIRED: &str = "AADSTS1000502";

/// Bound on one sign-in. Entra answers in well under a second; a call to ARM waits for it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Entra saw the same request too often in a row.
const LOOP: u64 = 50196;

/// How long nobody asks after that, where Entra does not say (assumed: it says only that it is to stop).
const LOOP_PAUSE: Duration = Duration::from_secs(10 * 60);

/// A token, and how long it is good.
pub(crate) struct Grant {
    pub(crate) token: AccessToken,
    /// From the answer on, as Entra said it. What the SDK makes of that is a time of its own wall clock.
    pub(crate) life: Duration,
}

/// Asks Entra for a token.
pub(crate) async fn sign_in(
    cloud: &Cloud,
    transport: &Transport,
    credential: &Credential,
) -> Result<Grant, Fault> {
    let wire = Arc::new(Wire { transport: transport.clone(), seen: Mutex::new(None) });
    let mut configuration = CustomConfiguration::default();
    cloud.authority().as_str().clone_into(&mut configuration.authority_host);
    let client_options = ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(AzureTransport::new(Arc::clone(&wire) as Arc<dyn HttpClient>)),
        cloud: Some(Arc::new(configuration.into())),
        ..ClientOptions::default()
    };
    let proof = proof(cloud, credential).await?;
    let (tenant, client) = (credential.tenant.as_str(), credential.client.as_str().to_owned());
    let once: azure_core::Result<Arc<dyn TokenCredential>> = match &credential.material {
        Material::ClientSecret(_) => ClientSecretCredential::new(
            tenant,
            client,
            Secret::new(proof.expose_secret().to_owned()),
            Some(ClientSecretCredentialOptions { client_options }),
        )
        .map(|once| once as _),
        Material::Certificate(_) | Material::Assertion(_) => ClientAssertionCredential::new(
            tenant.to_owned(),
            client,
            Fixed(proof.clone()),
            Some(ClientAssertionCredentialOptions { client_options }),
        )
        .map(|once| once as _),
    };
    // Cannot happen with parsed ids and an https authority; its text may name them, nothing else.
    let once =
        once.map_err(|error| local(credential, SignInFault::Refused, redact(&proof, &error.to_string())))?;
    match once.get_token(&[&cloud.scope()], None).await {
        Ok(token) => Ok(Grant { token, life: wire.life() }),
        Err(_) => Err(wire.fault(credential, &proof)),
    }
}

/// What is sent as proof: the secret, or an assertion made for this one sign-in.
async fn proof(cloud: &Cloud, credential: &Credential) -> Result<SecretString, Fault> {
    match &credential.material {
        Material::ClientSecret(secret) if secret.expose_secret().is_empty() => {
            Err(local(credential, SignInFault::SourceMissing, "the client secret is empty"))
        }
        Material::ClientSecret(secret) => Ok(secret.clone()),
        Material::Certificate(certificate) => {
            let now = clock::now();
            if certificate.not_after() <= now {
                return Err(Fault {
                    code: CERTIFICATE_EXPIRED.to_owned(),
                    expired: Some(certificate.not_after()),
                    ..local(credential, SignInFault::Refused, "the certificate has expired")
                });
            }
            let url = cloud.token_url(credential.tenant.as_str());
            certificate.assertion(credential.client.as_str(), &url, now).ok_or_else(|| {
                local(credential, SignInFault::Refused, "the certificate's key cannot sign an assertion")
            })
        }
        Material::Assertion(source) => source.assertion().await,
    }
}

/// A failure that Entra did not answer.
pub(crate) fn local(credential: &Credential, why: SignInFault, message: impl std::fmt::Display) -> Fault {
    Fault::local(OPERATION, credential.target(), FaultKind::SignIn(why), message)
}

/// Our transport in the shape that azure_core wants, for one sign-in.
#[derive(Debug)]
struct Wire {
    transport: Transport,
    seen: Mutex<Option<Seen>>,
}

#[derive(Debug)]
enum Seen {
    /// A refusal, or anything else that is no token.
    Refusal(Box<Refusal>),
    /// A 200: how long its token is good. The body is not kept, since it holds the token.
    Success { life: Duration },
    /// Nothing.
    Silence(NoAnswer),
}

impl Wire {
    fn note(&self, seen: Seen) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }

    /// How long the token is good that came last; nothing where none did.
    fn life(&self) -> Duration {
        match *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Seen::Success { life }) => life,
            Some(Seen::Refusal(_) | Seen::Silence(_)) | None => Duration::ZERO,
        }
    }

    fn fault(&self, credential: &Credential, proof: &SecretString) -> Fault {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        match seen {
            Some(Seen::Refusal(refusal)) => refusal.into_fault(credential, proof),
            Some(Seen::Success { .. }) => local(
                credential,
                SignInFault::Unreachable,
                "the answer of the sign-in endpoint holds no token",
            ),
            Some(Seen::Silence(why)) => local(credential, SignInFault::Unreachable, why),
            None => local(credential, SignInFault::Unreachable, "the sign-in request could not be made"),
        }
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn execute_request(&self, request: &AzureRequest) -> azure_core::Result<AsyncRawResponse> {
        let unfit = || azure_core::Error::with_message(ErrorKind::Other, "not a token request");
        let (Method::Post, Body::Bytes(body)) = (request.method(), request.body().clone()) else {
            return Err(unfit());
        };
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers().iter() {
            // Our own user agent says who calls.
            if !name.as_str().eq_ignore_ascii_case("user-agent") {
                let name = HeaderName::try_from(name.as_str()).map_err(|_| unfit())?;
                headers.insert(name, HeaderValue::try_from(value.as_str()).map_err(|_| unfit())?);
            }
        }
        let request = Request {
            method: reqwest::Method::POST,
            url: request.url().clone(),
            headers,
            body: Some(body),
            timeout: Some(TIMEOUT),
        };
        match self.transport.send(request).await {
            Ok(answer) => {
                self.note(if answer.status == 200 {
                    Seen::Success { life: life_in(&answer.body) }
                } else {
                    Seen::Refusal(Box::new(Refusal::read(&answer)))
                });
                Ok(AsyncRawResponse::from_bytes(answer.status.into(), Headers::new(), answer.body))
            }
            Err(silence) => {
                self.note(Seen::Silence(silence));
                Err(azure_core::Error::with_message(ErrorKind::Io, "no answer from the sign-in endpoint"))
            }
        }
    }
}

/// How long the token of an answer is good; nothing where it does not say so.
fn life_in(body: &[u8]) -> Duration {
    #[derive(Deserialize)]
    struct Life {
        expires_in: i64,
    }
    let life =
        serde_json::from_slice(body).ok().and_then(|Life { expires_in }| u64::try_from(expires_in).ok());
    life.map_or(Duration::ZERO, Duration::from_secs)
}

/// A refusal of Entra, as it was read.
#[derive(PartialEq, Eq)]
struct Refusal {
    why: SignInFault,
    code: String,
    message: String,
    correlation_id: Option<String>,
    retry_after: Option<Duration>,
}

impl fmt::Debug for Refusal {
    /// Without the message, which may echo what was sent: it is redacted only in the fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal {:?}", self.why)
    }
}

impl Refusal {
    fn read(answer: &Answer) -> Self {
        let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        let text_of = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let description = text_of("error_description");
        let number = body
            .get("error_codes")
            .and_then(|codes| codes.get(0)?.as_u64())
            .or_else(|| number_in(description));
        let error = text_of("error");
        let code = match number {
            Some(number) => format!("AADSTS{number}"),
            None if !error.is_empty() => text::bounded(error, 64),
            None => format!("HTTP{}", answer.status),
        };
        // What follows are ids and times of this one request: they would make every retry look new.
        let end = ["Trace ID:", "Correlation ID:", "Timestamp:"]
            .into_iter()
            .filter_map(|word| description.find(word))
            .min()
            .unwrap_or(description.len());
        let message = match description[..end].trim() {
            "" => format!("the sign-in endpoint answered HTTP {}", answer.status),
            said => said.to_owned(),
        };
        let correlation_id = match text_of("correlation_id") {
            "" => error::correlation_id(answer),
            id => Some(text::bounded(id, 128)),
        };
        Self {
            why: meaning(answer.status, number, error),
            code,
            message,
            correlation_id,
            retry_after: answer
                .header("retry-after")
                .and_then(|text| retry_after::parse(text, clock::now()))
                .or((number == Some(LOOP)).then_some(LOOP_PAUSE)),
        }
    }

    fn into_fault(self, credential: &Credential, proof: &SecretString) -> Fault {
        // What a federated credential is compared with. A certificate's assertion is ours to get right.
        let assertion = match &credential.material {
            Material::Assertion(_) => assertion::claims(proof),
            Material::Certificate(_) | Material::ClientSecret(_) => None,
        };
        Fault {
            operation: OPERATION,
            target: credential.target(),
            kind: FaultKind::SignIn(self.why),
            code: redact(proof, &self.code),
            message: text::bounded(&redact(proof, &self.message), Fault::MESSAGE_MAX),
            correlation_id: self.correlation_id.map(|id| redact(proof, &id)),
            retry_after: self.retry_after,
            effect_unknown: false,
            expired: None,
            details: None,
        }
        .with_details(Details { assertion, ..Details::default() })
    }
}

/// The number behind the first `AADSTS` of a text.
fn number_in(text: &str) -> Option<u64> {
    let rest = &text[text.find("AADSTS")? + "AADSTS".len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// What a refusal means. Entra's numbers may change, says its documentation: an unknown one is a refusal.
fn meaning(status: u16, number: Option<u64>, error: &str) -> SignInFault {
    match number {
        // No federated credential, or none that matches, or not these keys yet.
        Some(70021 | 70025 | 700_211 | 700_212 | 700_213 | 7_000_272) => SignInFault::Propagating,
        // Busy, throttled, a loop of equal requests, or another party that Entra could not reach.
        Some(90055 | 90024 | 90033 | 90006 | 90012 | 50000 | LOOP | 90061) => SignInFault::Unreachable,
        _ if status == 429 || status >= 500 || error == "temporarily_unavailable" => SignInFault::Unreachable,
        Some(_) => SignInFault::Refused,
        None if !error.is_empty() => SignInFault::Refused,
        // No answer of Entra at all: a redirect, a proxy's page.
        None => SignInFault::Unreachable,
    }
}

#[cfg(test)]
mod tests;
