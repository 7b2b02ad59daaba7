//! Applications of Argo CD, and how they are looked at.

use std::time::Duration;

use anyhow::{Result, ensure};
use avnm_launcher::Look;
use serde_json::{Value, json};

use super::Argo;
use super::server::{self, NAMESPACE};
use crate::hub;
use crate::stage::{apply, wait};

/// How an Application is synced and compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// Sync options of the whole Application.
    pub(crate) options: &'static [&'static str],
    /// Compare options of the whole Application.
    pub(crate) compare: &'static str,
}

/// Server-side apply, as the guide recommends it.
pub(crate) const SERVER_SIDE: Way = Way { options: &["ServerSideApply=true"], compare: "" };

impl Argo<'_> {
    /// An Application of one folder of the repository.
    pub(crate) fn application(&self, name: &str, path: &str, wave: u32, way: Way) -> Result<Value> {
        let mut application = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": NAMESPACE,
                "annotations": {"argocd.argoproj.io/sync-wave": wave.to_string()},
                "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
            "spec": {"project": "default",
                "source": {"repoURL": self.repository.url(), "path": path, "targetRevision": "main"},
                "destination": {"server": server::address(self.stage)?, "namespace": hub::NAMESPACE},
                "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "syncOptions": way.options,
                    // By default a refused sync is tried five times more, for minutes.
                    "retry": {"limit": 1, "backoff": {"duration": "1s", "factor": 1, "maxDuration": "1s"}}}}
        });
        if !way.compare.is_empty() {
            application["metadata"]["annotations"]["argocd.argoproj.io/compare-options"] = json!(way.compare);
        }
        Ok(application)
    }

    /// Applies an Application by hand, as the first one of an app of apps is.
    pub(crate) async fn apply(&self, application: &Value) -> Result<()> {
        apply(self.stage.kubectl(), application).await
    }

    /// kubectl in Argo CD's namespace.
    pub(crate) async fn kubectl(&self, args: &[&str]) -> Result<String> {
        self.stage.kubectl().run(&[&["-n", NAMESPACE], args].concat(), None).await
    }

    /// One Application.
    pub(crate) async fn get(&self, name: &str) -> Result<Value> {
        self.stage
            .cluster()
            .get(&format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications/{name}"))
            .await
    }

    /// Has Argo CD read the repository and compare anew, and waits until it has.
    pub(crate) async fn refresh(&self, name: &str) -> Result<Value> {
        let target = format!("applications.argoproj.io/{name}");
        let annotation = "argocd.argoproj.io/refresh=hard";
        self.kubectl(&["annotate", "--overwrite", &target, annotation]).await?;
        let look = || async {
            let application = self.get(name).await?;
            let asked = &application["metadata"]["annotations"]["argocd.argoproj.io/refresh"];
            Ok(if asked.is_null() {
                Look::Done(application)
            } else {
                Look::NotYet("the refresh is still asked for".into())
            })
        };
        wait(look, &format!("the Application {name} to be refreshed")).await
    }

    /// Waits until an Application is as `holds` says.
    pub(crate) async fn until(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let holds = &holds;
        let look = || async move {
            let application = self.get(name).await?;
            let status = &application["status"];
            let short = json!({"sync": status["sync"]["status"], "health": status["health"],
                "conditions": status["conditions"], "operation": status["operationState"]});
            Ok(if holds(&application) { Look::Done(application) } else { Look::NotYet(format!("{short:#}")) })
        };
        wait(look, &format!("the Application {name} to be {what}")).await
    }

    /// Waits until an Application is Synced to a commit, and as healthy as that. The last operation may be another commit's
    /// that failed: where the commit after it changes nothing in the cluster, none follows.
    pub(crate) async fn synced(&self, name: &str, revision: &str, health: &str) -> Result<Value> {
        self.until(name, &format!("Synced and {health} at {revision}"), |application| {
            let status = &application["status"];
            status["sync"]["status"] == "Synced"
                && status["sync"]["revision"] == revision
                && status["health"]["status"] == health
                && status["operationState"]["phase"] != "Running"
        })
        .await
    }

    /// Syncs an Application once more, although nothing calls for it.
    pub(crate) async fn sync(&self, name: &str, revision: &str, way: Way) -> Result<Value> {
        let ended = self.get(name).await?["status"]["operationState"]["finishedAt"].clone();
        // The time of an end has no fractions: another one in the same second would look like the same.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let operation = json!({"operation": {"sync": {"revision": revision, "syncOptions": way.options}}});
        let target = format!("applications.argoproj.io/{name}");
        self.kubectl(&["patch", &target, "--type=merge", "-p", &operation.to_string()]).await?;
        self.until(name, "synced once more", |application| {
            let operation = &application["status"]["operationState"];
            operation["phase"] == "Succeeded" && operation["finishedAt"] != ended
        })
        .await
    }

    /// Compares an Application ten times, and fails at any difference.
    pub(crate) async fn no_difference(&self, name: &str) -> Result<()> {
        for round in 1..=10 {
            let application = self.refresh(name).await?;
            let status = &application["status"];
            let differs = |one: &&Value| one["status"] != "Synced";
            let resources = status["resources"].as_array().cloned().unwrap_or_default();
            ensure!(!resources.is_empty(), "round {round}: {name} has no resources");
            let out: Vec<&Value> = resources.iter().filter(differs).collect();
            ensure!(
                out.is_empty() && status["sync"]["status"] == "Synced",
                "round {round}: {name} is {}: {out:#?}",
                status["sync"]["status"]
            );
        }
        Ok(())
    }
}
