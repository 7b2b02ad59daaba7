//! Resource Graph, as far as it finds virtual networks: one endpoint, the table `Resources`, and the part of the query
//! language that `kusto` reads.

mod kusto;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::{access, quota};
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::path::{ArmPath, Scope, fold};
use crate::state::State;
use crate::world::resources::Network;
use kusto::Query;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification(
        "request and answer, $top from 1 to 1,000, resultTruncated as text",
        &documents::RESOURCE_GRAPH,
    ),
    Evidence::specification("$skipToken only where id is projected", &documents::GRAPH_DATA_SETS),
    Evidence::specification(
        "x-ms-user-quota-remaining and x-ms-user-quota-resets-after; 429 when it is used up (setting)",
        &documents::GRAPH_THROTTLING,
    ),
    Evidence::report(
        "a query counts against Resource Graph's own quota and not against ARM's for the tenant, which it overrides",
        "MicrosoftDocs/azure-docs#29135",
    ),
    Evidence::specification("only what the caller may read is found", &documents::GRAPH_PERMISSIONS),
    Evidence::assumed(
        "an error's details; a network is found at once after it was made (the real index lags)",
        "an invalid query; a query right after a network was made",
    ),
];

/// How many rows there are on a page where nothing is asked for.
const PAGE: usize = 100;

/// How many rows a page may have.
const PAGE_MAX: usize = 1_000;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sent {
    query: String,
    subscriptions: Vec<String>,
    management_groups: Vec<String>,
    options: Options,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    #[serde(rename = "$top")]
    top: Option<usize>,
    #[serde(rename = "$skip")]
    skip: Option<usize>,
    #[serde(rename = "$skipToken")]
    skip_token: Option<String>,
    result_format: Option<String>,
}

/// Answers a call to `/providers/Microsoft.ResourceGraph/resources`.
pub fn query(state: &mut State, call: &Call<'_>) -> Answered {
    let kind = call.path.types.join("/");
    if !kind.eq_ignore_ascii_case("resources") || !call.path.is_collection() {
        let text = format!(
            "The resource type '{kind}' could not be found in the namespace 'Microsoft.ResourceGraph'."
        );
        return Err(Answer::gateway(404, "InvalidResourceType", &text));
    }
    if call.method != "POST" {
        let text = format!("The requested resource does not support http method '{}'.", call.method);
        return Err(Answer::gateway(405, "MethodNotAllowed", &text));
    }
    let left = quota::take_of_graph(state, call)?;
    let answer = rows(state, call).unwrap_or_else(|refusal| refusal);
    Ok(answer
        .with("x-ms-user-quota-remaining", left.to_string())
        .with("x-ms-user-quota-resets-after", "00:00:05"))
}

fn rows(state: &State, call: &Call<'_>) -> Answered {
    let sent: Sent = call.parse()?;
    let query = Query::parse(&sent.query).map_err(|reason| invalid(&reason))?;
    let top = sent.options.top.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&top) {
        return Err(invalid(&format!("$top is {top} and not between 1 and {PAGE_MAX}")));
    }
    let start = match &sent.options.skip_token {
        None => sent.options.skip.unwrap_or(0),
        Some(token) => token
            .strip_prefix("skip:")
            .and_then(|at| at.parse().ok())
            .ok_or_else(|| invalid("$skipToken is not valid"))?,
    };
    let all = query.run(readable(state, call, &sent));
    let total = all.len();
    let page: Vec<Map<String, Value>> = all.into_iter().skip(start).take(top).collect();
    let more = start + page.len() < total;
    let mut body = json!({
        "totalRecords": total,
        "count": page.len(),
        "resultTruncated": "false",
        "facets": [],
    });
    // Documented: who does not project the id gets no token, and so no further page.
    let token = more && query.shows("id");
    if token {
        body["$skipToken"] = json!(format!("skip:{}", start + page.len()));
    }
    if more && !token {
        body["resultTruncated"] = json!("true");
    }
    let table = sent.options.result_format.is_some_and(|format| format.eq_ignore_ascii_case("table"));
    body["data"] = if table { as_table(&page) } else { json!(page) };
    Ok(Answer::json(200, &body))
}

fn as_table(page: &[Map<String, Value>]) -> Value {
    let names: Vec<&String> = page.first().map(|row| row.keys().collect()).unwrap_or_default();
    let columns: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "type": if *name == "tags" { "object" } else { "string" }}))
        .collect();
    let rows: Vec<Vec<&Value>> = page.iter().map(|row| row.values().collect()).collect();
    json!({"columns": columns, "rows": rows})
}

/// The networks that the caller may read, in the scopes that it asked for.
fn readable(state: &State, call: &Call<'_>, sent: &Sent) -> Vec<Map<String, Value>> {
    let tenant = &call.caller.bearer.tid;
    let world = &state.world;
    let asked = |path: &ArmPath, subscription: &str| {
        if sent.subscriptions.is_empty() && sent.management_groups.is_empty() {
            return true;
        }
        let above = world.management_groups_above(tenant, &path.scope);
        sent.subscriptions.iter().any(|it| it.eq_ignore_ascii_case(subscription))
            || sent.management_groups.iter().any(|name| {
                let id =
                    format!("/providers/microsoft.management/managementgroups/{}", name.to_ascii_lowercase());
                above.contains(&id)
            })
    };
    let mut rows = Vec::new();
    for network in world.networks.values() {
        let Some(path) = ArmPath::from_id(&network.id) else { continue };
        let Scope::Subscription(subscription) = &path.scope else { continue };
        let mine = world.tenant_of_subscription(subscription) == Some(tenant);
        let read = "Microsoft.Network/virtualNetworks/read";
        if mine
            && asked(&path, subscription)
            && access::allowed(state, &call.caller.bearer, read, &path, call.now)
        {
            rows.push(row(network, &path, subscription, tenant));
        }
    }
    rows
}

fn row(network: &Network, path: &ArmPath, subscription: &str, tenant: &str) -> Map<String, Value> {
    let shown = json!({
        "id": network.id,
        "name": network.name,
        "type": "microsoft.network/virtualnetworks",
        "tenantId": tenant,
        "kind": "",
        "location": network.location,
        "resourceGroup": fold(path.resource_group.as_deref().unwrap_or_default()),
        "subscriptionId": subscription,
        "tags": network.tags,
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": network.resource_guid,
            "addressSpace": {"addressPrefixes": network.address_prefixes},
        },
    });
    match shown {
        Value::Object(row) => row,
        _ => Map::new(),
    }
}

fn invalid(reason: &str) -> Answer {
    let body = json!({"error": {
        "code": "BadRequest",
        "message": "Please provide below info when asking for support: see details.",
        "details": [{"code": "InvalidQuery", "message": format!("Query is invalid. {reason}")}],
    }});
    let mut answer = Answer::json(400, &body);
    answer.code = Some("BadRequest".into());
    answer
}
