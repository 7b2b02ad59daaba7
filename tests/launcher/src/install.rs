//! What we ship, applied as a user would apply it: the CRDs and the operator's rights.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::operator::{OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use crate::run;
use crate::wait::{Look, wait_until};

/// How long a new kind may take to be listed.
const SERVED: Duration = Duration::from_secs(30);

impl ControlPlane {
    /// Applies `deploy/crds.yaml` and `deploy/rbac.yaml`, and gives a kubeconfig of the operator's own account: it
    /// has the rights that we ship and no others. Doing it again repairs what a test has deleted.
    pub async fn install(&self) -> Result<PathBuf> {
        let kubectl = self.kubectl();
        let exists = kubectl.output(&["get", "namespace", OPERATOR_NAMESPACE], None).await?;
        if !exists.status.success() {
            kubectl.run(&["create", "namespace", OPERATOR_NAMESPACE], None).await?;
        }
        let deploy = run::workspace_dir().join("deploy");
        let crds = deploy.join("crds.yaml").display().to_string();
        let rbac = deploy.join("rbac.yaml").display().to_string();
        self.ended(&crds).await?;
        for file in [&crds, &rbac] {
            // Server-side: a client-side apply keeps a second copy of each schema in an annotation of bounded size.
            kubectl.run(&["apply", "--server-side", "--force-conflicts", "-f", file], None).await?;
        }
        kubectl.run(&["wait", "--for=condition=Established", "--timeout=30s", "-f", &crds], None).await?;
        self.served(&kubectl.json(&["get", "-f", &crds]).await?).await?;
        self.service_account_kubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await
    }

    /// Waits until no CRD of ours is being deleted: an apply would only change one that is about to go.
    async fn ended(&self, crds: &str) -> Result<()> {
        let look = || async {
            let there = self.kubectl().json(&["get", "--ignore-not-found", "-f", crds]).await;
            // Nothing at all is there: kubectl prints nothing, which is no JSON.
            let Ok(there) = there else { return Ok(Look::Done(())) };
            let one = std::slice::from_ref(&there);
            let all = there["items"].as_array().map_or(one, Vec::as_slice);
            let going = all.iter().filter(|crd| crd["metadata"]["deletionTimestamp"].is_string());
            let names: Vec<&str> = going.filter_map(|crd| crd["metadata"]["name"].as_str()).collect();
            Ok(if names.is_empty() { Look::Done(()) } else { Look::NotYet(names.join(", ")) })
        };
        wait_until(SERVED, Duration::from_millis(100), look, "CRDs that are being deleted to be gone").await
    }

    /// Waits until each kind can be listed. An Established CRD still answers 429 for a moment, while the server
    /// opens its storage, and a test would have to expect that at its first read.
    async fn served(&self, crds: &Value) -> Result<()> {
        let one = std::slice::from_ref(crds);
        for crd in crds["items"].as_array().map_or(one, Vec::as_slice) {
            let field = |path: &str| crd.pointer(path).and_then(Value::as_str).unwrap_or_default();
            let (group, plural) = (field("/spec/group"), field("/spec/names/plural"));
            let path = format!("/apis/{group}/{}/{plural}", field("/spec/versions/0/name"));
            let look = || async { self.get(&path).await.map(|_| Look::Done(())) };
            wait_until(SERVED, Duration::from_millis(50), look, &format!("{plural} to be served")).await?;
        }
        self.kubectl().forget();
        Ok(())
    }
}
