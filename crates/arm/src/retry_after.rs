//! How long Azure asks to wait.

use std::time::Duration;

use jiff::Timestamp;

/// Longest wait believed. The old hourly quotas asked for up to an hour; more is a mistake or an attack.
pub(crate) const LONGEST: Duration = Duration::from_secs(3600);

/// Reads `Retry-After`: seconds, or a date. What is neither is no wish; a date in the past is a wait of nothing.
pub(crate) fn parse(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // All digits, so what does not fit is only too large.
        return Some(text.parse().map_or(LONGEST, Duration::from_secs).min(LONGEST));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let wait = Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO);
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("17", Some(17))]
    #[case(" 0 ", Some(0))]
    #[case("3600", Some(3600))]
    #[case("3601", Some(3600))]
    #[case("99999999999999999999999999", Some(3600))]
    #[case("-5", None)]
    #[case("1.5", None)]
    #[case("soon", None)]
    #[case("", None)]
    #[case("Tue, 24 Nov 2026 10:00:30 GMT", Some(30))]
    #[case("Tue, 24 Nov 2026 09:00:00 GMT", Some(0))]
    #[case("Wed, 25 Nov 2026 10:00:00 GMT", Some(3600))]
    #[case("Tue, 24 Nov 2026", None)]
    fn seconds_and_dates(#[case] text: &str, #[case] seconds: Option<u64>) {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        assert_eq!(parse(text, now), seconds.map(Duration::from_secs));
    }
}
