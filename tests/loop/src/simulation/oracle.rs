//! What must hold at every call that writes to Azure, and at every status that says Ready. It looks past every cache: at what
//! is stored in Kubernetes and what Azure holds at that moment.

use avnm_emulator::Control;
use serde_json::Value;

use super::manifests::{CONNECTIONS, MEMBERS};
use crate::api_server::ApiServer;

/// A claim as it stands in a status.
struct Claim<'a> {
    object: &'a Value,
    id: &'a str,
}

fn claims(object: &Value) -> Vec<Claim<'_>> {
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

fn same(a: &str, b: &str) -> bool {
    a.trim_start_matches('/').eq_ignore_ascii_case(b.trim_start_matches('/'))
}

fn held(object: &Value) -> bool {
    let finalizers = object["metadata"]["finalizers"].as_array();
    finalizers.is_some_and(|all| all.iter().any(|it| it == "avnm.dev/azure"))
}

/// A member of the namespace that names this connection and holds something, by its name.
fn member_of(objects: &[Value], connection: &Value) -> Option<String> {
    let (name, namespace) = (&connection["metadata"]["name"], &connection["metadata"]["namespace"]);
    let is = |it: &&Value| {
        it["kind"] == "StaticMember"
            && it["metadata"]["namespace"] == *namespace
            && it["spec"]["connectionRef"]["name"] == *name
            && !claims(it).is_empty()
    };
    let found = objects.iter().filter(|_| connection["kind"] == "CrossTenantConnection").find(is)?;
    found["metadata"]["name"].as_str().map(str::to_owned)
}

/// What is wrong with this write to Azure, if anything is.
pub(crate) fn write(server: &ApiServer, method: &str, id: &str) -> Option<String> {
    let objects: Vec<Value> = [CONNECTIONS, MEMBERS].iter().flat_map(|kind| server.all(kind)).collect();
    let claiming: Vec<Claim<'_>> =
        objects.iter().flat_map(claims).filter(|claim| same(claim.id, id)).collect();
    let told = |rule: &str, why: &str| Some(format!("{rule}: {method} {id}: {why}"));
    if claiming.is_empty() {
        return told(if method == "DELETE" { "S1" } else { "S5" }, "no object has a durable claim on it");
    }
    let live: Vec<&Claim<'_>> = claiming.iter().filter(|claim| held(claim.object)).collect();
    if live.is_empty() {
        return told("S5", "who claims it has lost its finalizer");
    }
    let deleting = |claim: &&&Claim<'_>| !claim.object["metadata"]["deletionTimestamp"].is_null();
    let policy =
        |claim: &&&Claim<'_>| claim.object["spec"]["deletionPolicy"].as_str().unwrap_or("Delete").to_owned();
    let observes = |claim: &&&Claim<'_>| claim.object["spec"]["mode"] == "Observe";
    let suspended = |claim: &&&Claim<'_>| claim.object["spec"]["suspend"] == true;
    let free: Vec<_> = live.iter().filter(|it| !observes(it) && !suspended(it)).collect();
    if free.is_empty() {
        return told("S2", "who claims it is suspended, or observes");
    }
    match method {
        "DELETE" => {
            let may = free.iter().any(|it| {
                let confirmed = !it.object["metadata"]["annotations"]["avnm.dev/confirm-delete"].is_null();
                let goes = deleting(it)
                    && match policy(it).as_str() {
                        "Orphan" => false,
                        "Confirm" => confirmed,
                        _ => true,
                    };
                let recreates = it.object["status"]["recreate"]["phase"] == "Deleting";
                // A member whose network differs is replaced.
                let replaces = !deleting(it) && it.object["kind"] == "StaticMember";
                goes || recreates || replaces
            });
            if !may {
                return told("S1", "nobody who claims it wants it gone");
            }
            let waits = free.iter().filter(|it| deleting(it)).find_map(|it| member_of(&objects, it.object));
            waits.and_then(|member| told("S10", &format!("member {member} still holds one through it")))
        }
        _ if free.iter().all(deleting) => told("S6", "who claims it is being deleted"),
        _ => None,
    }
}

/// What is wrong with a status that says Ready, if anything is. Before the write it did not.
pub(crate) fn ready(azure: &Control, before: Option<&Value>, after: &Value) -> Option<String> {
    let is = |object: &Value| {
        let all = object["status"]["conditions"].as_array();
        all.is_some_and(|all| {
            all.iter().any(|it| {
                it["type"] == "Ready"
                    && it["status"] == "True"
                    && it["observedGeneration"] == object["metadata"]["generation"]
                    && it["reason"] != "Observed"
            })
        })
    };
    if !is(after) || before.is_some_and(is) || after["spec"]["suspend"] == true {
        return None;
    }
    let name = after["metadata"]["name"].as_str().unwrap_or_default();
    for claim in claims(after) {
        let Ok(Some(there)) = azure.get(claim.id, None) else {
            return Some(format!("S9: {name} says Ready, and {} is not there", claim.id));
        };
        let properties = &there["properties"];
        let state = properties["connectionState"].as_str().or(properties["provisioningState"].as_str());
        if !matches!(state, Some("Connected" | "Succeeded")) {
            return Some(format!("S9: {name} says Ready, and {} is {state:?}", claim.id));
        }
    }
    None
}
