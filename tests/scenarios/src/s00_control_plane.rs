//! 00: the control plane that all others stand on is the real one, of the pinned version, and namespaces end. What we
//! ship applies to it as the README says.

use std::time::Duration;

use anyhow::{Result, ensure};
use avnm_launcher::assets;
use avnm_launcher::operator::OPERATOR_NAMESPACE;

use crate::context::Ctx;
use crate::look;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let version = ctx.kubectl().json(&["version"]).await?;
    let (client, server) = (&version["clientVersion"]["gitVersion"], &version["serverVersion"]["gitVersion"]);
    if ctx.cluster().is_pinned() {
        let pinned = assets::pinned_kubernetes()?;
        ensure!(client == pinned.as_str(), "kubectl says {client}, tools/ pins {pinned}");
        ensure!(server == pinned.as_str(), "kube-apiserver says {server}, tools/ pins {pinned}");
    } else {
        ensure!(server.as_str().is_some_and(|v| v.starts_with("v1.")), "the server says {server}");
    }

    let deploy = avnm_launcher::run::workspace_dir().join("deploy").display().to_string();
    for _ in 0..2 {
        // Twice: an upgrade applies over what is there.
        ctx.kubectl().run(&["apply", "--server-side", "--force-conflicts", "-k", &deploy], None).await?;
    }
    let replicas =
        ctx.kubectl().json(&["-n", OPERATOR_NAMESPACE, "get", "deployment", "avnm-operator"]).await?;
    ensure!(replicas["spec"]["replicas"] == 2, "replicas: {}", replicas["spec"]["replicas"]);

    // It ends only if the controller manager runs, and only once what is in it is gone.
    ctx.apply(r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"passing"}}"#).await?;
    ctx.kubectl().run(&["delete", "namespace", ctx.namespace(), "--wait=false"], None).await?;
    let path = format!("/api/v1/namespaces/{}", ctx.namespace());
    look::wait_gone(ctx.cluster(), &path, Duration::from_secs(30)).await
}
