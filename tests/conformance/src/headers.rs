//! The comparison of headers.

use crate::difference::{Difference, Place, What};
use crate::forms::is_guid;
use crate::recording::{Headers, Recorder, link_of, parameters, split};
use crate::shape::Bindings;

/// Headers that are not compared, and why.
pub const IGNORED_HEADERS: &[(&str, &[&str])] = &[
    (
        "the transport's, made by the front end and not by the service",
        &[
            "cache-control",
            "connection",
            "content-encoding",
            "content-length",
            "date",
            "expires",
            "keep-alive",
            "pragma",
            "server",
            "strict-transport-security",
            "transfer-encoding",
            "vary",
            "via",
            "x-aspnet-version",
            "x-cache",
            "x-content-type-options",
            "x-powered-by",
        ],
    ),
    (
        "tracing: which machine answered, for Azure's own people",
        &[
            "mise-correlation-id",
            "request-context",
            "x-azure-ref",
            "x-ms-arm-service-request-id",
            "x-ms-client-request-id",
            "x-ms-operation-identifier",
            "x-ms-return-client-request-id",
            "x-ms-served-by",
            "x-msedge-ref",
        ],
    ),
    (
        "the challenge that goes with a 401 repeats its body's text, and conversions drop it",
        &["www-authenticate"],
    ),
    ("says which front end throttles; its effect is what is compared", &["x-ms-throttling-version"]),
    ("says that Azure itself would be notified; no client reads it", &["azure-asyncnotification"]),
];

const REQUEST_ID: &str = "x-ms-request-id";
const CORRELATION_ID: &str = "x-ms-correlation-request-id";
const ROUTING_ID: &str = "x-ms-routing-request-id";

/// Whether a header is a count of calls that remain.
pub fn is_remaining(name: &str) -> bool {
    name.starts_with("x-ms-ratelimit-remaining-")
}

/// Whether the recorder of Azure CLI's tests drops this header.
pub fn is_stripped(name: &str) -> bool {
    let ids = ["retry-after", REQUEST_ID, CORRELATION_ID, ROUTING_ID].contains(&name);
    ids || (is_remaining(name) && name.ends_with("-reads") && !name.contains("-global-"))
}

fn is_ignored(name: &str) -> bool {
    IGNORED_HEADERS.iter().any(|(_, names)| names.contains(&name))
}

/// Compares the headers of two answers.
pub fn compare(
    recorded: &Headers,
    replayed: &Headers,
    recorder: Recorder,
    bindings: &mut Bindings,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut note = |what, name: &str, recorded: &str, replayed: &str| {
        found.push(Difference::new(what, Place::Header(name.to_owned()), recorded, replayed));
    };
    for (name, value) in recorded.iter().filter(|(name, _)| !is_ignored(name)) {
        let Some(other) = replayed.get(name) else {
            note(What::Missing, name, value, "");
            continue;
        };
        if name == "location" || name == "azure-asyncoperation" {
            for (what, recorded, replayed) in location(value, other, bindings) {
                note(what, name, &recorded, &replayed);
            }
        } else if form(name, value, recorded).is_none()
            || form(name, value, recorded) != form(name, other, replayed)
        {
            note(What::Form, name, value, other);
        }
    }
    for (name, other) in replayed.iter().filter(|(name, _)| !recorded.contains_key(*name)) {
        let unproven = recorder == Recorder::Cli && is_stripped(name);
        if !is_ignored(name) && !unproven {
            note(What::Extra, name, "", other);
        }
    }
    found
}

/// What is compared of a header; `None` if it has no form that it may have.
fn form(name: &str, value: &str, all: &Headers) -> Option<String> {
    if is_remaining(name) || name == "retry-after" {
        let number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        return number.then(|| "a number".to_owned());
    }
    match name {
        REQUEST_ID | CORRELATION_ID => {
            let other = if name == REQUEST_ID { CORRELATION_ID } else { REQUEST_ID };
            let equal = all.get(other).is_none_or(|other| other == value);
            is_guid(&value.to_ascii_lowercase()).then(|| format!("a GUID, equal: {equal}"))
        }
        ROUTING_ID => {
            let mut parts = value.splitn(3, ':');
            let (region, time, id) = (parts.next()?, parts.next()?, parts.next()?);
            let region =
                !region.is_empty() && region.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            let time = time.len() == 16
                && time.bytes().enumerate().all(|(at, byte)| match at {
                    8 => byte == b'T',
                    15 => byte == b'Z',
                    _ => byte.is_ascii_digit(),
                });
            let equal = all.get(CORRELATION_ID).is_none_or(|other| other == id);
            (region && time && is_guid(&id.to_ascii_lowercase()))
                .then(|| format!("region, time, GUID, equal: {equal}"))
        }
        _ => Some(value.to_owned()),
    }
}

/// Where an accepted call is asked after.
fn location(recorded: &str, replayed: &str, bindings: &mut Bindings) -> Vec<(What, String, String)> {
    let mut found = Vec::new();
    let (Some((host, path, query)), Some((other_host, other_path, other_query))) =
        (split_whole(recorded), split_whole(replayed))
    else {
        return vec![(What::Form, recorded.to_owned(), replayed.to_owned())];
    };
    if host != other_host {
        found.push((What::Value, host, other_host));
    }
    let operation = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let (ours, theirs) = (operation(&path), operation(&other_path));
    if is_guid(&ours) && is_guid(&theirs) && !bindings.bind("guid", &ours, &theirs) {
        found.push((What::Identity, ours.clone(), theirs.clone()));
    }
    let replaced = |path: &str, id: &str| {
        let before = path.strip_suffix(id).filter(|_| is_guid(id));
        before.map_or_else(|| path.to_owned(), |before| format!("{before}{{guid}}"))
    };
    let (path, other_path) = (replaced(&path, &ours), replaced(&other_path, &theirs));
    if path != other_path {
        found.push((What::Value, path, other_path));
    }
    let names = |query: &str| {
        let mut names: Vec<String> = parameters(query).into_iter().map(|(name, _)| name).collect();
        names.sort();
        names
    };
    let (names, other_names) = (names(&query), names(&other_query));
    for name in names.iter().filter(|name| !other_names.contains(name)) {
        found.push((What::Missing, format!("parameter {name}"), String::new()));
    }
    for name in other_names.iter().filter(|name| !names.contains(name)) {
        found.push((What::Extra, String::new(), format!("parameter {name}")));
    }
    let value =
        |query: &str, name: &str| parameters(query).into_iter().find(|it| it.0 == name).map(|it| it.1);
    if value(&query, "api-version") != value(&other_query, "api-version") {
        found.push((What::Value, link_of("", &query), link_of("", &other_query)));
    }
    for (name, form) in TOKENS {
        if let (Some(ours), Some(theirs)) = (value(&query, name), value(&other_query, name))
            && !(form(&ours) && form(&theirs))
        {
            let told = |value: &str| format!("parameter {name}={value}");
            found.push((What::Form, told(&ours), told(&theirs)));
        }
    }
    found
}

type IsForm = fn(&str) -> bool;

/// The parameters of a signed link: a time in ticks, and texts without a character that would need escaping.
const TOKENS: [(&str, IsForm); 4] = [
    ("t", |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())),
    ("c", is_token),
    ("s", is_token),
    ("h", is_token),
];

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn split_whole(link: &str) -> Option<(String, String, String)> {
    let (origin, path, query) = split(link)?;
    Some((origin?, path, query))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const GUID: &str = "8964df2b-56e4-43e6-b00b-b6ab3cac713b";
    const OTHER: &str = "efedba5d-c8d1-452a-bee7-de2367dea65a";

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn found(recorded: &[(&str, &str)], replayed: &[(&str, &str)], recorder: Recorder) -> Vec<What> {
        compare(&headers(recorded), &headers(replayed), recorder, &mut Bindings::default())
            .iter()
            .map(|it| it.what)
            .collect()
    }

    #[rstest]
    #[case(&[("x-new", "1")], &[], &[What::Missing])]
    #[case(&[("date", "now"), ("x-msedge-ref", "Ref A")], &[("pragma", "no-cache")], &[])]
    #[case(&[], &[("retry-after", "1")], &[What::Extra])]
    #[case(&[("etag", "\"x\"")], &[], &[What::Missing])]
    #[case(&[("content-type", "application/json")], &[("content-type", "application/json; charset=utf-8")], &[What::Form])]
    #[case(&[("x-ms-ratelimit-remaining-subscription-writes", "1199")], &[("x-ms-ratelimit-remaining-subscription-writes", "799")], &[])]
    #[case(&[("x-ms-ratelimit-remaining-subscription-writes", "many")], &[("x-ms-ratelimit-remaining-subscription-writes", "799")], &[What::Form])]
    #[case(&[("x-ms-failure-cause", "service")], &[("x-ms-failure-cause", "gateway")], &[What::Form])]
    #[case(&[(REQUEST_ID, GUID), (CORRELATION_ID, GUID)], &[(REQUEST_ID, OTHER), (CORRELATION_ID, OTHER)], &[])]
    #[case(&[(REQUEST_ID, GUID), (CORRELATION_ID, OTHER)], &[(REQUEST_ID, OTHER), (CORRELATION_ID, OTHER)], &[What::Form, What::Form])]
    #[case(&[(ROUTING_ID, "WESTUS:20241018T000000Z:8964df2b-56e4-43e6-b00b-b6ab3cac713b")], &[(ROUTING_ID, "EASTUS2:20251018T000000Z:efedba5d-c8d1-452a-bee7-de2367dea65a")], &[])]
    #[case(&[(ROUTING_ID, "WESTUS:8964df2b-56e4-43e6-b00b-b6ab3cac713b")], &[(ROUTING_ID, "EASTUS2:20251018T000000Z:efedba5d-c8d1-452a-bee7-de2367dea65a")], &[What::Form])]
    fn of_a_complete_recorder(
        #[case] recorded: &[(&str, &str)],
        #[case] replayed: &[(&str, &str)],
        #[case] wanted: &[What],
    ) {
        assert_eq!(found(recorded, replayed, Recorder::Complete), wanted);
    }

    #[test]
    fn what_the_cli_strips_proves_nothing_and_the_rest_does() {
        let replayed = [
            ("retry-after", "1"),
            (REQUEST_ID, GUID),
            ("x-ms-ratelimit-remaining-subscription-reads", "1"),
            ("x-ms-ratelimit-remaining-tenant-reads", "1"),
        ];
        assert_eq!(found(&[], &replayed, Recorder::Cli), []);
        assert_eq!(found(&[], &replayed, Recorder::Complete).len(), 4);
        let global = [("x-ms-ratelimit-remaining-subscription-global-reads", "1")];
        assert_eq!(found(&[], &global, Recorder::Cli), [What::Extra]);
        // Recorded all the same, it counts.
        assert_eq!(found(&replayed, &[], Recorder::Cli).len(), 4);
    }

    #[rstest]
    #[case("https://management.azure.com/g/operationResults/8964df2b-56e4-43e6-b00b-b6ab3cac713b?api-version=1&t=63&c=x&s=y&h=z", &[])]
    #[case("https://example.org/g/operationResults/8964df2b-56e4-43e6-b00b-b6ab3cac713b?api-version=1&t=63&c=x&s=y&h=z", &[What::Value])]
    #[case("https://management.azure.com/g/operationStatuses/8964df2b-56e4-43e6-b00b-b6ab3cac713b?api-version=1&t=63&c=x&s=y&h=z", &[What::Value])]
    #[case("https://management.azure.com/g/operationResults/8964df2b-56e4-43e6-b00b-b6ab3cac713b?api-version=1&t=63&c=x&h=z", &[What::Extra])]
    #[case("https://management.azure.com/g/operationResults/8964df2b-56e4-43e6-b00b-b6ab3cac713b?api-version=2&t=now&c=x&s=y&h=z", &[What::Value, What::Form])]
    #[case("/g/operationResults/8964df2b-56e4-43e6-b00b-b6ab3cac713b?api-version=1&t=63&c=x&s=y&h=z", &[What::Form])]
    fn locations(#[case] recorded: &str, #[case] wanted: &[What]) {
        let replayed =
            format!("https://management.azure.com/g/operationResults/{OTHER}?api-version=1&t=64&c=a&s=b&h=c");
        assert_eq!(found(&[("location", recorded)], &[("location", &replayed)], Recorder::Cli), wanted);
    }
}
