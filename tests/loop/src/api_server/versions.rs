//! The changes of one kind in the order of their versions, as long as they are kept.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use tokio::time::Instant;

use super::object::Object;

/// Changes of a kind that are kept at most. Whoever watches from further back is answered 410.
const CHANGES_MAX: usize = 20_000;

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// One change.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) key: String,
    pub(crate) what: ChangeKind,
    /// As it is now; of one that is gone, as it was last, with the version of its end.
    pub(crate) object: Arc<Object>,
    pub(crate) previous: Option<Arc<Object>>,
    pub(crate) at: Instant,
}

/// The log of a kind.
#[derive(Debug)]
pub(crate) struct Versions {
    changes: VecDeque<Change>,
    /// How many changes were dropped from the front: a position in the log counts them too.
    dropped: u64,
    /// Changes after this version are all there.
    floor: u64,
}

impl Versions {
    pub(crate) fn from(version: u64) -> Self {
        Self { changes: VecDeque::new(), dropped: 0, floor: version }
    }

    pub(crate) fn push(&mut self, change: Change) {
        self.changes.push_back(change);
        while self.changes.len() > CHANGES_MAX {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some(change) = self.changes.pop_front() {
            self.floor = change.version;
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Forgets all changes up to a version.
    pub(crate) fn compact(&mut self, version: u64) {
        while self.changes.front().is_some_and(|change| change.version <= version) {
            self.drop_first();
        }
        self.floor = self.floor.max(version);
    }

    /// The version after which every change is there.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// The position behind the last change.
    pub(crate) fn end(&self) -> u64 {
        self.dropped.saturating_add(self.changes.len() as u64)
    }

    /// The version of the last change, or the one from which the log began.
    pub(crate) fn last(&self) -> u64 {
        self.changes.back().map_or(self.floor, |change| change.version)
    }

    /// The change at a position; `None` if it is not there yet, or not any more.
    pub(crate) fn at(&self, position: u64) -> Option<&Change> {
        let index = usize::try_from(position.checked_sub(self.dropped)?).ok()?;
        self.changes.get(index)
    }

    /// Whether a position was dropped.
    pub(crate) fn is_dropped(&self, position: u64) -> bool {
        position < self.dropped
    }

    /// The position of the first change after a version.
    pub(crate) fn after(&self, version: u64) -> u64 {
        let index = self.changes.partition_point(|change| change.version <= version);
        self.dropped.saturating_add(index as u64)
    }

    /// What was there at a version, taken back from what is there now; `None` if it is too old.
    pub(crate) fn back_to(
        &self,
        version: u64,
        now: &BTreeMap<String, Arc<Object>>,
    ) -> Option<BTreeMap<String, Arc<Object>>> {
        if version < self.floor {
            return None;
        }
        let mut objects = now.clone();
        for change in self.changes.iter().rev().take_while(|change| change.version > version) {
            match &change.previous {
                Some(previous) => objects.insert(change.key.clone(), previous.clone()),
                None => objects.remove(&change.key),
            };
        }
        Some(objects)
    }

    /// All changes that are kept.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(version: u64, key: &str, previous: Option<u64>) -> Change {
        let object = |version: u64| {
            Arc::new(Object::new(json!({"metadata": {"resourceVersion": version.to_string()}}), None))
        };
        Change {
            version,
            key: key.to_owned(),
            what: if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added },
            object: object(version),
            previous: previous.map(object),
            at: crate::api_server::clock::instant(),
        }
    }

    #[test]
    fn an_older_picture_is_taken_back_as_long_as_it_is_kept() {
        let mut log = Versions::from(10);
        let changes = [change(11, "a", None), change(12, "b", None), change(14, "a", Some(11))];
        let mut now = BTreeMap::new();
        for change in changes {
            now.insert(change.key.clone(), change.object.clone());
            log.push(change);
        }
        let at = |log: &Versions, version| {
            let found = log.back_to(version, &now)?;
            Some(found.iter().map(|(key, object)| (key.clone(), object.version())).collect::<Vec<_>>())
        };
        assert_eq!(at(&log, 14).unwrap(), [("a".to_owned(), 14), ("b".to_owned(), 12)]);
        assert_eq!(at(&log, 12).unwrap(), [("a".to_owned(), 11), ("b".to_owned(), 12)]);
        assert_eq!(at(&log, 10).unwrap(), []);
        assert_eq!(at(&log, 9), None);
        assert_eq!((log.after(10), log.after(12), log.after(13), log.end()), (0, 2, 2, 3));
        log.compact(11);
        assert_eq!((log.floor(), log.after(12), log.end()), (11, 2, 3));
        assert!(log.is_dropped(0) && log.at(0).is_none());
        assert_eq!(at(&log, 10), None);
        assert_eq!(at(&log, 11).unwrap(), [("a".to_owned(), 11)]);
    }
}
