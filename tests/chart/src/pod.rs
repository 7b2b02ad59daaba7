//! The operator as a process, with what the kubelet would make of the Deployment: its account, arguments, environment
//! and files.
//!
//! What differs from a pod: the account's token comes by a kubeconfig and not at its usual path, which only root could
//! write; files lie below a folder, and variables that name them are rewritten to it; it listens on the loopback address,
//! on ports that are free.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use avnm_launcher::child::Child;
use avnm_launcher::{Look, assets, port, wait_until};
use serde_json::Value;

use crate::stage::Stage;

/// How long the operator may take to be ready.
const READY: Duration = Duration::from_secs(60);
/// How long it may take to stop; the chart gives it 30 s.
const STOP: Duration = Duration::from_secs(30);

/// A running operator. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Pod {
    child: Child,
    health: u16,
    metrics: u16,
}

/// What a pod of a Deployment is made of.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    namespace: String,
    account: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    files: Vec<File>,
}

/// One file of a volume.
#[derive(Debug, PartialEq, Eq)]
struct File {
    /// Where it lies in the container.
    path: PathBuf,
    content: Content,
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    /// A key of a ConfigMap.
    ConfigMap { name: String, key: String },
    /// A token of the pod's account.
    Token { audience: String, seconds: u64 },
}

impl Pod {
    /// Starts one of a Deployment, and waits until its readiness probe succeeds.
    pub(crate) async fn start(stage: &Stage, deployment: &Value, name: &str) -> Result<Self> {
        let root = stage.dir.join(name);
        let [health, metrics] = port::free::<2>()?;
        let plan = plan(deployment, name, &root, [health, metrics])?;
        for File { path, content } in &plan.files {
            let file = within(&root, path);
            let folder = file.parent().context("find the folder of a file")?;
            std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
            let text = content.read(stage, &plan).await?;
            std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
        }
        let kubeconfig = stage.cluster.service_account_kubeconfig(&plan.namespace, &plan.account).await?;
        let mut env = plan.env;
        env.push(("KUBECONFIG".to_owned(), kubeconfig.display().to_string()));
        let program = assets::ours("avnm-operator")?;
        let log = stage.dir.join(format!("{name}.log"));
        let child = Child::start("avnm-operator", &program, &plan.args, &env, &log)?;
        let mut pod = Self { child, health, metrics };
        pod.ready(deployment).await?;
        Ok(pod)
    }

    /// Waits until the readiness probe of the Deployment succeeds.
    async fn ready(&mut self, deployment: &Value) -> Result<()> {
        let probe = &container(deployment)["readinessProbe"]["httpGet"];
        let path = probe["path"].as_str().context("find the readiness probe's path")?;
        let port = match probe["port"].as_str() {
            Some("health") => self.health,
            Some("metrics") => self.metrics,
            _ => bail!("find the readiness probe's port {}", probe["port"]),
        };
        let url = format!("http://127.0.0.1:{port}{path}");
        let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
        let look = || {
            let alive = self.child.must_run();
            let request = http.get(&url).send();
            async move {
                alive?;
                let answer = request.await.context("ask the readiness probe")?;
                let (status, text) = (answer.status(), answer.text().await?);
                Ok(if status.is_success() { Look::Done(()) } else { Look::NotYet(text) })
            }
        };
        wait_until(READY, Duration::from_millis(100), look, "the operator to be ready").await
    }

    /// The port of its metrics.
    pub(crate) fn metrics(&self) -> u16 {
        self.metrics
    }

    pub(crate) fn log(&self) -> &Path {
        self.child.log()
    }

    /// SIGTERM, as the kubelet sends it, and the wait for its end.
    pub(crate) async fn stop(mut self) -> Result<ExitStatus> {
        self.child.stop(STOP).await
    }
}

impl Content {
    async fn read(&self, stage: &Stage, plan: &Plan) -> Result<String> {
        match self {
            Self::ConfigMap { name, key } => {
                let map = stage.kubectl().json(&["-n", &plan.namespace, "get", "configmap", name]).await?;
                let text = map["data"][key]
                    .as_str()
                    .with_context(|| format!("find {key} in the ConfigMap {name}"))?;
                Ok(text.to_owned())
            }
            Self::Token { audience, seconds } => {
                let (audience, seconds) =
                    (format!("--audience={audience}"), format!("--duration={seconds}s"));
                let args = ["-n", &plan.namespace, "create", "token", &plan.account, &audience, &seconds];
                stage.kubectl().run(&args, None).await
            }
        }
    }
}

fn container(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]
}

/// A path of the container, below the folder that stands for its root.
fn within(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Reads a Deployment as the kubelet does; what it does not know is an error, and not left out.
fn plan(deployment: &Value, name: &str, root: &Path, [health, metrics]: [u16; 2]) -> Result<Plan> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let pod = &deployment["spec"]["template"]["spec"];
    let container = container(deployment);
    let namespace = text(&deployment["metadata"]["namespace"]).context("find the Deployment's namespace")?;
    let account = text(&pod["serviceAccountName"]).context("find the Deployment's account")?;
    let mounts = list(&container["volumeMounts"]);
    let mut files = Vec::new();
    for mount in mounts {
        let volume = list(&pod["volumes"]).iter().find(|volume| volume["name"] == mount["name"]);
        let volume = volume.with_context(|| format!("find the volume {}", mount["name"]))?;
        let folder = PathBuf::from(mount["mountPath"].as_str().unwrap_or_default());
        files.extend(
            contents(volume)?.into_iter().map(|(path, content)| File { path: folder.join(path), content }),
        );
    }
    let mut env = Vec::new();
    for variable in list(&container["env"]) {
        let key = text(&variable["name"]).context("find a variable's name")?;
        let value = match (key.as_str(), variable["value"].as_str()) {
            ("AVNM_HEALTH_ADDR" | "AVNM_METRICS_ADDR", Some(_)) => continue,
            (_, Some(value)) if files.iter().any(|file| file.path == Path::new(value)) => {
                within(root, Path::new(value)).display().to_string()
            }
            (_, Some(value)) => value.to_owned(),
            (_, None) => match variable["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
                Some("metadata.name") => name.to_owned(),
                Some("metadata.namespace") => namespace.clone(),
                _ => bail!("play the variable {variable}: it comes from what is not played here"),
            },
        };
        env.push((key, value));
    }
    env.push(("AVNM_HEALTH_ADDR".to_owned(), format!("127.0.0.1:{health}")));
    env.push(("AVNM_METRICS_ADDR".to_owned(), format!("127.0.0.1:{metrics}")));
    ensure!(container["envFrom"].is_null(), "play envFrom: it is not played here");
    let args = list(&container["args"]).iter().filter_map(text).collect();
    Ok(Plan { namespace, account, args, env, files })
}

/// The files of a volume.
fn contents(volume: &Value) -> Result<Vec<(String, Content)>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    if let Some(name) = volume["configMap"]["name"].as_str() {
        for item in list(&volume["configMap"]["items"]) {
            all.push((
                text(&item["path"]),
                Content::ConfigMap { name: name.to_owned(), key: text(&item["key"]) },
            ));
        }
    }
    for source in list(&volume["projected"]["sources"]) {
        let token = &source["serviceAccountToken"];
        let seconds = token["expirationSeconds"].as_u64().context("find a token's life")?;
        all.push((text(&token["path"]), Content::Token { audience: text(&token["audience"]), seconds }));
    }
    ensure!(!all.is_empty(), "play the volume {volume}: it is of a kind that is not played here");
    Ok(all)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(container: &Value) -> Value {
        json!({"metadata": {"namespace": "n"}, "spec": {"template": {"spec": {
            "serviceAccountName": "a", "containers": [container],
            "volumes": [
                {"name": "ca", "configMap": {"name": "map", "items": [{"key": "k", "path": "ca.pem"}]}},
                {"name": "token", "projected": {"sources": [{"serviceAccountToken":
                    {"audience": "x", "expirationSeconds": 3600, "path": "t"}}]}},
            ],
        }}}})
    }

    #[test]
    fn a_pod_is_what_its_deployment_says() {
        let container = json!({
            "args": ["--a=b"],
            "env": [
                {"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "AVNM_HEALTH_ADDR", "value": "0.0.0.0:8081"},
                {"name": "AVNM_CA_FILE", "value": "/etc/ca/ca.pem"},
                {"name": "OTHER", "value": "/etc/ca"},
            ],
            "volumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}, {"name": "token", "mountPath": "/run/t"}],
        });
        let plan = plan(&deployment(&container), "pod-0", Path::new("/tmp/r"), [1, 2]).unwrap();
        assert_eq!((plan.namespace.as_str(), plan.account.as_str()), ("n", "a"));
        assert_eq!(plan.args, ["--a=b"]);
        let env: Vec<(&str, &str)> =
            plan.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            env,
            [
                ("ME", "pod-0"),
                ("AVNM_CA_FILE", "/tmp/r/etc/ca/ca.pem"),
                ("OTHER", "/etc/ca"),
                ("AVNM_HEALTH_ADDR", "127.0.0.1:1"),
                ("AVNM_METRICS_ADDR", "127.0.0.1:2"),
            ]
        );
        let paths: Vec<_> = plan.files.iter().map(|file| file.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["/etc/ca/ca.pem", "/run/t/t"]);
    }

    #[test]
    fn what_is_not_played_is_an_error() {
        for container in [
            json!({"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}),
            json!({"envFrom": [{"configMapRef": {"name": "m"}}]}),
            json!({"volumeMounts": [{"name": "missing", "mountPath": "/x"}]}),
        ] {
            assert!(plan(&deployment(&container), "p", Path::new("/r"), [1, 2]).is_err(), "{container}");
        }
    }
}
