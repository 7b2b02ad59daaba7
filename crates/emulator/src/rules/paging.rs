//! Lists, page by page.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded;

use super::call::Call;
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::state::State;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::recording(
        "the last page has nextLink \"\"; connections put value first, the others nextLink",
        "cli-static-member@2025-09-30",
    ),
    Evidence::specification("$top from 1 to 20, $skipToken, absolute nextLink", &documents::NETWORK_MANAGER),
    Evidence::assumed(
        "a page has 20 items where nothing is asked for (setting); items come in the order of their ids",
        "a list of more than twenty",
    ),
];

/// Which of the two fields of a page comes first on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `value`, then `nextLink`.
    ValueFirst,
    /// `nextLink`, then `value`.
    LinkFirst,
    /// `value`, and `nextLink` only where there is one more page.
    LinkIfAny,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ValueFirst<T> {
    value: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_link: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LinkFirst<T> {
    next_link: String,
    value: Vec<T>,
}

/// An entry of a list: one that is there, or one that is gone and still shown.
enum Item<'a, V> {
    Kept(&'a V),
    Ghost(Cow<'a, Value>),
}

/// The same as it goes over the wire.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown<'a, T> {
    Kept(T),
    Ghost(Cow<'a, Value>),
}

/// One page of those entries whose keys begin with `prefix`, and that `wanted` lets through.
pub fn page<'a, V, T: Serialize>(
    state: &'a State,
    call: &Call<'_>,
    map: &'a BTreeMap<String, V>,
    prefix: &str,
    order: Order,
    wanted: impl Fn(&str) -> bool,
    show: impl Fn(&'a V) -> T,
) -> Answered {
    let size = match call.parameter("$top") {
        None => state.settings.page_size.max(1),
        Some(top) => top.parse().ok().filter(|top| (1..=20).contains(top)).ok_or_else(|| {
            let text = format!("The value '{top}' of query parameter $top is not between 1 and 20.");
            Answer::provider(400, "InvalidParameter", &text)
        })?,
    };
    let after = match call.parameter("$skipToken") {
        None => None,
        Some(token) => Some(position(token).ok_or_else(|| {
            Answer::provider(400, "InvalidParameter", "The value of query parameter $skipToken is not valid.")
        })?),
    };
    let start = match &after {
        // A token is a position and not a count: what was added or deleted meanwhile shifts nothing.
        Some(rest) => Bound::Excluded(format!("{prefix}{rest}")),
        None => Bound::Included(prefix.to_owned()),
    };
    let echoes = &state.world.echoes;
    // A stale list is the one before the last write to it.
    let undone = call.stale.and_then(|since| echoes.last_write(since, prefix, &wanted));
    let kept = map
        .range::<String, _>((start, Bound::Unbounded))
        .take_while(|(key, _)| key.starts_with(prefix))
        .filter(|(key, _)| !echoes.is_unlisted(key, call.now))
        .filter(|(key, _)| undone.is_none_or(|(written, _)| written != *key))
        .map(|(key, item)| (key, Item::Kept(item)));
    let mut ghosts: Vec<(&String, Item<'_, V>)> =
        echoes
            .ghosts(prefix, call.now)
            .into_iter()
            .map(|(key, shown)| (key, Cow::Borrowed(shown)))
            .filter(|(key, _)| undone.is_none_or(|(written, _)| written != *key))
            .chain(undone.filter(|(_, before)| before.status == 200).map(|(key, before)| {
                (key, Cow::Owned(serde_json::from_slice(&before.body).unwrap_or_default()))
            }))
            .filter(|(key, _)| after.as_ref().is_none_or(|rest| key[prefix.len()..] > **rest))
            .map(|(key, shown)| (key, Item::Ghost(shown)))
            .collect();
    // Almost always there are none, and the list is not copied.
    let all: Box<dyn Iterator<Item = (&String, Item<'_, V>)>> = if ghosts.is_empty() {
        Box::new(kept)
    } else {
        ghosts.extend(kept);
        ghosts.sort_by_key(|(key, _)| *key);
        Box::new(ghosts.into_iter())
    };
    let mut rest = all.filter(|(key, _)| wanted(&key[prefix.len()..]));
    let mut value = Vec::new();
    let mut last = "";
    for (key, item) in rest.by_ref().take(size) {
        value.push(match item {
            Item::Kept(item) => Shown::Kept(show(item)),
            Item::Ghost(shown) => Shown::Ghost(shown),
        });
        last = &key[prefix.len()..];
    }
    let link = rest.next().map(|_| link(call, last));
    let answer = match order {
        Order::ValueFirst => {
            Answer::json(200, &ValueFirst { value, next_link: Some(link.unwrap_or_default()) })
        }
        Order::LinkFirst => Answer::json(200, &LinkFirst { next_link: link.unwrap_or_default(), value }),
        Order::LinkIfAny => Answer::json(200, &ValueFirst { value, next_link: link }),
    };
    Ok(answer.bent(undone.is_some()))
}

/// Whether what follows a collection's key is one name, and not the id of something deeper.
pub fn direct_child(rest: &str) -> bool {
    !rest.is_empty() && !rest.contains('/')
}

fn link(call: &Call<'_>, last: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &call.query {
        if !name.eq_ignore_ascii_case("$skipToken") {
            query.append_pair(name, value);
        }
    }
    query.append_pair("$skipToken", &URL_SAFE_NO_PAD.encode(last));
    format!("{}{}?{}", call.origin, call.raw_path, query.finish().replace("%24", "$"))
}

fn position(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
