//! What is wrong with one field, in the words of the API server.

use serde_json::{Value, json};

/// One refusal. Several of them make an answer of 422.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError {
    /// `FieldValueInvalid`, `FieldValueRequired`, ...
    pub(crate) reason: &'static str,
    pub(crate) field: String,
    pub(crate) message: String,
}

/// A value as it is quoted in a message.
fn quoted(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

impl FieldError {
    pub(crate) fn required(field: &str, detail: &str) -> Self {
        let message =
            if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        Self { reason: "FieldValueRequired", field: field.to_owned(), message }
    }

    pub(crate) fn invalid(field: &str, value: &Value, detail: &str) -> Self {
        let message = format!("Invalid value: {}: {detail}", quoted(value));
        Self { reason: "FieldValueInvalid", field: field.to_owned(), message }
    }

    pub(crate) fn wrong_type(field: &str, value: &Value, detail: &str) -> Self {
        let message = format!("Invalid value: {}: {detail}", quoted(value));
        Self { reason: "FieldValueTypeInvalid", field: field.to_owned(), message }
    }

    pub(crate) fn not_supported(field: &str, value: &Value, supported: &[Value]) -> Self {
        let words: Vec<String> = supported.iter().map(Value::to_string).collect();
        let message = format!("Unsupported value: {}: supported values: {}", quoted(value), words.join(", "));
        Self { reason: "FieldValueNotSupported", field: field.to_owned(), message }
    }

    pub(crate) fn too_long(field: &str, max: u64) -> Self {
        let unit = if max == 1 { "byte" } else { "bytes" };
        let message = format!("Too long: may not be more than {max} {unit}");
        Self { reason: "FieldValueTooLong", field: field.to_owned(), message }
    }

    pub(crate) fn too_many(field: &str, actual: usize, max: u64) -> Self {
        let unit = if max == 1 { "item" } else { "items" };
        let message = format!("Too many: {actual}: must have at most {max} {unit}");
        Self { reason: "FieldValueTooMany", field: field.to_owned(), message }
    }

    pub(crate) fn forbidden(field: &str, detail: &str) -> Self {
        Self {
            reason: "FieldValueForbidden",
            field: field.to_owned(),
            message: format!("Forbidden: {detail}"),
        }
    }

    pub(crate) fn duplicate(field: &str, value: &Value) -> Self {
        let message = format!("Duplicate value: {}", quoted(value));
        Self { reason: "FieldValueDuplicate", field: field.to_owned(), message }
    }

    /// Refused by a rule. Of what is no scalar, the value is not told.
    pub(crate) fn by_rule(field: &str, value: Option<&Value>, message: &str) -> Self {
        // The object itself has no path.
        let field = if field.is_empty() { "<nil>" } else { field };
        if let Some(value) = value {
            return Self::invalid(field, value, message);
        }
        let message = format!("Invalid value: {message}");
        Self { reason: "FieldValueInvalid", field: field.to_owned(), message }
    }

    /// The rules were not asked.
    pub(crate) fn unchecked() -> Self {
        let why = "null: some validation rules were not checked because the object was invalid; correct the existing \
                   errors to complete validation";
        Self::by_rule("", None, why)
    }

    /// Whether the rules of the schema are not asked any more.
    pub(crate) fn blocks_rules(&self) -> bool {
        matches!(
            self.reason,
            "FieldValueNotSupported"
                | "FieldValueRequired"
                | "FieldValueTooLong"
                | "FieldValueTooMany"
                | "FieldValueTypeInvalid"
        )
    }

    /// The cause in the details of a Status.
    pub(crate) fn cause(&self) -> Value {
        json!({"reason": self.reason, "message": self.message, "field": self.field})
    }

    /// The sentence in the message of a Status.
    pub(crate) fn sentence(&self) -> String {
        format!("{}: {}", self.field, self.message)
    }
}
