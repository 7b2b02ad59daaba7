//! Where a broken rule shows: for each mutant the lifecycle in which somebody notices, and the fault that it takes.

use avnm_terms::mutants::Mutant;

use super::{
    act::Act,
    faults::{Fault, Schedule},
    lifecycle::Lifecycle,
    play::{Outcome, play_acts},
};

/// Who noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Killed {
    /// In which lifecycle.
    pub lifecycle: Lifecycle,
    /// By which words.
    pub why: String,
}

/// What the first call with these words in its line suffers, for what shows only where something fails.
fn suffers(mutant: Mutant) -> Option<(&'static str, Fault)> {
    match mutant {
        Mutant::RetryAfterIgnored => Some(("/staticMembers", Fault::Status(429))),
        Mutant::HostFollowed => Some(("/scopeConnections", Fault::Astray)),
        Mutant::EchoTold => Some(("/oauth2/", Fault::Echo)),
        _ => None,
    }
}

/// The lifecycle in which it shows.
fn shows(mutant: Mutant) -> Lifecycle {
    use Mutant as M;
    match mutant {
        M::ClaimOfAnyId | M::AdoptAnything | M::ForeignIsOurs => Lifecycle::PutBack,
        M::NeverMeansIdentical => Lifecycle::Never,
        M::NeverGiven
        | M::HeirLoses
        | M::HeirIgnored
        | M::ContendNever
        | M::YieldEarly
        | M::YoungestWins
        | M::OrphanDeletes
        | M::ConfirmIgnored => Lifecycle::Renamed,
        M::QuietAlways | M::CutForgotten => Lifecycle::LateAfterCut,
        M::InheritForgotten => Lifecycle::LateAfterCrash,
        M::GoneAtOnce | M::LagIgnored => Lifecycle::Lagging,
        M::AbsencesKept => Lifecycle::LaggingMember,
        M::ObserveWrites | M::SuspendIgnored => Lifecycle::HandsOff,
        M::FrozenNever => Lifecycle::InConflict,
        M::PausedNever | M::UndoneUncounted => Lifecycle::Contended,
        M::ElsewhereIgnored => Lifecycle::Elsewhere,
        M::VouchedAlways | M::SkipHold => Lifecycle::Withdrawn,
        M::UnreadIsAbsent | M::UnreadIsReady => Lifecycle::Unheard,
        M::DriftUnseen | M::CorrectNever | M::RemakeNever | M::RelinquishDeletes => Lifecycle::Edited,
        M::StrangerIsOurs => Lifecycle::Forestalled,
        M::WaitDeletes => Lifecycle::Overtaken,
        M::MeanwhileIgnored => Lifecycle::Meanwhile,
        M::ReplacedBlindly => Lifecycle::Swapped,
        M::DeletedAgain => Lifecycle::SlowlyGone,
        M::GoingForgotten => Lifecycle::Lingering,
        M::UnwrittenYields => Lifecycle::Unwritten,
        M::UnwillingContends | M::UnsignedContends => Lifecycle::Unwilling,
        M::ContendPerObject => Lifecycle::Halves,
        M::UndecodedForgotten => Lifecycle::Skewed,
        M::MembersIgnored => Lifecycle::Blocked,
        M::CrdIgnored => Lifecycle::CrdGoes,
        M::FinalizerLost => Lifecycle::Stripped,
        M::EventsMerged => Lifecycle::Orphaned,
        M::RefusalUntold => Lifecycle::Refused,
        M::NamespaceWhole | M::LendingIgnored => Lifecycle::Lent,
        M::TerminatingTakes => Lifecycle::Moved,
        M::LeaseIgnored => Lifecycle::TwoReplicas,
        // Who is at rest has no passes, but a credential is probed.
        M::StatusAlways => Lifecycle::DayOfRest,
        M::HeldAlways
        | M::ConfirmedAlways
        | M::SkipClaim
        | M::ReleaseEarly
        | M::DeleteNever
        | M::PersistSkipped
        | M::RetryAfterIgnored
        | M::HostFollowed
        | M::EchoTold => Lifecycle::MadeAndDeleted,
    }
}

fn play(
    lifecycle: Lifecycle,
    seed: u64,
    suffers: Option<(&'static str, Fault)>,
    mutant: Option<Mutant>,
) -> Outcome {
    let planted = suffers.map(|(part, fault)| Act::Before(part.to_owned(), vec![Act::Suffer(fault)]));
    let acts: Vec<Act> = planted.into_iter().chain(lifecycle.acts()).collect();
    play_acts(acts, seed, &Schedule::default(), mutant)
}

/// Breaks a rule, and says who notices. A run in which something is told without the mutant, too, says nothing.
pub fn kill(mutant: Mutant, seed: u64) -> Option<Killed> {
    let (lifecycle, suffers) = (shows(mutant), suffers(mutant));
    let why = play(lifecycle, seed, suffers, Some(mutant)).violations.into_iter().next()?;
    let sound = play(lifecycle, seed, suffers, None).violations.is_empty();
    sound.then_some(Killed { lifecycle, why })
}
