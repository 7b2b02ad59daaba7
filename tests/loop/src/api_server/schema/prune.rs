//! Pruning: what the schema does not name is not kept, nor a null that means nothing.

use serde_json::Value;

use super::Node;

/// Takes out every field that the schema does not name.
pub(crate) fn prune(node: &Node, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if !node.preserves_unknown {
                fields.retain(|name, _| node.field(name).is_some());
            }
            for (name, value) in fields {
                if let Some(node) = node.field(name) {
                    prune(node, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                for item in items {
                    prune(node, item);
                }
            }
        }
        _ => {}
    }
}

/// Takes out every null that the schema neither allows nor has a default for.
pub(crate) fn without_nulls(node: &Node, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let means_something =
                |node: &Node| node.nullable || node.default.is_some() || node.kind.is_empty();
            fields.retain(|name, value| !value.is_null() || node.field(name).is_none_or(means_something));
            for (name, value) in fields {
                if let Some(node) = node.field(name) {
                    without_nulls(node, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                for item in items {
                    without_nulls(node, item);
                }
            }
        }
        _ => {}
    }
}
