//! The faults in force: which of them a call meets, and how often each was.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Action, Effect, Fault};
use crate::ledger::CallKind;

/// A fault in force, with its counts.
#[derive(Clone, Debug, Serialize)]
pub struct Armed {
    /// Its id.
    pub id: u64,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// How many calls matched.
    pub seen: u64,
    /// How many of them it was applied to.
    pub applied: u64,
    #[serde(skip)]
    added: Timestamp,
    #[serde(skip)]
    writes: u64,
}

/// The fault that a call met.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    /// The fault's id.
    pub(crate) id: u64,
    /// What happens.
    pub(crate) action: Action,
    /// The number of the last write that was noted before the fault was added.
    pub(crate) writes: u64,
}

/// All faults in force.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Vec<Armed>,
    last: u64,
}

impl Faults {
    /// Adds a fault and gives its id. `writes` is the number of the last write that was noted.
    pub fn add(&mut self, fault: Fault, now: Timestamp, writes: u64) -> u64 {
        self.last += 1;
        self.armed.push(Armed { id: self.last, fault, seen: 0, applied: 0, added: now, writes });
        self.last
    }

    /// Removes one fault, or all. Says how many went.
    pub fn remove(&mut self, id: Option<u64>) -> usize {
        let before = self.armed.len();
        self.armed.retain(|armed| id.is_some_and(|id| id != armed.id));
        before - self.armed.len()
    }

    /// The faults with their counts, also those that are used up.
    pub fn list(&self) -> &[Armed] {
        &self.armed
    }

    /// The fault could not do to this call what it is for: it counts as not applied.
    pub(crate) fn missed(&mut self, id: u64) {
        if let Some(armed) = self.armed.iter_mut().find(|armed| armed.id == id) {
            armed.applied = armed.applied.saturating_sub(1);
        }
    }

    /// Whether a fault may ask for what was there before a write.
    pub(crate) fn any_stale(&self) -> bool {
        self.armed.iter().any(|armed| armed.fault.action.effect == Effect::Stale)
    }

    /// The fault for this call: the oldest that applies. Every fault that matches counts the call.
    pub(crate) fn pick(&mut self, kind: CallKind, method: &str, path: &str, now: Timestamp) -> Option<Hit> {
        let mut picked = None;
        for armed in &mut self.armed {
            let (it, effect) = (&armed.fault.matches, &armed.fault.action.effect);
            let age = now.duration_since(armed.added);
            let live =
                it.for_seconds.is_none_or(|s| SignedDuration::try_from_secs_f64(s).is_ok_and(|s| age <= s));
            if !live || !it.hits(kind, method, path) || !effect.suits(kind, method, path) {
                continue;
            }
            armed.seen += 1;
            let times = it.times.or(it.nth.map(|_| 1)).unwrap_or(u64::MAX);
            if picked.is_none() && armed.seen >= it.nth.unwrap_or(1) && armed.applied < times {
                armed.applied += 1;
                picked = Some(Hit { id: armed.id, action: armed.fault.action.clone(), writes: armed.writes });
            }
        }
        picked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(value: serde_json::Value) -> Fault {
        serde_json::from_value(value).unwrap()
    }

    fn pick(faults: &mut Faults, at: i64) -> Option<u64> {
        let now = Timestamp::from_second(at).unwrap();
        faults.pick(CallKind::Arm, "PUT", "/subscriptions/A/x", now).map(|hit| hit.id)
    }

    #[test]
    fn the_nth_call_is_hit_once() {
        let mut faults = Faults::default();
        let now = Timestamp::UNIX_EPOCH;
        let id = faults.add(fault(json!({"match": {"nth": 2}, "action": {"cutAfter": true}})), now, 0);
        assert_eq!(
            [pick(&mut faults, 0), pick(&mut faults, 0), pick(&mut faults, 0)],
            [None, Some(id), None]
        );
        assert_eq!(faults.list()[0].seen, 3);
    }

    #[test]
    fn times_and_seconds_end_a_fault() {
        let mut faults = Faults::default();
        let now = Timestamp::UNIX_EPOCH;
        faults.add(fault(json!({"match": {"times": 1}, "action": {"delayMs": 1}})), now, 0);
        let second =
            faults.add(fault(json!({"match": {"forSeconds": 10}, "action": {"status": 500}})), now, 0);
        assert_eq!(pick(&mut faults, 1), Some(1));
        assert_eq!(pick(&mut faults, 10), Some(second));
        assert_eq!(pick(&mut faults, 11), None);
    }

    #[test]
    fn kind_method_and_path_are_matched_together() {
        let mut faults = Faults::default();
        let it = json!({"kind": "arm", "method": "put", "pathContains": "SCRIPTIONS/a", "pathGlob": "*/x"});
        faults.add(fault(json!({"match": it, "action": {"html": true}})), Timestamp::UNIX_EPOCH, 0);
        assert_eq!(pick(&mut faults, 0), Some(1));
        let other = faults.pick(CallKind::Token, "PUT", "/subscriptions/A/x", Timestamp::UNIX_EPOCH);
        assert!(other.is_none());
    }
}
