//! Reads that lag behind writes, where the settings (or a fault) say so. By default every read sees every write.

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Call, Evidence, dispatch};
use crate::answer::Answer;
use crate::azure::State;
use crate::path::Kind;
use crate::settings::Span;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::report(
        "a deleted connection may still be read, so that other tools wait for three 404s",
        "hashicorp/terraform-provider-azurerm#20840",
    ),
    Evidence::assumed(
        "stale reads, lists without what was just made, and lingering after a delete look like this (settings, all \
         off by default)",
        "reads in a tight loop after each kind of write",
    ),
];

/// What readers that lag behind still see, by the key of the thing.
#[derive(Debug, Default)]
pub struct Echoes {
    reads: BTreeMap<String, (Timestamp, Answer)>,
    unlisted: BTreeMap<String, Timestamp>,
    ghosts: BTreeMap<String, (Timestamp, Value)>,
    before: BTreeMap<String, (u64, Answer)>,
    writes: u64,
}

impl Echoes {
    /// Whether lists do not have this one yet.
    pub fn is_unlisted(&self, key: &str, now: Timestamp) -> bool {
        !self.unlisted.is_empty() && self.unlisted.get(key).is_some_and(|until| now < *until)
    }

    /// The number of the last write that was noted.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// The last write after that number to what a list has, as far as it was noted: the key, and what a GET showed
    /// before.
    pub fn last_write(
        &self,
        since: u64,
        prefix: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Option<(&String, &Answer)> {
        self.before
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(key, (write, _))| *write > since && wanted(&key[prefix.len()..]))
            .max_by_key(|(_, (write, _))| *write)
            .map(|(key, (_, before))| (key, before))
    }

    /// The deleted things that a list beginning with this prefix still has, by key.
    pub fn ghosts(&self, prefix: &str, now: Timestamp) -> Vec<(&String, &Value)> {
        self.ghosts
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(_, (until, _))| now < *until)
            .map(|(key, (_, shown))| (key, shown))
            .collect()
    }
}

/// The answer of a GET that does not see the last write; None where it does.
pub fn read(state: &State, call: &Call<'_>) -> Option<Answer> {
    if call.method != "GET" || call.path.is_collection() {
        return None;
    }
    let echoes = &state.world.echoes;
    let key = state.world.key(&call.path, &call.caller.bearer.tid);
    if let Some(since) = call.stale {
        let before = echoes.before.get(&key).filter(|(write, _)| *write > since);
        return before.map(|(_, before)| before.clone().bent(true));
    }
    let (until, answer) = echoes.reads.get(&key)?;
    (call.now < *until).then(|| answer.clone())
}

/// What a GET shows before this write, where anybody may want to know afterwards.
pub fn before(state: &mut State, call: &Call<'_>) -> Option<Answer> {
    let kept = matches!(
        call.path.kind(),
        Kind::NetworkManager
            | Kind::NetworkGroup
            | Kind::ScopeConnection
            | Kind::NetworkManagerConnection
            | Kind::StaticMember
    );
    let lags = !state.settings.consistency.is_strong() || state.faults.any_stale();
    if !kept || !lags || !matches!(call.method, "PUT" | "PATCH" | "DELETE") || call.path.is_collection() {
        return None;
    }
    let read = Call {
        method: "GET",
        path: call.path.clone(),
        query: call.query.clone(),
        caller: call.caller.clone(),
        ..*call
    };
    Some(dispatch(state, &read).unwrap_or_else(|refusal| refusal))
}

/// Notes for how long who does not see this write.
pub fn note(state: &mut State, call: &Call<'_>, before: Answer) {
    let key = state.world.key(&call.path, &call.caller.bearer.tid);
    let lag = state.settings.consistency;
    let mut until = |span: Span| {
        let ms = i64::try_from(span.draw(&mut state.rng)).unwrap_or(i64::MAX);
        (ms > 0).then(|| call.now.saturating_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX))
    };
    let echoes = &mut state.world.echoes;
    echoes.reads.remove(&key);
    if call.method == "DELETE" {
        echoes.unlisted.remove(&key);
        if let Some(until) = until(lag.linger_ms).filter(|_| before.status == 200) {
            let shown = serde_json::from_slice(&before.body).unwrap_or_default();
            echoes.ghosts.insert(key.clone(), (until, shown));
            echoes.reads.insert(key.clone(), (until, before.clone()));
        }
    } else {
        echoes.ghosts.remove(&key);
        if let Some(until) = until(lag.list_lag_ms).filter(|_| before.status == 404) {
            echoes.unlisted.insert(key.clone(), until);
        }
        if let Some(until) = until(lag.stale_read_ms) {
            echoes.reads.insert(key.clone(), (until, before.clone()));
        }
    }
    echoes.writes += 1;
    echoes.before.insert(key, (echoes.writes, before));
}
