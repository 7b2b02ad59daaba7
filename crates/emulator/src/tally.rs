//! How many calls there were, by service, method and status: counted from the start, whatever the ledger still keeps.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ledger::CallKind;

/// The calls of one service with one method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// How many arrived.
    pub calls: u64,
    /// How many of them were answered with each status. What was cut off, or still waits, is in none.
    pub status: BTreeMap<u16, u64>,
}

/// All counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Tally(BTreeMap<CallKind, BTreeMap<String, Count>>);

impl Tally {
    /// A call has arrived.
    pub fn arrived(&mut self, kind: CallKind, method: &str) {
        self.of(kind, method).calls += 1;
    }

    /// It was answered.
    pub fn answered(&mut self, kind: CallKind, method: &str, status: u16) {
        *self.of(kind, method).status.entry(status).or_default() += 1;
    }

    fn of(&mut self, kind: CallKind, method: &str) -> &mut Count {
        let methods = self.0.entry(kind).or_default();
        // A method is a word of the caller's: what is none of HTTP's own shares one line, so that nobody makes a thousand.
        let method = match method {
            "GET" | "HEAD" | "PUT" | "PATCH" | "POST" | "DELETE" | "OPTIONS" => method,
            _ => "other",
        };
        methods.entry(method.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_arrived_and_what_was_answered_are_counted_apart() {
        let mut tally = Tally::default();
        for _ in 0..2 {
            tally.arrived(CallKind::Arm, "GET");
        }
        tally.answered(CallKind::Arm, "GET", 200);
        tally.arrived(CallKind::Token, "POST");
        tally.arrived(CallKind::Arm, "BREW");
        tally.arrived(CallKind::Arm, "STEEP");
        assert_eq!(
            json!(tally),
            json!({
                "token": {"POST": {"calls": 1, "status": {}}},
                "arm": {"GET": {"calls": 2, "status": {"200": 1}}, "other": {"calls": 2, "status": {}}},
            })
        );
    }
}
