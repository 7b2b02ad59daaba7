//! What must hold at every call that writes to Azure.

use serde_json::Value;

use super::{
    super::manifests::{CONNECTIONS, MEMBERS},
    claims::{Claim, claims, held, same},
};
use crate::api_server::ApiServer;

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
    let is_it = |object: &Value| claims(object).iter().any(|claim| same(claim.id, id));
    let objects: Vec<Value> =
        [CONNECTIONS, MEMBERS].iter().flat_map(|kind| server.those(kind, is_it)).collect();
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
            let members = server.all(MEMBERS);
            let waits = free.iter().filter(|it| deleting(it)).find_map(|it| member_of(&members, it.object));
            waits.and_then(|member| told("S10", &format!("member {member} still holds one through it")))
        }
        _ if free.iter().all(deleting) => told("S6", "who claims it is being deleted"),
        _ => None,
    }
}

/// Whether a thing is deleted to be made anew: a member, and whoever claims it stays.
pub(crate) fn makes_anew(server: &ApiServer, id: &str) -> bool {
    let stays = |object: &Value| object["metadata"]["deletionTimestamp"].is_null();
    let is_it = |object: &Value| stays(object) && claims(object).iter().any(|claim| same(claim.id, id));
    !server.those(MEMBERS, is_it).is_empty()
}
