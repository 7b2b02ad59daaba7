//! What is particular to a kind: its schema, what a body of it becomes, and what a write may change.

use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::{
    api::{
        coordination::v1::Lease,
        core::v1::{Event, Namespace, Secret, ServiceAccount},
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::aside::aside;

use super::{
    answer::Refusal,
    metadata,
    object::{self, Object},
    resource::{EVENTS_GROUP, Resource},
    schema::{self, FieldError, Node, Rules},
};

/// The schema of a custom resource.
#[derive(Debug)]
pub(crate) struct Schema {
    node: Node,
    rules: Option<Rules>,
    has_status: bool,
}

/// A kind that is served.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) resource: Resource,
    pub(crate) list: String,
    schema: Option<Arc<Schema>>,
    /// What is known of a built-in kind's lists and maps, for who manages what.
    shape: Arc<Node>,
}

impl Kind {
    pub(crate) fn built_in(resource: Resource) -> Self {
        let list = format!("{}List", resource.kind);
        let shape = Node::parse(&shape(&resource.plural)).and_then(Node::with_metadata).unwrap_or_default();
        Self { resource, list, schema: None, shape: Arc::new(shape) }
    }

    /// The kind that a CRD declares, with its first served version. It is compiled once for all runs.
    pub(crate) fn custom(crd: &Value) -> Result<Self, String> {
        static KINDS: Mutex<Vec<(Value, Kind)>> = Mutex::new(Vec::new());
        let known = || KINDS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, kind)) = known().iter().find(|(spec, _)| *spec == crd["spec"]) {
            return Ok(kind.clone());
        }
        let kind = aside(|| Self::compile(crd))?;
        known().push((crd["spec"].clone(), kind.clone()));
        Ok(kind)
    }

    fn compile(crd: &Value) -> Result<Self, String> {
        let spec = &crd["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let versions = spec["versions"].as_array().cloned().unwrap_or_default();
        let version = versions
            .iter()
            .find(|version| version["served"] == true)
            .ok_or_else(|| format!("{}: no version is served", object::text(crd, "name")))?;
        let openapi = &version["schema"]["openAPIV3Schema"];
        let kind = text(&spec["names"]["kind"]);
        let schema = Schema {
            node: Node::parse(openapi)?.with_metadata()?,
            rules: Rules::compile(openapi),
            has_status: version["subresources"]["status"].is_object(),
        };
        Ok(Self {
            resource: Resource {
                group: text(&spec["group"]),
                version: text(&version["name"]),
                plural: text(&spec["names"]["plural"]),
                kind: kind.clone(),
                namespaced: spec["scope"] == "Namespaced",
                custom: true,
            },
            list: format!("{kind}List"),
            shape: Arc::new(schema.node.clone()),
            schema: Some(Arc::new(schema)),
        })
    }

    /// The types of fields, for who manages what.
    pub(crate) fn node(&self) -> &Node {
        &self.shape
    }

    /// Whether status is written through a face of its own.
    pub(crate) fn has_status(&self) -> bool {
        match &self.schema {
            Some(schema) => schema.has_status,
            None => matches!(self.resource.plural.as_str(), "namespaces" | "customresourcedefinitions"),
        }
    }

    /// A stored object with what is read of it.
    pub(crate) fn object(&self, raw: Value) -> Object {
        let view = self.schema.as_ref().map(|schema| {
            let mut view = raw.clone();
            schema::prune(&schema.node, &mut view);
            schema::without_nulls(&schema.node, &mut view);
            schema::apply_defaults(&schema.node, &mut view);
            view
        });
        Object::new(raw, view)
    }

    /// A body as it is understood: what is not known is left out, what has a default gets it.
    pub(crate) fn decode(&self, mut body: Value) -> Result<Value, Refusal> {
        self.check_type(&body)?;
        metadata::decode(&mut body)?;
        match &self.schema {
            Some(schema) => {
                schema::prune(&schema.node, &mut body);
                schema::without_nulls(&schema.node, &mut body);
                schema::apply_defaults(&schema.node, &mut body);
                Ok(body)
            }
            None => self.decode_built_in(body),
        }
    }

    /// The same of what an apply came to, which keeps its nulls to be judged.
    pub(crate) fn complete(&self, mut object: Value) -> Result<Value, Refusal> {
        let Some(schema) = &self.schema else { return self.decode(object) };
        metadata::decode(&mut object)?;
        schema::prune(&schema.node, &mut object);
        schema::apply_defaults(&schema.node, &mut object);
        Ok(object)
    }

    /// An object of the kind with nothing in it, against which a new one is compared.
    pub(crate) fn empty(&self) -> Value {
        let mut empty = json!({"apiVersion": self.resource.api_version(), "kind": self.resource.kind});
        match self.resource.plural.as_str() {
            _ if self.resource.custom => {}
            "leases" => empty["spec"] = json!({}),
            "namespaces" => {
                empty["spec"] = json!({});
                empty["status"] = json!({});
            }
            "events" => super::events::fill(&mut empty),
            _ => {}
        }
        empty
    }

    fn check_type(&self, body: &Value) -> Result<(), Refusal> {
        let kind = &self.resource.kind;
        let unknown = |why: &str| {
            let lead = "the object provided is unrecognized (must be of type";
            Err(Refusal::bad_request(format!("{lead} {kind}): {why}")))
        };
        if !body.is_object() {
            return unknown("it is no object");
        }
        let said = |name: &str| body[name].as_str().unwrap_or_default();
        if self.resource.custom && said("kind").is_empty() {
            return unknown("Object 'Kind' is missing");
        }
        let (version, wanted) = (said("apiVersion"), self.resource.api_version());
        if version != wanted && (self.resource.custom || !version.is_empty()) {
            return Err(Refusal::bad_request(format!(
                "the API version in the data ({version}) does not match the expected API version ({wanted})"
            )));
        }
        Ok(())
    }

    fn decode_built_in(&self, body: Value) -> Result<Value, Refusal> {
        let mut decoded = match self.resource.plural.as_str() {
            "namespaces" => typed::<Namespace>(body, &self.resource)?,
            "secrets" => typed::<Secret>(body, &self.resource)?,
            "serviceaccounts" => typed::<ServiceAccount>(body, &self.resource)?,
            "events" => typed::<Event>(body, &self.resource)?,
            "leases" => typed::<Lease>(body, &self.resource)?,
            _ => typed::<CustomResourceDefinition>(body, &self.resource)?,
        };
        match self.resource.plural.as_str() {
            "secrets" => secret(&mut decoded),
            "namespaces" => namespace(&mut decoded),
            "events" => super::events::fill(&mut decoded),
            "customresourcedefinitions" => super::crds::fill(&mut decoded),
            _ => {}
        }
        Ok(decoded)
    }

    /// What a create does not take from the body.
    pub(crate) fn prepare_create(&self, body: &mut Value) {
        if self.has_status() {
            remove(body, "status");
        }
        match self.resource.plural.as_str() {
            "namespaces" => {
                body["spec"] = json!({"finalizers": ["kubernetes"]});
                body["status"] = json!({"phase": "Active"});
            }
            "customresourcedefinitions" => {
                object::set(body, "generation", 1.into());
                super::crds::establish(body);
            }
            _ if self.resource.custom => object::set(body, "generation", 1.into()),
            _ => {}
        }
    }

    /// What a write may not change: a write of status all but status, any other write status. What changed in the rest
    /// makes a new generation.
    pub(crate) fn prepare_update(&self, new: &mut Value, old: &Value, subresource: &str) {
        if subresource == "status" {
            let (status, managed) = (new.get("status").cloned(), new["metadata"]["managedFields"].take());
            new.clone_from(old);
            object::set(new, "managedFields", managed);
            match status {
                Some(status) => new["status"] = status,
                None => remove(new, "status"),
            }
            return;
        }
        if self.has_status() {
            match old.get("status") {
                Some(status) => new["status"] = status.clone(),
                None => remove(new, "status"),
            }
        }
        match self.resource.plural.as_str() {
            "namespaces" => new["spec"] = old["spec"].clone(),
            "secrets" if new["type"].is_null() => new["type"] = old["type"].clone(),
            _ => {}
        }
        let counts = self.resource.custom || self.resource.plural == "customresourcedefinitions";
        if counts && rest(new) != rest(old) {
            object::set(new, "generation", object::generation(old).saturating_add(1).into());
        }
    }

    /// What is wrong with an object, new or changed, that is written through this group and subresource.
    pub(crate) fn validate(
        &self,
        new: &Value,
        old: Option<&Value>,
        (face, subresource): (&str, &str),
    ) -> Vec<FieldError> {
        let kind = &self.resource.kind;
        if new["kind"] != **kind {
            return vec![FieldError::invalid("kind", &new["kind"], &format!("must be {kind}"))];
        }
        let mut errors = match old {
            // The real server asks twice, once for all kinds and once for each.
            Some(old) => [metadata::validate_update(new, old), metadata::validate_update(new, old)].concat(),
            None => metadata::validate(new, self.resource.plural == "namespaces"),
        };
        match &self.schema {
            Some(schema) if subresource == "status" => {
                let status = |object: &Value| object.get("status").cloned();
                if let (Some(node), Some(new)) = (schema.node.field("status"), status(new)) {
                    let old = old.and_then(status);
                    schema::validate(node, &new, old.as_ref(), "status", &mut errors);
                }
            }
            Some(schema) => schema::validate(&schema.node, new, old, "", &mut errors),
            None => self.validate_built_in(new, old, face, &mut errors),
        }
        if let Some(rules) = self.schema.as_ref().and_then(|schema| schema.rules.as_ref()) {
            if errors.iter().any(FieldError::blocks_rules) {
                errors.push(FieldError::unchecked());
            } else {
                rules.check(new, old, "", &mut errors);
            }
        }
        errors
    }

    fn validate_built_in(&self, new: &Value, old: Option<&Value>, face: &str, errors: &mut Vec<FieldError>) {
        match self.resource.plural.as_str() {
            "events" => super::events::validate(new, old, face == EVENTS_GROUP, errors),
            "leases" => lease(new, errors),
            "secrets" => {
                if let Some(old) = old
                    && old["type"] != new["type"]
                {
                    errors.push(FieldError::invalid("type", &new["type"], "field is immutable"));
                }
            }
            _ => {}
        }
    }
}

/// All but the metadata.
fn rest(object: &Value) -> Map<String, Value> {
    let fields = object.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| *name != "metadata")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn remove(object: &mut Value, name: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(name);
    }
}

/// A body through the type of its kind: what the type does not have is dropped, what it cannot hold is refused.
fn typed<T: DeserializeOwned + Serialize>(body: Value, resource: &Resource) -> Result<Value, Refusal> {
    let wrong = |error: serde_json::Error| {
        let message = format!(
            "{} in version {:?} cannot be handled as a {}: {error}",
            resource.kind, "v1", resource.kind
        );
        Refusal::bad_request(message)
    };
    let mut value = serde_json::from_value::<T>(body).and_then(serde_json::to_value).map_err(wrong)?;
    without_empty(&mut value);
    value["apiVersion"] = resource.api_version().into();
    value["kind"] = resource.kind.clone().into();
    if !value["metadata"].is_object() {
        value["metadata"] = json!({});
    }
    Ok(value)
}

/// Empty lists and maps at the top and in the metadata are not kept, as the types of the server have it.
fn without_empty(value: &mut Value) {
    let empty = |value: &Value| {
        value.is_null()
            || value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(Map::is_empty)
    };
    if let Some(fields) = value.as_object_mut() {
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|_, value| !empty(value));
        }
        fields.retain(|_, value| !empty(value));
    }
}

/// `stringData` is written only, and goes over `data`.
fn secret(value: &mut Value) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    if let Some(texts) = value["stringData"].as_object().cloned() {
        if !value["data"].is_object() {
            value["data"] = json!({});
        }
        for (name, text) in texts {
            value["data"][name] = STANDARD.encode(text.as_str().unwrap_or_default()).into();
        }
    }
    remove(value, "stringData");
    if value["type"].is_null() {
        value["type"] = "Opaque".into();
    }
}

/// Each namespace carries its name as a label.
fn namespace(value: &mut Value) {
    let name = object::text(value, "name").to_owned();
    if name.is_empty() {
        return;
    }
    let metadata = object::metadata_mut(value);
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    labels["kubernetes.io/metadata.name"] = name.into();
}

fn lease(new: &Value, errors: &mut Vec<FieldError>) {
    let spec = &new["spec"];
    if spec["leaseDurationSeconds"].as_i64().is_some_and(|seconds| seconds <= 0) {
        let (field, value) = ("spec.leaseDurationSeconds", &spec["leaseDurationSeconds"]);
        errors.push(FieldError::invalid(field, value, "must be greater than 0"));
    }
    if spec["leaseTransitions"].as_i64().is_some_and(|count| count < 0) {
        let (field, value) = ("spec.leaseTransitions", &spec["leaseTransitions"]);
        errors.push(FieldError::invalid(field, value, "must be greater than or equal to 0"));
    }
}

/// The lists and maps of built-in kinds that are not what they seem: everything else is a map field by field, and a
/// list as one value.
fn shape(plural: &str) -> Value {
    let open = "x-kubernetes-preserve-unknown-fields";
    let keyed = |keys: &[&str]| {
        json!({
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys,
            "items": {"type": "object", open: true}
        })
    };
    let atomic = json!({"type": "object", "x-kubernetes-map-type": "atomic", open: true});
    let any = || json!({open: true});
    let fields = |names: &[&str]| -> Map<String, Value> {
        names.iter().map(|name| ((*name).to_owned(), any())).collect()
    };
    let properties = match plural {
        "namespaces" => {
            let status =
                json!({"type": "object", "properties": {"phase": any(), "conditions": keyed(&["type"])}});
            let spec = json!({"type": "object", "properties": {"finalizers": {"type": "array"}}});
            json!({"spec": spec, "status": status})
        }
        "secrets" => {
            let data = json!({"type": "object", "additionalProperties": any()});
            json!({"data": data, "type": any(), "immutable": any()})
        }
        "serviceaccounts" => json!({"secrets": keyed(&["name"]), "automountServiceAccountToken": any()}),
        "events" => {
            let series = json!({"type": "object", "properties": fields(&["count", "lastObservedTime"])});
            let source = json!({"type": "object", "properties": fields(&["component", "host"])});
            let mut all = fields(&[
                "deprecatedCount",
                "deprecatedFirstTimestamp",
                "deprecatedLastTimestamp",
                "note",
                "reportingController",
                "action",
                "count",
                "eventTime",
                "firstTimestamp",
                "lastTimestamp",
                "message",
                "reason",
                "reportingComponent",
                "reportingInstance",
                "type",
            ]);
            for name in ["involvedObject", "regarding", "related"] {
                all.insert(name.to_owned(), atomic.clone());
            }
            for name in ["source", "deprecatedSource"] {
                all.insert(name.to_owned(), source.clone());
            }
            all.insert("series".to_owned(), series);
            Value::Object(all)
        }
        "leases" => {
            let names = [
                "acquireTime",
                "holderIdentity",
                "leaseDurationSeconds",
                "leaseTransitions",
                "preferredHolder",
                "renewTime",
                "strategy",
            ];
            json!({"spec": {"type": "object", "properties": fields(&names)}})
        }
        _ => json!({"spec": any(), "status": any()}),
    };
    json!({"type": "object", "properties": properties})
}
