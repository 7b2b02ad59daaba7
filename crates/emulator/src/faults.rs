//! Faults by script: which calls they hit, and what happens to those.

use std::collections::BTreeMap;

use anyhow::{bail, ensure};
use axum::http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ledger::CallKind;
use crate::path::{ArmPath, Kind};
use crate::settings::LONGEST_MS;
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

/// What happens to a call that is hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is served as ever (with a delay, that is the fault).
    Serve,
    /// Nothing happens and this is the answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The error's code; absent with `message`: an empty body.
        code: Option<String>,
        /// The error's message.
        message: Option<String>,
        /// The whole body, instead of code and message.
        body: Option<Value>,
        /// Headers of the answer.
        headers: BTreeMap<String, String>,
    },
    /// The connection is closed and nothing happens.
    CutBefore,
    /// It happens, and the connection is closed without an answer.
    CutAfter,
    /// The connection is closed at once; it happens so many milliseconds later.
    LateEffect {
        /// How much later.
        ms: u64,
    },
    /// Nothing happens; a gateway answers with HTML.
    Html {
        /// The HTTP status.
        status: u16,
    },
    /// It happens; the connection is closed in the middle of the answer's body.
    Truncated,
    /// Nothing happens; the answer's body does not end for so many bytes.
    Giant {
        /// How many bytes.
        bytes: u64,
    },
    /// Nothing happens; the answer sends the caller elsewhere.
    Redirect {
        /// Where to.
        location: String,
    },
    /// A static member's PUT is served, and the member ends in Failed. Hits no other call.
    FailMember,
    /// A GET, of one thing or of a list, shows what was there before the last write since the fault was added. Hits
    /// no other call of ARM's.
    Stale,
    /// It is served, with a byte order mark before the body.
    Bom,
    /// It is served, under this content type.
    ContentType {
        /// The header's value.
        value: String,
    },
}

/// A delay, and then an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ActionForm", into = "ActionForm")]
pub struct Action {
    /// How long the call is held back first, in milliseconds.
    pub delay_ms: u64,
    /// What happens then.
    pub effect: Effect,
}

impl From<Effect> for Action {
    fn from(effect: Effect) -> Self {
        Self { delay_ms: 0, effect }
    }
}

/// The flat JSON form of an [`Action`]: `{"status": 429, "headers": {…}}`, `{"cutAfter": true}`, `{"delayMs": 50}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ActionForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_false")]
    cut_before: bool,
    #[serde(skip_serializing_if = "is_false")]
    cut_after: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_effect: Option<LateForm>,
    #[serde(skip_serializing_if = "is_false")]
    html: bool,
    #[serde(skip_serializing_if = "is_false")]
    truncated: bool,
    #[serde(skip_serializing_if = "is_false")]
    giant: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    fail_member: bool,
    #[serde(skip_serializing_if = "is_false")]
    stale: bool,
    #[serde(skip_serializing_if = "is_false")]
    bom: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LateForm {
    ms: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Larger than any bound that a client should have on a body.
const GIANT_BYTES: u64 = 64 * 1024 * 1024;
/// No body is larger: who reads on after so much has shown enough, and a machine may be filled by it.
const GIANT_MAX: u64 = 1024 * 1024 * 1024;
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
        for (field, id) in [("id", &self.id), ("pathGlob", &self.path_glob)] {
            let good = id.as_ref().is_none_or(|id| id.starts_with(['/', '*']));
            ensure!(good, "match.{field}: {id:?} does not begin with a slash, as every path does");
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
}

/// Refuses a delay that is meant to be for ever: cutBefore and giant are for that.
fn delay(field: &str, ms: u64) -> anyhow::Result<u64> {
    ensure!(ms <= LONGEST_MS, "action.{field}: {ms} is more than a day ({LONGEST_MS})");
    Ok(ms)
}

/// Refuses a header that cannot be sent; it would be left out in silence.
fn header(field: &str, name: &str, value: &str) -> anyhow::Result<()> {
    ensure!(name.parse::<HeaderName>().is_ok(), "action.{field}: {name:?} is not the name of a header");
    ensure!(
        value.parse::<HeaderValue>().is_ok(),
        "action.{field}: {value:?} cannot be the value of a header"
    );
    Ok(())
}

impl TryFrom<ActionForm> for Action {
    type Error = anyhow::Error;

    fn try_from(form: ActionForm) -> anyhow::Result<Self> {
        let mut effects = Vec::new();
        if form.cut_before {
            effects.push(Effect::CutBefore);
        }
        if form.cut_after {
            effects.push(Effect::CutAfter);
        }
        if let Some(late) = form.late_effect {
            effects.push(Effect::LateEffect { ms: delay("lateEffect.ms", late.ms)? });
        }
        if let Some(status) = form.status {
            ensure!((200..=599).contains(&status), "action.status: {status} is not from 200 to 599");
        }
        if form.html {
            effects.push(Effect::Html { status: form.status.unwrap_or(502) });
        }
        if form.truncated {
            effects.push(Effect::Truncated);
        }
        if form.giant {
            let bytes = form.bytes.unwrap_or(GIANT_BYTES);
            ensure!(
                (1..=GIANT_MAX).contains(&bytes),
                "action.bytes: {bytes} is not from 1 to {GIANT_MAX} (1 GB)"
            );
            effects.push(Effect::Giant { bytes });
        }
        if let Some(location) = form.redirect {
            header("redirect", "location", &location)?;
            effects.push(Effect::Redirect { location });
        }
        if form.fail_member {
            effects.push(Effect::FailMember);
        }
        if form.stale {
            effects.push(Effect::Stale);
        }
        if form.bom {
            effects.push(Effect::Bom);
        }
        if let Some(value) = form.content_type {
            header("contentType", "content-type", &value)?;
            effects.push(Effect::ContentType { value });
        }
        ensure!(
            form.body.is_none() || (form.code.is_none() && form.message.is_none()),
            "action: give either a body, or code and message"
        );
        if let (Some(status), false) = (form.status, form.html) {
            for (name, value) in &form.headers {
                header("headers", name, value)?;
            }
            effects.push(Effect::Answer {
                status,
                code: form.code,
                message: form.message,
                body: form.body,
                headers: form.headers,
            });
        } else if form.code.is_some()
            || form.message.is_some()
            || form.body.is_some()
            || !form.headers.is_empty()
        {
            bail!("action: code, message, body and headers need a status, and go with no other effect");
        }
        ensure!(form.bytes.is_none() || form.giant, "action.bytes: needs giant");
        let effect = match (effects.pop(), form.delay_ms) {
            (Some(effect), _) if effects.is_empty() => effect,
            (None, Some(_)) => Effect::Serve,
            (None, None) => bail!("action: is empty"),
            _ => bail!("action: give one effect only; delayMs goes with each"),
        };
        Ok(Self { delay_ms: delay("delayMs", form.delay_ms.unwrap_or(0))?, effect })
    }
}

impl From<Action> for ActionForm {
    fn from(action: Action) -> Self {
        let mut form = Self { delay_ms: (action.delay_ms > 0).then_some(action.delay_ms), ..Self::default() };
        match action.effect {
            Effect::Serve => form.delay_ms = Some(action.delay_ms),
            Effect::Answer { status, code, message, body, headers } => {
                form.status = Some(status);
                (form.code, form.message, form.body, form.headers) = (code, message, body, headers);
            }
            Effect::CutBefore => form.cut_before = true,
            Effect::CutAfter => form.cut_after = true,
            Effect::LateEffect { ms } => form.late_effect = Some(LateForm { ms }),
            Effect::Html { status } => (form.html, form.status) = (true, Some(status)),
            Effect::Truncated => form.truncated = true,
            Effect::Giant { bytes } => (form.giant, form.bytes) = (true, Some(bytes)),
            Effect::Redirect { location } => form.redirect = Some(location),
            Effect::FailMember => form.fail_member = true,
            Effect::Stale => form.stale = true,
            Effect::Bom => form.bom = true,
            Effect::ContentType { value } => form.content_type = Some(value),
        }
        form
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
        Ok(Self { matches, action })
    }
}

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
}

/// All faults in force.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Vec<Armed>,
    last: u64,
}

impl Faults {
    /// Adds a fault and gives its id.
    pub fn add(&mut self, fault: Fault, now: Timestamp) -> u64 {
        self.last += 1;
        self.armed.push(Armed { id: self.last, fault, seen: 0, applied: 0, added: now });
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
    pub(crate) fn pick(
        &mut self,
        kind: CallKind,
        method: &str,
        path: &str,
        now: Timestamp,
    ) -> Option<(u64, Action)> {
        let mut picked = None;
        for armed in &mut self.armed {
            let it = &armed.fault.matches;
            let age = now.duration_since(armed.added);
            let live =
                it.for_seconds.is_none_or(|s| SignedDuration::try_from_secs_f64(s).is_ok_and(|s| age <= s));
            if !live
                || !hits(it, kind, method, path)
                || !suits(&armed.fault.action.effect, kind, method, path)
            {
                continue;
            }
            armed.seen += 1;
            let times = it.times.or(it.nth.map(|_| 1)).unwrap_or(u64::MAX);
            if picked.is_none() && armed.seen >= it.nth.unwrap_or(1) && armed.applied < times {
                armed.applied += 1;
                picked = Some((armed.id, armed.fault.action.clone()));
            }
        }
        picked
    }
}

/// Whether the effect can befall such a call at all: a fault neither counts others nor is used up by them.
fn suits(effect: &Effect, kind: CallKind, method: &str, path: &str) -> bool {
    let member = || {
        ArmPath::from_id(path).is_some_and(|path| path.kind() == Kind::StaticMember && !path.is_collection())
    };
    match effect {
        Effect::FailMember => kind == CallKind::Arm && method.eq_ignore_ascii_case("PUT") && member(),
        Effect::Stale => kind == CallKind::Arm && method.eq_ignore_ascii_case("GET"),
        _ => true,
    }
}

fn hits(it: &Match, kind: CallKind, method: &str, path: &str) -> bool {
    it.kind.is_none_or(|wanted| wanted == kind)
        && it.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
        && it.id.as_ref().is_none_or(|id| id.eq_ignore_ascii_case(path))
        && it.path_glob.as_ref().is_none_or(|glob| matches_pattern(glob, path))
        && it
            .path_contains
            .as_ref()
            .is_none_or(|part| path.to_ascii_lowercase().contains(&part.to_ascii_lowercase()))
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
        faults.pick(CallKind::Arm, "PUT", "/subscriptions/A/x", now).map(|(id, _)| id)
    }

    #[test]
    fn the_nth_call_is_hit_once() {
        let mut faults = Faults::default();
        let now = Timestamp::UNIX_EPOCH;
        let id = faults.add(fault(json!({"match": {"nth": 2}, "action": {"cutAfter": true}})), now);
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
        faults.add(fault(json!({"match": {"times": 1}, "action": {"delayMs": 1}})), now);
        let second = faults.add(fault(json!({"match": {"forSeconds": 10}, "action": {"status": 500}})), now);
        assert_eq!(pick(&mut faults, 1), Some(1));
        assert_eq!(pick(&mut faults, 10), Some(second));
        assert_eq!(pick(&mut faults, 11), None);
    }

    #[test]
    fn kind_method_and_path_are_matched_together() {
        let mut faults = Faults::default();
        let it = json!({"kind": "arm", "method": "put", "pathContains": "SCRIPTIONS/a", "pathGlob": "*/x"});
        faults.add(fault(json!({"match": it, "action": {"html": true}})), Timestamp::UNIX_EPOCH);
        assert_eq!(pick(&mut faults, 0), Some(1));
        let other = faults.pick(CallKind::Token, "PUT", "/subscriptions/A/x", Timestamp::UNIX_EPOCH);
        assert_eq!(other, None);
    }

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
            fault(json!({"match": {"method": method.to_lowercase()}, "action": serve}));
        }
    }

    #[test]
    fn an_action_has_exactly_one_effect() {
        let bad = [
            json!({}),
            json!({"cutAfter": true, "html": true}),
            json!({"code": "X"}),
            json!({"status": 99}),
            json!({"cutafter": true}),
        ];
        for action in bad {
            assert!(serde_json::from_value::<Action>(action.clone()).is_err(), "{action}");
        }
        let both =
            json!({"delayMs": 5, "status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "1"}});
        let action: Action = serde_json::from_value(both.clone()).unwrap();
        assert_eq!(serde_json::to_value(action).unwrap(), both);
    }
}
