//! The table that is drawn in place on a terminal, and line by line anywhere else.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use super::objects::Object;

/// The widths of the columns. No row is wider than 80 columns: a line that wraps could not be drawn over.
const NAME: usize = 38;
const READY: usize = 7;
const STATE: usize = 10;
const REASON: usize = 22;

/// Shows objects as they change.
pub(crate) struct Screen {
    live: bool,
    colour: bool,
    drawn: usize,
    last: BTreeMap<String, String>,
}

impl Screen {
    /// Live on a terminal, lines otherwise; colours unless `NO_COLOR` is set.
    pub(crate) fn new() -> Self {
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let live = std::io::stdout().is_terminal() && !dumb;
        let colour = live && std::env::var_os("NO_COLOR").is_none();
        Self { live, colour, drawn: 0, last: BTreeMap::new() }
    }

    /// Shows them as they are now.
    pub(crate) fn show(&mut self, at: Duration, objects: &[Object]) {
        let text = if self.live { self.table(at, objects) } else { self.changes(at, objects) };
        let mut out = std::io::stdout().lock();
        // A closed pipe ends the reader's interest, not the demo.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn table(&mut self, at: Duration, objects: &[Object]) -> String {
        let mut lines = vec![format!(
            "{:<NAME$} {:<READY$} {:<STATE$} {:<REASON$}",
            "OBJECT", "READY", "STATE", "REASON"
        )];
        lines.extend(objects.iter().map(|object| {
            let row = row(object);
            match (self.colour, object.ready()) {
                (true, "True") => format!("\x1b[32m{row}\x1b[0m"),
                (true, "False") => format!("\x1b[33m{row}\x1b[0m"),
                _ => row,
            }
        }));
        lines.push(format!("{:.1} s", at.as_secs_f64()));
        let up = if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
        self.drawn = lines.len();
        let body: String = lines.iter().flat_map(|line| ["\x1b[2K", line, "\n"]).collect();
        // What the last table had below this one's end is wiped as well: objects go away, too.
        format!("{up}{body}\x1b[J")
    }

    fn changes(&mut self, at: Duration, objects: &[Object]) -> String {
        let now: BTreeMap<String, String> = objects.iter().map(|o| (o.name(), row(o))).collect();
        let gone = self
            .last
            .keys()
            .filter(|name| !now.contains_key(*name))
            .map(|name| format!("{name:<NAME$} gone"));
        let changed =
            now.iter().filter(|(name, row)| self.last.get(*name) != Some(row)).map(|(_, row)| row.clone());
        let seconds = at.as_secs_f64();
        let lines: Vec<String> =
            changed.chain(gone).map(|row| format!("{seconds:>6.1} s  {}\n", row.trim_end())).collect();
        self.last = now;
        lines.concat()
    }
}

fn row(object: &Object) -> String {
    let or_dash = |text: &str, width: usize| {
        let text = if text.is_empty() { "-" } else { text };
        text.chars().take(width).collect::<String>()
    };
    format!(
        "{:<NAME$} {:<READY$} {:<STATE$} {:<REASON$}",
        or_dash(&object.name(), NAME),
        or_dash(object.ready(), READY),
        or_dash(object.state(), STATE),
        or_dash(object.reason(), REASON)
    )
}
