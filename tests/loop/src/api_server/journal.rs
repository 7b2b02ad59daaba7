//! The journal: every write that was accepted, for whoever judges a run afterwards.

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;

use super::object::Object;

/// Writes that are kept at most; the oldest go first.
const WRITES_MAX: usize = 1_000_000;

/// The writes in their order.
#[derive(Default)]
pub(crate) struct Journal {
    writes: VecDeque<Write>,
    /// How many were dropped from the front: who reads from the n-th on counts them too.
    dropped: usize,
}

impl Journal {
    pub(crate) fn push(&mut self, write: Write) {
        self.writes.push_back(write);
        if self.writes.len() > WRITES_MAX {
            self.writes.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// From the n-th on.
    pub(crate) fn from(&self, from: usize) -> Vec<Write> {
        self.writes.iter().skip(from.saturating_sub(self.dropped)).cloned().collect()
    }
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// A new object.
    Create,
    /// A PUT of the whole object.
    Update,
    /// A merge patch.
    Patch,
    /// Server-side apply.
    Apply,
    /// A delete that only marked the object, because finalizers hold it.
    MarkDeleted,
    /// An object went: deleted, or its last finalizer was taken off.
    Remove,
}

/// Who wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// The user agent of the request; of the side door and of the server's own controllers, their name.
    pub user_agent: String,
    /// The field manager that the request names, if it names one.
    pub field_manager: Option<String>,
}

impl Actor {
    /// Someone who is no client.
    pub(crate) fn internal(name: &str) -> Self {
        Self { user_agent: name.to_owned(), field_manager: None }
    }

    /// The name under which fields are managed.
    pub(crate) fn manager(&self) -> &str {
        let agent = self.user_agent.split('/').next().unwrap_or_default();
        match &self.field_manager {
            Some(manager) if !manager.is_empty() => manager,
            _ if agent.is_empty() => "unknown",
            _ => agent,
        }
    }
}

/// One accepted write.
#[derive(Debug, Clone)]
pub struct Write {
    /// By the wall clock of the server.
    pub time: Timestamp,
    /// The version that it made.
    pub version: u64,
    /// Who.
    pub actor: Actor,
    /// What.
    pub verb: Verb,
    /// `plural.group`.
    pub resource: String,
    /// The namespace; empty for what lies in none.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// `status`, or empty.
    pub subresource: String,
    pub(crate) before: Option<Arc<Object>>,
    pub(crate) after: Option<Arc<Object>>,
}

impl Write {
    /// The object before; `None` if there was none.
    pub fn before(&self) -> Option<&Value> {
        self.before.as_deref().map(Object::view)
    }

    /// The object after; `None` if it is gone.
    pub fn after(&self) -> Option<&Value> {
        self.after.as_deref().map(Object::view)
    }
}
