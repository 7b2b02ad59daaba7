//! Nothing is made with a credential that is not lent to the namespace.

use serde_json::Value;

use super::{
    super::manifests::{CONNECTIONS, MEMBERS},
    claims::same,
};
use crate::api_server::ApiServer;

/// What is wrong with a PUT, if anything is: every object that claims it does so with a credential that it may not use.
pub(crate) fn write(server: &ApiServer, method: &str, id: &str) -> Option<String> {
    if method != "PUT" {
        // What is held goes with whatever it was made with.
        return None;
    }
    let is_it =
        |object: &Value| places(object).any(|claim| claim["id"].as_str().is_some_and(|of| same(of, id)));
    let objects: Vec<Value> =
        [CONNECTIONS, MEMBERS].iter().flat_map(|kind| server.those(kind, is_it)).collect();
    let claims: Vec<(&Value, &Value)> = objects
        .iter()
        .flat_map(|object| places(object).map(move |claim| (object, claim)))
        .filter(|(_, claim)| claim["id"].as_str().is_some_and(|of| same(of, id)))
        .collect();
    let wrong = claims.iter().filter_map(|(object, claim)| unlent(server, object, claim));
    let wrong: Vec<String> = wrong.collect();
    (!claims.is_empty() && wrong.len() == claims.len()).then(|| format!("S7: PUT {id}: {}", wrong.join(", ")))
}

/// What is wrong with a claim that a write of status begins.
pub(crate) fn claimed(server: &ApiServer, before: Option<&Value>, after: &Value) -> Option<String> {
    let had = |id: &Value| before.is_some_and(|before| places(before).any(|claim| claim["id"] == *id));
    let new = places(after).filter(|claim| claim["id"].is_string() && !had(&claim["id"]));
    let mut wrong = new.filter_map(|claim| {
        Some(format!("S7: a claim on {}: {}", claim["id"], unlent(server, after, claim)?))
    });
    wrong.next()
}

fn places(object: &Value) -> impl Iterator<Item = &Value> {
    let status = &object["status"];
    [&status["scopeConnection"], &status["networkManagerConnection"], status]
        .into_iter()
        .map(|place| &place["claim"])
}

/// Why the claim's credential may not be used there.
fn unlent(server: &ApiServer, object: &Value, claim: &Value) -> Option<String> {
    let reference = &claim["credentialRef"];
    let name = reference["name"].as_str()?;
    let namespace = object["metadata"]["namespace"].as_str()?;
    if reference["kind"] != "ClusterTenantCredential" {
        return None;
    }
    let credential = server.get("clustertenantcredentials.avnm.dev", "", name)?;
    let allowed = &credential["spec"]["allowedNamespaces"];
    let named = allowed["names"].as_array().is_some_and(|names| names.iter().any(|it| it == namespace));
    let labels = server.get("namespaces", "", namespace)?["metadata"]["labels"].clone();
    let selects = allowed["selector"]["matchLabels"]
        .as_object()
        .is_some_and(|wanted| wanted.iter().all(|(key, value)| labels[key] == *value));
    (!named && !selects).then(|| format!("{name} is not lent to {namespace}"))
}
