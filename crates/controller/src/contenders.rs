//! Who wants what: an index over all objects, so that two that want one id find out before either claims it.

use std::{collections::HashMap, sync::Mutex};

use avnm_plan::contend::{Claimant, beaten_by};

#[derive(Debug, Default)]
struct Index {
    by_key: HashMap<String, Vec<String>>,
    by_uid: HashMap<String, (Vec<String>, Claimant)>,
}

/// The index. An entry is a reservation: it is there before the claim is.
#[derive(Debug, Default)]
pub(crate) struct Contenders(Mutex<Index>);

impl Contenders {
    /// Enters an object, and returns the one that beats it, if any does.
    pub(crate) fn enter(&self, keys: &[String], me: &Claimant) -> Option<Claimant> {
        let mut index = self.0.lock().ok()?;
        index.remove(&me.uid);
        for key in keys {
            index.by_key.entry(key.clone()).or_default().push(me.uid.clone());
        }
        index.by_uid.insert(me.uid.clone(), (keys.to_vec(), me.clone()));
        let others: Vec<Claimant> = keys
            .iter()
            .filter_map(|key| index.by_key.get(key))
            .flatten()
            .filter_map(|uid| index.by_uid.get(uid))
            .map(|(_, claimant)| claimant.clone())
            .collect();
        beaten_by(me, &others).cloned()
    }

    /// Whether an object of this cluster holds a claim under this key.
    pub(crate) fn holds(&self, key: &str) -> bool {
        let Ok(index) = self.0.lock() else { return false };
        index
            .by_key
            .get(key)
            .into_iter()
            .flatten()
            .filter_map(|uid| index.by_uid.get(uid))
            .any(|(_, claimant)| claimant.claim.is_some())
    }

    /// Objects that share a key with this one: they look again when it is gone.
    pub(crate) fn leave(&self, uid: &str) -> Vec<Claimant> {
        let Ok(mut index) = self.0.lock() else { return Vec::new() };
        let Some((keys, _)) = index.by_uid.get(uid).cloned() else { return Vec::new() };
        index.remove(uid);
        keys.iter()
            .filter_map(|key| index.by_key.get(key))
            .flatten()
            .filter_map(|other| index.by_uid.get(other))
            .map(|(_, claimant)| claimant.clone())
            .collect()
    }
}

impl Index {
    fn remove(&mut self, uid: &str) {
        let Some((keys, _)) = self.by_uid.remove(uid) else { return };
        for key in keys {
            if let Some(uids) = self.by_key.get_mut(&key) {
                uids.retain(|other| other != uid);
                if uids.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
    }
}
