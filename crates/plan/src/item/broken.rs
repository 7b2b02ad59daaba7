//! What [`Mutant`]s break of an item: a situation that is seen wrong, a move that is not made.

use avnm_api::AdoptionPolicy;
use avnm_terms::mutants::{Mutant, broken};

use super::transition::{Claimed, Goal, Move, SeenAs, Situation};

/// A situation as one sees it who breaks a rule.
pub(super) fn situation(mut s: Situation) -> Situation {
    if broken(Mutant::ClaimOfAnyId) && s.claimed == Claimed::OtherId {
        s.claimed = Claimed::Held { current: true };
    }
    if broken(Mutant::AdoptAnything)
        || (broken(Mutant::NeverMeansIdentical) && s.adoption == AdoptionPolicy::Never)
    {
        s.adoption =
            if broken(Mutant::AdoptAnything) { AdoptionPolicy::Always } else { AdoptionPolicy::IfIdentical };
    }
    if let SeenAs::Found { wanted, claimed } = &mut s.seen {
        *wanted |= broken(Mutant::DriftUnseen);
        *claimed |= broken(Mutant::StrangerIsOurs);
    } else if broken(Mutant::UnreadIsAbsent) {
        s.seen = SeenAs::Absent;
    }
    s.given &= !broken(Mutant::NeverGiven);
    s.quiet |= broken(Mutant::QuietAlways);
    s.gone |= broken(Mutant::GoneAtOnce);
    s.held |= broken(Mutant::HeldAlways);
    s.may_write |= broken(Mutant::ObserveWrites);
    s.frozen &= !broken(Mutant::FrozenNever);
    s.paused &= !broken(Mutant::PausedNever);
    s.elsewhere &= !broken(Mutant::ElsewhereIgnored);
    s.vouched |= broken(Mutant::VouchedAlways);
    s.confirmed |= broken(Mutant::ConfirmedAlways);
    s
}

/// A move as one makes it who breaks a rule.
pub(super) fn step(step: Move, goal: Goal) -> Move {
    let breaks = [
        (Mutant::SkipClaim, Move::Claim, Move::Put),
        (Mutant::SkipHold, Move::Hold, Move::Claim),
        (Mutant::ReleaseEarly, Move::Delete, Move::DropClaim),
        (Mutant::ReleaseEarly, Move::AwaitGone, Move::DropClaim),
        (Mutant::DeleteNever, Move::Delete, Move::AwaitGone),
        (Mutant::CorrectNever, Move::Correct, Move::Settled),
        (Mutant::RemakeNever, Move::Reintend, Move::Settled),
        (Mutant::ForeignIsOurs, Move::Foreign, Move::Adopt),
        (Mutant::RelinquishDeletes, Move::Relinquish, Move::Delete),
        (Mutant::HeirLoses, Move::AwaitHeir, Move::Delete),
    ];
    if broken(Mutant::WaitDeletes) && step == Move::AwaitQuiet && goal == Goal::Gone {
        return Move::Delete;
    }
    let broken = breaks.into_iter().find(|(mutant, from, _)| *from == step && broken(*mutant));
    broken.map_or(step, |(_, _, to)| to)
}
