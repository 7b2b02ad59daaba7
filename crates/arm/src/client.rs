//! The client, and how one thing or a whole collection is read, written and deleted.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use avnm_terms::{ArmId, Fault, FaultKind, Reading};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use tokio::{sync::Notify, time::Instant};

use crate::{
    ClosedGate, Cloud, Credential, GateKey, GateScope, Observer, Quotas, Tokens, Transport, VerbClass,
    WriteGuard,
    call::{Call, Verb},
    clock,
    envelope::{self, Envelope, Undecodable},
    governor::{Applicant, Governor, QuotaLeft, Shut},
    message::Answer,
    observe::Blind,
    page::Pages,
};

/// The client. Clones share connections, tokens and gates.
#[derive(Clone)]
pub struct Arm {
    cloud: Arc<Cloud>,
    pub(crate) transport: Transport,
    pub(crate) tokens: Tokens,
    governor: Arc<Mutex<Governor>>,
    /// Somebody waits for a turn who did not before.
    line: Arc<Notify>,
    pub(crate) guard: Arc<dyn WriteGuard>,
    pub(crate) observer: Arc<dyn Observer>,
}

impl fmt::Debug for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arm at {}", self.cloud.arm_endpoint())
    }
}

impl Arm {
    /// A client for one cloud. `guard` is asked before every write.
    pub fn new(cloud: Cloud, transport: Transport, tokens: Tokens, guard: Arc<dyn WriteGuard>) -> Self {
        Self {
            cloud: Arc::new(cloud),
            transport,
            tokens,
            governor: Arc::default(),
            line: Arc::default(),
            guard,
            observer: Arc::new(Blind),
        }
    }

    /// The same client, seen by an observer. Sign-ins are seen by the observer of [`Tokens`].
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// The same client, kept below these quotas. Without it they are the documented ones.
    pub fn with_quotas(self, quotas: Quotas) -> Self {
        Self { governor: Arc::new(Mutex::new(Governor::new(quotas))), ..self }
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
        let key = key(credential, id, verb);
        self.governor().gates.check(&key, clock::instant()).map(|(until, _)| until)
    }

    /// Every gate that is closed now.
    pub fn closed_gates(&self) -> Vec<ClosedGate> {
        self.governor().gates.closed(clock::instant())
    }

    /// What is left of the quotas: of each kind the one that is nearest its end.
    pub fn quotas_left(&self) -> Vec<QuotaLeft> {
        self.governor().lowest(clock::instant())
    }

    /// How many wait for a turn to write.
    pub fn waiting(&self) -> usize {
        self.governor().waiting()
    }

    /// Asks whether a write of that kind may go out now. Then what it takes is kept for it for a while, and it is to be sent or
    /// to be forgone. Otherwise the applicant waits in line, and is woken when its turn has come; the fault says what it waits
    /// for, and about how long.
    pub fn admit(
        &self,
        operation: &'static str,
        credential: &Credential,
        verb: VerbClass,
        id: &ArmId,
        applicant: &Applicant,
    ) -> Result<(), Fault> {
        let key = key(credential, id, verb);
        let (admitted, woken) = self.governor().admit(&key, id, applicant, clock::instant());
        for wake in woken {
            wake();
        }
        admitted.map_err(|shut| {
            self.observer.waiting(self.waiting());
            self.look_at_turns();
            shut_fault(operation, id, &shut)
        })
    }

    /// A write that was admitted is not sent after all, or nobody waits for it any longer.
    pub fn forgo(&self, verb: VerbClass, id: &ArmId, who: &str) {
        let woken = self.governor().forgo(verb, id, who, clock::instant());
        for wake in woken {
            wake();
        }
    }

    /// Wakes those whose turn has come, for ever.
    pub async fn govern(&self) {
        loop {
            let now = clock::instant();
            let (woken, due) = {
                let mut governor = self.governor();
                (governor.grant(now), governor.due(now))
            };
            self.observer.waiting(self.waiting());
            for wake in woken.into_values() {
                wake();
            }
            let due = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.max(now + TOGETHER)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.line.notified() => tokio::time::sleep(TOGETHER).await,
            }
        }
    }

    /// Turns may be given that were not when they were last looked at.
    pub(crate) fn look_at_turns(&self) {
        self.line.notify_one();
    }

    pub(crate) fn governor(&self) -> MutexGuard<'_, Governor> {
        // Nothing under this lock panics.
        self.governor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call on one thing, without a body.
    fn of_one<'a>(
        &self,
        operation: &'static str,
        verb: Verb,
        (credential, auxiliary): (&'a Credential, Option<&'a Credential>),
        target: &'a ArmId,
    ) -> Call<'a> {
        let url = self.cloud.url_of(target, &[]);
        Call { operation, verb, target, url, credential, auxiliary, body: None, whole: false, again: false }
    }

    /// Reads one thing.
    pub(crate) async fn get<P: DeserializeOwned, T>(
        &self,
        operation: &'static str,
        credential: &Credential,
        id: &ArmId,
        read: impl FnOnce(ArmId, Envelope<P>) -> T,
    ) -> Reading<T> {
        let call = self.of_one(operation, Verb::Get, (credential, None), id);
        let found = match self.send(&call).await {
            Ok(answer) => decode_one(&call, &answer, read),
            Err(fault) if fault.kind == FaultKind::NotFound => return Reading::Absent,
            Err(fault) => Err(fault),
        };
        found.map_or_else(Reading::Unread, Reading::Found)
    }

    /// Reads a whole collection, page by page, into what the caller keeps of it. `Absent`: what holds it is gone.
    pub(crate) async fn list<P: DeserializeOwned, T, C: Default + Extend<T>>(
        &self,
        operation: &'static str,
        credential: &Credential,
        parent: &ArmId,
        collection: &[&str],
        read: impl Fn(ArmId, Envelope<P>) -> T,
    ) -> Reading<C> {
        let url = self.cloud.url_of(parent, collection);
        let mut pages = Pages::begin(&url);
        let base = format!("{parent}/{}", collection.join("/"));
        let mut call = Call {
            operation,
            verb: Verb::Get,
            target: parent,
            url,
            credential,
            auxiliary: None,
            body: None,
            whole: true,
            again: false,
        };
        let mut found = C::default();
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
                // What is begun goes on: to begin anew would take all its pages once more. Who reads bounds how long.
                Err(fault) if !pages.is_first() && self.only_waits(&call, &fault) => {
                    tokio::time::sleep(fault.retry_after.unwrap_or(TOGETHER)).await;
                    continue;
                }
                Err(fault) => return Reading::Unread(fault),
            };
            let part = match decode(&call, &answer, &[200], |body| envelope::page(&base, body, &read)) {
                Ok(part) => part,
                Err(fault) => return Reading::Unread(fault),
            };
            if part.skipped > 0 {
                let skipped = part.skipped;
                tracing::debug!(operation, id = %parent, skipped, "skipped items with unusual names");
            }
            found.extend(part.items);
            match pages.next(part.next_link.as_deref(), self.cloud.arm_endpoint()) {
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
        let body = Some(Bytes::from(body.to_string()));
        let call = Call { body, ..self.of_one(operation, Verb::Put, (credential, auxiliary), id) };
        let answer = self.send(&call).await?;
        decode_one(&call, &answer, read)
    }

    /// Whether a PUT of one thing would go out now, with a token of both: asked before it is deleted to be made anew, so that it
    /// is not gone for longer than that takes.
    pub async fn could_put(
        &self,
        operation: &'static str,
        (credential, auxiliary): (&Credential, Option<&Credential>),
        id: &ArmId,
    ) -> Result<(), Fault> {
        self.rehearse(&self.of_one(operation, Verb::Put, (credential, auxiliary), id)).await
    }

    /// Asks for the end of one thing, or asks `again` in other words. `Ok` means asked for, or proven absent; it may linger.
    pub(crate) async fn delete(
        &self,
        operation: &'static str,
        (credential, auxiliary): (&Credential, Option<&Credential>),
        id: &ArmId,
        again: bool,
    ) -> Result<(), Fault> {
        let call = Call { again, ..self.of_one(operation, Verb::Delete, (credential, auxiliary), id) };
        match self.send(&call).await {
            Ok(answer) if [200, 202, 204].contains(&answer.status) => Ok(()),
            Ok(answer) => Err(call.unusable(&answer, format!("unexpected HTTP {}", answer.status))),
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

/// Turns that come within this time are given together.
const TOGETHER: Duration = Duration::from_millis(20);

fn key(credential: &Credential, id: &ArmId, verb: VerbClass) -> GateKey {
    GateKey {
        tenant: credential.tenant.clone(),
        client: credential.client.clone(),
        scope: GateScope::of(id),
        verb,
    }
}

/// What is not sent, and why.
pub(crate) fn shut_fault(operation: &'static str, id: &ArmId, shut: &Shut) -> Fault {
    let message = if shut.code.is_empty() {
        "not sent: the calls that Azure allows are used up, and it waits for its turn".to_owned()
    } else {
        format!("not sent: Azure asked for a pause with {}", shut.code)
    };
    let fault = Fault::local(operation, id.as_str(), FaultKind::GateClosed, message);
    Fault { retry_after: Some(shut.wait), ..fault }
}

fn decode_one<P: DeserializeOwned, T>(
    call: &Call<'_>,
    answer: &Answer,
    read: impl FnOnce(ArmId, Envelope<P>) -> T,
) -> Result<T, Fault> {
    let good: &[u16] = if call.verb == Verb::Put { &[200, 201] } else { &[200] };
    decode(call, answer, good, |body| envelope::one(call.target, body, read))
}

fn decode<T>(
    call: &Call<'_>,
    answer: &Answer,
    good: &[u16],
    read: impl FnOnce(&[u8]) -> Result<T, Undecodable>,
) -> Result<T, Fault> {
    if !good.contains(&answer.status) {
        return Err(call.unusable(answer, format!("unexpected HTTP {}", answer.status)));
    }
    read(&answer.body).map_err(|error| {
        let kind = answer.header("content-type").unwrap_or("no content type");
        call.unusable(answer, format!("the answer {error} ({kind}, {} bytes)", answer.body.len()))
    })
}
