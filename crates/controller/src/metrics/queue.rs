//! Objects that something happened to, and whose pass has not begun. The runtime's own queue cannot be looked into, so this
//! counts what goes in and what comes out.

use std::{collections::HashSet, hash::BuildHasher as _};

/// The queue of one kind, by hashes of namespace and name: an object stands in it once.
#[derive(Debug, Default)]
pub(super) struct Queue(HashSet<u64>);

impl Queue {
    fn key(&self, namespace: &str, name: &str) -> u64 {
        self.0.hasher().hash_one((namespace, name))
    }

    /// Something happened to an object.
    pub(super) fn enter(&mut self, namespace: &str, name: &str) {
        self.0.insert(self.key(namespace, name));
    }

    /// Its pass begins, or it is gone.
    pub(super) fn leave(&mut self, namespace: &str, name: &str) {
        self.0.remove(&self.key(namespace, name));
        if self.0.is_empty() && self.0.capacity() > 64 {
            self.0 = HashSet::default();
        }
    }

    /// How many stand in it.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_stands_in_it_once() {
        let mut queue = Queue::default();
        for name in ["a", "b", "a"] {
            queue.enter("n", name);
        }
        queue.enter("", "na");
        assert_eq!(queue.depth(), 3, "the namespace is no part of the name");
        queue.leave("n", "a");
        queue.leave("n", "never");
        assert_eq!(queue.depth(), 2);
    }
}
