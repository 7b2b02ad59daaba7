//! What must hold of a status that says Ready.

use avnm_emulator::Control;
use serde_json::Value;

use super::claims::claims;

/// How many things an object declares as its own.
fn declared(object: &Value) -> usize {
    let spec = &object["spec"];
    let halves = ["scopeConnection", "networkManagerConnection"];
    match object["kind"].as_str() {
        Some("CrossTenantConnection") => halves.iter().filter(|half| spec[**half].is_object()).count(),
        Some("StaticMember") => 1,
        _ => 0,
    }
}

/// What is wrong with a status that says Ready, if anything is. Before the write it did not. What a stranger did in Azure since
/// `knows` was last read of an id is for the next sweep to find.
pub(crate) fn status(
    azure: &Control,
    knows: impl Fn(&str) -> bool,
    before: Option<&Value>,
    after: &Value,
) -> Option<String> {
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
    let claims = claims(after);
    let declared = declared(after);
    if claims.len() < declared {
        return Some(format!("S9: {name} says Ready, and claims {} of {declared}", claims.len()));
    }
    for claim in claims.iter().filter(|claim| knows(claim.id)) {
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
