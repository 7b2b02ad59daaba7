//! 11: bad YAML is refused by the API server with a message that says what to write; what is immutable stays, and
//! what is mutable changes.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::world;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut said = refused_all(ctx, [names_and_references(), credentials(), empty_values()].concat()).await?;
    taken_as_left_out(ctx).await?;
    ctx.apply_all(&[connection(), world::member(&json!({})), credential(), cluster(&json!({}))]).await?;
    said.push_str(&refused_all(ctx, changes_of_what_is_immutable()).await?);

    // Nothing of what the CRDs say was left out here.
    let crds = std::fs::read_to_string(avnm_launcher::run::workspace_dir().join("deploy/crds.yaml"))?;
    let rules = messages(&crds)?;
    let unseen: Vec<&String> = rules.iter().filter(|rule| !said.contains(rule.as_str())).collect();
    ensure!(!rules.is_empty() && unseen.is_empty(), "no object here is refused with {unseen:#?}");
    while_deleting(ctx).await
}

/// An object that is refused, and a part of the message.
type Refused = (Value, &'static str);

fn credential() -> Value {
    world::credential("central", world::CENTRAL_TENANT)
}

fn connection() -> Value {
    world::connection(&json!({}))
}

/// The same object with another value in one place.
fn with(mut object: Value, path: &str, value: Value) -> Value {
    if let Some(slot) = object.pointer_mut(path) {
        *slot = value;
    }
    object
}

/// A credential of the cluster with other fields in its spec.
fn cluster(patch: &Value) -> Value {
    let mut object = credential();
    object["kind"] = json!("ClusterTenantCredential");
    object["metadata"]["name"] = json!("s11");
    for (field, value) in patch.as_object().into_iter().flatten() {
        object["spec"][field] = value.clone();
    }
    object
}

/// A connection with one half of this name.
fn named(half: &str, name: &str, credential: &str) -> Value {
    let reference = json!({"kind": "TenantCredential", "name": credential});
    world::connection(&json!({half: {"name": name, "credentialRef": reference}}))
}

fn names_and_references() -> Vec<Refused> {
    let long = "a".repeat(70);
    vec![
        (
            with(connection(), "/spec/networkManagerId", json!("/subscriptions/x")),
            "write the id of a network manager",
        ),
        (
            with(
                connection(),
                "/spec/networkManagerId",
                json!(world::MANAGER.replace("myAVNMR", "my AVNM R")),
            ),
            "no id in Azure has the character \" \"",
        ),
        (
            with(world::member(&json!({})), "/spec/resourceId", json!(world::network().replace("temp", "½"))),
            "no id in Azure has the character \"½\"",
        ),
        (
            with(connection(), "/spec/target/tenantId", json!("24680975-1234-abcd-56fg-121314ab5643")),
            "write the tenant's GUID",
        ),
        (
            with(connection(), "/spec/target/scope", json!("/subscriptions/../x")),
            "write /subscriptions/GUID or",
        ),
        (
            world::connection(&json!({"scopeConnection": null, "networkManagerConnection": null})),
            "declare at least one half",
        ),
        (
            world::connection(
                &json!({"scopeConnection": {"external": true, "name": "x", "credentialRef": {"kind": "TenantCredential", "name": "central"}}}),
            ),
            "an external half is someone else's",
        ),
        (with(connection(), "/metadata/name", json!(long)), "set spec.scopeConnection.name"),
        (with(connection(), "/metadata/name", json!(long)), "set spec.networkManagerConnection.name"),
        (with(world::member(&json!({})), "/metadata/name", json!(long)), "set spec.memberName"),
        (named("scopeConnection", "-x", "central"), "write 1 to 64 letters"),
        (world::member(&json!({"connectionRef": null})), "set connectionRef"),
        (
            with(world::member(&json!({})), "/spec/resourceId", json!("/subscriptions/x/y")),
            "write the id of a virtual network or subnet",
        ),
        (
            with(world::member(&json!({})), "/spec/networkGroupId", json!(world::MANAGER)),
            "write the id of a network group",
        ),
    ]
}

fn credentials() -> Vec<Refused> {
    let identity = |value: Value| cluster(&json!({"clientSecret": null, "managedIdentity": value}));
    let restricted = |scopes: &Value| {
        let mut object = credential();
        object["spec"]["allowedScopes"] = scopes.clone();
        object
    };
    vec![
        (with(credential(), "/spec/clientId", json!("app")), "write the application's client id"),
        (restricted(&json!(["subscriptions/x"])), "write each scope as an ARM id"),
        (restricted(&json!(["/subscriptions/x", "/a*"])), "no id in Azure has the character \"*\""),
        (restricted(&json!([])), "leave allowedScopes out to restrict nothing"),
        (
            with(credential(), "/spec", json!({"tenantId": world::CENTRAL_TENANT, "clientId": world::APP})),
            "set exactly one way to sign in",
        ),
        (
            with(
                credential(),
                "/spec/clientSecret",
                json!({"secretRef": {"name": "s", "key": "k", "namespace": "other"}}),
            ),
            "unknown field",
        ),
        (
            cluster(&json!({"workloadIdentity": {}})),
            "set exactly one way to sign in: serviceAccount, workloadIdentity",
        ),
        (identity(json!({})), "name the managed identity by exactly one of"),
        (identity(json!({"clientId": "mine"})), "write the managed identity's client id"),
        (identity(json!({"resourceId": "/a&client_id=b"})), "no id in Azure has the character \"&\""),
        (identity(json!({"resourceId": "/a/"})), "write the managed identity's ARM id"),
        (
            cluster(
                &json!({"allowedNamespaces": {"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}}),
            ),
            "give values with In and NotIn",
        ),
    ]
}

/// What templates leave where a value is empty, or make of one that looks like something else.
fn empty_values() -> Vec<Refused> {
    let member = |patch: Value| world::member(&patch);
    let name = "left out, it is metadata.name";
    let set = |mut object: Value, field: &str, value: Value| {
        object["spec"][field] = value;
        object
    };
    vec![
        (member(json!({"memberName": ""})), name),
        (named("scopeConnection", "", "central"), name),
        (member(json!({"memberName": 123})), "spec.memberName in body must be of type string: \"integer\""),
        (member(json!({"suspend": "true"})), "spec.suspend in body must be of type boolean: \"string\""),
        (member(json!({"resourceId": ""})), "write the id of a virtual network or subnet"),
        (member(json!({"networkGroupId": ""})), "write the id of a network group"),
        (member(json!({"resourceId": "<no value>"})), "no id in Azure has the character \"<\""),
        (
            member(json!({"connectionRef": {"name": ""}})),
            "spec.connectionRef.name in body should be at least 1 chars long",
        ),
        (member(json!({"connectionRef": {}})), "spec.connectionRef.name: Required value"),
        (set(member(json!({})), "connectionRef", Value::Null), "set connectionRef"),
        (set(connection(), "networkManagerId", Value::Null), "spec.networkManagerId: Required value"),
        (with(connection(), "/spec/networkManagerId", json!("")), "write the id of a network manager"),
        (with(connection(), "/spec/target/tenantId", json!("")), "write the tenant's GUID"),
        (with(connection(), "/spec/target/scope", json!("")), "write /subscriptions/GUID or"),
        (with(credential(), "/spec/clientId", json!("")), "write the application's client id"),
        (set(credential(), "allowedScopes", json!([""])), "write each scope as an ARM id"),
        (set(credential(), "allowedScopes", json!([null])), "spec.allowedScopes[0]"),
        (cluster(&json!({"allowedNamespaces": {"names": [""]}})), "write each namespace's name"),
    ]
}

/// A null is as if the field were not there.
async fn taken_as_left_out(ctx: &Ctx) -> Result<()> {
    let mut link = connection();
    link["metadata"]["name"] = json!("nulls");
    for (at, field) in
        [("", "deletionPolicy"), ("/scopeConnection", "description"), ("/scopeConnection", "name")]
    {
        if let Some(slot) = link.pointer_mut(&format!("/spec{at}")) {
            slot[field] = Value::Null;
        }
    }
    let mut credential = credential();
    credential["metadata"]["name"] = json!("nulls");
    credential["spec"]["allowedScopes"] = Value::Null;
    // Neither is in play: what is stored is all that is asked.
    link["spec"]["suspend"] = json!(true);
    ctx.apply_all(&[link, credential]).await?;
    let link = ctx.object("crosstenantconnections", "nulls").await?;
    let half = &link["spec"]["scopeConnection"];
    ensure!(
        half.get("description").is_none()
            && half.get("name").is_none()
            && link["spec"].get("deletionPolicy").is_none(),
        "nulls are kept: {}",
        link["spec"]
    );
    let credential = ctx.object("tenantcredentials", "nulls").await?;
    ensure!(credential["spec"].get("allowedScopes").is_none(), "null is kept: {}", credential["spec"]);
    ctx.in_namespace(&["delete", "crosstenantconnections/nulls", "tenantcredentials/nulls"]).await?;
    Ok(())
}

fn changes_of_what_is_immutable() -> Vec<Refused> {
    let other = "/subscriptions/00000000-abcd-1234-1def-0987654321ab";
    vec![
        (with(connection(), "/spec/target/scope", json!(other)), "target.scope is immutable"),
        (
            with(connection(), "/spec/networkManagerId", json!(world::MANAGER.replace("myAVNM", "other"))),
            "networkManagerId is immutable",
        ),
        (named("scopeConnection", "other", "central"), "spec.scopeConnection.name is immutable"),
        (world::member(&json!({"memberName": "other"})), "spec.memberName is immutable"),
        (
            with(
                world::member(&json!({})),
                "/spec/resourceId",
                json!(world::network().replace("targetVnet01", "v2")),
            ),
            "resourceId is immutable",
        ),
        (
            with(connection(), "/spec/target/tenantId", json!(world::CENTRAL_TENANT)),
            "target.tenantId is immutable",
        ),
        (
            named("networkManagerConnection", "other", "target"),
            "spec.networkManagerConnection.name is immutable",
        ),
        (
            world::member(&json!({"networkGroupId": format!("{}/networkGroups/other", world::MANAGER)})),
            "networkGroupId is immutable",
        ),
        (with(credential(), "/spec/tenantId", json!(world::TARGET_TENANT)), "tenantId is immutable"),
        (with(credential(), "/spec/clientId", json!(world::TARGET_TENANT)), "clientId is immutable"),
        (
            cluster(&json!({"tenantId": world::TARGET_TENANT})),
            "tenantId is immutable: create another ClusterTenantCredential",
        ),
        (
            cluster(&json!({"clientId": world::TARGET_TENANT})),
            "clientId is immutable: create another ClusterTenantCredential",
        ),
    ]
}

/// Each object must be refused with its message. Gives all that kubectl said.
async fn refused_all(ctx: &Ctx, objects: Vec<Refused>) -> Result<String> {
    let mut all = String::new();
    for (mut object, message) in objects {
        object["metadata"]["namespace"] = json!(ctx.namespace());
        let said = ctx.kubectl().refused(&object.to_string()).await?;
        ensure!(said.contains(message), "refused {object} with {said:?}, which lacks {message:?}");
        all.push_str(&said);
    }
    Ok(all)
}

/// What is mutable, also while deleting.
async fn while_deleting(ctx: &Ctx) -> Result<()> {
    let hold = r#"{"metadata":{"finalizers":["example.com/hold"]}}"#;
    let objects = ["crosstenantconnections/link", "staticmembers/vnet01"];
    for object in objects {
        ctx.in_namespace(&["patch", object, "--type=merge", "-p", hold]).await?;
        ctx.in_namespace(&["delete", "--wait=false", object]).await?;
    }
    let reference = |name: &str| json!({"kind": "TenantCredential", "name": name});
    let half = |name: &str| json!({"description": "other", "credentialRef": reference(name)});
    let free =
        json!({"mode": "Observe", "deletionPolicy": "Orphan", "adoptionPolicy": "Never", "suspend": true});
    let mut connection = free.clone();
    connection["scopeConnection"] = half("another");
    connection["networkManagerConnection"] = half("another");
    let mut member = free;
    member["connectionRef"] = json!({"name": "another"});
    member["credentialRef"] = reference("another");
    member["resourceCredentialRef"] = reference("another");
    for (object, spec) in objects.into_iter().zip([connection, member]) {
        let patch = json!({"spec": spec}).to_string();
        ctx.in_namespace(&["patch", object, "--type=merge", "-p", &patch]).await?;
        let (plural, name) = object.split_once('/').unwrap_or_default();
        let changed = ctx.object(plural, name).await?;
        for (field, value) in spec.as_object().into_iter().flatten() {
            let holds = value.as_object().map_or(changed["spec"][field] == *value, |parts| {
                parts.iter().all(|(part, value)| changed["spec"][field][part] == *value)
            });
            ensure!(holds, "{object}: spec.{field} did not change: {}", changed["spec"]);
        }
        let go = r#"{"metadata":{"finalizers":null}}"#;
        ctx.in_namespace(&["patch", object, "--type=merge", "-p", go]).await?;
    }
    Ok(())
}

/// The messages of all CEL rules, as `deploy/crds.yaml` has them.
fn messages(crds: &str) -> Result<Vec<String>> {
    fn walk(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                let rules = map.get("x-kubernetes-validations").and_then(Value::as_array);
                let texts = rules.into_iter().flatten().filter_map(|rule| rule["message"].as_str());
                into.extend(texts.map(str::to_owned));
                map.values().for_each(|value| walk(value, into));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, into)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for document in serde_saphyr::from_multiple::<Value>(crds)? {
        walk(&document, &mut found);
    }
    found.sort();
    found.dedup();
    Ok(found)
}
