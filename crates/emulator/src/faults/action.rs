//! What happens to a call that is hit, and the JSON that asks for it.

use std::collections::BTreeMap;

use anyhow::{bail, ensure};
use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Match;
use crate::ledger::CallKind;
use crate::path::{ArmPath, Kind};
use crate::settings::LONGEST_MS;

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
/// Refuses a delay that is meant to be for ever: cutBefore and giant are for that.
fn delay(field: &str, ms: u64) -> anyhow::Result<u64> {
    ensure!(ms <= LONGEST_MS, "action.{field}: {ms} is more than a day ({LONGEST_MS})");
    Ok(ms)
}

/// Headers that say how long the body is: a wrong one would break the connection instead of reaching the caller.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

/// Refuses a header that cannot be sent; it would be left out in silence.
fn header(field: &str, name: &str, value: &str) -> anyhow::Result<()> {
    let framing = FRAMING.iter().any(|it| it.eq_ignore_ascii_case(name));
    ensure!(
        !framing,
        "action.{field}: {name:?} follows from the body; truncated and giant are for wrong ones"
    );
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

/// Whether it is the id of a static member.
fn is_member(id: &str) -> bool {
    ArmPath::from_id(id).is_some_and(|path| path.kind() == Kind::StaticMember && !path.is_collection())
}

impl Effect {
    /// The field that asks for it and the method of ARM's that it can befall, where it is not for every call.
    fn only(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::FailMember => Some(("failMember", "PUT")),
            Self::Stale => Some(("stale", "GET")),
            _ => None,
        }
    }

    /// Whether it can befall such a call at all: a fault neither counts others nor is used up by them.
    pub(super) fn suits(&self, kind: CallKind, method: &str, path: &str) -> bool {
        self.only().is_none_or(|(_, only)| kind == CallKind::Arm && method.eq_ignore_ascii_case(only))
            && (*self != Self::FailMember || is_member(path))
    }

    /// Refuses a match that leaves it no call.
    pub(super) fn check(&self, matches: &Match) -> anyhow::Result<()> {
        let Some((field, only)) = self.only() else { return Ok(()) };
        let kind = matches.kind.is_none_or(|kind| kind == CallKind::Arm);
        let method = matches.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(only));
        ensure!(kind && method, "action.{field}: befalls only a {only} of ARM's, and match leaves those out");
        let foreign = matches.id.as_ref().filter(|id| *self == Self::FailMember && !is_member(id));
        ensure!(
            foreign.is_none(),
            "match.id: {foreign:?} is not the id of a static member, which {field} needs"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
