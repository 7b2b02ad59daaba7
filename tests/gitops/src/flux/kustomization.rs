//! Kustomizations of Flux, and how they are looked at.

use anyhow::Result;
use avnm_launcher::Look;
use serde_json::{Value, json};

use super::Flux;
use super::controller::NAMESPACE;
use crate::stage::{apply, ready, wait};

/// A Kustomization of one folder that waits for what it applied, after those that it depends on.
pub(crate) fn kustomization(name: &str, after: &[&str]) -> Value {
    let after: Vec<Value> = after.iter().map(|name| json!({"name": name})).collect();
    json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"interval": "1h", "retryInterval": "3s", "timeout": "2m", "path": format!("./{name}"),
                 "prune": true, "wait": true, "dependsOn": after, "deletionPolicy": "WaitForTermination",
                 "sourceRef": {"kind": "GitRepository", "name": "hub"}}})
}

impl Flux<'_> {
    /// Applies a Kustomization.
    pub(crate) async fn apply(&self, kustomization: &Value) -> Result<()> {
        apply(self.stage.kubectl(), kustomization).await
    }

    /// kubectl in Flux's namespace.
    pub(crate) async fn kubectl(&self, args: &[&str]) -> Result<String> {
        self.stage.kubectl().run(&[&["-n", NAMESPACE], args].concat(), None).await
    }

    /// One Kustomization.
    pub(crate) async fn get(&self, name: &str) -> Result<Value> {
        self.stage
            .cluster()
            .get(&format!(
                "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/kustomizations/{name}"
            ))
            .await
    }

    /// Waits until a Kustomization is as `holds` says.
    pub(crate) async fn until(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let holds = &holds;
        let look = || async move { Ok(Look::when(self.get(name).await?, |it| holds(it))) };
        wait(look, &format!("the Kustomization {name} to be {what}")).await
    }

    /// Waits until a Kustomization is Ready at a revision.
    pub(crate) async fn synced(&self, name: &str, revision: &str) -> Result<Value> {
        self.until(name, &format!("Ready at {revision}"), |it| {
            it["status"]["lastAppliedRevision"] == revision
                && it["status"]["observedGeneration"] == it["metadata"]["generation"]
                && ready(it)["status"] == "True"
        })
        .await
    }

    /// Has Flux apply it anew, and waits until it has and all is Ready again.
    pub(crate) async fn reconcile(&self, name: &str, token: &str) -> Result<Value> {
        let target = format!("kustomizations.kustomize.toolkit.fluxcd.io/{name}");
        let annotation = format!("reconcile.fluxcd.io/requestedAt={token}");
        self.kubectl(&["annotate", "--overwrite", &target, &annotation]).await?;
        self.until(name, &format!("reconciled for {token}"), |it| {
            it["status"]["lastHandledReconcileAt"] == token && ready(it)["status"] == "True"
        })
        .await
    }
}
