//! What passes leave to each other, and how a pass changes what it knows.

use avnm_terms::{Moment, Now};

use super::{
    kind::Kind,
    object::{At, Memory, Object},
};
use crate::{
    item::{Answer, Begin, History},
    pace::Waits,
    status::After,
};

/// All that a process remembers of an object between passes. It is lost with the process, and safe to lose.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept<M> {
    /// Of each of its items.
    pub items: Vec<History>,
    /// Of the object.
    pub memory: Memory,
    /// What is its kind's own.
    pub own: M,
}

impl<K: Kind> Object<K> {
    /// The same, with what earlier passes remember of it.
    #[must_use]
    pub fn remembering(mut self, kept: Kept<K::Memory>, begin: &Begin) -> Self {
        let mut histories = kept.items.into_iter();
        self.items = self
            .items
            .into_iter()
            .map(|item| item.remembering(histories.next().unwrap_or_default(), begin))
            .collect();
        self.memory = kept.memory;
        self.own.remember(kept.own);
        self
    }

    /// What later passes shall remember.
    pub fn kept(&self) -> Kept<K::Memory> {
        Kept {
            items: self.items.iter().map(|item| item.history().clone()).collect(),
            memory: self.memory.clone(),
            own: self.own.memory(),
        }
    }

    /// Takes note of an answer about an item.
    pub fn answered(&mut self, at: At, answer: Answer, waits: &Waits, now: Moment) {
        if matches!(answer, Answer::Put(_, Ok(()))) {
            self.memory.looks = 0;
        }
        self.own.answered(at, &answer, now);
        self.items[at].answered(answer, waits, now);
    }

    /// Status was written with all claims as they stand, and is this now.
    pub fn persisted(&mut self, status: K::Status, waits: &Waits, now: Moment) {
        self.own.wrote(status);
        for item in &mut self.items {
            item.answered(Answer::Persisted, waits, now);
        }
    }

    /// Takes note of how a pass ended.
    pub fn end(&mut self, after: &After, now: Now) {
        let memory = &mut self.memory;
        memory.streak = if after.failed { memory.streak.saturating_add(1) } else { 0 };
        memory.looks = if after.settling { memory.looks.saturating_add(1) } else { 0 };
        memory.unread_since = if after.unread { memory.unread_since.or(Some(now.wall)) } else { None };
        K::end(self, now.steady);
    }
}
