//! What the controllers of workloads would write: nothing here runs pods, so their status is played.

use anyhow::Result;
use avnm_chart::rendered::{NAMESPACE, RELEASE};
use serde_json::{Value, json};

use crate::stage::Stage;

/// The release's Deployment, if it is there.
pub(crate) async fn deployment(stage: &Stage) -> Result<Value> {
    stage.cluster.get(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{RELEASE}")).await
}

/// Says that the Deployment, as it is now, has all its replicas, and that its PodDisruptionBudget was counted.
pub(crate) async fn finished(stage: &Stage) -> Result<()> {
    let deployment = deployment(stage).await?;
    let replicas = &deployment["spec"]["replicas"];
    let condition = |kind: &str, reason: &str| json!({"type": kind, "status": "True", "reason": reason, "message": "played"});
    let status = json!({"status": {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
        "conditions": [condition("Available", "MinimumReplicasAvailable"), condition("Progressing", "NewReplicaSetAvailable")],
    }});
    write(stage, &format!("deployment/{RELEASE}"), &status).await?;
    let budget = stage.kubectl().json(&["-n", NAMESPACE, "get", "pdb", RELEASE]).await?;
    let status = json!({"status": {
        "observedGeneration": budget["metadata"]["generation"],
        "currentHealthy": 2, "desiredHealthy": 1, "disruptionsAllowed": 1, "expectedPods": 2,
    }});
    write(stage, &format!("pdb/{RELEASE}"), &status).await
}

async fn write(stage: &Stage, object: &str, status: &Value) -> Result<()> {
    let patch = status.to_string();
    let args = ["-n", NAMESPACE, "patch", object, "--subresource=status", "--type=merge", "-p", &patch];
    stage.kubectl().run(&args, None).await.map(drop)
}
