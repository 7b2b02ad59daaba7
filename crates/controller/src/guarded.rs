//! An object as the API server has it, whether or not this version can read all of it.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// One object, decoded; or what there is of it, which must not stop the others. kube's own guard keeps the error and the
/// metadata only, and what such an object holds in Azure has to be known.
#[derive(Debug, Clone)]
pub(crate) struct Guarded<K>(pub(crate) Result<K, Undecoded>);

/// An object that does not decode.
#[derive(Debug, Clone)]
pub(crate) struct Undecoded {
    pub(crate) metadata: ObjectMeta,
    /// Why it does not.
    pub(crate) error: String,
    /// Spec and status, as they came.
    pub(crate) raw: Value,
}

impl<'de, K: DeserializeOwned> Deserialize<'de> for Guarded<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut raw = Value::deserialize(deserializer)?;
        let error = match K::deserialize(&raw) {
            Ok(object) => return Ok(Self(Ok(object))),
            Err(error) => error.to_string(),
        };
        let metadata = raw.get_mut("metadata").map(Value::take).unwrap_or_default();
        let metadata = ObjectMeta::deserialize(metadata).map_err(serde::de::Error::custom)?;
        Ok(Self(Err(Undecoded { metadata, error, raw })))
    }
}

impl<K: Serialize> Serialize for Guarded<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(object) => object.serialize(serializer),
            Err(undecoded) => undecoded.raw.serialize(serializer),
        }
    }
}

impl<K: Resource> Resource for Guarded<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(dt)
    }

    fn group(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::group(dt)
    }

    fn version(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::version(dt)
    }

    fn plural(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        match &self.0 {
            Ok(object) => object.meta(),
            Err(undecoded) => &undecoded.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match &mut self.0 {
            Ok(object) => object.meta_mut(),
            Err(undecoded) => &mut undecoded.metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use avnm_api::StaticMember;
    use kube::ResourceExt;
    use serde_json::json;

    use super::*;

    fn member(spec: Value) -> Guarded<StaticMember> {
        let mut spec = spec;
        for (field, value) in [("networkGroupId", "/g"), ("resourceId", "/r")] {
            spec[field] = json!(value);
        }
        let object = json!({
            "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember", "spec": spec,
            "metadata": {"name": "a", "namespace": "n", "uid": "u"},
            "status": {"conditions": [], "ofTheFuture": {"x": 1}},
        });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn a_field_that_is_not_known_is_nothing_to_us() {
        let found = member(json!({"ofTheFuture": true, "connectionRef": {"name": "c", "weight": 3}}));
        let spec = found.0.unwrap().spec;
        assert_eq!(spec.connection_ref.map(|named| named.name).as_deref(), Some("c"));
    }

    #[test]
    fn a_word_that_is_not_known_leaves_the_rest_readable() {
        let found = member(json!({"deletionPolicy": "Someday"}));
        assert_eq!((found.name_any(), found.namespace().as_deref()), ("a".to_owned(), Some("n")));
        let undecoded = found.0.unwrap_err();
        assert!(undecoded.error.contains("Someday"), "{}", undecoded.error);
        assert_eq!(undecoded.raw["spec"]["deletionPolicy"], "Someday");
        assert_eq!(undecoded.raw["metadata"], Value::Null);
    }
}
