//! What the API server said of tokens, for a while: a scraper comes every few seconds, and one that is refused even more often.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// What is known of who sent a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may read metrics.
    Allowed,
    /// It is nobody.
    Unknown,
    /// It is somebody, who may not.
    Forbidden,
}

impl Verdict {
    /// How long it counts: a token that is withdrawn reads metrics for as long, and a right that is given is noticed in as long.
    fn lasts(self) -> Duration {
        match self {
            Self::Allowed => Duration::from_secs(60),
            Self::Unknown | Self::Forbidden => Duration::from_secs(10),
        }
    }
}

/// A token's SHA-256: the token itself is kept nowhere.
pub(super) type Digest = [u8; 32];

/// The verdicts that count still. Tokens cost nothing to make up: those that are refused never push out one that is allowed.
#[derive(Debug, Default)]
pub(super) struct Verdicts(HashMap<Digest, (Verdict, Instant)>);

impl Verdicts {
    /// Most that are kept.
    pub(super) const MOST: usize = 256;

    pub(super) fn get(&self, token: &Digest, now: Instant) -> Option<Verdict> {
        self.0.get(token).filter(|(_, until)| now < *until).map(|(verdict, _)| *verdict)
    }

    pub(super) fn put(&mut self, token: Digest, verdict: Verdict, now: Instant) {
        if self.0.len() >= Self::MOST && !self.0.contains_key(&token) {
            self.0.retain(|_, (_, until)| now < *until);
        }
        if self.0.len() >= Self::MOST && !self.0.contains_key(&token) {
            let allowed = |kept: Verdict| kept == Verdict::Allowed;
            let first = self.0.iter().min_by_key(|(_, (kept, until))| (allowed(*kept), *until));
            match first.map(|(token, (kept, _))| (*token, *kept)) {
                Some((_, kept)) if allowed(kept) && !allowed(verdict) => return,
                Some((first, _)) => self.0.remove(&first),
                None => None,
            };
        }
        self.0.insert(token, (verdict, now + verdict.lasts()));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
