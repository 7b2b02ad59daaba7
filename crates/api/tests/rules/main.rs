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

use std::collections::{BTreeMap, BTreeSet};

use avnm_terms::ArmId;
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

impl Row {
    /// Whether a message is what it says; one that is computed goes on after a quotation mark.
    fn is_said_by(&self, message: &str) -> bool {
        if self.says.ends_with('"') { message.starts_with(self.says) } else { message == self.says }
    }
}

/// How a refusal of a character begins.
const CHARACTER: &str = "no id in Azure has the character \"";

/// What stands in no resource group's name, and is named.
const STRANGE: [&str; 9] = [" ", "%", "!", "½", "Ⅷ", "€", "😀", "𝐀", "\u{301}"];

/// Names of resource groups as people have them.
const GROUPS: [&str; 7] = ["Instruktører", "Отдел", "研究部", "rg-(١)_a.b", "ªʰǅ", "Straße", "a"];

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
            let said = said(row.kind, case);
            let this = |(path, message): &(String, String)| path == row.path && row.is_said_by(message);
            assert!(said.len() == 1 && said.iter().all(this), "{what} is to refuse {}: {said:?}", case.new);
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

/// Who reads it must find the character, and may not see the difference between two that look alike.
#[test]
fn a_strange_character_is_named() {
    let (kind, path, case) = ("StaticMember", "spec.resourceId", member::in_group("a½b"));
    let wanted = "no id in Azure has the character \"½\": the names of resource groups have letters and digits of any alphabet, _, -, . and parentheses; the other names fewer";
    assert_eq!(said(kind, &case), BTreeSet::from([(path.to_owned(), wanted.to_owned())]));
}

/// The server folds as the operator does: an edit that it lets through is of the same id to the operator.
#[test]
fn the_server_folds_letters_as_the_operator_does() {
    let letters: String = ('\0'..='\u{ffff}').filter(|c| ArmId::parse(&format!("/{c}")).is_ok()).collect();
    let cased = |c: &char| !c.to_lowercase().eq([*c]) || !c.to_uppercase().eq([*c]);
    let cased: Vec<char> = letters.chars().filter(cased).collect();
    assert!(cased.len() > 2_000, "{}", cased.len());
    let fold = |c: char| avnm_terms::fold(&c.to_string());
    let mut groups: BTreeMap<String, String> = BTreeMap::new();
    for c in letters.chars() {
        groups.entry(fold(c)).or_default().push(c);
    }
    let differing: Vec<(char, String)> = cased
        .into_iter()
        .filter_map(|c| {
            let pattern = regex::Regex::new(&format!("(?i){c}")).unwrap();
            let same: String = pattern.find_iter(&letters).map(|found| found.as_str()).collect();
            (same != groups[&fold(c)]).then_some((c, same))
        })
        .collect();
    // Two ways to write one Greek letter and one ligature are one to the pattern since Unicode 15.1 only, and have no casing;
    // letters newer than the pattern's tables have none there.
    let known = |c: char| {
        "\u{390}\u{3b0}\u{1fd3}\u{1fe3}\u{fb05}\u{fb06}".contains(c) || ('\u{a7ce}'..='\u{a7d5}').contains(&c)
    };
    let differing: Vec<_> = differing.into_iter().filter(|(c, _)| !known(*c)).collect();
    assert_eq!(differing, []);
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
