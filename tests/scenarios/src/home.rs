//! The operator's own namespace: what a ClusterTenantCredential with a client secret needs there. Scenarios share it, one
//! after another, so each leaves nothing of its own.

use anyhow::Result;
use avnm_launcher::operator::OPERATOR_NAMESPACE;
use serde_json::Value;

use crate::context::Ctx;
use crate::world;

/// The Secret and the Role that lets the operator read it, and these credentials.
pub(crate) async fn set_up(ctx: &Ctx, credentials: &[Value]) -> Result<()> {
    let mut all = vec![world::secret()];
    all.extend(world::role());
    all.extend_from_slice(credentials);
    let args = ["-n", OPERATOR_NAMESPACE, "apply", "-f", "-"];
    ctx.kubectl().run(&args, Some(&world::file(&all))).await.map(drop)
}

/// Takes it away, whatever came of the scenario.
pub(crate) async fn clear(ctx: &Ctx, credentials: &[&str]) -> Result<()> {
    let kubectl = ctx.kubectl();
    for name in credentials {
        let target = format!("clustertenantcredentials/{name}");
        kubectl.run(&["delete", "--ignore-not-found", "--wait=false", &target], None).await?;
    }
    for object in ["secret/app", "role/secrets", "rolebinding/secrets"] {
        kubectl.run(&["-n", OPERATOR_NAMESPACE, "delete", "--ignore-not-found", object], None).await?;
    }
    Ok(())
}
