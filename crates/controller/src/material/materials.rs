//! The material of credentials, read by name and kept only as long as needed. What is done when is decided by
//! `avnm_plan::credential::material`; here it is done.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use avnm_arm::{Credential, CredentialKey, Material, Tokens, clock};
use avnm_plan::credential::material::{self as plan, Event, Facts, Next, Service, Turn, transition};
use avnm_terms::{Fault, FaultKind};
use kube::{Client, ResourceExt};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use super::{
    account::Account,
    source::{self, Found},
    unread::missing,
};
use crate::{credential_object::CredentialObject, settings::Surroundings};

pub(crate) use plan::Look;

/// A credential with its material.
pub(crate) type Loaded = plan::Loaded<Credential>;

/// What has become of a credential since something was read with it.
pub(crate) type Standing = plan::Standing<Box<Credential>>;

/// A pass waits this long for a credential's source and for Entra, which answer in well under a second. Both together have
/// bounds of their own, of up to a minute and more, and for that long all objects of a credential would hold slots.
const PATIENCE: Duration = Duration::from_secs(2);

/// A pass that did not wait any longer comes again after this.
pub(crate) const AGAIN: Duration = Duration::from_secs(5);

/// What a pass that uses a credential gets.
#[derive(Debug)]
pub(crate) enum Use {
    /// The material.
    Loaded(Loaded),
    /// There is none to be had now, and why.
    Failed(Fault),
    /// It is being read, or signed in with, for longer than a pass waits. It goes on without the pass.
    Pending,
}

/// Whether something is held in Azure with a credential, by whom it is looked at for. Asked only where it matters.
pub(crate) type Holds<'a> = dyn Fn() -> bool + Sync + 'a;

/// A credential, as what decides sees it.
#[derive(Debug, Clone)]
struct Proof {
    credential: Credential,
    /// The ServiceAccount whose token it is, and for how long that serves.
    account: Option<(Arc<Account>, Service)>,
}

impl plan::Material for Proof {
    type Key = CredentialKey;

    fn key(&self) -> &CredentialKey {
        &self.credential.key
    }

    fn is_assertion(&self) -> bool {
        matches!(self.credential.material, Material::Assertion(_))
    }

    fn service(&self) -> Option<Service> {
        self.account.as_ref().map(|(_, service)| *service)
    }
}

/// What is kept of one credential.
#[derive(Debug, Default)]
struct Slot {
    /// Held by whoever reads the source or signs in; the others take over what came of it.
    flight: Arc<AsyncMutex<()>>,
    /// Since when somebody does.
    busy: Option<Instant>,
    /// What the last one to do so was told, if that was a failure, and since when they did.
    failed: Option<(Instant, Fault)>,
    entry: plan::Entry<Proof>,
}

/// The last good material of each credential, and what went wrong lately.
pub(crate) struct Materials {
    client: Client,
    tokens: Tokens,
    surroundings: Surroundings,
    probe: Duration,
    /// What time is counted from.
    begun: Instant,
    /// One of each credential that there is: [`Materials::retain`] and [`Materials::forget`] take out what is gone.
    slots: Mutex<HashMap<String, Slot>>,
}

impl Materials {
    pub(crate) fn new(client: Client, tokens: Tokens, surroundings: Surroundings, probe: Duration) -> Self {
        Self { client, tokens, surroundings, probe, begun: clock::instant(), slots: Mutex::default() }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        // A panic under this lock leaves an entry as it was, or as if nothing had been read yet.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn since_begun(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.begun)
    }

    /// Looks at an entry with what is known beside.
    fn facts<T>(&self, holds: &dyn Fn() -> bool, look: impl FnOnce(&Facts<'_, Proof>) -> T) -> T {
        look(&Facts {
            now: self.since_begun(clock::instant()),
            probe: self.probe,
            token: &|proof: &Proof| self.tokens.holds(&proof.credential),
            refused: &|proof: &Proof| self.tokens.refused(&proof.credential),
            holds,
        })
    }

    /// One event, and what it leads to at once: an entry and the tokens of its material go together.
    fn happens(
        &self,
        entry: &mut plan::Entry<Proof>,
        event: Event<'_, Proof>,
        holds: &dyn Fn() -> bool,
    ) -> Turn<Proof> {
        let turn = self.facts(holds, |facts| transition(std::mem::take(entry), event, facts));
        entry.clone_from(&turn.entry);
        if let Some(replaced) = &turn.drop_token {
            self.tokens.drop_token(&replaced.credential);
        }
        turn
    }

    /// The material of a credential for a pass that uses it, which does not wait for long: at most [`PATIENCE`] in each
    /// reading or sign-in that takes longer. So no more tasks are left behind than passes run at the same time.
    ///
    /// A pass that found it pending comes again, and asks as of the same time as before: what failed since then is its
    /// answer, or it would come to each new try and never hear of a failure.
    pub(crate) async fn for_use<K: CredentialObject>(
        self: &Arc<Self>,
        object: &K,
        holds: bool,
        asked: Instant,
    ) -> Use {
        let uid = object.uid().unwrap_or_default();
        let turn = self.tell(&uid, Event::Asked { look: Look::Use, in_turn: false }, &|| holds);
        if let Some(Next::Answer(answer)) = turn.next {
            return Use::of(answer.map(|loaded| loaded.map(|proof| proof.credential)));
        }
        let (busy, failed) = {
            let slots = self.slots();
            let slot = slots.get(&uid);
            (slot.and_then(|slot| slot.busy), slot.and_then(|slot| slot.failed.clone()))
        };
        if let Some((_, fault)) = failed.filter(|(begun, _)| *begun >= asked) {
            return Use::Failed(fault);
        }
        let patience = match busy {
            Some(since) => PATIENCE.saturating_sub(clock::instant().saturating_duration_since(since)),
            None => PATIENCE,
        };
        if patience.is_zero() {
            return Use::Pending;
        }
        let (this, object) = (Arc::clone(self), object.clone());
        let talk = tokio::spawn(async move { this.get(&object, Look::Use, &|| holds).await });
        match tokio::time::timeout(patience, talk).await {
            Ok(Ok(answer)) => Use::of(answer),
            Ok(Err(died)) if died.is_panic() => std::panic::resume_unwind(died.into_panic()),
            Ok(Err(_)) | Err(_) => Use::Pending,
        }
    }

    /// The material of a credential that signs in, or why there is none. The source is read at most once a probe for
    /// those who use it, and Entra is asked once a probe while it refuses, however many they are.
    ///
    /// The last material, without its source, is for those alone who hold something with it.
    pub(crate) async fn get<K: CredentialObject>(
        &self,
        object: &K,
        look: Look,
        holds: &Holds<'_>,
    ) -> Result<Loaded, Fault> {
        let uid = object.uid().unwrap_or_default();
        let mut in_turn = None;
        let mut event = Event::Asked { look, in_turn: false };
        // It ends: `every_talk_ends` holds for all states and answers.
        loop {
            let turn = self.tell(&uid, event, holds);
            event = match turn.next {
                Some(Next::WaitTurn) => {
                    let flight = Arc::clone(&self.slots().entry(uid.clone()).or_default().flight);
                    in_turn = Some(flight.lock_owned().await);
                    self.begins(&uid);
                    Event::Asked { look, in_turn: true }
                }
                Some(Next::Read { again, keep }) => {
                    Event::SourceRead { look, again, result: self.read(object, &uid, keep).await }
                }
                Some(Next::SignIn { with, fresh, again }) => {
                    let result = self.tokens.check(&with.credential.credential, fresh).await.map(drop);
                    #[cfg(debug_assertions)]
                    if result.is_ok() {
                        crate::panic_on_demand::with(&self.in_hand());
                    }
                    Event::SignedIn { look, again, with, result }
                }
                Some(Next::Answer(answer)) => {
                    if let Some(turn) = in_turn {
                        self.ends(&uid, answer.as_ref().err());
                        drop(turn);
                    }
                    return answer.map(|loaded| loaded.map(|proof| proof.credential));
                }
                None => return Err(no_material(&uid)),
            };
        }
    }

    /// Somebody reads or signs in from now on.
    fn begins(&self, uid: &str) {
        if let Some(slot) = self.slots().get_mut(uid) {
            slot.busy = Some(clock::instant());
        }
    }

    /// Somebody has done so.
    fn ends(&self, uid: &str, failed: Option<&Fault>) {
        if let Some(slot) = self.slots().get_mut(uid) {
            slot.failed = slot.busy.take().zip(failed.cloned());
        }
    }

    /// What was done for whoever asked. What is forgotten meanwhile is remembered again only if something was read.
    fn tell(&self, uid: &str, event: Event<'_, Proof>, holds: &Holds<'_>) -> Turn<Proof> {
        let mut slots = self.slots();
        if matches!(event, Event::SourceRead { .. }) {
            return self.happens(&mut slots.entry(uid.to_owned()).or_default().entry, event, &holds);
        }
        match slots.get_mut(uid) {
            Some(slot) => self.happens(&mut slot.entry, event, &holds),
            None => self.happens(&mut plan::Entry::default(), event, &holds),
        }
    }

    /// Something that happened to one that is known, whoever it was.
    fn note(&self, uid: &str, event: Event<'_, Proof>) -> Option<Turn<Proof>> {
        let mut slots = self.slots();
        let slot = slots.get_mut(uid)?;
        Some(self.happens(&mut slot.entry, event, &|| false))
    }

    /// Whether somebody could not use it since this was last asked: then its own pass, which finds it good, wakes them.
    pub(crate) fn was_troubled(&self, uid: &str) -> bool {
        self.note(uid, Event::FoundGood).is_some_and(|turn| turn.wake_users)
    }

    /// Why a credential that has a usable token still is no good: its source is gone or cannot be read, or Entra refuses
    /// a new token.
    pub(crate) fn warning(&self, uid: &str) -> Option<Fault> {
        let entry = self.slots().get(uid)?.entry.clone();
        let refused = || self.tokens.refused(&entry.material()?.credential);
        entry.warning().cloned().or_else(refused)
    }

    /// Takes note that a credential does not sign in: nobody tries again for a probe.
    pub(crate) fn refused(&self, key: &CredentialKey, fault: &Fault) {
        self.note(&key.uid, Event::Refused { key, fault });
    }

    /// With what a sweep may read what was read with this key: the material in hand, if it is the same still.
    pub(crate) fn standing(&self, key: &CredentialKey) -> Standing {
        let slots = self.slots();
        let Some(slot) = slots.get(&key.uid) else { return Standing::Gone };
        let standing = self.facts(&|| false, |facts| slot.entry.standing(key, facts));
        standing.map(|proof| Box::new(proof.credential))
    }

    /// All material in hand.
    #[cfg(debug_assertions)]
    fn in_hand(&self) -> Vec<Credential> {
        self.slots().values().filter_map(|slot| Some(slot.entry.material()?.credential.clone())).collect()
    }

    /// Only these credentials are there.
    pub(crate) fn retain(&self, uids: &HashSet<String>) {
        let gone: Vec<String> = self.slots().keys().filter(|uid| !uids.contains(*uid)).cloned().collect();
        for uid in &gone {
            self.forget(uid);
        }
    }

    /// Forgets a credential that is gone, with its tokens.
    pub(crate) fn forget(&self, uid: &str) {
        let gone = self.slots().remove(uid);
        if let Some(proof) = gone.as_ref().and_then(|slot| slot.entry.material()) {
            self.tokens.drop_token(&proof.credential);
        }
    }

    async fn read<K: CredentialObject>(
        &self,
        object: &K,
        uid: &str,
        keep: Option<Proof>,
    ) -> Result<Proof, Fault> {
        let namespace = object.source_namespace(&self.surroundings.namespace);
        let invalid = |message: &str| missing("read credential", &object.name_any(), "InvalidSpec", message);
        let Ok((tenant, client)) = avnm_plan::credential::identity(object.declared()) else {
            return Err(invalid("tenantId or clientId is no GUID"));
        };
        let Some(method) = object.declared().method() else {
            return Err(invalid("no way to sign in is set, or more than one"));
        };
        let keep = keep.and_then(|proof| proof.account).map(|(account, _)| account);
        let found = source::read(&self.client, &self.surroundings, &namespace, method, keep).await?;
        let material = found.material();
        let key = CredentialKey {
            kind: K::KIND.as_str().to_owned(),
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            uid: uid.to_owned(),
            fingerprint: material.fingerprint(),
        };
        let account = match found {
            Found::Account(account) => {
                let service = Service { since: self.since_begun(account.since), life: account.life };
                Some((account, service))
            }
            Found::Other(_) => None,
        };
        Ok(Proof { credential: Credential { key, tenant, client, material }, account })
    }
}

impl Use {
    fn of(answer: Result<Loaded, Fault>) -> Self {
        match answer {
            Ok(loaded) => Self::Loaded(loaded),
            Err(fault) => Self::Failed(fault),
        }
    }
}

fn no_material(uid: &str) -> Fault {
    Fault::local("read credential", uid, FaultKind::SourceGone, "no material")
}

#[cfg(test)]
mod tests {
    use avnm_api::TenantCredential;
    use avnm_arm::{Cloud, Transport, TransportOptions};
    use serde_json::json;

    use super::*;
    use crate::{
        kube_io,
        recorded::{self, Recorded},
    };

    const UID: &str = "u-1";

    fn credential() -> TenantCredential {
        let object = json!({
            "apiVersion": "avnm.dev/v1alpha1", "kind": "TenantCredential",
            "metadata": {"name": "central", "namespace": "hub", "uid": UID},
            "spec": {
                "tenantId": "24680975-1234-abcd-56ef-121314ab5643",
                "clientId": "00000000-0000-0000-0000-000000000001",
                "clientSecret": {"secretRef": {"name": "app", "key": "secret"}},
            },
        });
        serde_json::from_value(object).expect("a credential")
    }

    /// Materials whose Secrets are not there.
    fn without_secrets() -> (Materials, Recorded) {
        let (client, recorded) = recorded::client(|_| recorded::refusal(404, "NotFound", "no such Secret"));
        let cloud = Cloud::named("AzurePublic").expect("a cloud");
        let transport = Transport::new(&TransportOptions::default()).expect("a transport");
        let surroundings = Surroundings {
            namespace: "avnm-system".to_owned(),
            federated_token_file: None,
            metadata_endpoint: None,
            cloud: cloud.clone(),
        };
        let tokens = Tokens::new(cloud, transport);
        (Materials::new(client, tokens, surroundings, Duration::from_secs(60)), recorded)
    }

    /// A Secret that the API server does not answer for, and twenty passes whose objects use it.
    #[tokio::test(start_paused = true)]
    async fn a_pass_does_not_wait_for_long_for_a_source_that_hangs() {
        let silent = axum::Router::new().fallback(|| async { std::future::pending::<()>().await });
        let (known, _) = without_secrets();
        let client = Client::new(silent, "default");
        let materials = Arc::new(Materials::new(
            client,
            known.tokens.clone(),
            known.surroundings.clone(),
            Duration::from_secs(60),
        ));
        let object = credential();
        let begun = clock::instant();
        let asking = (0..20).map(|_| materials.for_use(&object, false, begun));
        let answers = futures::future::join_all(asking).await;
        assert!(answers.iter().all(|answer| matches!(answer, Use::Pending)), "{answers:?}");
        assert_eq!(clock::instant() - begun, PATIENCE);
        assert!(matches!(materials.for_use(&object, false, begun).await, Use::Pending));
        assert_eq!(clock::instant() - begun, PATIENCE, "who comes later does not wait at all");
        // Long after another one would read again.
        tokio::time::sleep(Duration::from_secs(50)).await;
        let another = materials.for_use(&object, false, clock::instant()).await;
        assert!(matches!(another, Use::Pending), "{another:?}");
        tokio::time::sleep(kube_io::TIMEOUT).await;
        let later = materials.for_use(&object, false, begun).await;
        assert!(matches!(&later, Use::Failed(fault) if fault.kind == FaultKind::Network), "{later:?}");
    }

    #[tokio::test]
    async fn one_reads_for_all_who_ask_at_the_same_time() {
        let (materials, recorded) = without_secrets();
        let object = credential();
        let asking = (0..20).map(|_| materials.get(&object, Look::Use, &|| false));
        let answers = futures::future::join_all(asking).await;
        for answer in &answers {
            let fault = answer.as_ref().expect_err("there is no Secret");
            assert_eq!(fault.code, avnm_plan::fault::SECRET_NOT_FOUND);
        }
        let asked = recorded.all();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].path, "/api/v1/namespaces/hub/secrets/app");
        assert!(materials.warning(UID).is_some());
        assert!(materials.was_troubled(UID) && !materials.was_troubled(UID), "once");
    }

    #[tokio::test]
    async fn what_is_forgotten_is_read_anew_and_leaves_nothing_behind() {
        let (materials, recorded) = without_secrets();
        let object = credential();
        for reads in 1..=3 {
            assert!(materials.get(&object, Look::Use, &|| false).await.is_err());
            assert_eq!(recorded.all().len(), reads);
            materials.retain(&HashSet::from([UID.to_owned()]));
            assert_eq!(materials.slots().len(), 1);
            materials.retain(&HashSet::new());
            assert!(materials.slots().is_empty());
        }
        assert!(materials.warning(UID).is_none() && !materials.was_troubled(UID));
        assert!(materials.slots().is_empty(), "nobody who only asks makes one");
    }
}
