//! A real Kubernetes control plane: etcd, kube-apiserver and, where wanted, kube-controller-manager.
//!
//! There are no nodes and no scheduler: nothing here runs pods. The controller manager runs only the controllers
//! that a test can see: namespaces end, dependents of deleted owners go, namespaces get their default account.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::assets::Asset;
use crate::audit;
use crate::child::{self, Child};
use crate::clock::Stopwatch;
use crate::kubeconfig;
use crate::kubectl::Kubectl;
use crate::operator::{OPERATOR_ACCOUNT, OPERATOR_NAMESPACE};
use crate::pki::{self, Authority};
use crate::port;
use crate::run::Run;
use crate::wait::{Look, wait_until};
use crate::watch::Watch;

/// How often a start is tried again because another process took a port in between.
const PORT_TRIES: u32 = 5;
/// How long a token of [`ControlPlane::service_account_kubeconfig`] lives.
const TOKEN_LIFE: &str = "8h";

/// What to start, and how long to wait for it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Start kube-controller-manager too.
    pub controller_manager: bool,
    /// The bound on each program's start. envtest's 20 s are too short for a machine that compiles beside.
    pub start_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { controller_manager: true, start_timeout: Duration::from_secs(90) }
    }
}

/// A running control plane. It ends when this is dropped, and when this process ends in any way.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: whoever depends on another goes before it.
    children: Vec<Child>,
    kubectl: Kubectl,
    api: Api,
    dir: PathBuf,
    servers: Option<PathBuf>,
    admin: Value,
    pinned: bool,
    ready_after: Duration,
}

/// How [`ControlPlane::get`] reads.
#[derive(Debug)]
enum Api {
    /// With the administrator's certificate: no process per read, so that waiting costs next to nothing.
    Direct { http: reqwest::Client, server: String },
    /// Through kubectl: an existing cluster may authenticate in ways that only kubectl knows.
    Kubectl,
}

/// Drops the rest of a failed start in the right order, and of a whole control plane as well.
struct Started {
    children: Vec<Child>,
    server: String,
    dir: PathBuf,
}

impl ControlPlane {
    /// Starts one in the folder of `run`, or takes the current cluster where `USE_EXISTING_CLUSTER` is `true`.
    pub async fn start(run: &Run, options: &Options) -> Result<Self> {
        let dir = run.subdir("control-plane")?;
        if std::env::var("USE_EXISTING_CLUSTER").is_ok_and(|v| v.eq_ignore_ascii_case("true")) {
            return Self::existing(dir).await;
        }
        let watch = Stopwatch::start();
        let kubectl = Asset::Kubectl.find()?;
        let authority = Authority::new()?;
        let admin = authority.client("e2e-admin", "system:masters")?;
        let ca = authority.pem();

        let http = reqwest::Client::builder()
            .tls_certs_only(
                [reqwest::Certificate::from_pem(ca.as_bytes()).context("read our own authority")?],
            )
            .identity(
                reqwest::Identity::from_pem(format!("{}{}", admin.certificate, admin.key).as_bytes())
                    .context("read the administrator's certificate")?,
            )
            .timeout(Duration::from_secs(10))
            .no_proxy()
            .build()
            .context("build the client of the API server")?;

        let mut started = start_servers(&dir, &authority, &http, options).await?;
        let kubeconfig = kubeconfig::write(&dir, "admin.kubeconfig", &started.server, &ca, &admin)?;
        if options.controller_manager {
            let manager = start_controller_manager(&dir, &authority, &ca, &started.server)?;
            started.children.insert(0, manager);
        }
        let text = std::fs::read_to_string(&kubeconfig).context("read the administrator's kubeconfig")?;
        Ok(Self {
            children: started.children,
            kubectl: Kubectl::new(kubectl, kubeconfig, dir.join("kubectl-cache")),
            api: Api::Direct { http, server: started.server },
            admin: serde_json::from_str(&text).context("parse the administrator's kubeconfig")?,
            dir,
            servers: Some(started.dir),
            pinned: Asset::ApiServer.in_environment().is_none() && Asset::Kubectl.in_environment().is_none(),
            ready_after: watch.elapsed(),
        })
    }

    /// The cluster of the current kubeconfig, taken as it is.
    async fn existing(dir: PathBuf) -> Result<Self> {
        let program = Asset::Kubectl.find()?;
        let default = std::env::var_os("KUBECONFIG").map_or_else(
            || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".kube/config"),
            PathBuf::from,
        );
        let cache = dir.join("kubectl-cache");
        let current = Kubectl::new(program.clone(), default, cache.clone());
        let text = current
            .run(&["config", "view", "--minify", "--flatten", "--raw", "-o", "json"], None)
            .await
            .context("read the current kubeconfig for USE_EXISTING_CLUSTER")?;
        let kubeconfig = pki::write(&dir, "admin.kubeconfig", &text)?;
        Ok(Self {
            children: Vec::new(),
            kubectl: Kubectl::new(program, kubeconfig, cache),
            api: Api::Kubectl,
            admin: serde_json::from_str(&text).context("parse the current kubeconfig")?,
            dir,
            servers: None,
            pinned: false,
            ready_after: Duration::ZERO,
        })
    }

    /// kubectl as the administrator.
    pub fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    /// The administrator's kubeconfig file.
    pub fn kubeconfig(&self) -> &Path {
        self.kubectl.kubeconfig()
    }

    /// Whether server and kubectl are the versions that `tools/` pins, and not found ones.
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// What the API server recorded of the operator's requests, to be read with [`audit::read`]; an existing cluster
    /// keeps none for us.
    pub fn audit_record(&self) -> Option<PathBuf> {
        self.servers.as_deref().map(audit::record)
    }

    /// The folder of etcd's write-ahead log: every object that was ever written, also those that are gone. It is
    /// removed with the control plane; an existing cluster shows none.
    pub fn written(&self) -> Option<PathBuf> {
        self.servers.as_deref().map(|dir| dir.join("etcd/member/wal"))
    }

    /// How long the start took.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// The process ids of what was started, by name.
    pub fn processes(&self) -> Vec<(String, u32)> {
        self.children.iter().map(|child| (child.name().to_owned(), child.pid())).collect()
    }

    /// SIGSTOP to the API server: it takes connections, and answers nothing. Not where an existing cluster was taken.
    pub fn freeze_api_server(&mut self) -> Result<()> {
        self.api_server()?.freeze()
    }

    /// SIGCONT to the API server.
    pub fn thaw_api_server(&mut self) -> Result<()> {
        self.api_server()?.thaw()
    }

    fn api_server(&mut self) -> Result<&mut Child> {
        let child = self.children.iter_mut().find(|child| child.name() == "kube-apiserver");
        child.context("find the API server: it is none of ours")
    }

    /// Reads a path of the API, such as `/api/v1/namespaces/x`; anything but success is an error that names the
    /// server's reason. Cheap enough to poll.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let Api::Direct { http, server } = &self.api else {
            let text = self.kubectl.run(&["get", "--raw", path], None).await?;
            return serde_json::from_str(&text).with_context(|| format!("parse the answer to GET {path}"));
        };
        let answer =
            http.get(format!("{server}{path}")).send().await.with_context(|| format!("send GET {path}"))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("read the answer to GET {path}"))?;
        if !status.is_success() {
            bail!("GET {path} answered {status}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("parse the answer to GET {path}"))
    }

    /// Creates an object at a path of the API, such as `/api/v1/namespaces/x/secrets`, without a process: for
    /// whoever measures. Needs a control plane of its own.
    pub async fn create(&self, path: &str, object: &Value) -> Result<Value> {
        let (http, server) = self.direct()?;
        let what = || format!("send POST {path}");
        let answer = http.post(format!("{server}{path}")).json(object).send().await.with_context(what)?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("read the answer to POST {path}"))?;
        if !status.is_success() {
            bail!("POST {path} answered {status}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("parse the answer to POST {path}"))
    }

    /// Asks for the end of the object at a path of the API, without a process: for whoever measures. Needs a control plane of
    /// its own.
    pub async fn delete(&self, path: &str) -> Result<()> {
        let (http, server) = self.direct()?;
        let answer = http
            .delete(format!("{server}{path}"))
            .send()
            .await
            .with_context(|| format!("send DELETE {path}"))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("read the answer to DELETE {path}"))?;
        if !status.is_success() {
            bail!("DELETE {path} answered {status}: {text}");
        }
        Ok(())
    }

    /// Watches a collection at a path of the API: what is there comes first, each as ADDED. Needs a control plane of
    /// its own.
    pub async fn watch(&self, path: &str) -> Result<Watch> {
        let (http, server) = self.direct()?;
        Watch::open(http.get(format!("{server}{path}?watch=1"))).await
    }

    fn direct(&self) -> Result<(&reqwest::Client, &str)> {
        match &self.api {
            Api::Direct { http, server } => Ok((http, server)),
            Api::Kubectl => bail!("an existing cluster is spoken to through kubectl alone"),
        }
    }

    /// A kubeconfig of a ServiceAccount, with a token from `kubectl create token`: its holder has exactly the
    /// rights that RBAC gives to that account. The file is new at each call.
    pub async fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let args = ["-n", namespace, "create", "token", name, "--duration", TOKEN_LIFE];
        let token = self.kubectl.run(&args, None).await?;
        let file = format!("{namespace}-{name}.kubeconfig");
        kubeconfig::write_with_token(&self.dir, &file, &self.admin, token.trim())
    }
}

/// etcd and kube-apiserver on ports of their own, tried again where another process took one of them.
async fn start_servers(
    dir: &Path,
    authority: &Authority,
    http: &reqwest::Client,
    options: &Options,
) -> Result<Started> {
    let etcd = Asset::Etcd.find()?;
    let api_server = Asset::ApiServer.find()?;
    // Found before anything is started: it may have to be built first.
    if options.controller_manager {
        Asset::ControllerManager.find()?;
    }
    let mut tries = 1;
    loop {
        let ports = port::free::<3>()?;
        let attempt = dir.join(format!("try-{tries}"));
        std::fs::create_dir_all(&attempt).with_context(|| format!("create {}", attempt.display()))?;
        let server = format!("https://127.0.0.1:{}", ports[2]);
        let mut started = Started { children: Vec::new(), server, dir: attempt.clone() };
        let result =
            start_on(&mut started, &etcd, &api_server, &attempt, ports, authority, http, options).await;
        match result {
            Ok(()) => return Ok(started),
            Err(error) => {
                let clash = started
                    .children
                    .iter()
                    .any(|c| child::tail(c.log(), 200).to_lowercase().contains(port::CLASH));
                if !clash || tries == PORT_TRIES {
                    return Err(error);
                }
                tries += 1;
            }
        }
    }
}

#[allow(clippy::too_many_arguments)] // one caller, and each of them is a different thing
async fn start_on(
    started: &mut Started,
    etcd: &Path,
    api_server: &Path,
    dir: &Path,
    [client, peer, secure]: [u16; 3],
    authority: &Authority,
    http: &reqwest::Client,
    options: &Options,
) -> Result<()> {
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let flag = |name: &str, value: &str| format!("--{name}={value}");
    let path = |path: PathBuf| path.display().to_string();
    let args = [
        flag("data-dir", &path(dir.join("etcd"))),
        flag("listen-client-urls", &at(client)),
        flag("advertise-client-urls", &at(client)),
        flag("listen-peer-urls", &at(peer)),
        flag("initial-advertise-peer-urls", &at(peer)),
        flag("initial-cluster", &format!("default={}", at(peer))),
        // The data does not outlive the run, so it need not survive a power cut.
        flag("unsafe-no-fsync", "true"),
    ];
    started.children.push(Child::start("etcd", etcd, &args, &[], &dir.join("etcd.log"))?);

    // No waiting for etcd: kube-apiserver keeps dialling it, and the two start side by side.
    let server = authority.server()?;
    let (private, public) = pki::signing_key()?;
    let operator = format!("system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_ACCOUNT}");
    let (policy, record) = audit::files(dir, &operator)?;
    let args = [
        flag("etcd-servers", &at(client)),
        flag("bind-address", "127.0.0.1"),
        flag("advertise-address", "127.0.0.1"),
        // A loopback address cannot stand in the endpoints of the service `kubernetes`; without this it exits.
        flag("endpoint-reconciler-type", "none"),
        flag("secure-port", &secure.to_string()),
        flag("cert-dir", &path(dir.join("apiserver"))),
        flag("tls-cert-file", &path(pki::write(dir, "apiserver.crt", &server.certificate)?)),
        flag("tls-private-key-file", &path(pki::write(dir, "apiserver.key", &server.key)?)),
        flag("client-ca-file", &path(pki::write(dir, "ca.crt", &authority.pem())?)),
        flag("authorization-mode", "RBAC"),
        flag("service-account-issuer", "https://kubernetes.default.svc"),
        flag("service-account-key-file", &path(pki::write(dir, "service-accounts.pub", &public)?)),
        flag("service-account-signing-key-file", &path(pki::write(dir, "service-accounts.key", &private)?)),
        flag("service-cluster-ip-range", "10.0.0.0/24"),
        flag("audit-policy-file", &path(policy)),
        flag("audit-log-path", &path(record)),
        // One file, from which nothing is ever taken: a line that is lost is a right that seems unused.
        flag("audit-log-maxsize", "0"),
        flag("audit-log-maxbackup", "0"),
        flag("audit-log-maxage", "0"),
    ];
    let log = dir.join("kube-apiserver.log");
    // Before etcd, because the children are dropped from the front.
    started.children.insert(0, Child::start("kube-apiserver", api_server, &args, &[], &log)?);

    let url = format!("{}/readyz?verbose", started.server);
    let mut dead = None;
    let ready = wait_until(
        options.start_timeout,
        Duration::from_millis(50),
        || {
            dead = dead.take().or_else(|| started.children.iter_mut().find_map(|c| c.must_run().err()));
            let gave_up = dead.is_some();
            let request = http.get(&url);
            async move {
                if gave_up {
                    return Ok(Look::Done(false));
                }
                let answer = request.send().await.context("send GET /readyz")?;
                let ok = answer.status().is_success();
                let text = answer.text().await.context("read /readyz")?;
                Ok(if ok { Look::Done(true) } else { Look::NotYet(text) })
            }
        },
        "kube-apiserver to be ready",
    )
    .await;
    if let Some(error) = dead {
        return Err(error).context("start the control plane");
    }
    match ready {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(error.context(format!("start the control plane; the log ends:\n{}", child::tail(&log, 25))))
        }
    }
}

fn start_controller_manager(dir: &Path, authority: &Authority, ca: &str, server: &str) -> Result<Child> {
    // Its own role covers no controller: each would sign in as an account of its own, with a key that it signs
    // tokens with. A test is not about those rights, so it gets all of them.
    let identity = authority.client("kube-controller-manager", "system:masters")?;
    let kubeconfig = kubeconfig::write(dir, "controller-manager.kubeconfig", server, ca, &identity)?;
    let args = [
        format!("--kubeconfig={}", kubeconfig.display()),
        "--controllers=namespace-controller,garbage-collector-controller,serviceaccount-controller".into(),
        "--leader-elect=false".into(),
        // Serves nothing: nobody asks it, and it needs no port that way.
        "--secure-port=0".into(),
        // The default rate makes the end of a namespace take seconds.
        "--kube-api-qps=200".into(),
        "--kube-api-burst=400".into(),
    ];
    let program = Asset::ControllerManager.find()?;
    let log = dir.join("kube-controller-manager.log");
    Child::start("kube-controller-manager", &program, &args, &[], &log)
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.children.iter_mut().for_each(Child::kill);
        // Hundreds of megabytes of etcd per run; the logs beside it are what is worth keeping.
        for tries in 1..=PORT_TRIES {
            let _ = std::fs::remove_dir_all(self.dir.join(format!("try-{tries}/etcd")));
        }
    }
}
