//! What became of what was done: the only place that changes an item.

use avnm_api::{Claim, ClaimPhase};
use avnm_terms::{ArmId, Fault, Moment, Reading};

use super::{
    Key,
    history::{Cause, Fresh},
    owned::Item,
    seen::Seen,
    write::Write,
};
use crate::{fault, pace::Waits};

/// How a reading was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// From a list, or from what an earlier pass read by a GET and no list has overtaken.
    Listed,
    /// By a GET of its own that began then.
    Got(Moment),
}

/// What became of one thing that was done.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It was read.
    Read {
        /// How.
        by: Reader,
        /// What it came to.
        reading: Reading<Seen>,
    },
    /// A complete list shows the same thing under these other ids.
    Elsewhere {
        /// The same thing under another name.
        same: Option<ArmId>,
        /// Someone else's half that names another scope or manager.
        mismatch: Option<ArmId>,
    },
    /// Whether a write may go out now.
    Admitted(Write, Result<(), Fault>),
    /// The claim was changed in memory.
    Claimed(Option<Claim>),
    /// Status was written: the claim as it stands is durable.
    Persisted,
    /// What a claim rests on was read live; and why it does not serve, if so.
    Vouched(Option<String>),
    /// Azure was read after the claim was durable and vouched for.
    Confirmed,
    /// What we held is being made again.
    Remade,
    /// A PUT was answered, or was not.
    Put(Cause, Result<(), Fault>),
    /// A DELETE was answered, or was not.
    Deleted(Result<(), Fault>),
}

impl Item {
    /// Takes note of an answer.
    pub fn answered(&mut self, answer: Answer, waits: &Waits, now: Moment) {
        match answer {
            Answer::Read { by, reading } => self.note_reading(by, reading, waits),
            Answer::Elsewhere { same, mismatch } => {
                self.read.elsewhere = same;
                self.read.mismatch = mismatch;
            }
            Answer::Admitted(write, Ok(())) => self.read.admitted.add(write),
            // Nothing was sent, and nothing is in this pass.
            Answer::Admitted(_, Err(fault)) => self.read.write = Some(fault),
            Answer::Claimed(claim) => {
                self.history.claimed(self.claim.as_ref(), claim.as_ref());
                self.claim = claim;
                // A read from before the claim does not count as one after it.
                self.read.confirmed = false;
            }
            Answer::Persisted => self.durable.clone_from(&self.claim),
            Answer::Vouched(gone) => {
                self.read.vouched = gone.is_none();
                self.read.sources_gone = gone;
            }
            Answer::Confirmed => self.read.confirmed = true,
            Answer::Remade => {
                self.history.remade();
                self.read.remade = true;
            }
            Answer::Put(cause, Ok(())) => {
                self.read.admitted.spend(Write::Put);
                self.history.put(cause, self.wish.as_ref().map(|wish| wish.body.hash()), waits.sweep, now);
                self.read.remade = false;
                // A PUT that was answered with success is ours from then on.
                if let Some(claim) = &mut self.claim {
                    claim.phase = ClaimPhase::Held;
                }
            }
            Answer::Put(cause, Err(fault)) => {
                self.read.admitted.spend(Write::Put);
                let body = self.wish.as_ref().map(|wish| wish.body.hash());
                let refused = self.history.not_put(cause, body, &fault, waits.quiet, now);
                // A description that Azure does not take is no failure of what is described. What failed otherwise is, and is
                // not tried again in this pass.
                if !(refused && self.is_only_described_otherwise()) {
                    self.read.write = Some(fault);
                }
            }
            Answer::Deleted(Ok(())) => {
                self.read.admitted.spend(Write::Delete);
                self.history.deleted(now);
            }
            Answer::Deleted(Err(fault)) => {
                self.history.not_deleted(&fault);
                self.read.write = Some(fault);
            }
        }
    }

    /// Takes note that a list that was begun then is known.
    pub fn listed(&mut self, begun: Moment) {
        self.history.listed(begun);
    }

    fn note_reading(&mut self, by: Reader, reading: Reading<Seen>, waits: &Waits) {
        self.read.looked = true;
        self.history.denied = fault::denied(&[reading.fault()]).unwrap_or(self.history.denied);
        if reading.fault().is_none() {
            self.history.answered_to = self.signer.as_ref().map(|signer| Key::of(&signer.uid));
        }
        if let Reader::Got(begun) = by {
            // Absences of a half count only when they are apart; one is enough for a member.
            let apart = if self.resource.absences() > 1 { waits.gone } else { jiff::SignedDuration::ZERO };
            self.history.read(&reading, begun, apart, waits.lag);
            self.history.fresh = Some(Box::new(Fresh { begun, reading: reading.clone() }));
        }
        self.read.reading = reading;
        if self.shows_wanted() {
            // A correction that shows is done.
            self.history.as_wanted();
        }
    }
}
