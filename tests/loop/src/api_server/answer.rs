//! What the server answers: an object, a list, or a Status in the words of `apimachinery`.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::schema::FieldError;

/// A Status that refuses. Codes, reasons and sentences are those of `apimachinery/pkg/api/errors`.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// The word of `metav1.StatusReason`; empty where there is none.
    pub reason: String,
    /// The sentence.
    pub message: String,
    /// `details`; null where there are none.
    pub details: Value,
    /// `metadata`: a list that is too old names the token to go on with.
    pub metadata: Value,
    /// Plain text instead of a Status: what nobody serves at all.
    pub plain: bool,
}

/// A resource and a name, as messages and details name them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) group: &'a str,
    pub(crate) plural: &'a str,
    pub(crate) name: &'a str,
}

impl Subject<'_> {
    fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    fn details(&self) -> Value {
        let mut details = Map::new();
        for (key, value) in [("name", self.name), ("group", self.group), ("kind", self.plural)] {
            if !value.is_empty() {
                details.insert(key.to_owned(), value.into());
            }
        }
        Value::Object(details)
    }
}

impl Refusal {
    /// A Status of this code, reason and sentence: what a fault injects, for example.
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
            message: message.into(),
            details: Value::Null,
            metadata: json!({}),
            plain: false,
        }
    }

    fn of(subject: Subject<'_>, code: u16, reason: &str, message: String) -> Self {
        Self { details: subject.details(), ..Self::new(code, reason, message) }
    }

    pub(crate) fn not_found(subject: Subject<'_>) -> Self {
        let message = format!("{} {:?} not found", subject.qualified(), subject.name);
        Self::of(subject, 404, "NotFound", message)
    }

    /// What the server does not know at all: the path leads nowhere.
    pub(crate) fn no_such_path() -> Self {
        Self { plain: true, ..Self::new(404, "", "404 page not found\n") }
    }

    pub(crate) fn already_exists(subject: Subject<'_>, being_deleted: bool) -> Self {
        let lead = if being_deleted { "object is being deleted: " } else { "" };
        let message = format!("{lead}{} {:?} already exists", subject.qualified(), subject.name);
        Self::of(subject, 409, "AlreadyExists", message)
    }

    pub(crate) fn conflict(subject: Subject<'_>, why: &str) -> Self {
        let message =
            format!("Operation cannot be fulfilled on {} {:?}: {why}", subject.qualified(), subject.name);
        Self::of(subject, 409, "Conflict", message)
    }

    /// Someone wrote the object since it was read.
    pub(crate) fn modified(subject: Subject<'_>) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(subject, why)
    }

    pub(crate) fn forbidden(subject: Subject<'_>, why: &str) -> Self {
        let message = format!("{} {:?} is forbidden: {why}", subject.qualified(), subject.name);
        Self::of(subject, 403, "Forbidden", message)
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 422 with all that is wrong. `kind` stands where other refusals have the resource.
    pub(crate) fn invalid(group: &str, kind: &str, name: &str, errors: &[FieldError]) -> Self {
        let qualified = Subject { group, plural: kind, name };
        let mut sentences: Vec<String> = Vec::new();
        for sentence in errors.iter().map(FieldError::sentence) {
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        let all = match sentences.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{} {name:?} is invalid: {all}", qualified.qualified());
        let mut refusal = Self::of(qualified, 422, "Invalid", message);
        refusal.details["causes"] = errors.iter().map(FieldError::cause).collect();
        refusal
    }

    /// The version is older than what is kept.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// The Status as it is sent.
    pub(crate) fn to_json(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.clone().into();
        }
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub code: u16,
    /// `application/json`, but for what nobody serves.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    pub(crate) fn json(code: u16, value: &Value) -> Self {
        Self::bytes(code, value.to_string().into())
    }

    pub(crate) fn bytes(code: u16, body: Bytes) -> Self {
        Self { code, content_type: "application/json", body }
    }
}

impl From<&Refusal> for Answer {
    fn from(refusal: &Refusal) -> Self {
        if refusal.plain {
            let body = refusal.message.clone().into();
            return Self { code: refusal.code, content_type: "text/plain; charset=utf-8", body };
        }
        Self::json(refusal.code, &refusal.to_json())
    }
}
