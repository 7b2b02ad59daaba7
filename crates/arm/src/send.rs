//! The one way out: gate, tokens, guard, request, answer.

use std::{sync::Arc, time::Duration};

use avnm_terms::{Fault, FaultKind};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::{
    Arm, CallRecord,
    call::{Call, Verb},
    client, clock, error,
    gate::Outcome,
    governor::{Errand, Shut, quota},
    message::{Answer, NoAnswer, Request},
    token::Token,
};

const AUXILIARY: HeaderName = HeaderName::from_static("x-ms-authorization-auxiliary");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// The tokens of one call.
struct Signature {
    bearer: Arc<Token>,
    auxiliary: Option<Arc<Token>>,
}

impl Arm {
    /// Sends a call until it has an answer that stands: at most once more with fresh tokens, and once more after a
    /// cut connection if that is harmless. Only a success by status comes back as an answer.
    ///
    /// A PUT is never repeated after a cut: the first may still land, and a claim that is only intended may be
    /// someone else's by then.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        let mut may_retry_cut = call.verb != Verb::Put;
        let mut may_retry_token = true;
        let mut effect_unknown = false;
        let mut again = call.again;
        loop {
            let spread =
                |fault: Fault| Fault { effect_unknown: fault.effect_unknown || effect_unknown, ..fault };
            // Before the tokens, so that a closed gate costs no sign-in, and after them, since they may take long.
            self.pass_gate(call).map_err(spread)?;
            let signature = self.sign(call).await.map_err(spread)?;
            self.take(call, again).map_err(spread)?;
            again = true;
            if call.verb.is_write() {
                self.guard.allow_write().map_err(|why| spread(call.local(FaultKind::NoLease, why)))?;
            }
            match self.attempt(call, &signature).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(fault)) if fault.kind == FaultKind::Unauthenticated => {
                    if !may_retry_token {
                        return Err(spread(fault));
                    }
                    // Of two tokens the body names the bad one; both are cheap to have again.
                    let mut another = self.tokens.reject(call.credential, &signature.bearer);
                    if let (Some(credential), Some(token)) = (call.auxiliary, &signature.auxiliary) {
                        another |= self.tokens.reject(credential, token);
                    }
                    if !another {
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

    /// Whether a call would go out now: its gate is open, and its tokens are there. Nothing is sent to ARM.
    pub(crate) async fn rehearse(&self, call: &Call<'_>) -> Result<(), Fault> {
        self.pass_gate(call)?;
        self.sign(call).await?;
        self.pass_gate(call)
    }

    /// Whether a call that was not sent needs only wait until what is used up comes back.
    pub(crate) fn only_waits(&self, call: &Call<'_>, fault: &Fault) -> bool {
        fault.kind == FaultKind::GateClosed && self.pass_gate(call).is_ok()
    }

    fn pass_gate(&self, call: &Call<'_>) -> Result<(), Fault> {
        let now = clock::instant();
        let shut = match self.governor().gates.check(&call.gate(), now) {
            None => return Ok(()),
            Some((until, code)) => Shut { wait: until - now, code: code.to_owned() },
        };
        Err(client::shut_fault(call.operation, call.target, &shut))
    }

    /// Takes what the call takes of Azure's quotas.
    fn take(&self, call: &Call<'_>, again: bool) -> Result<(), Fault> {
        let key = call.gate();
        let errand = Errand { key: &key, target: call.target, whole: call.whole, again };
        let taken = self.governor().take(errand, clock::instant());
        taken.map_err(|shut| {
            // Somebody who waits for reads may have its turn now.
            self.look_at_turns();
            client::shut_fault(call.operation, call.target, &shut)
        })
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
                let application = Some(&call.credential.client);
                error::fault(call.operation, call.target.as_str(), call.verb.is_write(), application, answer)
            });
        let status = result.as_ref().ok().map(|answer| answer.status);
        let correlation_id = result.as_ref().ok().and_then(error::correlation_id);
        self.note(call, signature, status, refusal.as_ref(), correlation_id.as_deref(), elapsed);
        if let Ok(answer) = &result {
            self.count(call, answer, refusal.as_ref().map(|(fault, _)| fault));
        }
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
            verb: call.gate().verb,
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
            let closed =
                self.governor().gates.record(&key, call.target.key(), outcome, code.unwrap_or_default(), now);
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

    /// What an answer says of the quotas.
    fn count(&self, call: &Call<'_>, answer: &Answer, refusal: Option<&Fault>) {
        let (key, now) = (call.gate(), clock::instant());
        let mut governor = self.governor();
        governor.told(&key, call.target, &quota::left(answer, &key), now);
        if let Some(fault) = refusal.filter(|fault| fault.kind == FaultKind::Throttled) {
            governor.refused(&key, call.target, fault.code == error::OF_PROVIDER, now);
        }
    }
}
