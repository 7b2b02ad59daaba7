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
    play::{Handing, World as _},
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

#[rstest]
#[case::delete(DeletionPolicy::Delete)]
#[case::confirm(DeletionPolicy::Confirm)]
fn who_has_an_heir_waits_and_deletes_nothing(#[case] policy: DeletionPolicy) {
    for unread in [false, true] {
        let mut world = connection::World::connected();
        world.spec.deletion_policy = Some(policy);
        world.meta.deleting = true;
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
