//! 05: everything of ours is deleted at once: members first, then the halves; nothing is left in Azure, and the
//! finalizers go.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::world::{self, SOON};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    let mark = ctx.mark().await?;
    ctx.in_namespace(&[
        "delete",
        "--wait=false",
        "tenantcredentials/central",
        "tenantcredentials/target",
        "crosstenantconnections/link",
        "staticmembers/vnet01",
    ])
    .await?;
    for (plural, name) in [
        ("staticmembers", "vnet01"),
        ("crosstenantconnections", "link"),
        ("tenantcredentials", "central"),
        ("tenantcredentials", "target"),
    ] {
        ctx.wait_gone(plural, name, SOON).await?;
    }
    for id in [world::member_id(), world::scope_connection(), world::manager_connection()] {
        ensure!(ctx.azure(&id).await?.is_none(), "{id} is left in Azure");
    }
    let deletes: Vec<String> = ctx
        .writes(mark)
        .await?
        .iter()
        .map(|call| call["path"].as_str().unwrap_or_default().to_ascii_lowercase())
        .collect();
    ensure!(deletes.len() == 3, "writes while deleting: {deletes:#?}");
    ensure!(deletes[0].contains("staticmembers"), "the member did not go first: {deletes:#?}");
    Ok(())
}
