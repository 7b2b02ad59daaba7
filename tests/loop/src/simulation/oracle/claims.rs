//! Claims as they stand in status.

use serde_json::Value;

/// A claim as it stands in a status.
pub(super) struct Claim<'a> {
    pub(super) object: &'a Value,
    pub(super) id: &'a str,
}

pub(super) fn claims(object: &Value) -> Vec<Claim<'_>> {
    let status = &object["status"];
    let uid = object["metadata"]["uid"].as_str();
    [&status["scopeConnection"], &status["networkManagerConnection"], status]
        .into_iter()
        .filter_map(|place| {
            let claim = &place["claim"];
            (claim["uid"].as_str() == uid).then(|| claim["id"].as_str()).flatten()
        })
        .map(|id| Claim { object, id })
        .collect()
}

pub(super) fn same(a: &str, b: &str) -> bool {
    a.trim_start_matches('/').eq_ignore_ascii_case(b.trim_start_matches('/'))
}

pub(super) fn held(object: &Value) -> bool {
    let finalizers = object["metadata"]["finalizers"].as_array();
    finalizers.is_some_and(|all| all.iter().any(|it| it == "avnm.dev/azure"))
}

/// Whether a claim is an intention.
fn intended(object: &Value, id: &str) -> bool {
    let status = &object["status"];
    [&status["scopeConnection"], &status["networkManagerConnection"], status].into_iter().any(|place| {
        let claim = &place["claim"];
        claim["phase"] == "Intended" && claim["id"].as_str().is_some_and(|of| same(of, id))
    })
}

/// The ids that a write of status claims anew, as something to be made.
pub(crate) fn new(before: Option<&Value>, after: &Value) -> Vec<String> {
    let all = claims(after).into_iter().map(|claim| claim.id.to_owned());
    all.filter(|id| intended(after, id) && !before.is_some_and(|before| intended(before, id))).collect()
}
