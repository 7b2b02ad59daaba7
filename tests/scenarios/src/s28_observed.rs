//! 28: a real Prometheus scrapes the operator while it works: every query of the dashboard and of the alerts gives what it
//! asks for, promtool is content with the metrics and the alerts, and more objects are no more series.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::prometheus::{Prometheus, SCRAPES, promtool};
use avnm_launcher::{Look, Operator, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::dashboard::{self, Target, read};
use crate::sign_in::{certificate_pair, credential, let_in, tls_secret};
use crate::world::{self, CENTRAL_TENANT, SOON};

const ALERTS: &str = "charts/avnm-operator/files/alerts.yaml";
const CASES: &str = "tests/scenarios/alerts.yaml";

/// More credentials than there were before.
const MORE: usize = 20;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    promtool(&["check", "rules", ALERTS], "").await.context("check the alerts")?;
    promtool(&["test", "rules", CASES], "").await.context("test the alerts")?;
    let mut all = world::credentials();
    all.extend([world::connection(&json!({})), world::member(&json!({}))]);
    ctx.apply_all(&all).await?;
    ctx.ready("staticmembers", "vnet01", "True", "Succeeded").await?;
    drift(ctx).await?;
    certificate(ctx).await?;
    let metrics = ctx.operator().metrics().await?;
    promtool(&["check", "metrics", "--extended"], &as_text(&metrics)).await.context("check the metrics")?;
    no_more_series(ctx).await.context("more objects")?;
    prometheus(ctx).await
}

/// OpenMetrics as Prometheus' older text, which is all that promtool reads: there what is said of a counter names it with its ending.
fn as_text(metrics: &str) -> String {
    let counters: BTreeSet<&str> =
        metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let line = |line: &str| {
        let named = ["# HELP ", "# TYPE "].into_iter().find_map(|what| {
            let (name, rest) = line.strip_prefix(what)?.split_once(' ')?;
            counters.contains(name).then(|| format!("{what}{name}_total {rest}\n"))
        });
        named.unwrap_or_else(|| format!("{line}\n"))
    };
    metrics.lines().map(line).collect::<Vec<_>>().concat()
}

/// What somebody else did is found and undone, and counted.
pub(crate) async fn drift(ctx: &Ctx) -> Result<()> {
    ctx.control().delete_resource(&world::manager_connection()).await?;
    wait_until(
        SOON,
        Duration::from_millis(200),
        || async {
            let metrics = ctx.operator().metrics().await?;
            let counted =
                |name: &str| metrics.contains(&format!("{name}{{kind=\"CrossTenantConnection\"}} 1\n"));
            let both = counted("avnm_drift_found_total") && counted("avnm_drift_corrected_total");
            Ok(if both { Look::Done(()) } else { Look::NotYet("not counted".to_owned()) })
        },
        "drift to be counted",
    )
    .await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await?;
    Ok(())
}

/// A credential that signs in with a certificate, after it was refused.
pub(crate) async fn certificate(ctx: &Ctx) -> Result<()> {
    let (certificate, key) = certificate_pair()?;
    let by = json!({"secretRef": {"name": "avnm"}});
    let credential = credential("by-certificate", world::TARGET_TENANT, "clientCertificate", &by);
    ctx.apply_all(&[let_in(), tls_secret(&certificate, &key), credential]).await?;
    ctx.because("tenantcredentials", "by-certificate", "SignInRefused").await?;
    let add = json!({"op": "addCertificate", "clientId": world::APP, "certificate": certificate});
    ctx.control().entra(&add).await?;
    ctx.ready("tenantcredentials", "by-certificate", "True", "TokenAcquired").await?;
    let metrics = ctx.operator().metrics().await?;
    for counted in [
        "avnm_reconcile_errors_total{kind=\"TenantCredential\",reason=\"SignInRefused\"}",
        "avnm_credential_certificate_expiry_timestamp_seconds{kind=\"TenantCredential\"}",
    ] {
        ensure!(metrics.contains(counted), "no {counted} in the metrics:\n{metrics}");
    }
    let refused = "avnm_sign_in_failures_total{cause=\"refused\"} 0\n";
    ensure!(!metrics.contains(refused), "a refused sign-in was not counted");
    Ok(())
}

/// The names and labels of all series.
fn series(metrics: &str) -> BTreeSet<&str> {
    let lines = metrics.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect()
}

async fn no_more_series(ctx: &Ctx) -> Result<()> {
    let before = ctx.operator().metrics().await?;
    let names: Vec<String> = (0..MORE).map(|n| format!("more-{n}")).collect();
    let more: Vec<Value> = names.iter().map(|name| world::credential(name, CENTRAL_TENANT)).collect();
    ctx.apply_all(&more).await?;
    for name in &names {
        ctx.ready("tenantcredentials", name, "True", "TokenAcquired").await?;
    }
    let after = ctx.operator().metrics().await?;
    let counted = "avnm_objects{kind=\"TenantCredential\",ready=\"True\",reason=\"TokenAcquired\"}";
    let count = |metrics: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(counted)).map(str::trim);
        line.and_then(|count| count.parse::<f64>().ok()).unwrap_or_default()
    };
    #[allow(clippy::cast_precision_loss, reason = "a small count")]
    let expected = count(&before) + MORE as f64;
    ensure!((count(&after) - expected).abs() < 1e-9, "{} objects and not {expected}", count(&after));
    let new: Vec<&str> = series(&after).difference(&series(&before)).copied().collect();
    ensure!(new.is_empty(), "{MORE} more objects gave new series: {new:?}");
    let told = names.iter().find(|name| after.contains(name.as_str()));
    ensure!(told.is_none(), "the metrics name {told:?}");
    Ok(())
}

async fn prometheus(ctx: &Ctx) -> Result<()> {
    let prometheus = scraping(ctx, &[ctx.operator()]).await?;
    // A rate needs samples of some time.
    tokio::time::sleep(SCRAPES * 12).await;
    for Target { title, query, .. } in dashboard::targets()? {
        let found = prometheus.query(&query).await.with_context(|| format!("panel {title:?}"))?;
        ensure!(!found.is_empty(), "panel {title:?}: {query} gives nothing");
    }
    for (alert, query) in alerts()? {
        let found = prometheus.query(&query).await.with_context(|| format!("alert {alert}"))?;
        ensure!(found.is_empty(), "{alert} would fire while all is well: {found:?}");
    }
    Ok(())
}

/// A Prometheus that scrapes these operators.
pub(crate) async fn scraping(ctx: &Ctx, operators: &[&Operator]) -> Result<Prometheus> {
    let port = |operator: &&Operator| {
        let url = operator.metrics_url();
        let port = url.trim_end_matches("/metrics").rsplit(':').next().and_then(|port| port.parse().ok());
        port.with_context(|| format!("find the port of {url}"))
    };
    let ports = operators.iter().map(port).collect::<Result<Vec<_>>>()?;
    Prometheus::start(ctx.dir(), &ports).await
}

/// The alerts, with their expressions.
fn alerts() -> Result<Vec<(String, String)>> {
    let file: Value = serde_saphyr::from_str(&read(ALERTS)?).context("parse the alerts")?;
    let mut alerts = Vec::new();
    for group in file["groups"].as_array().into_iter().flatten() {
        for rule in group["rules"].as_array().into_iter().flatten() {
            let part = |name: &str| rule[name].as_str().map(str::to_owned);
            let (alert, query) =
                part("alert").zip(part("expr")).context("find an alert and its expression")?;
            alerts.push((alert, query));
        }
    }
    Ok(alerts)
}

#[cfg(test)]
mod tests {
    use avnm_launcher::run;

    use super::*;

    #[test]
    fn every_alert_has_its_page_and_its_cases_and_no_page_is_of_another_one() {
        let cases = read(CASES).unwrap();
        let mut names = BTreeSet::new();
        for (alert, _) in alerts().unwrap() {
            let page = read(&format!("docs/runbooks/{alert}.md")).unwrap();
            assert!(page.starts_with(&format!("# {alert}\n")), "{alert}");
            for part in ["**Fires when**", "**What it means.**", "## Look", "## Act", "## Over when"] {
                assert!(page.contains(part), "the page of {alert} has no {part}");
            }
            assert!(
                read(ALERTS).unwrap().contains(&format!("runbook_url: docs/runbooks/{alert}.md")),
                "{alert}"
            );
            // One where it does not fire yet, and one where it does.
            assert!(cases.matches(&format!("alertname: {alert}\n")).count() >= 2, "{alert} has no cases");
            names.insert(format!("{alert}.md"));
        }
        let pages = std::fs::read_dir(run::workspace_dir().join("docs/runbooks")).unwrap();
        let pages = pages.map(|page| page.unwrap().file_name().into_string().unwrap());
        assert_eq!(pages.collect::<BTreeSet<_>>(), names);
    }

    #[test]
    fn a_series_is_told_from_its_value() {
        let text = "# HELP a b\na 1.0\nb{c=\"d e\"} 2\n# EOF\n";
        assert_eq!(series(text), BTreeSet::from(["a", "b{c=\"d e\"}"]));
    }
}
