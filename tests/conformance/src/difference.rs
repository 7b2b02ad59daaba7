//! One way in which the emulator's answer is not the recorded one.

use std::fmt;

use serde_json::Value;

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Recorded, and the emulator does not have it.
    Missing,
    /// The emulator has it, and it is not recorded.
    Extra,
    /// Another JSON type: null, a text and nothing at all are three things.
    Type,
    /// Another value.
    Value,
    /// The value that Azure invented has another form.
    Form,
    /// The value that Azure invented stays where the recorded one moves, or the reverse.
    Identity,
    /// The exchange was not replayed at all.
    Unreplayed,
}

/// Where it differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The call as a whole.
    Call,
    /// The HTTP status.
    Status,
    /// A header, by name.
    Header(String),
    /// The body: the names that lead there, within the resource.
    Body(Vec<String>),
}

/// One difference.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What differs.
    pub what: What,
    /// Where.
    pub place: Place,
    /// What was recorded.
    pub recorded: String,
    /// What the emulator says.
    pub replayed: String,
    /// The recorded resource or error that it is in.
    pub resource: Value,
}

impl Difference {
    /// A difference outside of any body.
    pub fn new(what: What, place: Place, recorded: impl Into<String>, replayed: impl Into<String>) -> Self {
        Self { what, place, recorded: recorded.into(), replayed: replayed.into(), resource: Value::Null }
    }

    /// Whether it is in this property of the resource.
    pub fn is_at(&self, names: &[&str]) -> bool {
        matches!(&self.place, Place::Body(at) if at.iter().map(String::as_str).eq(names.iter().copied()))
    }

    /// Whether it is in a header whose name is accepted.
    pub fn is_header(&self, accepted: impl Fn(&str) -> bool) -> bool {
        matches!(&self.place, Place::Header(name) if accepted(name))
    }

    /// A property of the recorded resource's `properties`.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.resource.get("properties")?.get(name)?.as_str()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Call => f.write_str("the call")?,
            Place::Status => f.write_str("status")?,
            Place::Header(name) => write!(f, "header {name}")?,
            Place::Body(at) if at.is_empty() => f.write_str("body")?,
            Place::Body(at) => write!(f, "body {}", at.join("."))?,
        }
        if let Some(name) = self.resource.get("name").and_then(Value::as_str) {
            write!(f, " of {name}")?;
        }
        let (recorded, replayed) = (short(&self.recorded), short(&self.replayed));
        match self.what {
            What::Missing => write!(f, ": recorded {recorded}, the emulator has none"),
            What::Extra => write!(f, ": not recorded, the emulator has {replayed}"),
            What::Type => write!(f, ": recorded {recorded}, the emulator has {replayed} (another type)"),
            What::Value => write!(f, ": recorded {recorded}, the emulator has {replayed}"),
            What::Form => write!(f, ": recorded {recorded}, the emulator has {replayed} (another form)"),
            What::Identity => write!(f, ": recorded {recorded}, the emulator has {replayed} ({KEPT})"),
            What::Unreplayed => write!(f, ": {recorded} was not replayed: {replayed}"),
        }
    }
}

const KEPT: &str = "one of them is a value that was seen before, the other is not";

fn short(text: &str) -> String {
    const MAX: usize = 240;
    match text.char_indices().nth(MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
