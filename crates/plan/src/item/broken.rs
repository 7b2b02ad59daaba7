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
    let breaks = [
        (Mutant::SkipClaim, Move::Claim, Move::Put),
        (Mutant::ReleaseEarly, Move::Delete, Move::DropClaim),
        (Mutant::ReleaseEarly, Move::AwaitGone, Move::DropClaim),
        (Mutant::DeleteNever, Move::Delete, Move::AwaitGone),
        (Mutant::CorrectNever, Move::Correct, Move::Settled),
        (Mutant::ForeignIsOurs, Move::Foreign, Move::Adopt),
    ];
    let broken = breaks.into_iter().find(|(mutant, from, _)| *from == step && broken(*mutant));
    broken.map_or(step, |(_, _, to)| to)
}
