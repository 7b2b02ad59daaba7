//! What [`Mutant`]s break of an item: a situation that is seen wrong, a move that is not made.

use super::transition::{Claimed, Move, Situation};
use crate::mutants::{Mutant, broken};

/// A situation as one sees it who breaks a rule.
pub(super) fn situation(mut s: Situation) -> Situation {
    if broken(Mutant::ClaimOfAnyId) && s.claimed == Claimed::OtherId {
        s.claimed = Claimed::Held { current: true };
    }
    s.given &= !broken(Mutant::NeverGiven);
    if broken(Mutant::AdoptAnything) {
        s.adoption = avnm_api::AdoptionPolicy::Always;
    }
    s
}

/// A move as one makes it who breaks a rule.
pub(super) fn step(step: Move) -> Move {
    match step {
        Move::Claim if broken(Mutant::SkipClaim) => Move::Put,
        Move::Delete | Move::AwaitGone if broken(Mutant::ReleaseEarly) => Move::DropClaim,
        Move::Delete if broken(Mutant::DeleteNever) => Move::AwaitGone,
        Move::Correct if broken(Mutant::CorrectNever) => Move::Settled,
        Move::Foreign if broken(Mutant::ForeignIsOurs) => Move::Adopt,
        other => other,
    }
}
