//! What the credentials of a run named as their sources, by what was ever written to etcd: also those that are gone, and
//! what a spec said before it was changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use avnm_launcher::operator::OPERATOR_NAMESPACE;
use serde_json::Value;

/// Where the kinds of credentials lie in etcd.
const KEYS: [&str; 2] =
    ["/registry/avnm.dev/tenantcredentials/", "/registry/avnm.dev/clustertenantcredentials/"];
/// Between a key and its value stands the value's length. Where more stands there, the key was only named.
const BETWEEN_MAX: usize = 16;

/// A thing that the operator may have to ask for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    /// As RBAC names it: `secrets`, `serviceaccounts`, `serviceaccounts/token`.
    pub(crate) resource: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// All that was named, by the write-ahead logs in these folders.
pub(crate) fn named(written: &[PathBuf]) -> Result<BTreeSet<Source>> {
    let mut all = BTreeSet::new();
    for dir in written {
        for entry in fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))?.flatten() {
            let file = entry.path();
            let bytes = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
            let text = String::from_utf8_lossy(&bytes);
            all.extend(objects(&text).iter().flat_map(of));
        }
    }
    Ok(all)
}

/// The credentials that were written. What is not understood names nothing, so that what it named is found unnamed.
fn objects(text: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for key in KEYS {
        for (at, _) in text.match_indices(key) {
            let after = &text[at + key.len()..];
            let path = after.find(|c: char| !c.is_ascii_graphic()).unwrap_or(after.len());
            let Some(from) = after[path..].find('{').filter(|from| *from <= BETWEEN_MAX) else { continue };
            let mut values = serde_json::Deserializer::from_str(&after[path + from..]).into_iter::<Value>();
            all.extend(values.next().and_then(Result::ok));
        }
    }
    all
}

fn of(credential: &Value) -> Vec<Source> {
    // Those of the cluster have their sources beside the operator.
    let namespace = credential["metadata"]["namespace"].as_str().unwrap_or(OPERATOR_NAMESPACE);
    let spec = &credential["spec"];
    let named = [
        ("secrets", &spec["clientSecret"]["secretRef"]["name"]),
        ("secrets", &spec["clientCertificate"]["secretRef"]["name"]),
        ("serviceaccounts", &spec["serviceAccount"]["name"]),
        ("serviceaccounts/token", &spec["serviceAccount"]["name"]),
    ];
    let source = |(resource, name): (&'static str, &Value)| {
        Some(Source { resource, namespace: namespace.to_owned(), name: name.as_str()?.to_owned() })
    };
    named.into_iter().filter_map(source).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_credential_names_is_read_from_what_was_written() {
        let own =
            json!({"metadata": {"namespace": "a"}, "spec": {"clientSecret": {"secretRef": {"name": "s"}}}});
        let of_cluster = json!({"metadata": {}, "spec": {"serviceAccount": {"name": "avnm"}}});
        let log = format!(
            "\0{}a/x\u{12}\u{fffd}\u{1}{own}\0\0{}y\u{12}\u{1}{of_cluster}\0{}a/x\0 a watch, and much later {{}}",
            KEYS[0], KEYS[1], KEYS[0]
        );
        let all: Vec<Source> = objects(&log).iter().flat_map(of).collect();
        let source = |resource, namespace: &str, name: &str| Source {
            resource,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        assert_eq!(
            all,
            [
                source("secrets", "a", "s"),
                source("serviceaccounts", OPERATOR_NAMESPACE, "avnm"),
                source("serviceaccounts/token", OPERATOR_NAMESPACE, "avnm"),
            ]
        );
    }
}
