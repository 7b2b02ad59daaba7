//! 22: resource groups with letters of another alphabet, and every id, tenant and name applied again in another casing: the
//! API server takes it, Azure is written nothing, and nobody speaks of drift.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::look;
use crate::world::{self, APP, CENTRAL_SUBSCRIPTION, CENTRAL_TENANT, SOON, TARGET, TARGET_TENANT};

const GROUP_NAME: &str = "containsCrossTenantResources";

fn manager() -> String {
    format!(
        "{CENTRAL_SUBSCRIPTION}/resourceGroups/Instruktører/providers/Microsoft.Network/networkManagers/hub"
    )
}

fn network() -> String {
    format!("{TARGET}/resourceGroups/Отдел-(研究)/providers/Microsoft.Network/virtualNetworks/v")
}

/// All objects, each text of theirs that names something in Azure as `cased` writes it.
fn objects(cased: impl Fn(&str) -> String) -> Vec<Value> {
    let credential = |name: &str, tenant: &str| {
        let mut object = world::credential(name, &cased(tenant));
        object["spec"]["clientId"] = json!(cased(APP));
        object["spec"]["allowedScopes"] = json!([cased(CENTRAL_SUBSCRIPTION), cased(TARGET)]);
        object
    };
    let half = |credential: &str| {
        let reference = json!({"kind": "TenantCredential", "name": credential});
        json!({"name": cased("Link"), "description": "ours", "credentialRef": reference})
    };
    vec![
        credential("central", CENTRAL_TENANT),
        credential("target", TARGET_TENANT),
        world::connection(&json!({
            "networkManagerId": cased(&manager()),
            "target": {"tenantId": cased(TARGET_TENANT), "scope": cased(TARGET)},
            "scopeConnection": half("central"),
            "networkManagerConnection": half("target"),
        })),
        world::member(&json!({
            "networkGroupId": cased(&format!("{}/networkGroups/{GROUP_NAME}", manager())),
            "memberName": cased("vnet01"),
            "resourceId": cased(&network()),
        })),
    ]
}

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let hub = json!({"location": "eastus2", "properties": {"networkManagerScopes": {}, "networkManagerScopeAccesses": ["Connectivity"]}});
    ctx.control().put_resource(&manager(), &hub).await?;
    ctx.control().put_resource(&format!("{}/networkGroups/{GROUP_NAME}", manager()), &json!({})).await?;
    ctx.control().put_resource(&network(), &json!({"location": "westeurope"})).await?;
    // Of a scope in another casing than the one that is asked about: that, too, is the same to Azure.
    let role = json!({"op": "addRole", "clientId": APP, "tenant": CENTRAL_TENANT,
                      "scope": manager().to_uppercase(), "actions": ["Microsoft.Network/networkManagers/*"]});
    ctx.control().entra(&role).await?;
    ctx.apply_all(&[vec![world::secret()], world::role(), objects(str::to_owned)].concat()).await?;
    let connection = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let member = ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    let id = format!("{}/networkGroups/{GROUP_NAME}/staticMembers/vnet01", manager());
    ensure!(member["status"]["id"] == id.as_str(), "the member's id is {}", member["status"]["id"]);

    let mark = ctx.mark().await?;
    for cased in [str::to_uppercase, str::to_lowercase] {
        ctx.apply_all(&objects(cased)).await?;
        for (plural, name) in [
            ("crosstenantconnections", "link"),
            ("staticmembers", "vnet01"),
            ("tenantcredentials", "central"),
        ] {
            ctx.wait_for(plural, name, "Ready in its new casing", SOON, |object| {
                let generation = &object["metadata"]["generation"];
                look::condition(object, "Ready").is_some_and(|ready| {
                    ready["status"] == "True" && ready["observedGeneration"] == *generation
                })
            })
            .await?;
        }
    }
    // Two sweeps.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let writes = ctx.writes(mark).await?;
    ensure!(writes.is_empty(), "an edit of casing was written to Azure: {writes:#?}");
    let again = ctx.object("crosstenantconnections", "link").await?;
    for half in ["scopeConnection", "networkManagerConnection"] {
        let (old, new) = (&connection["status"][half], &again["status"][half]);
        ensure!(old["claim"] == new["claim"] && old["id"] == new["id"], "{half} was {old}, and is {new}");
    }
    let events = ctx.in_namespace(&["get", "events.events.k8s.io", "-o", "json"]).await?;
    for word in
        ["DriftCorrected", "SpecChanged", "DriftDetected", "HalfReleased", "MemberReleased", "Adopted"]
    {
        ensure!(!events.contains(word), "an edit of casing is told as {word}: {events}");
    }
    let go = ["delete", "--wait=false", "staticmembers/vnet01", "crosstenantconnections/link"];
    ctx.in_namespace(&go).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ensure!(ctx.azure(&id).await?.is_none(), "the member is left in Azure");
    ensure!(
        ctx.azure(&format!("{}/scopeConnections/Link", manager())).await?.is_none(),
        "a half is left in Azure"
    );
    Ok(())
}
