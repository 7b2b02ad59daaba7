//! Validation by the schema: types, required fields, enums, lengths, patterns.
//!
//! What was wrong before and did not change is not told again ("ratcheting"): an object that a newer schema refuses
//! can still be written elsewhere.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{FieldError, ListType, Node};

/// Everything that is wrong with a value. `old` is what stood there before.
pub(crate) fn validate(
    node: &Node,
    value: &Value,
    old: Option<&Value>,
    path: &str,
    errors: &mut Vec<FieldError>,
) {
    if old == Some(value) {
        return;
    }
    if value.is_null() {
        if !node.nullable && !node.kind.is_empty() {
            errors.push(type_error(node, path, "null"));
            if !node.allowed.is_empty() {
                errors.push(FieldError::not_supported(path, value, &node.allowed));
            }
        }
        return;
    }
    if let Some(found) = mismatch(node, value) {
        errors.push(type_error(node, path, found));
        return;
    }
    if !node.allowed.is_empty() && !node.allowed.contains(value) {
        errors.push(FieldError::not_supported(path, value, &node.allowed));
    }
    match value {
        Value::Object(_) => object(node, value, old, path, errors),
        Value::Array(items) => list(node, items, old, path, errors),
        Value::String(text) => string(node, text, path, errors),
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default();
            let wrong = |words: &str, bound: f64| {
                FieldError::invalid(path, value, &format!("{path} in body should be {words} {bound}"))
            };
            if let Some(minimum) = node.minimum.filter(|minimum| number < *minimum) {
                errors.push(wrong("greater than or equal to", minimum));
            }
            if let Some(maximum) = node.maximum.filter(|maximum| number > *maximum) {
                errors.push(wrong("less than or equal to", maximum));
            }
        }
        Value::Bool(_) | Value::Null => {}
    }
}

fn object(node: &Node, value: &Value, old: Option<&Value>, path: &str, errors: &mut Vec<FieldError>) {
    let Value::Object(fields) = value else { return };
    for name in &node.required {
        if !fields.contains_key(name) {
            errors.push(FieldError::required(&join(path, name), ""));
        }
    }
    if let Some(max) = node.max_properties.filter(|max| fields.len() as u64 > *max) {
        errors.push(FieldError::too_many(path, fields.len(), max));
    }
    for (name, value) in fields {
        if let Some(node) = node.field(name) {
            validate(node, value, old.and_then(|old| old.get(name)), &join(path, name), errors);
        }
    }
}

fn list(node: &Node, items: &[Value], old: Option<&Value>, path: &str, errors: &mut Vec<FieldError>) {
    if let Some(max) = node.max_items.filter(|max| items.len() as u64 > *max) {
        errors.push(FieldError::too_many(path, items.len(), max));
    }
    if let Some(min) = node.min_items.filter(|min| (items.len() as u64) < *min) {
        let detail = format!("{path} in body should have at least {min} items");
        errors.push(FieldError::invalid(path, &items.len().into(), &detail));
    }
    let Some(of) = &node.items else { return };
    for (index, item) in items.iter().enumerate() {
        let before = old.and_then(|old| same_item(node, old, item));
        validate(of, item, before, &format!("{path}[{index}]"), errors);
    }
    duplicates(node, items, path, errors);
}

/// The item that stood for this one before; only the items of a list of type map are found again.
pub(super) fn same_item<'a>(node: &Node, old: &'a Value, item: &Value) -> Option<&'a Value> {
    let ListType::Map(keys) = node.list_type() else { return None };
    let old = old.as_array()?;
    old.iter().find(|before| keys.iter().all(|key| before.get(key) == item.get(key)))
}

fn duplicates(node: &Node, items: &[Value], path: &str, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let key = match node.list_type() {
            ListType::Atomic => return,
            ListType::Set => item.clone(),
            ListType::Map(keys) => {
                keys.iter().map(|key| (key.clone(), item.get(key).cloned().unwrap_or_default())).collect()
            }
        };
        if !seen.insert(key.to_string()) {
            errors.push(FieldError::duplicate(&format!("{path}[{index}]"), &key));
        }
    }
}

fn string(node: &Node, text: &str, path: &str, errors: &mut Vec<FieldError>) {
    let length = text.chars().count() as u64;
    let value = || Value::from(text);
    if let Some(max) = node.max_length.filter(|max| length > *max) {
        errors.push(FieldError::too_long(path, max));
    }
    if let Some(min) = node.min_length.filter(|min| length < *min) {
        let detail = format!("{path} in body should be at least {min} chars long");
        errors.push(FieldError::invalid(path, &value(), &detail));
    }
    if let Some((pattern, regex)) = &node.pattern
        && !regex.is_match(text)
    {
        errors.push(FieldError::invalid(path, &value(), &format!("{path} in body should match '{pattern}'")));
    }
    if node.format == "date-time" && text.parse::<jiff::Timestamp>().is_err() {
        let detail = format!("{path} in body must be of type date-time: {value}", value = value());
        errors.push(FieldError::invalid(path, &value(), &detail));
    }
}

/// What the value is, if it is not what the schema says.
fn mismatch(node: &Node, value: &Value) -> Option<&'static str> {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() && number.as_f64().is_some_and(|it| it.fract() != 0.0) => {
            "number"
        }
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = match node.kind.as_str() {
        _ if node.int_or_string => found == "integer" || found == "string",
        "" => true,
        "number" => found == "number" || found == "integer",
        kind => kind == found,
    };
    (!fits).then_some(found)
}

fn type_error(node: &Node, path: &str, found: &str) -> FieldError {
    let kind = if node.int_or_string { "integer,string" } else { &node.kind };
    let detail = format!("{path} in body must be of type {kind}: \"{found}\"");
    FieldError::wrong_type(path, &found.into(), &detail)
}

pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn errors(schema: &Value, value: &Value, old: Option<&Value>) -> Vec<String> {
        let node = Node::parse(schema).unwrap();
        let mut errors = Vec::new();
        validate(&node, value, old, "spec", &mut errors);
        errors.iter().map(FieldError::sentence).collect()
    }

    #[test]
    fn what_did_not_change_is_not_told_again() {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "string", "maxLength": 2}, "b": {"type": "string", "enum": ["x", "y"]}
        }});
        let value = json!({"a": "long", "b": "z"});
        let told = [
            "spec.a: Too long: may not be more than 2 bytes",
            "spec.b: Unsupported value: \"z\": supported values: \"x\", \"y\"",
        ];
        assert_eq!(errors(&schema, &value, None), told);
        assert_eq!(errors(&schema, &value, Some(&json!({"a": "long", "b": "x"}))), told[1..]);
    }

    #[test]
    fn a_value_of_another_type_is_told_once() {
        let schema = json!({"type": "object", "required": ["c"], "properties": {"a": {"type": "boolean", "enum": [true]}}});
        let told = errors(&schema, &json!({"a": "yes"}), None);
        assert_eq!(
            told,
            [
                "spec.c: Required value",
                "spec.a: Invalid value: \"string\": spec.a in body must be of type boolean: \"string\""
            ]
        );
    }
}
