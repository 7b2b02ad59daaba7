//! Faults by script: which calls they hit, and what happens to those.

mod action;
mod armed;

use anyhow::ensure;
use serde::{Deserialize, Serialize};

pub use action::{Action, Effect};
pub use armed::{Armed, Faults};

use crate::ledger::CallKind;
use crate::world::directory::matches_pattern;

/// Which calls a fault hits. What is absent matches everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Match {
    /// ARM or Entra; both where absent.
    pub kind: Option<CallKind>,
    /// The HTTP method, one of GET, HEAD, PUT, PATCH, POST, DELETE and OPTIONS.
    pub method: Option<String>,
    /// A part of the path (canonical id), without regard to case.
    pub path_contains: Option<String>,
    /// Exactly this id, without regard to case.
    pub id: Option<String>,
    /// The whole path, with `*` for any run of characters, without regard to case.
    pub path_glob: Option<String>,
    /// Only from the nth matching call on, counted from when the fault was added. 1 where absent.
    pub nth: Option<u64>,
    /// Only so many calls. Absent: one call where `nth` is given, else all until the fault is removed.
    pub times: Option<u64>,
    /// Only for so long after the fault was added.
    pub for_seconds: Option<f64>,
}

/// The methods that a fault may wait for.
const METHODS: &[&str] = &["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"];
/// The longest that a fault may be in force: a year.
const LONGEST_SECONDS: f64 = 365.0 * 24.0 * 60.0 * 60.0;

impl Match {
    /// Refuses what no call could ever match.
    fn check(&self) -> anyhow::Result<()> {
        if let Some(method) = &self.method {
            let known = METHODS.iter().any(|known| known.eq_ignore_ascii_case(method));
            ensure!(known, "match.method: {method:?} is none of {}", METHODS.join(", "));
        }
        if let Some(id) = &self.id {
            ensure!(
                id.starts_with('/'),
                "match.id: {id:?} does not begin with a slash, as every path does; `*` is for pathGlob"
            );
        }
        if let Some(glob) = &self.path_glob {
            let good = glob.starts_with(['/', '*']);
            ensure!(
                good,
                "match.pathGlob: {glob:?} does not begin with a slash, as every path does, nor with `*`"
            );
        }
        ensure!(self.nth != Some(0), "match.nth: calls are counted from 1");
        ensure!(self.times != Some(0), "match.times: 0 calls are none; 1 is the smallest");
        if let Some(seconds) = self.for_seconds {
            ensure!(
                seconds > 0.0 && seconds <= LONGEST_SECONDS,
                "match.forSeconds: {seconds} is not more than zero and at most a year"
            );
        }
        Ok(())
    }

    /// Whether it hits this call, counts and times left aside.
    fn hits(&self, kind: CallKind, method: &str, path: &str) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.id.as_ref().is_none_or(|id| id.eq_ignore_ascii_case(path))
            && self.path_glob.as_ref().is_none_or(|glob| matches_pattern(glob, path))
            && self
                .path_contains
                .as_ref()
                .is_none_or(|part| path.to_ascii_lowercase().contains(&part.to_ascii_lowercase()))
    }
}

/// A fault: what it hits and what it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FaultForm")]
pub struct Fault {
    /// Which calls.
    #[serde(rename = "match")]
    pub matches: Match,
    /// What happens to them.
    pub action: Action,
}

/// A [`Fault`] as it is given, before anyone looked whether it means something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultForm {
    #[serde(default, rename = "match")]
    matches: Match,
    action: Action,
}

impl TryFrom<FaultForm> for Fault {
    type Error = anyhow::Error;

    fn try_from(FaultForm { matches, action }: FaultForm) -> anyhow::Result<Self> {
        matches.check()?;
        action.effect.check(&matches)?;
        Ok(Self { matches, action })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fault_that_means_nothing_is_refused_with_what_is_allowed() {
        let serve = json!({"delayMs": 1});
        for (matches, action, wanted) in [
            (json!({"nth": 0}), &serve, "match.nth: calls are counted from 1"),
            (json!({"times": 0}), &serve, "match.times: 0"),
            (json!({"forSeconds": -5}), &serve, "match.forSeconds: -5"),
            (json!({"forSeconds": 1e300}), &serve, "match.forSeconds: "),
            (json!({"method": "GTE"}), &serve, "match.method: \"GTE\" is none of GET, HEAD"),
            (json!({"id": "subscriptions/x"}), &serve, "match.id: "),
            (json!({"id": "*"}), &serve, "`*` is for pathGlob"),
            (json!({"pathGlob": "x*"}), &serve, "match.pathGlob: "),
            (json!({"method": "GET"}), &json!({"failMember": true}), "action.failMember: befalls only a PUT"),
            (
                json!({"id": "/subscriptions/x"}),
                &json!({"failMember": true}),
                "is not the id of a static member",
            ),
            (json!({"method": "PUT"}), &json!({"stale": true}), "action.stale: befalls only a GET"),
            (json!({"kind": "token"}), &json!({"stale": true}), "action.stale: befalls only a GET"),
            (
                json!({}),
                &json!({"giant": true, "bytes": u64::MAX}),
                "action.bytes: 18446744073709551615 is not from 1 to",
            ),
            (json!({}), &json!({"giant": true, "bytes": 0}), "action.bytes: 0"),
            (
                json!({}),
                &json!({"status": 429, "headers": {"Retry After": "1"}}),
                "action.headers: \"Retry After\" is not the name",
            ),
            (
                json!({}),
                &json!({"status": 429, "headers": {"Retry-After": "1\n2"}}),
                "cannot be the value of a header",
            ),
            (
                json!({}),
                &json!({"status": 429, "headers": {"Content-Length": "7"}}),
                "action.headers: \"Content-Length\" follows from the body",
            ),
            (json!({}), &json!({"redirect": "https://x\n"}), "action.redirect: "),
            (json!({}), &json!({"contentType": "text\n"}), "action.contentType: "),
            (json!({}), &json!({"html": true, "status": 99}), "action.status: 99 is not from 200 to 599"),
            (json!({}), &json!({"delayMs": u64::MAX}), "action.delayMs: "),
            (json!({}), &json!({"lateEffect": {"ms": u64::MAX}}), "action.lateEffect.ms: "),
        ] {
            let it = json!({"match": matches, "action": action});
            let error = serde_json::from_value::<Fault>(it.clone()).unwrap_err().to_string();
            assert!(error.contains(wanted), "{it}: {error}");
        }
        for method in METHODS {
            let it = json!({"match": {"method": method.to_lowercase()}, "action": serve});
            serde_json::from_value::<Fault>(it).unwrap();
        }
    }
}
