//! Everything that exists and the last calls as one page, for people. No script, and nothing from elsewhere.

use std::fmt::Write as _;

use serde_json::Value;

use crate::ledger::Entry;

/// How many calls the page shows.
pub(super) const CALLS: u64 = 50;

const STYLE: &str = "\
body{font:14px/1.4 system-ui,sans-serif;margin:1.5rem;color:#222}h1{font-size:1.2rem}h2{font-size:1rem;margin:1.2rem 0 .3rem}\
table{border-collapse:collapse}td,th{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top;border-bottom:1px solid #ddd}\
th{font-weight:600;color:#555}td{font-family:ui-monospace,monospace;font-size:12px}\
.Connected,.Succeeded{color:#0a7a2f}.Pending,.Updating{color:#8a6d00}.Conflict,.Revoked,.Rejected,.Failed{color:#b00020}";

/// A table of the page: its heading, where its rows are in the state, and its columns as names and JSON pointers.
type Table = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const TABLES: &[Table] = &[
    (
        "Scope connections (the manager's half)",
        "scopeConnections",
        &[
            ("state", "/properties/connectionState"),
            ("id", "/id"),
            ("tenant", "/properties/tenantId"),
            ("scope", "/properties/resourceId"),
        ],
    ),
    (
        "Network manager connections (the target's half)",
        "networkManagerConnections",
        &[
            ("state", "/properties/connectionState"),
            ("id", "/id"),
            ("tenant", "/tenant"),
            ("manager", "/properties/networkManagerId"),
        ],
    ),
    (
        "Static members",
        "staticMembers",
        &[
            ("state", "/properties/provisioningState"),
            ("id", "/id"),
            ("network", "/properties/resourceId"),
            ("location", "/properties/location"),
        ],
    ),
    (
        "Network managers",
        "networkManagers",
        &[
            ("id", "/id"),
            ("scopes", "/properties/networkManagerScopes/subscriptions"),
            ("cross-tenant scopes", "/properties/networkManagerScopes/crossTenantScopes"),
        ],
    ),
    ("Network groups", "networkGroups", &[("id", "/id"), ("members are", "/properties/memberType")]),
    ("Virtual networks", "virtualNetworks", &[("id", "/id"), ("location", "/location"), ("tags", "/tags")]),
    ("Tenants", "tenants", &[("id", "/id"), ("name", "/name")]),
    (
        "Subscriptions",
        "subscriptions",
        &[
            ("id", "/id"),
            ("tenant", "/tenant"),
            ("management group", "/managementGroup"),
            ("registered", "/registered"),
        ],
    ),
    (
        "Management groups",
        "managementGroups",
        &[("name", "/name"), ("tenant", "/tenant"), ("registered", "/registered")],
    ),
    ("Locks", "locks", &[("level", "/level"), ("scope", "/scope")]),
    ("Stuck scopes", "stuckScopes", &[("tenant", "/tenant"), ("scope", "/scope")]),
    (
        "Applications",
        "apps",
        &[
            ("client id", "/clientId"),
            ("home", "/homeTenant"),
            ("disabled", "/disabled"),
            ("deleted", "/deleted"),
            ("trusts", "/federatedCredentials"),
        ],
    ),
    (
        "Managed identities",
        "managedIdentities",
        &[("client id", "/clientId"), ("tenant", "/tenant"), ("principal", "/objectId")],
    ),
];

/// How many rows of a table are shown.
const ROWS: usize = 200;

/// The page.
pub(super) fn render(state: &Value, calls: &[Entry]) -> String {
    let mut html = format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>avnm-emulator</title><style>{STYLE}</style>\
         </head><body><h1>avnm-emulator</h1><p>{} · events to come: {} · JSON: <a href=/state>state</a>, \
         <a href=/ledger>ledger</a>, <a href=/calls>calls</a>, <a href=/faults>faults</a>, <a href=/settings>settings</a>, \
         <a href=/evidence>evidence</a></p>",
        text(&state["time"]),
        text(&state["pendingEvents"]),
    );
    for (heading, field, columns) in TABLES {
        let rows = state[*field].as_array().map(Vec::as_slice).unwrap_or_default();
        if !rows.is_empty() {
            table(&mut html, heading, rows, columns);
        }
    }
    let _ = write!(
        html,
        "<h2>Last calls</h2><p>{} in all, of which the first {} are not kept any more</p>\
         <table><tr><th>#<th>time<th>call<th>status<th>code<th>tenants<th>bytes</tr>",
        text(&state["lastCall"]),
        text(&state["ledgerDropped"]),
    );
    for call in calls.iter().rev() {
        let status = call.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let tenants = call.bearer_tenant.iter().chain(&call.auxiliary_tenants).cloned().collect::<Vec<_>>();
        let _ = write!(
            html,
            "<tr><td>{}<td>{}<td>{} {}<td>{status}<td>{}<td>{}<td>{}</tr>",
            call.seq,
            call.time.strftime("%H:%M:%S%.3f"),
            escape(&call.method),
            escape(&call.path),
            escape(call.code.as_deref().unwrap_or_default()),
            escape(&tenants.join(" + ")),
            call.bytes
        );
    }
    html.push_str("</table></body></html>");
    html
}

fn table(html: &mut String, heading: &str, rows: &[Value], columns: &[(&str, &str)]) {
    let _ = write!(html, "<h2>{heading} ({})</h2><table><tr>", rows.len());
    for (name, _) in columns {
        let _ = write!(html, "<th>{name}");
    }
    html.push_str("</tr>");
    for row in rows.iter().take(ROWS) {
        html.push_str("<tr>");
        for (name, pointer) in columns {
            let value = row.pointer(pointer).map(text).unwrap_or_default();
            let class = if *name == "state" { format!(" class={value}") } else { String::new() };
            let _ = write!(html, "<td{class}>{value}");
        }
        html.push_str("</tr>");
    }
    html.push_str("</table>");
    if rows.len() > ROWS {
        let _ = write!(html, "<p>The first {ROWS} of {}; all of them are at /state.</p>", rows.len());
    }
}

/// A value as text that is safe between tags.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escape(text),
        other => escape(&other.to_string()),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_shown_cannot_leave_its_cell() {
        let state = json!({"locks": [{"level": "ReadOnly", "scope": "/<script>\"&"}]});
        let html = render(&state, &[]);
        assert!(html.contains("/&lt;script&gt;&quot;&amp;"), "{html}");
        assert!(!html.contains("<script>"), "{html}");
    }

    #[test]
    fn a_long_table_is_cut_and_says_so() {
        let many: Vec<Value> = (0..=ROWS).map(|n| json!({"id": n})).collect();
        let html = render(&json!({"tenants": many}), &[]);
        assert!(html.contains("The first 200 of 201"), "{html}");
    }
}
