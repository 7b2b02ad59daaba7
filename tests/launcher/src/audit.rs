//! The API server's own record of what one account asked for: which requests, and how each was answered.
//!
//! Metadata only, because bodies would hold what a Secret holds; once per request, when it is over; and nobody else's
//! requests, so that the file stays small.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::json;

use crate::pki;

/// One line of the file, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
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
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [{ "level": "Metadata", "users": [user] }, { "level": "None" }],
    });
    let policy = pki::write(dir, "audit-policy.json", &policy.to_string())?;
    Ok((policy, record(dir)))
}

/// The file of the record in the folder of an API server.
pub(crate) fn record(dir: &Path) -> PathBuf {
    dir.join("audit.jsonl")
}

/// The kinds of request in the record, each with its number.
pub fn read(record: &Path) -> Result<BTreeMap<Request, usize>> {
    let text = std::fs::read_to_string(record).with_context(|| format!("read {}", record.display()))?;
    parse(&text)
}

fn parse(text: &str) -> Result<BTreeMap<Request, usize>> {
    let mut all = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Line =
            serde_json::from_str(line).with_context(|| format!("parse the audit record: {line}"))?;
        *all.entry(line.request()).or_default() += 1;
    }
    Ok(all)
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
        let all = parse(&format!("{refused}\n{path}\n{refused}\n")).unwrap();
        let (token, times) = all.iter().find(|(request, _)| request.forbidden).unwrap();
        assert_eq!((token.verb.as_str(), token.resource.as_str()), ("create", "serviceaccounts/token"));
        assert_eq!((token.namespace.as_str(), token.name.as_str(), token.code), ("a", "avnm", 403));
        assert_eq!(*times, 2);
        assert!(all.keys().any(|request| request.resource == "/version"));
        assert!(parse("not JSON").is_err(), "a record that cannot be read shows nothing");
    }
}
