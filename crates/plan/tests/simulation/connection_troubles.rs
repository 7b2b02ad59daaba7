//! Calls to Azure that go wrong, on either half, once or for a while or for ever, whatever is being done.

use avnm_plan::cross_tenant_connection::{Half, Role};
use jiff::SignedDuration;

use crate::{
    azure::{Author, Says, Thing, Trouble, Wrong},
    connection::World,
    connection_crashes::{end, worlds},
    play::World as _,
};

fn troubles() -> Vec<Trouble> {
    use Wrong::{Broken, Cut, Denied, Locked, ParentMissing, Refused, Throttled, Unproven};
    let mut all = vec![
        Trouble::PutCutAfter,
        Trouble::PutNotShown,
        Trouble::DeleteCutAfter,
        Trouble::PutCutLater(SignedDuration::from_secs(5)),
        Trouble::PutCutLater(SignedDuration::from_secs(50)),
        Trouble::DeleteLater(SignedDuration::from_secs(10)),
        Trouble::DeleteLater(SignedDuration::from_secs(45)),
    ];
    // Which words stand for which reason is tested elsewhere: here only what is done differently.
    all.extend([Denied, Throttled, Unproven, Cut].map(Trouble::Read));
    all.extend([Denied, Refused, ParentMissing, Broken, Cut].map(Trouble::Put));
    all.extend([Denied, Locked, Broken, Cut].map(Trouble::Delete));
    all
}

#[test]
fn what_passes_changes_nothing_in_the_end() {
    let mut runs = 0;
    for (name, world) in worlds() {
        let mut whole = world.clone();
        whole.play();
        for half in Half::BOTH {
            for trouble in troubles() {
                let mut met = true;
                for times in [1, 3] {
                    // What was not met once is not met more often.
                    if !met {
                        continue;
                    }
                    let mut troubled = world.clone();
                    troubled.azure.trouble = Some((half, trouble, times));
                    // A refused correction is sent again once an hour.
                    if trouble == Trouble::Put(Wrong::Refused) {
                        troubled.run(SignedDuration::from_mins(70 * i64::from(times)));
                    }
                    troubled.play();
                    runs += 1;
                    met = troubled.azure.trouble != Some((half, trouble, times));
                    if end(&troubled) != end(&whole) {
                        troubled.fail(&format!(
                            "{name}, {half:?} {trouble:?}: {:?} and not {:?}",
                            end(&troubled),
                            end(&whole)
                        ));
                    }
                    let extra = times + u32::from(times > 1);
                    for half in Half::BOTH {
                        troubled.check(
                            *troubled.azure.puts.get(half) <= whole.azure.puts.get(half) + extra
                                && *troubled.azure.deletes.get(half) <= whole.azure.deletes.get(half) + extra,
                            &format!("{name}, {half:?} {trouble:?}: sent too often"),
                        );
                    }
                }
            }
        }
    }
    assert!(runs > 500, "{runs} runs");
}

/// Status says it once, however long it lasts.
#[test]
fn what_lasts_is_said_once() {
    for (name, world) in worlds() {
        for half in Half::BOTH {
            for trouble in troubles() {
                let lasting = matches!(
                    trouble,
                    Trouble::Read(Wrong::Denied | Wrong::Broken)
                        | Trouble::Put(Wrong::Denied)
                        | Trouble::Delete(Wrong::Denied)
                );
                if !lasting {
                    continue;
                }
                let mut world = world.clone();
                world.azure.trouble = Some((half, trouble, u32::MAX));
                let hour = world.shared.now + SignedDuration::from_mins(25);
                while world.shared.now < hour && !world.shared.released {
                    let look = world.pass();
                    world.advance(look);
                }
                let (writes, told) = (world.shared.kube_writes, world.shared.told.len());
                let hours = world.shared.now + SignedDuration::from_mins(10);
                while world.shared.now < hours && !world.shared.released {
                    let look = world.pass();
                    world.advance(look);
                }
                world.check(
                    world.shared.kube_writes == writes && world.shared.told.len() == told,
                    &format!("{name}, {half:?} {trouble:?}: said again and again"),
                );
            }
        }
    }
}

/// Ready outlives reads that fail, without a word to Kubernetes but the failure itself.
#[test]
fn ready_outlives_reads_that_fail() {
    for half in Half::BOTH {
        for wrong in Wrong::ALL {
            let mut world = World::connected();
            let before = world.status.conditions.clone();
            world.azure.trouble = Some((half, Trouble::Read(wrong), u32::MAX));
            let until = world.shared.now + SignedDuration::from_mins(14);
            while world.shared.now < until {
                let look = world.pass();
                world.advance(look);
                world.check(world.status.conditions == before, "conditions change at once");
            }
            world.check(world.shared.kube_writes <= 1, "the failure is written again and again");
            world.advance(SignedDuration::from_mins(2));
            world.pass();
            assert_eq!(world.condition("Ready").0, "Unknown");
            world.azure.trouble = None;
            world.play();
            assert_eq!(world.shown(), ("True", "Connected", ""));
        }
    }
}

/// A change in place that Azure does not make needs a replacement, and is not sent again and again.
#[test]
fn a_correction_that_does_not_help_needs_a_replacement() {
    for half in Half::BOTH {
        for trouble in [Trouble::PutIgnored, Trouble::Put(Wrong::Refused)] {
            let mut world = uncorrected(half, trouble, Says::Elsewhere);
            assert_eq!(world.shown(), ("False", "ReplaceNeeded", "Stalled"), "{half:?} {trouble:?}");
            assert_eq!(*world.azure.puts.get(half), 1, "{half:?} {trouble:?}");
            // A restart does not send it again either.
            world.restart();
            world.run(SignedDuration::from_mins(10));
            assert_eq!(*world.azure.puts.get(half), 1, "{half:?} {trouble:?} after a restart");
            // The way out.
            world.azure.trouble = None;
            world.meta.recreate = Some("1".to_owned());
            world.play();
            assert_eq!(world.shown(), ("True", "Connected", ""));
        }
    }
}

/// A description that Azure does not take leaves the link alone: nothing is sent again and again, and nobody is told to tear
/// it down.
#[test]
fn a_description_that_azure_does_not_take_is_told_and_no_more() {
    for half in Half::BOTH {
        for trouble in [Trouble::PutIgnored, Trouble::Put(Wrong::Refused)] {
            for says in [Says::Other, Says::Earlier] {
                let told = format!("{half:?} {trouble:?} {says:?}");
                let mut world = uncorrected(half, trouble, says);
                assert_eq!(world.shown(), ("False", "AzureRefused", "Stalled"), "{told}");
                assert_eq!(*world.azure.puts.get(half), 1, "{told}");
                assert_eq!(world.condition("Synced"), ("False", "DescriptionNotTaken"), "{told}");
                let all = (world.status.conditions.clone(), world.status.last_failure.clone());
                let said = all.0.iter().map(|it| it.message.clone()).collect::<Vec<_>>().join("\n");
                assert!(said.contains(says.description()), "{told}: {said}");
                assert!(!said.contains("recreate"), "{told}: {said}");
                let failure = all.1.as_ref().unwrap();
                assert_eq!(failure.code, "DescriptionNotTaken", "{told}");
                assert_eq!(failure.message.contains("BadRequest"), trouble != Trouble::PutIgnored, "{told}");
                // Nor does a restart send it, or change a word.
                world.restart();
                world.run(SignedDuration::from_mins(10));
                assert_eq!(*world.azure.puts.get(half), 1, "{told} after a restart");
                let after = (world.status.conditions.clone(), world.status.last_failure.clone());
                assert_eq!(after, all, "{told} after a restart");
                // The annotation that tears down is not for this.
                let deletes = world.azure.deletes.clone();
                world.meta.recreate = Some("1".to_owned());
                world.run(SignedDuration::from_mins(10));
                assert_eq!(world.azure.deletes, deletes, "{told}");
                // What the other half needs is done all the same.
                *world.azure.things.get_mut(half.other()) = None;
                world.run(SignedDuration::from_mins(10));
                assert_eq!(*world.azure.puts.get(half.other()), 1, "{told}");
                assert_eq!(world.condition("Ready").1, "AzureRefused", "{told}");
                // Another wish is tried.
                world.azure.trouble = None;
                world.meta.generation += 1;
                world.restart();
                world.play();
                assert_eq!(world.shown(), ("True", "Connected", ""), "{told}");
            }
        }
    }
}

/// A connected world in which one half came to say this, and its correction meets a trouble.
fn uncorrected(half: Half, trouble: Trouble, says: Says) -> World {
    let mut world = World::connected();
    if says == Says::Earlier {
        world.claims(half, avnm_api::ClaimPhase::Held, Says::Earlier);
    }
    *world.azure.things.get_mut(half) = Some(Thing::new(Author::Us, says));
    world.azure.advance(world.shared.now);
    world.azure.trouble = Some((half, trouble, u32::MAX));
    world.run(SignedDuration::from_mins(50));
    world
}

/// What a refusal lay on may be over, and nobody would tell: once an hour it is sent again, and a restart counts as a refusal.
#[test]
fn a_refused_correction_is_sent_again_once_an_hour() {
    for half in Half::BOTH {
        for says in [Says::Elsewhere, Says::Other] {
            let mut world = uncorrected(half, Trouble::Put(Wrong::Refused), says);
            let shown = world.shown().1.to_owned();
            for hour in 0..3 {
                assert_eq!(*world.azure.puts.get(half), 1 + hour, "{half:?} {says:?}");
                assert_eq!(world.shown(), ("False", shown.as_str(), "Stalled"), "{half:?} {says:?}");
                world.run(SignedDuration::from_mins(60));
            }
            world.restart();
            world.run(SignedDuration::from_mins(50));
            let puts = *world.azure.puts.get(half);
            world.azure.trouble = None;
            world.run(SignedDuration::from_mins(20));
            assert_eq!(world.shown(), ("True", "Connected", ""), "{half:?} {says:?}");
            assert_eq!(*world.azure.puts.get(half), puts + 1, "{half:?} {says:?}");
        }
    }
}

/// Who deletes what we hold again and again is another party, as who changes it is: then once an hour.
#[test]
fn two_that_fight_become_contended() {
    for half in Half::BOTH {
        for deletes in [false, true] {
            let mut world = World::connected();
            let start = world.shared.now;
            let undo = |world: &mut World| {
                *world.azure.things.get_mut(half) = (!deletes).then(|| Thing::new(Author::Us, Says::Other));
                world.azure.advance(world.shared.now);
            };
            let mut said = false;
            while world.shared.now < start + SignedDuration::from_hours(8) {
                let good =
                    world.azure.things.get(half).as_ref().is_some_and(|thing| thing.says == Says::Wanted);
                if good {
                    undo(&mut world);
                }
                let look = world.pass();
                said |= world.shown() == ("False", "Contended", "Stalled");
                world.advance(look);
            }
            assert!(said, "{half:?} {deletes}");
            let puts = *world.azure.puts.get(half);
            assert!((3..=11).contains(&puts), "{half:?} {deletes}: {puts} PUTs in eight hours");
            // Peace: the next one helps, and it is over.
            world.play();
            world.advance(SignedDuration::from_hours(1));
            world.play();
            assert_eq!(world.shown(), ("True", "Connected", ""));
        }
    }
}

/// A credential that is gone when read live, and not in the cache yet: nothing is written, nothing is lost.
#[test]
fn a_source_that_is_gone_live_gets_no_put() {
    for (scope, target) in [(1, 0), (0, 1), (1, 1), (3, 0)] {
        let mut world = World::ours();
        (world.gone_live.scope, world.gone_live.target) = (scope, target);
        world.pass();
        let puts = |world: &World| (world.azure.puts.scope, world.azure.puts.target);
        assert_eq!(puts(&world), (u32::from(scope == 0), u32::from(target == 0)));
        assert_eq!(world.shown(), ("False", "DependencyNotReady", "Reconciling"));
        world.play();
        assert_eq!(world.shown(), ("True", "Connected", ""));
    }
    // An earlier PUT whose answer was not read may still land: the claim stays until it can not.
    let mut world = World::new(Role::Ours, Role::Absent);
    world.azure.trouble = Some((Half::Scope, Trouble::PutCutLater(SignedDuration::from_secs(50)), 1));
    world.pass();
    world.gone_live.scope = 2;
    world.advance(SignedDuration::from_secs(5));
    world.pass();
    assert!(world.claim(Half::Scope).is_some(), "the claim is what names what may land");
    world.play();
    assert!(world.claim(Half::Scope).is_some());
}
