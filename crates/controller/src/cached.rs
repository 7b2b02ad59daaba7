//! An object as the caches keep it: pruned, and packed. Decoded, a member takes two and a half kilobytes, most of it its metadata and
//! the same words as all others; packed, less than six hundred bytes.

use std::{
    borrow::Cow,
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    marker::PhantomData,
    sync::OnceLock,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use lz4_flex::block::{compress_with_dict, decompress_with_dict};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::guarded::{Guarded, Undecoded};

/// What objects have in common, as serde writes it: what an object says of it takes three bytes. Its content decides how small they
/// get, and nothing else: nothing packed outlives the process.
const WORDS: &[u8] = include_bytes!("cached/words.json");

/// One object, packed. What there is of it is had by `object`, which decodes it anew each time.
pub(crate) struct Cached<K> {
    /// Its uid.
    uid: Box<str>,
    /// The hash of what a pass is made for.
    news: u64,
    /// Its length as text.
    length: u32,
    text: Box<[u8]>,
    /// Its metadata, once somebody asked for them by reference: kube does, of what a watch gives. A clone is without them again,
    /// and it is clones that lie in the caches.
    meta: OnceLock<Box<ObjectMeta>>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Cached<K> {
    /// Its uid; empty if it has none.
    pub(crate) fn uid(&self) -> &str {
        &self.uid
    }

    /// Whether a pass would find in it what it does not find in the other one: another object, spec, finalizer or annotation.
    /// Our own writes of status change none of these. Deletion bumps the generation of a custom resource.
    pub(crate) fn is_news_to(&self, other: &Self) -> bool {
        (self.news, &self.uid) != (other.news, &other.uid)
    }

    /// Its `resourceVersion`. The rest is not decoded.
    pub(crate) fn version(&self) -> Option<String> {
        serde_json::from_slice::<Version>(&self.text()).unwrap_or_default().metadata.version
    }

    fn text(&self) -> Vec<u8> {
        let length = usize::try_from(self.length).unwrap_or_default();
        // Nobody but `of` fills it.
        decompress_with_dict(&self.text, length, WORDS).unwrap_or_default()
    }
}

impl<K: Serialize + Resource> Cached<K> {
    /// Packs an object.
    pub(crate) fn of(guard: &Guarded<K>) -> Self {
        let text = match &guard.0 {
            Ok(object) => serde_json::to_vec(object),
            Err(undecoded) => serde_json::to_vec(&whole(undecoded)),
        };
        // What was read as JSON can be written as JSON.
        let text = text.unwrap_or_default();
        let meta = guard.meta();
        let mut news = DefaultHasher::new();
        (meta.generation, &meta.finalizers, &meta.annotations).hash(&mut news);
        Self {
            uid: meta.uid.as_deref().unwrap_or_default().into(),
            news: news.finish(),
            length: u32::try_from(text.len()).unwrap_or_default(),
            text: compress_with_dict(&text, WORDS).into(),
            meta: OnceLock::from(Box::new(meta.clone())),
            kind: PhantomData,
        }
    }
}

/// An object that does not decode, with its metadata where they were.
fn whole(undecoded: &Undecoded) -> Value {
    let mut whole = undecoded.raw.clone();
    if let (Some(fields), Ok(metadata)) = (whole.as_object_mut(), serde_json::to_value(&undecoded.metadata)) {
        fields.insert("metadata".to_owned(), metadata);
    }
    whole
}

impl<K: DeserializeOwned> Cached<K> {
    /// The object.
    pub(crate) fn object(&self) -> Guarded<K> {
        let text = self.text();
        if let Ok(object) = serde_json::from_slice(&text) {
            return Guarded(Ok(object));
        }
        serde_json::from_slice(&text).unwrap_or_else(|error| {
            let metadata = ObjectMeta { uid: Some(self.uid.to_string()), ..ObjectMeta::default() };
            Guarded(Err(Undecoded { metadata, error: error.to_string(), raw: Value::Null }))
        })
    }
}

impl<K> Clone for Cached<K> {
    fn clone(&self) -> Self {
        Self {
            uid: self.uid.clone(),
            news: self.news,
            length: self.length,
            text: self.text.clone(),
            meta: OnceLock::new(),
            kind: PhantomData,
        }
    }
}

impl<K> fmt::Debug for Cached<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("uid", &self.uid).finish_non_exhaustive()
    }
}

/// Takes off what nobody reads and what is most of an object's size.
pub(crate) fn prune<K: Resource>(object: &mut K) {
    let meta = object.meta_mut();
    meta.managed_fields = None;
    if let Some(annotations) = &mut meta.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

/// Its version, and nothing of the rest.
#[derive(Default, Deserialize)]
struct Version {
    #[serde(default)]
    metadata: VersionIn,
}

#[derive(Default, Deserialize)]
struct VersionIn {
    #[serde(default, rename = "resourceVersion")]
    version: Option<String>,
}

/// Its metadata, and nothing of the rest.
#[derive(Default, Deserialize)]
struct Head {
    #[serde(default)]
    metadata: ObjectMeta,
}

impl<K: Resource> Cached<K> {
    fn head(&self) -> Box<ObjectMeta> {
        Box::new(serde_json::from_slice::<Head>(&self.text()).unwrap_or_default().metadata)
    }
}

impl<'de, K: DeserializeOwned + Serialize + Resource> Deserialize<'de> for Cached<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut object = Guarded::deserialize(deserializer)?;
        prune(&mut object);
        Ok(Self::of(&object))
    }
}

/// For kube, which asks what a watch gives for its name and namespace.
impl<K: Resource> Resource for Cached<K> {
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
        self.meta.get_or_init(|| self.head())
    }

    /// What is changed here is not what is packed.
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        let meta = self.meta.take().unwrap_or_else(|| self.head());
        self.meta = OnceLock::from(meta);
        self.meta.get_mut().expect("it was filled just now")
    }
}

#[cfg(test)]
mod tests {
    use avnm_api::{CrossTenantConnection, StaticMember, TenantCredential};
    use kube::ResourceExt as _;
    use serde_json::json;

    use super::*;

    fn words(kind: &str) -> Value {
        let all: Vec<Value> = serde_json::from_slice(WORDS).expect("a list of objects");
        all.into_iter().find(|object| object["kind"] == kind).expect("one of each kind")
    }

    /// What comes out is what went in.
    fn round<K: Resource + Serialize + DeserializeOwned>(object: &Value) -> Cached<K> {
        let guard: Guarded<K> = serde_json::from_value(object.clone()).expect("an object");
        let cached = Cached::of(&guard);
        let found = cached.object();
        let text = |guard: &Guarded<K>| format!("{:?}", guard.0.as_ref().map(serde_json::to_value));
        assert_eq!(text(&found), text(&guard));
        assert_eq!(format!("{:?}", cached.clone().meta()), format!("{:?}", guard.meta()));
        assert_eq!(cached.version(), guard.resource_version());
        cached
    }

    #[test]
    fn what_is_unpacked_is_what_was_packed() {
        let cached = round::<StaticMember>(&words("StaticMember"));
        assert!(cached.object().0.is_ok(), "the words are those of an object that decodes");
        round::<CrossTenantConnection>(&words("CrossTenantConnection"));
        round::<TenantCredential>(&words("TenantCredential"));
        let long = "x".repeat(100_000);
        round::<StaticMember>(&json!({
            "metadata": {"name": "a", "annotations": {"a": long}},
            "spec": {"networkGroupId": "\u{fc}bung", "resourceId": ""},
        }));
    }

    #[test]
    fn what_does_not_decode_is_kept_whole() {
        let mut object = words("StaticMember");
        object["spec"]["deletionPolicy"] = json!("Someday");
        object["spec"]["ofTheFuture"] = json!({"x": [1, 2]});
        let cached = round::<StaticMember>(&object);
        let undecoded = cached.object().0.expect_err("it does not decode");
        assert!(undecoded.error.contains("Someday"), "{}", undecoded.error);
        assert_eq!(undecoded.raw["spec"], object["spec"]);
        assert_eq!(undecoded.metadata.name.as_deref(), Some("vnet"));
    }

    #[test]
    fn news_are_what_a_pass_is_made_for() {
        let object = words("StaticMember");
        let changed = |pointer: &str, value: Value| {
            let mut changed = object.clone();
            *changed.pointer_mut(pointer).expect("it is there") = value;
            round::<StaticMember>(&changed).is_news_to(&round(&object))
        };
        assert!(!changed("/status/location", json!("eastus")), "our own writes of status are none");
        assert!(!changed("/metadata/resourceVersion", json!("2")));
        assert!(!changed("/metadata/labels", json!({})));
        assert!(changed("/metadata/uid", json!("another")));
        assert!(changed("/metadata/generation", json!(2)));
        assert!(changed("/metadata/finalizers", json!([])));
        assert!(changed("/metadata/annotations", json!({})));
    }

    #[test]
    fn a_clone_keeps_no_decoded_metadata() {
        let cached = round::<StaticMember>(&words("StaticMember"));
        assert!(cached.meta.get().is_some(), "kube asks what a watch gave");
        let mut kept = cached.clone();
        assert!(kept.meta.get().is_none());
        assert_eq!((kept.uid(), kept.name_any()), (cached.uid(), cached.name_any()));
        kept.meta_mut().name = Some("b".to_owned());
        assert_eq!(kept.name_any(), "b");
    }

    #[test]
    fn a_member_is_packed_into_less_than_six_hundred_bytes() {
        let member = json!({
            "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember",
            "metadata": {
                "creationTimestamp": "2026-11-29T17:21:09Z", "finalizers": ["avnm.dev/azure"], "generation": 1,
                "name": "contoso-spoke-00417", "namespace": "network-hub", "resourceVersion": "918273",
                "uid": "3e0f9f5b-6d3c-4a43-9a53-0b8f4f1d2c77",
            },
            "spec": {
                "networkGroupId": "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM/networkGroups/contoso",
                "resourceId": "/subscriptions/87654321-abcd-1234-1def-0987654321ab/resourceGroups/spokes/providers/Microsoft.Network/virtualNetworks/contoso-spoke-00417",
                "connectionRef": {"name": "contoso-prod"},
            },
            "status": {
                "observedGeneration": 1,
                "conditions": [
                    {"type": "Ready", "status": "True", "reason": "Succeeded", "observedGeneration": 1,
                     "message": "the member is in its group", "lastTransitionTime": "2026-11-29T17:21:12Z"},
                    {"type": "Synced", "status": "True", "reason": "Synced", "observedGeneration": 1,
                     "message": "the member is as declared", "lastTransitionTime": "2026-11-29T17:21:12Z"},
                ],
                "id": "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM/networkGroups/contoso/staticMembers/contoso-spoke-00417",
                "provisioningState": "Succeeded", "location": "westeurope",
                "claim": {
                    "id": "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM/networkGroups/contoso/staticMembers/contoso-spoke-00417",
                    "uid": "3e0f9f5b-6d3c-4a43-9a53-0b8f4f1d2c77", "phase": "Held", "origin": "Created",
                    "tenantId": "24680975-1234-abcd-56ef-121314ab5643",
                    "credentialRef": {"kind": "TenantCredential", "name": "central"},
                    "bodyHash": "9f86d081884c7d65", "since": "2026-11-29T17:21:10Z",
                },
            },
        });
        let packed = round::<StaticMember>(&member).text.len();
        assert!(packed < 600, "{packed} bytes");
    }
}
