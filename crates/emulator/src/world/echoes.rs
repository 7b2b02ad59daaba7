//! What readers that lag behind writes still see.

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;
use serde_json::Value;

use crate::answer::Answer;

/// What readers that lag behind still see, by the key of the thing.
#[derive(Debug, Default)]
pub struct Echoes {
    reads: BTreeMap<String, (Timestamp, Answer)>,
    unlisted: BTreeMap<String, Timestamp>,
    ghosts: BTreeMap<String, (Timestamp, Value)>,
    before: BTreeMap<String, (u64, Answer)>,
    writes: u64,
}

impl Echoes {
    /// Whether lists do not have this one yet.
    pub fn is_unlisted(&self, key: &str, now: Timestamp) -> bool {
        !self.unlisted.is_empty() && self.unlisted.get(key).is_some_and(|until| now < *until)
    }

    /// The number of the last write that was noted.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// The last write after that number to what a list has, as far as it was noted: the key, and what a GET showed
    /// before.
    pub fn last_write(
        &self,
        since: u64,
        prefix: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Option<(&String, &Answer)> {
        self.before
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(key, (write, _))| *write > since && wanted(&key[prefix.len()..]))
            .max_by_key(|(_, (write, _))| *write)
            .map(|(key, (_, before))| (key, before))
    }

    /// The deleted things that a list beginning with this prefix still has, by key.
    pub fn ghosts(&self, prefix: &str, now: Timestamp) -> Vec<(&String, &Value)> {
        self.ghosts
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(_, (until, _))| now < *until)
            .map(|(key, (_, shown))| (key, shown))
            .collect()
    }

    /// What a GET shows that does not see the last write after that number, if that was noted.
    pub fn before(&self, key: &str, since: u64) -> Option<&Answer> {
        self.before.get(key).filter(|(write, _)| *write > since).map(|(_, before)| before)
    }

    /// What a GET shows that lags behind now.
    pub fn read(&self, key: &str, now: Timestamp) -> Option<&Answer> {
        self.reads.get(key).filter(|(until, _)| now < *until).map(|(_, answer)| answer)
    }

    /// Notes a DELETE: what a GET showed before, and until when reads and lists still show it.
    pub fn deleted(&mut self, key: String, before: Answer, lingers: Option<Timestamp>) {
        self.reads.remove(&key);
        self.unlisted.remove(&key);
        if let Some(until) = lingers.filter(|_| before.status == 200) {
            let shown = serde_json::from_slice(&before.body).unwrap_or_default();
            self.ghosts.insert(key.clone(), (until, shown));
            self.reads.insert(key.clone(), (until, before.clone()));
        }
        self.wrote(key, before);
    }

    /// Notes any other write: what a GET showed before, until when a new thing is missing in lists, and until when a GET
    /// shows what was there before.
    pub fn written(
        &mut self,
        key: String,
        before: Answer,
        unlisted: Option<Timestamp>,
        stale: Option<Timestamp>,
    ) {
        self.reads.remove(&key);
        self.ghosts.remove(&key);
        if let Some(until) = unlisted.filter(|_| before.status == 404) {
            self.unlisted.insert(key.clone(), until);
        }
        if let Some(until) = stale {
            self.reads.insert(key.clone(), (until, before.clone()));
        }
        self.wrote(key, before);
    }

    fn wrote(&mut self, key: String, before: Answer) {
        self.writes += 1;
        self.before.insert(key, (self.writes, before));
    }
}
