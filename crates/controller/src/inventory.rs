//! The controller's picture of Azure: one snapshot per credential source and collection, read page by page, once at a
//! time, swept regularly. No code here costs one GET per object.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex},
    time::Duration,
};

use avnm_arm::{Arm, Credential, CredentialKey, clock};
use avnm_terms::{
    Fault, FaultKind, Group, GroupId, Manager, ManagerConnection, ManagerId, Reading, ScopeConnection,
    ScopeId,
};
use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::{
    materials::{Materials, Standing},
    members::{Changed, Members},
};

/// An object of this cluster that wants to hear of changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Listener {
    /// A CrossTenantConnection.
    Connection {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A StaticMember.
    Member {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// A collection as it was read.
#[derive(Debug)]
pub(crate) struct Snapshot<T> {
    /// When the read began.
    pub(crate) begun: Instant,
    /// What it came to; `Absent` means that the parent is not there.
    pub(crate) reading: Reading<Arc<T>>,
}

impl<T> Clone for Snapshot<T> {
    fn clone(&self) -> Self {
        Self { begun: self.begun, reading: self.reading.clone() }
    }
}

/// How new a picture has to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    since: Instant,
    /// A user asked for a fresh read: a failure of before is no answer.
    anew: bool,
}

impl Wanted {
    /// No older than that.
    pub(crate) fn within(age: Duration) -> Self {
        let now = clock::instant();
        Self { since: now.checked_sub(age).unwrap_or(now), anew: false }
    }

    /// Read from now on.
    pub(crate) fn anew() -> Self {
        Self { since: clock::instant(), anew: true }
    }

    /// The earliest time at which the read may have begun.
    pub(crate) fn since(self) -> Instant {
        self.since
    }
}

#[derive(Debug)]
struct Cell<T> {
    /// Held while a call is under way: that is the single flight.
    flight: tokio::sync::Mutex<()>,
    /// What is known. Apart from the flight: whoever is content with it need not wait for a call.
    known: Mutex<Known<T>>,
    listeners: Mutex<HashMap<Listener, Instant>>,
    /// Objects that wait for Azure to settle: many of them share a list.
    settling: Mutex<HashSet<Listener>>,
}

#[derive(Debug)]
struct Known<T> {
    snapshot: Option<Snapshot<T>>,
    /// How long the last complete read took.
    took: Duration,
    /// The last failure, if nothing was read since.
    failed: Option<Failed>,
}

#[derive(Debug)]
struct Failed {
    fault: Fault,
    /// When that read began.
    begun: Instant,
    /// When it may be tried again.
    until: Instant,
    /// Azure itself named that time.
    named: bool,
    /// Failures in a row before this one.
    streak: u32,
}

type Cells<K, T> = HashMap<(CredentialKey, K), Arc<Cell<T>>>;

/// One kind of collection.
pub(crate) struct Table<K, T> {
    cells: Mutex<Cells<K, T>>,
    #[allow(clippy::type_complexity)] // One function per table, named where the table is made.
    fetch: fn(Arm, Credential, K) -> BoxFuture<'static, Reading<T>>,
}

/// The longest wait before a collection that could not be read is tried again.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// A collection that Azure says to read again after less than this is read again after at least this.
const SHORTEST: Duration = Duration::from_secs(1);
/// More than this many objects of one collection settling share a list.
pub(crate) const CROWD: usize = 20;

impl<K: Clone + Eq + Hash, T: PartialEq> Table<K, T> {
    fn new(fetch: fn(Arm, Credential, K) -> BoxFuture<'static, Reading<T>>) -> Self {
        Self { cells: Mutex::default(), fetch }
    }

    fn cell(&self, credential: &Credential, key: &K) -> Arc<Cell<T>> {
        let id = (credential.key.clone(), key.clone());
        let Ok(mut cells) = self.cells.lock() else { return Arc::new(Cell::empty()) };
        Arc::clone(cells.entry(id).or_insert_with(|| Arc::new(Cell::empty())))
    }

    fn existing(&self, credential: &Credential, key: &K) -> Option<Arc<Cell<T>>> {
        self.cells.lock().ok()?.get(&(credential.key.clone(), key.clone())).map(Arc::clone)
    }

    /// The collection, as new as wanted.
    pub(crate) async fn read(
        &self,
        arm: &Arm,
        credential: &Credential,
        key: &K,
        wanted: Wanted,
        listener: &Listener,
        retry_max: Duration,
    ) -> Snapshot<T> {
        let cell = self.cell(credential, key);
        if let Ok(mut listeners) = cell.listeners.lock() {
            listeners.insert(listener.clone(), clock::instant());
        }
        if let Some(known) = cell.answer(wanted) {
            return known;
        }
        let _flight = cell.flight.lock().await;
        // Whoever was in flight may have read it meanwhile.
        if let Some(known) = cell.answer(wanted) {
            return known;
        }
        self.refresh(&cell, arm, credential, key, retry_max).await
    }

    /// Reads the collection. Whoever calls it holds the flight.
    async fn refresh(
        &self,
        cell: &Cell<T>,
        arm: &Arm,
        credential: &Credential,
        key: &K,
        retry_max: Duration,
    ) -> Snapshot<T> {
        let begun = clock::instant();
        let reading = (self.fetch)(arm.clone(), credential.clone(), key.clone()).await;
        let snapshot = Snapshot { begun, reading: reading.map(Arc::new) };
        if let Ok(mut known) = cell.known.lock() {
            known.note(&snapshot, clock::instant(), retry_max);
        }
        snapshot
    }

    /// How long the last complete read of the collection took.
    pub(crate) fn took(&self, credential: &Credential, key: &K) -> Duration {
        let took = self.existing(credential, key).and_then(|cell| Some(cell.known.lock().ok()?.took));
        took.unwrap_or_default()
    }

    /// An object wants nothing of the collection any more.
    pub(crate) fn leave(&self, credential: &Credential, key: &K, listener: &Listener) {
        let Some(cell) = self.existing(credential, key) else { return };
        if let Ok(mut listeners) = cell.listeners.lock() {
            listeners.remove(listener);
        }
        if let Ok(mut settling) = cell.settling.lock() {
            settling.remove(listener);
        }
    }

    /// An object wants nothing any more of the collections that it did not ask for since then.
    fn forget_before(&self, listener: &Listener, since: Instant) {
        let cells: Vec<Arc<Cell<T>>> =
            self.cells.lock().map(|cells| cells.values().cloned().collect()).unwrap_or_default();
        for cell in cells {
            let Ok(mut listeners) = cell.listeners.lock() else { continue };
            if listeners.get(listener).is_none_or(|asked| *asked >= since) {
                continue;
            }
            listeners.remove(listener);
            if let Ok(mut settling) = cell.settling.lock() {
                settling.remove(listener);
            }
        }
    }

    /// Forgets what was read with the credentials that are gone, and the material to read it again.
    fn retain(&self, stands: &impl Fn(&CredentialKey) -> bool) {
        if let Ok(mut cells) = self.cells.lock() {
            cells.retain(|(credential, _), _| stands(credential));
        }
    }

    /// How many objects of the collection wait for Azure to settle.
    pub(crate) fn settling(&self, credential: &Credential, key: &K, listener: &Listener, is: bool) -> usize {
        let cell = self.cell(credential, key);
        let Ok(mut settling) = cell.settling.lock() else { return 0 };
        if is {
            settling.insert(listener.clone());
        } else {
            settling.remove(listener);
        }
        settling.len()
    }

    /// Reads every collection in use again, and returns who has to look: of those who asked for one that differs, whoever
    /// `concerned` names.
    async fn sweep(
        &self,
        arm: &Arm,
        materials: &Materials,
        interval: Duration,
        concerned: impl Fn(&T, &T, Vec<Listener>) -> Vec<Listener>,
    ) -> Vec<Listener> {
        let mut wake = Vec::new();
        let cells: Cells<K, T> = self.cells.lock().map(|cells| cells.clone()).unwrap_or_default();
        for (id, cell) in cells {
            // Nobody asked for it in three sweeps: it is not in use any more.
            let listeners = cell.in_use(interval * 3 + Duration::from_secs(1));
            if listeners.is_empty() {
                if let Ok(mut cells) = self.cells.lock() {
                    cells.remove(&id);
                }
                continue;
            }
            let flight = cell.flight.lock().await;
            // With what is good now, not with what was when the wait began.
            let credential = match materials.standing(&id.0) {
                Standing::Good(credential) => *credential,
                // One probe a minute, however many collections it reads.
                Standing::Paused => continue,
                // Whoever still wants it reads it with the new material.
                Standing::Gone => {
                    self.retain(&|key| *key != id.0);
                    continue;
                }
            };
            let Some((old, was_faulty)) = cell.due(interval) else { continue };
            let new = self.refresh(&cell, arm, &credential, &id.1, RETRY_MAX).await;
            drop(flight);
            if let Reading::Unread(fault) = &new.reading
                && matches!(fault.kind, FaultKind::SignIn(_))
            {
                materials.refused(&id.0, fault);
            }
            wake.extend(match (old.map(|old| old.reading), new.reading) {
                (Some(Reading::Found(old)), Reading::Found(new)) if !was_faulty => {
                    if old == new {
                        Vec::new()
                    } else {
                        concerned(&old, &new, listeners)
                    }
                }
                (Some(Reading::Absent), Reading::Absent) if !was_faulty => Vec::new(),
                _ => listeners,
            });
        }
        wake
    }
}

impl<T> Cell<T> {
    fn empty() -> Self {
        Self {
            flight: tokio::sync::Mutex::default(),
            known: Mutex::new(Known { snapshot: None, took: Duration::ZERO, failed: None }),
            listeners: Mutex::default(),
            settling: Mutex::default(),
        }
    }

    fn answer(&self, wanted: Wanted) -> Option<Snapshot<T>> {
        self.known.lock().ok()?.answer(wanted, clock::instant())
    }

    /// Whoever asked within `keep`; the others are forgotten.
    fn in_use(&self, keep: Duration) -> Vec<Listener> {
        let now = clock::instant();
        let Ok(mut listeners) = self.listeners.lock() else { return Vec::new() };
        listeners.retain(|_, asked| now.saturating_duration_since(*asked) <= keep);
        if let Ok(mut settling) = self.settling.lock() {
            settling.retain(|listener| listeners.contains_key(listener));
        }
        listeners.keys().cloned().collect()
    }

    /// Whether a sweep reads it: what was read last, and whether it could not be read since.
    fn due(&self, interval: Duration) -> Option<(Option<Snapshot<T>>, bool)> {
        let known = self.known.lock().ok()?;
        let now = clock::instant();
        let waits = known.failed.as_ref().is_some_and(|failed| failed.until > now);
        let new =
            known.snapshot.as_ref().is_some_and(|old| now.saturating_duration_since(old.begun) < interval);
        (!waits && !new).then(|| (known.snapshot.clone(), known.failed.is_some()))
    }
}

impl<T> Known<T> {
    /// What is known, if it is as new as wanted. A failure stands for a while: asking again at once would only fail
    /// again, for as many objects as ask.
    fn answer(&self, wanted: Wanted, now: Instant) -> Option<Snapshot<T>> {
        let Some(failed) = &self.failed else {
            return self.snapshot.as_ref().filter(|snapshot| snapshot.begun >= wanted.since).cloned();
        };
        // A request is answered by a read after it, unless Azure itself forbids one.
        let answers = !wanted.anew || failed.begun >= wanted.since || failed.named;
        (answers && failed.until > now)
            .then(|| Snapshot { begun: failed.begun, reading: Reading::Unread(failed.fault.clone()) })
    }

    /// Takes note of a read that is over.
    fn note(&mut self, read: &Snapshot<T>, now: Instant, retry_max: Duration) {
        let Reading::Unread(fault) = &read.reading else {
            self.failed = None;
            self.took = now.saturating_duration_since(read.begun);
            self.snapshot = Some(read.clone());
            return;
        };
        let streak = self.failed.as_ref().map_or(0, |failed| failed.streak.saturating_add(1));
        let backoff = Duration::from_secs(1 << streak.min(6)).min(retry_max);
        let named = fault.retry_after.filter(|after| *after >= SHORTEST);
        let wait = match fault.retry_after {
            // "After 0 seconds" would be a hot loop of lists.
            Some(_) => named.unwrap_or(backoff.max(SHORTEST)),
            None => backoff,
        };
        let (fault, begun, until) = (fault.clone(), read.begun, now + wait);
        self.failed = Some(Failed { fault, begun, until, named: named.is_some(), streak });
    }
}

/// Every table.
pub(crate) struct Inventory {
    pub(crate) managers: Table<ManagerId, Manager>,
    pub(crate) groups: Table<GroupId, Group>,
    pub(crate) scope_connections: Table<ManagerId, Vec<ScopeConnection>>,
    pub(crate) manager_connections: Table<ScopeId, Vec<ManagerConnection>>,
    pub(crate) members: Table<GroupId, Members>,
    pub(crate) retry_max: Duration,
}

impl Inventory {
    pub(crate) fn new(retry_max: Duration) -> Self {
        Self {
            managers: Table::new(|arm, credential, id| {
                Box::pin(async move { arm.get_manager(&credential, &id).await })
            }),
            groups: Table::new(|arm, credential, id| {
                Box::pin(async move { arm.get_group(&credential, &id).await })
            }),
            scope_connections: Table::new(|arm, credential, id| {
                Box::pin(async move { arm.list_scope_connections(&credential, &id).await })
            }),
            manager_connections: Table::new(|arm, credential, id| {
                Box::pin(async move { arm.list_manager_connections(&credential, &id).await })
            }),
            members: Table::new(|arm, credential, id| {
                Box::pin(async move { arm.list_members(&credential, &id).await.map(Members::new) })
            }),
            retry_max,
        }
    }

    /// An object is gone: what only it asked for is not read any more.
    pub(crate) fn forget(&self, listener: &Listener) {
        // Whenever it asked.
        self.forget_before(listener, clock::instant() + SHORTEST);
    }

    /// A pass is over: what it did not ask for, since it may not or need not, is not read on its behalf any more.
    pub(crate) fn forget_before(&self, listener: &Listener, since: Instant) {
        self.managers.forget_before(listener, since);
        self.groups.forget_before(listener, since);
        self.scope_connections.forget_before(listener, since);
        self.manager_connections.forget_before(listener, since);
        self.members.forget_before(listener, since);
    }

    /// Only credentials of these uids are there: nothing is read with another one any more.
    pub(crate) fn retain_credentials(&self, stands: impl Fn(&str) -> bool) {
        let stands = |key: &CredentialKey| stands(&key.uid);
        self.managers.retain(&stands);
        self.groups.retain(&stands);
        self.scope_connections.retain(&stands);
        self.manager_connections.retain(&stands);
        self.members.retain(&stands);
    }

    /// One sweep over everything in use. Returns who has to look.
    pub(crate) async fn sweep(
        &self,
        arm: &Arm,
        materials: &Materials,
        interval: Duration,
        concerns: impl Fn(&Listener, &Changed) -> bool,
    ) -> Vec<Listener> {
        let mut wake = self.managers.sweep(arm, materials, interval, |_, _, all| all).await;
        wake.extend(self.groups.sweep(arm, materials, interval, |_, _, all| all).await);
        wake.extend(self.scope_connections.sweep(arm, materials, interval, |_, _, all| all).await);
        wake.extend(self.manager_connections.sweep(arm, materials, interval, |_, _, all| all).await);
        // A group may hold ten thousand members: only the objects whose member differs look again.
        let members = self.members.sweep(arm, materials, interval, |old, new, mut all| {
            let changed = Changed::between(old, new);
            all.retain(|listener| concerns(listener, &changed));
            all
        });
        wake.extend(members.await);
        wake
    }
}

#[cfg(test)]
mod tests {
    use avnm_terms::FaultKind;

    use super::*;

    const MAX: Duration = Duration::from_secs(60);

    fn fault(retry_after: Option<u64>) -> Reading<Arc<u8>> {
        let mut fault = Fault::local("list", "group", FaultKind::Server, "no");
        fault.retry_after = retry_after.map(Duration::from_secs);
        Reading::Unread(fault)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn known() -> Known<u8> {
        Known { snapshot: None, took: Duration::ZERO, failed: None }
    }

    fn wanted(since: Instant) -> Wanted {
        Wanted { since, anew: false }
    }

    #[test]
    fn a_picture_serves_whoever_it_is_new_enough_for() {
        let (mut known, began) = (known(), clock::instant());
        assert!(known.answer(wanted(began), began).is_none());
        known.note(&Snapshot { begun: began, reading: Reading::Found(Arc::new(7)) }, began + seconds(9), MAX);
        assert_eq!(known.took, seconds(9));
        let later = began + seconds(100);
        assert!(known.answer(wanted(began), later).is_some());
        assert!(known.answer(wanted(began + seconds(1)), later).is_none());
    }

    #[test]
    fn a_failure_stands_for_its_wait_and_not_against_a_request() {
        let (mut known, began) = (known(), clock::instant());
        let failed = Snapshot { begun: began, reading: fault(None) };
        for wait in [1, 2, 4, 8] {
            known.note(&failed, began, MAX);
            let until = began + seconds(wait);
            let soon = began + seconds(wait - 1);
            assert!(known.answer(wanted(soon), soon).is_some(), "within {wait} s");
            assert!(known.answer(wanted(until), until).is_none(), "after {wait} s");
        }
        let asked = began + seconds(1);
        let anew = |since| Wanted { since, anew: true };
        assert!(known.answer(anew(asked), asked).is_none(), "a read of before a request does not answer it");
        assert!(known.answer(anew(began), asked).is_some(), "one flight answers all who asked before it");
        known.note(&Snapshot { begun: began, reading: fault(Some(97)) }, began, MAX);
        let forbidden = began + seconds(96);
        assert!(
            known.answer(anew(forbidden), forbidden).is_some(),
            "Azure said when, and a request waits too"
        );
        let allowed = began + seconds(97);
        assert!(known.answer(anew(allowed), allowed).is_none());
    }

    #[test]
    fn a_wait_of_nothing_is_at_least_a_second() {
        let (mut known, began) = (known(), clock::instant());
        for (max, waits) in [(Duration::from_millis(10), [1, 1, 1]), (MAX, [8, 16, 32])] {
            for wait in waits {
                known.note(&Snapshot { begun: began, reading: fault(Some(0)) }, began, max);
                assert_eq!(known.failed.as_ref().map(|failed| failed.until), Some(began + seconds(wait)));
            }
        }
    }

    #[test]
    fn who_does_not_ask_any_more_does_not_settle_any_more() {
        let cell: Cell<u8> = Cell::empty();
        let one = Listener::Member { namespace: "a".to_owned(), name: "b".to_owned() };
        let gone = Listener::Member { namespace: "a".to_owned(), name: "gone".to_owned() };
        if let Ok(mut listeners) = cell.listeners.lock() {
            listeners.insert(one.clone(), clock::instant());
        }
        if let Ok(mut settling) = cell.settling.lock() {
            settling.extend([one.clone(), gone]);
        }
        assert_eq!(cell.in_use(MAX), vec![one.clone()]);
        assert_eq!(cell.settling.lock().ok().map(|left| left.clone()), Some([one].into()));
    }
}
