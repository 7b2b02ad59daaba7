//! 04b: a subnet joins a group of subnets, and what does not fit is refused before any PUT; a member that Azure fails
//! says what to do and is put again after a minute; two applications cannot sign one request.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::canary;
use crate::context::Ctx;
use crate::look;
use crate::world::{self, CENTRAL_TENANT, MANAGER, OTHER_APP, TARGET_TENANT};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;

    // Azure fails the first PUT of this one; what follows goes on meanwhile.
    let once = json!({"match": {"kind": "arm", "method": "PUT", "pathContains": "staticMembers/vnet01", "times": 1},
                      "action": {"failMember": true}});
    ctx.control().add_fault(&once).await?;
    ctx.apply_all(&[world::member(&json!({}))]).await?;

    subnets(ctx).await.context("subnets")?;
    two_applications(ctx).await.context("two applications")?;
    failed(ctx).await.context("failed")
}

fn named(mut member: Value, name: &str) -> Value {
    member["metadata"]["name"] = json!(name);
    member
}

async fn subnets(ctx: &Ctx) -> Result<()> {
    let group = format!("{MANAGER}/networkGroups/subnetGroup");
    let subnet = format!("{}/subnets/app", world::network());
    let mark = ctx.mark().await?;
    let in_vnet_group = named(world::member(&json!({"resourceId": subnet})), "misfit");
    ctx.apply_all(&[in_vnet_group]).await?;
    let refused = ctx.ready("staticmembers", "misfit", "False", "MemberTypeMismatch").await?;
    ensure!(look::condition(&refused, "Stalled").is_some(), "a person is needed: {}", refused["status"]);
    ensure!(refused["metadata"]["finalizers"].is_null(), "held before any PUT: {}", refused["metadata"]);

    let routes = |accesses: &[&str]| {
        json!({"location": "eastus2", "properties": {
            "networkManagerScopes": {"subscriptions": [world::CENTRAL_SUBSCRIPTION]},
            "networkManagerScopeAccesses": accesses}})
    };
    ctx.control().put_resource(MANAGER, &routes(&["Connectivity"])).await?;
    // What was read of the manager serves for a sweep, or ten seconds where sweeps are longer.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let fits = named(world::member(&json!({"resourceId": subnet, "networkGroupId": group})), "subnet");
    ctx.apply_all(std::slice::from_ref(&fits)).await?;
    ctx.ready("staticmembers", "subnet", "False", "RoutingNotEnabled").await?;
    let puts: Vec<Value> = ctx
        .writes(mark)
        .await?
        .into_iter()
        .filter(|call| !call["path"].as_str().unwrap_or_default().ends_with("/vnet01"))
        .collect();
    ensure!(puts.is_empty(), "written before it was known to fit: {puts:#?}");

    ctx.control().put_resource(MANAGER, &routes(&["Connectivity", "SecurityAdmin", "Routing"])).await?;
    ctx.ready("staticmembers", "subnet", "True", "Succeeded").await?;
    let puts: Vec<Value> = ctx
        .writes(mark)
        .await?
        .into_iter()
        .filter(|call| call["path"].as_str().unwrap_or_default().ends_with("/subnet"))
        .collect();
    ensure!(puts.len() == 1, "PUTs of the subnet: {puts:#?}");
    ensure!(puts[0]["bearerTenant"] == CENTRAL_TENANT, "signed in {}", puts[0]["bearerTenant"]);
    ensure!(puts[0]["auxiliaryTenants"] == json!([TARGET_TENANT]), "second token: {}", puts[0]);
    Ok(())
}

async fn two_applications(ctx: &Ctx) -> Result<()> {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other"},
                        "stringData": {"client-secret": canary::secret("other")}});
    let mut role = world::role();
    for object in &mut role {
        object["metadata"]["name"] = json!("other-secrets");
    }
    role[0]["rules"][0]["resourceNames"] = json!(["other"]);
    role[1]["roleRef"]["name"] = json!("other-secrets");
    let mut other = world::credential("other", TARGET_TENANT);
    other["spec"]["clientId"] = json!(OTHER_APP);
    other["spec"]["clientSecret"]["secretRef"]["name"] = json!("other");
    let member = named(
        world::member(&json!({"resourceCredentialRef": {"kind": "TenantCredential", "name": "other"}})),
        "mixed",
    );
    let mut all = vec![secret];
    all.extend(role);
    all.extend([other, member]);
    ctx.apply_all(&all).await?;
    ctx.ready("tenantcredentials", "other", "True", "TokenAcquired").await?;
    let refused = ctx.ready("staticmembers", "mixed", "False", "CredentialMismatch").await?;
    let message = world::message(&refused);
    ensure!(message.contains("one multi-tenant application"), "no next step: {message}");
    let calls = ctx.calls(0).await?;
    let told: Vec<&Value> =
        calls.iter().filter(|call| call["path"].as_str().unwrap_or_default().ends_with("/mixed")).collect();
    ensure!(told.is_empty(), "Azure was asked: {told:#?}");
    Ok(())
}

/// The longest part, which is why it began first: a member that Failed is put again after a minute.
async fn failed(ctx: &Ctx) -> Result<()> {
    let failed = ctx.ready("staticmembers", "vnet01", "False", "Failed").await?;
    let message = world::message(&failed);
    ensure!(message.contains("the network is there; check"), "it is not read at once: {message}");
    ensure!(failed["status"]["provisioningState"] == "Failed", "status is {}", failed["status"]);
    ensure!(failed["status"]["lastFailure"]["actor"] == "TargetTenantAdmin", "{}", failed["status"]);
    ctx.wait_condition("staticmembers", "vnet01", ("Ready", "True", "Succeeded"), Duration::from_secs(90))
        .await?;
    let puts = ctx
        .writes(0)
        .await?
        .iter()
        .filter(|call| call["path"].as_str().unwrap_or_default().ends_with("/vnet01"))
        .count();
    ensure!(puts == 2, "{puts} PUTs of a member that Azure failed once");
    Ok(())
}
