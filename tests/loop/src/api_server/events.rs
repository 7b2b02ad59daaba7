//! Events have two faces, `v1` and `events.k8s.io/v1`, over one store: what one calls `message` the other calls `note`.

use serde_json::{Map, Value, json};

use super::{metadata, object, schema::FieldError};

/// Longest words of an event, in bytes.
const WORD_MAX: usize = 128;
/// Longest note, in bytes.
const NOTE_MAX: usize = 1024;

/// The names of a field in the store, which are those of `v1`, and in `events.k8s.io/v1`.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn renamed(object: &Value, to: impl Fn(&str) -> String) -> Value {
    let fields: Map<String, Value> =
        object.as_object().into_iter().flatten().map(|(name, value)| (to(name), value.clone())).collect();
    Value::Object(fields)
}

/// From `events.k8s.io/v1` to the store.
pub(crate) fn to_store(body: &Value) -> Value {
    let mut stored = renamed(body, |name| {
        NAMES.iter().find(|(_, new)| *new == name).map_or(name, |(core, _)| core).to_owned()
    });
    if stored["apiVersion"] == "events.k8s.io/v1" {
        stored["apiVersion"] = "v1".into();
    }
    stored
}

/// From the store to `events.k8s.io/v1`.
pub(crate) fn from_store(object: &Value) -> Value {
    let mut shown = renamed(object, |name| {
        NAMES.iter().find(|(core, _)| *core == name).map_or(name, |(_, new)| new).to_owned()
    });
    shown["apiVersion"] = "events.k8s.io/v1".into();
    for name in ["reportingController", "reportingInstance"] {
        if shown[name] == ""
            && let Some(fields) = shown.as_object_mut()
        {
            fields.remove(name);
        }
    }
    shown
}

/// Fields that are always told, also where they are empty.
pub(crate) fn fill(event: &mut Value) {
    for name in ["firstTimestamp", "lastTimestamp", "eventTime"] {
        if event.get(name).is_none() {
            event[name] = Value::Null;
        }
    }
    for name in ["involvedObject", "source"] {
        if !event[name].is_object() {
            event[name] = json!({});
        }
    }
    for name in ["reportingComponent", "reportingInstance"] {
        if event[name].is_null() {
            event[name] = "".into();
        }
    }
}

/// What is wrong with an event. Those with an `eventTime` must tell more, and what is written through the newer face
/// most.
pub(crate) fn validate(
    new: &Value,
    old: Option<&Value>,
    through_new_face: bool,
    errors: &mut Vec<FieldError>,
) {
    let text = |name: &str| new[name].as_str().unwrap_or_default();
    let involved = new["involvedObject"]["namespace"].as_str().unwrap_or_default();
    let namespace = object::text(new, "namespace");
    let elsewhere = || {
        FieldError::invalid("involvedObject.namespace", &involved.into(), "does not match event.namespace")
    };
    if new["eventTime"].is_null() {
        if (involved.is_empty() && namespace != "default") || (!involved.is_empty() && involved != namespace)
        {
            errors.push(elsewhere());
        }
    } else {
        if involved.is_empty() && !["default", "kube-system"].contains(&namespace) {
            errors.push(elsewhere());
        }
        let reporter = if through_new_face { "reportingController" } else { "reportingComponent" };
        if text("reportingComponent").is_empty() {
            errors.push(FieldError::required(reporter, ""));
        }
        metadata::qualified(reporter, text("reportingComponent"), errors);
        for (name, required, max) in [
            ("reportingInstance", true, WORD_MAX),
            ("action", true, WORD_MAX),
            ("reason", true, WORD_MAX),
            ("message", false, NOTE_MAX),
        ] {
            if required && text(name).is_empty() {
                errors.push(FieldError::required(name, ""));
            }
            if text(name).len() > max {
                let detail = format!("can have at most {max} characters");
                errors.push(FieldError::invalid(name, &"".into(), &detail));
            }
        }
    }
    if through_new_face {
        strictly(new, old, errors);
    }
}

/// What only the newer face asks for.
fn strictly(new: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    let nothing = Value::from("");
    let series = &new["series"];
    if series.is_object() && old.is_none_or(|old| old["series"] != *series) {
        if series["count"].as_i64().is_none_or(|count| count < 2) {
            errors.push(FieldError::invalid("series.count", &nothing, "should be at least 2"));
        }
        if series["lastObservedTime"].is_null() {
            errors.push(FieldError::required("series.lastObservedTime", ""));
        }
    }
    let Some(old) = old else {
        if new["eventTime"].is_null() {
            errors.push(FieldError::required("eventTime", ""));
        }
        let kind = new["type"].as_str().unwrap_or_default();
        if !["Normal", "Warning"].contains(&kind) {
            errors.push(FieldError::invalid("type", &nothing, &format!("has invalid value: {kind}")));
        }
        return;
    };
    for name in [
        "involvedObject",
        "reason",
        "message",
        "source",
        "firstTimestamp",
        "lastTimestamp",
        "count",
        "type",
        "eventTime",
        "action",
        "related",
        "reportingComponent",
        "reportingInstance",
    ] {
        if old[name] != new[name] {
            let shown = if name == "reportingComponent" { "reportingController" } else { name };
            errors.push(FieldError::invalid(shown, &new[name], "field is immutable"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_faces_tell_the_same() {
        let new = json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e", "namespace": "a"},
            "regarding": {"kind": "K", "namespace": "a"}, "note": "told", "reason": "R", "action": "A",
            "reportingController": "avnm.dev/operator", "reportingInstance": "i", "type": "Normal",
            "eventTime": "2026-01-01T00:00:00.000000Z"
        });
        let mut stored = to_store(&new);
        fill(&mut stored);
        assert_eq!((&stored["message"], &stored["involvedObject"]["kind"]), (&json!("told"), &json!("K")));
        let mut errors = Vec::new();
        validate(&stored, None, true, &mut errors);
        assert_eq!(errors, []);
        let back = from_store(&stored);
        for (name, value) in new.as_object().unwrap() {
            assert_eq!(back[name], *value, "{name}");
        }
    }
}
