//! `freshness::Look` over all that decides how new an answer has to be.

use std::fmt::Write as _;

use jiff::SignedDuration;

use super::{fold, markdown::table};
use avnm_plan::{
    freshness::{Age, CROWD, Look, Source, Subject},
    pace::Waits,
};

pub(super) const INTRODUCTION: &str = "\
Asked of `freshness::Look`, at the default settings: how old a list may be that answers a pass, and whether one thing is \
read by GET besides. A fact that is not named does not matter: that is computed, row by row.

- *forced*: a user asks for a fresh read (`avnm.dev/requestedAt`) and has not got it yet. *claimed*: the object claims the \
thing. *at rest*: it was, after its last pass. *first*: nothing is remembered of the object, whose status says that it is \
ready. *crowd*: more than 20 objects of the collection settle.
- *looked*: a GET of it came since this was asked for, by a pass that ended to wait for a collection. *as wanted*: what is \
known of it is what is wanted.
- The age counts from when the first pass of the same wish asked, so the pass that a read wakes finds it new enough.
- After each PUT and DELETE, before a claim is confirmed, and while a deletion waits for something to be gone, the thing \
is always read by GET.";

const FAST: SignedDuration = SignedDuration::ZERO;
const SLOW: SignedDuration = SignedDuration::from_secs(20);

const SUBJECTS: [(Subject, &str); 4] = [
    (Subject::Own, "what the object makes"),
    (Subject::External, "the other party's half"),
    (Subject::Listing, "whether the manager lists the target"),
    (Subject::Group, "the group, and its manager, before a first PUT"),
];

const NAMES: [&str; 5] = ["forced", "claimed", "at rest", "first", "crowd"];

fn look(subject: Subject, facts: [bool; 5], took: SignedDuration) -> Look {
    let [forced, claimed, at_rest, first, crowd] = facts;
    let settling = if crowd { CROWD + 1 } else { 1 };
    Look { subject, forced, claimed, at_rest, first, settling, took, each: false }
}

fn words(age: Age) -> String {
    match age {
        Age::Anew => "**anew**: begun since it was asked for, and no failure of before".to_owned(),
        Age::Within(SignedDuration::ZERO) => "begun since it was asked for".to_owned(),
        Age::Within(age) => format!("{} s", age.as_secs_f64()),
    }
}

pub(super) fn body() -> String {
    let waits = Waits::default();
    let ages = SUBJECTS.into_iter().flat_map(|(subject, name)| {
        let rows = fold::fold(|facts| [FAST, SLOW].map(|took| words(look(subject, facts, took).age(&waits))));
        rows.into_iter()
            .map(move |(when, [fast, slow])| vec![name.to_owned(), fold::words(&when, &NAMES), fast, slow])
    });
    let head = ["what is looked at", "when", "a list may be that old", "where a list takes 20 s"];
    let mut text = format!("## The list\n\n{}", table(&head, ages));
    let sources = SUBJECTS.into_iter().flat_map(|(subject, name)| {
        let rows = fold::fold(|[forced, claimed, at_rest, first, crowd, looked, as_wanted]: [bool; 7]| {
            look(subject, [forced, claimed, at_rest, first, crowd], FAST).source(looked, as_wanted)
        });
        rows.into_iter().map(move |(when, source)| {
            let source = match source {
                Source::List => "list",
                Source::Get => "**GET**",
            };
            let names = [&NAMES[..], &["looked", "as wanted"]].concat();
            vec![name.to_owned(), fold::words(&when, &names), source.to_owned()]
        })
    });
    let _ = write!(
        text,
        "\n## List or GET\n\n{}",
        table(&["what is looked at", "when", "it is as says"], sources)
    );
    text
}
