//! A call to ARM, as the rules see it.

use jiff::Timestamp;
use serde_json::Value;

use super::tokens::Caller;
use crate::answer::{Answer, Answered};
use crate::path::ArmPath;
use crate::world::resources::Author;

/// A call to ARM that passed the token checks.
#[derive(Debug)]
pub struct Call<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// What it is about.
    pub path: ArmPath,
    /// The same as it was sent: a link to the next page begins with it.
    pub raw_path: &'a str,
    /// The query's parameters.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: &'a [u8],
    /// `https://host:port`.
    pub origin: &'a str,
    /// Who calls.
    pub caller: Caller,
    /// When.
    pub now: Timestamp,
    /// The If-Match header.
    pub if_match: Option<&'a str>,
    /// A fault wants the member that this makes to fail.
    pub fail_member: bool,
    /// A fault wants what was there before the last write, if that came after the write of this number.
    pub stale: Option<u64>,
}

/// Where a body must have an object, if it has anything: itself first.
const OBJECTS: &[&str] = &["", "/properties", "/properties/networkManagerScopes", "/tags", "/options"];

fn unreadable(reason: &str) -> Answer {
    let text = format!("The request content was invalid and could not be deserialized: '{reason}'.");
    Answer::gateway(400, "InvalidRequestContent", &text)
}

/// What a fault wants of a call that is served all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Nothing.
    None,
    /// The member that it makes fails.
    FailMember,
    /// It sees what was there before the last write, if that came after the write of this number.
    Stale {
        /// The number of the last write that was noted when the fault was added.
        since: u64,
    },
}

impl Call<'_> {
    /// A parameter of the query, by name without regard to case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON of this form.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Answered<T> {
        let body: Value =
            serde_json::from_slice(self.body).map_err(|error| unreadable(&error.to_string()))?;
        // Our own forms could be read out of arrays as well: a field at each place.
        for place in OBJECTS {
            let absent = |it: &Value| it.is_null() && !place.is_empty();
            if body.pointer(place).is_some_and(|it| !it.is_object() && !absent(it)) {
                return Err(unreadable(&format!("an object is expected at '{place}'")));
            }
        }
        serde_json::from_value(body).map_err(|error| unreadable(&error.to_string()))
    }

    /// Who writes.
    pub fn author(&self) -> Author {
        Author::application(&self.caller.bearer.appid)
    }
}

/// The last part of an action's name for a method.
pub(super) fn verb(method: &str) -> &'static str {
    match method {
        "PUT" | "PATCH" => "write",
        "DELETE" => "delete",
        "POST" => "action",
        _ => "read",
    }
}
