//! Defaults: a field that is absent gets what the schema says, also where an object is read that was written before.

use serde_json::Value;

use super::Node;

/// Fills in defaults. A null where none is allowed gives way to the default.
pub(crate) fn apply(node: &Node, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, property) in &node.properties {
                let Some(default) = &property.default else { continue };
                let absent = match fields.get(name) {
                    None => true,
                    Some(Value::Null) => !property.nullable,
                    Some(_) => false,
                };
                if absent {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in fields {
                if let Some(node) = node.field(name) {
                    apply(node, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                for item in items {
                    apply(node, item);
                }
            }
        }
        _ => {}
    }
}
