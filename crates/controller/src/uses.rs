//! Who uses what: which connections and members refer to a credential or a connection, as an index. To go through all objects at
//! each change would cost the square of their number.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use avnm_api::{CredentialKind, CredentialRef, CrossTenantConnection, StaticMember};
use kube::ResourceExt as _;

use crate::guarded::{Guarded, Undecoded};

/// What is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Used<'a> {
    /// A credential; its namespace is empty for one of the cluster.
    Credential(CredentialKind, &'a str, &'a str),
    /// The same, to read or write something of a network manager.
    OfManager(CredentialKind, &'a str, &'a str),
    /// Any credential of the cluster, from this namespace.
    AnyOfCluster(&'a str),
    /// A connection: its namespace and name.
    Connection(&'a str, &'a str),
}

/// Of which kind a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum UserKind {
    Connection,
    Member,
}

/// An object that uses something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct User {
    pub(crate) kind: UserKind,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Box<str>,
}

impl User {
    /// The object of that kind and name.
    pub(crate) fn new(kind: UserKind, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }
}

/// One user and what it uses, by hashes: names once more for each use would be as large as the objects.
#[derive(Debug)]
struct Entry {
    user: User,
    uses: Box<[u64]>,
}

#[derive(Debug, Default)]
struct Index {
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    /// The hashes of users, and the places of their entries; two may share a hash.
    places: BTreeSet<(u64, u32)>,
    by_use: HashMap<u64, HashSet<u32>>,
    namespaces: HashSet<Arc<str>>,
}

/// The index. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses {
    index: Arc<Mutex<Index>>,
    hasher: RandomState,
}

impl Uses {
    fn lock(&self) -> MutexGuard<'_, Index> {
        // Nothing under this lock panics.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, what: &impl std::hash::Hash) -> u64 {
        self.hasher.hash_one(what)
    }

    /// A user refers to these now, and to nothing else.
    pub(crate) fn enter(&self, kind: UserKind, namespace: &str, name: &str, uses: &[Used<'_>]) {
        let mut uses: Vec<u64> = uses.iter().map(|used| self.hash(used)).collect();
        uses.sort_unstable();
        uses.dedup();
        let place = self.hash(&(kind, namespace, name));
        let mut index = self.lock();
        if index.find(place, kind, namespace, name).is_some_and(|at| index.uses(at) == Some(uses.as_slice()))
        {
            return;
        }
        index.leave(place, kind, namespace, name);
        index.add(place, kind, namespace, name, uses);
    }

    /// A user is gone.
    pub(crate) fn leave(&self, kind: UserKind, namespace: &str, name: &str) {
        let place = self.hash(&(kind, namespace, name));
        self.lock().leave(place, kind, namespace, name);
    }

    /// Of this kind only these users are there: a watch that begins anew does not tell who went meanwhile.
    pub(crate) fn retain(&self, kind: UserKind, there: impl Fn(&str, &str) -> bool) {
        let gone: Vec<User> = self
            .lock()
            .entries
            .iter()
            .flatten()
            .map(|entry| &entry.user)
            .filter(|user| user.kind == kind && !there(&user.namespace, &user.name))
            .cloned()
            .collect();
        for user in gone {
            self.leave(kind, &user.namespace, &user.name);
        }
    }

    /// Whoever uses this. Two things may share a hash: then somebody is named who uses the other one.
    pub(crate) fn of(&self, used: &Used<'_>) -> Vec<User> {
        let index = self.lock();
        let Some(found) = index.by_use.get(&self.hash(used)) else { return Vec::new() };
        let entry = |at: &u32| index.entries.get(usize::try_from(*at).ok()?)?.as_ref();
        found.iter().filter_map(entry).map(|entry| entry.user.clone()).collect()
    }

    /// How many use this.
    pub(crate) fn count(&self, used: &Used<'_>) -> usize {
        self.lock().by_use.get(&self.hash(used)).map_or(0, HashSet::len)
    }
}

impl Index {
    fn find(&self, place: u64, kind: UserKind, namespace: &str, name: &str) -> Option<u32> {
        let is_it = |at: &u32| {
            self.entry(*at).is_some_and(|entry| {
                let user = &entry.user;
                user.kind == kind && *user.namespace == *namespace && *user.name == *name
            })
        };
        self.places.range((place, 0)..=(place, u32::MAX)).map(|(_, at)| *at).find(is_it)
    }

    fn entry(&self, at: u32) -> Option<&Entry> {
        self.entries.get(usize::try_from(at).ok()?)?.as_ref()
    }

    fn uses(&self, at: u32) -> Option<&[u64]> {
        self.entry(at).map(|entry| &*entry.uses)
    }

    fn add(&mut self, place: u64, kind: UserKind, namespace: &str, name: &str, uses: Vec<u64>) {
        let known = self.namespaces.get(namespace).map(Arc::clone);
        let namespace = known.unwrap_or_else(|| {
            let new: Arc<str> = namespace.into();
            self.namespaces.insert(Arc::clone(&new));
            new
        });
        let Some(at) = self.free.pop().or_else(|| {
            self.entries.push(None);
            u32::try_from(self.entries.len() - 1).ok()
        }) else {
            return;
        };
        for used in &uses {
            self.by_use.entry(*used).or_default().insert(at);
        }
        self.places.insert((place, at));
        let slot = usize::try_from(at).ok().and_then(|at| self.entries.get_mut(at));
        if let Some(slot) = slot {
            *slot = Some(Entry { user: User { kind, namespace, name: name.into() }, uses: uses.into() });
        }
    }

    fn leave(&mut self, place: u64, kind: UserKind, namespace: &str, name: &str) {
        let Some(at) = self.find(place, kind, namespace, name) else { return };
        let slot = usize::try_from(at).ok().and_then(|at| self.entries.get_mut(at));
        let Some(entry) = slot.and_then(Option::take) else { return };
        self.free.push(at);
        for used in entry.uses {
            if let Some(users) = self.by_use.get_mut(&used) {
                users.remove(&at);
                if users.is_empty() {
                    self.by_use.remove(&used);
                }
            }
        }
        self.places.remove(&(place, at));
        if self.places.is_empty() {
            // What had grown for thousands is given back.
            *self = Self::default();
        }
    }
}

/// What a reference from this namespace means.
fn credential<'a>(namespace: &'a str, reference: &'a CredentialRef) -> Used<'a> {
    let home = avnm_plan::credential::home(reference.kind, namespace);
    Used::Credential(reference.kind, home, &reference.name)
}

fn of_manager<'a>(namespace: &'a str, reference: &'a CredentialRef) -> Used<'a> {
    let home = avnm_plan::credential::home(reference.kind, namespace);
    Used::OfManager(reference.kind, home, &reference.name)
}

fn and_cluster<'a>(namespace: &'a str, mut uses: Vec<Used<'a>>) -> Vec<Used<'a>> {
    let of_cluster =
        |used: &Used<'_>| matches!(used, Used::Credential(CredentialKind::ClusterTenantCredential, ..));
    if uses.iter().any(of_cluster) {
        uses.push(Used::AnyOfCluster(namespace));
    }
    uses
}

impl Uses {
    /// A connection uses the credentials of its halves, and those that what it holds was made with.
    pub(crate) fn connection(&self, guard: &Guarded<CrossTenantConnection>) {
        let (namespace, name) = (guard.namespace().unwrap_or_default(), guard.name_any());
        let Ok(object) = &guard.0 else { return self.leave(UserKind::Connection, &namespace, &name) };
        let uses = halves(&object.spec).chain(object.status.iter().flat_map(claimed));
        let mut uses = and_cluster(&namespace, uses.map(|used| credential(&namespace, used)).collect());
        let manager = object.spec.scope_connection.as_ref();
        uses.extend(manager.map(|half| of_manager(&namespace, &half.credential_ref)));
        self.enter(UserKind::Connection, &namespace, &name, &uses);
    }

    /// A member uses its connection, its own credentials, and the one that what it holds was made with.
    pub(crate) fn member(&self, guard: &Guarded<StaticMember>) {
        let (namespace, name) = (guard.namespace().unwrap_or_default(), guard.name_any());
        let Ok(object) = &guard.0 else { return self.leave(UserKind::Member, &namespace, &name) };
        let own = [&object.spec.credential_ref, &object.spec.resource_credential_ref].into_iter().flatten();
        let held = object.status.as_ref().and_then(|status| status.claim.as_ref());
        let credentials = own.chain(held.map(|claim| &claim.credential_ref));
        let mut uses =
            and_cluster(&namespace, credentials.map(|used| credential(&namespace, used)).collect());
        let connection = object.spec.connection_ref.as_ref().map(|named| named.name.as_str());
        uses.extend(connection.map(|name| Used::Connection(&namespace, name)));
        uses.extend(object.spec.credential_ref.as_ref().map(|own| of_manager(&namespace, own)));
        self.enter(UserKind::Member, &namespace, &name, &uses);
    }
}

/// Whether what a connection holds was made with this credential; of one that does not decode that may be.
pub(crate) fn connection_holds_with(
    guard: &Guarded<CrossTenantConnection>,
    credential: &CredentialRef,
) -> bool {
    match &guard.0 {
        Ok(object) => object.status.iter().flat_map(claimed).any(|used| used == credential),
        Err(undecoded) => may_hold_with(guard.uid(), undecoded, credential),
    }
}

/// The same of a member.
pub(crate) fn member_holds_with(guard: &Guarded<StaticMember>, credential: &CredentialRef) -> bool {
    match &guard.0 {
        Ok(object) => {
            let claim = object.status.as_ref().and_then(|status| status.claim.as_ref());
            claim.is_some_and(|claim| claim.credential_ref == *credential)
        }
        Err(undecoded) => may_hold_with(guard.uid(), undecoded, credential),
    }
}

/// Whether an object that does not decode holds something with a credential; a claim whose credential cannot be read may.
fn may_hold_with(uid: Option<String>, undecoded: &Undecoded, credential: &CredentialRef) -> bool {
    let claims = avnm_plan::undecoded::claims(&undecoded.raw, &uid.unwrap_or_default());
    claims.iter().any(|claim| claim.credential.as_ref().is_none_or(|named| named == credential))
}

/// The credentials that a connection refers to.
pub(crate) fn halves(spec: &avnm_api::CrossTenantConnectionSpec) -> impl Iterator<Item = &CredentialRef> {
    let both = [&spec.scope_connection, &spec.network_manager_connection];
    both.into_iter().flatten().map(|half| &half.credential_ref)
}

/// The credentials that a connection's halves were made with.
pub(crate) fn claimed(
    status: &avnm_api::CrossTenantConnectionStatus,
) -> impl Iterator<Item = &CredentialRef> {
    let both = [&status.scope_connection, &status.network_manager_connection];
    both.into_iter().flatten().filter_map(|half| half.claim.as_ref()).map(|claim| &claim.credential_ref)
}

#[cfg(test)]
mod tests {
    use kube::Resource as _;

    use super::*;

    const SHARED: Used<'static> = Used::Credential(CredentialKind::ClusterTenantCredential, "", "shared");

    fn names(uses: &Uses, used: Used<'_>) -> Vec<String> {
        let mut names: Vec<String> =
            uses.of(&used).iter().map(|user| format!("{}/{}", user.namespace, user.name)).collect();
        names.sort();
        names
    }

    #[test]
    fn a_user_is_found_by_what_it_uses_now() {
        let uses = Uses::default();
        let own = Used::Credential(CredentialKind::TenantCredential, "n", "own");
        uses.enter(UserKind::Member, "n", "a", &[own, SHARED]);
        uses.enter(UserKind::Member, "n", "b", &[SHARED]);
        uses.enter(UserKind::Connection, "n", "a", &[own]);
        assert_eq!(names(&uses, SHARED), ["n/a", "n/b"]);
        assert_eq!(uses.of(&own).len(), 2, "a connection and a member may have one name");
        uses.enter(UserKind::Member, "n", "a", &[SHARED]);
        assert_eq!(uses.of(&own).len(), 1);
        uses.leave(UserKind::Connection, "n", "a");
        assert_eq!((uses.count(&own), uses.count(&SHARED)), (0, 2));
        uses.retain(UserKind::Member, |_, name| name == "b");
        assert_eq!(names(&uses, SHARED), ["n/b"]);
        uses.leave(UserKind::Member, "n", "b");
        assert_eq!(uses.count(&SHARED), 0);
        assert!(uses.lock().entries.capacity() == 0, "and what had grown is given back");
    }

    #[test]
    fn places_are_used_again() {
        let uses = Uses::default();
        uses.enter(UserKind::Member, "n", "stays", &[SHARED]);
        for n in 0..1_000 {
            uses.enter(UserKind::Member, "n", &n.to_string(), &[SHARED]);
            uses.leave(UserKind::Member, "n", &n.to_string());
        }
        assert_eq!(uses.lock().entries.len(), 2);
    }

    #[test]
    fn what_members_and_connections_use() {
        let uses = Uses::default();
        let object: Guarded<StaticMember> = serde_json::from_value(serde_json::json!({
            "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember",
            "metadata": {"name": "m", "namespace": "n", "uid": "u"},
            "spec": {
                "networkGroupId": "/g", "resourceId": "/r", "connectionRef": {"name": "link"},
                "credentialRef": {"kind": "ClusterTenantCredential", "name": "shared"},
            },
        }))
        .unwrap();
        assert!(object.0.is_ok());
        uses.member(&object);
        for used in [SHARED, Used::AnyOfCluster("n"), Used::Connection("n", "link")] {
            assert_eq!(names(&uses, used), ["n/m"], "{used:?}");
        }
        assert_eq!(uses.count(&Used::Connection("other", "link")), 0);
        assert_eq!(object.meta().uid.as_deref(), Some("u"));
    }
}
