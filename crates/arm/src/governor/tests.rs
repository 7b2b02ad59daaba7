use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use avnm_terms::{ClientId, TenantId};

use super::*;
use crate::GateScope;
use crate::{clock, gate::Outcome};

const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/r/providers/Microsoft.Network/networkManagers/m";

fn key(client: u8, verb: VerbClass) -> GateKey {
    GateKey {
        tenant: TenantId::parse("24680975-1234-abcd-56ef-121314ab5643").unwrap(),
        client: ClientId::parse(&format!("00000000-0000-0000-0000-0000000000{client:02}")).unwrap(),
        scope: GateScope::of(&member(0)),
        verb,
    }
}

fn member(n: usize) -> ArmId {
    ArmId::parse(&format!("{MANAGER}/networkGroups/g/staticMembers/m{n}")).unwrap()
}

/// Counts how often it was woken.
fn applicant(lane: Lane, namespace: &str) -> (Applicant, Arc<AtomicUsize>) {
    let woken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    let wake: Wake = Arc::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    (Applicant { who: "me".to_owned(), lane, namespace: namespace.to_owned(), wake }, woken)
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn errand<'a>(key: &'a GateKey, target: &'a ArmId) -> Errand<'a> {
    Errand { key, target, whole: false, again: false }
}

/// Sends so many writes as fast as it may, each between two reads and each when it is woken, and says how long that takes.
fn play(governor: &mut Governor, count: usize, start: Instant) -> Duration {
    let key = key(1, VerbClass::Write);
    let turns: Arc<Mutex<Vec<usize>>> = Arc::new(Mutex::new((0..count).collect()));
    let who = |n: usize| {
        let turns = Arc::clone(&turns);
        let wake: Wake = Arc::new(move || turns.lock().unwrap().push(n));
        Applicant { who: n.to_string(), lane: Lane::Change, namespace: "n".to_owned(), wake }
    };
    let (mut now, mut sent) = (start, 0);
    while sent < count {
        let woken = std::mem::take(&mut *turns.lock().unwrap());
        for n in woken {
            let id = member(n);
            let (admitted, woken) = governor.admit(&key, &id, &who(n), now);
            for wake in woken {
                wake();
            }
            if admitted.is_ok() {
                governor.take(errand(&reading(&key), &id), now).unwrap();
                governor.take(errand(&key, &id), now).unwrap();
                governor.take(errand(&reading(&key), &id), now).unwrap();
                sent += 1;
            }
        }
        if let Some(due) = governor.due(now).filter(|_| sent < count && turns.lock().unwrap().is_empty()) {
            assert!(due > now, "time goes on");
            now = due;
            governor.grant(now).into_values().for_each(|wake| wake());
        }
    }
    now - start
}

#[test]
fn writes_go_as_fast_as_the_documented_quotas_let_them() {
    let start = clock::instant();
    // 200 at once, then ten a second, while the provider's thousand last.
    let took = play(&mut Governor::new(Quotas::default()), 1_000, start);
    assert!(took >= seconds(80) && took < seconds(81), "{took:?}");
    // Then a thousand in five minutes.
    let took = play(&mut Governor::new(Quotas::default()), 2_000, start);
    let floor = 1_000.0 / (1_000.0 / 300.0);
    assert!((took.as_secs_f64() - floor).abs() < floor * 0.01, "{took:?}");
    assert_eq!(play(&mut Governor::new(Quotas::NONE), 10_000, start), Duration::ZERO);
}

/// All but the first two hundred wait, and as many are woken at a time as tokens come back.
#[test]
fn the_waiting_are_woken_spread_over_the_refill() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas { reads: None, ..Quotas::default() });
    let key = key(1, VerbClass::Write);
    let (who, woken) = applicant(Lane::Change, "n");
    let admitted = (0..300).filter(|n| governor.admit(&key, &member(*n), &who, now).0.is_ok()).count();
    assert_eq!((admitted, governor.waiting(), woken.load(Ordering::Relaxed)), (200, 100, 0));
    for second in 1..=10 {
        for wake in governor.grant(now + seconds(second)).into_values() {
            wake();
        }
        assert_eq!(woken.load(Ordering::Relaxed), usize::try_from(second).unwrap() * 10);
    }
    assert_eq!(governor.waiting(), 0);
}

#[test]
fn a_new_object_of_another_namespace_waits_for_two_tokens() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas::default());
    let key = key(1, VerbClass::Write);
    let (many, _) = applicant(Lane::Change, "many");
    for n in 0..10_000 {
        let _ = governor.admit(&key, &member(n), &many, now);
    }
    let (one, woken) = applicant(Lane::Change, "one");
    assert!(governor.admit(&key, &member(10_000), &one, now).0.is_err());
    for wake in governor.grant(now + Duration::from_millis(205)).into_values() {
        wake();
    }
    assert_eq!(woken.load(Ordering::Relaxed), 1, "ten come back a second");
    assert!(governor.admit(&key, &member(10_000), &one, now + seconds(1)).0.is_ok());
}

#[test]
fn another_principal_has_a_share_of_its_own() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas { reads: None, ..Quotas::default() });
    let (who, _) = applicant(Lane::Change, "n");
    for n in 0..500 {
        let _ = governor.admit(&key(1, VerbClass::Write), &member(n), &who, now);
    }
    assert!(governor.admit(&key(2, VerbClass::Write), &member(501), &who, now).0.is_ok());
    // A delete is counted apart by ARM.
    assert!(governor.admit(&key(1, VerbClass::Delete), &member(502), &who, now).0.is_ok());
}

#[test]
fn what_is_kept_and_not_used_comes_back() {
    let now = clock::instant();
    let one = Some(Quota { size: 1.0, refill: 0.001 });
    let mut governor = Governor::new(Quotas { writes: one, ..Quotas::NONE });
    let key = key(1, VerbClass::Write);
    let (who, woken) = applicant(Lane::Change, "n");
    let admit = |governor: &mut Governor, n, now| governor.admit(&key, &member(n), &who, now).0.is_ok();
    assert!(admit(&mut governor, 1, now) && !admit(&mut governor, 2, now));
    assert!(admit(&mut governor, 1, now), "it is kept for the one that has it");
    for wake in governor.forgo(VerbClass::Write, &member(1), "me", now) {
        wake();
    }
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    assert!(admit(&mut governor, 2, now) && !admit(&mut governor, 3, now));
    // Who does not come for it may still be reading, and is woken once more. Then it is the next one's.
    let granted = |governor: &mut Governor, now| -> Vec<String> {
        governor.grant(now).into_keys().map(|(_, id)| id).collect()
    };
    assert_eq!(governor.due(now), Some(now + KEPT));
    assert_eq!(granted(&mut governor, now + KEPT), [member(2).key()]);
    assert_eq!(granted(&mut governor, now + KEPT * 2), [member(3).key()]);
    assert!(admit(&mut governor, 3, now + KEPT * 2));
}

/// Somebody who is beaten, or only observes, wishes the same id and does not write it.
#[test]
fn a_turn_is_given_away_only_by_whose_it_is() {
    let now = clock::instant();
    let one = Some(Quota { size: 1.0, refill: 0.001 });
    let mut governor = Governor::new(Quotas { writes: one, ..Quotas::NONE });
    let key = key(1, VerbClass::Write);
    let (mine, _) = applicant(Lane::Change, "n");
    assert!(governor.admit(&key, &member(1), &mine, now).0.is_ok());
    assert!(governor.forgo(VerbClass::Write, &member(1), "another", now).is_empty());
    assert!(governor.admit(&key, &member(1), &mine, now).0.is_ok(), "it is kept");
    assert!(governor.admit(&key, &member(2), &mine, now).0.is_err());
    governor.forgo(VerbClass::Write, &member(2), "another", now);
    assert_eq!(governor.forgo(VerbClass::Write, &member(1), "me", now).len(), 1, "the second waits still");
}

#[test]
fn who_asked_last_for_a_thing_is_woken() {
    let now = clock::instant();
    let one = Some(Quota { size: 1.0, refill: 1.0 });
    let mut governor = Governor::new(Quotas { writes: one, ..Quotas::NONE });
    let key = key(1, VerbClass::Write);
    let (first, _) = applicant(Lane::Change, "n");
    let _ = governor.admit(&key, &member(1), &first, now);
    let (gone, before) = applicant(Lane::Change, "n");
    let (heir, after) = applicant(Lane::Change, "n");
    for who in [gone, heir] {
        assert!(governor.admit(&key, &member(2), &who, now).0.is_err());
    }
    for wake in governor.grant(now + seconds(2)).into_values() {
        wake();
    }
    assert_eq!((before.load(Ordering::Relaxed), after.load(Ordering::Relaxed)), (0, 1));
}

#[test]
fn a_turn_of_another_principal_is_another_one() {
    let now = clock::instant();
    let one = Some(Quota { size: 1.0, refill: 0.001 });
    let mut governor = Governor::new(Quotas { writes: one, ..Quotas::NONE });
    let (who, _) = applicant(Lane::Change, "n");
    let (old, new) = (key(1, VerbClass::Write), key(2, VerbClass::Write));
    assert!(governor.admit(&old, &member(1), &who, now).0.is_ok());
    assert!(governor.admit(&new, &member(1), &who, now).0.is_ok());
    assert!(governor.take(errand(&new, &member(1)), now).is_ok(), "it is kept for the one that is asked for");
    assert!(governor.admit(&old, &member(2), &who, now).0.is_ok(), "what was kept before came back");
}

/// What is deleted to be made anew needs both, and tokens come slower than they are kept.
#[test]
fn many_that_need_two_writes_each_all_come_through() {
    let start = clock::instant();
    let slow = Some(Quota { size: 4.0, refill: 0.05 });
    let mut governor = Governor::new(Quotas { network_writes: slow, ..Quotas::NONE });
    let (put, delete) = (key(1, VerbClass::Write), key(1, VerbClass::Delete));
    let (who, _) = applicant(Lane::Repair, "n");
    let mut left: Vec<usize> = (0..20).collect();
    let mut now = start;
    while !left.is_empty() {
        assert!(
            now - start < seconds(1_200),
            "{} of 20 are left, and their 40 tokens take 720 s",
            left.len()
        );
        left.retain(|n| {
            let id = member(*n);
            let both = [&put, &delete].iter().all(|key| governor.admit(key, &id, &who, now).0.is_ok());
            if both {
                governor.take(errand(&delete, &id), now).unwrap();
                governor.take(errand(&put, &id), now).unwrap();
            }
            !both
        });
        now += seconds(1);
    }
}

#[test]
fn who_was_told_to_go_is_told_again_after_a_refusal() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas { reads: None, ..Quotas::default() });
    let key = key(1, VerbClass::Write);
    let (who, _) = applicant(Lane::Change, "n");
    for n in 0..100 {
        assert!(governor.admit(&key, &member(n), &who, now).0.is_ok());
    }
    governor.take(errand(&key, &member(0)), now).unwrap();
    governor.refused(&key, &member(0), false, now);
    assert!(governor.take(errand(&key, &member(1)), now).is_err(), "its token is none");
    assert_eq!(governor.grant(now + seconds(1)).len(), 7, "as many as come back, and not all at once");
}

#[test]
fn what_was_sent_and_has_to_be_sent_again_does_not_queue() {
    let now = clock::instant();
    let few = Some(Quota { size: 4.0, refill: 1.0 });
    let mut governor = Governor::new(Quotas { writes: few, ..Quotas::NONE });
    let key = key(1, VerbClass::Write);
    let (who, _) = applicant(Lane::Change, "n");
    for n in 0..6 {
        let _ = governor.admit(&key, &member(n), &who, now);
    }
    governor.take(errand(&key, &member(0)), now).unwrap();
    let later = now + Duration::from_millis(1_100);
    let again = |governor: &mut Governor, again| {
        let id = member(0);
        governor.take(Errand { again, ..errand(&key, &id) }, later).is_ok()
    };
    assert!(!again(&mut governor, false));
    assert!(again(&mut governor, true));
}

#[test]
fn who_gave_up_is_passed_over() {
    let now = clock::instant();
    let one = Some(Quota { size: 1.0, refill: 1.0 });
    let mut governor = Governor::new(Quotas { writes: one, ..Quotas::NONE });
    let key = key(1, VerbClass::Write);
    let (who, _) = applicant(Lane::Change, "n");
    for n in 0..3 {
        let _ = governor.admit(&key, &member(n), &who, now);
    }
    assert!(governor.forgo(VerbClass::Write, &member(1), "me", now).is_empty());
    let granted = governor.grant(now + Duration::from_millis(1_001));
    assert_eq!(granted.keys().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), [member(2).key()]);
}

/// Whoever did not ask for a turn does not go past those who wait for one.
#[test]
fn nobody_goes_past_the_line() {
    let now = clock::instant();
    let one = Some(Quota { size: 1.0, refill: 1.0 });
    let mut governor = Governor::new(Quotas { writes: one, ..Quotas::NONE });
    let key = key(1, VerbClass::Write);
    let (who, _) = applicant(Lane::Change, "n");
    for n in 0..2 {
        let _ = governor.admit(&key, &member(n), &who, now);
    }
    let later = now + Duration::from_millis(1_001);
    assert!(governor.take(errand(&key, &member(9)), later).is_err());
    assert!(governor.take(errand(&key, &member(0)), later).is_ok());
    assert!(governor.admit(&key, &member(1), &who, later).0.is_ok());
    assert!(governor.take(errand(&key, &member(1)), later).is_ok());
    assert!(governor.take(errand(&key, &member(9)), later + seconds(2)).is_ok(), "nobody waits");
}

/// What was begun goes on, however many read meanwhile.
#[test]
fn the_reads_of_a_write_are_kept_with_it() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas::default());
    let key = key(1, VerbClass::Write);
    let (who, _) = applicant(Lane::Change, "n");
    let admitted = (0..300).filter(|n| governor.admit(&key, &member(*n), &who, now).0.is_ok()).count();
    assert_eq!(admitted, 93, "two of 250 for each, but of the last quarter");
    let mut read = |n| governor.take(errand(&reading(&key), &member(n)), now).is_ok();
    assert_eq!(
        (0..100).filter(|_| read(900)).count(),
        62,
        "others have what is left, but for the next write's"
    );
    assert!(read(7) && read(7) && !read(7));
    // What is kept and not used is somebody else's after a while.
    assert_eq!(governor.grant(now + KEPT).len(), 93);
}

#[test]
fn lists_leave_a_share_to_others() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas::default());
    let key = key(1, VerbClass::Read);
    let mut taken = |whole| {
        let mut count = 0;
        while governor.take(Errand { whole, ..errand(&key, &member(0)) }, now).is_ok() {
            count += 1;
        }
        count
    };
    assert_eq!((taken(true), taken(false)), (237, 13));
}

#[test]
fn a_closed_gate_keeps_the_line_and_reopens_by_the_refill() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas { reads: None, ..Quotas::default() });
    let key = key(1, VerbClass::Write);
    governor.gates.record(&key, "x", Outcome::Closed(Some(seconds(17))), "TooManyRequests", now);
    governor.refused(&key, &member(0), false, now);
    let (who, _) = applicant(Lane::Change, "n");
    for n in 0..100 {
        let (shut, _) = governor.admit(&key, &member(n), &who, now);
        let shut = shut.unwrap_err();
        assert_eq!(shut.code, "TooManyRequests");
        assert!(shut.wait >= seconds(17));
    }
    assert!(governor.grant(now + Duration::from_millis(16_999)).is_empty());
    assert_eq!(governor.due(now), Some(now + seconds(17)));
    // What came back meanwhile: seven a second after a refusal, of which all hundred are served.
    assert_eq!(governor.grant(now + seconds(17)).len(), 100);
    assert_eq!(governor.waiting(), 0);
}

#[test]
fn regions_are_counted_apart_where_they_are_known() {
    let now = clock::instant();
    let few = Some(Quota { size: 1.0, refill: 0.001 });
    let mut governor = Governor::new(Quotas { network_writes: few, ..Quotas::NONE });
    let key = key(1, VerbClass::Write);
    let other = ArmId::parse(&member(0).as_str().replace("networkManagers/m", "networkManagers/n")).unwrap();
    let (who, _) = applicant(Lane::Change, "n");
    assert!(governor.admit(&key, &member(0), &who, now).0.is_ok());
    assert!(governor.admit(&key, &other, &who, now).0.is_err(), "not known: counted together");
    let mut governor = Governor::new(Quotas { network_writes: few, ..Quotas::NONE });
    governor.is_in(&ArmId::parse(MANAGER).unwrap(), "westeurope");
    assert!(governor.admit(&key, &member(0), &who, now).0.is_ok());
    assert!(
        governor.admit(&key, &other, &who, now).0.is_err(),
        "one that is not known counts with one that is"
    );
    // It waits there, and is served where it counts once that is known.
    governor.is_in(
        &ArmId::parse(&MANAGER.replace("networkManagers/m", "networkManagers/n")).unwrap(),
        "North Europe",
    );
    assert_eq!(governor.grant(now).len(), 1);
    assert!(governor.admit(&key, &other, &who, now).0.is_ok());
    governor.is_in(
        &ArmId::parse(&MANAGER.replace("networkManagers/m", "networkManagers/o")).unwrap(),
        "northeurope",
    );
    let third = ArmId::parse(&member(0).as_str().replace("networkManagers/m", "networkManagers/o")).unwrap();
    assert!(governor.admit(&key, &third, &who, now).0.is_err(), "however it is spelled");
}

/// Resource Manager counts all regions of a subscription together.
#[test]
fn regions_take_turns() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas { reads: None, ..Quotas::default() });
    let key = key(1, VerbClass::Write);
    let (who, _) = applicant(Lane::Change, "n");
    let of = |region: &str, n: usize| {
        let other = format!("networkManagers/{region}");
        ArmId::parse(&member(n).as_str().replace("networkManagers/m", &other)).unwrap()
    };
    for region in ["a", "b", "c", "d"] {
        governor.is_in(
            &ArmId::parse(&MANAGER.replace("networkManagers/m", &format!("networkManagers/{region}")))
                .unwrap(),
            region,
        );
        for n in 0..2_000 {
            let _ = governor.admit(&key, &of(region, n), &who, now);
        }
    }
    let mut served = BTreeMap::<String, usize>::new();
    // One at a time, as tokens come back.
    for tenth in 1..=400 {
        for (_, id) in governor.grant(now + Duration::from_millis(100 * tenth + 1)).into_keys() {
            let region = id.split('/').nth(8).unwrap().to_owned();
            *served.entry(region).or_default() += 1;
            governor.take(errand(&key, &ArmId::parse(&id).unwrap()), now).unwrap();
        }
    }
    let (least, most) = (served.values().min(), served.values().max());
    assert!(served.len() == 4 && most <= least.map(|least| least + 2).as_ref(), "{served:?}");
}

/// Thousands of reads for which nobody has a turn, and writes that wait for reads alone: both go on.
#[test]
fn reads_and_writes_take_turns_where_reads_are_few() {
    let start = clock::instant();
    let mut governor = Governor::new(Quotas::default());
    let key = key(1, VerbClass::Write);
    let (who, _) = applicant(Lane::Change, "n");
    for n in 0..1_000 {
        let _ = governor.admit(&key, &member(n), &who, start);
    }
    let (mut reads, mut writes) = (0, 0);
    for tick in 0..500 {
        let now = start + Duration::from_millis(20 * tick);
        while governor.take(errand(&reading(&key), &member(9_999)), now).is_ok() {
            reads += 1;
        }
        for (_, id) in governor.grant(now).into_keys() {
            let id = ArmId::parse(&id).unwrap();
            governor.take(errand(&key, &id), now).unwrap();
            for _ in 0..READS {
                governor.take(errand(&reading(&key), &id), now).unwrap();
            }
            writes += 1;
        }
    }
    // 25 a second for 10 s: half of them to reads, half with writes, two each.
    assert!((60..=66).contains(&writes) && (180..=195).contains(&reads), "{writes} writes, {reads} reads");
}

#[test]
fn reads_that_are_refused_come_back_spread() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas::default());
    let key = key(1, VerbClass::Read);
    let mut waits = Vec::new();
    for n in 0..10_000 {
        if let Err(shut) = governor.take(errand(&key, &member(n)), now) {
            waits.push(shut.wait);
        }
    }
    assert_eq!(waits.len(), 9_750);
    let soon = waits.iter().filter(|wait| **wait <= seconds(2)).count();
    assert!((1_800..2_200).contains(&soon), "a fifth of them comes in the first two of ten seconds: {soon}");
    assert!(waits.iter().max() <= Some(&seconds(11)));
}

/// A user's edit of what waits to be repaired is a user's change.
#[test]
fn a_turn_moves_to_a_better_lane() {
    let now = clock::instant();
    let one = Some(Quota { size: 1.0, refill: 1.0 });
    let mut governor = Governor::new(Quotas { writes: one, ..Quotas::NONE });
    let key = key(1, VerbClass::Write);
    let (repair, _) = applicant(Lane::Repair, "n");
    for n in 0..100 {
        let _ = governor.admit(&key, &member(n), &repair, now);
    }
    let (change, _) = applicant(Lane::Change, "n");
    assert!(governor.admit(&key, &member(99), &change, now).0.is_err());
    assert_eq!(governor.waiting(), 99);
    let granted = governor.grant(now + seconds(1));
    assert_eq!(granted.keys().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), [member(99).key()]);
    // The entry that it left in the other lane is nobody's.
    let rest: usize = (2..200).map(|second| governor.grant(now + seconds(second)).len()).sum();
    assert!(rest >= 98, "{rest}");
}

/// Calls that have to be sent again, and what nobody admitted, do not wait as long as a line is.
#[test]
fn what_is_in_no_line_waits_for_no_line() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas::default());
    let key = key(1, VerbClass::Delete);
    let (who, _) = applicant(Lane::Deletion, "n");
    for n in 0..5_000 {
        let _ = governor.admit(&key, &member(n), &who, now);
    }
    governor.take(errand(&key, &member(0)), now).unwrap();
    let id = member(0);
    assert!(governor.take(Errand { again: true, ..errand(&key, &id) }, now).is_ok(), "it is owed");
    let refused = governor.take(errand(&key, &id), now).unwrap_err();
    assert!(refused.wait <= seconds(3), "{:?}", refused.wait);
}

/// What Azure says it has left counts what was sent; what is kept was not.
#[test]
fn what_is_kept_is_none_of_what_is_left() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas { reads: None, ..Quotas::default() });
    let key = key(1, VerbClass::Write);
    let (who, _) = applicant(Lane::Change, "n");
    for n in 0..50 {
        assert!(governor.admit(&key, &member(n), &who, now).0.is_ok());
    }
    let left = quota::Left { of_principal: Some(60), of_provider: None };
    governor.told(&key, &member(0), &left, now);
    let more = (50..150).filter(|n| governor.admit(&key, &member(*n), &who, now).0.is_ok()).count();
    assert_eq!(more, 10);
}

#[test]
fn nothing_is_kept_of_what_is_over() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas::default());
    let key = key(1, VerbClass::Write);
    let (who, _) = applicant(Lane::Change, "n");
    // They come and go while the line stands.
    for round in 0..50 {
        for n in 0..1_000 {
            let _ = governor.admit(&key, &member(n), &who, now);
        }
        for n in 0..1_000 {
            governor.forgo(VerbClass::Write, &member(n), "me", now);
        }
        let entries: usize = governor.lines.values().map(Line::len).sum();
        assert!(entries <= 2_000 + SPARE, "{entries} after {round}");
    }
    governor.grant(now + seconds(3_600));
    assert!(governor.lines.is_empty() && governor.counts.is_empty());
}

#[test]
fn what_is_left_is_that_of_the_quota_nearest_its_end() {
    let now = clock::instant();
    let mut governor = Governor::new(Quotas::default());
    let shares = |governor: &mut Governor, now| -> Vec<(CountedBy, VerbClass, f64)> {
        governor.lowest(now).into_iter().map(|left| (left.by, left.verb, left.share)).collect()
    };
    assert!(shares(&mut governor, now).iter().all(|(_, _, share)| *share > 0.999), "nothing was sent");
    for (client, count) in [(1, 20), (2, 50)] {
        let key = key(client, VerbClass::Read);
        for n in 0..count {
            governor.take(errand(&key, &member(n)), now).unwrap();
        }
    }
    let left = shares(&mut governor, now);
    assert!(left.contains(&(CountedBy::ResourceManager, VerbClass::Read, 0.8)), "50 of 250 of one: {left:?}");
    assert!(left.contains(&(CountedBy::ResourceManager, VerbClass::Write, 1.0)), "{left:?}");
    let network = left.iter().find(|(by, verb, _)| (*by, *verb) == (CountedBy::Network, VerbClass::Read));
    assert!(
        network.is_some_and(|(_, _, share)| (share - 0.993).abs() < 1e-9),
        "70 of 10,000 of both: {left:?}"
    );
    assert!(
        shares(&mut governor, now + seconds(60)).iter().all(|(_, _, share)| *share > 0.999),
        "it comes back"
    );
}
