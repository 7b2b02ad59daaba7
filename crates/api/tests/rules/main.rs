//! The validation rules of the CRDs, evaluated without a server, by kube's own client-side evaluation of CEL.
//!
//! Each rule of each schema must have a [`Row`]: what it accepts, what it refuses, and with which words. A rule
//! without a row fails, and so does a row without a rule, so that a new or reworded rule brings its examples along.
//! That the server compiles and prices the rules as we think is shown where they are installed on a real one.

mod bounds;
mod connection;
mod credential;
mod member;
mod schema;

use std::collections::BTreeSet;

use kube::core::cel::Validator;
use serde_json::{Map, Value, json};

/// One rule, found again by where it stands and what it says.
struct Row {
    kind: &'static str,
    /// The field that it is on, `""` for the object itself.
    path: &'static str,
    says: &'static str,
    accepts: Vec<Case>,
    refuses: Vec<Case>,
}

/// An object that is made, or changed from an older one.
struct Case {
    old: Option<Value>,
    new: Value,
}

fn made(new: Value) -> Case {
    Case { old: None, new }
}

fn changed(old: Value, new: Value) -> Case {
    Case { old: Some(old), new }
}

/// The object with a patch merged into it; `null` takes a field out.
fn with(mut object: Value, patch: &Value) -> Value {
    merge(&mut object, patch);
    object
}

fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        into.clone_from(patch);
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let fields = into.as_object_mut().expect("it was just made one");
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// What is said about a case: each refusal as (field, message).
fn said(kind: &str, case: &Case) -> BTreeSet<(String, String)> {
    let result = Validator::new().validate(schema::of(kind), &case.new, case.old.as_ref());
    let errors = result.err().map(kube::core::cel::ValidationErrors::into_vec).unwrap_or_default();
    errors.into_iter().map(|error| (error.field_path, error.message)).collect()
}

fn rows() -> Vec<Row> {
    [connection::rows(), member::rows(), credential::rows()].into_iter().flatten().collect()
}

#[test]
fn every_rule_has_a_row_and_every_row_a_rule() {
    let key = |kind: &str, path: &str, says: &str| format!("{kind}: {path}: {says}");
    let rules: BTreeSet<String> =
        schema::rules().iter().map(|rule| key(rule.kind, &rule.path, &rule.message)).collect();
    let rows: BTreeSet<String> =
        rows().iter().map(|row| key(row.kind, &row.path.replace("[0]", "[]"), row.says)).collect();
    assert!(!rules.is_empty());
    assert_eq!(rules.difference(&rows).collect::<Vec<_>>(), Vec::<&String>::new(), "rules without a row");
    assert_eq!(rows.difference(&rules).collect::<Vec<_>>(), Vec::<&String>::new(), "rows without a rule");
    assert_eq!(rules.len(), schema::rules().len(), "two rules of one field say the same");
}

#[test]
fn every_rule_accepts_and_refuses_as_its_row_says() {
    for row in rows() {
        let what = format!("{} {:?} {:?}", row.kind, row.path, row.says);
        assert!(!row.accepts.is_empty() && !row.refuses.is_empty(), "{what}: one of each, at least");
        for case in &row.accepts {
            assert_eq!(said(row.kind, case), BTreeSet::new(), "{what} refuses {}", case.new);
        }
        for case in &row.refuses {
            // This and nothing else: an object that is refused for another reason as well would prove nothing.
            let wanted = BTreeSet::from([(row.path.to_owned(), row.says.to_owned())]);
            assert_eq!(said(row.kind, case), wanted, "{what} is to refuse {}", case.new);
        }
    }
}

/// A user reads the message and nothing else: what an object must look like must stand in it.
#[test]
fn every_message_is_short_enough_to_be_read_whole() {
    for rule in schema::rules() {
        assert!((20..=300).contains(&rule.message.len()), "{}: {}", rule.path, rule.message);
        assert!(
            !rule.message.contains("oldSelf") && !rule.message.contains("failed rule"),
            "{}",
            rule.message
        );
    }
}

/// What the documentation tells people to apply.
#[test]
fn the_quickstart_is_accepted() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/quickstart");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for object in serde_saphyr::from_multiple::<Value>(&text).unwrap() {
            if object["apiVersion"] == json!("avnm.dev/v1alpha1") {
                let kind = object["kind"].as_str().unwrap().to_owned();
                assert_eq!(said(&kind, &made(object)), BTreeSet::new());
                seen += 1;
            }
        }
    }
    assert!(seen >= 4, "{seen} objects of ours");
}
