//! The API server's own record of what one account asked for: which requests, and how each was answered.
//!
//! Metadata only, because bodies would hold what a Secret holds; once per request, when it is over, and of a watch also when
//! it was opened; and nobody else's requests, so that the file stays small.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::pki;

/// One line of the file, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(default)]
    stage: String,
    #[serde(default)]
    stage_timestamp: Option<Timestamp>,
    verb: String,
    #[serde(rename = "requestURI", default)]
    request_uri: String,
    #[serde(default)]
    object_ref: Option<ObjectRef>,
    #[serde(default)]
    response_status: Status,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    code: u16,
}

/// A kind of request: those that are equal are counted as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// As RBAC has it: `get`, `list`, `watch`, `patch`, ...
    pub verb: String,
    /// The group; empty for the core group.
    pub group: String,
    /// `secrets`, or with a subresource `serviceaccounts/token`. For what is no resource, the path.
    pub resource: String,
    /// Empty for what lies in none, and for all of them.
    pub namespace: String,
    /// Empty where the request names none.
    pub name: String,
    /// The HTTP status of the answer; 0 if none was sent.
    pub code: u16,
    /// Whether it was refused for want of a right, and not by an admission check.
    pub forbidden: bool,
}

impl Line {
    fn request(self) -> Request {
        let decision = self.annotations.get("authorization.k8s.io/decision");
        let object = self.object_ref.unwrap_or_else(|| ObjectRef {
            resource: self.request_uri.split('?').next().unwrap_or_default().to_owned(),
            ..ObjectRef::default()
        });
        let resource = match object.subresource.as_str() {
            "" => object.resource,
            sub => format!("{}/{sub}", object.resource),
        };
        Request {
            verb: self.verb,
            group: object.api_group,
            resource,
            namespace: object.namespace,
            name: object.name,
            code: self.response_status.code,
            forbidden: decision.is_some_and(|decision| decision == "forbid"),
        }
    }
}

/// Writes the policy to `dir`; gives its file and that of the record.
pub(crate) fn files(dir: &Path, user: &str) -> Result<(PathBuf, PathBuf)> {
    let policy = json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            { "level": "Metadata", "users": [user], "verbs": ["watch"] },
            { "level": "Metadata", "users": [user], "omitStages": [OPENED] },
            { "level": "None" },
        ],
    });
    let policy = pki::write(dir, "audit-policy.json", &policy.to_string())?;
    Ok((policy, record(dir)))
}

/// The file of the record in the folder of an API server.
pub(crate) fn record(dir: &Path) -> PathBuf {
    dir.join("audit.jsonl")
}

/// The stage of a request whose answer has begun and goes on.
const OPENED: &str = "ResponseStarted";

/// A watch that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What is watched.
    pub resource: String,
    /// When its answer began.
    pub at: Timestamp,
}

/// The kinds of request in the record, each with its number.
pub fn read(record: &Path) -> Result<BTreeMap<Request, usize>> {
    Ok(read_from(record, 0)?.0)
}

/// The same of what was recorded behind this many bytes, and the watches that were opened there. A line that is still being
/// written is left for the next time.
pub fn read_from(record: &Path, offset: u64) -> Result<(BTreeMap<Request, usize>, Vec<Opened>)> {
    let what = || format!("read {}", record.display());
    let mut bytes = Vec::new();
    let mut file = File::open(record).with_context(what)?;
    file.seek(SeekFrom::Start(offset)).with_context(what)?;
    file.read_to_end(&mut bytes).with_context(what)?;
    bytes.truncate(whole(&bytes));
    parse(str::from_utf8(&bytes).with_context(what)?)
}

/// How many bytes were recorded so far, in whole lines: none, where nothing was.
pub fn length(record: &Path) -> u64 {
    std::fs::read(record).map_or(0, |bytes| whole(&bytes) as u64)
}

/// The length of the whole lines of it.
fn whole(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

fn parse(text: &str) -> Result<(BTreeMap<Request, usize>, Vec<Opened>)> {
    let (mut all, mut opened) = (BTreeMap::new(), Vec::new());
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Line =
            serde_json::from_str(line).with_context(|| format!("parse the audit record: {line}"))?;
        if line.stage != OPENED {
            *all.entry(line.request()).or_default() += 1;
        } else if let Some(at) = line.stage_timestamp {
            opened.push(Opened { resource: line.request().resource, at });
        }
    }
    Ok((all, opened))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_kind_of_request() {
        let refused = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete", "verb": "create",
            "requestURI": "/api/v1/namespaces/a/serviceaccounts/avnm/token",
            "objectRef": {"resource": "serviceaccounts", "namespace": "a", "name": "avnm", "apiVersion": "v1",
                          "subresource": "token"},
            "responseStatus": {"metadata": {}, "status": "Failure", "code": 403},
            "annotations": {"authorization.k8s.io/decision": "forbid"}
        });
        let path = json!({"verb": "get", "requestURI": "/version?x=1", "responseStatus": {"code": 200}});
        let (all, _) = parse(&format!("{refused}\n{path}\n{refused}\n")).unwrap();
        let (token, times) = all.iter().find(|(request, _)| request.forbidden).unwrap();
        assert_eq!((token.verb.as_str(), token.resource.as_str()), ("create", "serviceaccounts/token"));
        assert_eq!((token.namespace.as_str(), token.name.as_str(), token.code), ("a", "avnm", 403));
        assert_eq!(*times, 2);
        assert!(all.keys().any(|request| request.resource == "/version"));
        assert!(parse("not JSON").is_err(), "a record that cannot be read shows nothing");
    }

    #[test]
    fn a_watch_is_counted_when_it_is_over_and_its_beginning_is_told() {
        let line = |stage: &str| {
            json!({"stage": stage, "stageTimestamp": "2026-11-30T01:02:03.456789Z", "verb": "watch",
                   "requestURI": "/apis/avnm.dev/v1alpha1/staticmembers?watch=true",
                   "objectRef": {"resource": "staticmembers"}, "responseStatus": {"code": 200}})
        };
        let (all, opened) = parse(&line(OPENED).to_string()).unwrap();
        assert!(all.is_empty(), "{all:?}");
        let at = "2026-11-30T01:02:03.456789Z".parse().unwrap();
        assert_eq!(opened, [Opened { resource: "staticmembers".into(), at }]);
        let (all, opened) = parse(&line("ResponseComplete").to_string()).unwrap();
        assert_eq!((all.len(), opened.len()), (1, 0));
    }

    #[test]
    fn what_was_recorded_before_is_left_out() {
        let file = std::env::temp_dir().join(format!("avnm-audit-{}", std::process::id()));
        let line = |verb: &str| json!({"verb": verb, "requestURI": "/version"}).to_string() + "\n";
        std::fs::write(&file, line("get")).unwrap();
        let before = length(&file);
        std::fs::write(&file, line("get") + &line("list")).unwrap();
        let (all, _) = read_from(&file, before).unwrap();
        assert_eq!(all.keys().map(|request| request.verb.as_str()).collect::<Vec<_>>(), ["list"]);
        // One more is being written.
        let begun = line("get") + &line("list") + &line("watch")[..20];
        std::fs::write(&file, &begun).unwrap();
        let (all, _) = read_from(&file, before).unwrap();
        assert_eq!(all.keys().map(|request| request.verb.as_str()).collect::<Vec<_>>(), ["list"]);
        let now = length(&file);
        std::fs::write(&file, line("get") + &line("list") + &line("watch")).unwrap();
        let (all, _) = read_from(&file, now).unwrap();
        assert_eq!(all.keys().map(|request| request.verb.as_str()).collect::<Vec<_>>(), ["watch"]);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(length(&file), 0);
    }
}
