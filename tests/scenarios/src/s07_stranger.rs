//! 07b: someone makes our name after our claim and before our PUT (the operator crashed in between): not overwritten,
//! not deleted later. And what adoptionPolicy says of what was there before.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world::{self, MANAGER, SOON, TARGET, TARGET_TENANT};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    // Short, so that a claim that came to nothing is dropped within the scenario.
    let operator = ctx.start_operator(ctx.operator_options().arg("--put-quiet=3s")).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    ctx.apply_all(&world::credentials()).await?;
    for name in ["central", "target"] {
        ctx.ready("tenantcredentials", name, "True", "TokenAcquired").await?;
    }
    let stranger = Stranger { ctx, operator: &operator };
    stranger
        .comes(
            ("crosstenantconnections", "link", "/status/scopeConnection/claim/phase"),
            &world::connection(&json!({"networkManagerConnection": null})),
            &world::scope_connection(),
            &json!({"properties": {"tenantId": TARGET_TENANT, "resourceId": TARGET, "description": "theirs"}}),
        )
        .await
        .context("scope connection")?;
    stranger
        .comes(
            ("crosstenantconnections", "link", "/status/networkManagerConnection/claim/phase"),
            &world::connection(&json!({"scopeConnection": null})),
            &world::manager_connection(),
            &json!({"properties": {"networkManagerId": MANAGER, "description": "theirs"}}),
        )
        .await
        .context("network manager connection")?;
    let own = MANAGER.replace("networkManagers/myAVNM", "virtualNetworks/centralVnet01");
    stranger
        .comes(
            ("staticmembers", "vnet01", "/status/claim/phase"),
            &world::member(&json!({
                "connectionRef": null, "credentialRef": {"kind": "TenantCredential", "name": "central"},
                "resourceCredentialRef": {"kind": "TenantCredential", "name": "target"}
            })),
            &world::member_id(),
            &json!({"properties": {"resourceId": own}}),
        )
        .await
        .context("member")?;
    policies(ctx).await.context("adoptionPolicy")
}

struct Stranger<'a> {
    ctx: &'a Ctx,
    operator: &'a avnm_launcher::Operator,
}

impl Stranger<'_> {
    /// The operator is held up in the read that precedes its PUT, and dies there; then `theirs` stands under `id`.
    async fn comes(
        &self,
        (plural, name, claim): (&str, &str, &str),
        object: &Value,
        id: &str,
        theirs: &Value,
    ) -> Result<()> {
        let ctx = self.ctx;
        // Its own GET, not the list before the claim.
        let held = json!({"match": {"kind": "arm", "method": "GET", "pathContains": id}, "action": {"delayMs": 60000}});
        ctx.control().add_fault(&held).await?;
        ctx.apply_all(std::slice::from_ref(object)).await?;
        ctx.wait_for(plural, name, "claimed", SOON, |object| {
            object.pointer(claim).is_some_and(|phase| phase == "Intended")
        })
        .await?;
        self.operator.kill();
        ctx.control().put_resource(id, theirs).await?;
        ctx.control().clear_faults(None).await?;
        let mark = ctx.mark().await?;
        self.operator.restart().await?;
        let refused = ctx.ready(plural, name, "False", "Foreign").await?;
        let pointer = claim.trim_end_matches("/phase");
        ensure!(refused.pointer(pointer).is_none(), "the claim stayed: {}", refused["status"]);
        let now = ctx.azure(id).await?.unwrap_or_default();
        ensure!(
            now["properties"]["description"] == theirs["properties"]["description"],
            "overwritten: {now}"
        );
        ctx.in_namespace(&["delete", "--wait=false", &format!("{plural}/{name}")]).await?;
        ctx.wait_gone(plural, name, SOON).await?;
        ensure!(ctx.azure(id).await?.is_some(), "the stranger's was deleted");
        ensure!(ctx.writes(mark).await?.is_empty(), "written: {:#?}", ctx.writes(mark).await?);
        ctx.control().delete_resource(id).await?;
        Ok(())
    }
}

async fn policies(ctx: &Ctx) -> Result<()> {
    let id = world::scope_connection();
    let half = |description: &str| json!({"properties": {"tenantId": TARGET_TENANT, "resourceId": TARGET, "description": description}});
    // Never: not even what is identical.
    ctx.control().put_resource(&id, &half("ours")).await?;
    ctx.apply_all(&[world::connection(&json!({"adoptionPolicy": "Never"}))]).await?;
    let refused = ctx.ready("crosstenantconnections", "link", "False", "Foreign").await?;
    ensure!(world::message(&refused).contains("it is identical"), "{}", world::message(&refused));

    // Always: what differs is taken over, and the difference is corrected as drift.
    ctx.control().put_resource(&id, &half("theirs")).await?;
    ctx.apply_all(&[world::connection(&json!({"adoptionPolicy": "Always"}))]).await?;
    let adopted = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let claim = &adopted["status"]["scopeConnection"]["claim"];
    ensure!(claim["origin"] == "Adopted" && claim["phase"] == "Held", "claim is {claim}");
    let now = ctx.azure(&id).await?.unwrap_or_default();
    ensure!(now["properties"]["description"] == "ours", "the difference stayed: {now}");
    let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
    ensure!(events.contains("was already there and is now ours"), "no event tells of the adoption");
    ensure!(look::condition(&adopted, "Stalled").is_none(), "{}", adopted["status"]);
    ctx.in_namespace(&["delete", "--wait=false", "crosstenantconnections/link"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ensure!(ctx.azure(&id).await?.is_none(), "what was adopted is deleted like what was created");
    Ok(())
}
