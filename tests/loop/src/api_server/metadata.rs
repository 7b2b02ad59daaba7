//! What every object's metadata must be, and what of it a client may change.

use std::sync::LazyLock;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use regex::Regex;
use serde_json::Value;

use super::{answer::Refusal, object, schema::FieldError};

/// Longest name of an object, in bytes.
const NAME_MAX: usize = 253;
/// Longest name of a namespace, in bytes.
const LABEL_MAX: usize = 63;
/// All annotations of an object together, in bytes.
const ANNOTATIONS_MAX: usize = 256 * 1024;

static SUBDOMAIN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$").ok());
static LABEL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$").ok());
static QUALIFIED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$").ok());
static VALUE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$").ok());

fn fits(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
}

const SUBDOMAIN_WORDS: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_WORDS: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_WORDS: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_WORDS: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// Metadata through its type: what it does not have is dropped, what it cannot hold is refused.
pub(crate) fn decode(body: &mut Value) -> Result<(), Refusal> {
    let given = body.get("metadata").cloned().unwrap_or_else(|| serde_json::json!({}));
    let given = if given.is_null() { serde_json::json!({}) } else { given };
    let decoded = serde_json::from_value::<ObjectMeta>(given).and_then(serde_json::to_value);
    let mut decoded = decoded.map_err(|error| {
        let kind = body["kind"].as_str().unwrap_or_default();
        let version = body["apiVersion"].as_str().unwrap_or_default();
        let version = version.rsplit('/').next().unwrap_or_default();
        Refusal::bad_request(format!("{kind} in version {version:?} cannot be handled as a {kind}: {error}"))
    })?;
    if let Some(fields) = decoded.as_object_mut() {
        fields.retain(|_, value| {
            let empty_list = value.as_array().is_some_and(Vec::is_empty);
            let empty_map = value.as_object().is_some_and(serde_json::Map::is_empty);
            let empty_text = value.as_str().is_some_and(str::is_empty);
            !(value.is_null() || empty_list || empty_map || empty_text)
        });
    }
    body["metadata"] = decoded;
    Ok(())
}

/// What is wrong with the metadata of a new object.
pub(crate) fn validate(object: &Value, names_are_labels: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    name(object::text(object, "name"), names_are_labels, &mut errors);
    common(object, &mut errors);
    errors
}

fn name(name: &str, label: bool, errors: &mut Vec<FieldError>) {
    const FIELD: &str = "metadata.name";
    let value = Value::from(name);
    if name.is_empty() {
        errors.push(FieldError::required(FIELD, "name or generateName is required"));
        return;
    }
    let (max, pattern, words) =
        if label { (LABEL_MAX, &LABEL, LABEL_WORDS) } else { (NAME_MAX, &SUBDOMAIN, SUBDOMAIN_WORDS) };
    if name.len() > max {
        errors.push(FieldError::invalid(FIELD, &value, &format!("must be no more than {max} characters")));
    }
    if label && name.contains('.') {
        errors.push(FieldError::invalid(FIELD, &value, "must not contain dots"));
    } else if !fits(pattern, name) {
        errors.push(FieldError::invalid(FIELD, &value, words));
    }
}

fn common(object: &Value, errors: &mut Vec<FieldError>) {
    for (key, value) in object["metadata"]["labels"].as_object().into_iter().flatten() {
        qualified("metadata.labels", key, errors);
        let text = value.as_str().unwrap_or_default();
        if text.len() > LABEL_MAX {
            errors.push(FieldError::invalid("metadata.labels", value, "must be no more than 63 bytes"));
        }
        if !fits(&VALUE, text) {
            errors.push(FieldError::invalid("metadata.labels", value, VALUE_WORDS));
        }
    }
    let mut size = 0;
    for (key, value) in object["metadata"]["annotations"].as_object().into_iter().flatten() {
        qualified("metadata.annotations", &key.to_lowercase(), errors);
        size += key.len() + value.as_str().unwrap_or_default().len();
    }
    if size > ANNOTATIONS_MAX {
        errors.push(FieldError::too_long("metadata.annotations", ANNOTATIONS_MAX as u64));
    }
    for finalizer in object::finalizers(object) {
        qualified("metadata.finalizers", finalizer, errors);
    }
}

/// A name with or without a prefix that is a domain.
pub(crate) fn qualified(field: &str, text: &str, errors: &mut Vec<FieldError>) {
    let value = Value::from(text);
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    if prefix.is_some_and(str::is_empty) {
        errors.push(FieldError::invalid(field, &value, "prefix part must be non-empty"));
    } else if prefix.is_some_and(|prefix| !fits(&SUBDOMAIN, prefix)) {
        errors.push(FieldError::invalid(field, &value, &format!("prefix part {SUBDOMAIN_WORDS}")));
    }
    if name.is_empty() {
        errors.push(FieldError::invalid(field, &value, "name part must be non-empty"));
    } else if name.len() > LABEL_MAX {
        errors.push(FieldError::invalid(field, &value, "name part must be no more than 63 bytes"));
    }
    if !fits(&QUALIFIED, name) {
        errors.push(FieldError::invalid(field, &value, QUALIFIED_WORDS));
    }
}

/// What the server itself keeps, whatever the body says.
pub(crate) fn keep(new: &mut Value, old: &Value) {
    let kept = |name: &str| old["metadata"][name].clone();
    if object::text(new, "uid").is_empty() {
        object::set(new, "uid", kept("uid"));
    }
    object::set(new, "creationTimestamp", kept("creationTimestamp"));
    if object::is_deleting(old) {
        object::set(new, "deletionTimestamp", kept("deletionTimestamp"));
        if new["metadata"]["deletionGracePeriodSeconds"].is_null() {
            object::set(new, "deletionGracePeriodSeconds", kept("deletionGracePeriodSeconds"));
        }
    }
}

/// What is wrong with a change of metadata.
pub(crate) fn validate_update(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    common(new, &mut errors);
    for name in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"] {
        let (before, now) = (&old["metadata"][name], &new["metadata"][name]);
        if before != now {
            errors.push(FieldError::invalid(&format!("metadata.{name}"), now, "field is immutable"));
        }
    }
    if object::is_deleting(old) {
        let before = object::finalizers(old);
        let mut extra: Vec<&str> =
            object::finalizers(new).into_iter().filter(|finalizer| !before.contains(finalizer)).collect();
        extra.sort_unstable();
        extra.dedup();
        if !extra.is_empty() {
            let words: Vec<String> = extra.iter().map(|finalizer| format!("{finalizer:?}")).collect();
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                words.join(", ")
            );
            errors.push(FieldError::forbidden("metadata.finalizers", &detail));
        }
    }
    errors
}
