//! The controller's picture of Azure: one snapshot per credential source and collection, read page by page, once at a
//! time, swept regularly. No code here costs one GET per object, and no pass waits for a read.

mod ages;
mod cell;
mod flight;
mod known;
mod listener;
mod sweep;
mod table;
#[cfg(test)]
mod tests;
mod visit;

use std::{sync::Arc, time::Duration};

use avnm_arm::{Arm, CredentialKey, clock};
use avnm_terms::{Group, GroupId, Manager, ManagerConnection, ManagerId, ScopeConnection, ScopeId};
use tokio_util::sync::CancellationToken;

use crate::{
    members::{Changed, Members, Packing},
    uses::UserKind,
};

pub(crate) use ages::Ages;
pub(crate) use known::{Picture, Snapshot, Wanted};
pub(crate) use listener::{Listener, Subscribers};
pub(crate) use sweep::Standing;
pub(crate) use visit::{Visit, Wish, wish};

use self::{flight::Flights, table::Table, visit::Rows};

/// Every table.
pub(crate) struct Inventory {
    pub(crate) managers: Table<ManagerId, Manager>,
    pub(crate) groups: Table<GroupId, Group>,
    pub(crate) scope_connections: Table<ManagerId, Vec<ScopeConnection>>,
    pub(crate) manager_connections: Table<ScopeId, Vec<ManagerConnection>>,
    pub(crate) members: Table<GroupId, Members>,
    rows: Rows,
    flights: Flights,
}

impl Inventory {
    /// An empty one. `stop` ends all reads that are under way; `retry_max` is the longest wait before a collection that
    /// could not be read is tried again.
    pub(crate) fn new(
        arm: &Arm,
        subscribers: Arc<dyn Subscribers>,
        retry_max: Duration,
        stop: CancellationToken,
    ) -> Self {
        let flights = Flights::new(subscribers, retry_max, stop);
        macro_rules! table {
            ($call:path, $concerned:expr) => {{
                let arm = arm.clone();
                Table::new(
                    &flights,
                    move |credential, id| {
                        let arm = arm.clone();
                        Box::pin(async move { $call(&arm, &credential, &id).await.map(Into::into) })
                    },
                    $concerned,
                )
            }};
        }
        Self {
            managers: table!(Arm::get_manager, |_, _, all, _| all),
            groups: table!(Arm::get_group, |_, _, all, _| all),
            scope_connections: table!(Arm::list_scope_connections, |_, _, all, _| all),
            manager_connections: table!(Arm::list_manager_connections, |_, _, all, _| all),
            // A group may hold ten thousand members: only the objects whose member differs look again.
            members: table!(Arm::list_members::<Packing>, |old, new, mut all, subscribers| {
                let changed = Changed::between(old, new);
                all.retain(|listener| subscribers.concerns(listener, &changed));
                all
            }),
            rows: Rows::default(),
            flights,
        }
    }

    /// A pass of an object begins.
    pub(crate) fn visit(&self, listener: Listener, wish: Wish) -> Visit {
        self.rows.begin(listener, wish)
    }

    /// A pass is over: what it did not ask for, since it may not or need not, is not read on its behalf any more. One that
    /// waits has not asked for all yet.
    pub(crate) fn leave(&self, visit: &Visit) {
        if visit.acted() {
            let now = clock::instant();
            for cell in visit.asked_for() {
                cell.acted(&visit.listener, now);
            }
        }
        for cell in self.rows.end(visit) {
            cell.leave(&visit.listener);
        }
    }

    /// An object is gone: what only it asked for is not read any more.
    pub(crate) fn forget(&self, listener: &Listener) {
        for cell in self.rows.forget(listener) {
            cell.leave(listener);
        }
    }

    /// Of this kind only these objects are there: a watch that begins anew does not tell which went meanwhile.
    pub(crate) fn retain(&self, kind: UserKind, there: impl Fn(&str, &str) -> bool) {
        for listener in self.rows.listeners() {
            if listener.kind == kind && !there(&listener.namespace, &listener.name) {
                self.forget(&listener);
            }
        }
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

    /// How old the pictures are of what is in use, by class.
    pub(crate) fn ages(&self) -> [(&'static str, Ages); 5] {
        let now = clock::instant();
        [
            ("networkManager", self.managers.ages(now)),
            ("networkGroup", self.groups.ages(now)),
            ("scopeConnection", self.scope_connections.ages(now)),
            ("networkManagerConnection", self.manager_connections.ages(now)),
            ("staticMember", self.members.ages(now)),
        ]
    }

    /// Instead of a sweep: all objects look at what is theirs.
    pub(crate) fn wake_all(&self) {
        self.flights.wake(self.rows.listeners());
    }

    /// One sweep over everything in use, with the credentials as they stand.
    pub(crate) async fn sweep(&self, standing: impl Fn(&CredentialKey) -> Standing, interval: Duration) {
        self.managers.sweep(&standing, interval).await;
        self.groups.sweep(&standing, interval).await;
        self.scope_connections.sweep(&standing, interval).await;
        self.manager_connections.sweep(&standing, interval).await;
        self.members.sweep(&standing, interval).await;
    }
}
