//! The material of credentials, read by name and kept only as long as needed.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use avnm_arm::{Credential, CredentialKey, Material, Tokens, clock};
use avnm_terms::{Fault, FaultKind};
use kube::{Client, ResourceExt};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use crate::credential::{
    CredentialObject,
    source::{self, Surroundings},
};

/// A source that is missing is looked for again after this long; Entra is asked far less often.
const SOURCE_RETRY: Duration = Duration::from_secs(1);

/// A credential with its material.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) credential: Credential,
    /// Its source is gone: it serves GET and DELETE of what is held, and nothing else.
    pub(crate) last_material: bool,
}

/// What has become of a credential since something was read with it.
#[derive(Debug)]
pub(crate) enum Standing {
    /// It is gone, or has another material.
    Gone,
    /// It does not sign in now.
    Paused,
    /// It is good.
    Good(Box<Credential>),
}

/// Whether something is held in Azure with a credential, by whom it is looked at for. Asked only where it matters.
pub(crate) type Holds<'a> = dyn Fn() -> bool + Sync + 'a;

/// How thoroughly a credential is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// To be used: what is known for less than a probe stands.
    Use,
    /// By its own pass: the source is read, if it was not half a probe ago.
    Own,
    /// By its own pass, after a change of its spec: the source is read.
    Changed,
    /// By its own pass, on demand: the source is read, and Entra is asked although a token is in hand.
    Requested,
}

#[derive(Debug, Default)]
struct Entry {
    /// Held by whoever reads the source or signs in; the others take over what came of it.
    flight: Arc<AsyncMutex<()>>,
    good: Option<Credential>,
    /// Why there is no material, or no more than the last.
    source: Option<Fault>,
    /// The source could not be read now; what is in hand stands.
    unread: Option<Fault>,
    sign_in: Option<(Fault, Instant)>,
    read_at: Option<Instant>,
    /// Somebody could not use it, or not for all, since its own pass last found it good.
    troubled: bool,
}

/// The last good material of each credential, and what went wrong lately.
pub(crate) struct Materials {
    client: Client,
    tokens: Tokens,
    surroundings: Surroundings,
    probe: Duration,
    entries: Mutex<HashMap<String, Entry>>,
}

impl Materials {
    pub(crate) fn new(client: Client, tokens: Tokens, surroundings: Surroundings, probe: Duration) -> Self {
        Self { client, tokens, surroundings, probe, entries: Mutex::default() }
    }

    fn with<T>(&self, uid: &str, act: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.entries.lock().ok().map(|mut entries| act(entries.entry(uid.to_owned()).or_default()))
    }

    /// The same for one that is known already.
    fn of<T>(&self, uid: &str, act: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.entries.lock().ok()?.get_mut(uid).map(act)
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
        let got = self.look(object, &uid, look, holds).await;
        let good = got.as_ref().is_ok_and(|loaded| !loaded.last_material);
        if look == Look::Use && !good {
            self.of(&uid, |entry| entry.troubled = true);
        }
        got
    }

    /// Whether somebody could not use it since this was last asked: then its own pass, which finds it good, wakes them.
    pub(crate) fn was_troubled(&self, uid: &str) -> bool {
        self.of(uid, |entry| std::mem::take(&mut entry.troubled)).unwrap_or_default()
    }

    async fn look<K: CredentialObject>(
        &self,
        object: &K,
        uid: &str,
        look: Look,
        holds: &Holds<'_>,
    ) -> Result<Loaded, Fault> {
        if look == Look::Use
            && let Some(known) = self.known(uid, holds)
        {
            return known;
        }
        let flight = self.with(uid, |entry| Arc::clone(&entry.flight)).unwrap_or_default();
        let _flight = flight.lock().await;
        // Somebody else may have found out meanwhile.
        if look == Look::Use
            && let Some(known) = self.known(uid, holds)
        {
            return known;
        }
        let due = match look {
            Look::Use => self.is_due(uid, self.probe),
            // Sooner than its turn comes: whoever used it meanwhile must not make it wait for another one.
            Look::Own => self.is_due(uid, self.probe / 2),
            Look::Changed | Look::Requested => true,
        };
        if due {
            self.load(object, uid).await;
        }
        let mut loaded = self.loaded(uid, holds)?;
        // One failing credential costs one probe a minute, however many objects use it; and a pause that Entra itself
        // asked for stands whoever requests otherwise.
        if let Some(fault) = self.barred(uid)
            && (look != Look::Requested || fault.retry_after.is_some())
        {
            return Err(self.source_fault(uid).unwrap_or(fault));
        }
        let mut signed_in = self.tokens.check(&loaded.credential, look == Look::Requested).await;
        // A certificate's assertion is made new each time: another would be as untimely.
        let got_elsewhere = matches!(loaded.credential.material, Material::Assertion(_));
        if signed_in.as_ref().is_err_and(avnm_plan::credential::is_untimely)
            && got_elsewhere
            && !loaded.last_material
        {
            self.load(object, uid).await;
            loaded = self.loaded(uid, holds)?;
            signed_in = self.tokens.check(&loaded.credential, true).await;
        }
        match signed_in {
            Ok(_) => {
                self.of(uid, |entry| entry.sign_in = None);
                #[cfg(debug_assertions)]
                crate::panic_on_demand::with(&self.in_hand());
                Ok(loaded)
            }
            // A token that is still good serves until its end; the credential's own status says what was answered.
            Err(_) if self.tokens.holds(&loaded.credential) => Ok(loaded),
            Err(fault) => {
                self.refused(&loaded.credential.key, &fault);
                // That the source is gone is the cause, and what to do something about.
                Err(self.source_fault(uid).unwrap_or(fault))
            }
        }
    }

    /// All material in hand.
    #[cfg(debug_assertions)]
    fn in_hand(&self) -> Vec<Credential> {
        let entries = self.entries.lock();
        entries.map(|all| all.values().filter_map(|entry| entry.good.clone()).collect()).unwrap_or_default()
    }

    /// What can be answered without asking anybody.
    fn known(&self, uid: &str, holds: &Holds<'_>) -> Option<Result<Loaded, Fault>> {
        if self.is_due(uid, self.probe) {
            return None;
        }
        let loaded = match self.loaded(uid, holds) {
            Ok(loaded) => loaded,
            Err(fault) => return Some(Err(fault)),
        };
        if let Some(fault) = self.barred(uid) {
            return Some(Err(self.source_fault(uid).unwrap_or(fault)));
        }
        self.tokens.holds(&loaded.credential).then_some(Ok(loaded))
    }

    /// Whether the source, which was read well, is to be read again after so long; one that is missing is sooner.
    fn is_due(&self, uid: &str, wait: Duration) -> bool {
        let now = clock::instant();
        let due = self.of(uid, |entry| {
            let wait = if entry.source.is_some() { SOURCE_RETRY.min(wait) } else { wait };
            entry.read_at.is_none_or(|at| now.saturating_duration_since(at) >= wait)
        });
        due.unwrap_or(true)
    }

    /// The material in hand. Without its source it is for who holds something with it: whoever took the source away wants
    /// nobody else to sign in any more, not even to see whether it works.
    fn loaded(&self, uid: &str, holds: &Holds<'_>) -> Result<Loaded, Fault> {
        let (good, source) =
            self.of(uid, |entry| (entry.good.clone(), entry.source.clone())).unwrap_or_default();
        match (good, source) {
            (Some(credential), None) => Ok(Loaded { credential, last_material: false }),
            (Some(credential), Some(_)) if holds() => Ok(Loaded { credential, last_material: true }),
            (_, Some(fault)) => Err(fault),
            (None, None) => Err(Fault::local("read credential", uid, FaultKind::SourceGone, "no material")),
        }
    }

    /// What Entra answered less than a probe ago, unless a token was had since.
    fn barred(&self, uid: &str) -> Option<Fault> {
        let now = clock::instant();
        self.of(uid, |entry| {
            if entry.good.as_ref().is_some_and(|good| self.tokens.holds(good)) {
                entry.sign_in = None;
            }
            entry.sign_in.as_ref().filter(|(_, until)| *until > now).map(|(fault, _)| fault.clone())
        })
        .flatten()
    }

    /// Why a credential that has a usable token still is no good: its source is gone or cannot be read, or Entra refuses
    /// a new token.
    pub(crate) fn warning(&self, uid: &str) -> Option<Fault> {
        let (good, unread) = self.of(uid, |entry| (entry.good.clone(), entry.unread.clone()))?;
        self.source_fault(uid).or(unread).or_else(|| self.tokens.refused(&good?))
    }

    /// Takes note that a credential does not sign in: nobody tries again for a probe.
    pub(crate) fn refused(&self, key: &CredentialKey, fault: &Fault) {
        // Entra may ask for more than a probe.
        let until = clock::instant() + fault.retry_after.unwrap_or_default().max(self.probe);
        if let Ok(mut entries) = self.entries.lock()
            && let Some(entry) = entries.get_mut(&key.uid)
            // What an older material was told says nothing of the newer one.
            && entry.good.as_ref().is_some_and(|good| good.key == *key)
        {
            entry.sign_in = Some((fault.clone(), until));
        }
    }

    /// With what a sweep may read what was read with this key: the material in hand, if it is the same still.
    pub(crate) fn standing(&self, key: &CredentialKey) -> Standing {
        let barred = self.barred(&key.uid).is_some();
        let Ok(entries) = self.entries.lock() else { return Standing::Paused };
        let Some(entry) = entries.get(&key.uid) else { return Standing::Gone };
        match &entry.good {
            Some(good) if good.key != *key => Standing::Gone,
            Some(good) if !barred => Standing::Good(Box::new(good.clone())),
            _ => Standing::Paused,
        }
    }

    /// The fault of the source alone: a credential with material left still has to say that its Secret is gone.
    fn source_fault(&self, uid: &str) -> Option<Fault> {
        self.of(uid, |entry| entry.source.clone()).flatten()
    }

    /// Only these credentials are there.
    pub(crate) fn retain(&self, uids: &HashSet<String>) {
        let gone: Vec<String> = match self.entries.lock() {
            Ok(entries) => entries.keys().filter(|uid| !uids.contains(*uid)).cloned().collect(),
            Err(_) => Vec::new(),
        };
        for uid in &gone {
            self.forget(uid);
        }
    }

    /// Forgets a credential that is gone, with its tokens.
    pub(crate) fn forget(&self, uid: &str) {
        let gone = self.entries.lock().ok().and_then(|mut entries| entries.remove(uid));
        if let Some(good) = gone.and_then(|entry| entry.good) {
            self.tokens.drop_token(&good);
        }
    }

    async fn load<K: CredentialObject>(&self, object: &K, uid: &str) {
        let result = self.read(object, uid).await;
        self.with(uid, |entry| {
            // When it was over: those who waited for a read that took long take over what it came to.
            entry.read_at = Some(clock::instant());
            entry.unread = None;
            match result {
                Ok(credential) => {
                    let changed = entry.good.as_ref().is_some_and(|old| old.key != credential.key);
                    if changed {
                        if let Some(old) = &entry.good {
                            self.tokens.drop_token(old);
                        }
                        entry.sign_in = None;
                    }
                    entry.good = Some(credential);
                    entry.source = None;
                }
                // The API server did not answer: what is in memory still stands.
                Err(fault) if fault.is_passing() && entry.good.is_some() => entry.unread = Some(fault),
                Err(fault) => entry.source = Some(fault),
            }
        });
    }

    async fn read<K: CredentialObject>(&self, object: &K, uid: &str) -> Result<Credential, Fault> {
        let namespace = object.source_namespace(&self.surroundings.namespace);
        let invalid =
            |message: &str| source::missing("read credential", &object.name_any(), "InvalidSpec", message);
        let Ok((tenant, client)) = avnm_plan::credential::identity(object.declared()) else {
            return Err(invalid("tenantId or clientId is no GUID"));
        };
        let Some(method) = object.declared().method() else {
            return Err(invalid("no way to sign in is set, or more than one"));
        };
        let material = source::read(&self.client, &self.surroundings, &namespace, method).await?;
        let key = CredentialKey {
            kind: K::KIND.as_str().to_owned(),
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            uid: uid.to_owned(),
            fingerprint: material.fingerprint(),
        };
        Ok(Credential { key, tenant, client, material })
    }
}
