//! The calls that read and write one thing in Azure: one function a call, one arm a resource.

use avnm_arm::{Arm, Credential, ManagerConnectionBody, MemberBody, ScopeConnectionBody};
use avnm_plan::item::{Address, Body, Seen, State};
use avnm_terms::{
    ArmId, ConnectionState, Fault, FaultKind, ManagerConnection, ManagerId, Member, Reading, ScopeConnection,
    ScopeId, TenantId,
};
use jiff::SignedDuration;
use tokio::time::Instant;

use crate::inventory::{Inventory, Picture, Snapshot, Visit, Wanted};

/// Who reads a collection, and with what.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) visit: &'a Visit,
    pub(crate) inventory: &'a Inventory,
    pub(crate) credential: &'a Credential,
}

/// What a list says of one thing.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Under our id.
    pub(super) own: Option<Seen>,
    /// The same thing under another id.
    pub(super) same: Option<ArmId>,
}

/// What a half of a connection connects: the manager's side or the target's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Connects<'a> {
    /// A scope connection.
    Scope(&'a ManagerId, &'a TenantId, &'a ScopeId),
    /// A network manager connection.
    Manager(&'a ScopeId, &'a ManagerId),
}

/// A half in a list, with what tells whether it matches.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The half.
    pub(crate) seen: Seen,
    /// It connects what the object connects.
    pub(crate) matches: bool,
    /// Pending, of our target tenant, and for another scope or manager.
    pub(crate) mismatch: bool,
}

/// What a GET of it says.
pub(super) async fn get(arm: &Arm, credential: &Credential, address: &Address) -> Reading<Seen> {
    match address {
        Address::ScopeConnection { id, .. } => {
            arm.get_scope_connection(credential, id).await.map(|found| scope_connection(&found))
        }
        Address::ManagerConnection { id, .. } => {
            arm.get_manager_connection(credential, id).await.map(|found| manager_connection(&found))
        }
        Address::Member { id, .. } => arm.get_member(credential, id).await.map(|found| member(&found)),
    }
}

/// Sends it; a description of `None` is left out.
pub(super) async fn put(
    arm: &Arm,
    credential: &Credential,
    auxiliary: Option<&Credential>,
    address: &Address,
    description: Option<String>,
) -> Result<(), Fault> {
    match address {
        Address::ScopeConnection { id, tenant, scope, .. } => {
            let body = ScopeConnectionBody { tenant: tenant.clone(), scope: scope.clone(), description };
            arm.put_scope_connection(credential, id, &body).await.map(drop)
        }
        Address::ManagerConnection { id, manager, .. } => {
            let body = ManagerConnectionBody { manager: manager.clone(), description };
            arm.put_manager_connection(credential, id, &body).await.map(drop)
        }
        Address::Member { id, network, .. } => {
            let body = MemberBody { resource: network.clone() };
            arm.put_member(credential, auxiliary, id, &body).await.map(drop)
        }
    }
}

/// Deletes it.
pub(super) async fn delete(
    arm: &Arm,
    credential: &Credential,
    auxiliary: Option<&Credential>,
    address: &Address,
) -> Result<(), Fault> {
    match address {
        Address::ScopeConnection { id, .. } => arm.delete_scope_connection(credential, id).await,
        Address::ManagerConnection { id, .. } => arm.delete_manager_connection(credential, id).await,
        Address::Member { id, .. } => arm.delete_member(credential, auxiliary, id).await,
    }
}

/// What its collection says of it, and when the read began; `None` while it is being read.
pub(super) fn listed(
    reader: Reader<'_>,
    address: &Address,
    wanted: Wanted,
) -> Option<(Instant, Reading<Listed>)> {
    let of_halves = |(begun, all): (Instant, Reading<Vec<Entry>>)| {
        let own = address.id();
        let listed = all.map(|all| Listed {
            // Of several always the same one: Azure's order means nothing.
            same: all
                .iter()
                .filter(|entry| entry.matches && entry.seen.id != *own)
                .map(|it| it.seen.id.clone())
                .min(),
            own: all.into_iter().find(|entry| entry.seen.id == *own).map(|entry| entry.seen),
        });
        (begun, listed)
    };
    match address {
        Address::ScopeConnection { manager, tenant, scope, .. } => {
            entries(reader, Connects::Scope(manager, tenant, scope), wanted).map(of_halves)
        }
        Address::ManagerConnection { scope, manager, .. } => {
            entries(reader, Connects::Manager(scope, manager), wanted).map(of_halves)
        }
        Address::Member { id, group, network } => {
            let Reader { visit, inventory, credential } = reader;
            let picture = visit.read(&inventory.members, credential, group, wanted);
            let Picture::Known(snapshot) = picture else { return None };
            let listed = snapshot.reading.map(|list| Listed {
                own: list.get(id.arm()).map(|found| member(&found)),
                same: list.naming(network.arm()).map(|other| other.id).find(|other| other != id.arm()),
            });
            Some((snapshot.begun, listed))
        }
    }
}

/// The halves of a collection, and when the read began; `None` while it is being read.
pub(crate) fn entries(
    reader: Reader<'_>,
    connects: Connects<'_>,
    wanted: Wanted,
) -> Option<(Instant, Reading<Vec<Entry>>)> {
    let Reader { visit, inventory, credential } = reader;
    match connects {
        Connects::Scope(manager, tenant, scope) => {
            let picture = visit.read(&inventory.scope_connections, credential, manager, wanted);
            let Picture::Known(Snapshot { begun, reading }) = picture else { return None };
            let entry = |found: &ScopeConnection| {
                let same_tenant = found.tenant.as_ref() == Some(tenant);
                let same_scope = found.names(scope.arm());
                Entry {
                    seen: scope_connection(found),
                    matches: same_tenant && same_scope,
                    mismatch: same_tenant && !same_scope && found.state == ConnectionState::Pending,
                }
            };
            Some((begun, reading.map(|all| all.iter().map(entry).collect())))
        }
        Connects::Manager(scope, manager) => {
            let picture = visit.read(&inventory.manager_connections, credential, scope, wanted);
            let Picture::Known(Snapshot { begun, reading }) = picture else { return None };
            let entry = |found: &ManagerConnection| {
                let matches = found.names(manager.arm());
                Entry {
                    seen: manager_connection(found),
                    matches,
                    mismatch: !matches && found.state == ConnectionState::Pending,
                }
            };
            Some((begun, reading.map(|all| all.iter().map(entry).collect())))
        }
    }
}

/// How long its collection took when it was last read.
pub(super) fn took(reader: Reader<'_>, address: &Address) -> SignedDuration {
    match address {
        Address::ScopeConnection { manager, tenant, scope, .. } => {
            halves_took(reader, Connects::Scope(manager, tenant, scope))
        }
        Address::ManagerConnection { scope, manager, .. } => {
            halves_took(reader, Connects::Manager(scope, manager))
        }
        Address::Member { group, .. } => reader.inventory.members.took(reader.credential, group),
    }
}

/// How long the halves of a collection took when they were last read.
pub(crate) fn halves_took(reader: Reader<'_>, connects: Connects<'_>) -> SignedDuration {
    let Reader { inventory, credential, .. } = reader;
    match connects {
        Connects::Scope(manager, ..) => inventory.scope_connections.took(credential, manager),
        Connects::Manager(scope, _) => inventory.manager_connections.took(credential, scope),
    }
}

/// How many things of its collection wait for Azure to settle, with this one.
pub(super) fn settling(reader: Reader<'_>, address: &Address) -> usize {
    match address {
        Address::Member { group, .. } => {
            reader.inventory.members.settling(reader.credential, group, reader.visit.listener(), true)
        }
        // A manager or a scope has a handful of connections.
        Address::ScopeConnection { .. } | Address::ManagerConnection { .. } => 1,
    }
}

/// What it lies in is not there: that is a fault of what is declared, not an empty list.
pub(crate) fn parent_missing(resource: avnm_plan::side::Resource, parent: &ArmId) -> Fault {
    use avnm_plan::side::Resource;
    let operation = match resource {
        Resource::ScopeConnection => "list scopeConnections of",
        Resource::ManagerConnection => "list networkManagerConnections of",
        Resource::Member | Resource::Network => "list staticMembers of",
    };
    let mut fault = Fault::local(operation, parent.to_string(), FaultKind::NotFound, "it is not there");
    "NotFound".clone_into(&mut fault.code);
    fault
}

fn scope_connection(found: &ScopeConnection) -> Seen {
    Seen {
        id: found.id.clone(),
        state: State::Connection(found.state.clone()),
        body: Body::scope_connection_seen(found),
        description: found.description.clone(),
        location: String::new(),
        changed_by: found.changed_by.clone(),
    }
}

fn manager_connection(found: &ManagerConnection) -> Seen {
    Seen {
        id: found.id.clone(),
        state: State::Connection(found.state.clone()),
        body: Body::manager_connection_seen(found),
        description: found.description.clone(),
        location: String::new(),
        changed_by: found.changed_by.clone(),
    }
}

fn member(found: &Member) -> Seen {
    Seen {
        id: found.id.clone(),
        state: State::Provisioning(found.provisioning.clone()),
        body: Body::member_seen(found),
        description: String::new(),
        location: found.location.clone(),
        changed_by: found.changed_by.clone(),
    }
}
