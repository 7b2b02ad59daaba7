//! Reads that lag behind writes, where the settings (or a fault) say so. By default every read sees every write.

use jiff::{SignedDuration, Timestamp};

use super::call::Call;
use super::dispatch::dispatch;
use crate::answer::Answer;
use crate::evidence::Evidence;
use crate::path::Kind;
use crate::settings::Span;
use crate::state::State;

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

/// The answer of a GET that does not see the last write; None where it does.
pub fn read(state: &State, call: &Call<'_>) -> Option<Answer> {
    if call.method != "GET" || call.path.is_collection() {
        return None;
    }
    let echoes = &state.world.echoes;
    let key = state.world.key(&call.path, &call.caller.bearer.tid);
    match call.stale {
        Some(since) => echoes.before(&key, since).map(|before| before.clone().bent(true)),
        None => echoes.read(&key, call.now).cloned(),
    }
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
    if call.method == "DELETE" {
        let lingers = until(lag.linger_ms);
        state.world.echoes.deleted(key, before, lingers);
    } else {
        let (unlisted, stale) = (until(lag.list_lag_ms), until(lag.stale_read_ms));
        state.world.echoes.written(key, before, unlisted, stale);
    }
}
