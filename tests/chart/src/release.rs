//! The release, through helm.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use avnm_chart::rendered::{self, NAMESPACE, RELEASE};
use avnm_launcher::{Look, wait_until};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::rollout;
use crate::stage::Stage;

/// How long helm waits before it gives up.
const TIMEOUT: &str = "120s";
/// How long it is watched while nothing is ready: it must not end.
const WAITS: Duration = Duration::from_secs(3);
/// How long it may take to see that all is ready.
const SEES: Duration = Duration::from_secs(60);

/// Installs or upgrades with `--wait`, and plays the Deployment's status only after having seen that helm waits for it.
/// `meanwhile` runs when helm has applied everything and waits: then new objects meet the pods of before.
pub(crate) async fn apply<M>(stage: &Stage, chart: &Path, values: &Value, meanwhile: M) -> Result<()>
where
    M: AsyncFnOnce() -> Result<()>,
{
    let before = rollout::deployment(stage).await.ok();
    let file = rendered::values_file(values)?;
    let (chart, values) = (chart.display().to_string(), file.display().to_string());
    let args = [
        "upgrade",
        "--install",
        RELEASE,
        &chart,
        "--namespace",
        NAMESPACE,
        "--values",
        &values,
        "--wait",
        "--timeout",
        TIMEOUT,
    ];
    let mut helm = start(stage, &args)?;
    let applied = applied(stage, before.as_ref(), &mut helm).await;
    let changed = match applied {
        Ok(changed) => changed,
        Err(error) => {
            let said = said(helm).await;
            return Err(error.context(format!("helm said: {said}")));
        }
    };
    if changed {
        tokio::time::sleep(WAITS).await;
        ensure!(helm.try_wait()?.is_none(), "helm --wait ended before the Deployment was ready");
    }
    meanwhile().await?;
    rollout::finished(stage).await?;
    let output = tokio::time::timeout(SEES, helm.wait_with_output()).await;
    let output =
        output.context("wait for helm: it does not see that all is ready")?.context("wait for helm")?;
    std::fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "helm ended with {}: {said}", output.status);
    ensure!(!said.to_lowercase().contains("warning"), "helm passes on a warning: {said}");
    Ok(())
}

fn start(stage: &Stage, args: &[&str]) -> Result<Child> {
    let mut command = Command::from(stage.helm.command(args));
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.spawn().with_context(|| format!("run helm {}", args.join(" ")))
}

async fn said(helm: Child) -> String {
    match helm.wait_with_output().await {
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    }
}

/// Waits until helm has written the Deployment, or has found nothing to write: then it is about to end by itself. Says
/// whether there is something to wait for.
async fn applied(stage: &Stage, before: Option<&Value>, helm: &mut Child) -> Result<bool> {
    let generation = |deployment: &Value| deployment["metadata"]["generation"].clone();
    let mut ended = false;
    let look = || {
        ended = ended || helm.try_wait().is_ok_and(|status| status.is_some());
        async move {
            let now = rollout::deployment(stage).await;
            match (now, before) {
                (Ok(now), Some(before)) if generation(&now) != generation(before) => Ok(Look::Done(true)),
                (Ok(_), None) => Ok(Look::Done(true)),
                _ if ended => Ok(Look::Done(false)),
                (Ok(_), _) => Ok(Look::NotYet("the Deployment is as before".to_owned())),
                (Err(error), _) => Ok(Look::NotYet(format!("{error:#}"))),
            }
        }
    };
    wait_until(SEES, Duration::from_millis(100), look, "helm to write the Deployment").await
}

/// The objects of the release, as they are in the cluster.
pub(crate) async fn objects(stage: &Stage) -> Result<Vec<Value>> {
    let manifest = stage.helm.run(&["get", "manifest", RELEASE, "--namespace", NAMESPACE])?;
    let args = ["-n", NAMESPACE, "get", "-f", "-", "-o", "json"];
    let text = stage.kubectl().run(&args, Some(&manifest)).await.context("get what the release has")?;
    let list: Value = serde_json::from_str(&text).context("parse the release's objects")?;
    let Value::Array(items) = list["items"].clone() else { bail!("get what the release has: no list came") };
    ensure!(items.len() == rendered::parse(&manifest)?.len(), "some objects of the release are not there");
    Ok(items)
}
