//! 02: the same with a management group, whose name both tenants have: each is looked up in its own tenant.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::world::{self, MANAGER, TARGET_TENANT};

const GROUP: &str = "/providers/Microsoft.Management/managementGroups/mg-shared";

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.push(world::connection(&json!({"target": {"tenantId": TARGET_TENANT, "scope": GROUP}})));
    ctx.apply_all(&all).await?;
    let connection = ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let id = format!("{GROUP}/providers/Microsoft.Network/networkManagerConnections/link");
    ensure!(
        connection["status"]["networkManagerConnection"]["id"] == id.as_str(),
        "status is {}",
        connection["status"]
    );
    let manager = ctx.azure(MANAGER).await?.unwrap_or_default();
    let listed = &manager["properties"]["networkManagerScopes"]["crossTenantScopes"][0];
    ensure!(listed["tenantId"] == TARGET_TENANT, "crossTenantScopes lists {listed}");
    ensure!(listed["managementGroups"] == json!([GROUP]), "crossTenantScopes lists {listed}");
    for call in ctx.calls(0).await? {
        let path = call["path"].as_str().unwrap_or_default().to_ascii_lowercase();
        if path.contains("managementgroups") {
            ensure!(call["bearerTenant"] == TARGET_TENANT, "signed in the wrong tenant: {call}");
        }
    }
    Ok(())
}
