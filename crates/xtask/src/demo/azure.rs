//! What the emulated Azure holds and what it was asked, in its own words, from its control endpoint.
//!
//! Resources are found by their ids wherever they stand in the document: the id is Azure's and does not change,
//! while the document is the emulator's and may.

use std::fmt::Write as _;

use serde_json::Value;

/// Every resource whose id has this segment, such as `/scopeConnections/`.
fn resources<'a>(value: &'a Value, segment: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| resources(item, segment, found)),
        Value::Object(fields) => {
            let is_one = fields.get("id").and_then(Value::as_str).is_some_and(|id| {
                // The last but one segment is the type; a member's id has its manager's type in it as well.
                id.rsplit('/').nth(1).is_some_and(|kind| kind.eq_ignore_ascii_case(segment))
            });
            if is_one {
                found.push(value);
            }
            fields.values().for_each(|field| resources(field, segment, found));
        }
        _ => {}
    }
}

fn all<'a>(state: &'a Value, segment: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    resources(state, segment, &mut found);
    found
}

/// A property, whether the document has Azure's `properties` or the fields themselves.
fn property<'a>(resource: &'a Value, name: &str) -> &'a Value {
    let nested = &resource["properties"][name];
    if nested.is_null() { &resource[name] } else { nested }
}

fn text<'a>(resource: &'a Value, name: &str) -> &'a str {
    property(resource, name).as_str().unwrap_or("-")
}

/// The connection halves, the scopes of the other tenants and the members.
pub(crate) fn summary(state: &Value) -> String {
    let mut out = String::new();
    for (segment, what) in [("scopeConnections", "scope"), ("networkManagerConnections", "network manager")] {
        for half in all(state, segment) {
            let _ = writeln!(
                out,
                "{what} connection {}\n    {}",
                text(half, "connectionState"),
                text(half, "id")
            );
        }
    }
    for manager in all(state, "networkManagers") {
        let nested = &property(manager, "networkManagerScopes")["crossTenantScopes"];
        let scopes = if nested.is_null() { property(manager, "crossTenantScopes") } else { nested };
        let _ = writeln!(out, "crossTenantScopes of {}\n    {scopes}", text(manager, "id"));
    }
    for member in all(state, "staticMembers") {
        let _ = writeln!(
            out,
            "static member {}\n    {}\n    resourceId {}",
            text(member, "provisioningState"),
            text(member, "id"),
            text(member, "resourceId")
        );
    }
    out
}

/// The ids of the connection halves that exist.
pub(crate) fn connection_ids(state: &Value) -> Vec<String> {
    ["scopeConnections", "networkManagerConnections"]
        .iter()
        .flat_map(|segment| all(state, segment))
        .map(|half| text(half, "id").to_owned())
        .collect()
}

/// The ids of what of the quickstart is still there; it should be none.
pub(crate) fn left_over(state: &Value) -> Vec<&str> {
    let kinds = ["scopeConnections", "networkManagerConnections", "staticMembers"];
    kinds.iter().flat_map(|kind| all(state, kind)).map(|resource| text(resource, "id")).collect()
}

fn calls(ledger: &Value) -> &[Value] {
    // A list, or a document with one list in it.
    let list = ledger.as_array().or_else(|| ledger.as_object()?.values().find_map(Value::as_array));
    list.map(Vec::as_slice).unwrap_or_default()
}

/// The number of the last call.
pub(crate) fn last_call(ledger: &Value) -> u64 {
    calls(ledger).iter().filter_map(|call| call["seq"].as_u64()).max().unwrap_or(0)
}

/// The DELETEs, in order, with the tenant whose token signed each.
pub(crate) fn deletes(ledger: &Value) -> String {
    let mut out = String::new();
    let deletes = calls(ledger).iter().filter(|call| call["method"] == "DELETE");
    for (n, call) in deletes.enumerate() {
        let field = |name: &str| call[name].as_str().unwrap_or("-");
        let path = field("path");
        // The last two segments: what it is and its name.
        let short = path.rsplitn(3, '/').take(2).collect::<Vec<_>>();
        let short = short.into_iter().rev().collect::<Vec<_>>().join("/");
        let tenant = field("bearerTenant");
        let _ = writeln!(
            out,
            "{}. DELETE {short}, answered {}, signed in tenant {tenant}",
            n + 1,
            call["status"]
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MANAGER: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkManagers/m";

    #[test]
    fn a_resource_is_found_by_the_type_in_its_own_id_only() {
        let member = json!({"id": format!("{MANAGER}/networkGroups/g/staticMembers/x"), "resourceId": "/v"});
        let state = json!({"managers": [{"id": MANAGER, "groups": {"g": [member]}}]});
        assert_eq!(all(&state, "networkManagers").len(), 1);
        assert_eq!(all(&state, "staticMembers"), [&member]);
        assert_eq!(left_over(&state), [format!("{MANAGER}/networkGroups/g/staticMembers/x")]);
        assert!(left_over(&json!({"managers": [{"id": MANAGER}]})).is_empty());
    }

    #[test]
    fn deletes_keep_their_order_and_reads_are_left_out() {
        let call = |seq: u64, method: &str, path: &str| json!({"seq": seq, "method": method, "path": path, "status": 200, "bearerTenant": "t"});
        let ledger = json!([
            call(1, "GET", "/a/staticMembers/x"),
            call(2, "DELETE", "/a/staticMembers/x"),
            call(3, "DELETE", "/a/scopeConnections/c"),
        ]);
        assert_eq!(last_call(&ledger), 3);
        let text = deletes(&ledger);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("1. DELETE staticMembers/x, answered 200"), "{text}");
        assert!(lines[1].contains("scopeConnections/c"), "{text}");
    }
}
