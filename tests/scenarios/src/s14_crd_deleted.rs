//! 14: a CRD is deleted, which marks every object deleted: nothing in Azure is touched until that is confirmed.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::context::Ctx;
use crate::look;
use crate::world::{self, SOON};

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    let mark = ctx.mark().await?;
    let crd = "crosstenantconnections.avnm.dev";
    ctx.kubectl().run(&["delete", "crd", crd, "--wait=false"], None).await?;
    let blocked = ctx.ready("crosstenantconnections", "link", "False", "DeletionBlocked").await?;
    let message =
        look::condition(&blocked, "Ready").map(|ready| ready["message"].to_string()).unwrap_or_default();
    ensure!(message.contains("CRDTerminating"), "the message is {message}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    ensure!(ctx.writes(mark).await?.is_empty(), "something was written while the CRD is being deleted");
    ctx.in_namespace(&["annotate", "crosstenantconnections/link", "avnm.dev/confirm-delete=true"]).await?;
    ctx.wait_gone("crosstenantconnections", "link", SOON).await?;
    ensure!(
        ctx.writes(mark).await?.len() == 2,
        "two halves were not deleted: {:#?}",
        ctx.writes(mark).await?
    );
    Ok(())
}
