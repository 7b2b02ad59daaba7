//! Where a broken rule shows: for each mutant the lifecycle, and the fault, in which somebody notices. What is not named here
//! shows in some lifecycle without a fault.

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

/// Where to look first: the lifecycle, and what the first call with these words in its line suffers.
fn first(mutant: Mutant) -> Option<(Lifecycle, Option<(&'static str, Fault)>)> {
    use Lifecycle as L;
    let link = Some(match mutant {
        Mutant::RetryAfterIgnored => (L::MadeAndDeleted, ("/staticMembers", Fault::Status(429))),
        Mutant::HostFollowed => (L::MadeAndDeleted, ("/scopeConnections", Fault::Astray)),
        Mutant::EchoTold => (L::MadeAndDeleted, ("/oauth2/", Fault::Echo)),
        _ => return plainly(mutant).map(|lifecycle| (lifecycle, None)),
    });
    link.map(|(lifecycle, suffers)| (lifecycle, Some(suffers)))
}

/// Those that need no fault, and show in one lifecycle only.
fn plainly(_: Mutant) -> Option<Lifecycle> {
    None
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
    let named = first(mutant);
    // A day of rest is an hour of it, many times.
    let others = Lifecycle::ALL.iter().filter(|it| **it != Lifecycle::DayOfRest).map(|it| (*it, None));
    named.into_iter().chain(others).find_map(|(lifecycle, suffers)| {
        let why = play(lifecycle, seed, suffers, Some(mutant)).violations.into_iter().next()?;
        let sound = play(lifecycle, seed, suffers, None).violations.is_empty();
        sound.then_some(Killed { lifecycle, why })
    })
}
