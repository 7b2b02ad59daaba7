//! The two ways in which a body is merged into an object: JSON merge patch, and the merge of what is applied.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    fields::item,
    schema::{ListType, Node},
};

/// RFC 7386: null takes a field out, a list is replaced.
pub fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge_patch(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// What is applied over what is there: maps and lists of keyed items are merged, all else is replaced.
pub(crate) fn apply(node: Option<&Node>, live: &Value, config: &Value) -> Value {
    match (live, config) {
        (Value::Object(live), Value::Object(config))
            if !(node.is_some_and(|node| node.atomic_map) || live.is_empty() && config.is_empty()) =>
        {
            let mut merged = live.clone();
            for (name, value) in config {
                let below = node.and_then(|node| node.field(name));
                let value = merged.get(name).map_or_else(|| value.clone(), |live| apply(below, live, value));
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Array(live), Value::Array(config)) => match node {
            Some(node) if *node.list_type() != ListType::Atomic => Value::Array(items(node, live, config)),
            _ => Value::Array(config.clone()),
        },
        _ => config.clone(),
    }
}

/// Items in the order of the server's merge: as applied, with those that only the live list has between them.
fn items(node: &Node, live: &[Value], config: &[Value]) -> Vec<Value> {
    let keyed = |items: &[Value]| -> Vec<(String, Value)> {
        items.iter().map(|value| (item(node.list_type(), value), value.clone())).collect()
    };
    let (live, config) = (keyed(live), keyed(config));
    let in_live = |key: &str| live.iter().find(|(it, _)| it == key).map(|(_, value)| value);
    let in_config = |key: &str| config.iter().any(|(it, _)| it == key);
    let merged = |key: &str, value: &Value| match in_live(key) {
        Some(before) => apply(node.items.as_deref(), before, value),
        None => value.clone(),
    };
    let mut shared = config.iter().map(|(key, _)| key.as_str()).filter(|key| in_live(key).is_some());
    let mut next = shared.next();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut out = Vec::new();
    let (mut left, mut right) = (0, 0);
    while left < live.len() || right < config.len() {
        if let (Some((here, _)), Some((there, value))) = (live.get(left), config.get(right)) {
            if here == there {
                out.push(merged(there, value));
                done.insert(there);
                (left, right, next) = (left + 1, right + 1, shared.next());
                continue;
            }
            if in_config(here) && next.is_some_and(|next| next != here) {
                left += 1;
                continue;
            }
        }
        if let Some((here, value)) = live.get(left) {
            if !in_config(here) {
                out.push(value.clone());
                left += 1;
                continue;
            }
            if done.contains(here.as_str()) {
                left += 1;
            }
        }
        if let Some((there, value)) = config.get(right) {
            out.push(merged(there, value));
            done.insert(there);
            right += 1;
            if next == Some(there.as_str()) {
                next = shared.next();
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_keep_their_place() {
        let node = Node::parse(&json!({
            "type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}
        }))
        .unwrap();
        let merged = |live: Value, config: Value| apply(Some(&node), &live, &config);
        assert_eq!(merged(json!(["a", "b", "c"]), json!(["c", "a"])), json!(["b", "c", "a"]));
        assert_eq!(merged(json!(["a", "b"]), json!(["x", "b"])), json!(["a", "x", "b"]));
        assert_eq!(merged(json!([]), json!(["x"])), json!(["x"]));
    }
}
