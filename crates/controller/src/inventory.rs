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
    Fault, Group, GroupId, Manager, ManagerConnection, ManagerId, Member, Reading, ScopeConnection, ScopeId,
};
use futures::future::BoxFuture;
use tokio::time::Instant;

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

#[derive(Debug)]
struct Cell<T> {
    /// Held while a call is under way: that is the single flight.
    state: tokio::sync::Mutex<CellState<T>>,
    listeners: Mutex<HashMap<Listener, Instant>>,
    /// Objects that wait for Azure to settle: many of them share a list.
    settling: Mutex<HashSet<Listener>>,
}

#[derive(Debug)]
struct CellState<T> {
    snapshot: Option<Snapshot<T>>,
    /// The last failure, when it may be tried again, and how many there were.
    fault: Option<(Fault, Instant, u32)>,
}

type Cells<K, T> = HashMap<(CredentialKey, K), Arc<Cell<T>>>;

/// One kind of collection.
pub(crate) struct Table<K, T> {
    cells: Mutex<Cells<K, T>>,
    sources: Mutex<HashMap<(CredentialKey, K), Credential>>,
    #[allow(clippy::type_complexity)] // One function per table, named where the table is made.
    fetch: fn(Arm, Credential, K) -> BoxFuture<'static, Reading<T>>,
}

/// The longest wait before a collection that could not be read is tried again.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// More than this many objects of one collection settling share a list.
pub(crate) const CROWD: usize = 20;

impl<K: Clone + Eq + Hash, T: PartialEq> Table<K, T> {
    fn new(fetch: fn(Arm, Credential, K) -> BoxFuture<'static, Reading<T>>) -> Self {
        Self { cells: Mutex::default(), sources: Mutex::default(), fetch }
    }

    fn cell(&self, credential: &Credential, key: &K) -> Arc<Cell<T>> {
        let id = (credential.key.clone(), key.clone());
        if let Ok(mut sources) = self.sources.lock() {
            sources.insert(id.clone(), credential.clone());
        }
        let Ok(mut cells) = self.cells.lock() else { return Arc::new(Cell::empty()) };
        Arc::clone(cells.entry(id).or_insert_with(|| Arc::new(Cell::empty())))
    }

    /// The collection, read no earlier than `since`.
    pub(crate) async fn read(
        &self,
        arm: &Arm,
        credential: &Credential,
        key: &K,
        since: Instant,
        listener: &Listener,
        retry_max: Duration,
    ) -> Snapshot<T> {
        let cell = self.cell(credential, key);
        if let Ok(mut listeners) = cell.listeners.lock() {
            listeners.insert(listener.clone(), clock::instant());
        }
        let mut state = cell.state.lock().await;
        let now = clock::instant();
        if let Some((fault, until, _)) = &state.fault
            && *until > now
        {
            return Snapshot { begun: now, reading: Reading::Unread(fault.clone()) };
        }
        if let Some(snapshot) =
            state.snapshot.as_ref().filter(|snapshot| snapshot.begun >= since && state.fault.is_none())
        {
            return snapshot.clone();
        }
        self.refresh(&mut state, arm, credential, key, retry_max).await
    }

    async fn refresh(
        &self,
        state: &mut CellState<T>,
        arm: &Arm,
        credential: &Credential,
        key: &K,
        retry_max: Duration,
    ) -> Snapshot<T> {
        let begun = clock::instant();
        match (self.fetch)(arm.clone(), credential.clone(), key.clone()).await {
            Reading::Unread(fault) => {
                let streak = state.fault.as_ref().map_or(0, |(_, _, streak)| streak + 1);
                let wait = fault
                    .retry_after
                    .unwrap_or_else(|| Duration::from_secs(1 << streak.min(6)).min(retry_max));
                state.fault = Some((fault.clone(), clock::instant() + wait, streak));
                Snapshot { begun, reading: Reading::Unread(fault) }
            }
            reading => {
                state.fault = None;
                let snapshot = Snapshot { begun, reading: reading.map(Arc::new) };
                state.snapshot = Some(snapshot.clone());
                snapshot
            }
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

    /// Reads every collection in use again, and returns who has to look.
    async fn sweep(
        &self,
        arm: &Arm,
        interval: Duration,
        changed: impl Fn(&T, &T, &Listener) -> bool,
    ) -> Vec<Listener> {
        let mut wake = Vec::new();
        let cells: Cells<K, T> = self.cells.lock().map(|cells| cells.clone()).unwrap_or_default();
        for (id, cell) in cells {
            let now = clock::instant();
            // Nobody asked for it in three sweeps: it is not in use any more.
            let keep = interval * 3 + Duration::from_secs(1);
            let listeners: Vec<Listener> = cell
                .listeners
                .lock()
                .map(|mut listeners| {
                    listeners.retain(|_, asked| now.saturating_duration_since(*asked) <= keep);
                    listeners.keys().cloned().collect()
                })
                .unwrap_or_default();
            if listeners.is_empty() {
                if let Ok(mut cells) = self.cells.lock() {
                    cells.remove(&id);
                }
                if let Ok(mut sources) = self.sources.lock() {
                    sources.remove(&id);
                }
                continue;
            }
            let Some(credential) = self.sources.lock().ok().and_then(|sources| sources.get(&id).cloned())
            else {
                continue;
            };
            let mut state = cell.state.lock().await;
            if state.fault.as_ref().is_some_and(|(_, until, _)| *until > now) {
                continue;
            }
            if state.snapshot.as_ref().is_some_and(|old| now.saturating_duration_since(old.begun) < interval)
            {
                continue;
            }
            let old = state.snapshot.clone();
            let was_faulty = state.fault.is_some();
            let new = self.refresh(&mut state, arm, &credential, &id.1, RETRY_MAX).await;
            drop(state);
            let (old, new) = (old.map(|old| old.reading), new.reading);
            wake.extend(listeners.into_iter().filter(|listener| match (&old, &new) {
                (Some(Reading::Found(old)), Reading::Found(new)) => was_faulty || changed(old, new, listener),
                (Some(Reading::Absent), Reading::Absent) => was_faulty,
                _ => true,
            }));
        }
        wake
    }
}

impl<T> Cell<T> {
    fn empty() -> Self {
        Self {
            state: tokio::sync::Mutex::new(CellState { snapshot: None, fault: None }),
            listeners: Mutex::default(),
            settling: Mutex::default(),
        }
    }
}

/// Every table.
pub(crate) struct Inventory {
    pub(crate) managers: Table<ManagerId, Manager>,
    pub(crate) groups: Table<GroupId, Group>,
    pub(crate) scope_connections: Table<ManagerId, Vec<ScopeConnection>>,
    pub(crate) manager_connections: Table<ScopeId, Vec<ManagerConnection>>,
    pub(crate) members: Table<GroupId, Vec<Member>>,
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
                Box::pin(async move { arm.list_members(&credential, &id).await })
            }),
            retry_max,
        }
    }

    /// One sweep over everything in use. Returns who has to look.
    pub(crate) async fn sweep(
        &self,
        arm: &Arm,
        interval: Duration,
        concerns: impl Fn(&Listener, &Member) -> bool,
    ) -> Vec<Listener> {
        let mut wake = self.managers.sweep(arm, interval, |old, new, _| old != new).await;
        wake.extend(self.groups.sweep(arm, interval, |old, new, _| old != new).await);
        wake.extend(self.scope_connections.sweep(arm, interval, |old, new, _| old != new).await);
        wake.extend(self.manager_connections.sweep(arm, interval, |old, new, _| old != new).await);
        // A group may hold ten thousand members: only the objects whose member differs look again.
        wake.extend(
            self.members
                .sweep(arm, interval, |old, new, listener| {
                    if old == new {
                        return false;
                    }
                    let olds: HashMap<&str, &Member> =
                        old.iter().map(|member| (member.id.key(), member)).collect();
                    let news: HashMap<&str, &Member> =
                        new.iter().map(|member| (member.id.key(), member)).collect();
                    let differs = new
                        .iter()
                        .filter(|member| olds.get(member.id.key()) != Some(member))
                        .chain(old.iter().filter(|member| !news.contains_key(member.id.key())));
                    differs.into_iter().any(|member| concerns(listener, member))
                })
                .await,
        );
        wake
    }
}
