//! One change of a schema a row, and what is said about it.

use serde_json::{Value, json};

use crate::narrowing::narrowings;

fn crd(schema: &Value) -> Value {
    json!({"spec": {
        "group": "g", "scope": "Namespaced", "names": {"kind": "K", "plural": "ks", "shortNames": ["k"]},
        "versions": [{"name": "v1", "served": true, "subresources": {"status": {}},
                      "schema": {"openAPIV3Schema": schema}}],
    }})
}

fn said(old: &Value, new: &Value) -> Vec<String> {
    narrowings(old, new).iter().map(ToString::to_string).collect()
}

/// Of a field `f`: the schema before, the schema after, and what is said; nothing where it is no narrowing.
#[test]
fn a_field() {
    let (text, number) = (json!({"type": "string"}), json!({"type": "integer"}));
    let with = |base: &Value, more: Value| {
        let mut all = base.as_object().cloned().unwrap_or_default();
        all.extend(more.as_object().cloned().unwrap_or_default());
        Value::Object(all)
    };
    let rule = |rule: &str, message: &str| json!({"type": "string", "x-kubernetes-validations": [{"rule": rule, "message": message}]});
    let list = |of: Value| json!({"type": "array", "items": of});
    let map = |of: Value| json!({"type": "object", "additionalProperties": of});
    let rows: Vec<(Value, Value, &[&str])> = vec![
        (text.clone(), text.clone(), &[]),
        (text.clone(), Value::Null, &["v1.f: the field is gone"]),
        (text.clone(), number.clone(), &["v1.f: type is \"integer\" and was \"string\""]),
        (text.clone(), with(&text, json!({"description": "new"})), &[]),
        (with(&text, json!({"maxLength": 9})), with(&text, json!({"maxLength": 10})), &[]),
        (
            with(&text, json!({"maxLength": 9})),
            with(&text, json!({"maxLength": 8})),
            &["v1.f: maxLength is 8 and was 9"],
        ),
        (text.clone(), with(&text, json!({"maxLength": 8})), &["v1.f: maxLength is 8 and was not there"]),
        (with(&text, json!({"maxLength": 8})), text.clone(), &[]),
        (with(&number, json!({"minimum": 2})), with(&number, json!({"minimum": 1.0})), &[]),
        (
            with(&number, json!({"minimum": 1})),
            with(&number, json!({"minimum": 2})),
            &["v1.f: minimum is 2 and was 1"],
        ),
        (text.clone(), with(&text, json!({"pattern": "^a"})), &["v1.f: pattern is \"^a\" and was null"]),
        (with(&text, json!({"pattern": "^a"})), text.clone(), &[]),
        (with(&text, json!({"enum": ["a"]})), with(&text, json!({"enum": ["a", "b"]})), &[]),
        (
            with(&text, json!({"enum": ["a", "b"]})),
            with(&text, json!({"enum": ["a"]})),
            &["v1.f: enum has \"b\" no longer"],
        ),
        (text.clone(), with(&text, json!({"enum": ["a"]})), &["v1.f: enum is [\"a\"] and was not there"]),
        (rule("self != ''", "old words"), rule("self != ''", "new words"), &[]),
        (rule("self != ''", "it"), rule("self != 'a'", "it"), &["v1.f: a new rule: self != 'a'"]),
        (rule("self != ''", "it"), text.clone(), &[]),
        (
            with(&text, json!({"default": "a"})),
            with(&text, json!({"default": "b"})),
            &["v1.f: default is \"b\" and was \"a\""],
        ),
        (
            list(text.clone()),
            list(with(&text, json!({"minLength": 1}))),
            &["v1.f[]: minLength is 1 and was not there"],
        ),
        (map(text.clone()), map(number.clone()), &["v1.f{}: type is \"integer\" and was \"string\""]),
        (
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
            json!({"type": "object"}),
            &["v1.f: x-kubernetes-preserve-unknown-fields was true and is gone"],
        ),
        (
            with(&list(text.clone()), json!({"x-kubernetes-list-type": "set"})),
            with(&list(text.clone()), json!({"x-kubernetes-list-type": "atomic"})),
            &["v1.f: x-kubernetes-list-type is \"atomic\" and was \"set\""],
        ),
    ];
    for (old, new, expected) in rows {
        let around = |schema: &Value| {
            let properties = if schema.is_null() { json!({}) } else { json!({"f": schema}) };
            crd(&json!({"type": "object", "properties": properties}))
        };
        assert_eq!(said(&around(&old), &around(&new)), expected, "{old} to {new}");
    }
}

#[test]
fn what_is_required() {
    let schema = |f: Value, required: &[&str]| {
        crd(&json!({"type": "object", "properties": {"f": f}, "required": required}))
    };
    let (plain, filled) = (json!({"type": "string"}), json!({"type": "string", "default": "a"}));
    assert_eq!(said(&schema(plain.clone(), &[]), &schema(plain.clone(), &["f"])), ["v1: f is required"]);
    assert!(said(&schema(plain.clone(), &["f"]), &schema(plain, &[])).is_empty());
    assert!(said(&schema(filled.clone(), &[]), &schema(filled, &["f"])).is_empty());
}

#[test]
fn a_field_that_comes_is_no_narrowing_unless_it_is_required() {
    let old = crd(&json!({"type": "object", "properties": {}}));
    let bounded = json!({"f": {"type": "string", "maxLength": 1}});
    assert!(said(&old, &crd(&json!({"type": "object", "properties": bounded}))).is_empty());
    let required = json!({"type": "object", "properties": bounded, "required": ["f"]});
    assert_eq!(said(&old, &crd(&required)), ["v1: f is required"]);
}

#[test]
fn the_kind_itself() {
    let old = crd(&json!({}));
    let rows: &[(&str, Value, &str)] = &[
        ("/spec/scope", json!("Cluster"), "scope: was \"Namespaced\", is \"Cluster\""),
        ("/spec/names/plural", json!("kays"), "names: plural was \"ks\", is \"kays\""),
        ("/spec/names/shortNames", json!([]), "names: shortNames has \"k\" no longer"),
        ("/spec/versions/0/served", json!(false), "v1: the version is served no longer"),
        ("/spec/versions/0/name", json!("v2"), "v1: the version is gone"),
        ("/spec/versions/0/subresources", json!({}), "v1: the subresource status is gone"),
    ];
    for (pointer, value, expected) in rows {
        let mut new = old.clone();
        *new.pointer_mut(pointer).expect("the row names a place") = value.clone();
        assert_eq!(said(&old, &new), [*expected], "{pointer}");
    }
    let mut more = old.clone();
    more["spec"]["versions"].as_array_mut().unwrap().push(json!({"name": "v2", "served": true}));
    assert!(said(&old, &more).is_empty(), "a version more");
}
