//! The CustomResourceDefinitions, cleaned of what derives leave behind.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value};

use crate::{ClusterTenantCredential, CrossTenantConnection, StaticMember, TenantCredential};

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
