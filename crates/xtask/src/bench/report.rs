//! What was measured, for people (a table, and the same to paste into a page) and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::case::Case;
use super::figure::{Figures, Spread};
use super::machine::Machine;

/// All runs of all cases, in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    cases: Vec<(Case, Vec<Figures>)>,
}

const HEAD: [&str; 4] = ["figure", "median", "least .. most", "budget"];

impl Report {
    pub(crate) fn new(machine: Machine, cases: &[Case]) -> Self {
        Self { machine, cases: cases.iter().map(|case| (*case, Vec::new())).collect() }
    }

    /// Takes the figures of one run of a case.
    pub(crate) fn take(&mut self, case: Case, figures: Figures) {
        if let Some((_, runs)) = self.cases.iter_mut().find(|(known, _)| *known == case) {
            runs.push(figures);
        }
    }

    /// Cases that were measured, each with its figures.
    fn measured(&self) -> impl Iterator<Item = (Case, usize, Vec<Spread>)> {
        let measured = self.cases.iter().filter(|(_, runs)| !runs.is_empty());
        measured.map(|(case, runs)| (*case, runs.len(), Spread::of(runs)))
    }

    fn rows(spreads: &[Spread]) -> Vec<[String; 4]> {
        let row = |it: &Spread| [it.name.clone(), it.middle(), it.range(), it.budget.clone()];
        spreads.iter().map(row).collect()
    }

    /// The table for a terminal.
    pub(crate) fn table(&self) -> String {
        let all: Vec<_> =
            self.measured().map(|(case, runs, spreads)| (case, runs, Self::rows(&spreads))).collect();
        let mut width = HEAD.map(str::len);
        for row in all.iter().flat_map(|(_, _, rows)| rows) {
            for (width, cell) in width.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let [first, second, third, _] = width;
        let mut text = format!("{}\n\n", self.machine.line());
        let mut line = |row: [&str; 4], indent: &str| {
            let [name, middle, range, budget] = row;
            let line = format!("{indent}{name:<first$}  {middle:>second$}  {range:<third$}  {budget}");
            let _ = writeln!(text, "{}", line.trim_end());
        };
        line(HEAD, "  ");
        for (case, runs, rows) in &all {
            line([&title(*case, *runs), "", "", ""], "");
            for row in rows {
                line(row.each_ref().map(String::as_str), "  ");
            }
        }
        text
    }

    /// The same as a table of Markdown for each case.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("Measured {}.\n", self.machine.line());
        for (case, runs, spreads) in self.measured() {
            let _ =
                write!(text, "\n**{}**\n\n| {} |\n|---|---|---|---|\n", title(case, runs), HEAD.join(" | "));
            for row in Self::rows(&spreads) {
                let _ = writeln!(text, "| {} |", row.join(" | "));
            }
        }
        text
    }

    /// All of it, each run too.
    pub(crate) fn json(&self) -> Value {
        let case = |(case, runs, spreads): (Case, usize, Vec<Spread>)| {
            json!({
                "name": case.to_string(),
                "about": case.kind.about(),
                "runs": runs,
                "figures": spreads.iter().map(Spread::json).collect::<Vec<_>>(),
            })
        };
        json!({"machine": self.machine.json(), "cases": self.measured().map(case).collect::<Vec<_>>()})
    }
}

fn title(case: Case, runs: usize) -> String {
    let runs = if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") };
    format!("{case}: {} ({runs})", case.kind.about())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let cases: Vec<Case> = ["program", "create-1x1"].map(|name| name.parse().unwrap()).into();
        let mut report = Report::new(Machine::here(None), &cases);
        for bytes in [2_000_000, 1_000_000, 3_000_000] {
            let mut figures = Figures::default();
            figures.bytes("stripped", bytes, "9 MB");
            report.take(cases[0], figures);
        }
        report
    }

    #[test]
    fn the_table_has_what_was_measured_in_columns() {
        let table = report().table();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "  figure    median  least .. most     budget",
                "program: the size of the shipped program (3 runs)",
                "  stripped  2.0 MB  1.0 MB .. 3.0 MB  9 MB",
            ]
        );
    }

    #[test]
    fn markdown_can_be_pasted() {
        let text = report().markdown();
        assert!(
            text.contains("\n| figure | median | least .. most | budget |\n|---|---|---|---|\n"),
            "{text}"
        );
        assert!(text.contains("\n| stripped | 2.0 MB | 1.0 MB .. 3.0 MB | 9 MB |\n"), "{text}");
    }

    #[test]
    fn the_file_has_each_run_and_where_it_ran() {
        let json = report().json();
        assert_eq!(json["cases"].as_array().unwrap().len(), 1, "what was not measured has no line");
        assert_eq!(json["cases"][0]["figures"][0]["runs"], json!([2e6, 1e6, 3e6]));
        for field in ["cpu", "cores", "kernel", "commit", "date", "profile"] {
            assert!(!json["machine"][field].is_null(), "{field}");
        }
    }
}
