//! What the operator asked of the API server in the whole run, against the rights that we ship: nothing denied but what
//! a scenario denies on purpose, no Secret or token but those that a credential names, nothing done by a right of someone
//! else's, nothing granted and unused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use avnm_launcher::audit::{self, Request};
use avnm_launcher::operator::{OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use avnm_launcher::run;
use serde_json::Value;

use crate::harness::Finding;
use crate::sources::Source;

/// A kind of request, with why it may be so.
struct Known {
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    #[allow(dead_code)] // for who reads the table
    why: &'static str,
}

impl Known {
    fn is(&self, request: &Request) -> bool {
        (self.verb, self.group, self.resource)
            == (request.verb.as_str(), request.group.as_str(), request.resource.as_str())
    }
}

/// What only a credential that names it is a reason to ask for.
const SOURCES: [&str; 3] = ["secrets", "serviceaccounts", "serviceaccounts/token"];

/// What may be refused for want of a right.
const DENIED: &[Known] = &[
    Known {
        verb: "get",
        group: "",
        resource: "secrets",
        why: "a namespace has not granted it yet, or its Role went before the rest of an ending namespace",
    },
    Known {
        verb: "create",
        group: "",
        resource: "serviceaccounts/token",
        why: "a namespace has not granted it yet, or its Role went before the rest of an ending namespace",
    },
    Known {
        verb: "get",
        group: "",
        resource: "serviceaccounts",
        why: "a namespace need not grant it, and its Role may go before the rest of an ending namespace",
    },
];

/// What may be refused although there is a right.
const NOT_ADMITTED: &[Known] = &[
    Known {
        verb: "create",
        group: "events.k8s.io",
        resource: "events",
        why: "a namespace that ends takes nothing new; what an event says is in the log, too",
    },
    Known {
        verb: "create",
        group: "",
        resource: "serviceaccounts/token",
        why: "a namespace that ends gives no new token, and the last one serves until its end",
    },
];

/// What namespaces grant themselves, by a Role of their own.
const OPTED_IN: &[Known] = &[
    Known { verb: "get", group: "", resource: "secrets", why: "clientSecret and clientCertificate" },
    Known { verb: "create", group: "", resource: "serviceaccounts/token", why: "serviceAccount" },
    Known {
        verb: "get",
        group: "",
        resource: "serviceaccounts",
        why: "that the one of serviceAccount is there",
    },
];

/// One thing that a shipped role allows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Right {
    verb: String,
    group: String,
    resource: String,
    /// Only this object.
    name: Option<String>,
    /// Only in this namespace.
    namespace: Option<String>,
}

impl Right {
    fn covers(&self, request: &Request) -> bool {
        self.verb == request.verb
            && self.group == request.group
            && self.resource == request.resource
            && self.name.as_ref().is_none_or(|name| *name == request.name)
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == request.namespace)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        self.name.iter().try_for_each(|name| write!(f, " named {name}"))?;
        self.namespace.iter().try_for_each(|namespace| write!(f, " in {namespace}"))
    }
}

/// The documents of `deploy/rbac.yaml`.
fn shipped() -> Result<Vec<Value>> {
    let file = run::workspace_dir().join("deploy/rbac.yaml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    serde_saphyr::from_multiple(&text).with_context(|| format!("parse {}", file.display()))
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Every single right of a role.
fn expand(role: &Value) -> Vec<Right> {
    let namespace = role["metadata"]["namespace"].as_str().map(str::to_owned);
    let mut rights = Vec::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        let names = texts(&rule["resourceNames"]);
        let names = if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    rights.extend(names.iter().map(|name| Right {
                        verb: verb.clone(),
                        group: group.clone(),
                        resource: resource.clone(),
                        name: name.clone(),
                        namespace: namespace.clone(),
                    }));
                }
            }
        }
    }
    rights
}

/// The roles that are bound to the operator's account.
fn bound(documents: &[Value]) -> Result<Vec<&Value>> {
    let mut roles = Vec::new();
    for binding in documents {
        let kind = binding["kind"].as_str().unwrap_or_default();
        let Some(of) = kind.strip_suffix("Binding") else { continue };
        let subjects = binding["subjects"].as_array().map_or(&[][..], Vec::as_slice);
        let ours =
            subjects.iter().any(|it| it["name"] == OPERATOR_ACCOUNT && it["namespace"] == OPERATOR_NAMESPACE);
        if !ours {
            continue;
        }
        if of == "Role" && binding["roleRef"]["kind"] != "Role" {
            bail!("a RoleBinding to a ClusterRole is not understood here: {binding}");
        }
        let role = documents.iter().find(|document| {
            document["kind"] == of
                && document["metadata"]["name"] == binding["roleRef"]["name"]
                && document["metadata"]["namespace"] == binding["metadata"]["namespace"]
        });
        roles.push(role.with_context(|| format!("no {of} for the binding {binding}"))?);
    }
    Ok(roles)
}

/// Compares the records of all control planes; `sources` is what credentials named. Only a run of the whole set shows that a right is unused.
pub(crate) fn check(
    records: &[impl AsRef<Path>],
    sources: &BTreeSet<Source>,
    whole: bool,
) -> Result<Finding> {
    let documents = shipped()?;
    let granted: Vec<Right> = bound(&documents)?.into_iter().flat_map(expand).collect();
    let mut asked: BTreeMap<Request, usize> = BTreeMap::new();
    for record in records {
        // Nothing was asked: the API server makes the file with its first line.
        if record.as_ref().exists() {
            for (request, times) in audit::read(record.as_ref())? {
                *asked.entry(request).or_default() += times;
            }
        }
    }
    Ok(compare(&granted, &asked, sources, whole))
}

fn compare(
    granted: &[Right],
    asked: &BTreeMap<Request, usize>,
    sources: &BTreeSet<Source>,
    whole: bool,
) -> Finding {
    let mut faults = Vec::new();
    let (mut with_reason, mut without) = (0, 0);
    for (request, times) in asked {
        // One Secret's refusal is no excuse for another one's.
        let is_source = SOURCES.contains(&request.resource.as_str());
        let named = |source: &Source| {
            (source.resource, &source.namespace, &source.name)
                == (request.resource.as_str(), &request.namespace, &request.name)
        };
        let excused = !is_source || sources.iter().any(named);
        let known = |table: &[Known]| excused && table.iter().any(|known| known.is(request));
        let covered = granted.iter().any(|right| right.covers(request));
        if request.forbidden || request.code == 403 {
            if known(if request.forbidden { DENIED } else { NOT_ADMITTED }) {
                with_reason += 1;
            } else {
                without += 1;
                faults.push(format!("denied {times} times: {}", shown(request)));
            }
        } else if !covered && !known(OPTED_IN) && !request.resource.starts_with('/') {
            faults.push(format!("allowed {times} times, but by no role that we ship: {}", shown(request)));
        }
    }
    let used = |right: &&Right| asked.keys().any(|request| !request.forbidden && right.covers(request));
    let (used, unused): (Vec<&Right>, Vec<&Right>) = granted.iter().partition(used);
    if whole {
        faults.extend(unused.iter().map(|right| format!("granted and never used: {right}")));
    }
    let kinds: BTreeSet<_> = asked.keys().map(|it| (&it.verb, &it.group, &it.resource, it.code)).collect();
    let line = format!(
        "rights: {} requests of {} kinds, {with_reason} denied on purpose, {without} denied without a reason, \
         {} of {} granted rights used",
        asked.values().sum::<usize>(),
        kinds.len(),
        used.len(),
        granted.len(),
    );
    Finding { line, faults }
}

fn shown(request: &Request) -> String {
    let Request { verb, group, resource, namespace, name, code, forbidden } = request;
    let by = if *forbidden { "RBAC" } else { "admission or nobody" };
    format!("{verb} {resource} of group {group:?}, {namespace:?}/{name:?}: answered {code}, refused by {by}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(verb: &str, resource: &str, code: u16, forbidden: bool) -> Request {
        Request {
            verb: verb.into(),
            group: String::new(),
            resource: resource.into(),
            namespace: "a".into(),
            name: "b".into(),
            code,
            forbidden,
        }
    }

    #[test]
    fn nothing_bound_reaches_secrets_or_tokens_and_nothing_is_a_wildcard() {
        let documents = shipped().unwrap();
        for role in bound(&documents).unwrap() {
            for right in expand(role) {
                assert!(!right.resource.starts_with("secrets"), "{right}");
                assert!(!right.resource.starts_with("serviceaccounts"), "{right}");
                assert!(!right.resource.starts_with("pods"), "{right}");
                assert!(!["impersonate", "escalate", "bind"].contains(&right.verb.as_str()), "{right}");
            }
        }
        // Whatever else is shipped may be bound by anyone.
        let roles = documents.iter().filter(|it| it["kind"] == "ClusterRole" || it["kind"] == "Role");
        for right in roles.flat_map(expand) {
            for part in [&right.verb, &right.group, &right.resource] {
                assert!(!part.contains('*'), "{right}");
            }
            let secret = right.resource.starts_with("secrets") || right.resource.contains("token");
            assert!(!secret || right.name.is_some(), "of one name only: {right}");
        }
        // Nor may a binding give it to others, or to the whole cluster's accounts.
        for binding in documents.iter().filter(|it| it["kind"].as_str().unwrap().ends_with("Binding")) {
            let subjects = binding["subjects"].as_array().unwrap();
            assert!(subjects.iter().all(|it| it["kind"] == "ServiceAccount"), "{binding}");
            assert!(subjects.iter().all(|it| it["name"] == OPERATOR_ACCOUNT), "{binding}");
        }
    }

    #[test]
    fn what_is_denied_needs_a_reason() {
        let asked = [
            (request("get", "secrets", 403, true), 3),
            (request("get", "secrets", 200, false), 1),
            (request("list", "pods", 403, true), 2),
            (request("get", "/version", 200, false), 1),
        ];
        let sources = [source("a", "b")].into();
        let finding = compare(&[], &asked.into(), &sources, true);
        assert_eq!(finding.faults.len(), 1, "{:?}", finding.faults);
        assert!(finding.faults[0].starts_with("denied 2 times: list pods"), "{:?}", finding.faults);
        assert!(finding.line.contains("1 denied on purpose, 1 denied without a reason"), "{}", finding.line);
    }

    fn source(namespace: &str, name: &str) -> Source {
        Source { resource: "secrets", namespace: namespace.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_secret_that_no_credential_names_is_not_asked_for() {
        let asked: BTreeMap<_, _> =
            [(request("get", "secrets", 403, true), 1), (request("get", "secrets", 200, false), 1)].into();
        for sources in [vec![], vec![source("a", "c")], vec![source("c", "b")]] {
            let finding = compare(&[], &asked, &sources.into_iter().collect(), false);
            assert_eq!(finding.faults.len(), 2, "{:?}", finding.faults);
            assert!(finding.faults[0].contains("get secrets"), "{:?}", finding.faults);
        }
    }

    #[test]
    fn a_right_is_used_by_a_request_that_it_covers() {
        let role = json!({"metadata": {"name": "x", "namespace": "a"}, "rules": [
            {"apiGroups": [""], "resources": ["things"], "verbs": ["get", "list"]},
            {"apiGroups": [""], "resources": ["others"], "resourceNames": ["b", "c"], "verbs": ["get"]},
        ]});
        let rights = expand(&role);
        assert_eq!(rights.len(), 4);
        let asked = [
            (request("get", "things", 200, false), 1),
            (request("get", "others", 404, false), 1),
            (request("patch", "others", 200, false), 1),
        ];
        let asked: BTreeMap<_, _> = asked.into();
        let finding = compare(&rights, &asked, &BTreeSet::new(), true);
        assert_eq!(
            finding.faults,
            [
                "allowed 1 times, but by no role that we ship: patch others of group \"\", \"a\"/\"b\": answered \
                 200, refused by admission or nobody",
                "granted and never used: list things in a",
                "granted and never used: get others named c in a",
            ]
        );
        assert!(finding.line.ends_with("2 of 4 granted rights used"), "{}", finding.line);
        let part = compare(&rights, &asked, &BTreeSet::new(), false);
        assert_eq!(part.faults.len(), 1, "a part of the set shows nothing unused");
    }
}
