//! What we ship, applied as a user would apply it: the CRDs and the operator's rights.

use std::path::PathBuf;

use anyhow::Result;

use crate::control_plane::ControlPlane;
use crate::operator::{OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use crate::run;

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
        for file in [&crds, &rbac] {
            // Server-side: a client-side apply keeps a second copy of each schema in an annotation of bounded size.
            kubectl.run(&["apply", "--server-side", "--force-conflicts", "-f", file], None).await?;
        }
        kubectl.run(&["wait", "--for=condition=Established", "--timeout=30s", "-f", &crds], None).await?;
        self.service_account_kubeconfig(OPERATOR_NAMESPACE, OPERATOR_ACCOUNT).await
    }
}
