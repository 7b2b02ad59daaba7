//! The world as it is now.
//!
//! Resources stand in ordered maps under their id in lower case, so that the children of a thing are one range.
//! What lies in a management group carries its tenant in the key (`TENANT:/providers/…`), because the names of
//! management groups are unique only within a tenant.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use jiff::Timestamp;

use super::agenda::Agenda;
use super::directory::{App, Lock, ManagedIdentity, ManagementGroup, Subscription, Tenant};
use super::echoes::Echoes;
use super::resources::{
    Manager, ManagerConnection, Network, NetworkGroup, Operation, ScopeConnection, StaticMember,
};
use crate::keys::Keys;
use crate::path::{ArmPath, Kind, Scope};

/// All there is.
#[derive(Debug, Default)]
pub struct World {
    /// Tenants by id.
    pub tenants: BTreeMap<String, Tenant>,
    /// Subscriptions by id.
    pub subscriptions: BTreeMap<String, Subscription>,
    /// Management groups by tenant and name in lower case.
    pub management_groups: BTreeMap<(String, String), ManagementGroup>,
    /// Keys of resource groups.
    pub resource_groups: BTreeSet<String>,
    /// Management locks.
    pub locks: Vec<Lock>,
    /// Applications by client id.
    pub apps: BTreeMap<String, App>,
    /// The keys of issuers outside this Entra.
    pub issuers: BTreeMap<String, Keys>,
    /// Managed identities.
    pub managed_identities: Vec<ManagedIdentity>,
    /// Network managers.
    pub managers: BTreeMap<String, Manager>,
    /// Network groups.
    pub groups: BTreeMap<String, NetworkGroup>,
    /// Scope connections: the half on the manager.
    pub scope_connections: BTreeMap<String, ScopeConnection>,
    /// Network manager connections: the half on the subscription or management group.
    pub manager_connections: BTreeMap<String, ManagerConnection>,
    /// Static members.
    pub members: BTreeMap<String, StaticMember>,
    /// Virtual networks.
    pub networks: BTreeMap<String, Network>,
    /// Deletes that were accepted, by the id in their Location.
    pub operations: BTreeMap<String, Operation>,
    /// Where the provider is being registered, by key.
    pub registering: BTreeSet<String>,
    /// When connections were deleted, by the manager they belonged to, the tenant and the scope.
    pub connections_gone: BTreeMap<(String, String, String), Timestamp>,
    /// Tenants and scopes that no manager can have any more.
    pub stuck_scopes: BTreeSet<(String, String)>,
    /// What readers that lag behind still see.
    pub echoes: Echoes,
    /// What will happen later.
    pub agenda: Agenda,
    /// Counts what was made, so that of two equal things one is the first.
    serial: u64,
}

impl World {
    /// The next number in order of making.
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The tenant that owns a subscription.
    pub fn tenant_of_subscription(&self, subscription: &str) -> Option<&str> {
        self.subscriptions.get(&subscription.to_ascii_lowercase()).map(|s| s.tenant.as_str())
    }

    /// The tenant that owns what an id names. None for unknown subscriptions and for management groups, whose
    /// names do not tell.
    pub fn tenant_of_id(&self, id: &str) -> Option<&str> {
        match ArmPath::from_id(id)?.scope {
            Scope::Subscription(subscription) => self.tenant_of_subscription(&subscription),
            Scope::ManagementGroup(_) | Scope::Tenant => None,
        }
    }

    /// Whether a tenant owns the scope (a scope key).
    pub fn owns(&self, tenant: &str, scope: &str) -> bool {
        match ArmPath::from_id(scope).map(|path| path.scope) {
            Some(Scope::Subscription(id)) => self.tenant_of_subscription(&id) == Some(tenant),
            Some(Scope::ManagementGroup(name)) => {
                self.management_groups.contains_key(&(tenant.to_owned(), name.to_ascii_lowercase()))
            }
            _ => false,
        }
    }

    /// The key of what a path names, as seen by a caller of this tenant.
    pub fn key(&self, path: &ArmPath, tenant: &str) -> String {
        match path.scope {
            Scope::ManagementGroup(_) => format!("{tenant}:{}", path.key()),
            Scope::Subscription(_) | Scope::Tenant => path.key(),
        }
    }

    /// The management groups above a subscription or management group, innermost first, as ids in lower case.
    pub fn management_groups_above(&self, tenant: &str, scope: &Scope) -> Vec<String> {
        let mut next = match scope {
            Scope::Tenant => None,
            Scope::Subscription(id) => self
                .subscriptions
                .get(&id.to_ascii_lowercase())
                .filter(|subscription| subscription.tenant == tenant)
                .and_then(|subscription| subscription.management_group.clone()),
            Scope::ManagementGroup(name) => self
                .management_groups
                .get(&(tenant.to_owned(), name.to_ascii_lowercase()))
                .and_then(|group| group.parent.clone()),
        };
        let mut above = Vec::new();
        while let Some(name) = next {
            let name = name.to_ascii_lowercase();
            // A circle in the world file must not hang the server.
            if above.len() > self.management_groups.len() {
                break;
            }
            next = self
                .management_groups
                .get(&(tenant.to_owned(), name.clone()))
                .and_then(|group| group.parent.clone());
            above.push(format!("/providers/microsoft.management/managementgroups/{name}"));
        }
        above
    }

    /// The network that an id names, be it a network's or one of its subnets', where that exists.
    pub fn network_of(&self, resource_id: &str) -> Option<&Network> {
        let path = ArmPath::from_id(resource_id)?;
        match path.kind() {
            Kind::VirtualNetwork => self.networks.get(&path.key()),
            Kind::Subnet => {
                let network = self.networks.get(&path.parent().key())?;
                network.subnets.iter().any(|s| s.name.eq_ignore_ascii_case(path.name())).then_some(network)
            }
            _ => None,
        }
    }
}

/// The entries of a map whose keys begin with a prefix.
pub fn under<'a, V>(
    map: &'a BTreeMap<String, V>,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a String, &'a V)> {
    map.range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
        .take_while(move |(key, _)| key.starts_with(prefix))
}

/// Removes the entries whose keys begin with a prefix and gives them back.
pub fn remove_under<V>(map: &mut BTreeMap<String, V>, prefix: &str) -> Vec<V> {
    let keys: Vec<String> = under(map, prefix).map(|(key, _)| key.clone()).collect();
    keys.iter().filter_map(|key| map.remove(key)).collect()
}
