//! Calls, counted by those who were called: ARM's by the emulator, Kubernetes' by the API server's audit record.

use std::collections::BTreeMap;
use std::ops::Sub;
use std::path::Path;

use anyhow::{Context as _, Result};
use avnm_launcher::{Control, audit};
use serde_json::Value;

use super::figure::Figures;

/// How many calls there were of each verb.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Calls(BTreeMap<String, u64>);

impl Calls {
    /// All calls to ARM so far.
    pub(crate) async fn to_arm(control: &Control) -> Result<Self> {
        Ok(Self::of_tally(&control.calls().await?))
    }

    fn of_tally(tally: &Value) -> Self {
        let mut counts = BTreeMap::new();
        for (method, count) in tally["arm"].as_object().into_iter().flatten() {
            counts.insert(method.clone(), count["calls"].as_u64().unwrap_or_default());
            if let Some(throttled) = count["status"]["429"].as_u64() {
                *counts.entry(THROTTLED.to_owned()).or_default() += throttled;
            }
        }
        Self(counts)
    }

    /// The operator's calls to Kubernetes that were recorded behind that point and are over; its lease aside, which is
    /// renewed whether or not there is work.
    pub(crate) fn to_kubernetes(record: &Path, since: u64) -> Result<Self> {
        let (requests, _) = audit::read_from(record, since).context("count the calls to Kubernetes")?;
        let mut counts = BTreeMap::new();
        for (request, times) in requests.iter().filter(|(request, _)| request.resource != "leases") {
            let verb = match request.resource.as_str() {
                "events" => format!("{} of events", request.verb),
                _ => request.verb.clone(),
            };
            *counts.entry(verb).or_default() += *times as u64;
        }
        Ok(Self(counts))
    }

    /// How many of a verb.
    pub(crate) fn of(&self, verb: &str) -> u64 {
        self.0.get(verb).copied().unwrap_or_default()
    }

    /// All calls, an answer of 429 being none of its own.
    pub(crate) fn all(&self) -> u64 {
        self.0.iter().filter(|(verb, _)| *verb != THROTTLED).map(|(_, count)| count).sum()
    }

    /// Those that change something.
    pub(crate) fn writes(&self) -> u64 {
        let writes = |verb: &str| {
            let verb = verb.split(' ').next().unwrap_or_default();
            matches!(verb, "PUT" | "PATCH" | "POST" | "DELETE" | "create" | "update" | "patch" | "delete")
        };
        self.0.iter().filter(|(verb, _)| writes(verb)).map(|(_, count)| count).sum()
    }

    /// A figure for each verb.
    pub(crate) fn figures(&self, figures: &mut Figures, to: &str, budget: impl Fn(&str) -> &'static str) {
        for (verb, count) in &self.0 {
            figures.count(format!("calls to {to}: {verb}"), *count, budget(verb));
        }
    }
}

/// Stands among the verbs for answers that say that it was too much.
pub(crate) const THROTTLED: &str = "answered 429";

impl Sub for Calls {
    type Output = Self;

    /// What came between two counts.
    fn sub(self, before: Self) -> Self {
        let left = self.0.into_iter().map(|(verb, count)| {
            let came = count - before.of(&verb);
            (verb, came)
        });
        Self(left.filter(|(_, count)| *count > 0).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sign_ins_are_not_counted_and_deletes_are_writes() {
        let before = json!({"arm": {"GET": {"calls": 1, "status": {"200": 1}}}});
        let after = json!({
            "token": {"POST": {"calls": 9, "status": {}}},
            "arm": {
                "GET": {"calls": 3, "status": {"200": 2, "429": 1}},
                "PUT": {"calls": 1, "status": {}},
                "DELETE": {"calls": 1, "status": {}},
            },
        });
        let calls = Calls::of_tally(&after) - Calls::of_tally(&before);
        assert_eq!((calls.all(), calls.writes(), calls.of("GET"), calls.of(THROTTLED)), (4, 2, 2, 1));
        assert_eq!(Calls::of_tally(&before).clone() - Calls::of_tally(&before), Calls::default());
    }

    #[test]
    fn the_lease_is_no_work_and_events_are_told_apart() {
        let file = std::env::temp_dir().join(format!("avnm-calls-{}", std::process::id()));
        let line = |verb: &str, resource: &str| {
            json!({"verb": verb, "requestURI": "/", "objectRef": {"resource": resource}}).to_string() + "\n"
        };
        let lines = [
            line("patch", "staticmembers"),
            line("update", "leases"),
            line("create", "events"),
            line("list", "namespaces"),
        ];
        std::fs::write(&file, lines.concat()).unwrap();
        let calls = Calls::to_kubernetes(&file, 0).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!((calls.all(), calls.writes(), calls.of("create of events")), (3, 2, 1));
    }
}
