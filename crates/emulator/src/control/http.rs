//! The control endpoint: plain HTTP with JSON both ways, and no sign-in. It is for a loopback address, or a network
//! of the test's own.

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Asked, Body, Number, Refusal};
use super::{Control, page};
use crate::catalogue::EVIDENCE;
use crate::entra::registry::Edit;
use crate::faults::Fault;
use crate::settings::schema;
use crate::world::resources::ConnectionState;

/// What the endpoint says at its root.
const HELP: &str = "\
avnm-emulator, behind the scenes. JSON both ways.

GET    /page                         everything that exists and the last calls, for people (a browser gets it at / too)
GET    /state                        everything that exists
GET    /ledger                       the last calls, oldest first: as many as the setting ledgerLimit says
GET    /ledger?since=SEQ             all calls after that number; 410 where some of them are not kept any more
GET    /calls                        how many there were since the start, by service, method and status
GET    /faults                       faults in force, with their counts
POST   /faults                       {\"match\": {kind, method, id, pathContains, pathGlob, nth, times, forSeconds},
                                      \"action\": {status, code, message, body, headers} | {cutBefore: true}
                                      | {cutAfter: true} | {lateEffect: {ms}} | {html: true, status} | {truncated: true}
                                      | {giant: true, bytes} | {redirect: URL} | {failMember: true} | {stale: true}
                                      | {bom: true} | {contentType: TYPE}; delayMs alone or with each}
                                      kind: arm | token | imds; an html answer is a 502 and a giant one has 64 MB
                                      unless told otherwise (at most 1 GB)
DELETE /faults, /faults?id=ID        all, or one
GET    /arm?id=ID                    one resource, as ARM shows it (&tenant=T where a management group needs it)
PUT    /arm?id=ID                    make or replace one, unasked
DELETE /arm?id=ID                    delete one, unasked
POST   /connections/state            {id, state: Pending|Connected|Revoked|Conflict|Rejected, or null to clear}
POST   /entra                        {op: addApp | removeServicePrincipal | addServicePrincipal | setServicePrincipalDisabled
                                      | setAppDisabled | setAppDeleted | setSecret | addSecret | expireSecrets
                                      | addCertificate | removeCertificates | addFederatedCredential
                                      | removeFederatedCredential | setIssuer | addRole | removeRole, ...}
POST   /locks                        {scope, level: CanNotDelete | ReadOnly}
DELETE /locks, /locks?scope=ID       all, or one
POST   /registrations                {scope, registered: true | false}: Microsoft.Network in a subscription or at a
                                      management group ({tenant} where its name needs it)
GET    /settings, POST /settings     what can be set; a patch of it
GET    /settings/schema              what each setting means and may be (docs/emulator/settings.md is the same to read)
GET    /evidence                     what each rule is built on
";

type Outcome = Result<Json<Value>, Refusal>;

/// The endpoint's routes.
pub fn router(control: Control) -> Router {
    Router::new()
        .route("/", get(root))
        .route("/page", get(page))
        .route("/locks", post(lock).delete(unlock))
        .route("/registrations", post(register))
        .route("/state", get(state))
        .route("/ledger", get(ledger))
        .route("/calls", get(calls))
        .route("/faults", get(faults).post(add_fault).delete(remove_faults))
        .route("/faults/{id}", delete(remove_fault))
        .route("/arm", put(put_resource).get(get_resource).delete(delete_resource))
        .route("/connections/state", post(force_state))
        .route("/entra", post(entra))
        .route("/settings", get(settings).post(change_settings))
        .route("/settings/schema", get(settings_schema))
        .route("/evidence", get(evidence))
        .fallback(unknown)
        .method_not_allowed_fallback(not_so)
        .with_state(control)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    since: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    id: String,
    tenant: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forced {
    id: String,
    tenant: Option<String>,
    state: Option<ConnectionState>,
}

async fn unknown(uri: Uri) -> Refusal {
    let reason = format!("there is no {}; GET / lists what there is", uri.path());
    Refusal::new(StatusCode::NOT_FOUND, reason)
}

async fn not_so(method: Method, uri: Uri) -> Refusal {
    let reason = format!("{} takes no {method}; GET / lists what there is", uri.path());
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, reason)
}

/// Help; to a browser, the page.
async fn root(State(control): State<Control>, headers: HeaderMap) -> Response {
    let accepted = headers.get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepted.contains("text/html") { page(State(control)).await } else { HELP.into_response() }
}

async fn page(State(control): State<Control>) -> Response {
    let calls = control.ledger(control.last_call().saturating_sub(page::CALLS));
    Html(page::render(&control.state(), &calls)).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LockedAt {
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    scope: String,
    tenant: Option<String>,
    registered: bool,
}

async fn lock(State(control): State<Control>, body: Body) -> Outcome {
    control.lock(body.read()?)?;
    Ok(Json(json!({"done": true})))
}

async fn unlock(State(control): State<Control>, Asked(query): Asked<LockedAt>) -> Json<Value> {
    Json(json!({"removed": control.unlock(query.scope.as_deref())}))
}

async fn register(State(control): State<Control>, body: Body) -> Outcome {
    let it: Registration = body.read()?;
    control.register(&it.scope, it.tenant.as_deref(), it.registered)?;
    Ok(Json(json!({"done": true})))
}

async fn state(State(control): State<Control>) -> Json<Value> {
    Json(control.state())
}

async fn ledger(State(control): State<Control>, Asked(query): Asked<Since>) -> Result<Response, Refusal> {
    let calls = match query.since {
        None => control.ledger(0),
        // Who says from where counts on all of them.
        Some(since) => {
            control.whole_ledger(since).map_err(|error| Refusal::new(StatusCode::GONE, error.to_string()))?
        }
    };
    Ok(Json(calls).into_response())
}

async fn calls(State(control): State<Control>) -> Response {
    Json(control.tally()).into_response()
}

async fn faults(State(control): State<Control>) -> Response {
    Json(control.faults()).into_response()
}

async fn add_fault(State(control): State<Control>, body: Body) -> Outcome {
    let fault: Fault = body.read()?;
    Ok(Json(json!({"id": control.add_fault(fault)})))
}

async fn remove_faults(State(control): State<Control>, Asked(query): Asked<Which>) -> Json<Value> {
    Json(json!({"removed": control.remove_faults(query.id)}))
}

async fn remove_fault(State(control): State<Control>, Number(id): Number) -> Json<Value> {
    Json(json!({"removed": control.remove_faults(Some(id))}))
}

async fn get_resource(
    State(control): State<Control>,
    Asked(query): Asked<Resource>,
) -> Result<Response, Refusal> {
    Ok(match control.get(&query.id, query.tenant.as_deref())? {
        Some(found) => Json(found).into_response(),
        None => (StatusCode::NOT_FOUND, Json(Value::Null)).into_response(),
    })
}

async fn put_resource(State(control): State<Control>, Asked(query): Asked<Resource>, body: Body) -> Outcome {
    Ok(Json(control.put(&query.id, query.tenant.as_deref(), &body.0)?))
}

async fn delete_resource(State(control): State<Control>, Asked(query): Asked<Resource>) -> Outcome {
    Ok(Json(json!({"deleted": control.delete(&query.id, query.tenant.as_deref())?})))
}

async fn force_state(State(control): State<Control>, body: Body) -> Outcome {
    let forced: Forced = body.read()?;
    Ok(Json(control.force_state(&forced.id, forced.tenant.as_deref(), forced.state)?))
}

async fn entra(State(control): State<Control>, body: Body) -> Outcome {
    let edit: Edit = body.read()?;
    control.entra(edit)?;
    Ok(Json(json!({"done": true})))
}

async fn settings(State(control): State<Control>) -> Response {
    Json(control.settings()).into_response()
}

async fn change_settings(State(control): State<Control>, Body(patch): Body) -> Outcome {
    Ok(Json(serde_json::to_value(control.change_settings(&patch)?)?))
}

async fn settings_schema() -> Json<Value> {
    Json(schema::value())
}

async fn evidence() -> Response {
    Json(EVIDENCE.iter().copied().collect::<std::collections::BTreeMap<_, _>>()).into_response()
}
