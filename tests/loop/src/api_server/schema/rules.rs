//! The validation rules of a schema (`x-kubernetes-validations`), by kube's own evaluation of CEL.
//!
//! Each node that has rules is compiled by itself, without the rules below it: the evaluation would otherwise convert
//! the whole object at every level of it.

use kube::core::cel::compile_schema;
use serde_json::{Map, Value, json};

use super::{FieldError, ListType, validate::join, verdicts::Asked};

/// Rules of one node, and the nodes below that have some.
#[derive(Debug)]
pub(crate) struct Rules {
    kind: String,
    list_type: ListType,
    /// Those that compare with what was before, and those that do not: only the latter are left out where nothing
    /// changed.
    transitions: Option<Asked>,
    others: Option<Asked>,
    fields: Vec<(String, Rules)>,
    entries: Option<Box<Rules>>,
    items: Option<Box<Rules>>,
}

impl Rules {
    /// The rules of a schema; `None` if it has none anywhere.
    pub(crate) fn compile(schema: &Value) -> Option<Self> {
        let rules = schema["x-kubernetes-validations"].as_array().cloned().unwrap_or_default();
        let (transitions, others): (Vec<_>, Vec<_>) = rules
            .into_iter()
            .partition(|rule| rule["rule"].as_str().is_some_and(|text| text.contains("oldSelf")));
        let bare = without_rules(schema);
        let compiled = |rules: Vec<Value>| {
            if rules.is_empty() {
                return None;
            }
            let mut schema = bare.clone();
            schema["x-kubernetes-validations"] = rules.into();
            Some(Asked::new(&schema, compile_schema(&schema)))
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let fields: Vec<_> = properties
            .filter_map(|(name, property)| Some((name.clone(), Self::compile(property)?)))
            .collect();
        let nested = |name: &str| {
            schema[name].is_object().then(|| Self::compile(&schema[name])).flatten().map(Box::new)
        };
        let (entries, items) = (nested("additionalProperties"), nested("items"));
        let (transitions, others) = (compiled(transitions), compiled(others));
        let some = transitions.is_some() || others.is_some() || !fields.is_empty();
        let list_type = super::Node::parse(&json!({
            "x-kubernetes-list-type": schema["x-kubernetes-list-type"],
            "x-kubernetes-list-map-keys": schema["x-kubernetes-list-map-keys"],
        }));
        let list_type = list_type.map_or(ListType::Atomic, |node| node.list_type().clone());
        let kind = schema["type"].as_str().unwrap_or_default().to_owned();
        (some || entries.is_some() || items.is_some()).then_some(Self {
            kind,
            list_type,
            transitions,
            others,
            fields,
            entries,
            items,
        })
    }

    /// What the rules refuse of a value that was another before.
    pub(crate) fn check(&self, value: &Value, old: Option<&Value>, path: &str, errors: &mut Vec<FieldError>) {
        if value.is_null() {
            return;
        }
        let old = old.filter(|old| !old.is_null());
        if old != Some(value) {
            self.ask(self.others.as_ref(), value, old, path, errors);
        }
        if old.is_some() {
            self.ask(self.transitions.as_ref(), value, old, path, errors);
        }
        match value {
            Value::Object(fields) => {
                for (name, rules) in &self.fields {
                    if let Some(value) = fields.get(name) {
                        rules.check(value, old.and_then(|old| old.get(name)), &join(path, name), errors);
                    }
                }
                let Some(rules) = &self.entries else { return };
                for (name, value) in fields {
                    let named = self.fields.iter().any(|(field, _)| field == name);
                    if !named {
                        let before = old.and_then(|old| old.get(name));
                        rules.check(value, before, &format!("{path}[{name}]"), errors);
                    }
                }
            }
            Value::Array(items) => {
                let Some(rules) = &self.items else { return };
                for (index, item) in items.iter().enumerate() {
                    let before = old.and_then(|old| self.same_item(old, item));
                    rules.check(item, before, &format!("{path}[{index}]"), errors);
                }
            }
            _ => {}
        }
    }

    fn same_item<'a>(&self, old: &'a Value, item: &Value) -> Option<&'a Value> {
        let ListType::Map(keys) = &self.list_type else { return None };
        let old = old.as_array()?;
        old.iter().find(|before| keys.iter().all(|key| before.get(key) == item.get(key)))
    }

    fn ask(
        &self,
        rules: Option<&Asked>,
        value: &Value,
        old: Option<&Value>,
        path: &str,
        errors: &mut Vec<FieldError>,
    ) {
        let Some(rules) = rules else { return };
        let refusals = if path.is_empty() {
            // Of an object's metadata rules see its name only.
            rules.refuses(&seen(value), old.map(seen).as_ref())
        } else {
            rules.refuses(value, old)
        };
        let shown = (!matches!(self.kind.as_str(), "object" | "array")).then_some(value);
        for refusal in refusals.iter() {
            let below = join(path, &refusal.field);
            let field = if refusal.field.is_empty() { path } else { &below };
            errors.push(FieldError::by_rule(field, shown, &refusal.message));
        }
    }
}

/// What the rules of a whole object are shown of it.
fn seen(object: &Value) -> Value {
    let mut seen = object.clone();
    if let Some(metadata) = seen.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| ["name", "generateName"].contains(&name.as_str()));
    }
    seen
}

/// The schema with no rule in it, for the types of what a rule is shown.
fn without_rules(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let left_out = ["x-kubernetes-validations", "default", "description"];
            let kept = fields.iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name.clone(), without_rules_in(name, value))).collect())
        }
        other => other.clone(),
    }
}

/// The fields of an object may be called as words of a schema are.
fn without_rules_in(name: &str, value: &Value) -> Value {
    match (name, value) {
        ("properties", Value::Object(fields)) => {
            let fields: Map<String, Value> =
                fields.iter().map(|(name, schema)| (name.clone(), without_rules(schema))).collect();
            Value::Object(fields)
        }
        _ => without_rules(value),
    }
}
