//! Reads for which tokens are kept: those that belong to a write that was granted.

use std::collections::{BTreeSet, HashMap};

use tokio::time::Instant;

use crate::gate::GateKey;

/// Those of one write.
pub(super) struct Reads {
    /// The object whose write it is.
    pub(super) who: String,
    /// Whose bucket they were taken from.
    pub(super) key: GateKey,
    /// How many are left.
    pub(super) left: u8,
    /// When they come back.
    until: Instant,
}

/// All of them, by what is read, and by when they come back.
#[derive(Default)]
pub(super) struct KeptReads {
    by_target: HashMap<String, Reads>,
    by_end: BTreeSet<(Instant, String)>,
}

impl KeptReads {
    /// Keeps so many for the write of this target. There are none for it.
    pub(super) fn keep(&mut self, target: &str, who: String, key: GateKey, left: u8, until: Instant) {
        self.by_end.insert((until, target.to_owned()));
        self.by_target.insert(target.to_owned(), Reads { who, key, left, until });
    }

    /// Those of a target.
    pub(super) fn of(&self, target: &str) -> Option<&Reads> {
        self.by_target.get(target)
    }

    /// Takes one of a target; whether there was one.
    pub(super) fn take(&mut self, key: &GateKey, target: &str) -> bool {
        let Some(kept) = self.by_target.get_mut(target).filter(|kept| kept.key == *key && kept.left > 0)
        else {
            return false;
        };
        kept.left -= 1;
        if kept.left == 0 {
            self.end(target);
        }
        true
    }

    /// Keeps no more of a target, and gives what was left.
    pub(super) fn end(&mut self, target: &str) -> Option<Reads> {
        let kept = self.by_target.remove(target)?;
        self.by_end.remove(&(kept.until, target.to_owned()));
        Some(kept)
    }

    /// When the next ones come back.
    pub(super) fn due(&self) -> Option<Instant> {
        self.by_end.first().map(|it| it.0)
    }

    /// A target whose reads are to come back now.
    pub(super) fn lapsed(&self, now: Instant) -> Option<String> {
        self.by_end.first().filter(|(until, _)| *until <= now).map(|(_, target)| target.clone())
    }
}
