//! A real Prometheus as a process of its own, that scrapes what it is told to, and promtool.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::assets::Asset;
use crate::child::Child;
use crate::port;
use crate::run;
use crate::wait::{Look, wait_until};

/// How often it scrapes.
pub const SCRAPES: Duration = Duration::from_secs(1);
/// How long it may take to be ready.
const READY: Duration = Duration::from_secs(30);

/// A handle on one Prometheus. It ends when this is dropped.
#[derive(Debug)]
pub struct Prometheus {
    url: String,
    http: reqwest::Client,
    // Dropped last: it ends the process.
    _child: Child,
}

impl Prometheus {
    /// Starts one that scrapes these ports of loopback, and waits until it is ready. Its data, configuration and log lie in `dir`.
    pub async fn start(dir: &Path, targets: &[u16]) -> Result<Self> {
        let program = Asset::Prometheus.find()?;
        let [port] = port::free::<1>()?;
        let targets: Vec<String> = targets.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let config = json!({
            "global": {"scrape_interval": format!("{}s", SCRAPES.as_secs())},
            "scrape_configs": [{"job_name": "avnm-operator", "static_configs": [{"targets": targets}]}],
        });
        // JSON is YAML.
        let file = dir.join("prometheus.yml");
        std::fs::write(&file, config.to_string()).context("write the configuration of Prometheus")?;
        let args = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", dir.join("prometheus-data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        let child = Child::start("prometheus", &program, &args, &[], &dir.join("prometheus-process.txt"))?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .no_proxy()
            .build()
            .context("build the client of Prometheus")?;
        let prometheus = Self { url: format!("http://127.0.0.1:{port}"), http, _child: child };
        let ready = format!("{}/-/ready", prometheus.url);
        let look = || async {
            Ok(match prometheus.http.get(&ready).send().await {
                Ok(answer) if answer.status().is_success() => Look::Done(()),
                Ok(answer) => Look::NotYet(answer.status().to_string()),
                Err(error) => Look::NotYet(error.to_string()),
            })
        };
        wait_until(READY, Duration::from_millis(100), look, "Prometheus to be ready").await?;
        Ok(prometheus)
    }

    /// The series that a query gives now.
    pub async fn query(&self, query: &str) -> Result<Vec<Value>> {
        self.ask("query", &[("query", query)]).await
    }

    /// The series that a query gives over a time, in seconds since 1970, with a value for each second of it.
    pub async fn query_range(&self, query: &str, from: i64, to: i64) -> Result<Vec<Value>> {
        let (from, to) = (from.to_string(), to.to_string());
        self.ask("query_range", &[("query", query), ("start", &from), ("end", &to), ("step", "1")]).await
    }

    async fn ask(&self, path: &str, params: &[(&str, &str)]) -> Result<Vec<Value>> {
        let url = format!("{}/api/v1/{path}", self.url);
        let url = reqwest::Url::parse_with_params(&url, params).context("make the URL of a query")?;
        let answer = self.http.get(url).send().await;
        let answer: Value = answer
            .context("send a query to Prometheus")?
            .json()
            .await
            .with_context(|| format!("read what Prometheus answers to {params:?}"))?;
        match answer["data"]["result"].as_array() {
            Some(series) if answer["status"] == "success" => Ok(series.clone()),
            _ => bail!("{path} {params:?}: {answer}"),
        }
    }
}

/// Runs promtool at the top of the tree, with a text as its input; what it said if it is content.
pub async fn promtool(args: &[&str], input: &str) -> Result<String> {
    use tokio::io::AsyncWriteExt as _;
    let program: PathBuf = Asset::Promtool.find()?;
    let mut child = tokio::process::Command::new(program)
        .args(args)
        .current_dir(run::workspace_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("run promtool")?;
    let mut stdin = child.stdin.take().context("open the input of promtool")?;
    stdin.write_all(input.as_bytes()).await.context("write the input of promtool")?;
    drop(stdin);
    let output = child.wait_with_output().await.context("wait for promtool")?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if !output.status.success() {
        bail!("promtool {}: {}\n{said}", args.join(" "), output.status);
    }
    Ok(said)
}
