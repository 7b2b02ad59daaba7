//! Bounds: the server prices a rule by the largest object that the schema lets through, and refuses a CRD whose
//! rules could cost too much; and what has no bound fills etcd one day.

use kube::core::cel::{compile_schema, estimate_rule_cost};
use serde_json::Value;

use crate::schema;

#[test]
fn every_text_and_every_list_has_a_bound() {
    for (kind, whole) in schema::all() {
        schema::walk(whole, "", &mut |path, schema| {
            let has = |name: &str| !schema[name].is_null();
            let bounded = match schema["type"].as_str() {
                Some("string") => has("maxLength") || has("enum") || has("format"),
                Some("array") => has("maxItems"),
                Some("object") => !schema["additionalProperties"].is_object() || has("maxProperties"),
                _ => true,
            };
            assert!(bounded, "{kind} {path} has no bound: {schema}");
        });
    }
}

#[test]
fn no_rule_costs_more_than_it_may() {
    for rule in schema::rules() {
        let warnings = estimate_rule_cost(&rule.expression, &compile_schema(&rule.on));
        assert!(warnings.is_empty(), "{} {}: {warnings:?}", rule.kind, rule.path);
    }
}

/// Defaults would be written into what the user applied, and every GitOps tool would see a difference.
#[test]
fn no_spec_has_a_default() {
    for (kind, whole) in schema::all() {
        schema::walk(&whole["properties"]["spec"], "spec", &mut |path, schema| {
            assert_eq!(schema["default"], Value::Null, "{kind} {path}");
        });
        let status = &whole["properties"]["status"]["default"]["observedGeneration"];
        assert_eq!(status, -1, "{kind}: an object that nobody has seen must not look current");
    }
}
