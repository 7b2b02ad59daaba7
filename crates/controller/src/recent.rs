//! Objects that many others refer to, decoded once for all who ask: after a restart ten thousand members ask for the same connection
//! and its credentials.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use serde::de::DeserializeOwned;

use crate::{cached::Cached, guarded::Guarded};

/// How many are kept: those of one namespace's connections and credentials that are asked for at the same time. Decoded, one takes
/// about three kilobytes.
const KEPT: usize = 16;

/// One as the cache holds it, and decoded.
type Entry<K> = (Arc<Cached<K>>, Arc<Guarded<K>>);

/// The last that were decoded. Clones are the same.
pub(crate) struct Recent<K>(Arc<Mutex<VecDeque<Entry<K>>>>);

impl<K: DeserializeOwned> Recent<K> {
    /// The object. It is the one that was asked for, never what it was: what the cache holds of it is replaced when it changes.
    pub(crate) fn object(&self, found: &Arc<Cached<K>>) -> Arc<Guarded<K>> {
        // Nothing under this lock panics.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().find(|(of, _)| Arc::ptr_eq(of, found));
        if let Some((_, object)) = known {
            return Arc::clone(object);
        }
        let object = Arc::new(found.object());
        kept.truncate(KEPT - 1);
        kept.push_front((Arc::clone(found), Arc::clone(&object)));
        object
    }
}

impl<K> Clone for Recent<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use avnm_api::TenantCredential;
    use kube::ResourceExt as _;
    use serde_json::json;

    use super::*;

    fn credential(version: usize) -> Arc<Cached<TenantCredential>> {
        let meta = json!({"name": "a", "namespace": "n", "uid": "u", "resourceVersion": version.to_string()});
        Arc::new(serde_json::from_value(json!({"metadata": meta})).expect("an object"))
    }

    #[test]
    fn who_asks_for_the_same_gets_the_same() {
        let (recent, found) = (Recent::default(), credential(1));
        let first = recent.object(&found);
        assert!(Arc::ptr_eq(&first, &recent.object(&found)), "decoded once");
        let changed = recent.object(&credential(2));
        assert_eq!(changed.resource_version().as_deref(), Some("2"), "what the cache holds now");
    }

    #[test]
    fn few_are_kept() {
        let recent = Recent::default();
        let all: Vec<_> = (0..=KEPT).map(credential).collect();
        let decoded: Vec<_> = all.iter().map(|found| recent.object(found)).collect();
        assert_eq!(recent.0.lock().expect("no panic").len(), KEPT);
        assert!(Arc::ptr_eq(&decoded[KEPT], &recent.object(&all[KEPT])));
        assert!(!Arc::ptr_eq(&decoded[0], &recent.object(&all[0])), "the oldest has gone");
    }
}
