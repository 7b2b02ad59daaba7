//! Who wants what: an index over the objects of one kind, so that two that want one thing find out before either claims
//! it.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

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
    /// Enters an object. Returns those that it no longer stands in the way of, which have to look again.
    pub(crate) fn enter(&self, keys: &[String], me: &Claimant) -> Vec<Claimant> {
        let Ok(mut index) = self.0.lock() else { return Vec::new() };
        let old = index.by_uid.get(&me.uid).cloned();
        index.remove(&me.uid);
        for key in keys {
            index.by_key.entry(key.clone()).or_default().push(me.uid.clone());
        }
        index.by_uid.insert(me.uid.clone(), (keys.to_vec(), me.clone()));
        match old {
            Some((old_keys, old)) if old.contends() && (!me.contends() || old_keys != keys) => {
                index.others(&old_keys, &me.uid)
            }
            _ => Vec::new(),
        }
    }

    /// The one that beats an object under any of these keys, if any does.
    pub(crate) fn winner(&self, keys: &[String], me: &Claimant) -> Option<Claimant> {
        let others = self.0.lock().ok()?.others(keys, &me.uid);
        beaten_by(me, &others).cloned()
    }

    /// Whether an object of this cluster holds a claim under this key.
    pub(crate) fn holds(&self, key: &str) -> bool {
        let Ok(index) = self.0.lock() else { return false };
        index.others(&[key.to_owned()], "").iter().any(|claimant| claimant.claim.is_some())
    }

    /// An object is gone. Returns those that shared a key with it.
    pub(crate) fn leave(&self, uid: &str) -> Vec<Claimant> {
        let Ok(mut index) = self.0.lock() else { return Vec::new() };
        let Some((keys, _)) = index.by_uid.get(uid).cloned() else { return Vec::new() };
        index.remove(uid);
        index.others(&keys, uid)
    }

    /// Only these objects are there: a watch that begins anew does not tell what went meanwhile. Returns those that
    /// shared a key with one that is gone.
    pub(crate) fn retain(&self, uids: &HashSet<String>) -> Vec<Claimant> {
        let gone: Vec<String> = match self.0.lock() {
            Ok(index) => index.by_uid.keys().filter(|uid| !uids.contains(*uid)).cloned().collect(),
            Err(_) => Vec::new(),
        };
        gone.iter().flat_map(|uid| self.leave(uid)).collect()
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

    fn others(&self, keys: &[String], uid: &str) -> Vec<Claimant> {
        keys.iter()
            .filter_map(|key| self.by_key.get(key))
            .flatten()
            .filter(|other| *other != uid)
            .filter_map(|other| self.by_uid.get(other))
            .map(|(_, claimant)| claimant.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use avnm_api::ClaimPhase;

    use super::*;

    fn claimant(name: &str, wants: bool) -> Claimant {
        Claimant {
            namespace: "n".into(),
            name: name.into(),
            uid: name.into(),
            claim: None,
            wants,
            created: jiff::Timestamp::from_second(1).ok(),
        }
    }

    fn names(claimants: &[Claimant]) -> Vec<&str> {
        claimants.iter().map(|claimant| claimant.name.as_str()).collect()
    }

    #[test]
    fn who_gives_way_wakes_who_was_beaten() {
        let index = Contenders::default();
        let keys = ["k".to_owned()];
        assert!(index.enter(&keys, &claimant("a", true)).is_empty());
        assert!(index.enter(&keys, &claimant("b", true)).is_empty());
        assert_eq!(index.winner(&keys, &claimant("b", true)).map(|won| won.name), Some("a".to_owned()));
        assert_eq!(names(&index.enter(&keys, &claimant("a", false))), ["b"]);
        assert_eq!(index.winner(&keys, &claimant("b", true)), None);
    }

    #[test]
    fn who_vanished_unseen_stands_in_nobodys_way() {
        let index = Contenders::default();
        let keys = ["k".to_owned()];
        let held = Claimant {
            claim: Some((ClaimPhase::Held, jiff::Timestamp::UNIX_EPOCH)),
            ..claimant("ghost", true)
        };
        index.enter(&keys, &held);
        index.enter(&keys, &claimant("b", true));
        assert!(index.holds("k"));
        assert_eq!(names(&index.retain(&HashSet::from(["b".to_owned()]))), ["b"]);
        assert!(!index.holds("k"));
        assert_eq!(index.winner(&keys, &claimant("b", true)), None);
    }
}
