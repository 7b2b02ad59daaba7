//! The emulator of Azure as a process of its own, and its control endpoint.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::assets;
use crate::child::Child;
use crate::wait::{Look, wait_until};

/// How long the emulator may take to listen.
const START: Duration = Duration::from_secs(20);

/// What to start it with.
#[derive(Debug, Clone, Default)]
pub struct EmulatorOptions {
    /// The program; without one, what the environment names, or what lies beside the running program.
    pub program: Option<PathBuf>,
    /// The world file; without one, the emulator's own default world.
    pub world: Option<PathBuf>,
    /// Whether there is a metadata service, too, for the world's managed identities.
    pub imds: bool,
    /// Further flags, as they are.
    pub extra_args: Vec<String>,
    /// Further variables of its environment.
    pub env: Vec<(String, String)>,
}

/// What the emulator writes when it listens.
#[derive(Debug, Clone, Deserialize)]
struct ReadyFile {
    arm: String,
    authority: String,
    control: String,
    imds: Option<String>,
    ca: PathBuf,
}

/// A running emulator. It ends when this is dropped, and when this process ends in any way.
#[derive(Debug)]
pub struct Emulator {
    child: Mutex<Child>,
    ready: ReadyFile,
    control: Control,
}

impl Emulator {
    /// Starts one on free ports; its files go to `dir`.
    pub async fn start(dir: &Path, options: &EmulatorOptions) -> Result<Self> {
        let program = assets::given_or_ours(options.program.as_deref(), "avnm-emulator")?;
        let file = |name: &str| dir.join(name).display().to_string();
        let ready_file = dir.join("emulator-ready.json");
        // A file that an earlier emulator left in this folder would name the ports of that one.
        let _ = std::fs::remove_file(&ready_file);
        let mut args: Vec<String> =
            ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"].map(String::from).into();
        args.extend(["--ca-file".into(), file("emulator-ca.pem")]);
        args.extend(["--ready-file".into(), file("emulator-ready.json")]);
        if let Some(world) = &options.world {
            args.extend(["--world".into(), world.display().to_string()]);
        }
        if options.imds {
            args.extend(["--imds".into(), "127.0.0.1:0".into()]);
        }
        args.extend(options.extra_args.iter().cloned());
        let mut child =
            Child::start("avnm-emulator", &program, &args, &options.env, &dir.join("emulator.log"))?;

        let mut dead = None;
        let ready = wait_until(
            START,
            Duration::from_millis(20),
            || {
                dead = child.must_run().err();
                let look = if dead.is_some() {
                    Ok(Look::Done(None))
                } else {
                    // Half a file does not parse, and is looked at again.
                    std::fs::read_to_string(&ready_file)
                        .context("read the emulator's ready file")
                        .and_then(|text| {
                            serde_json::from_str(&text).context("parse the emulator's ready file")
                        })
                        .map(|ready: ReadyFile| Look::Done(Some(ready)))
                };
                std::future::ready(look)
            },
            "avnm-emulator to listen",
        )
        .await;
        if let Some(error) = dead {
            return Err(error.context("start the emulator"));
        }
        let Some(ready) = ready? else { bail!("start the emulator: it ended") };
        let control = Control::new(&ready.control)?;
        Ok(Self { child: Mutex::new(child), ready, control })
    }

    /// The address of Azure Resource Manager.
    pub fn arm(&self) -> &str {
        &self.ready.arm
    }

    /// The address of Entra.
    pub fn authority(&self) -> &str {
        &self.ready.authority
    }

    /// The address of the metadata service, if it was asked for.
    pub fn imds(&self) -> Option<&str> {
        self.ready.imds.as_deref()
    }

    /// The file with the authority that signed its certificate.
    pub fn ca_file(&self) -> &Path {
        &self.ready.ca
    }

    /// The control endpoint: what Azure holds, what it was asked, and what goes wrong next.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Where it logs.
    pub fn log(&self) -> PathBuf {
        self.lock().log().to_owned()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.lock().pid()
    }

    /// SIGKILL: Azure is out of reach from here on.
    pub fn kill(&self) {
        self.lock().kill();
    }

    /// SIGSTOP, and it has stopped on return: Azure takes connections and answers nothing.
    pub fn freeze(&self) -> Result<()> {
        self.lock().freeze()
    }

    /// SIGCONT.
    pub fn thaw(&self) -> Result<()> {
        self.lock().thaw()
    }

    fn lock(&self) -> MutexGuard<'_, Child> {
        // A panic elsewhere leaves the handle as good as it was.
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The emulator's control endpoint. Thin on purpose: JSON in, JSON out, in the emulator's own words.
#[derive(Debug, Clone)]
pub struct Control {
    http: reqwest::Client,
    url: String,
}

impl Control {
    fn new(url: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .no_proxy()
            .build()
            .context("build the client of the control endpoint")?;
        // The ready file may give an address or a URL.
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        Ok(Self { http, url: url.trim_end_matches('/').to_owned() })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that Azure holds.
    pub async fn state(&self) -> Result<Value> {
        self.send(reqwest::Method::GET, "/state", &[], None).await
    }

    /// What Azure has under an id, whatever its casing, if anything.
    pub async fn holds(&self, id: &str) -> Result<Option<Value>> {
        Ok(find(&self.state().await?, id))
    }

    /// All calls after sequence number `since` (0: all), oldest first; an error where the ledger has dropped some of them.
    pub async fn ledger(&self, since: u64) -> Result<Value> {
        self.send(reqwest::Method::GET, "/ledger", &[("since", &since.to_string())], None).await
    }

    /// How many calls there were, by service, method and status; the ledger's bound does not touch it.
    pub async fn calls(&self) -> Result<Value> {
        self.send(reqwest::Method::GET, "/calls", &[], None).await
    }

    /// The fault rules in force.
    pub async fn faults(&self) -> Result<Value> {
        self.send(reqwest::Method::GET, "/faults", &[], None).await
    }

    /// Adds a fault rule.
    pub async fn add_fault(&self, rule: &Value) -> Result<Value> {
        self.send(reqwest::Method::POST, "/faults", &[], Some(rule)).await
    }

    /// Removes one fault rule, or all.
    pub async fn clear_faults(&self, id: Option<&str>) -> Result<Value> {
        let query: Vec<(&str, &str)> = id.map(|id| ("id", id)).into_iter().collect();
        self.send(reqwest::Method::DELETE, "/faults", &query, None).await
    }

    /// Creates or edits a resource behind the operator's back.
    pub async fn put_resource(&self, id: &str, body: &Value) -> Result<Value> {
        self.send(reqwest::Method::PUT, "/arm", &[("id", id)], Some(body)).await
    }

    /// Deletes a resource behind the operator's back.
    pub async fn delete_resource(&self, id: &str) -> Result<Value> {
        self.send(reqwest::Method::DELETE, "/arm", &[("id", id)], None).await
    }

    /// Forces the state of one half of a connection: `Revoked`, `Rejected`, `Conflict`, ...
    pub async fn set_connection_state(&self, id: &str, state: &str) -> Result<Value> {
        let body = json!({ "id": id, "state": state });
        self.send(reqwest::Method::POST, "/connections/state", &[], Some(&body)).await
    }

    /// Changes Entra: service principals, secrets, roles. `op` and its fields are the emulator's.
    pub async fn entra(&self, change: &Value) -> Result<Value> {
        self.send(reqwest::Method::POST, "/entra", &[], Some(change)).await
    }

    /// Changes settings: delays, page size, token life, quotas.
    pub async fn settings(&self, settings: &Value) -> Result<Value> {
        self.send(reqwest::Method::POST, "/settings", &[], Some(settings)).await
    }

    /// Any other call, for what this client has no word for yet.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let method = method.parse().with_context(|| format!("call the control endpoint with {method}"))?;
        self.send(method, path, &[], body).await
    }

    async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value> {
        let what = format!("{method} {path} of the emulator's control endpoint");
        let mut url = reqwest::Url::parse(&format!("{}{path}", self.url)).with_context(|| what.clone())?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| format!("send {what}"))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("read the answer to {what}"))?;
        if !status.is_success() {
            bail!("{what} answered {status}: {text}");
        }
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("parse the answer to {what}"))
    }
}

fn find(value: &Value, id: &str) -> Option<Value> {
    match value {
        Value::Object(map) => {
            if map.get("id").and_then(Value::as_str).is_some_and(|found| found.eq_ignore_ascii_case(id)) {
                return Some(value.clone());
            }
            map.values().find_map(|value| find(value, id))
        }
        Value::Array(items) => items.iter().find_map(|value| find(value, id)),
        _ => None,
    }
}
