//! The one way to ARM: gate, tokens, guard, request, answer.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use avnm_terms::{ArmId, Fault, FaultKind, Reading};
use bytes::Bytes;
use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use url::Url;

use crate::{
    CallRecord, ClosedGate, Cloud, Credential, GateKey, GateScope, Observer, Tokens, Transport, VerbClass,
    WriteGuard, clock, error,
    gate::{Gates, Outcome},
    observe::Blind,
    page::Pages,
    resources::{Envelope, Page},
    token::Token,
    transport::{Answer, NoAnswer, Request},
};

const AUXILIARY: HeaderName = HeaderName::from_static("x-ms-authorization-auxiliary");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// The client. Clones share connections, tokens and gates.
#[derive(Clone)]
pub struct Arm {
    cloud: Arc<Cloud>,
    transport: Transport,
    tokens: Tokens,
    gates: Arc<Mutex<Gates>>,
    guard: Arc<dyn WriteGuard>,
    observer: Arc<dyn Observer>,
}

impl fmt::Debug for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arm at {}", self.cloud.arm_endpoint())
    }
}

/// What is done to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Put,
    Delete,
}

impl Verb {
    fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Put => Method::PUT,
            Self::Delete => Method::DELETE,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    fn class(self) -> VerbClass {
        match self {
            Self::Get => VerbClass::Read,
            Self::Put => VerbClass::Write,
            Self::Delete => VerbClass::Delete,
        }
    }

    fn is_write(self) -> bool {
        self != Self::Get
    }
}

/// One call, before it is signed.
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static str,
    pub(crate) verb: Verb,
    pub(crate) target: &'a ArmId,
    pub(crate) url: Url,
    pub(crate) credential: &'a Credential,
    /// Of the linked resource's tenant. Sent only if that is another one.
    pub(crate) auxiliary: Option<&'a Credential>,
    pub(crate) body: Option<Bytes>,
}

impl Call<'_> {
    fn gate(&self) -> GateKey {
        GateKey {
            tenant: self.credential.tenant.clone(),
            client: self.credential.client.clone(),
            scope: GateScope::of(self.target),
            verb: self.verb.class(),
        }
    }

    /// A failure without an answer of ARM.
    pub(crate) fn local(&self, kind: FaultKind, message: impl fmt::Display) -> Fault {
        Fault::local(self.operation, self.target.as_str(), kind, message)
    }

    /// An answer that is a success by its status, and useless.
    ///
    /// What a write with such an answer did is unknown.
    pub(crate) fn unusable(&self, answer: &Answer, message: impl fmt::Display) -> Fault {
        Fault {
            correlation_id: error::correlation_id(answer),
            effect_unknown: self.verb.is_write(),
            ..self.local(FaultKind::Malformed, message)
        }
    }

    fn unanswered(&self, why: &NoAnswer) -> Fault {
        let kind = match why {
            NoAnswer::TooLarge => FaultKind::Malformed,
            NoAnswer::Unconnected(_) | NoAnswer::Cut(_) | NoAnswer::TimedOut => FaultKind::Network,
        };
        Fault { effect_unknown: self.verb.is_write() && why.may_have_effect(), ..self.local(kind, why) }
    }
}

/// The tokens of one call.
struct Signature {
    bearer: Arc<Token>,
    auxiliary: Option<Arc<Token>>,
}

impl Arm {
    /// A client for one cloud. `guard` is asked before every write.
    pub fn new(cloud: Cloud, transport: Transport, tokens: Tokens, guard: Arc<dyn WriteGuard>) -> Self {
        Self {
            cloud: Arc::new(cloud),
            transport,
            tokens,
            gates: Arc::default(),
            guard,
            observer: Arc::new(Blind),
        }
    }

    /// The same client, seen by an observer. Sign-ins are seen by the observer of [`Tokens`].
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// The cloud that it speaks to.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Its token cache.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Until when no call of that kind by that principal would go out on this id, if its gate is closed.
    pub fn gate_closed_until(&self, credential: &Credential, id: &ArmId, verb: VerbClass) -> Option<Instant> {
        let key = GateKey {
            tenant: credential.tenant.clone(),
            client: credential.client.clone(),
            scope: GateScope::of(id),
            verb,
        };
        self.gates().check(&key, clock::instant()).map(|(until, _)| until)
    }

    /// Every gate that is closed now.
    pub fn closed_gates(&self) -> Vec<ClosedGate> {
        self.gates().closed(clock::instant())
    }

    fn gates(&self) -> MutexGuard<'_, Gates> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a call until it has an answer that stands: at most once more with fresh tokens, and once more after a
    /// cut connection if that is harmless. Only a success by status comes back as an answer.
    ///
    /// A PUT is never repeated after a cut: the first may still land, and a claim that is only intended may be
    /// someone else's by then.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let mut may_retry_cut = call.verb != Verb::Put;
        let mut may_retry_token = true;
        let mut effect_unknown = false;
        loop {
            let spread =
                |fault: Fault| Fault { effect_unknown: fault.effect_unknown || effect_unknown, ..fault };
            self.pass_gate(call).map_err(spread)?;
            let signature = self.sign(call).await.map_err(spread)?;
            if call.verb.is_write() {
                // After the tokens, which may have taken long.
                self.guard.allow_write().map_err(|why| spread(call.local(FaultKind::NoLease, why)))?;
            }
            match self.attempt(call, &signature).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(fault)) if fault.kind == FaultKind::Unauthenticated => {
                    // Of two tokens the body names the bad one; both are cheap to have again.
                    self.tokens.reject(call.credential, &signature.bearer);
                    if let (Some(credential), Some(token)) = (call.auxiliary, &signature.auxiliary) {
                        self.tokens.reject(credential, token);
                    }
                    if !may_retry_token {
                        return Err(spread(fault));
                    }
                    may_retry_token = false;
                }
                Ok(Err(fault)) => return Err(spread(fault)),
                Err(why) => {
                    let fault = call.unanswered(&why);
                    if !(may_retry_cut && why.is_cut()) {
                        return Err(spread(fault));
                    }
                    may_retry_cut = false;
                    effect_unknown |= fault.effect_unknown;
                }
            }
        }
    }

    fn pass_gate(&self, call: &Call<'_>) -> Result<(), Fault> {
        let now = clock::instant();
        match self.gates().check(&call.gate(), now) {
            None => Ok(()),
            Some((until, code)) => {
                let message = format!("not sent: Azure asked for a pause with {code}");
                Err(Fault { retry_after: Some(until - now), ..call.local(FaultKind::GateClosed, message) })
            }
        }
    }

    async fn sign(&self, call: &Call<'_>) -> Result<Signature, Fault> {
        let bearer = self.tokens.get(call.credential).await?;
        let auxiliary = match call.auxiliary {
            // Every token of a request must be good, so none is sent that is not needed.
            Some(other) if other.tenant != call.credential.tenant => Some(self.tokens.get(other).await?),
            _ => None,
        };
        Ok(Signature { bearer, auxiliary })
    }

    /// Sends once, takes note, and tells success from refusal. The outer error is "no answer".
    async fn attempt(
        &self,
        call: &Call<'_>,
        signature: &Signature,
    ) -> Result<Result<Answer, Fault>, NoAnswer> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, signature.bearer.bearer.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = &signature.auxiliary {
            headers.insert(AUXILIARY, token.bearer.clone());
        }
        if let Ok(id) = HeaderValue::try_from(uuid::Uuid::new_v4().to_string()) {
            headers.insert(CLIENT_REQUEST_ID, id);
        }
        if call.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        }
        let request = Request {
            method: call.verb.method(),
            url: call.url.clone(),
            headers,
            body: call.body.clone(),
            timeout: None,
        };
        let begun = clock::instant();
        let result = self.transport.send(request).await;
        let elapsed = clock::instant() - begun;

        let refusal =
            result.as_ref().ok().filter(|answer| !(200..300).contains(&answer.status)).map(|answer| {
                error::fault(call.operation, call.target.as_str(), call.verb.is_write(), answer)
            });
        let status = result.as_ref().ok().map(|answer| answer.status);
        let correlation_id = result.as_ref().ok().and_then(error::correlation_id);
        self.note(call, signature, status, refusal.as_ref(), correlation_id.as_deref(), elapsed);
        if let Err(why) = &result {
            tracing::debug!(operation = call.operation, id = %call.target, %why, "no answer from ARM");
        }
        result.map(|answer| match refusal {
            None => Ok(answer),
            Some((fault, _)) => Err(fault),
        })
    }

    fn note(
        &self,
        call: &Call<'_>,
        signature: &Signature,
        status: Option<u16>,
        refusal: Option<&(Fault, Outcome)>,
        correlation_id: Option<&str>,
        elapsed: Duration,
    ) {
        let code = refusal.map(|(fault, _)| fault.code.as_str());
        tracing::debug!(
            operation = call.operation,
            id = %call.target,
            status,
            code,
            correlation_id,
            millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "called ARM"
        );
        self.observer.call(&CallRecord {
            operation: call.operation,
            method: call.verb.name(),
            target: call.target.as_str(),
            credential: &call.credential.key,
            status,
            code,
            elapsed,
            correlation_id,
            auxiliary: signature.auxiliary.is_some(),
        });
        // Without an answer nothing is known about quota or health.
        if status.is_some() {
            let outcome = refusal.map_or(Outcome::Answered, |(_, outcome)| *outcome);
            let key = call.gate();
            let now = clock::instant();
            let closed = self.gates().record(&key, call.target.key(), outcome, code.unwrap_or_default(), now);
            if let Some(wait) = closed {
                tracing::info!(
                    operation = call.operation,
                    scope = ?key.scope,
                    verb = key.verb.as_str(),
                    code,
                    seconds = wait.as_secs(),
                    "gate closed"
                );
                self.observer.gate_closed(&key, wait);
            }
        }
    }

    /// Reads one thing.
    pub(crate) async fn get<P: DeserializeOwned, T>(
        &self,
        operation: &'static str,
        credential: &Credential,
        id: &ArmId,
        read: impl FnOnce(ArmId, Envelope<P>) -> T,
    ) -> Reading<T> {
        let url = self.cloud.url_of(id, &[]);
        let call =
            Call { operation, verb: Verb::Get, target: id, url, credential, auxiliary: None, body: None };
        let found = match self.send(&call).await {
            Ok(answer) => decode_one(&call, &answer, read),
            Err(fault) if fault.kind == FaultKind::NotFound => return Reading::Absent,
            Err(fault) => Err(fault),
        };
        found.map_or_else(Reading::Unread, Reading::Found)
    }

    /// Reads a whole collection, page by page. `Absent`: what holds it is gone.
    pub(crate) async fn list<P: DeserializeOwned, T>(
        &self,
        operation: &'static str,
        credential: &Credential,
        parent: &ArmId,
        collection: &[&str],
        read: impl Fn(ArmId, Envelope<P>) -> T,
    ) -> Reading<Vec<T>> {
        let url = self.cloud.url_of(parent, collection);
        let mut pages = Pages::begin(&url);
        let base = format!("{parent}/{}", collection.join("/"));
        let mut call =
            Call { operation, verb: Verb::Get, target: parent, url, credential, auxiliary: None, body: None };
        let mut found = Vec::new();
        // Bounded by the pages.
        loop {
            let answer = match self.send(&call).await {
                Ok(answer) => answer,
                // Only the list itself can prove that its parent is gone; a lost page proves nothing.
                Err(fault) if fault.kind == FaultKind::NotFound && pages.is_first() => {
                    return Reading::Absent;
                }
                Err(fault) if fault.kind == FaultKind::NotFound => {
                    return Reading::Unread(Fault { kind: FaultKind::UnprovenNotFound, ..fault });
                }
                Err(fault) => return Reading::Unread(fault),
            };
            let page: Page<P> = match decode(&call, &answer, &[200]) {
                Ok(page) => page,
                Err(fault) => return Reading::Unread(fault),
            };
            for item in page.value {
                match item.id_in(&base) {
                    Ok(Some(id)) => found.push(read(id, item)),
                    // Someone's name with characters that our ids do not have: it cannot be one of ours.
                    Ok(None) => {
                        tracing::debug!(operation, id = %parent, "skipped an item with an unusual name");
                    }
                    Err(why) => return Reading::Unread(call.unusable(&answer, why)),
                }
            }
            match pages.next(page.next_link.as_deref(), self.cloud.arm_endpoint()) {
                Ok(Some(next)) => call.url = next,
                Ok(None) => return Reading::Found(found),
                Err(why) => return Reading::Unread(call.unusable(&answer, why)),
            }
        }
    }

    /// Creates or replaces one thing. Sent once.
    pub(crate) async fn put<P: DeserializeOwned, T>(
        &self,
        operation: &'static str,
        (credential, auxiliary): (&Credential, Option<&Credential>),
        id: &ArmId,
        body: &serde_json::Value,
        read: impl FnOnce(ArmId, Envelope<P>) -> T,
    ) -> Result<T, Fault> {
        let url = self.cloud.url_of(id, &[]);
        let body = Some(Bytes::from(body.to_string()));
        let call = Call { operation, verb: Verb::Put, target: id, url, credential, auxiliary, body };
        let answer = self.send(&call).await?;
        decode_one(&call, &answer, read)
    }

    /// Asks for the end of one thing. `Ok` means asked for, or proven absent; it may linger.
    pub(crate) async fn delete(
        &self,
        operation: &'static str,
        (credential, auxiliary): (&Credential, Option<&Credential>),
        id: &ArmId,
    ) -> Result<(), Fault> {
        let url = self.cloud.url_of(id, &[]);
        let call = Call { operation, verb: Verb::Delete, target: id, url, credential, auxiliary, body: None };
        match self.send(&call).await {
            Ok(answer) if [200, 202, 204].contains(&answer.status) => Ok(()),
            Ok(answer) => Err(call.unusable(&answer, format!("unexpected HTTP {}", answer.status))),
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

fn decode_one<P: DeserializeOwned, T>(
    call: &Call<'_>,
    answer: &Answer,
    read: impl FnOnce(ArmId, Envelope<P>) -> T,
) -> Result<T, Fault> {
    let good: &[u16] = if call.verb == Verb::Put { &[200, 201] } else { &[200] };
    let envelope: Envelope<P> = decode(call, answer, good)?;
    Ok(read(envelope.id_or(call.target), envelope))
}

fn decode<T: DeserializeOwned>(call: &Call<'_>, answer: &Answer, good: &[u16]) -> Result<T, Fault> {
    if !good.contains(&answer.status) {
        return Err(call.unusable(answer, format!("unexpected HTTP {}", answer.status)));
    }
    let body = answer.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&answer.body);
    // Of serde's words only the kind: they may quote the body.
    serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "is JSON of another form",
            _ => "is not JSON",
        };
        let kind = answer.header("content-type").unwrap_or("no content type");
        call.unusable(answer, format!("the answer {what} ({kind}, {} bytes)", answer.body.len()))
    })
}
