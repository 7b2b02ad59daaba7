//! The schemas as they are written to `deploy/crds.yaml`, and every rule in them.

use std::sync::LazyLock;

use avnm_api::crds_yaml_values;
use serde_json::Value;

/// A rule and where it stands.
pub(crate) struct Rule {
    pub(crate) kind: &'static str,
    pub(crate) path: String,
    /// What it says; of a message that is computed the beginning that is always the same.
    pub(crate) message: String,
    pub(crate) expression: String,
    /// The schema of the field that it is on.
    pub(crate) on: Value,
}

/// Kind and schema of every CRD. Generated once: it takes longer than all that is done with it.
pub(crate) fn all() -> &'static [(String, Value)] {
    static ALL: LazyLock<Vec<(String, Value)>> = LazyLock::new(|| {
        let crds = crds_yaml_values();
        crds.iter()
            .map(|crd| {
                let kind = crd["spec"]["names"]["kind"].as_str().unwrap().to_owned();
                let versions = crd["spec"]["versions"].as_array().unwrap();
                assert_eq!(
                    versions.len(),
                    1,
                    "{kind}: with two versions, the rules of both are to be looked at"
                );
                (kind, versions[0]["schema"]["openAPIV3Schema"].clone())
            })
            .collect()
    });
    &ALL
}

/// The schema of a kind.
pub(crate) fn of(kind: &str) -> &'static Value {
    &all().iter().find(|(known, _)| known == kind).unwrap_or_else(|| panic!("there is no kind {kind}")).1
}

/// Every rule of every kind.
pub(crate) fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (kind, schema) in all() {
        walk(schema, "", &mut |path, schema| {
            for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
                let text = |name: &str| rule[name].as_str().unwrap_or_default().to_owned();
                rules.push(Rule {
                    kind,
                    path: path.to_owned(),
                    message: if rule["message"].is_null() {
                        begins(&text("messageExpression"))
                    } else {
                        text("message")
                    },
                    expression: text("rule"),
                    on: schema.clone(),
                });
            }
        });
    }
    rules
}

/// The literal that a message which is computed begins with.
fn begins(expression: &str) -> String {
    let literal = expression.strip_prefix('\'').and_then(|rest| rest.split_once("' + "));
    literal.unwrap_or_else(|| panic!("{expression} begins with no literal")).0.to_owned()
}

/// Shows every schema in a schema, with the path of its field: `spec.target.scope`, `spec.allowedScopes[]`.
pub(crate) fn walk(schema: &Value, path: &str, seen: &mut impl FnMut(&str, &Value)) {
    seen(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let dot = if path.is_empty() { "" } else { "." };
        walk(property, &format!("{path}{dot}{name}"), seen);
    }
    for (nested, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[nested].is_object() {
            walk(&schema[nested], &format!("{path}{mark}"), seen);
        }
    }
    // A structural schema has its rules and fields outside of these; inside, they would go unseen here.
    for nested in ["allOf", "anyOf", "oneOf", "not"] {
        assert!(schema[nested].is_null(), "{path} has {nested}: let the walk go in there");
    }
}
