//! What a refusal says beside its code: who lacks what where, whose the subscription is, which policy, which versions.
//!
//! It stands in sentences, known from public reports (that they are the same for the types of this client is assumed), which are
//! Azure's to change: what is not found is not known, and the message is told in any
//! case. What is found is read as what it is, never taken as text: it may end up in a command.

use avnm_terms::{ArmId, ClientId, Details, Named, ObjectId, Policy, SubscriptionId, TenantId, text};
use serde_json::Value;

use super::body::Body;

/// Longest name of a policy kept, in characters.
const NAME_MAX: usize = 120;

/// Longest action kept, in bytes.
const ACTION_MAX: usize = 200;

/// So much may stand between words and what is quoted after them, in bytes.
const BETWEEN_MAX: usize = 48;

/// So many policies, tenants and versions are kept.
const POLICIES_MAX: usize = 4;
const TENANTS_MAX: usize = 8;
const VERSIONS_MAX: usize = 200;

/// What a refusal says beside its code, to a call of this application.
pub(super) fn details(body: &Body, application: Option<&ClientId>) -> Details {
    let said = body.message.as_str();
    let (scope, gone) = scope(said);
    Details {
        application: application.cloned(),
        object: last_quoted(said, "object id").and_then(|id| ObjectId::parse(id).ok()),
        action: last_quoted(said, "perform action").filter(|text| is_action(text)).map(str::to_owned),
        scope,
        scope_may_be_gone: gone,
        tenants: tenants(said),
        policies: policies(body),
        api_versions: versions(said),
        assertion: None,
    }
}

/// Where the action is lacking, or what is in the way, and whether Azure says that it may not be there.
fn scope(said: &str) -> (Option<ArmId>, bool) {
    let id = |text: &str| {
        let first = text.split(',').next()?.trim();
        ArmId::parse(first).ok().filter(|_| first.starts_with('/'))
    };
    let subscription = || {
        let named = SubscriptionId::parse(last_quoted(said, "linked subscription")?).ok()?;
        ArmId::parse(&format!("/subscriptions/{named}")).ok()
    };
    // `because resource ID used by resource ID is not in Succeeded state`
    let used = || id(between(said, "because resource ", " used by resource")?);
    let named = last_quoted(said, "linked scope").or_else(|| last_quoted(said, "over scope"));
    let lower = said.to_ascii_lowercase();
    let gone = lower.contains("scope is invalid")
        || lower.contains("scope(s) are invalid")
        || (lower.contains("linked subscription") && lower.contains("was not found"));
    (named.and_then(id).or_else(subscription).or_else(used), gone)
}

/// The tenants of `It must match the tenant 'https://sts.windows.net/GUID/' associated with this subscription`; it may be
/// `one of the tenants`, with commas.
fn tenants(said: &str) -> Vec<TenantId> {
    let named =
        last_quoted(said, "must match the tenant").or_else(|| last_quoted(said, "one of the tenants"));
    let words = named.unwrap_or_default().split(['/', ',']);
    words.filter_map(|word| TenantId::parse(word.trim()).ok()).take(TENANTS_MAX).collect()
}

/// `The supported api-versions are '2022-01-01, 2024-05-01'`, in the ways in which Azure says it; newest first.
fn versions(said: &str) -> Vec<String> {
    let named =
        last_quoted(said, "supported api-versions").or_else(|| last_quoted(said, "supported versions"));
    let words = named.unwrap_or_default().split(',').map(str::trim);
    let mut all: Vec<String> = words.filter(|word| is_version(word)).map(str::to_owned).collect();
    all.sort_unstable_by(|one, other| other.cmp(one));
    all.dedup();
    all.truncate(VERSIONS_MAX);
    all
}

/// The policies that `additionalInfo` names, of all errors, or else those that the message lists as JSON.
fn policies(body: &Body) -> Vec<Policy> {
    let info = body.additional.iter().filter_map(|entry| entry.get("info"));
    let mut all: Vec<Policy> = info.filter_map(violated).collect();
    if all.is_empty() {
        all.extend(listed(&body.message).iter().map(|entry| Policy {
            assignment: identified(entry.get("policyAssignment")),
            definition: identified(entry.get("policyDefinition")),
        }));
    }
    let mut seen = Vec::new();
    all.retain(|policy| {
        *policy != Policy::default() && !seen.contains(policy) && {
            seen.push(policy.clone());
            true
        }
    });
    all.truncate(POLICIES_MAX);
    all
}

/// `info` of a `PolicyViolation`.
fn violated(info: &Value) -> Option<Policy> {
    let named = |what: &str| {
        let text = |part: &str| info.get(format!("policy{what}{part}")).and_then(Value::as_str);
        let names = [text("DisplayName"), text("Name")];
        Named { name: name(names), id: text("Id").and_then(|id| ArmId::parse(id).ok()) }
    };
    let policy = Policy { assignment: named("Assignment"), definition: named("Definition") };
    (policy != Policy::default()).then_some(policy)
}

/// `Policy identifiers: '[{"policyAssignment":{...},"policyDefinition":{...}}]'`.
fn listed(said: &str) -> Vec<Value> {
    let Some((_, rest)) = said.split_once("identifiers: '") else { return Vec::new() };
    // What follows the list is not read.
    let mut first = serde_json::Deserializer::from_str(rest).into_iter::<Vec<Value>>();
    first.next().and_then(Result::ok).unwrap_or_default()
}

fn identified(value: Option<&Value>) -> Named {
    let text = |part: &str| value?.get(part)?.as_str();
    Named { name: name([text("name"), None]), id: text("id").and_then(|id| ArmId::parse(id).ok()) }
}

/// The first of these that says anything.
fn name(names: [Option<&str>; 2]) -> String {
    let said = names.into_iter().flatten().map(str::trim).find(|name| !name.is_empty());
    text::bounded(said.unwrap_or_default(), NAME_MAX)
}

/// What stands in quotes right after these words, where they last stand before any: of several clauses the last one says
/// what is lacking.
fn last_quoted<'a>(said: &'a str, words: &str) -> Option<&'a str> {
    // ASCII only, so that places in one are places in the other.
    let lower = said.to_ascii_lowercase();
    lower.rmatch_indices(words).find_map(|(at, _)| {
        let mut quoted = said.get(at + words.len()..)?.split('\'');
        // Nothing but a few words stands between.
        quoted.next().filter(|between| between.len() <= BETWEEN_MAX)?;
        let text = quoted.next()?.trim();
        // And the quote ends.
        quoted.next().map(|_| text).filter(|text| !text.is_empty())
    })
}

fn between<'a>(said: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = &said[said.find(before)? + before.len()..];
    Some(&rest[..rest.find(after)?])
}

/// `Microsoft.Network/virtualNetworks/subnets/write`.
fn is_action(text: &str) -> bool {
    let good = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-*".contains(&b))
    };
    text.len() <= ACTION_MAX && text.contains('/') && text.split('/').all(good)
}

/// `2024-05-01`, `2021-02-01-preview`.
fn is_version(text: &str) -> bool {
    let (date, rest) = text.split_at_checked(10).unwrap_or((text, ""));
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let dated = digits(year, 4) && digits(month, 2) && digits(day, 2);
    dated
        && (rest.is_empty()
            || (rest.starts_with('-')
                && rest.len() <= 24
                && rest[1..].bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())))
}
