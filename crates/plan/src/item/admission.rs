//! Which writes a move leads to, and whether they may go out: nothing is read, held, claimed or confirmed for a write that
//! cannot.

use avnm_terms::{
    Lane, Reading,
    mutants::{Mutant, broken},
};

use super::{
    advance::Effect,
    answered::{Answer, Reader},
    history::Cause,
    owned::Item,
    seen::Seen,
    situation::Facts,
    transition::{Claimed, Goal, Move},
    write::Write,
};

impl Item {
    /// The write that this item would come to if it is as a list says, and why: asked for before a GET of its own, which would take
    /// one of few reads from those that may go.
    pub fn asks_before_look(&self, listed: &Reading<Seen>, facts: &Facts<'_>) -> Option<(Write, Lane)> {
        let mut taken = self.clone();
        taken.answered(
            Answer::Read { by: Reader::Listed, reading: listed.clone() },
            facts.waits,
            facts.now.steady,
        );
        taken.advance(facts).effects.into_iter().find_map(|effect| {
            let Effect::Admit { write, lane } = effect else { return None };
            Some((write, lane))
        })
    }

    /// Whether it was deleted to be made anew, and is not there yet.
    pub fn is_being_replaced(&self) -> bool {
        self.resource.is_replaced() && self.history.is_going()
    }

    /// What has to be asked before this move's effects: the first write that it leads to and that is not admitted yet.
    pub(super) fn asks(&self, step: Move, facts: &Facts<'_>) -> Option<Effect> {
        let write = self.leads_to(step).iter().find(|write| !self.read.admitted.has(**write))?;
        Some(Effect::Admit { write: *write, lane: self.lane(step, facts) })
    }

    /// The same body once more: like every write it is asked for first.
    pub fn again(&self) -> Effect {
        if self.read.admitted.has(Write::Put) {
            self.put(Cause::Again)
        } else {
            Effect::Admit { write: Write::Put, lane: Lane::Repair }
        }
    }

    /// The writes that a move is, or is made for.
    fn leads_to(&self, step: Move) -> &'static [Write] {
        match step {
            // What is deleted to be made anew is not deleted before it could be made.
            Move::Correct if self.resource.is_replaced() => {
                if broken(Mutant::ReplacedBlindly) {
                    &[Write::Delete]
                } else {
                    &[Write::Put, Write::Delete]
                }
            }
            Move::Put | Move::Correct => &[Write::Put],
            Move::Delete => &[Write::Delete],
            // What is there is taken or left alone, and takes no write.
            Move::Hold | Move::Claim | Move::Vouch | Move::Confirm | Move::Reintend | Move::Rehash
                if self.read.reading.is_absent() =>
            {
                &[Write::Put]
            }
            Move::Hold
            | Move::Claim
            | Move::Vouch
            | Move::Confirm
            | Move::Reintend
            | Move::Rehash
            | Move::Settled
            | Move::AwaitRead
            | Move::MarkHeld
            | Move::Adopt
            | Move::Refresh
            | Move::DropClaim
            | Move::Relinquish
            | Move::AwaitQuiet
            | Move::AwaitGone
            | Move::AwaitHeir
            | Move::Foreign
            | Move::AlreadyExists
            | Move::WouldWrite
            | Move::Frozen => &[],
        }
    }

    /// Whose turn it is: what a user asked for goes before what somebody changed behind our back.
    fn lane(&self, step: Move, facts: &Facts<'_>) -> Lane {
        if matches!(facts.goal, Goal::Gone | Goal::Left) {
            return Lane::Deletion;
        }
        let wished = if step == Move::Correct {
            self.situation(facts).claimed == (Claimed::Held { current: false })
        } else {
            step != Move::Reintend && self.cause() == Cause::Make
        };
        // What we deleted ourselves to make it anew is not left away for longer than that takes.
        if wished || self.is_being_replaced() { Lane::Change } else { Lane::Repair }
    }

    /// Why it is made: it never was, or it is gone.
    pub(super) fn cause(&self) -> Cause {
        if self.history.lost { Cause::Remake } else { Cause::Make }
    }
}
