//! The only token cache.
//!
//! A slot per credential source, tenant and application; cloud and audience are those of the cache. One sign-in at
//! a time per slot, shared by all who wait for it, in success and in failure. A token is refreshed ahead, in the
//! background, and used as long as it is valid should that fail. Failures are not kept: who may try again and when
//! is the caller's to decide.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use avnm_terms::{ClientId, Fault, FaultKind, SignInFault, TenantId, text};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use jiff::Timestamp;
use reqwest::header::HeaderValue;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    Cloud, Credential, CredentialKey, Observer, SignInRecord, Transport, clock, entra, observe::Blind,
};

/// Longest life believed, so that a wrong `expires_in` cannot keep a token for ever.
const LIFE_MAX: Duration = Duration::from_secs(28 * 3600);

/// A token this close to its end is not sent any more: the call must arrive before.
const END_MARGIN: Duration = Duration::from_secs(30);

/// A token is refreshed at the latest this long before its end.
const REFRESH_MARGIN: Duration = Duration::from_secs(5 * 60);

/// After a refresh failed, the next is tried this much later while the old token is still good: one sign-in a minute.
const REFRESH_PAUSE: Duration = Duration::from_secs(60);

/// A token that ARM does not take is dropped at most once in this time: where the fault is not the token's, every call
/// would sign in anew.
const REJECT_PAUSE: Duration = Duration::from_secs(60);

/// What a sign-in gave, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// The tenant that was signed in to: the one that was asked for, which a token that names another is refused for.
    pub tenant: TenantId,
    /// When the token ends.
    pub expires: Timestamp,
}

/// A token, ready to be sent.
pub(crate) struct Token {
    /// `Bearer …`, marked sensitive.
    pub(crate) bearer: HeaderValue,
    tenant: TenantId,
    expires: Timestamp,
    got: Instant,
    refresh_at: Instant,
    usable_until: Instant,
}

/// The tokens in hand, together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TokensHeld {
    /// Tokens that can be sent.
    pub usable: usize,
    /// Those among them whose last refresh failed: they are used while they last.
    pub unrefreshed: usize,
    /// How long ago the oldest of them was got.
    pub oldest: Duration,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token of tenant {}", self.tenant)
    }
}

impl Token {
    fn info(&self) -> TokenInfo {
        TokenInfo { tenant: self.tenant.clone(), expires: self.expires }
    }
}

#[cfg(test)]
impl Token {
    /// A token that nobody gave, to be looked at.
    pub(crate) fn stand_in(bearer: &str) -> Self {
        let (now, mut bearer) = (clock::instant(), HeaderValue::try_from(bearer).unwrap());
        bearer.set_sensitive(true);
        let tenant = TenantId::parse("24680975-1234-abcd-56ef-121314ab5643").unwrap();
        Self { bearer, tenant, expires: clock::now(), got: now, refresh_at: now, usable_until: now }
    }
}

/// When a token that lives that long is refreshed, and how long it is used.
fn schedule(life: Duration) -> (Duration, Duration) {
    let ahead = life.saturating_sub(REFRESH_MARGIN).max(life / 2);
    let refresh = (life / 5 * 4).min(ahead);
    let usable = life.saturating_sub(END_MARGIN.min(life / 10));
    (refresh, usable)
}

type SlotKey = (CredentialKey, TenantId, ClientId);
type Flight = Shared<BoxFuture<'static, Result<Arc<Token>, Fault>>>;
type WeakFlight = WeakShared<BoxFuture<'static, Result<Arc<Token>, Fault>>>;

#[derive(Default)]
struct Slot {
    token: Option<Arc<Token>>,
    /// It has had a token once, so that it is known to be one of the application's.
    proven: bool,
    /// Weak: a sign-in that nobody waits for any more ends, and must not be joined.
    flight: Option<WeakFlight>,
    /// Which sign-in that is: one that was forgotten meanwhile leaves nothing behind.
    number: u64,
    refresh_not_before: Option<Instant>,
    /// Why the last sign-in failed, while an older token is still in hand.
    refused: Option<Fault>,
    /// When a token was last dropped because ARM did not take it.
    rejected_at: Option<Instant>,
}

impl Slot {
    /// Whether anything in it is of use yet.
    fn matters(&self, now: Instant) -> bool {
        self.proven
            || self.token.as_ref().is_some_and(|token| now < token.usable_until)
            || self.flight.as_ref().and_then(WeakFlight::upgrade).is_some()
            || self.rejected_at.is_some_and(|at| now.saturating_duration_since(at) < REJECT_PAUSE)
    }
}

struct Pause {
    until: Instant,
    code: String,
}

struct Inner {
    cloud: Cloud,
    transport: Transport,
    observer: Arc<dyn Observer>,
    slots: Mutex<HashMap<SlotKey, Slot>>,
    /// Until when Entra asked to wait, by whom that is about. What it asks of an application it asks of every credential
    /// of that (assumed), but only one that has had a token can hold the others back: ids are public, and anybody may
    /// write them into a resource with a secret that is none.
    pauses: Mutex<HashMap<(TenantId, ClientId), Pause>>,
    flights: AtomicU64,
}

/// Signs in, and remembers tokens. Clones share everything.
#[derive(Clone)]
pub struct Tokens {
    inner: Arc<Inner>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// An empty cache for one cloud.
    pub fn new(cloud: Cloud, transport: Transport) -> Self {
        Self::observed(cloud, transport, Arc::new(Blind))
    }

    /// An empty cache whose sign-ins are seen by the observer.
    pub fn observed(cloud: Cloud, transport: Transport, observer: Arc<dyn Observer>) -> Self {
        let (slots, pauses, flights) = (Mutex::default(), Mutex::default(), AtomicU64::default());
        Self { inner: Arc::new(Inner { cloud, transport, observer, slots, pauses, flights }) }
    }

    /// Whether the credential signs in. With `fresh`, Entra is really asked; a token that is still good stays in use
    /// if it refuses.
    pub async fn check(&self, credential: &Credential, fresh: bool) -> Result<TokenInfo, Fault> {
        let token = if fresh { self.sign_in(credential).await } else { self.get(credential).await };
        token.map(|token| token.info())
    }

    /// Whether a token is in hand that can be sent. Entra is not asked.
    pub fn holds(&self, credential: &Credential) -> bool {
        let slots = self.inner.slots();
        let token = slots.get(&slot_key(credential)).and_then(|slot| slot.token.as_ref());
        token.is_some_and(|token| clock::instant() < token.usable_until)
    }

    /// Why the last sign-in failed, if one did since the token in hand was got.
    pub fn refused(&self, credential: &Credential) -> Option<Fault> {
        self.inner.slots().get(&slot_key(credential)).and_then(|slot| slot.refused.clone())
    }

    /// The tokens in hand, together: for who watches the process.
    pub fn in_hand(&self) -> TokensHeld {
        let now = clock::instant();
        let slots = self.inner.slots();
        let usable = slots.values().filter_map(|slot| Some((slot, slot.token.as_ref()?)));
        usable.filter(|(_, token)| now < token.usable_until).fold(
            TokensHeld::default(),
            |held, (slot, token)| TokensHeld {
                usable: held.usable + 1,
                unrefreshed: held.unrefreshed + usize::from(slot.refused.is_some()),
                oldest: held.oldest.max(now.saturating_duration_since(token.got)),
            },
        )
    }

    /// Forgets the token of a credential.
    pub fn drop_token(&self, credential: &Credential) {
        self.inner.slots().remove(&slot_key(credential));
    }

    /// Forgets this token of a credential, which ARM did not take. Whether another one may be tried: not if one was
    /// dropped for the same a moment ago.
    pub(crate) fn reject(&self, credential: &Credential, token: &Arc<Token>) -> bool {
        let now = clock::instant();
        let mut slots = self.inner.slots();
        let Some(slot) = slots.get_mut(&slot_key(credential)) else { return true };
        if !slot.token.as_ref().is_some_and(|held| Arc::ptr_eq(held, token)) {
            // A newer one took its place meanwhile.
            return true;
        }
        if slot.rejected_at.is_some_and(|at| now.saturating_duration_since(at) < REJECT_PAUSE) {
            return false;
        }
        slot.token = None;
        slot.rejected_at = Some(now);
        true
    }

    /// A token that can be sent now.
    pub(crate) async fn get(&self, credential: &Credential) -> Result<Arc<Token>, Fault> {
        if let Some(token) = self.held(credential) {
            return Ok(token);
        }
        self.sign_in(credential).await
    }

    /// The token in hand, if it is good; a refresh is begun if it is time.
    fn held(&self, credential: &Credential) -> Option<Arc<Token>> {
        let now = clock::instant();
        let mut slots = self.inner.slots();
        let slot = slots.get_mut(&slot_key(credential))?;
        let token = slot.token.clone().filter(|token| now < token.usable_until)?;
        let wanted = now >= token.refresh_at || slot.refused.is_some();
        let due = wanted && slot.refresh_not_before.is_none_or(|at| now >= at);
        if due && slot.flight.as_ref().and_then(WeakFlight::upgrade).is_none() {
            let flight = self.begin(slot, credential);
            drop(tokio::spawn(flight));
        }
        Some(token)
    }

    /// Joins the sign-in that is under way, or begins one.
    async fn sign_in(&self, credential: &Credential) -> Result<Arc<Token>, Fault> {
        let flight = {
            let mut slots = self.inner.slots();
            let slot = slots.entry(slot_key(credential)).or_default();
            match slot.flight.as_ref().and_then(WeakFlight::upgrade) {
                Some(flight) => flight,
                None => self.begin(slot, credential),
            }
        };
        flight.await
    }

    fn begin(&self, slot: &mut Slot, credential: &Credential) -> Flight {
        let inner = Arc::clone(&self.inner);
        let credential = credential.clone();
        let number = inner.flights.fetch_add(1, Ordering::Relaxed);
        slot.number = number;
        let flight = async move {
            let result = inner.fetch(&credential).await;
            inner.land(&credential, number, result)
        }
        .boxed()
        .shared();
        slot.flight = flight.downgrade();
        flight
    }
}

impl Inner {
    fn slots(&self) -> MutexGuard<'_, HashMap<SlotKey, Slot>> {
        // Nothing under this lock panics; and if it did, the map is whole.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is told instead of a sign-in while Entra wants none. Nothing of the answer that asked for it: that was given to
    /// another credential, perhaps.
    fn paused(&self, credential: &Credential) -> Option<Fault> {
        let now = clock::instant();
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.retain(|_, pause| now < pause.until);
        let pause = pauses.get(&(credential.tenant.clone(), credential.client.clone()))?;
        let why = "Entra asked to wait with sign-ins as this application";
        Some(Fault {
            code: pause.code.clone(),
            retry_after: Some(pause.until - now),
            ..entra::local(credential, SignInFault::Unreachable, why)
        })
    }

    /// Takes note of what Entra asked of a credential that has proved itself.
    fn pause(&self, credential: &Credential, fault: &Fault) {
        let proven = self.slots().get(&slot_key(credential)).is_some_and(|slot| slot.proven);
        let Some(wait) = fault.retry_after.filter(|_| proven) else { return };
        let whom = (credential.tenant.clone(), credential.client.clone());
        let until = clock::instant() + wait;
        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        // Answers come in any order; the longest wait stands.
        if pauses.get(&whom).is_none_or(|pause| pause.until < until) {
            pauses.insert(whom, Pause { until, code: fault.code.clone() });
        }
    }

    async fn fetch(&self, credential: &Credential) -> Result<Arc<Token>, Fault> {
        if let Some(fault) = self.paused(credential) {
            return Err(fault);
        }
        let begun = clock::instant();
        let result = entra::sign_in(&self.cloud, &self.transport, credential).await;
        let elapsed = clock::instant() - begun;
        let token = result.and_then(|entra::Grant { token, life }| {
            // Counted from before the request: a token is never believed to live longer than it does.
            let life = life.saturating_sub(elapsed);
            let expires = clock::now().checked_add(life).ok();
            let life = life.min(LIFE_MAX);
            let of = tenant_of(token.token.secret());
            if let Some(other) = of.filter(|tid| !tid.eq_ignore_ascii_case(credential.tenant.as_str())) {
                let why =
                    format!("the sign-in endpoint gave a token of tenant {}", text::bounded(&other, 64));
                return Err(entra::local(credential, SignInFault::Refused, why));
            }
            let bearer = HeaderValue::try_from(format!("Bearer {}", token.token.secret())).ok();
            let (Some(expires), Some(mut bearer), false) = (expires, bearer, life.is_zero()) else {
                let why = "the sign-in endpoint gave a token that cannot be used";
                return Err(entra::local(credential, SignInFault::Unreachable, why));
            };
            bearer.set_sensitive(true);
            let (refresh, usable) = schedule(life);
            let now = clock::instant();
            Ok(Arc::new(Token {
                bearer,
                tenant: credential.tenant.clone(),
                expires,
                got: now,
                refresh_at: now + refresh,
                usable_until: now + usable,
            }))
        });
        let fault = token.as_ref().err();
        if let Some(fault) = fault {
            self.pause(credential, fault);
        }
        tracing::debug!(
            operation = entra::OPERATION,
            credential = ?credential.key,
            tenant = %credential.tenant,
            code = fault.map(|fault| fault.code.as_str()),
            correlation_id = fault.and_then(|fault| fault.correlation_id.as_deref()),
            millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "signed in to Entra"
        );
        self.observer.sign_in(&SignInRecord {
            credential: &credential.key,
            tenant: credential.tenant.as_str(),
            code: fault.map(|fault| fault.code.as_str()),
            cause: fault.map(|fault| match fault.kind {
                FaultKind::SignIn(cause) => cause,
                // Whatever else went wrong, nobody was asked or nobody answered.
                _ => SignInFault::Unreachable,
            }),
            elapsed,
        });
        token
    }

    /// Puts the result where it belongs, and sweeps out slots that hold nothing good.
    fn land(
        &self,
        credential: &Credential,
        number: u64,
        result: Result<Arc<Token>, Fault>,
    ) -> Result<Arc<Token>, Fault> {
        let now = clock::instant();
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(&slot_key(credential)).filter(|slot| slot.number == number) else {
            // Forgotten meanwhile: whoever waits for it still gets it, and nobody after them.
            return result;
        };
        slot.flight = None;
        match &result {
            Ok(token) => {
                slot.token = Some(Arc::clone(token));
                slot.proven = true;
                slot.refresh_not_before = None;
                slot.refused = None;
            }
            Err(fault) => {
                slot.refresh_not_before =
                    Some(now + fault.retry_after.unwrap_or_default().max(REFRESH_PAUSE));
                slot.refused = Some(fault.clone());
            }
        }
        slots.retain(|_, slot| slot.matters(now));
        result
    }
}

/// The tenant that a token says it is of, where that can be read: to a client, a token is opaque by right. Nothing is
/// trusted because of it.
fn tenant_of(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("tid")?.as_str().map(str::to_owned)
}

fn slot_key(credential: &Credential) -> SlotKey {
    (credential.key.clone(), credential.tenant.clone(), credential.client.clone())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(3600, 2880, 3570)]
    #[case(5400, 4320, 5370)]
    #[case(600, 300, 570)]
    #[case(60, 30, 54)]
    #[case(10, 5, 9)]
    fn refreshed_ahead_and_not_used_to_the_last(
        #[case] life: u64,
        #[case] refresh: u64,
        #[case] usable: u64,
    ) {
        let seconds = Duration::from_secs;
        assert_eq!(schedule(seconds(life)), (seconds(refresh), seconds(usable)));
    }
}
