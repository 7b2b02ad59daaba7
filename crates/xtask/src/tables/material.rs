//! `credential::material::transition` over all states, events and facts.

mod example;

use std::{fmt::Write as _, time::Duration};

use self::example::{
    ASSERTION, Kind, NOW, OTHER, PROBE, Paper, RECENT, SECRET, entra, facts, gone, refusal, silence, untimely,
};
use super::{fold, markdown::table};
use avnm_plan::credential::material::{
    DOUBT, Entra, Entry, Event, Loaded, Look, Material as _, Next, Standing, State, Turn, transition,
};

pub(super) const INTRODUCTION: &str = "\
Asked of `credential::material::transition`. Whoever needs to sign in with a credential asks, and is told what comes \
next until there is an **Answer**; what the source and Entra said is an event in between. A fact that is not named \
does not matter: that is computed, row by row.

- The looks: *Use* by objects that use the credential; by its own pass *Own*, *Changed* after a change of its spec, \
*Requested* on demand.
- *in turn*: nobody else reads this source or signs in with it meanwhile. *due*: it is time to read the source again. \
*token*: one is in hand that can be sent. *holds*: whoever asks holds something in Azure with the credential. *again*: \
after an assertion that Entra found untimely.
- The source: *there*; *silent*, it could not be read now and what is in hand stands; *gone*, and the material is the \
last. Entra: *open*, or *refused* less than a probe ago; *until*: it named a time that is not over yet.
- A ServiceAccount's token was made for us, and each reading would make another one. *served*: two thirds of its life are \
over. *doubted*: Entra refused it, for its time, its signature or whom it names. *old enough*: it was asked for 10 minutes \
ago or more. While it stays in hand, it is only looked at whether the ServiceAccount is there.
- *turned away*: the credential's own pass wakes its users once it is good.
- A refusal that somebody met later, with the material that was given, counts like that of a sign-in here, and only \
while that material is in hand.";

const LOOKS: [Look; 4] = [Look::Use, Look::Own, Look::Changed, Look::Requested];

/// Rows that differ in their first cell alone, as one.
fn merged(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let mut groups: Vec<(Vec<String>, Vec<Vec<String>>)> = Vec::new();
    for row in rows {
        match groups.last_mut() {
            Some((firsts, rest)) if firsts.last() == Some(&row[0]) => rest.push(row[1..].to_vec()),
            _ => groups.push((vec![row[0].clone()], vec![row[1..].to_vec()])),
        }
    }
    let mut merged: Vec<(Vec<String>, Vec<Vec<String>>)> = Vec::new();
    for (firsts, rest) in groups {
        match merged.iter_mut().find(|(_, known)| *known == rest) {
            Some((known, _)) => known.extend(firsts),
            None => merged.push((firsts, rest)),
        }
    }
    let rows = merged.into_iter().flat_map(|(firsts, rest)| {
        let first = firsts.join("; or ");
        rest.into_iter().map(move |cells| [vec![first.clone()], cells].concat())
    });
    rows.collect()
}

fn told(fault_code: &str) -> &'static str {
    if fault_code == gone().code {
        "that the source is gone"
    } else if fault_code == silence().code {
        "that nobody answered"
    } else {
        "what Entra said"
    }
}

fn next_words(turn: &Turn<Paper>) -> String {
    let words = match &turn.next {
        None => "nothing".to_owned(),
        Some(Next::WaitTurn) => "**WaitTurn**".to_owned(),
        Some(Next::Read { again, .. }) => format!("**Read**{}", if *again { " again" } else { "" }),
        Some(Next::SignIn { fresh, .. }) => {
            format!("**SignIn**{}", if *fresh { ", although a token is in hand" } else { "" })
        }
        Some(Next::Answer(Err(fault))) => format!("**Answer**: {}", told(&fault.code)),
        Some(Next::Answer(Ok(Loaded { last_material: true, .. }))) => {
            "**Answer**: the last material".to_owned()
        }
        Some(Next::Answer(Ok(_))) => "**Answer**: the material".to_owned(),
    };
    if turn.entry.turned_away { format!("{words}; turned away") } else { words }
}

fn run(state: State<Paper>, event: Event<'_, Paper>, token: bool, holds: bool) -> Turn<Paper> {
    facts(token, holds, |facts| transition(Entry { state, turned_away: false }, event, facts))
}

fn when_due() -> String {
    let seconds = |kind: Kind, look| {
        let due = (0..=PROBE.as_secs()).find(|seconds| {
            let read_at = NOW.saturating_sub(Duration::from_secs(*seconds));
            let state = kind.state(read_at, Entra::Open, SECRET);
            let next = run(state, Event::Asked { look, in_turn: true }, false, true).next;
            next == Some(Next::Read { again: false, keep: None })
        });
        due.map_or_else(|| "never".to_owned(), |seconds| seconds.to_string())
    };
    let rows = Kind::ALL.map(|kind| {
        let cells = LOOKS.map(|look| seconds(kind, look));
        [vec![kind.words().to_owned()], cells.to_vec()].concat()
    });
    let head: Vec<String> = LOOKS.iter().map(|look| format!("{look:?}")).collect();
    let head: Vec<&str> = std::iter::once("known").chain(head.iter().map(String::as_str)).collect();
    table(&head, rows)
}

/// One row for each look, source and set of facts that matter, and looks and sources with the same rows together.
fn by_look<const N: usize>(
    kinds: &[Kind],
    names: [&str; N],
    outcome: impl Fn(Look, Kind, [bool; N]) -> String,
) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for look in LOOKS {
        let mut of_look = Vec::new();
        for kind in kinds {
            for (when, next) in fold::fold(|facts| outcome(look, *kind, facts)) {
                of_look.push(vec![kind.words().to_owned(), fold::words(&when, &names), next]);
            }
        }
        rows.extend(merged(of_look).into_iter().map(|row| [vec![format!("{look:?}")], row].concat()));
    }
    merged(rows)
}

fn when_asked() -> String {
    const NAMES: [&str; 6] = ["due", "in turn", "holds", "token", "refused", "until"];
    let rows = by_look(&Kind::ALL, NAMES, |look, kind, [due, in_turn, holds, token, refused, named]| {
        let read_at = if due { Duration::ZERO } else { RECENT };
        let state = kind.state(read_at, entra(refused, named), SECRET);
        next_words(&run(state, Event::Asked { look, in_turn }, token, holds))
    });
    table(&["look", "known", "when", "next"], rows)
}

fn when_read() -> String {
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        for (words, result) in [
            ("the same material", Ok(SECRET)),
            ("another material", Ok(OTHER)),
            ("no answer", Err(silence())),
            ("that it is not there, or not as it must be", Err(gone())),
        ] {
            let turns = [(false, false), (true, false), (true, true)].map(|(refused, named)| {
                let before = entra(refused, named);
                let event = Event::SourceRead { look: Look::Own, again: false, result: result.clone() };
                (run(kind.state(Duration::ZERO, before.clone(), SECRET), event, false, false), before)
            });
            let (first, _) = &turns[0];
            let of_entra = match kind.source() {
                None => "",
                Some(_)
                    if turns.iter().all(|(turn, before)| example::entra_of(&turn.entry.state) == *before) =>
                {
                    "as it was"
                }
                Some(_) => "open",
            };
            let token = if first.drop_token.is_some() { "the old one is dropped" } else { "" };
            let cells = [kind.words(), words, example::known(&first.entry.state), of_entra, token];
            rows.push(cells.map(str::to_owned).to_vec());
        }
    }
    table(&["known", "the source said", "then known", "Entra is then", "token"], merged(rows))
}

fn after_reading() -> String {
    const NAMES: [&str; 5] = ["again", "holds", "token", "refused", "until"];
    let rows = by_look(&Kind::ALL[1..], NAMES, |look, kind, [again, holds, token, refused, named]| {
        let state = kind.state(Duration::ZERO, entra(refused, named), SECRET);
        let event = Event::SourceRead { look, again, result: kind.said(SECRET) };
        next_words(&run(state, event, token, holds))
    });
    table(&["look", "then known", "when", "next"], rows)
}

/// Of an assertion that each reading would have made anew: what stays in hand while its source is there.
fn when_kept() -> String {
    const NAMES: [&str; 3] = ["served", "doubted", "old enough"];
    let rows = by_look(&Kind::ALL[2..], NAMES, |look, kind, [served, doubted, old_enough]| {
        let age = if old_enough { DOUBT } else { PROBE };
        let life = if served { age } else { age * 2 };
        let serving = example::serving(NOW.saturating_sub(age), life);
        let refused = Entra::Refused { fault: untimely(), until: NOW };
        let state = kind.state(Duration::ZERO, if doubted { refused } else { Entra::Open }, serving);
        match run(state, Event::Asked { look, in_turn: true }, false, true).next {
            Some(Next::Read { keep: Some(_), .. }) => "stays in hand".to_owned(),
            Some(Next::Read { keep: None, .. }) => "another one is asked for".to_owned(),
            other => panic!("not read: {other:?}"),
        }
    });
    table(&["look", "known", "when", "the token"], rows)
}

fn when_signed_in() -> String {
    const NAMES: [&str; 4] = ["again", "an assertion", "the last material", "token"];
    let mut rows = Vec::new();
    for (words, result) in [
        ("a token", Ok(())),
        ("that the assertion is untimely", Err(untimely())),
        ("anything else", Err(refusal())),
    ] {
        let outcome = |[again, assertion, last_material, token]: [bool; 4]| {
            let material = if assertion { ASSERTION } else { SECRET };
            let kind = if last_material { Kind::Gone } else { Kind::There };
            let with = Loaded { credential: material.clone(), last_material };
            let state = kind.state(RECENT, Entra::Open, material);
            let event = Event::SignedIn { look: Look::Own, again, with, result: result.clone() };
            let turn = run(state, event, token, true);
            let open = example::entra_of(&turn.entry.state) == Entra::Open;
            (next_words(&turn), if open { "open" } else { "refused" })
        };
        for (when, (next, entra)) in fold::fold(outcome) {
            rows.push(vec![words.to_owned(), fold::words(&when, &NAMES), next, entra.to_owned()]);
        }
    }
    table(&["Entra said", "when", "next", "Entra is then"], rows)
}

fn told_and_swept() -> String {
    const NAMES: [&str; 3] = ["read with this material", "token", "refused"];
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        let entry = |refused| {
            let state = kind.state(RECENT, entra(refused, false), SECRET);
            Entry { state, turned_away: false }
        };
        let warning = entry(false).warning().map_or("nothing", |fault| told(&fault.code));
        let outcome = |[same, token, refused]: [bool; 3]| {
            let read_with = if same { SECRET } else { OTHER };
            match facts(token, false, |facts| entry(refused).standing(read_with.key(), facts)) {
                Standing::Gone => "**Gone**",
                Standing::Paused => "**Paused**",
                Standing::Good(_) => "**Good**",
            }
        };
        for (when, standing) in fold::fold(outcome) {
            let cells = [kind.words(), warning, &fold::words(&when, &NAMES), standing];
            rows.push(cells.map(str::to_owned).to_vec());
        }
    }
    table(&["known", "its own pass warns", "a sweep, when", "finds it"], merged(rows))
}

pub(super) fn body() -> String {
    let mut text = String::new();
    for (title, table) in [
        ("When the source is read again, in seconds after it was", when_due()),
        ("Somebody asks", when_asked()),
        ("The source was read", when_read()),
        ("What comes after reading", after_reading()),
        ("Whether a ServiceAccount's token stays in hand, when its source is read", when_kept()),
        ("Entra was asked", when_signed_in()),
        ("What is said of it, and whether a sweep goes on", told_and_swept()),
    ] {
        let _ = writeln!(text, "## {title}\n\n{table}");
    }
    text
}
