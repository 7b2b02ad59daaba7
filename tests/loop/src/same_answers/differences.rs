//! Where the server in this process answers otherwise than the real one, and why that is left so. Nowhere else is one
//! allowed: what is not levelled here must be the same.

use serde_json::Value;

/// A difference that no sequence shows, because nothing of it is there.
#[derive(Debug)]
pub struct LeftOut {
    /// What.
    pub what: &'static str,
    /// Why it is left out.
    pub why: &'static str,
}

/// What is not there at all.
pub const LEFT_OUT: &[LeftOut] = &[
    LeftOut {
        what: "authentication, RBAC, admission policies and webhooks, priority and fairness",
        why: "what they would answer (401, 403, 422, 429) is played by the hook, request by request",
    },
    LeftOut {
        what: "discovery, OpenAPI, /version, /healthz, tables, protobuf, CBOR, gzip",
        why: "the operator asks for none of them",
    },
    LeftOut {
        what: "JSON patch and strategic merge patch (415 instead)",
        why: "the operator sends merge patches and applies only",
    },
    LeftOut { what: "an apply whose body is YAML and no JSON", why: "kube sends JSON, which is YAML" },
    LeftOut {
        what: "the garbage collector: propagationPolicy is read by nobody, owners do not take their dependents along",
        why: "our objects have no owners and own nothing",
    },
    LeftOut {
        what: "the default ServiceAccount and the root CA ConfigMap of a new namespace",
        why: "they are made by kube-controller-manager, and the operator reads neither",
    },
    LeftOut {
        what: "the conditions of a namespace that ends",
        why: "they are written by kube-controller-manager, and the operator reads metadata only",
    },
    LeftOut {
        what: "warnings in headers, fieldValidation=Strict",
        why: "kube neither asks for them nor reads them",
    },
    LeftOut { what: "field selectors other than by name and namespace", why: "the operator uses none" },
    LeftOut {
        what: "validation of a CRD itself, more than its first served version, conversion",
        why: "the CRDs come from crates/api, and the scenarios install them on a real server",
    },
    LeftOut {
        what: "the first two seconds of a CRD, in which creates wait",
        why: "a lifecycle begins after it; the waits of its end are played",
    },
    LeftOut { what: "expiry of events after an hour", why: "nobody reads them back" },
    LeftOut {
        what: "the limit of 3 MiB on a request, of 16 managers of a field",
        why: "the bounds of our schemas keep an object far below both",
    },
];

/// Sentences that end in the words of one of Go's parsers, or in the body as Go prints it: they are compared up to
/// there. People read them, and no program does.
const PARSERS_WORDS: &[&str] = &[
    "cannot be handled as a ",
    "the object provided is unrecognized (must be of type ",
    "error decoding patch",
    "continue key is not valid",
];

/// What Go says of a selector that it cannot parse, and what we say.
const SELECTORS_WORDS: &[&str] = &["found '", "unable to parse requirement"];

/// Takes out of an answer, of either server, what may differ.
pub(super) fn level(value: &mut Value) {
    match value {
        Value::String(text) => {
            if SELECTORS_WORDS.iter().any(|words| text.starts_with(words)) {
                "a selector cannot be parsed".clone_into(text);
            }
            for words in PARSERS_WORDS {
                if let Some(at) = text.find(words)
                    && let Some(colon) = text.get(at..).and_then(|rest| rest.find(": "))
                {
                    text.truncate(at + colon);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(level),
        Value::Object(fields) => {
            fields.values_mut().for_each(level);
            several_causes(fields);
            // When a bookmark comes, and whether one does, the real server leaves open: it sends one when its cache has
            // heard of a newer version by chance. Only the one that ends a streamed list is promised.
            if let Some(events) = fields.get_mut("events").and_then(Value::as_array_mut) {
                events.retain(|event| {
                    event["type"] != "BOOKMARK" || event["object"]["metadata"]["annotations"].is_object()
                });
            }
            // They stand in the order of the seconds in which they were written, and a run begins anywhere in a second.
            if let Some(entries) = fields.get_mut("managedFields").and_then(Value::as_array_mut) {
                entries.sort_by_key(|entry| {
                    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
                    [text("operation"), text("manager"), text("subresource")]
                });
            }
        }
        _ => {}
    }
}

/// The real server tells of several wrong fields in the order of one of Go's maps, which is another each time.
fn several_causes(status: &mut serde_json::Map<String, Value>) {
    let causes = status.get_mut("details").and_then(|details| details.get_mut("causes"));
    let Some(causes) = causes.and_then(Value::as_array_mut).filter(|causes| causes.len() > 1) else { return };
    causes.sort_by_key(Value::to_string);
    if let Some(Value::String(message)) = status.get_mut("message")
        && let Some((lead, _)) = message.split_once(" is invalid: ")
    {
        *message = format!("{lead} is invalid");
    }
}
