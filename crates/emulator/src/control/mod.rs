//! Behind the scenes: what a test may see and change without being anyone in Azure.
//!
//! [`Control`] is for callers in the same process; [`http`] offers the same as an endpoint.

mod asked;
pub mod http;
mod page;

use std::sync::Arc;

use anyhow::{bail, ensure};
use serde_json::{Value, json};

use crate::azure::Azure;
use crate::entra::registry::{self, Edit};
use crate::faults::{Armed, Fault};
use crate::ledger::Entry;
use crate::path::{ArmPath, Kind, scope_key};
use crate::rules::{self, pairing, unchecked};
use crate::settings::Settings;
use crate::state::State;
use crate::tally::Tally;
use crate::world::certificate::Certificate;
use crate::world::directory::{Lock, Role};
use crate::world::file::{AppEntry, RoleEntry, ServicePrincipalEntry};
use crate::world::resources::{ConnectionState, Half};
use crate::world::view::{self, In};

/// The way behind the scenes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Control {
    azure: Arc<Azure>,
}

impl Control {
    /// The way behind the scenes of this Azure.
    pub fn new(azure: Arc<Azure>) -> Self {
        Self { azure }
    }

    /// Everything that exists, each resource as a GET shows it. No secret is in it.
    pub fn state(&self) -> Value {
        let (state, now) = self.azure.settled();
        whole(&state, now)
    }

    /// One resource as a GET shows it. The tenant is needed only for a management group's name that several have.
    pub fn get(&self, id: &str, tenant: Option<&str>) -> anyhow::Result<Option<Value>> {
        let (state, _) = self.azure.settled();
        let (path, tenant) = unchecked::locate(&state, id, tenant)?;
        Ok(unchecked::show(&state, &path, &tenant))
    }

    /// Makes or replaces a resource as somebody at the portal would, and gives it back.
    pub fn put(&self, id: &str, tenant: Option<&str>, body: &Value) -> anyhow::Result<Value> {
        let (mut state, now) = self.azure.settled();
        unchecked::put(&mut state, id, tenant, body, now)
    }

    /// Deletes a resource and what lies in it, as somebody at the portal would. Says whether it was there.
    pub fn delete(&self, id: &str, tenant: Option<&str>) -> anyhow::Result<bool> {
        let (mut state, now) = self.azure.settled();
        unchecked::delete(&mut state, id, tenant, now)
    }

    /// The calls after this number, oldest first, as far as the ledger keeps them.
    pub fn ledger(&self, since: u64) -> Vec<Entry> {
        self.azure.settled().0.ledger.since(since)
    }

    /// All calls after this number, oldest first; an error where some of them are not kept any more.
    pub fn whole_ledger(&self, since: u64) -> anyhow::Result<Vec<Entry>> {
        let state = self.azure.settled().0;
        let (dropped, kept) = (state.ledger.dropped(), state.settings.ledger_limit);
        ensure!(
            since >= dropped,
            "calls {} to {dropped} are not kept any more: the ledger has the last {kept}; ask since={dropped}, or set \
             ledgerLimit higher before they come",
            since + 1
        );
        Ok(state.ledger.since(since))
    }

    /// How many calls there were, by service, method and status.
    pub fn tally(&self) -> Tally {
        self.azure.settled().0.tally.clone()
    }

    /// The number of the last call.
    pub fn last_call(&self) -> u64 {
        self.azure.settled().0.ledger.last()
    }

    /// Adds a fault and gives its id.
    pub fn add_fault(&self, fault: Fault) -> u64 {
        let (mut state, now) = self.azure.settled();
        let writes = state.world.echoes.writes();
        state.faults.add(fault, now, writes)
    }

    /// Removes one fault, or all. Says how many went.
    pub fn remove_faults(&self, id: Option<u64>) -> usize {
        self.azure.settled().0.faults.remove(id)
    }

    /// The faults with their counts.
    pub fn faults(&self) -> Vec<Armed> {
        self.azure.settled().0.faults.list().to_vec()
    }

    /// Sets the state of a half; it stays until cleared (None) or until the half is made again.
    pub fn force_state(
        &self,
        id: &str,
        tenant: Option<&str>,
        forced: Option<ConnectionState>,
    ) -> anyhow::Result<Value> {
        let (mut state, now) = self.azure.settled();
        let (path, tenant) = unchecked::locate(&state, id, tenant)?;
        let key = state.world.key(&path, &tenant);
        let (half, owner, scope) = match path.kind() {
            Kind::ScopeConnection => match state.world.scope_connections.get_mut(&key) {
                Some(it) => (&mut it.half, it.tenant_id.clone(), it.resource_id.clone()),
                None => bail!("{id} does not exist"),
            },
            Kind::NetworkManagerConnection => match state.world.manager_connections.get_mut(&key) {
                Some(it) => (&mut it.half, it.tenant.clone(), it.scope.clone()),
                None => bail!("{id} does not exist"),
            },
            _ => bail!(
                "{id} is not the id of a scope connection or network manager connection; only those have a state"
            ),
        };
        force(half, forced, now);
        pairing::touch(&mut state, &owner, &scope, now);
        Ok(unchecked::show(&state, &path, &tenant).unwrap_or_default())
    }

    /// Registers an application in a tenant, with one secret and these roles there.
    pub fn add_app(&self, client_id: &str, tenant: &str, secret: &str, roles: &[Role]) -> anyhow::Result<()> {
        let mut state = self.azure.settled().0;
        let state = &mut *state;
        let roles = roles.iter().map(|role| RoleEntry {
            scope: role.scope.clone(),
            actions: Some(role.actions.clone()),
            role: None,
        });
        let entry = AppEntry {
            client_id: client_id.to_owned(),
            home_tenant: tenant.to_owned(),
            secrets: vec![secret.to_owned()],
            expired_secrets: Vec::new(),
            certificates: Vec::new(),
            federated_credentials: Vec::new(),
            service_principals: vec![ServicePrincipalEntry {
                tenant: tenant.to_owned(),
                object_id: None,
                roles: roles.collect(),
            }],
        };
        state.world.add_app(&entry, &mut state.rng)
    }

    /// Edits Entra's registry.
    pub fn entra(&self, edit: Edit) -> anyhow::Result<()> {
        let (mut state, now) = self.azure.settled();
        registry::apply(&mut state, edit, now)
    }

    /// Puts a lock on a scope, in place of what lock is there.
    pub fn lock(&self, lock: Lock) -> anyhow::Result<()> {
        ensure!(ArmPath::from_id(&lock.scope).is_some(), "{:?} is not an id", lock.scope);
        let mut state = self.azure.settled().0;
        state.world.locks.retain(|it| scope_key(&it.scope) != scope_key(&lock.scope));
        state.world.locks.push(lock);
        Ok(())
    }

    /// Takes the lock off a scope, or all locks. Says how many went.
    pub fn unlock(&self, scope: Option<&str>) -> usize {
        let mut state = self.azure.settled().0;
        let before = state.world.locks.len();
        state.world.locks.retain(|it| scope.is_some_and(|scope| scope_key(&it.scope) != scope_key(scope)));
        before - state.world.locks.len()
    }

    /// Registers Microsoft.Network in a subscription or at a management group, or ends that.
    pub fn register(&self, scope: &str, tenant: Option<&str>, registered: bool) -> anyhow::Result<()> {
        let mut state = self.azure.settled().0;
        let (path, tenant) = unchecked::locate(&state, scope, tenant)?;
        ensure!(
            path.namespace.is_none() && path.resource_group.is_none(),
            "{scope} is no subscription or management group"
        );
        rules::registration::set(&mut state, &path, &tenant, registered);
        Ok(())
    }

    /// The settings.
    pub fn settings(&self) -> Settings {
        self.azure.settled().0.settings.clone()
    }

    /// Replaces the settings that a patch names; what was planned before keeps its time.
    pub fn change_settings(&self, patch: &Value) -> anyhow::Result<Settings> {
        let mut state = self.azure.settled().0;
        state.settings = state.settings.merged(patch)?;
        Ok(state.settings.clone())
    }
}

fn force(half: &mut Half, forced: Option<ConnectionState>, now: jiff::Timestamp) {
    half.forced = forced.is_some();
    match forced {
        Some(state) => {
            half.state = state;
            half.was_connected |= state == ConnectionState::Connected;
        }
        // Cleared: as if it had never been, so that no Conflict or Revoked outlives it.
        None => half.state = ConnectionState::Pending,
    }
    half.state_since = now;
}

fn whole(state: &State, now: jiff::Timestamp) -> Value {
    let world = &state.world;
    let connections: Vec<Value> = world
        .manager_connections
        .values()
        .map(|it| {
            let mut shown = json!(view::manager_connection(it));
            // A management group's name does not tell whose it is.
            shown["tenant"] = json!(it.tenant);
            shown
        })
        .collect();
    let apps: Vec<Value> = world
        .apps
        .values()
        .map(|app| {
            json!({
                "clientId": app.client_id,
                "homeTenant": app.home_tenant,
                "disabled": app.disabled,
                "deleted": app.deleted,
                "certificates": app.certificates.iter().map(Certificate::shown).collect::<Vec<_>>(),
                "federatedCredentials": app.federated_credentials,
                "servicePrincipals": app.service_principals,
            })
        })
        .collect();
    json!({
        "time": now,
        "tenants": world.tenants.values().collect::<Vec<_>>(),
        "subscriptions": world.subscriptions.values().collect::<Vec<_>>(),
        "managementGroups": world.management_groups.values().collect::<Vec<_>>(),
        "resourceGroups": world.resource_groups,
        "locks": world.locks,
        "stuckScopes": world.stuck_scopes.iter().map(|(tenant, scope)| json!({"tenant": tenant, "scope": scope})).collect::<Vec<_>>(),
        "apps": apps,
        "issuers": world.issuers.keys().collect::<Vec<_>>(),
        "managedIdentities": world.managed_identities,
        "networkManagers": world.managers.values().map(|it| json!(view::manager(it, In::Read))).collect::<Vec<_>>(),
        "networkGroups": world.groups.values().map(|it| json!(view::network_group(it, In::Read))).collect::<Vec<_>>(),
        "scopeConnections": world.scope_connections.values().map(|it| json!(view::scope_connection(it))).collect::<Vec<_>>(),
        "networkManagerConnections": connections,
        "staticMembers": world.members.values().map(|it| json!(view::static_member(it, In::Read))).collect::<Vec<_>>(),
        "virtualNetworks": world.networks.values().map(|it| json!(view::network(it))).collect::<Vec<_>>(),
        "pendingEvents": world.agenda.len(),
        "lastCall": state.ledger.last(),
        "ledgerDropped": state.ledger.dropped(),
    })
}
