//! The table: what was measured, and what the design allows.

use std::fmt;
use std::time::Duration;

/// Rows in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<[String; 3]>,
}

impl Table {
    /// A heading.
    pub(crate) fn section(&mut self, name: &str) {
        self.rows.push([name.to_owned(), String::new(), String::new()]);
    }

    /// One figure under the last heading. `budget` is `""` where the design has none.
    pub(crate) fn row(&mut self, figure: &str, measured: impl Into<String>, budget: &str) {
        let budget = if budget.is_empty() { "-" } else { budget };
        self.rows.push([format!("  {figure}"), measured.into(), budget.to_owned()]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["figure", "measured", "budget"].map(str::to_owned);
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&head]).map(|row| row[column].chars().count());
            cells.max().unwrap_or_default()
        };
        let (first, second) = (width(0), width(1));
        for row in [&head].into_iter().chain(&self.rows) {
            let line = format!("{:<first$}  {:<second$}  {}", row[0], row[1], row[2]);
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// `8.6 MB`, of a million bytes each, as registries count.
pub(crate) fn mega_bytes(bytes: u64) -> String {
    let tenths = bytes / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

/// `41 ms`
pub(crate) fn millis(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

/// `1.94 s`
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// The value that so many percent of all do not exceed, by nearest rank. `sorted` is in order and not empty.
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: usize) -> T {
    let rank = (sorted.len() * percent).div_ceil(100).clamp(1, sorted.len());
    sorted[rank - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::default();
        table.section("memory");
        table.row("at rest", "12.0 MB", "");
        let text = table.to_string();
        assert_eq!(text, "figure     measured  budget\nmemory\n  at rest  12.0 MB   -\n");
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let sorted: Vec<u32> = (1..=20).collect();
        assert_eq!([50, 99, 100].map(|percent| percentile(&sorted, percent)), [10, 20, 20]);
        assert_eq!(percentile(&[7], 1), 7);
    }

    #[test]
    fn sizes_are_in_millions_of_bytes() {
        assert_eq!(mega_bytes(8_670_000), "8.6 MB");
        assert_eq!(mega_bytes(0), "0.0 MB");
    }
}
