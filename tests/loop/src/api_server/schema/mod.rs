//! The structural schema of a kind, read once: what pruning, defaults, validation and field ownership walk along.

mod defaults;
mod error;
mod prune;
mod rules;
mod validate;
mod verdicts;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value, json};

pub(crate) use defaults::apply as apply_defaults;
pub(crate) use error::FieldError;
pub(crate) use prune::{prune, without_nulls};
pub(crate) use rules::Rules;
pub(crate) use validate::validate;

/// How a list is compared and owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListType {
    /// As one value.
    Atomic,
    /// Item by item, each its own key.
    Set,
    /// Item by item, found by these fields.
    Map(Vec<String>),
}

/// One node of a schema.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    /// `object`, `array`, `string`, ...; empty where the schema leaves it open.
    pub(crate) kind: String,
    pub(crate) format: String,
    pub(crate) properties: BTreeMap<String, Node>,
    pub(crate) additional: Option<Box<Node>>,
    pub(crate) items: Option<Box<Node>>,
    pub(crate) required: Vec<String>,
    pub(crate) allowed: Vec<Value>,
    pub(crate) default: Option<Value>,
    pub(crate) nullable: bool,
    pub(crate) preserves_unknown: bool,
    pub(crate) int_or_string: bool,
    pub(crate) list_type: Option<ListType>,
    pub(crate) atomic_map: bool,
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) min_items: Option<u64>,
    pub(crate) max_items: Option<u64>,
    pub(crate) max_properties: Option<u64>,
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    pub(crate) pattern: Option<(String, Regex)>,
}

impl Node {
    /// Reads `openAPIV3Schema`, or a part of one.
    pub(crate) fn parse(schema: &Value) -> Result<Self, String> {
        let text = |name: &str| schema[name].as_str().unwrap_or_default().to_owned();
        let flag = |name: &str| schema[name].as_bool().unwrap_or_default();
        let nested = |name: &str| -> Result<Option<Box<Self>>, String> {
            schema[name].is_object().then(|| Self::parse(&schema[name]).map(Box::new)).transpose()
        };
        let mut properties = BTreeMap::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            properties.insert(name.clone(), Self::parse(property)?);
        }
        let words = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let pattern = match schema["pattern"].as_str() {
            Some(text) => {
                let regex = Regex::new(text).map_err(|error| format!("read pattern {text}: {error}"))?;
                Some((text.to_owned(), regex))
            }
            None => None,
        };
        let list_type = match schema["x-kubernetes-list-type"].as_str() {
            Some("set") => Some(ListType::Set),
            Some("map") => Some(ListType::Map(words(&schema["x-kubernetes-list-map-keys"]))),
            Some(_) => Some(ListType::Atomic),
            None => None,
        };
        Ok(Self {
            kind: text("type"),
            format: text("format"),
            properties,
            additional: nested("additionalProperties")?,
            items: nested("items")?,
            required: words(&schema["required"]),
            allowed: schema["enum"].as_array().cloned().unwrap_or_default(),
            default: schema.get("default").cloned(),
            nullable: flag("nullable"),
            preserves_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            list_type,
            atomic_map: schema["x-kubernetes-map-type"] == "atomic",
            min_length: schema["minLength"].as_u64(),
            max_length: schema["maxLength"].as_u64(),
            min_items: schema["minItems"].as_u64(),
            max_items: schema["maxItems"].as_u64(),
            max_properties: schema["maxProperties"].as_u64(),
            minimum: schema["minimum"].as_f64(),
            maximum: schema["maximum"].as_f64(),
            pattern,
        })
    }

    /// The node of a field, or of an entry of a map.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        self.properties.get(name).or(self.additional.as_deref())
    }

    /// Whether a field is named by the schema, and not an entry of a map.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.properties.contains_key(name)
    }

    /// How this list is owned; one that says nothing is atomic.
    pub(crate) fn list_type(&self) -> &ListType {
        self.list_type.as_ref().unwrap_or(&ListType::Atomic)
    }

    /// The same with the metadata that every object has, whose schema no CRD holds.
    pub(crate) fn with_metadata(mut self) -> Result<Self, String> {
        "object".clone_into(&mut self.kind);
        for name in ["apiVersion", "kind"] {
            self.properties.insert(name.to_owned(), Self { kind: "string".to_owned(), ..Self::default() });
        }
        self.properties.insert("metadata".to_owned(), Self::parse(&metadata())?);
        Ok(self)
    }
}

/// `metav1.ObjectMeta`, as far as ownership of its fields and pruning need it.
fn metadata() -> Value {
    let mut properties = Map::new();
    for name in [
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
    ] {
        properties.insert(name.to_owned(), json!({"type": "string"}));
    }
    for name in ["generation", "deletionGracePeriodSeconds"] {
        properties.insert(name.to_owned(), json!({"type": "integer"}));
    }
    for name in ["labels", "annotations"] {
        let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
        properties.insert(name.to_owned(), map);
    }
    let finalizers = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}});
    properties.insert("finalizers".to_owned(), finalizers);
    let owners = json!({
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"],
        "items": {"type": "object", "x-kubernetes-map-type": "atomic", "x-kubernetes-preserve-unknown-fields": true}
    });
    properties.insert("ownerReferences".to_owned(), owners);
    let managed = json!({"type": "array", "items": {
        "type": "object", "x-kubernetes-preserve-unknown-fields": true
    }});
    properties.insert("managedFields".to_owned(), managed);
    json!({"type": "object", "properties": properties})
}
