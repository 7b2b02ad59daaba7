//! The operator as a process of its own, under its own ServiceAccount.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::assets;
use crate::child::{self, Child};
use crate::emulator::Emulator;
use crate::port;
use crate::scrape;
use crate::wait::{Look, wait_until};

/// How often a start is tried again because another process took a port in between.
const PORT_TRIES: u32 = 5;
/// How long the operator may take to drain after SIGTERM.
const DRAIN: Duration = Duration::from_secs(30);
/// How the files end that [`Operator::keep_metrics`] writes; before it stands the operator's identity, as in its log's
/// name.
pub const METRICS: &str = "metrics.txt";
/// The namespace of the operator's ServiceAccount and lease, as `deploy/rbac.yaml` has it.
pub const OPERATOR_NAMESPACE: &str = "avnm-system";
/// The operator's ServiceAccount, as `deploy/rbac.yaml` has it.
pub const OPERATOR_ACCOUNT: &str = "avnm-operator";

/// What to start it with.
#[derive(Debug, Clone)]
pub struct OperatorOptions {
    /// The program; without one, what the environment names, or what lies beside the running program.
    pub program: Option<PathBuf>,
    /// Its name in the lease and of its log file; two replicas need two.
    pub identity: String,
    /// Whose rights it has.
    pub kubeconfig: PathBuf,
    /// The address of Azure Resource Manager.
    pub arm_endpoint: String,
    /// The address of Entra.
    pub authority_host: String,
    /// The authority that signed both their certificates.
    pub ca_file: PathBuf,
    /// How much it logs.
    pub log_level: String,
    /// The time between two sweeps, if not the operator's own.
    pub sweep_interval: Option<String>,
    /// Further flags, as they are.
    pub extra_args: Vec<String>,
    /// Further variables of its environment.
    pub env: Vec<(String, String)>,
}

impl OperatorOptions {
    /// An operator with the rights of `kubeconfig`, whose Azure is `emulator`.
    pub fn new(kubeconfig: &Path, emulator: &Emulator) -> Self {
        Self {
            program: None,
            identity: "operator".into(),
            kubeconfig: kubeconfig.to_owned(),
            arm_endpoint: emulator.arm().to_owned(),
            authority_host: emulator.authority().to_owned(),
            ca_file: emulator.ca_file().to_owned(),
            log_level: "debug".into(),
            sweep_interval: None,
            extra_args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// The same under another name.
    pub fn identity(mut self, identity: &str) -> Self {
        identity.clone_into(&mut self.identity);
        self
    }

    /// The same with another time between two sweeps.
    pub fn sweep_interval(mut self, interval: &str) -> Self {
        self.sweep_interval = Some(interval.to_owned());
        self
    }

    /// The same with one more flag.
    pub fn arg(mut self, flag: &str) -> Self {
        self.extra_args.push(flag.to_owned());
        self
    }

    /// The same with one more variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn args(&self, [health, metrics]: [u16; 2]) -> Vec<String> {
        let mut args = vec![
            format!("--arm-endpoint={}", self.arm_endpoint),
            format!("--authority-host={}", self.authority_host),
            format!("--ca-file={}", self.ca_file.display()),
            format!("--health-addr=127.0.0.1:{health}"),
            format!("--metrics-addr=127.0.0.1:{metrics}"),
            format!("--log-level={}", self.log_level),
            format!("--lease-namespace={OPERATOR_NAMESPACE}"),
            format!("--identity={}", self.identity),
        ];
        args.extend(self.sweep_interval.iter().map(|interval| format!("--sweep-interval={interval}")));
        args.extend(self.extra_args.iter().cloned());
        args
    }
}

/// A handle on one operator, which may be running or not. It ends when this is dropped, and when this process
/// ends in any way.
#[derive(Debug)]
pub struct Operator {
    options: OperatorOptions,
    log: PathBuf,
    http: reqwest::Client,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    child: Child,
    ports: [u16; 2],
}

impl Operator {
    /// Starts one, without waiting until it is ready; its log goes to `dir`.
    pub async fn start(dir: &Path, options: OperatorOptions) -> Result<Self> {
        let log = dir.join(format!("{}.log", options.identity));
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .no_proxy()
            .build()
            .context("build the client of the operator's endpoints")?;
        let state = Mutex::new(spawn(&options, &log).await?);
        Ok(Self { options, log, http, state })
    }

    /// What it was started with.
    pub fn options(&self) -> &OperatorOptions {
        &self.options
    }

    /// Its log file. A restart goes on in the same file.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The whole log, for a test that looks for what must or must not stand there.
    pub fn log_text(&self) -> Result<String> {
        let bytes = std::fs::read(&self.log).with_context(|| format!("read {}", self.log.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The end of its log.
    pub fn log_tail(&self, lines: usize) -> String {
        child::tail(&self.log, lines)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.lock().child.pid()
    }

    /// Its exit status, if it has ended.
    pub fn exited(&self) -> Option<ExitStatus> {
        self.lock().child.exited()
    }

    /// `http://127.0.0.1:PORT` of `/livez` and `/readyz`.
    pub fn health_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.lock().ports[0])
    }

    /// `http://127.0.0.1:PORT/metrics`.
    pub fn metrics_url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.lock().ports[1])
    }

    /// Waits until `/readyz` says so; an operator that ends meanwhile is an error at once.
    pub async fn wait_ready(&self, deadline: Duration) -> Result<()> {
        let url = format!("{}/readyz", self.health_url());
        let alive = wait_until(
            deadline,
            Duration::from_millis(50),
            || {
                let ended = self.exited();
                let request = self.http.get(&url);
                async move {
                    if ended.is_some() {
                        return Ok(Look::Done(false));
                    }
                    let answer = request.send().await.context("send GET /readyz to the operator")?;
                    let status = answer.status();
                    let text = answer.text().await.context("read the operator's /readyz")?;
                    Ok(if status.is_success() {
                        Look::Done(true)
                    } else {
                        Look::NotYet(format!("{status}: {text}"))
                    })
                }
            },
            "avnm-operator to be ready",
        )
        .await
        .with_context(|| format!("start the operator; its log ends:\n{}", self.log_tail(25)))?;
        if !alive {
            return self.lock().child.must_run().context("start the operator");
        }
        Ok(())
    }

    /// The text of `/metrics`.
    pub async fn metrics(&self) -> Result<String> {
        let answer = self.http.get(self.metrics_url()).send().await.context("send GET /metrics")?;
        answer.error_for_status().context("read /metrics")?.text().await.context("read /metrics")
    }

    /// Keeps the text of `/metrics` beside the log, for who looks at it later. Whatever ends the process does this
    /// first; a process that ends by itself keeps what was kept before.
    pub fn keep_metrics(&self) {
        if self.exited().is_some() {
            return;
        }
        let port = self.lock().ports[1];
        // One that hangs, or does not listen yet, has none to keep.
        let Ok(text) = scrape::metrics(port) else { return };
        let name = format!("{}-{METRICS}", self.options.identity);
        let file = std::fs::File::options().create(true).append(true).open(self.log.with_file_name(name));
        if let Ok(mut file) = file {
            let _ = file.write_all(text.as_bytes());
        }
    }

    /// SIGKILL: a crash.
    pub fn kill(&self) {
        self.keep_metrics();
        self.lock().child.kill();
    }

    /// SIGTERM, and the wait for its end.
    pub async fn stop(&self) -> Result<ExitStatus> {
        if let Some(status) = self.exited() {
            return Ok(status);
        }
        self.keep_metrics();
        self.lock().child.signal("TERM")?;
        let look =
            || std::future::ready(Ok(self.exited().map_or(Look::NotYet("still runs".into()), Look::Done)));
        wait_until(DRAIN, Duration::from_millis(20), look, "avnm-operator to end after SIGTERM")
            .await
            .with_context(|| format!("stop the operator; its log ends:\n{}", self.log_tail(25)))
    }

    /// SIGSTOP, and it has stopped on return: it holds what it holds, and its clock runs on without it.
    pub fn freeze(&self) -> Result<()> {
        self.lock().child.freeze()
    }

    /// SIGCONT.
    pub fn thaw(&self) -> Result<()> {
        self.lock().child.thaw()
    }

    /// Starts it again with the same options, after [`Self::kill`] or [`Self::stop`]; one that still runs is
    /// killed first. Its ports are new.
    pub async fn restart(&self) -> Result<()> {
        self.kill();
        let state = spawn(&self.options, &self.log).await?;
        *self.lock() = state;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the handle as good as it was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.keep_metrics();
    }
}

/// Starts the process; if it ends at once because its ports are taken, again with others.
async fn spawn(options: &OperatorOptions, log: &Path) -> Result<State> {
    let program = assets::given_or_ours(options.program.as_deref(), "avnm-operator")?;
    let mut env = vec![("KUBECONFIG".to_owned(), options.kubeconfig.display().to_string())];
    env.extend(options.env.iter().cloned());
    for _ in 0..PORT_TRIES {
        let ports = port::free::<2>()?;
        let seen = std::fs::metadata(log).map_or(0, |m| m.len());
        let mut child = Child::start("avnm-operator", &program, &options.args(ports), &env, log)?;
        // It listens before it does anything else, so a clash shows within this time.
        tokio::time::sleep(Duration::from_millis(150)).await;
        let clash = || {
            let bytes = std::fs::read(log).unwrap_or_default();
            let new = bytes.get(usize::try_from(seen).unwrap_or(0)..).unwrap_or_default();
            String::from_utf8_lossy(new).to_lowercase().contains(port::CLASH)
        };
        if child.exited().is_none() || !clash() {
            return Ok(State { child, ports });
        }
    }
    bail!("start the operator: {PORT_TRIES} pairs of free ports were taken by others")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_the_operators_own() {
        let options = OperatorOptions {
            program: None,
            identity: "a".into(),
            kubeconfig: "k".into(),
            arm_endpoint: "https://arm".into(),
            authority_host: "https://entra".into(),
            ca_file: "ca.pem".into(),
            log_level: "info".into(),
            sweep_interval: None,
            extra_args: vec![],
            env: vec![],
        };
        let args = options.clone().sweep_interval("2s").arg("--more=1").args([1, 2]);
        assert!(args.contains(&"--health-addr=127.0.0.1:1".to_owned()));
        assert_eq!(&args[args.len() - 2..], ["--sweep-interval=2s", "--more=1"]);
        assert!(!options.args([1, 2]).iter().any(|a| a.starts_with("--sweep-interval")));
    }
}
