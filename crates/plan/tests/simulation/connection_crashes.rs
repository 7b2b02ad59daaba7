//! A crash after any step, a conflict on any write to Kubernetes: the same end, nothing twice, nothing left behind.

use avnm_api::{AdoptionPolicy, ClaimPhase, DeletionPolicy, Mode};
use avnm_plan::cross_tenant_connection::{Half, Role};
use avnm_terms::ConnectionState;
use jiff::SignedDuration;

use crate::{
    azure::{Author, Says, Thing, Trouble},
    connection::World,
    play::{Mishap, World as _},
};

/// Worlds in which something is to be done, by name.
pub(crate) fn worlds() -> Vec<(&'static str, World)> {
    use ClaimPhase::{Held, Intended};
    let there = |world: &mut World, half, by, says| {
        *world.azure.things.get_mut(half) = Some(Thing::new(by, says));
        world.azure.advance(world.shared.now);
    };
    let deleting = |mut world: World| {
        world.meta.deleting = true;
        world
    };
    let connected = World::connected();
    let mut all = vec![
        ("make both", World::ours()),
        ("make one, the other is external", World::new(Role::Ours, Role::External)),
        ("make one, the other is absent", World::new(Role::Absent, Role::Ours)),
        ("delete both", deleting(connected.clone())),
        ("at rest", connected.clone()),
    ];
    let mut adopt = World::ours();
    for half in Half::BOTH {
        there(&mut adopt, half, Author::Stranger, Says::Wanted);
    }
    all.push(("adopt what is identical", adopt));
    let mut adopt = World::ours();
    adopt.spec.adoption_policy = Some(AdoptionPolicy::Always);
    there(&mut adopt, Half::Scope, Author::Stranger, Says::Other);
    all.push(("adopt what differs", adopt));
    let mut drift = connected.clone();
    there(&mut drift, Half::Target, Author::Us, Says::Other);
    all.push(("correct", drift));
    let mut changed = World::ours();
    for half in Half::BOTH {
        changed.claims(half, Held, Says::Earlier);
        there(&mut changed, half, Author::Us, Says::Earlier);
    }
    all.push(("another wish", changed));
    for adoption in [AdoptionPolicy::Never, AdoptionPolicy::IfIdentical] {
        let mut landed = World::ours();
        landed.spec.adoption_policy = Some(adoption);
        for half in Half::BOTH {
            landed.claims(half, Intended, Says::Earlier);
            there(&mut landed, half, Author::Us, Says::Earlier);
        }
        all.push(("another wish, and the first one has just landed", landed));
    }
    for gone in [vec![Half::Scope], vec![Half::Target], Half::BOTH.to_vec()] {
        let mut lost = connected.clone();
        for half in gone {
            *lost.azure.things.get_mut(half) = None;
        }
        lost.azure.advance(lost.shared.now);
        all.push(("made again", lost.clone()));
        all.push(("delete what is half gone", deleting(lost)));
    }
    let mut orphan = deleting(connected.clone());
    orphan.spec.deletion_policy = Some(DeletionPolicy::Orphan);
    all.push(("orphan", orphan));
    let mut observe = deleting(connected.clone());
    observe.spec.mode = Some(Mode::Observe);
    all.push(("observe and delete", observe));
    let mut out = connected.clone();
    out.spec = crate::connection::spec(Role::Ours, Role::Absent);
    all.push(("a half is taken out", out));
    for word in [ConnectionState::Conflict, ConnectionState::Rejected] {
        let mut stuck = connected.clone();
        *stuck.azure.things.get_mut(Half::Scope) = Some(Thing::stuck_in(Author::Us, Says::Wanted, word));
        stuck.azure.advance(stuck.shared.now);
        stuck.meta.recreate = Some("1".to_owned());
        all.push(("recreate", stuck));
    }
    let mut bare = connected;
    bare.meta.held = false;
    all.push(("a claim without its finalizer", bare));
    all
}

/// What a run comes to, without times and counts of reads.
pub(crate) fn end(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    let claim = |half| world.claim(half).map(|claim| (claim.phase, claim.body_hash.clone()));
    let shown = (!world.shared.released).then(|| {
        let (ready, reason, companion) = world.shown();
        (ready.to_owned(), reason.to_owned(), companion.to_owned())
    });
    (
        world.azure.things.clone(),
        (!world.shared.released).then(|| Half::BOTH.map(claim)),
        world.meta.held,
        world.shared.released,
        shown,
    )
}

#[test]
fn a_crash_after_any_step_changes_nothing_in_the_end() {
    let mut runs = 0;
    for (name, world) in worlds() {
        let mut whole = world.clone();
        whole.play();
        for at in 0..=whole.shared.steps {
            let mut crashed = world.clone();
            crashed.shared.mishap = Mishap::Crash(at);
            crashed.play();
            if end(&crashed) != end(&whole) {
                crashed.fail(&format!(
                    "{name}, crash at {at}: {:?} and not {:?}",
                    end(&crashed),
                    end(&whole)
                ));
            }
            for half in Half::BOTH {
                crashed.check(
                    crashed.azure.puts.get(half) <= whole.azure.puts.get(half)
                        && crashed.azure.deletes.get(half) <= whole.azure.deletes.get(half),
                    &format!("{name}, crash at {at}: something is done twice"),
                );
            }
            runs += 1;
        }
    }
    assert!(runs > 150, "{runs} runs");
}

#[test]
fn a_conflict_on_any_write_changes_nothing_in_the_end() {
    for (name, world) in worlds() {
        let mut whole = world.clone();
        whole.play();
        for at in 1..=whole.shared.kube_writes {
            let mut late = world.clone();
            late.shared.mishap = Mishap::Conflict(at);
            late.play();
            if end(&late) != end(&whole) {
                late.fail(&format!("{name}, conflict at {at}: {:?} and not {:?}", end(&late), end(&whole)));
            }
            let told = |world: &World| {
                let mut told: Vec<String> = world
                    .shared
                    .told
                    .iter()
                    // What is told before the finalizer goes may be told again.
                    .filter(|one| one.action != "Reconcile" && one.reason != "Orphaned")
                    .map(|one| one.note.clone())
                    .collect();
                told.sort();
                told
            };
            if told(&late) != told(&whole) {
                late.fail(&format!("{name}, conflict at {at}: told {:?}", told(&late)));
            }
            late.check(
                late.azure.writes() <= whole.azure.writes(),
                &format!("{name}: something is done twice"),
            );
        }
    }
}

/// Someone else's finalizer keeps the object: what is made under its name from then on is not ours.
#[test]
fn nothing_is_written_after_the_finalizer_went() {
    for policy in [DeletionPolicy::Delete, DeletionPolicy::Orphan] {
        let mut world = World::connected();
        world.meta.deleting = true;
        world.spec.deletion_policy = Some(policy);
        world.play();
        assert!(world.shared.released, "{policy:?}");
        world.shared.released = false;
        for half in Half::BOTH {
            *world.azure.things.get_mut(half) = Some(Thing::new(Author::Stranger, Says::Wanted));
        }
        let writes = world.azure.writes();
        world.play();
        assert_eq!(world.azure.writes(), writes, "{policy:?}");
        assert!(Half::BOTH.into_iter().all(|half| world.claim(half).is_none()), "{policy:?}");
        assert_eq!(world.shown().1, "Deleting");
    }
}

/// Deleted while a PUT whose answer was not read may still land: nothing of it is left behind, also after a restart.
#[test]
fn a_deletion_waits_for_what_may_still_land() {
    for half in Half::BOTH {
        for (lands, restarts) in [(5, false), (50, false), (5, true), (50, true)] {
            let mut world = World::ours();
            let later = SignedDuration::from_secs(lands);
            world.azure.trouble = Some((half, Trouble::PutCutLater(later), 1));
            world.pass();
            world.advance(SignedDuration::from_secs(2));
            if restarts {
                world.restart();
            }
            world.meta.deleting = true;
            world.play();
            let gone = Half::BOTH.into_iter().all(|half| world.azure.things.get(half).is_none());
            world.check(world.shared.released && gone && world.azure.coming.is_empty(), "left behind");
        }
    }
}
