//! The rules by which values that Azure invents are normalised: only their form is compared, and, where a rule says
//! so, that the value stays and moves when the recorded one does.

use crate::recording::{link_of, split};

/// One kind of invented value.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub properties: &'static [&'static str],
    /// What is compared of it, and why.
    pub reason: &'static str,
    /// Whether equal values must stay equal and others differ: within one resource, or in the whole file.
    pub identity: Identity,
    read: fn(&str) -> Option<String>,
}

/// How far a value is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Not at all.
    Free,
    /// Within one resource.
    Resource,
    /// In the whole file.
    File,
}

impl Form {
    /// What is compared of a value; `None` if it has none of the forms that this kind may have.
    pub fn of(&self, value: &str) -> Option<String> {
        (self.read)(value)
    }

    /// The rule for a property, if it holds an invented value.
    pub fn at(property: &str) -> Option<&'static Self> {
        FORMS.iter().find(|form| form.properties.contains(&property))
    }
}

/// Every rule.
pub const FORMS: &[Form] = &[
    Form {
        name: "guid",
        properties: &["resourceGuid"],
        reason: "a GUID in lower case; the same recorded GUID must be the same one in every answer, also in a Location",
        identity: Identity::File,
        read: |value| is_guid(value).then(|| "a GUID".into()),
    },
    Form {
        name: "etag",
        properties: &["etag"],
        reason: "empty, or quoted inside the text: \"8 hex-0000-4 hex-0000-8 hex0000\"; it moves by itself, so no more",
        identity: Identity::Free,
        read: |value| match value {
            "" => Some("empty".into()),
            value => is_etag(value).then(|| "quoted".into()),
        },
    },
    Form {
        name: "time",
        properties: &["createdAt", "lastModifiedAt"],
        reason: "UTC with seven digits of a second; a time that stays must stay, one that moves must move",
        identity: Identity::Resource,
        read: |value| (fraction_digits(value) == Some(7)).then(|| "a time".into()),
    },
    Form {
        name: "principal",
        properties: &["createdBy", "lastModifiedBy"],
        reason: "any text but an empty one: who calls is not part of the service, and recordings redact it",
        identity: Identity::Free,
        read: |value| (!value.is_empty()).then(|| "a principal".into()),
    },
    Form {
        name: "principal-type",
        properties: &["createdByType", "lastModifiedByType"],
        reason: "a word of the enum; the replay signs in as an application where a user may have been recorded",
        identity: Identity::Free,
        read: |value| {
            let known = ["User", "Application", "ManagedIdentity", "Key"];
            known.contains(&value).then(|| "a kind of principal".into())
        },
    },
    Form {
        name: "next-link",
        properties: &["nextLink"],
        reason: "empty at the end, else an absolute link to the same list with an api-version and a $skipToken of Azure's own",
        identity: Identity::Free,
        read: |value| match value {
            "" => Some("the end".into()),
            value => link(value),
        },
    },
    Form {
        name: "message",
        properties: &["message"],
        reason: "word for word but for GUIDs (recorders replace subscriptions in URIs and not in texts), the name of the client, and seconds to wait",
        identity: Identity::Free,
        read: |value| Some(words_of(value)),
    },
];

/// Rules about headers, told only.
pub const HEADER_FORMS: &[(&str, &str)] = &[
    ("remaining-calls", "x-ms-ratelimit-remaining-*: a number; which of them are there is compared"),
    (
        "request-ids",
        "x-ms-request-id and x-ms-correlation-request-id: GUIDs, equal to each other or not; x-ms-routing-request-id: REGION:yyyymmddThhmmssZ:GUID",
    ),
    (
        "location",
        "the same host and path (a GUID in it as above), the same names of parameters, the same api-version, and the URL that is followed must have been given before",
    ),
    (
        "stripped-headers",
        "in cli-* files the absence of retry-after, x-ms-request-id, x-ms-correlation-request-id, x-ms-routing-request-id and x-ms-ratelimit-remaining-{subscription,tenant}-reads proves nothing: their recorder drops them (0 hits in 140 files)",
    ),
    (
        "other-headers",
        "headers of the transport and of tracing are not compared: see IGNORED_HEADERS; every other header is",
    ),
];

/// A GUID in lower case.
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn is_etag(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return false };
    let parts: Vec<&str> = inner.split('-').collect();
    let hex = |part: &str, len: usize| {
        part.len() == len && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    matches!(parts.as_slice(), [a, "0000", c, "0000", e]
        if hex(a, 8) && hex(c, 4) && hex(e, 12) && e.ends_with("0000"))
}

/// How many digits of a second a UTC time has; `None` if it is no such time.
pub fn fraction_digits(text: &str) -> Option<usize> {
    let body = text.strip_suffix('Z')?;
    let (seconds, fraction) = body.split_once('.').unwrap_or((body, ""));
    let shape = seconds.len() == 19
        && seconds.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
    let real = shape && seconds.parse::<jiff::civil::DateTime>().is_ok();
    (real && fraction.bytes().all(|byte| byte.is_ascii_digit())).then_some(fraction.len())
}

/// A text with every GUID replaced.
pub fn without_guids(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let guid = rest.get(..36).is_some_and(|head| is_guid(&head.to_ascii_lowercase()));
        let taken = if guid { 36 } else { character.len_utf8() };
        out.push_str(if guid { "{guid}" } else { &rest[..taken] });
        rest = &rest[taken..];
    }
    out
}

/// A message without what it says of the moment: GUIDs, who called, how long to wait.
fn words_of(message: &str) -> String {
    let mut words = without_guids(message);
    for (before, after) in [("The client '", "'"), ("try again after '", "' seconds")] {
        let Some(start) = words.find(before).map(|at| at + before.len()) else { continue };
        if let Some(length) = words[start..].find(after) {
            words.replace_range(start..start + length, "…");
        }
    }
    words
}

fn link(text: &str) -> Option<String> {
    let (origin, path, query) = split(text)?;
    let origin = origin.filter(|origin| origin.starts_with("https://"))?;
    let names: Vec<String> =
        crate::recording::parameters(&query).into_iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    let whole = names.iter().any(|name| name == "api-version")
        && names.iter().any(|name| name == "$skiptoken" || name == "skiptoken");
    whole.then(|| format!("a link to {}", link_of(&format!("{origin}{path}"), "")))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("resourceGuid", "8964df2b-56e4-43e6-b00b-b6ab3cac713b", true)]
    #[case("resourceGuid", "8964DF2B-56E4-43E6-B00B-B6AB3CAC713B", false)]
    #[case("resourceGuid", "", false)]
    #[case("etag", "", true)]
    #[case("etag", "\"6d02777f-0000-0200-0000-68d9c3800000\"", true)]
    #[case("etag", "6d02777f-0000-0200-0000-68d9c3800000", false)]
    #[case("etag", "W/\"6d02777f-0000-0200-0000-68d9c3800000\"", false)]
    #[case("createdAt", "2024-05-30T09:54:53.0456618Z", true)]
    #[case("createdAt", "2024-05-30T09:54:53.045661Z", false)]
    #[case("createdAt", "2024-05-30T09:54:53Z", false)]
    #[case("createdAt", "2024-05-30T09:54:53.0456618+00:00", false)]
    #[case("createdAt", "2024-05-30 09:54:53.0456618Z", false)]
    #[case("createdAt", "2024-13-30T09:54:53.0456618Z", false)]
    #[case("createdByType", "User", true)]
    #[case("createdByType", "user", false)]
    #[case("createdBy", "", false)]
    #[case("nextLink", "", true)]
    #[case("nextLink", "https://management.azure.com/x?api-version=1&$skipToken=a", true)]
    #[case("nextLink", "/x?api-version=1&$skipToken=a", false)]
    #[case("nextLink", "https://management.azure.com/x?api-version=1", false)]
    fn forms(#[case] property: &str, #[case] value: &str, #[case] good: bool) {
        assert_eq!(Form::at(property).unwrap().of(value).is_some(), good, "{property} {value}");
    }

    #[test]
    fn guids_in_texts_do_not_count_and_words_do() {
        let text = "The subscription: a85adf9b-ce1f-4f83-8139-804e22c93a2a is not registered for feature: Ä";
        assert_eq!(without_guids(text), "The subscription: {guid} is not registered for feature: Ä");
        assert_eq!(without_guids("a85adf9b-ce1f-4f83-8139"), "a85adf9b-ce1f-4f83-8139");
        let of = |client: &str, seconds: &str| {
            words_of(&format!(
                "The client '{client}' has no role. Please try again after '{seconds}' seconds."
            ))
        };
        assert_eq!(of("live.com#a@b.example", "3"), of("a85adf9b-ce1f-4f83-8139-804e22c93a2a", "10"));
        assert_ne!(words_of("The client 'a' has a role."), words_of("The client 'a' has no role."));
    }
}
