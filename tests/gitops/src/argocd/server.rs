//! Argo CD's processes and their settings: what its manifests put into the namespace argocd, without containers.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::child::Child;
use avnm_launcher::{Look, port, run};
use serde_json::{Value, json};

use crate::program;
use crate::stage::{Stage, apply, wait};

/// The namespace of Argo CD.
pub(crate) const NAMESPACE: &str = "argocd";

/// An Application is as healthy as it says. Argo CD has no check for its own kind since 1.8, and an app of apps needs one.
const APPLICATION_HEALTH: &str = "\
local health = {status = \"Progressing\", message = \"\"}
if obj.status ~= nil and obj.status.health ~= nil then
  health.status = obj.status.health.status
end
return health
";

/// The processes; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    _children: Vec<Child>,
}

impl Server {
    /// Starts all that syncs.
    pub(crate) async fn start(stage: &Stage) -> Result<Self> {
        let program = program::find("argocd")?;
        let crds = program.parent().context("find Argo CD's CRDs")?;
        settings(stage, crds).await.context("write Argo CD's settings")?;
        let dir = stage.subdir("argocd")?;
        let [redis, repository, metrics, controller_metrics] = port::free::<4>()?;
        let at = |port: u16| format!("127.0.0.1:{port}");
        let kubeconfig = stage.kubectl().kubeconfig().display().to_string();
        let env = [
            ("KUBECONFIG", kubeconfig.clone()),
            ("ARGOCD_GPG_ENABLED", "false".into()),
            ("ARGOCD_TLS_DATA_PATH", dir.display().to_string()),
            ("TMPDIR", stage.subdir("argocd/tmp")?.display().to_string()),
            // Its own waits between retries would make every step wait.
            ("ARGOCD_RECONCILIATION_JITTER", "0".into()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value));
        let start = |name: &str, args: &[String]| -> Result<Child> {
            // Under which name it is started decides what it is.
            let link = dir.join(name);
            symlink(&program, &link).with_context(|| format!("link {}", link.display()))?;
            Child::start(name, &link, args, &env, &stage.dir().join(format!("{name}.log")))
        };
        let mut children = vec![start("argocd-redis", &[at(redis)])?];
        children.push(start(
            "argocd-repo-server",
            &[
                format!("--redis={}", at(redis)),
                "--address=127.0.0.1".into(),
                format!("--port={repository}"),
                "--metrics-address=127.0.0.1".into(),
                format!("--metrics-port={metrics}"),
                "--disable-tls".into(),
            ],
        )?);
        children.push(start(
            "argocd-application-controller",
            &[
                format!("--kubeconfig={kubeconfig}"),
                format!("--namespace={NAMESPACE}"),
                format!("--redis={}", at(redis)),
                format!("--repo-server={}", at(repository)),
                "--repo-server-plaintext".into(),
                format!("--metrics-port={controller_metrics}"),
                "--self-heal-backoff-cap-seconds=2".into(),
            ],
        )?);
        // One whose settings or ports are wrong ends at once.
        tokio::time::sleep(Duration::from_secs(2)).await;
        for child in &mut children {
            child.must_run()?;
        }
        Ok(Self { _children: children })
    }
}

/// The CRDs, the ConfigMaps with our patch applied as the guide says it, and the cluster.
async fn settings(stage: &Stage, crds: &Path) -> Result<()> {
    let kubectl = stage.kubectl();
    kubectl.run(&["create", "namespace", NAMESPACE], None).await?;
    for crd in ["application-crd.yaml", "appproject-crd.yaml"] {
        let file = crds.join(crd).display().to_string();
        kubectl.run(&["apply", "--server-side", "-f", &file], None).await?;
    }
    for crd in ["applications", "appprojects"] {
        let name = format!("crd/{crd}.argoproj.io");
        kubectl.run(&["wait", "--for=condition=Established", "--timeout=30s", &name], None).await?;
    }
    let part_of = json!({"app.kubernetes.io/part-of": "argocd"});
    let object = |kind: &str, name: &str, key: &str, value: Value| {
        json!({"apiVersion": "v1", "kind": kind, key: value,
               "metadata": {"name": name, "namespace": NAMESPACE, "labels": part_of}})
    };
    let own = json!({
        "resource.customizations.health.argoproj.io_Application": APPLICATION_HEALTH,
        // Refreshes are asked for; nothing is found by chance.
        "timeout.reconciliation": "0s",
    });
    apply(kubectl, &object("ConfigMap", "argocd-cm", "data", own)).await?;
    apply(kubectl, &object("ConfigMap", "argocd-rbac-cm", "data", json!({}))).await?;
    let key = json!({"server.secretkey": "of-a-test-that-has-no-server"});
    apply(kubectl, &object("Secret", "argocd-secret", "stringData", key)).await?;
    let patch = run::workspace_dir().join("deploy/argocd/argocd-cm-patch.yaml").display().to_string();
    let args = ["-n", NAMESPACE, "patch", "configmap", "argocd-cm", "--patch-file", &patch];
    kubectl.run(&args, None).await.context("patch argocd-cm as the guide says it")?;
    apply(kubectl, &cluster(stage)?).await?;
    apply(
        kubectl,
        &json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
            "metadata": {"name": "default", "namespace": NAMESPACE},
            "spec": {"sourceRepos": ["*"], "destinations": [{"namespace": "*", "server": "*"}],
                     "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]}}),
    )
    .await?;
    let look = || async {
        let list = stage.cluster().get("/apis/argoproj.io/v1alpha1/applications").await?;
        Ok(Look::when(list, |list| list["items"].is_array()))
    };
    wait(look, "Applications to be served").await.map(drop)
}

/// The cluster under its address: the one that Argo CD knows by itself is the one that its pod runs in.
fn cluster(stage: &Stage) -> Result<Value> {
    let kubeconfig = kubeconfig(stage)?;
    let (cluster, user) = (&kubeconfig["clusters"][0]["cluster"], &kubeconfig["users"][0]["user"]);
    let config = json!({"tlsClientConfig": {
        "caData": cluster["certificate-authority-data"],
        "certData": user["client-certificate-data"],
        "keyData": user["client-key-data"],
    }});
    Ok(json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "cluster", "namespace": NAMESPACE,
                     "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "stringData": {"name": "cluster", "server": address(stage)?, "config": config.to_string()}}))
}

/// The address of the API server.
pub(crate) fn address(stage: &Stage) -> Result<String> {
    let address =
        kubeconfig(stage)?["clusters"][0]["cluster"]["server"].as_str().unwrap_or_default().to_owned();
    ensure!(!address.is_empty(), "the kubeconfig names no server");
    Ok(address)
}

fn kubeconfig(stage: &Stage) -> Result<Value> {
    let path = stage.kubectl().kubeconfig();
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))
}
