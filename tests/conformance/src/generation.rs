//! Which build of the service traffic is from. Shapes follow the build and not the api-version.

use std::fmt;

use jiff::civil::Date;
use serde_json::Value;

use crate::recording::Recording;

/// When the traffic was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// The latest time in its bodies.
    Bodies(Date),
    /// No body has a time: the date in the file's name, which is that of the commit and a little later.
    Name(Date),
    /// Neither says. Then the newest build's shapes are asked for.
    Unknown,
}

impl Generation {
    /// When a recording's traffic was.
    pub fn of(recording: &Recording) -> Self {
        let mut latest: Option<Date> = None;
        for exchange in &recording.exchanges {
            if let Some(body) = &exchange.body {
                latest = latest.max(latest_in(body));
            }
        }
        if let Some(date) = latest {
            return Self::Bodies(date);
        }
        let name = recording.name.rsplit('@').next().and_then(|text| text.get(..10)?.parse().ok());
        name.map_or(Self::Unknown, Self::Name)
    }

    /// Whether it was before this day.
    pub fn before(self, day: Date) -> bool {
        match self {
            Self::Bodies(date) | Self::Name(date) => date < day,
            Self::Unknown => false,
        }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bodies(date) => write!(f, "traffic of {date}, by its bodies"),
            Self::Name(date) => write!(f, "traffic of {date}, by the file's name"),
            Self::Unknown => f.write_str("traffic of an unknown day: the newest shapes are asked for"),
        }
    }
}

fn latest_in(value: &Value) -> Option<Date> {
    match value {
        Value::Array(items) => items.iter().filter_map(latest_in).max(),
        Value::Object(fields) => fields
            .iter()
            .filter_map(|(name, value)| match (name.as_str(), value) {
                ("createdAt" | "lastModifiedAt", Value::String(text)) => text.get(..10)?.parse().ok(),
                (_, value) => latest_in(value),
            })
            .max(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, body: &str) -> Generation {
        let text = format!(r#"[{{"method":"GET","uri":"/a","status":200,"response_body":{body}}}]"#);
        Generation::of(&Recording::parse(name, &text).unwrap())
    }

    #[test]
    fn bodies_are_believed_before_the_name() {
        let body = r#"{"value":[{"systemData":{"createdAt":"2022-03-07T00:00:00.0000000Z","lastModifiedAt":"2023-08-28T00:00:00Z"}}]}"#;
        let bodies = of("cli-x@2024-06-05", body);
        assert_eq!(bodies, Generation::Bodies(jiff::civil::date(2023, 8, 28)));
        assert!(
            bodies.before(jiff::civil::date(2023, 8, 29)) && !bodies.before(jiff::civil::date(2023, 8, 28))
        );
        assert_eq!(of("cli-x@2024-06-05", "null"), Generation::Name(jiff::civil::date(2024, 6, 5)));
        assert_eq!(of("x", "null"), Generation::Unknown);
        assert!(!Generation::Unknown.before(jiff::civil::date(2099, 1, 1)));
    }
}
