//! Who wins of two objects that want the same thing, as examples.

use avnm_api::ClaimPhase;
use jiff::Timestamp;

use super::markdown::table;
use avnm_plan::{
    arbitration::{Claimant, beaten_by},
    item::Key,
};

fn claimant(name: &str, claim: Option<(ClaimPhase, i64)>, wants: bool, created: i64) -> Claimant {
    let at = |second| Timestamp::from_second(second).unwrap_or_default();
    Claimant {
        keys: vec![Key::of("the thing")],
        body: None,
        leaving: false,
        unseen: false,
        namespace: "ns".to_owned(),
        name: name.to_owned(),
        uid: name.into(),
        claim: claim.map(|(phase, since)| (phase, at(since))),
        durable: claim.is_some(),
        wants,
        reserved: false,
        created: Some(at(created)),
    }
}

fn words(who: &Claimant) -> String {
    let claim = match &who.claim {
        Some((phase, since)) => format!("{phase:?} since {}", since.as_second()),
        None if who.reserved => "no claim, in a pass that may claim now".to_owned(),
        None if who.wants => "no claim, would claim now".to_owned(),
        None => "no claim, would not claim now".to_owned(),
    };
    let created = who.created.map_or(0, Timestamp::as_second);
    format!("{claim}, created {created}")
}

pub(super) fn body() -> String {
    use ClaimPhase::{Held, Intended};
    let pairs = [
        ((None, true, 1), (None, true, 2)),
        ((None, true, 2), (None, true, 2)),
        ((None, true, 1), (Some((Intended, 9)), true, 5)),
        ((None, false, 1), (None, true, 5)),
        ((Some((Intended, 3)), true, 1), (Some((Held, 9)), true, 5)),
        ((Some((Held, 9)), true, 1), (Some((Held, 3)), true, 5)),
        ((Some((Intended, 9)), true, 1), (Some((Intended, 3)), true, 5)),
        ((Some((Held, 9)), false, 5), (None, true, 1)),
    ];
    let pairs = pairs.map(|(a, b)| (claimant("a", a.0, a.1, a.2), claimant("b", b.0, b.1, b.2)));
    let reserved = |created| Claimant { reserved: true, ..claimant("b", None, true, created) };
    let overtaken = [
        (claimant("a", None, true, 1), reserved(5)),
        (claimant("a", Some((Intended, 9)), true, 9), reserved(5)),
    ];
    let rows = pairs.into_iter().chain(overtaken).map(|(a, b)| {
        let winner = match (beaten_by(&a, std::slice::from_ref(&b)), beaten_by(&b, std::slice::from_ref(&a)))
        {
            (None, Some(_)) => "ns/a",
            (Some(_), None) => "ns/b",
            (None, None) => "both may go on",
            (Some(_), Some(_)) => "neither",
        };
        vec![words(&a), words(&b), winner.to_owned()]
    });
    format!(
        "## Two objects that want the same thing\n\nAsked of `arbitration::beaten_by`; times are plain numbers here. An \
         object that has no claim and would not claim now stands in nobody's way.\n\n{}",
        table(&["ns/a", "ns/b", "winner"], rows)
    )
}
