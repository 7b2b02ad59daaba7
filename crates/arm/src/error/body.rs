//! An error body, as far as it can be read: what it says outside, and what it holds within.

use serde_json::{Map, Value};

/// Outer codes that say nothing: the inner one is told instead.
const GENERIC: [&str; 7] = [
    "RetryableError",
    "BadRequest",
    "InternalServerError",
    "Conflict",
    "DeploymentFailed",
    "InvalidTemplateDeployment",
    "MultipleErrorsOccurred",
];

/// What is nested deeper is not looked at.
const DEPTH_MAX: usize = 6;

/// So many nested errors are read, and no more.
const NESTED_MAX: usize = 32;

/// An error body, as far as it could be read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Body {
    /// The outer code; `None` where the answer is no JSON error.
    pub(super) code: Option<String>,
    /// The codes of what is nested: details, what the network provider adds. As they stand there.
    nested: Vec<String>,
    /// What all of them say.
    pub(crate) message: String,
    /// What stands in `additionalInfo`, of all of them.
    pub(super) additional: Vec<Value>,
}

impl Body {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let Ok(Value::Object(whole)) = serde_json::from_slice(bytes) else { return Self::default() };
        let error = match whole.get("error") {
            Some(Value::Object(error)) => error,
            _ => &whole,
        };
        let mut found = Found::default();
        found.read(error, 0);
        let mut errors = found.errors.into_iter();
        let outer = errors.next().unwrap_or_default();
        let (mut nested, mut within) = (Vec::new(), Vec::<String>::new());
        for Error { code, message } in errors {
            nested.extend(code);
            let told = |message: &String| {
                outer.message.iter().chain(&within).any(|told| told.contains(message.as_str()))
            };
            within.extend(message.filter(|message| !told(message)));
        }
        let within = within.join("; ");
        let message = match outer.message {
            Some(outer) if within.is_empty() => outer,
            Some(outer) => format!("{outer} ({within})"),
            None => within,
        };
        Self { code: outer.code, nested, message, additional: found.additional }
    }

    /// Whether any of its codes is one of these.
    pub(super) fn has(&self, codes: &[&str]) -> bool {
        self.code.iter().chain(&self.nested).any(|code| is_one_of(code, codes))
    }

    /// Whether it is an error that someone of Azure wrote, as far as one can tell.
    pub(super) fn is_error(&self) -> bool {
        self.code.is_some() || !self.message.is_empty()
    }

    pub(super) fn outer_is(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| is_one_of(code, codes))
    }

    /// The code that is told: of a generic outer one, the first within that tells more.
    pub(crate) fn told(&self) -> Option<&str> {
        let telling = |code: &&String| !is_one_of(code, &GENERIC);
        let within = self.nested.iter().find(telling).or(self.nested.first());
        let outer = self.code.as_ref();
        outer.filter(telling).or(within).or(outer).map(String::as_str)
    }
}

/// One error, without what is within.
#[derive(Default)]
struct Error {
    code: Option<String>,
    message: Option<String>,
}

/// What was found so far, outer before inner.
#[derive(Default)]
struct Found {
    errors: Vec<Error>,
    additional: Vec<Value>,
}

impl Found {
    fn read(&mut self, error: &Map<String, Value>, depth: usize) {
        if depth > DEPTH_MAX || self.errors.len() > NESTED_MAX {
            return;
        }
        let message = string(error.get("message"));
        // A message may be an error itself, as text.
        let packed = message.as_deref().and_then(object_in);
        self.errors.push(Error { code: string(error.get("code")), message });
        let additional = error.get("additionalInfo").and_then(Value::as_array).into_iter().flatten();
        let room = NESTED_MAX.saturating_sub(self.additional.len());
        self.additional.extend(additional.take(room).cloned());
        if let Some(packed) = packed {
            let own = self.errors.len() - 1;
            self.nested(&Value::Object(packed), depth);
            let told = self.errors[own + 1..].iter().any(|it| it.code.is_some() || it.message.is_some());
            // What nothing was read from is told as it is.
            self.errors[own].message.take_if(|_| told);
        }
        for detail in error.get("details").and_then(Value::as_array).into_iter().flatten() {
            self.nested(detail, depth);
        }
        // The network provider sends it as an object or as text that holds JSON.
        match error.get("innerError").or_else(|| error.get("innererror")) {
            Some(Value::String(text)) => {
                if let Some(packed) = object_in(text) {
                    self.nested(&Value::Object(packed), depth);
                }
            }
            Some(inner) => self.nested(inner, depth),
            None => {}
        }
    }

    fn nested(&mut self, value: &Value, depth: usize) {
        let value = value.get("error").unwrap_or(value);
        if let Value::Object(error) = value {
            self.read(error, depth + 1);
        }
    }
}

fn string(value: Option<&Value>) -> Option<String> {
    value?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn object_in(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim();
    let parsed = if text.starts_with('{') { serde_json::from_str(text).ok()? } else { return None };
    if let Value::Object(object) = parsed { Some(object) } else { None }
}

fn is_one_of(code: &str, codes: &[&str]) -> bool {
    codes.iter().any(|known| known.eq_ignore_ascii_case(code))
}
