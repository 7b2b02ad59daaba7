//! Products of situations of a member, crashes, conflicts and calls that go wrong.

use avnm_api::{AdoptionPolicy, ClaimPhase, DeletionPolicy, Mode};
use avnm_terms::ProvisioningState;
use jiff::SignedDuration;

use crate::{
    azure::{Author, Trouble, Wrong},
    fixture::Cred,
    group::{Joined, Names},
    member::{Connection, World},
    play::{Mishap, World as _},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Was {
    claim: Option<(ClaimPhase, Names)>,
    there: Option<(Author, Names)>,
}

fn ways() -> Vec<Was> {
    use Author::{Stranger, Us};
    use ClaimPhase::{Held, Intended};
    use Names::{Other, Wanted};
    let was = |claim, there| Was { claim, there };
    vec![
        was(None, None),
        was(None, Some((Stranger, Wanted))),
        was(None, Some((Stranger, Other))),
        was(Some((Intended, Wanted)), None),
        was(Some((Intended, Wanted)), Some((Us, Wanted))),
        was(Some((Intended, Wanted)), Some((Stranger, Wanted))),
        was(Some((Intended, Wanted)), Some((Stranger, Other))),
        was(Some((Held, Wanted)), None),
        was(Some((Held, Wanted)), Some((Us, Wanted))),
        was(Some((Held, Wanted)), Some((Us, Other))),
        was(Some((Held, Wanted)), Some((Stranger, Other))),
        was(Some((Held, Other)), Some((Us, Other))),
    ]
}

fn world(connection: Connection, was: Was) -> World {
    let mut world = World::new(connection);
    world.azure.member = was.there.map(|(by, names)| Joined::new(by, names));
    if let Some((phase, names)) = was.claim {
        world.claims(phase, names);
    }
    world
}

/// Every policy, connection, claim and member, with credentials that work.
#[test]
fn every_policy_connection_claim_and_azure() {
    let mut runs = 0;
    for connection in Connection::ALL {
        for was in ways() {
            for mode in [Mode::Enforce, Mode::Observe] {
                for adoption in [AdoptionPolicy::IfIdentical, AdoptionPolicy::Always, AdoptionPolicy::Never] {
                    for suspend in [false, true] {
                        let mut world = world(connection, was);
                        world.spec.mode = Some(mode);
                        world.spec.adoption_policy = Some(adoption);
                        world.spec.suspend = Some(suspend);
                        world.play();
                        expect(&world, was);
                        runs += 1;
                    }
                }
                for deletion in [DeletionPolicy::Delete, DeletionPolicy::Orphan] {
                    for suspend in [false, true] {
                        let mut world = world(connection, was);
                        world.spec.mode = Some(mode);
                        world.spec.deletion_policy = Some(deletion);
                        world.spec.suspend = Some(suspend);
                        (world.meta.deleting, world.meta.held) = (true, true);
                        world.play();
                        expect_gone(&world, was);
                        runs += 1;
                    }
                }
            }
        }
    }
    assert!(runs > 1_000, "{runs} runs");
}

fn named(was: Was) -> bool {
    was.claim
        .zip(was.there)
        .is_some_and(|((phase, claimed), (_, names))| phase == ClaimPhase::Held || claimed == names)
}

fn untouched(world: &World, was: Was) {
    world.check(
        world.azure.member.as_ref().map(|joined| joined.names) == was.there.map(|(_, names)| names)
            && world.azure.puts + world.azure.deletes == 0,
        "touched, and must not be",
    );
}

fn expect(world: &World, was: Was) {
    let enforces = world.spec.mode == Some(Mode::Enforce) && world.spec.suspend == Some(false);
    if !enforces {
        untouched(world, was);
        world.check(
            world.status.claim.is_some() == was.claim.is_some(),
            "a claim that comes or goes under Observe or while suspended",
        );
        return;
    }
    if !matches!(world.connection, Connection::Unnamed | Connection::Ready) {
        return untouched(world, was);
    }
    let identical = was.there.is_some_and(|(_, names)| names == Names::Wanted);
    let adopts = match world.spec.adoption_policy.unwrap_or_default() {
        AdoptionPolicy::Always => true,
        AdoptionPolicy::IfIdentical => identical,
        AdoptionPolicy::Never => false,
    };
    if was.there.is_some() && !named(was) && !adopts {
        untouched(world, was);
        world.check(world.status.claim.is_none(), "a stranger's stays claimed");
        world.check(world.shown() == ("False", "Foreign", "Stalled"), "a stranger's is not named");
    } else {
        let ours = Joined::new(Author::Us, Names::Wanted);
        world.check(world.azure.member == Some(ours), "not made as declared");
        world.check(world.shown() == ("True", "Succeeded", ""), "made, and not Ready");
        world.check(world.azure.puts <= 1 && world.azure.deletes <= 1, "sent again and again");
    }
}

fn expect_gone(world: &World, was: Was) {
    let leaves =
        world.spec.mode == Some(Mode::Observe) || world.spec.deletion_policy == Some(DeletionPolicy::Orphan);
    let blocked = world.spec.suspend == Some(true) && !leaves && was.claim.is_some();
    world.check(world.shared.released != blocked, "lets go, or says what blocks");
    if blocked || leaves || !named(was) {
        untouched(world, was);
    } else {
        world.check(world.azure.member.is_none(), "ours is left behind");
    }
}

#[test]
fn every_pair_of_credentials() {
    for signer in Cred::ALL {
        for resource in Cred::ALL {
            for was in ways() {
                for deleting in [false, true] {
                    let mut world = world(Connection::Ready, was);
                    (world.signer, world.resource) = (signer, resource);
                    world.meta.deleting = deleting;
                    world.meta.held |= deleting;
                    world.play();
                    if deleting {
                        // Deleting needs the manager's side only.
                        let ends = was.claim.is_none() || signer.signs();
                        world.check(world.shared.released == ends, "ends if and only if it can");
                        world.check(ends || world.shown().1 == "DeletionBlocked", "says it is blocked");
                    }
                }
            }
        }
    }
}

fn worlds() -> Vec<(&'static str, World)> {
    let mut all: Vec<(&'static str, World)> = Vec::new();
    let ready = World::succeeded;
    all.push(("make", World::new(Connection::Ready)));
    all.push(("make, without a connection", World::new(Connection::Unnamed)));
    let mut adopt = World::new(Connection::Ready);
    adopt.azure.member = Some(Joined::new(Author::Stranger, Names::Wanted));
    all.push(("adopt", adopt.clone()));
    adopt.azure.member = Some(Joined::new(Author::Stranger, Names::Other));
    adopt.spec.adoption_policy = Some(AdoptionPolicy::Always);
    all.push(("adopt what differs", adopt));
    let mut drift = ready();
    drift.azure.member = Some(Joined::new(Author::Us, Names::Other));
    all.push(("replace", drift));
    let mut lost = ready();
    lost.azure.member = None;
    all.push(("made again", lost.clone()));
    lost.meta.deleting = true;
    all.push(("delete what is gone", lost));
    let mut gone = ready();
    gone.meta.deleting = true;
    all.push(("delete", gone.clone()));
    gone.spec.deletion_policy = Some(DeletionPolicy::Orphan);
    all.push(("orphan", gone));
    let mut bare = ready();
    bare.meta.held = false;
    all.push(("a claim without its finalizer", bare));
    let mut failed = World::new(Connection::Ready);
    failed.azure.fails = 1;
    all.push(("fails once", failed));
    all
}

fn end(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    let claim = world.status.claim.as_ref().map(|claim| (claim.phase, claim.body_hash.clone()));
    let shown = (!world.shared.released).then(|| {
        let (ready, reason, companion) = world.shown();
        (ready.to_owned(), reason.to_owned(), companion.to_owned())
    });
    let claim = (!world.shared.released).then_some(claim);
    (world.azure.member.clone(), claim, world.meta.held, world.shared.released, shown)
}

#[test]
fn a_crash_or_conflict_anywhere_changes_nothing_in_the_end() {
    let mut runs = 0;
    for (name, world) in worlds() {
        let mut whole = world.clone();
        whole.play();
        let crashes = (0..=whole.shared.steps).map(Mishap::Crash);
        for mishap in crashes.chain((1..=whole.shared.kube_writes).map(Mishap::Conflict)) {
            let mut hurt = world.clone();
            hurt.shared.mishap = mishap;
            hurt.play();
            if end(&hurt) != end(&whole) {
                hurt.fail(&format!("{name}, {mishap:?}: {:?} and not {:?}", end(&hurt), end(&whole)));
            }
            hurt.check(
                hurt.azure.puts <= whole.azure.puts && hurt.azure.deletes <= whole.azure.deletes,
                &format!("{name}, {mishap:?}: something is done twice"),
            );
            runs += 1;
        }
    }
    assert!(runs > 80, "{runs} runs");
}

#[test]
fn what_passes_changes_nothing_in_the_end() {
    let mut troubles = vec![
        Trouble::PutCutAfter,
        Trouble::PutNotShown,
        Trouble::DeleteCutAfter,
        Trouble::PutCutLater(SignedDuration::from_secs(5)),
        Trouble::PutCutLater(SignedDuration::from_secs(50)),
        Trouble::DeleteLater(SignedDuration::from_secs(10)),
        Trouble::DeleteLater(SignedDuration::from_secs(45)),
    ];
    troubles.extend([Wrong::Denied, Wrong::Unproven, Wrong::Cut].map(Trouble::Read));
    troubles.extend([Wrong::Denied, Wrong::ParentMissing, Wrong::Cut].map(Trouble::Put));
    troubles.extend([Wrong::Denied, Wrong::Locked, Wrong::Cut].map(Trouble::Delete));
    for (name, world) in worlds() {
        let mut whole = world.clone();
        whole.play();
        for trouble in &troubles {
            let mut met = true;
            for times in [1, 3] {
                // What was not met once is not met more often.
                if !met {
                    continue;
                }
                let mut troubled = world.clone();
                troubled.azure.trouble = Some((*trouble, times));
                troubled.play();
                met = troubled.azure.trouble != Some((*trouble, times));
                if end(&troubled) != end(&whole) {
                    troubled.fail(&format!(
                        "{name}, {trouble:?}: {:?} and not {:?}",
                        end(&troubled),
                        end(&whole)
                    ));
                }
                troubled.check(
                    troubled.azure.puts <= whole.azure.puts + times + 1
                        && troubled.azure.deletes <= whole.azure.deletes + times + 1,
                    &format!("{name}, {trouble:?}: sent too often"),
                );
            }
        }
    }
}

#[test]
fn what_lasts_is_said_once() {
    for (name, world) in worlds() {
        for wrong in [Wrong::Denied, Wrong::Broken] {
            for trouble in [Trouble::Read(wrong), Trouble::Put(wrong), Trouble::Delete(wrong)] {
                let mut world = world.clone();
                world.azure.trouble = Some((trouble, u32::MAX));
                let play = |world: &mut World, minutes| {
                    let until = world.shared.now + SignedDuration::from_mins(minutes);
                    while world.shared.now < until && !world.shared.released {
                        let look = world.pass();
                        world.advance(look);
                    }
                };
                play(&mut world, 40);
                let (writes, told) = (world.shared.kube_writes, world.shared.told.len());
                play(&mut world, 20);
                world.check(
                    world.shared.kube_writes == writes && world.shared.told.len() == told,
                    &format!("{name}, {trouble:?}: said again and again"),
                );
            }
        }
    }
}

/// Who deletes or repoints what we hold again and again is another party: then once an hour.
#[test]
fn two_that_fight_become_contended() {
    for deletes in [false, true] {
        let mut world = World::succeeded();
        let until = world.shared.now + SignedDuration::from_hours(8);
        let mut said = false;
        while world.shared.now < until {
            let settled = world.azure.member.as_ref().is_some_and(|joined| {
                joined.names == Names::Wanted && joined.state == ProvisioningState::Succeeded
            });
            if settled {
                world.azure.member = (!deletes).then(|| Joined::new(Author::Stranger, Names::Other));
            }
            let look = world.pass();
            said |= world.shown() == ("False", "Contended", "Stalled");
            world.advance(look);
        }
        assert!(said, "{deletes}");
        assert!((3..=11).contains(&world.azure.puts), "{deletes}: {} PUTs in eight hours", world.azure.puts);
    }
}

/// A Failed member: again after a minute, then each 15 minutes; after three tries a person is called, for good.
#[test]
fn failed_three_times_calls_a_person() {
    let mut world = World::new(Connection::Ready);
    world.azure.fails = 100;
    let begin = world.shared.now;
    let mut sent = Vec::new();
    while world.shared.now < begin + SignedDuration::from_mins(60) {
        let puts = world.azure.puts;
        let look = world.pass();
        if world.azure.puts > puts {
            sent.push(begin.duration_until(world.shared.now).as_secs());
        }
        // While it was just sent it is Updating again.
        if world.shown().1 == "Failed" {
            let companion = if sent.len() > 3 { "Stalled" } else { "Reconciling" };
            assert_eq!(world.shown().2, companion, "after {sent:?}");
        }
        world.advance(look);
    }
    let waits: Vec<i64> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((60..70).contains(&waits[0]), "{waits:?}");
    assert!(waits[1..].iter().all(|wait| (900..=960).contains(wait)), "{waits:?}");
    // Another process still says so, at once.
    world.restart();
    world.pass();
    assert_eq!(world.shown(), ("False", "Failed", "Stalled"));
    // The network is not there: that is said instead, without a call a second.
    world.azure.network = false;
    world.advance(SignedDuration::from_mins(20));
    world.pass();
    let look = world.pass();
    assert_eq!(world.shown().1, "TargetMissing");
    assert!(look >= SignedDuration::from_secs(60), "{look:?}");
    world.azure.network = true;
    world.azure.fails = 0;
    world.play();
    assert_eq!(world.shown(), ("True", "Succeeded", ""));
}

/// Deleted while a PUT whose answer was not read may still land: nothing of it is left behind, also after a restart.
#[test]
fn a_deletion_waits_for_what_may_still_land() {
    for (lands, restarts) in [(5, false), (50, false), (5, true), (50, true)] {
        let mut world = World::new(Connection::Ready);
        world.azure.trouble = Some((Trouble::PutCutLater(SignedDuration::from_secs(lands)), 1));
        world.pass();
        world.advance(SignedDuration::from_secs(2));
        if restarts {
            world.restart();
        }
        world.meta.deleting = true;
        world.play();
        let gone = world.azure.member.is_none() && world.azure.coming.is_empty();
        world.check(world.shared.released && gone, "left behind");
    }
}
