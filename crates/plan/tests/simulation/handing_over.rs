//! What is handed over: the heir takes it without a write, and the one that is being deleted lets it go without one.

use avnm_api::{AdoptionPolicy, ClaimOrigin, ClaimPhase, DeletionPolicy};
use avnm_plan::cross_tenant_connection::Half;
use jiff::SignedDuration;
use rstest::rstest;

use crate::{
    azure::{Author, Says, Thing, Trouble, Wrong},
    connection,
    group::{Joined, Names},
    member,
    play::{Handing, Mishap, World},
};

const POLICIES: [AdoptionPolicy; 3] =
    [AdoptionPolicy::Never, AdoptionPolicy::IfIdentical, AdoptionPolicy::Always];

/// Ours to the checks, for that is what the one that gives it holds.
fn thing(says: Says) -> Thing {
    Thing::new(Author::Us, says)
}

#[test]
fn an_heir_takes_both_halves_without_a_write() {
    for policy in POLICIES {
        let mut world = connection::World::ours();
        world.spec.adoption_policy = Some(policy);
        (world.azure.things.scope, world.azure.things.target) =
            (Some(thing(Says::Wanted)), Some(thing(Says::Wanted)));
        world.handing = Handing::Given;
        world.play();
        assert_eq!(world.shown(), ("True", "Connected", ""), "{policy:?}");
        assert_eq!(world.azure.writes(), 0, "{policy:?}");
        for half in Half::BOTH {
            let claim = world.claim(half).unwrap();
            assert_eq!((claim.phase, claim.origin), (ClaimPhase::Held, ClaimOrigin::Adopted));
        }
        let told = world.shared.told.iter().filter(|one| one.reason == "TakenOver").count();
        assert_eq!(told, 2, "each is told");
    }
}

/// Somebody changed it behind the back of the one that gives it: that is drift, to the heir as well.
#[test]
fn what_was_changed_meanwhile_is_taken_and_corrected() {
    let mut world = connection::World::ours();
    world.spec.adoption_policy = Some(AdoptionPolicy::Never);
    (world.azure.things.scope, world.azure.things.target) =
        (Some(thing(Says::Other)), Some(thing(Says::Wanted)));
    world.handing = Handing::Given;
    world.play();
    assert_eq!(world.shown(), ("True", "Connected", ""));
    assert_eq!((world.azure.puts.scope, world.azure.puts.target), (1, 0));
}

#[rstest]
#[case::ready(member::Connection::Ready, "Succeeded")]
#[case::not_ready(member::Connection::NotReady, "ConnectionNotReady")]
fn an_heir_takes_a_member_also_before_its_connection_is_ready(
    #[case] connection: member::Connection,
    #[case] reason: &str,
) {
    for policy in POLICIES {
        let mut world = member::World::new(connection);
        world.spec.adoption_policy = Some(policy);
        world.azure.member = Some(Joined::new(Author::Us, Names::Wanted));
        world.handing = Handing::Given;
        world.play();
        assert_eq!(world.shown().1, reason, "{policy:?}");
        assert!(world.status.claim.as_ref().is_some_and(|claim| claim.phase == ClaimPhase::Held));
        assert_eq!((world.azure.puts, world.azure.deletes), (0, 0));
    }
}

#[test]
fn nothing_that_is_absent_is_made_for_being_given_before_the_connection_is_ready() {
    let mut world = member::World::new(member::Connection::NotReady);
    world.handing = Handing::Given;
    world.play();
    assert_eq!(world.azure.puts, 0);
    assert!(world.status.claim.is_none());
}

/// Confirmed, Confirm deletes as Delete does: only then does the heir keep it from that.
#[rstest]
#[case::delete(DeletionPolicy::Delete, false)]
#[case::confirm(DeletionPolicy::Confirm, false)]
#[case::confirmed(DeletionPolicy::Confirm, true)]
fn who_has_an_heir_waits_and_deletes_nothing(#[case] policy: DeletionPolicy, #[case] confirmed: bool) {
    for unread in [false, true] {
        let mut world = connection::World::connected();
        world.spec.deletion_policy = Some(policy);
        (world.meta.deleting, world.meta.confirm_delete) = (true, confirmed);
        world.handing = Handing::Heir;
        if unread {
            world.azure.trouble = Some((Half::Scope, Trouble::Read(Wrong::Denied), 99));
        }
        world.run(SignedDuration::from_mins(5));
        assert_eq!(world.shown().1, "Deleting");
        assert!(world.message().contains("takes over"), "{}", world.message());
        assert!(!world.shared.released && world.azure.writes() == 0);
        world.handing = Handing::Yields;
        world.run(SignedDuration::from_secs(10));
        assert!(world.shared.released && world.azure.writes() == 0, "{policy:?}");
        assert!(world.azure.things.scope.is_some() && world.azure.things.target.is_some());
        let told = world.shared.told.iter().filter(|one| one.reason == "HandedOver").count();
        assert_eq!(told, 2, "each is told");
    }
}

#[rstest]
#[case::delete(DeletionPolicy::Delete, false)]
#[case::confirm(DeletionPolicy::Confirm, false)]
#[case::confirmed(DeletionPolicy::Confirm, true)]
fn a_member_waits_for_its_heir_too(#[case] policy: DeletionPolicy, #[case] confirmed: bool) {
    let mut world = member::World::succeeded();
    world.spec.deletion_policy = Some(policy);
    (world.meta.deleting, world.meta.confirm_delete) = (true, confirmed);
    world.handing = Handing::Heir;
    world.run(SignedDuration::from_mins(5));
    assert!(!world.shared.released && world.azure.deletes == 0);
    world.handing = Handing::Yields;
    world.run(SignedDuration::from_secs(10));
    assert!(world.shared.released && world.azure.deletes == 0 && world.azure.member.is_some());
    assert_eq!(world.shared.told.iter().filter(|one| one.reason == "HandedOver").count(), 1);
}

/// A run of each of these, hurt at every step and at every write to Kubernetes.
fn hurt<W: World + Clone>(world: &W, expect: impl Fn(&W)) {
    let mut whole = world.clone();
    whole.play();
    expect(&whole);
    let crashes = (0..=whole.shared().steps).map(Mishap::Crash);
    for mishap in crashes.chain((1..=whole.shared().kube_writes).map(Mishap::Conflict)) {
        let mut hurt = world.clone();
        hurt.shared_mut().mishap = mishap;
        hurt.play();
        // The crash after the last step comes too late to happen.
        let late = mishap == Mishap::Crash(whole.shared().steps);
        assert!(late || hurt.shared().mishap == Mishap::None, "{mishap:?} did not happen");
        expect(&hurt);
    }
}

#[test]
fn a_crash_or_conflict_while_it_is_taken_over_writes_nothing_to_azure() {
    let mut connection = connection::World::ours();
    connection.spec.adoption_policy = Some(AdoptionPolicy::Never);
    (connection.azure.things.scope, connection.azure.things.target) =
        (Some(thing(Says::Wanted)), Some(thing(Says::Wanted)));
    connection.handing = Handing::Given;
    hurt(&connection, |world| {
        let held = |half| world.claim(half).is_some_and(|claim| claim.phase == ClaimPhase::Held);
        world.check(Half::BOTH.into_iter().all(held) && world.azure.writes() == 0, "taken without a write");
    });
    for ready in [member::Connection::Ready, member::Connection::NotReady] {
        let mut member = member::World::new(ready);
        member.spec.adoption_policy = Some(AdoptionPolicy::Never);
        member.azure.member = Some(Joined::new(Author::Us, Names::Wanted));
        member.handing = Handing::Given;
        hurt(&member, |world| {
            let held = world.status.claim.as_ref().is_some_and(|claim| claim.phase == ClaimPhase::Held);
            world.check(held && world.writes() == 0, "taken without a write");
        });
    }
}

#[test]
fn a_crash_or_conflict_while_it_is_let_go_writes_nothing_to_azure() {
    let mut connection = connection::World::connected();
    connection.meta.deleting = true;
    connection.handing = Handing::Yields;
    hurt(&connection, |world| {
        let there = world.azure.things.scope.is_some() && world.azure.things.target.is_some();
        world.check(world.shared.released && there && world.azure.writes() == 0, "let go without a write");
    });
    let mut member = member::World::succeeded();
    member.meta.deleting = true;
    member.handing = Handing::Yields;
    hurt(&member, |world| {
        let there = world.azure.member.is_some();
        world.check(world.shared.released && there && world.writes() == 0, "let go without a write");
    });
}

/// It is beaten all the same, and that keeps nobody from deleting what is its own.
#[test]
fn what_is_held_under_another_id_than_the_winner_s_is_deleted() {
    let mut connection = connection::World::connected();
    connection.beaten_by = Some("CrossTenantConnection a".to_owned());
    (connection.meta.deleting, connection.handing) = (true, Handing::OtherId);
    connection.play();
    let gone = connection.azure.things.scope.is_none() && connection.azure.things.target.is_none();
    assert!(connection.shared.released && gone);
    let mut member = member::World::succeeded();
    member.beaten_by = Some("StaticMember a".to_owned());
    (member.meta.deleting, member.handing) = (true, Handing::OtherId);
    member.play();
    assert!(member.shared.released && member.azure.member.is_none());
}

/// The heir went, or stopped to want it: then it is deleted as ever.
#[test]
fn without_its_heir_it_is_deleted() {
    let mut world = member::World::succeeded();
    world.meta.deleting = true;
    world.handing = Handing::Heir;
    world.run(SignedDuration::from_mins(1));
    assert_eq!(world.azure.deletes, 0);
    world.handing = Handing::Nothing;
    world.run(SignedDuration::from_mins(2));
    assert!(world.shared.released && world.azure.member.is_none());
}
