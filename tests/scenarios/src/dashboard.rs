//! What the panels of the dashboard ask, and what they showed over a time: kept for the picture of it (`tools/dashboard`).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use avnm_launcher::prometheus::Prometheus;
use avnm_launcher::run;
use serde_json::{Value, json};

const DASHBOARD: &str = "charts/avnm-operator/files/dashboard.json";
/// Names the file in which what the panels showed is kept. Without it there is no picture, and nothing is played for one.
pub(crate) const DATA: &str = "AVNM_DASHBOARD_DATA";

/// One query of one panel.
pub(crate) struct Target {
    /// The panel's title.
    pub(crate) title: String,
    /// What is asked: what Grafana puts in for variables stands in it.
    pub(crate) query: String,
    panel: u64,
    expr: String,
    legend: String,
}

/// The text of a file of the workspace.
pub(crate) fn read(file: &str) -> Result<String> {
    std::fs::read_to_string(run::workspace_dir().join(file)).with_context(|| format!("read {file}"))
}

/// The file that the environment names, if any.
pub(crate) fn file() -> Option<PathBuf> {
    std::env::var_os(DATA).map(PathBuf::from)
}

/// The queries of all panels.
pub(crate) fn targets() -> Result<Vec<Target>> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)?).context("parse the dashboard")?;
    let panels = dashboard["panels"].as_array().context("find the panels")?;
    let mut targets = Vec::new();
    for panel in panels {
        let title = panel["title"].as_str().unwrap_or_default();
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expr = target["expr"].as_str().with_context(|| format!("find a query of {title:?}"))?;
            targets.push(Target {
                title: title.to_owned(),
                query: expr
                    .replace("$__rate_interval", "30s")
                    .replace("$job", ".*")
                    .replace("$namespace", ".*"),
                panel: panel["id"].as_u64().with_context(|| format!("find the id of {title:?}"))?,
                expr: expr.to_owned(),
                legend: target["legendFormat"].as_str().unwrap_or_default().to_owned(),
            });
        }
    }
    Ok(targets)
}

/// Writes what all panels showed over a time, in seconds since 1970.
pub(crate) async fn keep(prometheus: &Prometheus, from: i64, to: i64, file: &Path) -> Result<()> {
    let mut targets = Vec::new();
    for Target { title, query, panel, expr, legend } in self::targets()? {
        let series =
            prometheus.query_range(&query, from, to).await.with_context(|| format!("panel {title:?}"))?;
        // The dashboard's own expression tells whoever draws it whether the data is of this dashboard.
        targets.push(json!({"panel": panel, "expr": expr, "legendFormat": legend, "series": series}));
    }
    let data = json!({"from": from, "to": to, "targets": targets});
    std::fs::write(file, data.to_string()).with_context(|| format!("write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_panel_asks_something() {
        let targets = targets().unwrap();
        assert!(targets.len() >= 20, "{}", targets.len());
        for Target { title, query, .. } in targets {
            assert!(!title.is_empty() && !query.contains('$'), "{title:?}: {query}");
        }
    }
}
