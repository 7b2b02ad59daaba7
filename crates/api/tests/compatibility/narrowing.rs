//! What a CRD refuses that an older one of the same kind accepted. Pure.

use std::fmt;

use serde_json::Value;

/// One thing that became narrower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Narrowing {
    /// Where: `v1alpha1.spec.target.scope`, with `[]` for the items of a list and `{}` for the values of a map.
    pub(crate) path: String,
    /// What.
    pub(crate) says: String,
}

impl fmt::Display for Narrowing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.says)
    }
}

/// Everything that became narrower from `old` to `new`.
pub(crate) fn narrowings(old: &Value, new: &Value) -> Vec<Narrowing> {
    let mut found = Vec::new();
    for field in ["scope", "group"] {
        if old["spec"][field] != new["spec"][field] {
            say(&mut found, field, format!("was {}, is {}", old["spec"][field], new["spec"][field]));
        }
    }
    for field in ["kind", "plural", "singular", "listKind"] {
        let (was, is) = (&old["spec"]["names"][field], &new["spec"]["names"][field]);
        if was != is {
            say(&mut found, "names", format!("{field} was {was}, is {is}"));
        }
    }
    for field in ["shortNames", "categories"] {
        for name in gone(&old["spec"]["names"][field], &new["spec"]["names"][field]) {
            say(&mut found, "names", format!("{field} has {name} no longer"));
        }
    }
    for old in list(&old["spec"]["versions"]) {
        let name = text(&old["name"]);
        let Some(new) = list(&new["spec"]["versions"]).find(|new| new["name"] == old["name"]) else {
            say(&mut found, name, "the version is gone".to_owned());
            continue;
        };
        if old["served"] == true && new["served"] != true {
            say(&mut found, name, "the version is served no longer".to_owned());
        }
        for sub in keys(&old["subresources"]) {
            if new["subresources"][sub].is_null() {
                say(&mut found, name, format!("the subresource {sub} is gone"));
            }
        }
        let schema = "openAPIV3Schema";
        compare(&mut found, name, &old["schema"][schema], &new["schema"][schema]);
    }
    found
}

fn say(found: &mut Vec<Narrowing>, path: &str, says: String) {
    found.push(Narrowing { path: path.to_owned(), says });
}

fn compare(found: &mut Vec<Narrowing>, path: &str, old: &Value, new: &Value) {
    bounds(found, path, old, new);
    words(found, path, old, new);
    rules(found, path, old, new);
    for name in gone(&new["required"], &old["required"]) {
        // A default is filled in before anything is validated.
        if new["properties"][text(name)]["default"].is_null() {
            say(found, path, format!("{} is required", text(name)));
        }
    }
    for (name, old) in old["properties"].as_object().into_iter().flatten() {
        let new = &new["properties"][name];
        let path = format!("{path}.{name}");
        if new.is_null() {
            say(found, &path, "the field is gone".to_owned());
        } else {
            compare(found, &path, old, new);
        }
    }
    for (name, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        let path = format!("{path}{mark}");
        match (&old[name], &new[name]) {
            (Value::Null | Value::Bool(_), Value::Null | Value::Bool(_)) => {}
            (Value::Null | Value::Bool(_), _) => {
                say(found, &path, "what may be in it is said now".to_owned());
            }
            (_, Value::Null | Value::Bool(false)) => say(found, &path, "nothing may be in it now".to_owned()),
            (_, Value::Bool(true)) => {}
            (old, new) => compare(found, &path, old, new),
        }
    }
}

/// Bounds that are numbers.
fn bounds(found: &mut Vec<Narrowing>, path: &str, old: &Value, new: &Value) {
    for bound in ["maximum", "maxLength", "maxItems", "maxProperties"] {
        let lower = |(was, is): (f64, f64)| is < was;
        bounded(found, path, bound, old, new, lower);
    }
    for bound in ["minimum", "minLength", "minItems", "minProperties"] {
        let higher = |(was, is): (f64, f64)| is > was;
        bounded(found, path, bound, old, new, higher);
    }
}

fn bounded(
    found: &mut Vec<Narrowing>,
    path: &str,
    bound: &str,
    old: &Value,
    new: &Value,
    narrower: impl Fn((f64, f64)) -> bool,
) {
    let Some(is) = new[bound].as_f64() else { return };
    match old[bound].as_f64() {
        None => say(found, path, format!("{bound} is {is} and was not there")),
        Some(was) if narrower((was, is)) => say(found, path, format!("{bound} is {is} and was {was}")),
        Some(_) => {}
    }
}

/// What is compared as it stands.
fn words(found: &mut Vec<Narrowing>, path: &str, old: &Value, new: &Value) {
    // May go, but not come or change.
    let may_go = [
        "type",
        "pattern",
        "format",
        "multipleOf",
        "uniqueItems",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "not",
        "allOf",
        "anyOf",
        "oneOf",
        "x-kubernetes-embedded-resource",
    ];
    for word in may_go {
        let is = &new[word];
        if !is.is_null() && *is != Value::Bool(false) && *is != old[word] {
            say(found, path, format!("{word} is {is} and was {}", old[word]));
        }
    }
    // May come, but not go or change. A type that goes leaves a schema that is not structural.
    for word in ["type", "nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"] {
        let was = &old[word];
        if !was.is_null() && *was != Value::Bool(false) && new[word].is_null() {
            say(found, path, format!("{word} was {was} and is gone"));
        }
    }
    // May neither come nor go: what is stored means something else then.
    for word in ["default", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"] {
        if old[word] != new[word] {
            say(found, path, format!("{word} is {} and was {}", new[word], old[word]));
        }
    }
    match (&old["enum"], &new["enum"]) {
        (_, Value::Null) => {}
        (Value::Null, is) => say(found, path, format!("enum is {is} and was not there")),
        (was, is) => {
            for word in gone(was, is) {
                say(found, path, format!("enum has {word} no longer"));
            }
        }
    }
}

/// CEL rules. A rule that says the same in other words cannot be told from a new one.
fn rules(found: &mut Vec<Narrowing>, path: &str, old: &Value, new: &Value) {
    let rules = "x-kubernetes-validations";
    for rule in list(&new[rules]) {
        if !list(&old[rules]).any(|old| old["rule"] == rule["rule"]) {
            say(found, path, format!("a new rule: {}", text(&rule["rule"])));
        }
    }
}

/// What stands in one list and not in another one.
fn gone<'a>(from: &'a Value, other: &'a Value) -> impl Iterator<Item = &'a Value> {
    list(from).filter(|item| !list(other).any(|other| other == *item))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn keys(value: &Value) -> impl Iterator<Item = &str> {
    value.as_object().into_iter().flat_map(|map| map.keys().map(String::as_str))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
