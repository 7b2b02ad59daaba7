//! Pruning: what the schema does not name is not kept.

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
