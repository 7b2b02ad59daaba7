//! What Azure holds of a connection: from the inventory, or by a GET of what was just written or is believed gone.

use std::time::Duration;

use avnm_arm::clock;
use avnm_plan::{
    cross_tenant_connection::{Half, HalfSeen, Role},
    item::Body,
};
use avnm_terms::{
    ArmId, AzureName, ManagerConnection, ManagerConnectionId, Reading, ScopeConnection, ScopeConnectionId,
};
use tokio::time::Instant;

use super::Pass;
use crate::{
    inventory::{Picture, Wanted},
    live,
    memory::Fresh,
};

/// An object without a claim takes a list that is no older than this.
const UNCLAIMED_AGE: Duration = Duration::from_secs(10);

/// A half in either tenant, with what tells whether it matches.
pub(super) struct Entry {
    seen: HalfSeen,
    /// It connects what the object connects.
    matches: bool,
    /// Pending, of our target tenant, and for another scope or manager.
    mismatch: bool,
}

impl Pass<'_> {
    /// Reads what decisions need to know.
    pub(super) async fn observe(&mut self) {
        if self.inputs.meta.deleting {
            self.observe_deletion().await;
            return;
        }
        if self.desired.policies.suspend || self.desired.refused.is_some() {
            return;
        }
        let handled = self.remembered.requested.as_ref() == self.inputs.meta.requested_at.as_ref()
            || self.inputs.status.last_handled_reconcile_at == self.inputs.meta.requested_at;
        let forced = self.inputs.meta.requested_at.is_some() && !handled;
        // Both lists are asked for before anything is read by GET: a pass that waits for one asks again.
        let lists = Half::BOTH.map(|half| self.is_read(half).then(|| self.list(half, forced)));
        if self.visit.waits() {
            return;
        }
        for (half, list) in Half::BOTH.into_iter().zip(lists) {
            if let Some(Some(list)) = list {
                self.observe_half(half, list, forced).await;
                *self.observed.looked.get_mut(half) = true;
            }
        }
        self.observe_listing(forced);
    }

    async fn observe_deletion(&mut self) {
        if !self.standing.any() {
            return;
        }
        self.observed.crd = live::crd::<avnm_api::CrossTenantConnection>(&self.context.client).await;
        let (namespace, name) = (self.inputs.meta.namespace.clone(), self.inputs.meta.name.clone());
        let members = &self.context.stores.members;
        self.observed.dependents = live::dependents(&self.context.client, members, &namespace, &name).await;
        let waits = matches!(&self.observed.dependents, Reading::Found(members) if !members.is_empty());
        let left = self.desired.policies.deletion == avnm_api::DeletionPolicy::Orphan
            || self.desired.policies.mode == avnm_api::Mode::Observe;
        if waits || left || self.desired.policies.suspend {
            return;
        }
        for half in Half::BOTH {
            if self.standing.claims.get(half).is_some() && self.signers.get(half).is_some() {
                self.look(half).await;
            }
        }
    }

    /// The list that a half is in, as new as it has to be, and when it was begun; `None` while it is being read.
    fn list(&self, half: Half, forced: bool) -> Option<(Instant, Reading<Vec<Entry>>)> {
        let sweep = super::seconds(self.waits().sweep);
        let external = self.desired.halves.get(half).role == Role::External;
        let wanted = if forced {
            self.visit.anew()
        } else if external && !self.remembered.settled {
            self.visit.within(Duration::from_millis(900))
        } else if self.standing.claims.get(half).is_none() {
            self.visit.within(UNCLAIMED_AGE.min(sweep).max(self.took(half) * 2))
        } else {
            self.visit.within(sweep * 2)
        };
        self.entries(half, wanted)
    }

    async fn observe_half(
        &mut self,
        half: Half,
        (begun, entries): (Instant, Reading<Vec<Entry>>),
        forced: bool,
    ) {
        let claimed = self.standing.claims.get(half).is_some();
        let external = self.desired.halves.get(half).role == Role::External;
        let entries = match entries {
            Reading::Found(entries) => entries,
            Reading::Absent => {
                // The parent is not there: that is a fault of what is declared, not an empty list.
                self.observed.halves.get_mut(half).reading = Reading::Unread(self.parent_missing(half));
                return;
            }
            Reading::Unread(fault) => {
                self.observed.halves.get_mut(half).reading = Reading::Unread(fault);
                return;
            }
        };
        let own = self.desired.halves.get(half).id.clone();
        let observed = self.observed.halves.get_mut(half);
        if external {
            let found = entries.iter().find(|entry| entry.matches);
            observed.reading = found.map_or(Reading::Absent, |entry| Reading::Found(entry.seen.clone()));
            if found.is_none() {
                // What another object of this cluster holds is for another connection, and no mistake.
                let (contenders, tenant) = (&self.context.contenders.connections, &self.desired.tenant);
                observed.mismatch = entries
                    .iter()
                    .filter(|entry| entry.mismatch)
                    .find(|entry| {
                        !contenders.holds(&avnm_plan::cross_tenant_connection::id_key(tenant, &entry.seen.id))
                    })
                    .map(|entry| entry.seen.id.clone());
            }
            return;
        }
        observed.elsewhere = entries
            .iter()
            .find(|entry| entry.matches && Some(&entry.seen.id) != own.as_ref())
            .map(|entry| entry.seen.id.clone());
        let listed =
            entries.into_iter().find(|entry| Some(&entry.seen.id) == own.as_ref()).map(|entry| entry.seen);
        self.own_reading(half, begun, listed, claimed, forced).await;
    }

    /// The newer one of the list and our own last reading; by GET where something is settling or seems to be gone.
    async fn own_reading(
        &mut self,
        half: Half,
        begun: Instant,
        listed: Option<HalfSeen>,
        claimed: bool,
        forced: bool,
    ) {
        let fresh = self.remembered.memory.fresh.get(half).as_ref().filter(|fresh| fresh.at > begun);
        // A pass before this one, which ended to wait for a collection, has read it already.
        let looked = fresh.is_some_and(|fresh| fresh.at >= self.visit.asked());
        let newer = fresh.map(|fresh| fresh.reading.clone());
        let reading = newer.unwrap_or_else(|| listed.map_or(Reading::Absent, Reading::Found));
        let wanted = self.desired.halves.get(half).want.as_ref();
        let as_wanted =
            reading.found().is_some_and(|seen| wanted.is_some_and(|want| seen.body.is_what(want)));
        let at_rest = self.remembered.settled || !self.is_first_look();
        if claimed && !looked && (!as_wanted || (!self.remembered.settled && at_rest) || forced) {
            self.look(half).await;
        } else {
            self.observed.halves.get_mut(half).reading = reading;
        }
    }

    /// Nothing is remembered of this object yet: a restart lists first and needs no GETs where all is well.
    fn is_first_look(&self) -> bool {
        self.remembered.requested.is_none() && self.remembered.memory.plan.looks == 0 && {
            let ready = avnm_plan::status::find(&self.inputs.status.conditions, "Ready");
            ready.is_some_and(|ready| ready.status == "True")
        }
    }

    /// Whether the manager lists the target, where that matters.
    fn observe_listing(&mut self, forced: bool) {
        if self.desired.halves.scope.role == Role::Absent {
            return;
        }
        let Some(credential) = self.signers.scope.clone() else { return };
        let connected = Half::BOTH.into_iter().all(|half| {
            self.desired.halves.get(half).role == Role::Absent
                || self
                    .observed
                    .halves
                    .get(half)
                    .reading
                    .found()
                    .is_some_and(|seen| seen.state == avnm_terms::ConnectionState::Connected)
        });
        if !connected {
            return;
        }
        let sweep = super::seconds(self.waits().sweep);
        // What settles is read anew: a picture from before the last write would cost a whole wait.
        let age = if self.remembered.settled || self.is_first_look() { sweep * 2 } else { Duration::ZERO };
        let wanted = if forced { self.visit.anew() } else { self.visit.within(age) };
        let inventory = &self.context.inventory;
        let picture = self.visit.read(&inventory.managers, &credential, &self.desired.manager, wanted);
        let Picture::Known(snapshot) = picture else { return };
        let (tenant, scope) = (self.desired.tenant.clone(), self.desired.scope.arm().clone());
        self.observed.listed = Some(snapshot.reading.map(|manager| manager.lists(&tenant, &scope)));
    }

    fn parent_missing(&self, half: Half) -> avnm_terms::Fault {
        let (operation, parent) = match half {
            Half::Scope => ("list scopeConnections of", self.desired.manager.to_string()),
            Half::Target => ("list networkManagerConnections of", self.desired.scope.to_string()),
        };
        let mut fault =
            avnm_terms::Fault::local(operation, parent, avnm_terms::FaultKind::NotFound, "it is not there");
        "NotFound".clone_into(&mut fault.code);
        fault
    }

    /// How long the list of a half took when it was last read: with one that takes longer than it may be old, each
    /// reader would have it read anew.
    fn took(&self, half: Half) -> Duration {
        let Some(credential) = self.signers.get(half) else { return Duration::ZERO };
        let inventory = &self.context.inventory;
        match half {
            Half::Scope => inventory.scope_connections.took(credential, &self.desired.manager),
            Half::Target => inventory.manager_connections.took(credential, &self.desired.scope),
        }
    }

    fn entries(&self, half: Half, wanted: Wanted) -> Option<(Instant, Reading<Vec<Entry>>)> {
        let Some(credential) = self.signers.get(half) else {
            return Some((wanted.since(), Reading::Found(Vec::new())));
        };
        let (inventory, desired) = (&self.context.inventory, &self.desired);
        match half {
            Half::Scope => {
                let table = &inventory.scope_connections;
                let picture = self.visit.read(table, credential, &desired.manager, wanted);
                let Picture::Known(snapshot) = picture else { return None };
                let entries =
                    snapshot.reading.map(|all| all.iter().map(|one| self.scope_entry(one)).collect());
                Some((snapshot.begun, entries))
            }
            Half::Target => {
                let table = &inventory.manager_connections;
                let picture = self.visit.read(table, credential, &desired.scope, wanted);
                let Picture::Known(snapshot) = picture else { return None };
                let entries =
                    snapshot.reading.map(|all| all.iter().map(|one| self.target_entry(one)).collect());
                Some((snapshot.begun, entries))
            }
        }
    }

    fn scope_entry(&self, found: &ScopeConnection) -> Entry {
        let same_tenant = found.tenant.as_ref() == Some(&self.desired.tenant);
        let same_scope = found.names(self.desired.scope.arm());
        Entry {
            seen: scope_seen(found),
            matches: same_tenant && same_scope,
            mismatch: same_tenant && !same_scope && found.state == avnm_terms::ConnectionState::Pending,
        }
    }

    fn target_entry(&self, found: &ManagerConnection) -> Entry {
        let matches = found.names(self.desired.manager.arm());
        Entry {
            seen: target_seen(found),
            matches,
            mismatch: !matches && found.state == avnm_terms::ConnectionState::Pending,
        }
    }

    /// A GET of one half, remembered as the newest reading.
    pub(super) async fn look(&mut self, half: Half) {
        let begun = clock::moment();
        let reading = self.get(half).await;
        let (apart, lag) = (self.waits().gone, self.waits().lag);
        self.remembered.memory.plan.halves.get_mut(half).read(&reading, begun, apart, lag);
        self.note_correction(half, &reading);
        *self.remembered.memory.fresh.get_mut(half) =
            Some(Fresh { at: clock::instant(), reading: reading.clone() });
        self.observed.halves.get_mut(half).reading = reading;
    }

    /// A correction that shows is done.
    fn note_correction(&mut self, half: Half, reading: &Reading<HalfSeen>) {
        let want = self.desired.halves.get(half).want.as_ref();
        if reading.found().is_some_and(|seen| want.is_some_and(|want| seen.body.is_what(want))) {
            self.remembered.memory.plan.halves.get_mut(half).as_wanted();
        }
    }

    async fn get(&self, half: Half) -> Reading<HalfSeen> {
        let (Some(credential), Some(id)) = (self.signers.get(half), &self.desired.halves.get(half).id) else {
            return Reading::Absent;
        };
        let Ok(name) = AzureName::parse(id.name()) else { return Reading::Absent };
        let arm = &self.context.arm;
        match half {
            Half::Scope => {
                let id = ScopeConnectionId::new(&self.desired.manager, &name);
                arm.get_scope_connection(credential, &id).await.map(|found| scope_seen(&found))
            }
            Half::Target => {
                let id = ManagerConnectionId::new(&self.desired.scope, &name);
                arm.get_manager_connection(credential, &id).await.map(|found| target_seen(&found))
            }
        }
    }
}

/// A scope connection as decisions see it.
pub(super) fn scope_seen(found: &ScopeConnection) -> HalfSeen {
    seen(&found.id, found.state.clone(), Body::scope_connection_seen(found), &found.description)
}

/// A network manager connection as decisions see it.
pub(super) fn target_seen(found: &ManagerConnection) -> HalfSeen {
    seen(&found.id, found.state.clone(), Body::manager_connection_seen(found), &found.description)
}

fn seen(id: &ArmId, state: avnm_terms::ConnectionState, body: Body, description: &str) -> HalfSeen {
    HalfSeen { id: id.clone(), state, body, description: description.to_owned() }
}
