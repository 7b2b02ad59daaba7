//! A fault, and when one means nothing.

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::matches::Match;

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
        for method in crate::faults::matches::METHODS {
            let it = json!({"match": {"method": method.to_lowercase()}, "action": serve});
            serde_json::from_value::<Fault>(it).unwrap();
        }
    }
}
