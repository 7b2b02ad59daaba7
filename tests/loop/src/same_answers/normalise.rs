//! Answers without what differs from run to run: uids become numbers in the order in which they are first seen,
//! versions their rank, times a word.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use regex::Regex;
use serde_json::{Value, json};

use super::differences;

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static UID: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
static TIME: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"));
static VERSION_IN_TEXT: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(resource version: \d+ \(|current: |ResourceVersion in record \()\d+"));

/// The answers of one server to one sequence, comparable with those of another.
pub fn normalise(mut answers: Vec<Value>) -> Vec<Value> {
    let mut versions = BTreeSet::new();
    for answer in &answers {
        collect_versions(answer, &mut versions);
    }
    let ranks: BTreeMap<u64, usize> =
        versions.into_iter().enumerate().map(|(rank, version)| (version, rank + 1)).collect();
    let mut names = Names { ranks, uids: BTreeMap::new() };
    for answer in &mut answers {
        differences::level(answer);
        names.walk(answer);
    }
    answers
}

/// Whether this is what a list or a bookmark says of its version: the newest of the whole server, which other writes
/// push on.
fn is_of_the_whole(fields: &serde_json::Map<String, Value>) -> bool {
    !fields.contains_key("uid")
}

fn collect_versions(value: &Value, versions: &mut BTreeSet<u64>) {
    match value {
        Value::Object(fields) => {
            if let Some(version) = fields.get("resourceVersion").and_then(Value::as_str)
                && !is_of_the_whole(fields)
                && let Ok(version) = version.parse()
            {
                versions.insert(version);
            }
            fields.values().for_each(|value| collect_versions(value, versions));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_versions(item, versions)),
        _ => {}
    }
}

struct Names {
    ranks: BTreeMap<u64, usize>,
    uids: BTreeMap<String, usize>,
}

impl Names {
    fn walk(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                let whole = is_of_the_whole(fields);
                if let Some(version) = fields.get_mut("resourceVersion") {
                    let number = version.as_str().and_then(|text| text.parse::<u64>().ok());
                    let rank = number.and_then(|number| self.ranks.get(&number));
                    *version = match rank {
                        _ if whole => "of the whole".into(),
                        Some(rank) => format!("version {rank}").into(),
                        None => version.take(),
                    };
                }
                generated(fields);
                if fields.get("continue").and_then(Value::as_str).is_some_and(|token| !token.is_empty()) {
                    fields.insert("continue".to_owned(), "token".into());
                }
                if let Some(token) = fields.get_mut("token") {
                    *token = claims(token.as_str().unwrap_or_default());
                }
                fields.values_mut().for_each(|value| self.walk(value));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::String(text) => self.text(text),
            _ => {}
        }
    }

    fn text(&mut self, text: &mut String) {
        if TIME.as_ref().is_some_and(|time| time.is_match(text)) {
            let kind = if text.contains('.') { "time with microseconds" } else { "time" };
            kind.clone_into(text);
            return;
        }
        if let Some(pattern) = VERSION_IN_TEXT.as_ref() {
            *text = pattern.replace_all(text, "${1}N").into_owned();
        }
        if let Some(pattern) = UID.as_ref() {
            let uids = &mut self.uids;
            *text = pattern
                .replace_all(text, |found: &regex::Captures<'_>| {
                    let next = uids.len() + 1;
                    let number = uids.entry(found[0].to_owned()).or_insert(next);
                    format!("uid {number}")
                })
                .into_owned();
        }
    }
}

/// A generated name ends in letters of chance.
fn generated(fields: &mut serde_json::Map<String, Value>) {
    let Some(lead) = fields.get("generateName").and_then(Value::as_str) else { return };
    let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.len() == lead.len() + 5 && name.starts_with(lead) {
        let name = format!("{lead}*****");
        fields.insert("name".to_owned(), name.into());
    }
}

/// What a token says, with its times as spans.
fn claims(token: &str) -> Value {
    let parts: Vec<&str> = token.split('.').collect();
    let claims = parts.get(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = claims.and_then(|claims| serde_json::from_slice::<Value>(&claims).ok());
    let (3, Some(mut claims)) = (parts.len(), claims) else { return "no token".into() };
    let at = |name: &str| claims[name].as_i64().unwrap_or_default();
    let (life, begins) = (at("exp") - at("iat"), at("nbf") - at("iat"));
    for (name, value) in
        [("exp", json!(life)), ("nbf", json!(begins)), ("iat", json!(0)), ("jti", json!("some"))]
    {
        claims[name] = value;
    }
    claims
}
