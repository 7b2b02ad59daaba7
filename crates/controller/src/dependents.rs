//! Who looks again when something changes that it depends on.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use avnm_api::{CredentialKind, CredentialRef, CrossTenantConnection, StaticMember};
use avnm_plan::status::find;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Resource, ResourceExt, core::PartialObjectMeta, runtime::watcher};

use crate::{
    credential_object::CredentialObject,
    guarded::Guarded,
    place::named,
    stores::{Stores, uids},
    uses::{Used, User, UserKind, claimed, halves},
    wakers::Wakers,
};

/// Summaries of objects that others depend on: only a change of these wakes dependents.
pub(crate) type Seen = Arc<Mutex<HashMap<String, String>>>;

fn changed(seen: &Seen, uid: &str, summary: &str) -> bool {
    seen.lock()
        .is_ok_and(|mut seen| seen.insert(uid.to_owned(), summary.to_owned()).as_deref() != Some(summary))
}

fn forget<K: Resource>(seen: &Seen, guard: &Guarded<K>) {
    if let Ok(mut seen) = seen.lock() {
        seen.remove(&guard.uid().unwrap_or_default());
    }
}

/// Forgets all but these; whether there were others, which vanished while nobody watched.
fn retain(seen: &Seen, uids: &HashSet<String>) -> bool {
    let Ok(mut seen) = seen.lock() else { return true };
    let before = seen.len();
    seen.retain(|uid, _| uids.contains(uid));
    seen.len() < before
}

fn ready_of(conditions: Option<&[avnm_api::Condition]>) -> String {
    conditions
        .and_then(|conditions| find(conditions, "Ready"))
        .map(|ready| format!("{} {} {:?}", ready.status, ready.reason, ready.observed_generation))
        .unwrap_or_default()
}

/// A namespace changed: where its labels did, whoever uses a credential of the cluster there looks again.
pub(crate) fn on_namespace(
    stores: &Stores,
    wakers: &Wakers,
    seen: &Seen,
    event: &watcher::Event<PartialObjectMeta<Namespace>>,
) {
    let relabelled = |namespace: &PartialObjectMeta<Namespace>| {
        let summary = format!("{:?}", namespace.metadata.labels);
        if changed(seen, &namespace.uid().unwrap_or_default(), &summary) {
            wake_borrowers(stores, wakers, &namespace.name_any());
        }
    };
    match event {
        watcher::Event::Apply(namespace) => relabelled(namespace),
        watcher::Event::Delete(namespace) => {
            if let Ok(mut seen) = seen.lock() {
                seen.remove(&namespace.uid().unwrap_or_default());
            }
        }
        watcher::Event::InitDone => {
            let all = stores.namespaces.state();
            // Who vanished took its objects along.
            let _ = retain(seen, &all.iter().filter_map(|namespace| namespace.uid()).collect());
            for namespace in all {
                relabelled(&namespace);
            }
        }
        watcher::Event::Init | watcher::Event::InitApply(_) => {}
    }
}

/// Wakes all objects of a namespace that use a credential of the cluster, also through their connection.
fn wake_borrowers(stores: &Stores, wakers: &Wakers, namespace: &str) {
    wake_all(stores, wakers, &stores.uses.of(&Used::AnyOfCluster(namespace)));
}

/// Wakes users, and those of them that are used by members, with these.
fn wake_all(stores: &Stores, wakers: &Wakers, users: &[User]) {
    for user in users {
        match user.kind {
            UserKind::Member => wakers.members.wake(&user.namespace, &user.name),
            UserKind::Connection => {
                wakers.connections.wake(&user.namespace, &user.name);
                wake_members_of(stores, wakers, &user.namespace, &user.name);
            }
        }
    }
}

/// Whether anything that is held was made with a credential.
pub(crate) fn is_held<K: CredentialObject>(stores: &Stores, credential: &K) -> bool {
    let reference = credential.reference();
    let users = stores.uses.of(&used(credential.namespace().as_deref(), &reference));
    users.iter().any(|user| stores.holds_with(user, &reference))
}

/// What a credential is to its users.
fn used<'a>(home: Option<&'a str>, reference: &'a CredentialRef) -> Used<'a> {
    Used::Credential(reference.kind, home.unwrap_or_default(), &reference.name)
}

/// A credential changed: whoever refers to it looks again.
pub(crate) fn on_credential<K: CredentialObject>(
    stores: &Stores,
    wakers: &Wakers,
    seen: &Seen,
    event: &watcher::Event<Guarded<K>>,
) {
    match event {
        watcher::Event::Apply(guard) => credential_changed(stores, wakers, seen, guard),
        watcher::Event::Delete(guard) => {
            forget(seen, guard);
            wake_users_of::<K>(stores, wakers, guard.namespace().as_deref(), &guard.name_any());
        }
        // Only now does the cache show what the list said, and whoever is woken sees it.
        watcher::Event::InitDone => {
            if retain(seen, &uids(K::store(stores))) {
                wake_bereft::<K>(stores, wakers);
            }
            for found in K::store(stores).state() {
                credential_changed(stores, wakers, seen, &found.object());
            }
        }
        watcher::Event::Init | watcher::Event::InitApply(_) => {}
    }
}

fn credential_changed<K: CredentialObject>(
    stores: &Stores,
    wakers: &Wakers,
    seen: &Seen,
    guard: &Guarded<K>,
) {
    let summary = match &guard.0 {
        Ok(object) => format!(
            "{} {:?} {} {}",
            ready_of(object.shown().map(|status| status.conditions.as_slice())),
            object.meta().generation,
            object.meta().deletion_timestamp.is_some(),
            // Ready outlives a failure for a while: that it works again shows here only.
            object.shown().is_some_and(|status| status.last_failure.is_some()),
        ),
        Err(_) => "invalid".to_owned(),
    };
    if changed(seen, &guard.uid().unwrap_or_default(), &summary) {
        wake_users_of::<K>(stores, wakers, guard.namespace().as_deref(), &guard.name_any());
    }
}

/// Wakes all objects that use a credential.
pub(crate) fn wake_users<K: CredentialObject>(stores: &Stores, wakers: &Wakers, credential: &K) {
    wake_users_of::<K>(stores, wakers, credential.namespace().as_deref(), &credential.name_any());
}

fn wake_users_of<K: CredentialObject>(stores: &Stores, wakers: &Wakers, home: Option<&str>, name: &str) {
    let reference = CredentialRef { kind: K::KIND, name: name.to_owned() };
    wake_all(stores, wakers, &stores.uses.of(&used(home, &reference)));
}

/// Credentials vanished unseen: whoever refers to one that is not there looks again. All objects are gone through, once for each
/// watch that begins anew.
fn wake_bereft<K: CredentialObject>(stores: &Stores, wakers: &Wakers) {
    let bereft = |namespace: &str, used: &CredentialRef| {
        let home = avnm_plan::credential::home(used.kind, namespace);
        used.kind == K::KIND && K::store(stores).get(&named(home, &used.name)).is_none()
    };
    for found in stores.connections.state() {
        let Ok(object) = found.object().0 else { continue };
        let namespace = object.namespace().unwrap_or_default();
        let mut all = halves(&object.spec).chain(object.status.iter().flat_map(claimed));
        if all.any(|used| bereft(&namespace, used)) {
            wakers.connections.wake(&namespace, &object.name_any());
            wake_members_of(stores, wakers, &namespace, &object.name_any());
        }
    }
    for found in stores.members.state() {
        let Ok(object) = found.object().0 else { continue };
        let namespace = object.namespace().unwrap_or_default();
        let own = [&object.spec.credential_ref, &object.spec.resource_credential_ref].into_iter().flatten();
        // What it holds may be deleted with the credential that it was made with.
        let held = object.status.as_ref().and_then(|status| status.claim.as_ref());
        if own.chain(held.map(|claim| &claim.credential_ref)).any(|used| bereft(&namespace, used)) {
            wakers.members.wake(&namespace, &object.name_any());
        }
    }
}

/// A connection changed: its members look again, and when it is gone, its credentials.
pub(crate) fn on_connection(
    stores: &Stores,
    wakers: &Wakers,
    seen: &Seen,
    event: &watcher::Event<Guarded<CrossTenantConnection>>,
) {
    match event {
        watcher::Event::Apply(guard) => {
            stores.uses.connection(guard);
            connection_changed(stores, wakers, seen, guard);
        }
        watcher::Event::Delete(guard) => {
            let (namespace, name) = (guard.namespace().unwrap_or_default(), guard.name_any());
            forget(seen, guard);
            stores.uses.leave(UserKind::Connection, &namespace, &name);
            wake_credentials(stores, wakers, &namespace);
            wake_members(stores, wakers, guard);
        }
        watcher::Event::InitDone => {
            let there =
                |namespace: &str, name: &str| stores.connections.get(&named(namespace, name)).is_some();
            stores.uses.retain(UserKind::Connection, there);
            if retain(seen, &uids(&stores.connections)) {
                wake_orphaned_members(stores, wakers);
            }
            for found in stores.connections.state() {
                connection_changed(stores, wakers, seen, &found.object());
            }
        }
        watcher::Event::InitApply(guard) => stores.uses.connection(guard),
        watcher::Event::Init => {}
    }
}

fn connection_changed(stores: &Stores, wakers: &Wakers, seen: &Seen, guard: &Guarded<CrossTenantConnection>) {
    let summary = match &guard.0 {
        Ok(object) => format!(
            "{} {:?} {}",
            ready_of(object.status.as_ref().map(|status| status.conditions.as_slice())),
            object.meta().generation,
            object.meta().deletion_timestamp.is_some()
        ),
        Err(_) => "invalid".to_owned(),
    };
    if changed(seen, &guard.uid().unwrap_or_default(), &summary) {
        wake_members(stores, wakers, guard);
    }
}

/// Connections vanished unseen: members that name one that is not there look again.
fn wake_orphaned_members(stores: &Stores, wakers: &Wakers) {
    for found in stores.members.state() {
        let Ok(object) = found.object().0 else { continue };
        let (Some(reference), Some(namespace)) = (&object.spec.connection_ref, object.namespace()) else {
            continue;
        };
        if stores.connections.get(&named(&namespace, &reference.name)).is_none() {
            wakers.members.wake(&namespace, &object.name_any());
        }
    }
}

fn wake_members(stores: &Stores, wakers: &Wakers, guard: &Guarded<CrossTenantConnection>) {
    wake_members_of(stores, wakers, &guard.namespace().unwrap_or_default(), &guard.name_any());
}

fn wake_members_of(stores: &Stores, wakers: &Wakers, namespace: &str, connection: &str) {
    for user in stores.uses.of(&Used::Connection(namespace, connection)) {
        wakers.members.wake(&user.namespace, &user.name);
    }
}

/// Whether it is worth a pass of who waits for them that one of many users went: the last few, and each hundredth of the many,
/// since each pass goes through all that are left, and says how many.
fn is_worth_a_look(left: usize) -> bool {
    left <= 10 || left.is_multiple_of(100)
}

/// A member came, changed or went: when it went, a connection that waits for that looks again, and so do credentials.
pub(crate) fn on_member(stores: &Stores, wakers: &Wakers, event: &watcher::Event<Guarded<StaticMember>>) {
    let guard = match event {
        watcher::Event::Apply(guard) | watcher::Event::InitApply(guard) => return stores.uses.member(guard),
        watcher::Event::InitDone => {
            let there = |namespace: &str, name: &str| stores.members.get(&named(namespace, name)).is_some();
            return stores.uses.retain(UserKind::Member, there);
        }
        watcher::Event::Init => return,
        watcher::Event::Delete(guard) => guard,
    };
    let namespace = guard.namespace().unwrap_or_default();
    stores.uses.leave(UserKind::Member, &namespace, &guard.name_any());
    let Ok(object) = &guard.0 else { return wake_credentials(stores, wakers, &namespace) };
    if let Some(reference) = &object.spec.connection_ref
        && is_worth_a_look(stores.uses.count(&Used::Connection(&namespace, &reference.name)))
    {
        wakers.connections.wake(&namespace, &reference.name);
    }
    wake_credentials(stores, wakers, &namespace);
}

/// Wakes credentials that are being deleted, and wait for those who use them.
fn wake_credentials(stores: &Stores, wakers: &Wakers, namespace: &str) {
    let left = |kind, home: &str, name: &str| stores.uses.count(&Used::Credential(kind, home, name));
    for found in stores.credentials.state() {
        let found = found.object();
        if found.namespace().as_deref() == Some(namespace)
            && found.meta().deletion_timestamp.is_some()
            && is_worth_a_look(left(CredentialKind::TenantCredential, namespace, &found.name_any()))
        {
            wakers.credentials.wake(namespace, &found.name_any());
        }
    }
    for found in stores.cluster_credentials.state() {
        let found = found.object();
        if found.meta().deletion_timestamp.is_some()
            && is_worth_a_look(left(CredentialKind::ClusterTenantCredential, "", &found.name_any()))
        {
            wakers.cluster_credentials.wake("", &found.name_any());
        }
    }
}
