//! 04: a member of the other tenant is put with exactly one PUT that carries the right two tokens, and no other call
//! carries a second one; a network that does not fit its group is refused before any PUT.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::world::{self, CENTRAL_TENANT, MANAGER, TARGET_TENANT};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    let member = ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    ensure!(member["status"]["provisioningState"] == "Succeeded", "status is {}", member["status"]);

    let calls = ctx.calls(0).await?;
    let with_second: Vec<_> = calls
        .iter()
        .filter(|call| call["auxiliaryTenants"].as_array().is_some_and(|all| !all.is_empty()))
        .collect();
    ensure!(with_second.len() == 1, "calls with a second token: {with_second:#?}");
    let put = with_second[0];
    ensure!(put["method"] == "PUT", "the call with two tokens is {put}");
    ensure!(put["bearerTenant"] == CENTRAL_TENANT, "signed in {}", put["bearerTenant"]);
    ensure!(put["auxiliaryTenants"] == json!([TARGET_TENANT]), "second token of {}", put["auxiliaryTenants"]);
    let puts = calls
        .iter()
        .filter(|call| {
            call["method"] == "PUT"
                && call["path"]
                    .as_str()
                    .is_some_and(|path| path.contains("taticmembers") || path.contains("taticMembers"))
        })
        .count();
    ensure!(puts == 1, "{puts} PUTs of the member");

    // A virtual network in a group of subnets.
    let mark = ctx.mark().await?;
    let mut wrong = world::member(&json!({"networkGroupId": format!("{MANAGER}/networkGroups/subnetGroup")}));
    wrong["metadata"]["name"] = json!("wrong");
    ctx.apply_all(&[wrong]).await?;
    ctx.ready("staticmembers", "wrong", "False", "MemberTypeMismatch").await?;
    ensure!(ctx.writes(mark).await?.is_empty(), "something was written");

    // Its own tenant needs no second token.
    let mark = ctx.mark().await?;
    let own = MANAGER.replace("networkManagers/myAVNM", "virtualNetworks/centralVnet01");
    let mut same = world::member(&json!({
        "connectionRef": null, "resourceId": own,
        "credentialRef": {"kind": "TenantCredential", "name": "central"}
    }));
    same["metadata"]["name"] = json!("same");
    ctx.apply_all(&[same]).await?;
    ctx.ready("staticmembers", "same", "True", "Succeeded").await?;
    for call in ctx.calls(mark).await? {
        ensure!(call["auxiliaryTenants"].as_array().is_none_or(Vec::is_empty), "a second token on {call}");
    }
    Ok(())
}
