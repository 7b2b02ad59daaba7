//! Each reason of a connection, reached from a situation: what Ready says, what accompanies it, and what time changes.

use avnm_api::{AdoptionPolicy, ClaimPhase, DeletionPolicy, Mode};
use avnm_plan::{
    cross_tenant_connection::{self, Half, Inputs, Role},
    lifecycle::Dependent,
    meta::CrdState,
    reason::Reason,
};
use avnm_terms::{ConnectionState, KubeFaultKind, Listing, Reading};
use jiff::SignedDuration;
use rstest::rstest;

use crate::{
    azure::{Author, Says, Thing, Trouble, Wrong},
    connection::{World, spec},
    fixture::{CENTRAL, Cred, UID, kube_fault},
    play::World as _,
};

type Shown = (&'static str, &'static str, &'static str);

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;
const NONE: &str = "";
const RECONCILING: &str = "Reconciling";
const STALLED: &str = "Stalled";

fn ours() -> World {
    World::ours()
}

fn connected() -> World {
    World::connected()
}

fn external() -> World {
    World::new(Role::Ours, Role::External)
}

fn put(world: &mut World, half: Half, thing: Thing) {
    *world.azure.things.get_mut(half) = Some(thing);
    world.azure.advance(world.shared.now);
}

fn stuck(world: &mut World, word: &str) {
    put(world, Half::Scope, Thing::stuck_in(Author::Us, Says::Wanted, ConnectionState::parse(word)));
}

fn unclear(world: &mut World) {
    world.listing = Some(Reading::Found(Listing::Unclear("all".to_owned())));
}

fn lasting(world: &mut World, half: Half, trouble: Trouble) {
    world.azure.trouble = Some((half, trouble, u32::MAX));
}

/// From a situation to what is shown after some seconds, and after so many minutes.
#[rstest]
#[case::suspended(ours, |w: &mut World| w.spec.suspend = Some(true), ("Unknown", "Suspended", NONE), 30, ("Unknown", "Suspended", NONE))]
#[case::suspended_when_ready(connected, |w: &mut World| w.spec.suspend = Some(true), ("True", "Connected", NONE), 30, ("True", "Connected", NONE))]
#[case::invalid_spec(ours, |w: &mut World| w.spec.network_manager_id = "/x".into(), ("False", "InvalidSpec", STALLED), 30, ("False", "InvalidSpec", STALLED))]
#[case::same_tenant(ours, |w: &mut World| w.spec.target.tenant_id = CENTRAL.into(), ("False", "SameTenant", STALLED), 30, ("False", "SameTenant", STALLED))]
#[case::tenant_mismatch(ours, |w: &mut World| w.spec.target.tenant_id = UID.into(), ("False", "TenantMismatch", STALLED), 30, ("False", "TenantMismatch", STALLED))]
#[case::tenant_of_the_claim(connected, |w: &mut World| {
    let claim = w.status.scope_connection.as_mut().and_then(|half| half.claim.as_mut());
    claim.unwrap().tenant_id = UID.into();
}, ("False", "TenantMismatch", STALLED), 30, ("False", "TenantMismatch", STALLED))]
#[case::scope_not_allowed(ours, |w: &mut World| w.allowed.scope = Some(vec!["/subscriptions/x".into()]), ("False", "ScopeNotAllowed", STALLED), 30, ("False", "ScopeNotAllowed", STALLED))]
#[case::credential_missing(ours, |w: &mut World| w.creds.scope = Cred::Missing, ("Unknown", "DependencyNotReady", RECONCILING), 11, ("Unknown", "DependencyNotReady", STALLED))]
#[case::credential_not_ready(ours, |w: &mut World| w.creds.target = Cred::NotReady, ("Unknown", "CredentialNotReady", RECONCILING), 11, ("Unknown", "CredentialNotReady", STALLED))]
#[case::credential_not_lent(ours, |w: &mut World| w.creds.target = Cred::NotLent, ("False", "NamespaceNotAllowed", STALLED), 30, ("False", "NamespaceNotAllowed", STALLED))]
#[case::credential_propagating(ours, |w: &mut World| w.creds.target = Cred::Propagating, ("Unknown", "CredentialNotReady", RECONCILING), 30, ("Unknown", "CredentialNotReady", RECONCILING))]
#[case::credential_terminating(ours, |w: &mut World| w.creds.scope = Cred::Terminating, ("False", "DependencyNotReady", RECONCILING), 11, ("False", "DependencyNotReady", STALLED))]
#[case::last_material(ours, |w: &mut World| w.creds.scope = Cred::LastMaterial, ("False", "DependencyNotReady", RECONCILING), 11, ("False", "DependencyNotReady", STALLED))]
#[case::claimed_by_other(ours, |w: &mut World| w.beaten_by = Some("CrossTenantConnection a".into()), ("False", "ClaimedByOther", STALLED), 30, ("False", "ClaimedByOther", STALLED))]
#[case::foreign(ours, |w: &mut World| put(w, Half::Scope, Thing::new(Author::Stranger, Says::Other)), ("False", "Foreign", STALLED), 30, ("False", "Foreign", STALLED))]
#[case::foreign_though_identical(ours, |w: &mut World| {
    w.spec.adoption_policy = Some(AdoptionPolicy::Never);
    put(w, Half::Scope, Thing::new(Author::Stranger, Says::Wanted));
}, ("False", "Foreign", STALLED), 30, ("False", "Foreign", STALLED))]
#[case::already_exists(ours, |w: &mut World| w.azure.elsewhere.target = true, ("False", "AlreadyExistsAs", STALLED), 30, ("False", "AlreadyExistsAs", STALLED))]
#[case::manager_not_found(ours, |w: &mut World| lasting(w, Half::Scope, Trouble::Read(Wrong::ParentMissing)), ("Unknown", "ManagerNotFound", RECONCILING), 11, ("Unknown", "ManagerNotFound", STALLED))]
#[case::manager_is_gone(connected, |w: &mut World| w.listing = Some(Reading::Absent), ("False", "ManagerNotFound", RECONCILING), 11, ("False", "ManagerNotFound", STALLED))]
#[case::target_missing(ours, |w: &mut World| lasting(w, Half::Target, Trouble::Put(Wrong::ParentMissing)), ("False", "TargetMissing", RECONCILING), 11, ("False", "TargetMissing", STALLED))]
#[case::permission_denied(ours, |w: &mut World| lasting(w, Half::Scope, Trouble::Put(Wrong::Denied)), ("False", "PermissionDenied", RECONCILING), 11, ("False", "PermissionDenied", STALLED))]
#[case::permission_denied_to_read(ours, |w: &mut World| lasting(w, Half::Target, Trouble::Read(Wrong::Denied)), ("Unknown", "PermissionDenied", RECONCILING), 11, ("Unknown", "PermissionDenied", STALLED))]
#[case::azure_refused(ours, |w: &mut World| lasting(w, Half::Scope, Trouble::Put(Wrong::Refused)), ("False", "AzureRefused", RECONCILING), 11, ("False", "AzureRefused", STALLED))]
#[case::locked(ours, |w: &mut World| lasting(w, Half::Scope, Trouble::Put(Wrong::Locked)), ("False", "AzureRefused", RECONCILING), 11, ("False", "AzureRefused", STALLED))]
#[case::retry(ours, |w: &mut World| lasting(w, Half::Scope, Trouble::Read(Wrong::Broken)), ("Unknown", "ProgressingWithRetry", RECONCILING), 30, ("Unknown", "ProgressingWithRetry", RECONCILING))]
#[case::retry_of_a_write(ours, |w: &mut World| lasting(w, Half::Target, Trouble::Put(Wrong::Throttled)), ("False", "ProgressingWithRetry", RECONCILING), 30, ("False", "ProgressingWithRetry", RECONCILING))]
#[case::ready_is_kept_while_unread(connected, |w: &mut World| lasting(w, Half::Target, Trouble::Read(Wrong::Denied)), ("True", "Connected", NONE), 14, ("True", "Connected", NONE))]
#[case::and_not_for_ever(connected, |w: &mut World| lasting(w, Half::Target, Trouble::Read(Wrong::Denied)), ("True", "Connected", NONE), 16, ("Unknown", "PermissionDenied", STALLED))]
#[case::scope_mismatch(external, |w: &mut World| put(w, Half::Target, Thing::new(Author::Stranger, Says::Elsewhere)), ("False", "ScopeMismatch", STALLED), 30, ("False", "ScopeMismatch", STALLED))]
#[case::rejected(connected, |w: &mut World| stuck(w, "Rejected"), ("False", "Rejected", STALLED), 30, ("False", "Rejected", STALLED))]
#[case::conflict(connected, |w: &mut World| stuck(w, "Conflict"), ("False", "Conflict", STALLED), 30, ("False", "Conflict", STALLED))]
#[case::revoked(connected, |w: &mut World| stuck(w, "Revoked"), ("False", "Revoked", RECONCILING), 2, ("False", "Revoked", STALLED))]
#[case::remote_is_not_there(external, |_: &mut World| (), ("False", "PendingRemoteConnection", RECONCILING), 30, ("False", "PendingRemoteConnection", RECONCILING))]
#[case::remote_is_not_declared(|| World::new(Role::Ours, Role::Absent), |_: &mut World| (), ("False", "PendingRemoteConnection", RECONCILING), 30, ("False", "PendingRemoteConnection", RECONCILING))]
#[case::both_are_external(|| World::new(Role::External, Role::External), |_: &mut World| (), ("False", "PendingRemoteConnection", RECONCILING), 30, ("False", "PendingRemoteConnection", RECONCILING))]
#[case::activating(connected, |w: &mut World| stuck(w, "Pending"), ("False", "Activating", RECONCILING), 6, ("False", "PendingTooLong", RECONCILING))]
#[case::unknown_state(connected, |w: &mut World| stuck(w, "Paused"), ("False", "UnknownState", RECONCILING), 30, ("False", "UnknownState", RECONCILING))]
#[case::awaiting_scope(connected, |w: &mut World| w.listing = Some(Reading::Found(Listing::Absent)), ("False", "AwaitingScope", RECONCILING), 30, ("False", "AwaitingScope", RECONCILING))]
#[case::a_listing_that_cannot_be_read(connected, unclear, ("True", "Connected", NONE), 14, ("True", "Connected", NONE))]
#[case::and_not_for_ever_either(connected, unclear, ("True", "Connected", NONE), 16, ("Unknown", "AwaitingScope", RECONCILING))]
#[case::nor_before_it_was_ready(ours, unclear, ("False", "AwaitingScope", RECONCILING), 30, ("False", "AwaitingScope", RECONCILING))]
#[case::would_change(ours, |w: &mut World| w.spec.mode = Some(Mode::Observe), ("False", "WouldChange", NONE), 30, ("False", "WouldChange", NONE))]
#[case::observed(connected, |w: &mut World| w.spec.mode = Some(Mode::Observe), ("True", "Observed", NONE), 30, ("True", "Observed", NONE))]
#[case::observe_shows_azures_own_row(connected, |w: &mut World| {
    w.spec.mode = Some(Mode::Observe);
    stuck(w, "Conflict");
}, ("False", "Conflict", STALLED), 30, ("False", "Conflict", STALLED))]
#[case::connected(ours, |_: &mut World| (), ("True", "Connected", NONE), 30, ("True", "Connected", NONE))]
#[case::seen_from_the_target(|| World::new(Role::Absent, Role::Ours), |w: &mut World| put(w, Half::Scope, Thing::new(Author::Stranger, Says::Wanted)), ("True", "ConnectedAsSeenFromTarget", NONE), 30, ("True", "ConnectedAsSeenFromTarget", NONE))]
#[case::deleting(connected, |w: &mut World| {
    w.meta.deleting = true;
    w.azure.trouble = Some((Half::Scope, Trouble::DeleteLater(MINUTES(40)), u32::MAX));
}, ("False", "Deleting", RECONCILING), 30, ("False", "Deleting", RECONCILING))]
fn from_a_situation_to_what_is_shown(
    #[case] begin: fn() -> World,
    #[case] change: fn(&mut World),
    #[case] soon: Shown,
    #[case] minutes: i64,
    #[case] later: Shown,
) {
    let mut world = begin();
    change(&mut world);
    world.run(SignedDuration::from_secs(30));
    assert_eq!(world.shown(), soon, "{}", world.message());
    world.run(MINUTES(minutes) - SignedDuration::from_secs(20));
    assert_eq!(world.shown(), later, "{}", world.message());
    if world.shown().0 != "True" && !["Suspended", "Deleting", "WouldChange"].contains(&world.shown().1) {
        let actors = ["ClusterOperator", "ManagerTenantAdmin", "TargetTenantAdmin", "Azure", "Entra"];
        assert!(actors.iter().any(|actor| world.message().contains(actor)), "{}", world.message());
    }
}

/// A credential of the manager's tenant for the other half: what that would be is said, and why it is not done.
#[test]
fn azure_lighthouse_is_refused_by_its_name() {
    let refused = |change: fn(&mut Inputs)| {
        let mut inputs = ours().inputs();
        change(&mut inputs);
        let refused = cross_tenant_connection::desire(&inputs).unwrap().refused.expect("it is refused");
        assert_eq!(refused.reason, Reason::TenantMismatch);
        refused.message
    };
    let delegated = refused(|inputs| inputs.credentials.target.spec = inputs.credentials.scope.spec.clone());
    for word in ["central", "the manager's", "Azure Lighthouse", "each tenant's own", "ClusterOperator"] {
        assert!(delegated.contains(word), "{word}: {delegated}");
    }
    let third = refused(|inputs| inputs.spec.target.tenant_id = UID.into());
    assert!(!third.contains("Lighthouse") && third.contains("refer to a credential"), "{third}");
}

/// What blocks a deletion is named, and each message names a way out.
#[rstest]
#[case::denied(|w: &mut World| lasting(w, Half::Scope, Trouble::Delete(Wrong::Denied)), &["scope connection", "AuthorizationFailed"])]
#[case::locked(|w: &mut World| lasting(w, Half::Target, Trouble::Delete(Wrong::Locked)), &["network manager connection", "lock"])]
#[case::unproven(|w: &mut World| lasting(w, Half::Scope, Trouble::Read(Wrong::Unproven)), &["scope connection", "InvalidResourceType"])]
#[case::suspended(|w: &mut World| w.spec.suspend = Some(true), &["spec.suspend"])]
#[case::members(|w: &mut World| w.dependents = Ok(members(&[false, true, true, true])), &["4 StaticMember", "m0, m1, m2)"])]
#[case::crd(|w: &mut World| w.crd = CrdState::Terminating, &["CRDTerminating", "avnm.dev/confirm-delete"])]
#[case::credential_missing(|w: &mut World| w.creds.target = Cred::Missing, &["network manager connection", "fabrikam", "gone"])]
#[case::credential_withdrawn(|w: &mut World| w.creds.scope = Cred::NotLent, &["scope connection", "central", "not lent to this namespace any more"])]
#[case::credential_broken(|w: &mut World| w.creds.scope = Cred::NotReady, &["scope connection", "central", "SignInRefused"])]
fn a_blocked_deletion_names_what_blocks_and_the_way_out(
    #[case] change: fn(&mut World),
    #[case] words: &[&str],
) {
    let mut world = connected();
    world.meta.deleting = true;
    change(&mut world);
    world.run(MINUTES(2));
    assert_eq!(world.shown(), ("False", "DeletionBlocked", STALLED));
    let message = world.message().to_owned();
    for word in words.iter().chain(&["Ways out", "Orphan"]) {
        assert!(message.contains(word), "{word}: {message}");
    }
    // What was not looked at is not said to be missing.
    assert!(world.azure.things.scope.is_none() || world.status.scope_connection.is_some());
    // The way out that always works.
    world.spec.deletion_policy = Some(DeletionPolicy::Orphan);
    world.run(MINUTES(2));
    assert!(world.shared.released, "{message}");
}

/// One half that cannot be deleted does not hold back the other.
#[test]
fn the_other_half_is_deleted_all_the_same() {
    for half in Half::BOTH {
        let mut world = connected();
        world.meta.deleting = true;
        lasting(&mut world, half, Trouble::Delete(Wrong::Denied));
        world.run(MINUTES(2));
        assert!(world.azure.things.get(half).is_some() && world.azure.things.get(half.other()).is_none());
        assert!(world.message().contains(half.resource().words()), "{}", world.message());
    }
}

#[rstest]
#[case::members_that_go_too(|w: &mut World| w.dependents = Ok(members(&[true])))]
#[case::members_unread(|w: &mut World| w.dependents = Err(kube_fault(KubeFaultKind::Unanswered)))]
#[case::crd_unread(|w: &mut World| w.crd = CrdState::Unknown(kube_fault(KubeFaultKind::Server)))]
#[case::reads_that_pass(|w: &mut World| lasting(w, Half::Scope, Trouble::Read(Wrong::Broken)))]
fn a_deletion_that_waits_deletes_nothing(#[case] change: fn(&mut World)) {
    let mut world = connected();
    world.meta.deleting = true;
    change(&mut world);
    world.run(SignedDuration::from_secs(2));
    assert_eq!(world.shown(), ("False", "Deleting", RECONCILING));
    world.run(MINUTES(20));
    assert_eq!((world.shown().1, world.shown().2), ("Deleting", RECONCILING));
    assert_eq!(world.azure.deletes.scope, 0);
}

#[test]
fn confirm_delete_lets_a_deletion_pass_a_crd_that_goes() {
    for crd in [CrdState::Terminating, CrdState::Unknown(kube_fault(KubeFaultKind::Unanswered))] {
        let mut world = connected();
        (world.meta.deleting, world.meta.confirm_delete) = (true, true);
        world.crd = crd;
        world.play();
        assert!(world.shared.released);
    }
}

fn members(deleting: &[bool]) -> Vec<Dependent> {
    let member = |(at, deleting): (usize, &bool)| Dependent { name: format!("m{at}"), deleting: *deleting };
    deleting.iter().enumerate().map(member).collect()
}

/// Both halves have the same trouble: the scope half is said first, and the other one too.
#[test]
fn a_message_names_both_halves() {
    let mut world = ours();
    for half in Half::BOTH {
        put(&mut world, half, Thing::new(Author::Stranger, Says::Other));
    }
    world.play();
    let message = world.message();
    let scope = message.find("scopeConnections/").unwrap();
    let target = message.find("networkManagerConnections/").unwrap();
    assert!(scope < target, "{message}");
}

/// Of two halves the worse is shown.
#[test]
fn the_first_reason_of_both_halves_is_shown() {
    let mut world = connected();
    stuck(&mut world, "Conflict");
    put(&mut world, Half::Target, Thing::stuck_in(Author::Us, Says::Wanted, ConnectionState::Rejected));
    world.run(MINUTES(1));
    assert_eq!(world.shown().1, "Rejected");
    assert_eq!(world.status.connection_state.as_deref(), Some("Rejected"));
}

#[test]
fn revoked_counts_from_when_it_was_read() {
    let mut world = connected();
    world.run(MINUTES(600));
    stuck(&mut world, "Revoked");
    world.pass();
    assert_eq!(world.shown(), ("False", "Revoked", RECONCILING));
    world.run(SignedDuration::from_secs(115));
    assert_eq!(world.shown(), ("False", "Revoked", RECONCILING));
    world.run(SignedDuration::from_secs(6));
    assert_eq!(world.shown(), ("False", "Revoked", STALLED));
}

#[test]
fn what_was_not_read_is_not_missing() {
    let mut world = ours();
    world.beaten_by = Some("CrossTenantConnection a".to_owned());
    world.play();
    assert_eq!(world.condition("Synced"), ("Unknown", "NotRead"));
    let mut world = connected();
    world.allowed.scope = Some(vec!["/subscriptions/x".to_owned()]);
    world.play();
    assert_eq!(world.condition("Synced"), ("Unknown", "NotRead"));
    assert!(world.claim(Half::Scope).is_some() && world.claim(Half::Target).is_some());
}

#[test]
fn suspended_keeps_what_was_and_says_so() {
    let mut world = connected();
    world.spec.suspend = Some(true);
    world.meta.generation = 2;
    stuck(&mut world, "Conflict");
    world.play();
    assert_eq!(world.shown(), ("True", "Connected", NONE));
    assert_eq!(world.condition("Suspended").0, "True");
    assert_eq!(world.condition("Synced").0, "True");
    assert_eq!(world.status.observed_generation, Some(2));
    world.spec.suspend = Some(false);
    world.play();
    assert_eq!(world.condition("Suspended").0, "");
    assert_eq!(world.shown().1, "Conflict");
}

/// A claim without its finalizer is held again before any verdict, and that is told once.
#[rstest]
#[case::at_rest(|_: &mut World| ())]
#[case::observed(|w: &mut World| w.spec.mode = Some(Mode::Observe))]
#[case::suspended(|w: &mut World| w.spec.suspend = Some(true))]
#[case::refused(|w: &mut World| w.allowed.scope = Some(vec!["/subscriptions/x".into()]))]
#[case::beaten(|w: &mut World| w.beaten_by = Some("CrossTenantConnection a".into()))]
#[case::without_a_credential(|w: &mut World| w.creds.scope = Cred::Missing)]
#[case::unread(|w: &mut World| lasting(w, Half::Scope, Trouble::Read(Wrong::Denied)))]
fn a_claim_without_its_finalizer_is_held_again(#[case] change: fn(&mut World)) {
    let mut world = connected();
    change(&mut world);
    world.meta.held = false;
    world.pass();
    assert!(world.meta.held);
    world.run(MINUTES(10));
    let restored: Vec<_> = world.shared.told.iter().filter(|one| one.reason == "FinalizerRestored").collect();
    assert!(restored.len() == 1 && restored[0].warning, "{restored:?}");
}

#[rstest]
#[case::conflict("Conflict")]
#[case::revoked("Revoked")]
#[case::rejected("Rejected")]
fn recreate_is_the_way_out_once_per_value(#[case] word: &str) {
    let mut world = connected();
    stuck(&mut world, word);
    world.play();
    let deletes = |world: &World| world.azure.deletes.scope + world.azure.deletes.target;
    for (value, total) in [("1", 2), ("1", 2), ("2", 4)] {
        stuck(&mut world, word);
        world.pass();
        world.meta.recreate = Some(value.to_owned());
        world.play();
        assert_eq!(deletes(&world), total, "{value}");
    }
    assert_eq!(world.shown(), ("True", "Connected", NONE));
    assert!(
        Half::BOTH.into_iter().all(|half| world.shared.memory.items[half.at()].undone() == 0),
        "no drift"
    );
}

#[rstest]
#[case::in_another_state(connected, |_: &mut World| (), true)]
#[case::on_the_first_pass(ours, |w: &mut World| {
    w.claims(Half::Scope, ClaimPhase::Held, Says::Wanted);
    w.claims(Half::Target, ClaimPhase::Held, Says::Wanted);
    put(w, Half::Target, Thing::new(Author::Us, Says::Wanted));
    stuck(w, "Conflict");
}, true)]
#[case::under_observe(connected, |w: &mut World| {
    stuck(w, "Conflict");
    w.spec.mode = Some(Mode::Observe);
}, false)]
#[case::suspended(connected, |w: &mut World| {
    stuck(w, "Conflict");
    w.spec.suspend = Some(true);
}, false)]
#[case::half_unread(connected, |w: &mut World| {
    stuck(w, "Conflict");
    w.creds.target = Cred::Missing;
}, false)]
fn recreate_does_nothing(
    #[case] begin: fn() -> World,
    #[case] change: fn(&mut World),
    #[case] mirrored: bool,
) {
    let mut world = begin();
    change(&mut world);
    world.meta.recreate = Some("1".to_owned());
    world.play();
    assert_eq!(world.azure.deletes.scope + world.azure.deletes.target, 0);
    assert_eq!(world.status.recreate.is_some(), mirrored);
}

/// What stands in the way of a recreation under way is said.
#[test]
fn a_recreation_that_is_blocked_says_so() {
    let mut world = connected();
    stuck(&mut world, "Conflict");
    world.play();
    world.meta.recreate = Some("1".to_owned());
    lasting(&mut world, Half::Target, Trouble::Delete(Wrong::Denied));
    world.run(SignedDuration::from_secs(20));
    assert_eq!(world.shown().1, "PermissionDenied");
    world.creds.target = Cred::Missing;
    world.run(MINUTES(20));
    assert_eq!(world.shown().1, "DependencyNotReady");
    (world.creds.target, world.azure.trouble) = (Cred::Works, None);
    world.play();
    assert_eq!(world.shown(), ("True", "Connected", NONE));
}

/// A half that is taken out is let go with an event, and stays in Azure.
#[test]
fn a_half_taken_out_stays_in_azure() {
    for role in [Role::External, Role::Absent] {
        let mut world = connected();
        world.spec = spec(Role::Ours, role);
        world.play();
        assert!(world.claim(Half::Target).is_none() && world.azure.things.target.is_some());
        assert_eq!(world.shared.told.iter().filter(|one| one.reason == "HalfReleased").count(), 1);
        world.meta.deleting = true;
        world.play();
        assert!(world.azure.things.scope.is_none() && world.azure.things.target.is_some());
    }
}
