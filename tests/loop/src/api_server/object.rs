//! One stored object, as it was written and as it is read.

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

/// An object at one version. What is read may differ from what was written: by a schema that came since, a field may
/// be left out or filled in.
#[derive(Debug)]
pub(crate) struct Object {
    raw: Value,
    /// Absent where it is the same.
    view: Option<Value>,
    json: OnceLock<Bytes>,
    bare: OnceLock<Bytes>,
    metadata: OnceLock<Bytes>,
}

impl Object {
    pub(crate) fn new(raw: Value, view: Option<Value>) -> Self {
        let view = view.filter(|view| *view != raw);
        Self { raw, view, json: OnceLock::new(), bare: OnceLock::new(), metadata: OnceLock::new() }
    }

    /// As it was written.
    pub(crate) fn raw(&self) -> &Value {
        &self.raw
    }

    /// As it is read.
    pub(crate) fn view(&self) -> &Value {
        self.view.as_ref().unwrap_or(&self.raw)
    }

    pub(crate) fn version(&self) -> u64 {
        version(&self.raw).unwrap_or_default()
    }

    /// As it is sent.
    pub(crate) fn json(&self) -> Bytes {
        self.json.get_or_init(|| self.view().to_string().into()).clone()
    }

    /// As it is sent in a list of a built-in kind: without its kind.
    pub(crate) fn bare_json(&self) -> Bytes {
        let bare = || {
            let mut fields = self.view().as_object().cloned().unwrap_or_default();
            fields.remove("apiVersion");
            fields.remove("kind");
            Value::Object(fields).to_string().into()
        };
        self.bare.get_or_init(bare).clone()
    }

    /// As it is sent to whoever asks for metadata only.
    pub(crate) fn metadata_json(&self) -> Bytes {
        let partial = || {
            json!({
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": self.view().get("metadata").cloned().unwrap_or_else(|| json!({})),
            })
            .to_string()
            .into()
        };
        self.metadata.get_or_init(partial).clone()
    }
}

/// A text of the metadata.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object["metadata"][name].as_str().unwrap_or_default()
}

/// The version that an object says it has; `None` if it says none.
pub(crate) fn version(object: &Value) -> Option<u64> {
    text(object, "resourceVersion").parse().ok()
}

pub(crate) fn is_deleting(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

pub(crate) fn generation(object: &Value) -> u64 {
    object["metadata"]["generation"].as_u64().unwrap_or_default()
}

pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The metadata to be changed; made if there is none.
pub(crate) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = json!({});
    }
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    match &mut object["metadata"] {
        Value::Object(fields) => fields,
        // It was just made one.
        _ => unreachable!("metadata is an object"),
    }
}

/// Sets a field of the metadata, or takes it out where the value is null.
pub(crate) fn set(object: &mut Value, name: &str, value: Value) {
    let metadata = metadata_mut(object);
    if value.is_null() {
        metadata.remove(name);
    } else {
        metadata.insert(name.to_owned(), value);
    }
}

/// The object without who manages what, for comparisons.
pub(crate) fn unmanaged(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object
}

/// The key of an object: as etcd orders them.
pub(crate) fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_only_has_nothing_else() {
        let object =
            Object::new(json!({"kind": "Secret", "metadata": {"name": "a"}, "data": {"x": "y"}}), None);
        let partial: Value = serde_json::from_slice(&object.metadata_json()).unwrap();
        let wanted = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "a"}});
        assert_eq!(partial, wanted);
        assert!(String::from_utf8(object.json().to_vec()).unwrap().contains("data"));
    }
}
