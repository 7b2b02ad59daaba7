//! The API server takes what the chart renders, for every row of values: strictly, so that an unknown field is refused.

use anyhow::{Context as _, Result, ensure};
use avnm_chart::{matrix, rendered};
use avnm_launcher::run;
use serde_json::{Value, json};

use crate::stage::Stage;

pub(crate) async fn run(stage: &Stage) -> Result<()> {
    let mut count = 0;
    for row in matrix::rows() {
        let text = rendered::text(&stage.helm, &row.values)?;
        count += accepted(stage, &text).await.with_context(|| row.name.to_owned())?;
    }
    // What this check is worth: a field that no kind has is refused.
    let wrong = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "namespace": "team-a"},
                       "spec": {"ports": [{"port": 1}], "clusterIp": "None"}});
    let refused = accepted(stage, &wrong.to_string()).await;
    ensure!(refused.is_err(), "the API server took an unknown field");
    optional(stage).await?;
    println!("accepted: {count} objects of {} sets of values", matrix::rows().len());
    Ok(())
}

async fn accepted(stage: &Stage, text: &str) -> Result<usize> {
    let args = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"];
    let output = stage.kubectl().output(&args, Some(text)).await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the API server refused it: {said}");
    ensure!(!said.contains("Warning"), "the API server warns: {said}");
    Ok(String::from_utf8_lossy(&output.stdout).lines().count())
}

/// What `deploy/` has beside its base, which scenario 00 applies.
async fn optional(stage: &Stage) -> Result<()> {
    let deploy = run::workspace_dir().join("deploy");
    for file in [
        "install.yaml",
        "components/network-policy/network-policy.yaml",
        "components/monitoring/monitoring.yaml",
    ] {
        let text =
            std::fs::read_to_string(deploy.join(file)).with_context(|| format!("read deploy/{file}"))?;
        let objects = rendered::parse(&text)?;
        ensure!(objects.iter().all(Value::is_object), "deploy/{file} has what is no object");
        accepted(stage, &text).await.with_context(|| format!("deploy/{file}"))?;
    }
    Ok(())
}
