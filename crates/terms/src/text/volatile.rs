//! What differs between two answers to the same question, and is left out.

use std::sync::LazyLock;

use regex::Regex;

/// What stands in its place.
const LEFT_OUT: &str = "…";

/// Words that name an id of one request, and not of a thing.
const OF_ONE_REQUEST: &str = "trace|tracking|correlation|client[-_ ]?request|request|activity|operation|session|incident|diagnostics?|reference";

/// How an id is introduced: `: '`, ` is `, `="`.
const INTRODUCED: &str = r#"["'\]]?\s*(?:is\b|was\b)?\s*[:=]?\s*["'\[(]*"#;

/// A shorter id may be a word that stands elsewhere, too.
const OWN_MIN: usize = 8;

/// One kind of text that differs: the group `out` of the pattern.
struct Volatile {
    pattern: Regex,
    /// Whether it must be no part of a name or path: `5s` in `/resourceGroups/rg-5s` is none.
    alone: bool,
}

static VOLATILE: LazyLock<Vec<Volatile>> = LazyLock::new(|| {
    // With or without its date. A date alone may be an api-version.
    let zone = r"(?:\s?(?:[AP]M|Z|UTC|GMT)\b|\s?[+-]\d{2}:?\d{2}\b)*";
    let month = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*";
    let date = format!(
        r"\d{{4}}-\d{{2}}-\d{{2}}[T ]|\d{{1,2}}/\d{{1,2}}/\d{{4}},?\s+|(?:[a-z]+,\s+)?\d{{1,2}}[ -]{month}[ -]\d{{4}}\s+"
    );
    let clock = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?";
    let time = format!(
        r"(?P<out>(?:(?:{date}){clock}|\d{{1,2}}:\d{{2}}:\d{{2}}(?:[.,]\d+)?){zone}|PT(?:\d+(?:\.\d+)?[HMS])+\b)"
    );
    let named = format!(
        r"(?:{OF_ONE_REQUEST})[-_ ]*(?:ids?|identifiers?|[gu]uid|number|no)\b{INTRODUCED}(?P<out>[0-9a-z][-0-9a-z_.:|]*[0-9a-z])"
    );
    let guid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
    let hinted = format!(r"(?:{OF_ONE_REQUEST})\b{INTRODUCED}(?P<out>{guid})");
    let left = r#"(?:retry[-_ ]?after|remaining|time ?stamp|expires[-_ ]?(?:in|on|at))["']?\s*(?:is\b)?\s*[:=]?\s*["']?(?P<out>\d+(?:\.\d+)?)"#;
    let amount = r#"(?P<out>\d+(?:\.\d+)?)['"]?\s*(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|bytes?|(?:requests? )?remaining)\b"#;
    // Seconds since an epoch, and ticks.
    let ticks = r"(?P<out>\d{10,20})\b";
    // The port from which a connection was made is another one with each.
    let port = r"[0-9a-z\])]:(?P<out>\d{1,5})\s*->";
    [
        // Before the names: of a time that follows one, the whole goes.
        (time.as_str(), true),
        (&named, false),
        (&hinted, false),
        (left, false),
        (amount, true),
        (ticks, true),
        (port, false),
    ]
    .into_iter()
    // All of them are read by the tests below.
    .filter_map(|(pattern, alone)| {
        Some(Volatile { pattern: Regex::new(&format!("(?i){pattern}")).ok()?, alone })
    })
    .collect()
});

/// The text without what differs between two answers to the same question.
pub(super) fn left_out<'a>(text: &str, own: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = text.to_owned();
    for id in own.into_iter().map(str::trim).filter(|id| id.len() >= OWN_MIN) {
        if let Ok(pattern) = Regex::new(&format!("(?i)(?P<out>{})", regex::escape(id))) {
            text = without(&text, &Volatile { pattern, alone: false });
        }
    }
    for volatile in VOLATILE.iter() {
        text = without(&text, volatile);
    }
    text
}

fn without(text: &str, volatile: &Volatile) -> String {
    let mut left = String::with_capacity(text.len());
    let mut end = 0;
    for found in volatile.pattern.captures_iter(text) {
        let (Some(whole), Some(out)) = (found.get(0), found.name("out")) else { continue };
        // `the request id is missing` names none.
        let names = out.as_str().bytes().any(|b| b.is_ascii_digit());
        if names && (!volatile.alone || stands_alone(&text[..whole.start()], &text[whole.end()..])) {
            left.push_str(&text[end..out.start()]);
            left.push_str(LEFT_OUT);
            end = out.end();
        }
    }
    left.push_str(&text[end..]);
    left
}

/// Whether what stands between these is no part of a name or a path.
fn stands_alone(before: &str, after: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/');
    // A full stop ends a sentence, or goes on.
    let after = after.strip_prefix('.').unwrap_or(after);
    !before.ends_with(|c| joins(c) || c == '.') && !after.starts_with(joins)
}

#[cfg(test)]
mod tests {
    use crate::text::stable;

    fn of(text: &str) -> String {
        stable(text, [], 2000)
    }

    /// The same answer twice, with what Azure writes anew each time.
    #[test]
    fn what_changes_between_retries_goes() {
        for form in [
            "Trace ID: {id} Timestamp: 2026-11-2{n} 10:11:1{n}Z, try again after '1{n}' seconds",
            "Trace ID: {id}\r\nCorrelation ID: {id}\r\nTimestamp: 2026-11-2{n} 10:11:1{n}Z",
            "please give the tracking id '{id}' to support",
            "The correlation id is '{id}'.",
            "(correlationId={id}, clientRequestId: \"{id}\")",
            "x-ms-correlation-request-id: {id}",
            "RequestId:{id}\nTime:2026-11-2{n}T10:11:1{n}.123456{n}Z",
            "with activity ID {id} failed",
            "the request '{id}' was refused",
            "Correlation: {id}",
            "reference number 4711{n}",
            "ActivityId: 0af7651916cd43dd8448eb211c8031{n}",
            "at 11/2{n}/2026 10:11:1{n} AM +00:00 it failed",
            "at 11/2{n}/2026, 1:1{n} PM",
            "since Mon, 2{n} Nov 2026 10:11:1{n} GMT",
            "retry after 00:00:1{n}",
            "Retry-After: 1{n}",
            "wait for PT1{n}S.",
            "it took 1{n}.5 ms (text/html, 521{n} bytes)",
            "wait 1{n} minutes, or 1{n}s.",
            "10{n} requests remaining, remaining: 1{n}",
            "timestamp=17323560{n}",
            "until 17323560000{n}",
            "read tcp 10.0.0.5:4321{n}->10.96.0.1:443: connection reset",
        ] {
            let [one, two] = [
                ("11111111-2222-3333-4444-555555555555", "1"),
                ("99999999-8888-7777-6666-0123456789ab", "2"),
            ]
            .map(|(id, n)| form.replace("{id}", id).replace("{n}", n));
            assert_ne!(one, two, "{form}");
            assert_eq!(of(&one), of(&two), "{form}");
        }
    }

    #[test]
    fn an_id_of_this_one_answer_goes_wherever_it_stands() {
        let own = "0A0A0A0A-1111-2222-3333-444444444444";
        let said = stable("it says 0a0a0a0a-1111-2222-3333-444444444444, and nothing else", [own], 100);
        assert_eq!(said, "it says …, and nothing else");
        assert_eq!(stable("a b", ["a"], 100), "a b", "what is too short is a word");
    }

    /// What somebody needs who is to do something about it.
    #[test]
    fn ids_of_things_stay() {
        for text in [
            "The client '00001111-aaaa-2222-bbbb-3333cccc4444' with object id '55556666-dddd-7777-eeee-8888ffff9999' does not have authorization to perform action 'Microsoft.Network/networkManagers/scopeConnections/write' over scope '/subscriptions/13579864-1a2b-4c5d-8e9f-135798642468/resourceGroups/rg-5s/providers/Microsoft.Network/networkManagers/nm' or the scope is invalid.",
            "The access token is from the wrong issuer 'https://sts.windows.net/24680975-1234-abcd-56ef-121314ab5643/'.",
            "Application with identifier '00001111-aaaa-2222-bbbb-3333cccc4444' was not found in the directory '24680975-1234-abcd-56ef-121314ab5643'.",
            "The supported api-versions are '2022-01-01, 2024-05-01, 2025-01-01-preview'. The supported locations are 'eastus, eastus2'.",
            "Assertion Issuer: 'https://issuer/7/'. Assertion Subject: 'system:serviceaccount:hub:avnm'. Assertion Audience: 'api://AzureADTokenExchange'.",
            "disallowed by policyAssignments/70b6f06669ce473bbea41bc2 and policyDefinitions/1234567890123",
            "targetVnet01 in rg-2 (AADSTS7000215), HTTP 503, 3 of 4, 10.0.0.4:443",
            "the request id is missing; the operation is PutSubnetOperation; requests for subscription 13579864-1a2b-4c5d-8e9f-135798642468",
        ] {
            assert_eq!(of(text), text);
        }
    }
}
