//! Assertions of a user-assigned managed identity: the token that the machine's metadata service gives for Entra's
//! token exchange. The request is azure_identity's.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use avnm_terms::{Fault, FaultKind, SignInFault, text};
use azure_core::{
    credentials::TokenCredential,
    error::ErrorKind,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Method, Request, RetryOptions, Transport,
        headers::Headers,
    },
};
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use secrecy::SecretString;
use url::Url;

use crate::{AssertionSource, Cloud};

/// What was tried, in faults.
const OPERATION: &str = "get managed identity token";

/// Bound on it all. The service is on the machine itself and answers at once; the SDK would try for over a minute, and a
/// failing credential is tried again anyway.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Largest answer that is read, in bytes: a token and a few fields.
const BODY_MAX: usize = 64 * 1024;

/// Which managed identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManagedIdentityId {
    /// By its client id.
    Client(String),
    /// By its ARM id.
    Resource(String),
}

/// The machine's metadata service, as a source of assertions.
#[derive(Clone)]
pub struct ManagedIdentity {
    id: ManagedIdentityId,
    audience: &'static str,
    client: reqwest::Client,
    endpoint: Option<Url>,
}

/// How the metadata service is reached. Plain HTTP, link-local: no proxy, no redirects, nothing of ours is sent along.
#[derive(Debug)]
struct Metadata {
    client: reqwest::Client,
    endpoint: Option<Url>,
    /// The status of its answer; 0 while there is none. The SDK's errors do not tell it.
    status: AtomicU16,
}

impl ManagedIdentity {
    /// The identity of this id, for this cloud's token exchange. `endpoint` takes the place of the metadata service's
    /// own address, for emulators; it comes from the operator's configuration and never from a custom resource.
    pub fn new(id: ManagedIdentityId, cloud: &Cloud, endpoint: Option<Url>) -> Result<Self, Fault> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| unreachable(&error))?;
        Ok(Self { id, audience: cloud.federation_audience(), client, endpoint })
    }
}

fn unreachable(why: &dyn fmt::Display) -> Fault {
    Fault::local(OPERATION, "metadata service", FaultKind::SignIn(SignInFault::Unreachable), why)
}

#[async_trait]
impl AssertionSource for ManagedIdentity {
    async fn assertion(&self) -> Result<SecretString, Fault> {
        let user_assigned_id = Some(match &self.id {
            ManagedIdentityId::Client(id) => UserAssignedId::ClientId(id.clone()),
            ManagedIdentityId::Resource(id) => UserAssignedId::ResourceId(id.clone()),
        });
        let wire = Arc::new(Metadata {
            client: self.client.clone(),
            endpoint: self.endpoint.clone(),
            status: AtomicU16::new(0),
        });
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id,
            client_options: ClientOptions {
                retry: RetryOptions::none(),
                transport: Some(Transport::new(Arc::clone(&wire) as Arc<dyn HttpClient>)),
                ..ClientOptions::default()
            },
        };
        // Built for one request and dropped: its cache cannot be told to forget a token.
        let once = ManagedIdentityCredential::new(Some(options)).map_err(|error| unreachable(&error))?;
        let scope = format!("{}/.default", self.audience);
        let scopes = [scope.as_str()];
        let asked = tokio::time::timeout(TIMEOUT, once.get_token(&scopes, None)).await;
        let Ok(answered) = asked else {
            return Err(unreachable(&format!(
                "no answer from the metadata service in {} s",
                TIMEOUT.as_secs()
            )));
        };
        match answered {
            Ok(token) => Ok(SecretString::from(token.token.secret().to_owned())),
            Err(_) if wire.status.load(Ordering::Relaxed) == 400 => {
                let message = "the machine has no such managed identity: assign it to the nodes, or correct \
                               spec.managedIdentity";
                Err(Fault::local(
                    OPERATION,
                    self.identity(),
                    FaultKind::SignIn(SignInFault::SourceMissing),
                    message,
                ))
            }
            // Of the SDK's words only the kind: they may quote the answer, which may hold a token.
            Err(error) => Err(unreachable(&format!("no token from the metadata service: {}", error.kind()))),
        }
    }

    fn identity(&self) -> String {
        match &self.id {
            ManagedIdentityId::Client(id) => format!("managed identity {}", text::bounded(id, 64)),
            ManagedIdentityId::Resource(id) => format!("managed identity {}", text::bounded(id, 512)),
        }
    }
}

#[async_trait]
impl HttpClient for Metadata {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let unfit = |text: &'static str| azure_core::Error::with_message(ErrorKind::Other, text);
        if request.method() != Method::Get {
            return Err(unfit("not a request for a managed identity's token"));
        }
        let mut url = request.url().clone();
        if let Some(endpoint) = &self.endpoint {
            url.set_scheme(endpoint.scheme())
                .map_err(|()| unfit("the metadata endpoint has no such scheme"))?;
            url.set_host(endpoint.host_str()).map_err(|_| unfit("the metadata endpoint has no host"))?;
            url.set_port(endpoint.port()).map_err(|()| unfit("the metadata endpoint has no such port"))?;
        }
        let asked = self.client.get(url).header("Metadata", "true").send().await;
        let silent = || azure_core::Error::with_message(ErrorKind::Io, "no answer from the metadata service");
        let mut response = asked.map_err(|_| silent())?;
        let status = response.status().as_u16();
        self.status.store(status, Ordering::Relaxed);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| silent())? {
            if body.len() + chunk.len() > BODY_MAX {
                return Err(unfit("the metadata service answered too much"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(AsyncRawResponse::from_bytes(status.into(), Headers::new(), body))
    }
}
