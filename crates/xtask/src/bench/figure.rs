//! Figures of one run, and what several runs give together.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Millis,
    Bytes,
    Count,
    PerSecond,
    /// A part of one core.
    Cores,
    /// A multiple of another figure.
    Times,
}

impl Unit {
    fn word(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Millis => "ms",
            Self::Bytes => "bytes",
            Self::Count => "count",
            Self::PerSecond => "per second",
            Self::Cores => "cores",
            Self::Times => "times",
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Seconds => format!("{value:.2} s"),
            Self::Millis if value < 10.0 => format!("{value:.1} ms"),
            Self::Millis => format!("{value:.0} ms"),
            // Of a million bytes each, as registries count.
            Self::Bytes => format!("{:.1} MB", value / 1e6),
            Self::Count => thousands(value),
            Self::PerSecond => format!("{}/s", thousands(value.round())),
            Self::Cores => format!("{value:.2} cores"),
            Self::Times => format!("{value:.2}x"),
        }
    }
}

/// `26,028`; with one decimal where it is the middle of two.
fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.trunc());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value.fract() != 0.0 {
        let _ = write!(text, ".{:.0}", (value.fract() * 10.0).trunc());
    }
    text
}

/// One figure of one run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    name: String,
    unit: Unit,
    value: f64,
    budget: String,
}

/// The figures of one run of one case, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Figures(Vec<Figure>);

#[allow(clippy::cast_precision_loss, reason = "counts and bytes of a machine, far below 2^52")]
impl Figures {
    /// Adds one. `budget` is what the design allows, `""` where it says nothing.
    pub(crate) fn add(&mut self, name: impl Into<String>, unit: Unit, value: f64, budget: &str) {
        self.0.push(Figure { name: name.into(), unit, value, budget: budget.to_owned() });
    }

    pub(crate) fn seconds(&mut self, name: impl Into<String>, time: Duration, budget: &str) {
        self.add(name, Unit::Seconds, time.as_secs_f64(), budget);
    }

    pub(crate) fn millis(&mut self, name: impl Into<String>, time: Duration, budget: &str) {
        self.add(name, Unit::Millis, time.as_secs_f64() * 1e3, budget);
    }

    pub(crate) fn bytes(&mut self, name: impl Into<String>, bytes: u64, budget: &str) {
        self.add(name, Unit::Bytes, bytes as f64, budget);
    }

    pub(crate) fn count(&mut self, name: impl Into<String>, count: u64, budget: &str) {
        self.add(name, Unit::Count, count as f64, budget);
    }
}

/// One figure of all runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spread {
    pub(crate) name: String,
    pub(crate) budget: String,
    unit: Unit,
    runs: Vec<f64>,
}

impl Spread {
    /// The figures of several runs of one case, each with all its values. One that a run lacks has fewer.
    pub(crate) fn of(runs: &[Figures]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for figure in runs.iter().flat_map(|run| &run.0) {
            if let Some(known) = all.iter_mut().find(|known| known.name == figure.name) {
                known.runs.push(figure.value);
            } else {
                all.push(Self {
                    name: figure.name.clone(),
                    budget: figure.budget.clone(),
                    unit: figure.unit,
                    runs: vec![figure.value],
                });
            }
        }
        all
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.runs.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The value in the middle; of an even number, the mean of the two there.
    fn median(&self) -> f64 {
        let sorted = self.sorted();
        let half = sorted.len() / 2;
        if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
    }

    fn ends(&self) -> (f64, f64) {
        let sorted = self.sorted();
        (sorted[0], sorted[sorted.len() - 1])
    }

    /// The median, as it is written.
    pub(crate) fn middle(&self) -> String {
        self.unit.show(self.median())
    }

    /// `10.8 s .. 11.9 s`; empty where all runs gave the same.
    pub(crate) fn range(&self) -> String {
        let (least, most) = self.ends();
        let (least, most) = (self.unit.show(least), self.unit.show(most));
        if least == most { String::new() } else { format!("{least} .. {most}") }
    }

    /// All of it.
    pub(crate) fn json(&self) -> Value {
        let (least, most) = self.ends();
        json!({
            "name": self.name,
            "unit": self.unit.word(),
            "median": self.median(),
            "min": least,
            "max": most,
            "budget": (!self.budget.is_empty()).then_some(&self.budget),
            "runs": self.runs,
        })
    }
}

/// The value that so many percent of all do not exceed, by nearest rank. `sorted` is in order and not empty.
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: usize) -> T {
    let rank = (sorted.len() * percent).div_ceil(100).clamp(1, sorted.len());
    sorted[rank - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(unit: Unit, values: &[f64]) -> Spread {
        let runs: Vec<Figures> = values
            .iter()
            .map(|value| {
                let mut run = Figures::default();
                run.add("x", unit, *value, "1");
                run
            })
            .collect();
        Spread::of(&runs).remove(0)
    }

    #[test]
    fn the_middle_and_the_ends_of_all_runs() {
        let three = spread(Unit::Seconds, &[3.0, 1.0, 2.0]);
        assert_eq!((three.middle(), three.range()), ("2.00 s".into(), "1.00 s .. 3.00 s".into()));
        assert_eq!(spread(Unit::Count, &[1.0, 2.0]).middle(), "1.5");
        assert_eq!(spread(Unit::Count, &[7.0, 7.0]).range(), "", "nothing to say");
        assert_eq!(three.json()["runs"], json!([3.0, 1.0, 2.0]), "in the order in which they were");
    }

    #[test]
    fn a_figure_that_a_run_lacks_is_none_of_it() {
        let (mut first, mut second) = (Figures::default(), Figures::default());
        first.count("a", 1, "");
        first.count("b", 2, "");
        second.count("b", 4, "");
        let spreads = Spread::of(&[first, second]);
        assert_eq!(spreads.iter().map(Spread::middle).collect::<Vec<_>>(), ["1", "3"]);
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(thousands(26_028.0), "26,028");
        assert_eq!(thousands(0.0), "0");
        assert_eq!(thousands(999.5), "999.5");
        assert_eq!(Unit::Bytes.show(8_670_000.0), "8.7 MB");
        assert_eq!((Unit::Millis.show(3.04), Unit::Millis.show(41.2)), ("3.0 ms".into(), "41 ms".into()));
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let sorted: Vec<u32> = (1..=20).collect();
        assert_eq!([50, 99, 100].map(|percent| percentile(&sorted, percent)), [10, 20, 20]);
        assert_eq!(percentile(&[7], 1), 7);
    }
}
