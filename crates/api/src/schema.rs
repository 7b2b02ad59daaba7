//! The CustomResourceDefinitions, cleaned of what derives leave behind.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use crate::{ClusterTenantCredential, CrossTenantConnection, StaticMember, TenantCredential};

/// Conditions with the constraints of `metav1.Condition`, which its generated type does not carry.
pub(crate) fn conditions_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "The object's conditions; one of each type.",
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": {
                    "description": "Type of condition in CamelCase.",
                    "type": "string",
                    "maxLength": 316,
                    "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
                },
                "status": {
                    "description": "True, False or Unknown.",
                    "type": "string",
                    "enum": ["True", "False", "Unknown"]
                },
                "observedGeneration": {
                    "description": "The metadata.generation that the condition is about.",
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0
                },
                "lastTransitionTime": {
                    "description": "When the status last changed.",
                    "type": "string",
                    "format": "date-time"
                },
                "reason": {
                    "description": "Why, as one word.",
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
                },
                "message": {
                    "description": "Why, who must act, and the next step.",
                    "type": "string",
                    "maxLength": 32768
                }
            }
        }
    })
}

/// Every CustomResourceDefinition, in the order in which they are written out.
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![
        CrossTenantConnection::crd(),
        StaticMember::crd(),
        TenantCredential::crd(),
        ClusterTenantCredential::crd(),
    ]
}

/// The same as plain values, cleaned: no `nullable` (an explicit null would be kept and not defaulted), no null in
/// enums, no formats that the API server does not know, nothing empty.
pub fn crds_yaml_values() -> Vec<Value> {
    crds()
        .into_iter()
        .map(|crd| {
            let mut value = serde_json::to_value(crd).unwrap_or_default();
            clean(&mut value);
            value
        })
        .collect()
}

fn clean(value: &mut Value) {
    match value {
        Value::Object(map) => {
            clean_schema(map);
            map.values_mut().for_each(clean);
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        _ => {}
    }
}

fn clean_schema(map: &mut Map<String, Value>) {
    map.remove("nullable");
    if let Some(Value::Array(words)) = map.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let empty_lists = ["shortNames", "categories", "additionalPrinterColumns"];
    map.retain(|key, value| {
        !(empty_lists.contains(&key.as_str()) && value.as_array().is_some_and(Vec::is_empty))
    });
}
