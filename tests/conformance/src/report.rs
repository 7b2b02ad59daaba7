//! What is printed: a line for each file, a total, and everything that is not explained.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::decode::Decoded;
use crate::forms::{FORMS, HEADER_FORMS};
use crate::headers::IGNORED_HEADERS;
use crate::replay::Played;
use crate::rules::EXPLANATIONS;

/// Counts of a file, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Exchanges.
    pub exchanges: usize,
    /// Those that the client's types decode without loss.
    pub decoded: usize,
    /// Those that the emulator was asked.
    pub replayed: usize,
    /// Differences with a reason.
    pub explained: usize,
    /// Differences without one, and what decoding lost.
    pub unexplained: usize,
}

impl Counts {
    /// The counts of one file.
    pub fn of(played: &Played) -> Self {
        let mut counts = Self { exchanges: played.outcomes.len(), ..Self::default() };
        for outcome in &played.outcomes {
            counts.replayed += usize::from(outcome.replayed);
            match &outcome.decoded {
                Decoded::Whole => counts.decoded += 1,
                Decoded::NoType => {}
                Decoded::Lost(lost) => counts.unexplained += lost.len(),
            }
            let explained = outcome.differences.iter().filter(|it| it.explanation.is_some()).count();
            counts.explained += explained;
            counts.unexplained += outcome.differences.len() - explained;
        }
        counts
    }

    fn add(&mut self, other: Self) {
        self.exchanges += other.exchanges;
        self.decoded += other.decoded;
        self.replayed += other.replayed;
        self.explained += other.explained;
        self.unexplained += other.unexplained;
    }
}

/// The whole report, and whether everything is explained.
pub fn report(all: &[Played], verbose: bool) -> (String, bool) {
    let mut out = String::new();
    let width = all.iter().map(|it| it.name.len()).max().unwrap_or_default().max("total".len());
    let mut total = Counts::default();
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    let _ = writeln!(
        out,
        "{:width$}  exchanges  decoded  replayed  explained  not explained",
        format!("{} files", all.len())
    );
    for played in all {
        let counts = Counts::of(played);
        total.add(counts);
        line(&mut out, &played.name, counts, width);
        if verbose {
            let _ = writeln!(out, "    {}", played.generation);
            for reason in &played.preconditions {
                let _ = writeln!(out, "    before: {reason}");
            }
        }
        for outcome in &played.outcomes {
            let mut details = String::new();
            if verbose {
                for note in &outcome.preconditions {
                    let _ = writeln!(details, "        before: {note}");
                }
                if outcome.decoded == Decoded::NoType {
                    let _ = writeln!(details, "        not decoded: the client has no type for it");
                }
            }
            if let Decoded::Lost(lost) = &outcome.decoded {
                for lost in lost {
                    let _ = writeln!(details, "        NOT EXPLAINED decoding: {lost}");
                }
            }
            for judged in &outcome.differences {
                match judged.explanation {
                    Some(rule) => {
                        *rules.entry(rule.name).or_default() += 1;
                        if verbose {
                            let _ = writeln!(details, "        {}: {}", rule.name, judged.difference);
                        }
                    }
                    None => {
                        let _ = writeln!(details, "        NOT EXPLAINED {}", judged.difference);
                    }
                }
            }
            if verbose || !details.is_empty() {
                let _ = writeln!(out, "    {}", outcome.call);
                out.push_str(&details);
            }
        }
    }
    line(&mut out, "total", total, width);
    if !rules.is_empty() {
        let _ = writeln!(out, "\nexplained differences, by rule (--list-rules tells what each is built on):");
        for rule in EXPLANATIONS {
            if let Some(count) = rules.get(rule.name) {
                let _ = writeln!(out, "{count:5}  {}: {}", rule.name, rule.reason);
            }
        }
    }
    (out, total.unexplained == 0 && total.exchanges > 0)
}

fn line(out: &mut String, name: &str, counts: Counts, width: usize) {
    let Counts { exchanges, decoded, replayed, explained, unexplained } = counts;
    let _ = writeln!(
        out,
        "{name:width$}  {exchanges:9}  {decoded:7}  {replayed:8}  {explained:9}  {unexplained:13}"
    );
}

/// Every rule, for people.
pub fn rules() -> String {
    let mut out = String::from("normalised, because Azure invents the value:\n");
    for form in FORMS {
        let _ = writeln!(out, "  {} ({}): {}", form.name, form.properties.join(", "), form.reason);
    }
    for (name, reason) in HEADER_FORMS {
        let _ = writeln!(out, "  {name}: {reason}");
    }
    out.push_str("\nheaders that are not compared:\n");
    for (reason, names) in IGNORED_HEADERS {
        let _ = writeln!(out, "  {}: {reason}", names.join(", "));
    }
    out.push_str("\nexplained differences:\n");
    for rule in EXPLANATIONS {
        let until = rule.until.map_or_else(String::new, |day| format!(" (traffic before {day})"));
        let _ = writeln!(out, "  {}{until}: {}\n      evidence: {}", rule.name, rule.reason, rule.evidence);
    }
    out
}
