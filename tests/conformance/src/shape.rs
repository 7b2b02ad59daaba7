//! The structural comparison of two bodies: names without order, types, null or absent or empty, and values, of
//! which those that Azure invents are compared by their form.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::difference::{Difference, Place, What};
use crate::forms::{Form, Identity, fraction_digits};

/// Which recorded value is which replayed one. It is kept for a whole file.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    forward: BTreeMap<(String, String), String>,
    back: BTreeMap<(String, String), String>,
}

impl Bindings {
    /// Binds the two to each other, and says whether that agrees with all that was bound before.
    pub fn bind(&mut self, space: &str, recorded: &str, replayed: &str) -> bool {
        let there =
            self.forward.entry((space.to_owned(), recorded.to_owned())).or_insert_with(|| replayed.into());
        let back =
            self.back.entry((space.to_owned(), replayed.to_owned())).or_insert_with(|| recorded.into());
        there == replayed && back == recorded
    }
}

/// Compares two bodies.
pub fn compare(
    recorded: Option<&Value>,
    replayed: Option<&Value>,
    bindings: &mut Bindings,
) -> Vec<Difference> {
    let mut comparison = Comparison { bindings, found: Vec::new(), resource: Value::Null, at: Vec::new() };
    match (recorded, replayed) {
        (None, None) => {}
        (Some(recorded), None) => comparison.note(What::Missing, &recorded.to_string(), ""),
        (None, Some(replayed)) => comparison.note(What::Extra, "", &replayed.to_string()),
        (Some(recorded), Some(replayed)) => comparison.body(recorded, replayed),
    }
    comparison.found
}

struct Comparison<'a> {
    bindings: &'a mut Bindings,
    found: Vec<Difference>,
    /// The recorded resource or error that is being looked at.
    resource: Value,
    at: Vec<String>,
}

impl Comparison<'_> {
    fn note(&mut self, what: What, recorded: &str, replayed: &str) {
        self.found.push(Difference {
            what,
            place: Place::Body(self.at.clone()),
            recorded: recorded.to_owned(),
            replayed: replayed.to_owned(),
            resource: self.resource.clone(),
        });
    }

    fn body(&mut self, recorded: &Value, replayed: &Value) {
        let (Some(list), Some(other)) = (items(recorded), items(replayed)) else {
            self.resource = recorded.clone();
            return self.value(recorded, replayed);
        };
        // What is beside the items, by the same rules as everywhere.
        let rest = |value: &Value| {
            let mut rest = value.as_object().cloned().unwrap_or_default();
            rest.remove("value");
            Value::Object(rest)
        };
        self.value(&rest(recorded), &rest(replayed));
        self.items(list, other);
    }

    /// Items of a list have no order: they are found by their ids.
    fn items(&mut self, recorded: &[Value], replayed: &[Value]) {
        let mut others: Vec<&Value> = replayed.iter().collect();
        for item in recorded {
            self.resource = item.clone();
            let key = key(item);
            let at = others.iter().position(|other| crate::shape::key(other) == key);
            if let Some(at) = at {
                let other = others.swap_remove(at);
                self.value(item, other);
            } else {
                self.at.push("value".into());
                self.note(What::Missing, &key, "");
                self.at.pop();
            }
        }
        for other in others {
            self.resource = Value::Null;
            self.at.push("value".into());
            self.note(What::Extra, "", &key(other));
            self.at.pop();
        }
        self.resource = Value::Null;
    }

    fn value(&mut self, recorded: &Value, replayed: &Value) {
        match (recorded, replayed) {
            (Value::Object(recorded), Value::Object(replayed)) => self.object(recorded, replayed),
            (Value::Array(recorded), Value::Array(replayed)) => self.array(recorded, replayed),
            (Value::String(recorded), Value::String(replayed)) => self.text(recorded, replayed),
            (recorded, replayed) if type_of(recorded) != type_of(replayed) => {
                self.note(What::Type, &recorded.to_string(), &replayed.to_string());
            }
            (recorded, replayed) if recorded != replayed => {
                self.note(What::Value, &recorded.to_string(), &replayed.to_string());
            }
            _ => {}
        }
    }

    fn object(&mut self, recorded: &Map<String, Value>, replayed: &Map<String, Value>) {
        for (name, value) in recorded {
            self.at.push(name.clone());
            match replayed.get(name) {
                Some(other) => self.value(value, other),
                None => self.note(What::Missing, &value.to_string(), ""),
            }
            self.at.pop();
        }
        for (name, other) in replayed.iter().filter(|(name, _)| !recorded.contains_key(*name)) {
            self.at.push(name.clone());
            self.note(What::Extra, "", &other.to_string());
            self.at.pop();
        }
    }

    /// Lists within a resource are sets (scopes, accesses): they are compared in the order of their texts.
    fn array(&mut self, recorded: &[Value], replayed: &[Value]) {
        if recorded.len() != replayed.len() {
            let text = |items: &[Value]| Value::Array(items.to_vec()).to_string();
            return self.note(What::Value, &text(recorded), &text(replayed));
        }
        let sorted = |items: &[Value]| {
            let mut items: Vec<Value> = items.to_vec();
            items.sort_by_key(ToString::to_string);
            items
        };
        for (recorded, replayed) in sorted(recorded).iter().zip(&sorted(replayed)) {
            self.value(recorded, replayed);
        }
    }

    fn text(&mut self, recorded: &str, replayed: &str) {
        let quoted = |text: &str| Value::from(text).to_string();
        let property = self.at.last().cloned().unwrap_or_default();
        let Some(form) = Form::at(&property) else {
            if recorded != replayed {
                self.note(What::Value, &quoted(recorded), &quoted(replayed));
            }
            return;
        };
        match (form.of(recorded), form.of(replayed)) {
            (Some(ours), Some(theirs)) if ours == theirs => {}
            _ => self.note(What::Form, &quoted(recorded), &quoted(replayed)),
        }
        let space = match form.identity {
            Identity::Free => return,
            Identity::File => form.name.to_owned(),
            Identity::Resource => format!("{} {}", form.name, key(&self.resource)),
        };
        if !self.bindings.bind(&space, &whole_time(recorded), &whole_time(replayed)) {
            self.note(What::Identity, &quoted(recorded), &quoted(replayed));
        }
    }
}

/// A time with the zeros that a recorder may have trimmed.
fn whole_time(text: &str) -> String {
    match fraction_digits(text) {
        Some(digits @ 1..7) => {
            format!("{}{}Z", text.trim_end_matches('Z'), "0".repeat(7 - digits))
        }
        _ => text.to_owned(),
    }
}

/// The items, if a body is a list.
fn items(body: &Value) -> Option<&[Value]> {
    body.get("value").and_then(Value::as_array).map(Vec::as_slice)
}

/// What tells a resource from others.
pub fn key(resource: &Value) -> String {
    let text = |name: &str| resource.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match text("id").or_else(|| text("name")) {
        Some(id) => id.to_ascii_lowercase(),
        None => resource.to_string(),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn found(recorded: &Value, replayed: &Value) -> Vec<(What, String)> {
        compare(Some(recorded), Some(replayed), &mut Bindings::default())
            .iter()
            .map(|it| match &it.place {
                Place::Body(at) => (it.what, at.join(".")),
                other => (it.what, format!("{other:?}")),
            })
            .collect()
    }

    #[rstest]
    #[case(json!({"a": 1, "b": "x"}), json!({"b": "x", "a": 1}), None)]
    #[case(json!({"a": "x"}), json!({}), Some(What::Missing))]
    #[case(json!({}), json!({"a": "x"}), Some(What::Extra))]
    #[case(json!({"a": null}), json!({"a": ""}), Some(What::Type))]
    #[case(json!({"a": null}), json!({}), Some(What::Missing))]
    #[case(json!({"a": ""}), json!({}), Some(What::Missing))]
    #[case(json!({"a": ""}), json!({"a": "x"}), Some(What::Value))]
    #[case(json!({"a": []}), json!({"a": null}), Some(What::Type))]
    #[case(json!({"a": ["x", "y"]}), json!({"a": ["y", "x"]}), None)]
    #[case(json!({"a": ["x"]}), json!({"a": ["x", "x"]}), Some(What::Value))]
    #[case(json!({"a": "/subscriptions/S/resourceGroups/R"}), json!({"a": "/subscriptions/S/resourcegroups/R"}), Some(What::Value))]
    #[case(json!({"a": 1}), json!({"a": "1"}), Some(What::Type))]
    fn shapes(#[case] recorded: Value, #[case] replayed: Value, #[case] wanted: Option<What>) {
        let wanted: Vec<_> = wanted.into_iter().map(|what| (what, "a".to_owned())).collect();
        assert_eq!(found(&recorded, &replayed), wanted);
    }

    #[test]
    fn items_are_found_by_id_and_compared() {
        let list = |items: Value| json!({"value": items, "nextLink": ""});
        let (a, b) =
            (json!({"id": "/A", "properties": {"x": 1}}), json!({"id": "/b", "properties": {"x": 2}}));
        assert!(found(&list(json!([a, b])), &list(json!([b, a]))).is_empty());
        assert_eq!(found(&list(json!([a, b])), &list(json!([b]))), [(What::Missing, "value".into())]);
        assert_eq!(found(&list(json!([a])), &list(json!([b, a]))), [(What::Extra, "value".into())]);
        let lower = json!({"id": "/a", "properties": {"x": 1}});
        assert_eq!(found(&list(json!([a])), &list(json!([lower]))), [(What::Value, "id".into())]);
        let null = json!({"value": [], "nextLink": null});
        assert_eq!(found(&null, &list(json!([]))), [(What::Type, "nextLink".into())]);
    }

    #[test]
    fn what_azure_invents_is_followed() {
        let with = |guid: &str, at: &str| json!({"id": "/a", "resourceGuid": guid, "createdAt": at});
        let (g1, g2) = ("8964df2b-56e4-43e6-b00b-b6ab3cac713b", "efedba5d-c8d1-452a-bee7-de2367dea65a");
        let (t1, t2) = ("2024-05-30T09:54:53.0456618Z", "2024-05-30T09:54:54.0456618Z");
        let mut bindings = Bindings::default();
        let mut next = |recorded: &Value, replayed: &Value| -> Vec<What> {
            compare(Some(recorded), Some(replayed), &mut bindings).iter().map(|it| it.what).collect()
        };
        assert_eq!(next(&with(g1, t1), &with(g2, t2)), []);
        assert_eq!(next(&with(g1, t1), &with(g2, t2)), []);
        assert_eq!(next(&with(g1, t2), &with(g1, t1)), [What::Identity]);
        assert_eq!(next(&with(g1, t1), &with(g2, t1)), [What::Identity]);
    }

    #[test]
    fn a_body_where_there_is_none() {
        let mut bindings = Bindings::default();
        let body = json!({});
        assert_eq!(compare(None, Some(&body), &mut bindings)[0].what, What::Extra);
        assert_eq!(compare(Some(&body), None, &mut bindings)[0].what, What::Missing);
        assert!(compare(None, None, &mut bindings).is_empty());
    }
}
