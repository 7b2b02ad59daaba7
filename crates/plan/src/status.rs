//! From findings to conditions: times move only when a status flips, and nothing changes while nothing changes.

use avnm_api::{Condition, LastFailure, Time};
use avnm_terms::mutants::{Mutant, broken};
use jiff::{SignedDuration, Timestamp};

use crate::{
    finding::{Finding, Happening},
    reason::{Companion, Readiness, Reason},
    side::Resource,
};

/// Longest message of a condition, in characters: two findings, each with what Azure said and a command to be pasted.
pub const MESSAGE_MAX: usize = 4000;

/// A condition to be merged with the old ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its type.
    pub type_: &'static str,
    /// True, False or Unknown.
    pub status: &'static str,
    /// One word.
    pub reason: String,
    /// The message.
    pub message: String,
    /// The generation that it is about.
    pub generation: i64,
}

/// Times are kept in whole seconds, as metav1 does.
pub fn whole(now: Timestamp) -> Time {
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}

/// The old conditions of our types, brought to what is wanted now. Types that are not wanted are gone.
pub fn merge(old: &[Condition], wanted: Vec<Wanted>, now: Timestamp) -> Vec<Condition> {
    wanted
        .into_iter()
        .map(|wanted| {
            let since = old
                .iter()
                .find(|old| old.type_ == wanted.type_ && old.status == wanted.status)
                .map_or_else(|| whole(now), |old| old.last_transition_time.clone());
            Condition {
                type_: wanted.type_.to_owned(),
                status: wanted.status.to_owned(),
                reason: wanted.reason,
                message: avnm_terms::text::bounded(&wanted.message, MESSAGE_MAX),
                observed_generation: Some(wanted.generation),
                last_transition_time: since,
            }
        })
        .collect()
}

/// The reason of Synced where Azure does not take a description.
pub const DESCRIPTION_NOT_TAKEN: &str = "DescriptionNotTaken";

/// How its message begins for one thing. After a restart it tells that the description was sent before.
pub(crate) fn description_not_taken(of: Resource) -> String {
    format!("Azure does not take the description of the {}", of.words())
}

/// One condition by type.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// The failure that stays in status: the first of a streak. A streak is of one operation on one thing, with one code, for want
/// of one action; another one is a new failure, with a grace of its own, whatever reason both give.
pub fn last_failure(old: Option<&LastFailure>, finding: &Finding, now: Timestamp) -> Option<LastFailure> {
    let failure = finding.failure.as_ref()?;
    let same = |old: &&LastFailure| {
        (old.operation.as_str(), &old.target, &old.code, old.action.as_deref())
            == (failure.operation, &failure.target, &failure.code, failure.action.as_deref())
    };
    Some(old.filter(same).cloned().unwrap_or_else(|| LastFailure {
        operation: failure.operation.to_owned(),
        target: failure.target.clone(),
        code: failure.code.clone(),
        action: failure.action.as_deref().map(str::to_owned),
        message: failure.message.clone(),
        correlation_id: failure.correlation_id.clone(),
        actor: failure.actor.to_string(),
        since: whole(now),
    }))
}

/// What Ready, Reconciling and Stalled shall be.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Ready, then its companion if there is one.
    pub wanted: Vec<Wanted>,
    /// When the companion changes by itself.
    pub next_change: Option<Timestamp>,
}

/// Ready=True for the current generation outlives this many sweep intervals of not being able to read.
pub const STICKY_SWEEPS: i32 = 3;

/// Facts about the past that decide how a finding is shown.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// The conditions as they are.
    pub conditions: &'a [Condition],
    /// The object's generation.
    pub generation: i64,
    /// Since when the current streak of failures lasts (`lastFailure.since`, or now).
    pub since: Timestamp,
    /// Since when the object could not be read (in this process).
    pub unread_since: Option<Timestamp>,
    /// The sweep interval.
    pub sweep: SignedDuration,
    /// Now.
    pub now: Timestamp,
}

impl Past<'_> {
    /// Whether Ready was True for this very generation.
    pub fn was_ready(&self) -> bool {
        find(self.conditions, "Ready")
            .is_some_and(|ready| ready.status == "True" && ready.observed_generation == Some(self.generation))
    }

    /// Until when the old conditions are kept although nothing could be read.
    pub fn sticky_until(&self) -> Option<Timestamp> {
        let since = self.unread_since.unwrap_or(self.now);
        since.checked_add(self.sweep * STICKY_SWEEPS).ok()
    }
}

/// Whether the old conditions stay as they are: Ready before, only unread now, and not for too long.
pub fn keeps_ready(finding: &Finding, past: &Past<'_>) -> bool {
    finding.unread && past.was_ready() && past.sticky_until().is_some_and(|until| past.now < until)
}

/// The conditions Ready, Reconciling and Stalled for a finding.
pub fn summary(finding: &Finding, past: &Past<'_>) -> Summary {
    let (readiness, companion) = finding.reason.row();
    let old = find(past.conditions, "Ready");
    let make = |type_, status| Wanted {
        type_,
        status,
        reason: finding.reason.word().to_owned(),
        message: finding.message.clone(),
        generation: past.generation,
    };
    let ready = match readiness {
        Readiness::True => make("Ready", "True"),
        Readiness::False if finding.unread && broken(Mutant::UnreadIsReady) => make("Ready", "True"),
        // A Ready object that cannot be read for long is Unknown, not False; nor is one False that was never read.
        Readiness::False
            if finding.unread && (past.was_ready() || old.is_some_and(|old| old.status == "Unknown")) =>
        {
            make("Ready", "Unknown")
        }
        Readiness::False if finding.unread && old.is_none() => make("Ready", "Unknown"),
        Readiness::False => make("Ready", "False"),
        Readiness::AsItWas => old.map_or_else(
            || make("Ready", "Unknown"),
            |old| Wanted {
                type_: "Ready",
                status: match old.status.as_str() {
                    "True" => "True",
                    "False" => "False",
                    _ => "Unknown",
                },
                reason: old.reason.clone(),
                message: old.message.clone(),
                generation: old.observed_generation.unwrap_or(past.generation),
            },
        ),
    };
    let mut wanted = vec![ready];
    let mut next_change = None;
    match finding.companion.unwrap_or(companion) {
        Companion::None => {}
        Companion::Reconciling => wanted.push(make("Reconciling", "True")),
        Companion::Stalled => wanted.push(make("Stalled", "True")),
        Companion::StalledAfter(grace) => {
            let until = past.since.checked_add(grace).unwrap_or(past.now);
            if past.now < until {
                next_change = Some(until);
                wanted.push(make("Reconciling", "True"));
            } else {
                wanted.push(make("Stalled", "True"));
            }
        }
    }
    Summary { wanted, next_change }
}

/// What the loop needs to know of a verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct After {
    /// When to look again; `None` where it waits for nothing.
    pub look: Option<SignedDuration>,
    /// The reason that is true now, also where old conditions are kept.
    pub reason: Reason,
    /// Whether it rests on something unread.
    pub unread: bool,
    /// Whether something failed in a way that passes.
    pub failed: bool,
    /// Whether Azure is settling.
    pub settling: bool,
}

/// Conditions that stay as they are.
pub(crate) fn kept(old: &[Condition], types: &[&'static str]) -> Vec<Wanted> {
    types
        .iter()
        .filter_map(|type_| {
            let condition = find(old, type_)?;
            Some(Wanted {
                type_,
                status: match condition.status.as_str() {
                    "True" => "True",
                    "False" => "False",
                    _ => "Unknown",
                },
                reason: condition.reason.clone(),
                message: condition.message.clone(),
                generation: condition.observed_generation.unwrap_or_default(),
            })
        })
        .collect()
}

/// The event of a change of Ready's reason.
pub(crate) fn transition(old: &[Condition], new: &[Condition]) -> Vec<Happening> {
    let (old, new) = (find(old, "Ready"), find(new, "Ready"));
    let Some(new) = new else { return Vec::new() };
    if old.is_some_and(|old| old.reason == new.reason && old.status == new.status) {
        return Vec::new();
    }
    let Some(reason) = Reason::ALL.iter().find(|reason| reason.word() == new.reason) else {
        return Vec::new();
    };
    let warning = matches!(reason.row().1, Companion::Stalled | Companion::StalledAfter(_));
    vec![Happening { warning, reason: reason.word(), action: "Reconcile", note: new.message.clone() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn past(conditions: &[Condition], now: i64) -> Past<'_> {
        Past {
            conditions,
            generation: 2,
            since: at(1000),
            unread_since: Some(at(1000)),
            sweep: SignedDuration::from_mins(5),
            now: at(now),
        }
    }

    fn ready(status: &str, generation: i64) -> Vec<Condition> {
        vec![Condition {
            type_: "Ready".into(),
            status: status.into(),
            reason: "Connected".into(),
            message: "m".into(),
            observed_generation: Some(generation),
            last_transition_time: Time(at(5)),
        }]
    }

    #[test]
    fn time_moves_only_when_the_status_flips() {
        let old = ready("True", 2);
        let same = merge(
            &old,
            summary(&Finding::new(Reason::Connected, "other"), &past(&old, 2000)).wanted,
            at(2000),
        );
        assert_eq!(same[0].last_transition_time, Time(at(5)));
        let flipped =
            merge(&old, summary(&Finding::new(Reason::Revoked, "x"), &past(&old, 2000)).wanted, at(2000));
        assert_eq!(flipped[0].last_transition_time, Time(at(2000)));
    }

    #[test]
    fn grace_turns_reconciling_into_stalled() {
        let finding = Finding::new(Reason::PermissionDenied, "x");
        let early = summary(&finding, &past(&[], 1000 + 599));
        assert_eq!(early.wanted[1].type_, "Reconciling");
        assert_eq!(early.next_change, Some(at(1600)));
        let late = summary(&finding, &past(&[], 1600));
        assert_eq!(late.wanted[1].type_, "Stalled");
        assert_eq!(late.wanted.len(), 2, "never both");
    }

    #[test]
    fn ready_outlives_three_sweeps_of_not_reading() {
        let old = ready("True", 2);
        let finding = Finding::new(Reason::ProgressingWithRetry, "x").unread();
        assert!(keeps_ready(&finding, &past(&old, 1000 + 899)));
        assert!(!keeps_ready(&finding, &past(&old, 1900)));
        assert_eq!(summary(&finding, &past(&old, 1900)).wanted[0].status, "Unknown");
        let other_generation = ready("True", 1);
        assert!(!keeps_ready(&finding, &past(&other_generation, 1001)));
    }

    /// A streak is of one failure. Another one has its own correlation id and its own grace, whatever reason both give.
    #[test]
    fn another_failure_is_a_new_one() {
        use avnm_terms::{Actor, Details, Fault, FaultKind};

        use crate::finding::Failure;

        let finding = |operation, target: &str, code: &str, action: Option<&str>, id: &str| {
            let fault = Fault {
                code: code.into(),
                correlation_id: Some(id.into()),
                ..Fault::local(operation, target, FaultKind::PermissionDenied, "said")
            };
            let details = Details { action: action.map(str::to_owned), ..Details::default() };
            let failure = Failure::of(&fault.with_details(details), Actor::TargetTenantAdmin);
            Finding { failure: Some(failure), ..Finding::new(Reason::PermissionDenied, "x") }
        };
        let first = last_failure(None, &finding("put x", "/a", "C", Some("n/write"), "id-1"), at(1000));
        let again = |next: &Finding| last_failure(first.as_ref(), next, at(2000)).unwrap();
        let same = again(&finding("put x", "/a", "C", Some("n/write"), "id-2"));
        assert_eq!(Some(&same), first.as_ref(), "nothing changes while nothing changes");
        for next in [
            finding("get x", "/a", "C", Some("n/write"), "id-2"),
            finding("put x", "/b", "C", Some("n/write"), "id-2"),
            finding("put x", "/a", "D", Some("n/write"), "id-2"),
            finding("put x", "/a", "C", Some("n/read"), "id-2"),
            finding("put x", "/a", "C", None, "id-2"),
        ] {
            let new = again(&next);
            assert_eq!((new.correlation_id.as_deref(), new.since.0), (Some("id-2"), at(2000)), "{next:?}");
        }
        assert_eq!(last_failure(first.as_ref(), &Finding::new(Reason::Connected, "x"), at(2000)), None);
    }

    #[test]
    fn suspended_keeps_what_was() {
        let old = ready("True", 1);
        let shown = summary(&Finding::new(Reason::Suspended, "x"), &past(&old, 2000));
        assert_eq!(
            (shown.wanted[0].status, shown.wanted[0].reason.as_str(), shown.wanted[0].generation),
            ("True", "Connected", 1)
        );
        assert_eq!(
            summary(&Finding::new(Reason::Suspended, "x"), &past(&[], 2000)).wanted[0].status,
            "Unknown"
        );
    }
}
