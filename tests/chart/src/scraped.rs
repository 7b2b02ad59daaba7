//! Who reads the metrics of the release: whoever the API server knows and lets, and nobody while it does not say.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_chart::rendered::{NAMESPACE, RELEASE};
use avnm_launcher::{Look, wait_until};

use crate::stage::Stage;

/// Who scrapes.
const SCRAPER: &str = "scraper";
/// How long a refusal counts, and some more.
const SOON: Duration = Duration::from_secs(30);

pub(crate) async fn run(stage: &mut Stage) -> Result<()> {
    let port = stage.pod.as_ref().context("find the pod")?.metrics();
    let url = format!("https://127.0.0.1:{port}/metrics");
    let http = reqwest::Client::builder()
        // Each pod signs its own certificate, which no authority knows.
        .tls_danger_accept_invalid_certs(true)
        .timeout(Duration::from_secs(20))
        .no_proxy()
        .build()?;
    let scrape = async |token: Option<&str>| -> Result<(u16, String)> {
        let mut request = http.get(&url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.context("scrape the metrics")?;
        Ok((answer.status().as_u16(), answer.text().await.context("read the metrics")?))
    };
    let plain = http.get(url.replace("https://", "http://")).send().await;
    ensure!(plain.is_err(), "metrics are served in plain, too");

    stage.kubectl().run(&["-n", NAMESPACE, "create", "serviceaccount", SCRAPER], None).await?;
    let token = stage.kubectl().run(&["-n", NAMESPACE, "create", "token", SCRAPER], None).await?;
    let token = token.trim();
    for (signs_in, status) in [(None, 401), (Some("made-up"), 401), (Some(token), 403)] {
        let (answered, text) = scrape(signs_in).await?;
        ensure!(answered == status, "{answered} instead of {status}: {text}");
        ensure!(!text.contains("avnm_"), "metrics come with {status}");
    }

    let role = format!("--clusterrole={RELEASE}-metrics-reader");
    let account = format!("--serviceaccount={NAMESPACE}:{SCRAPER}");
    stage.kubectl().run(&["create", "clusterrolebinding", SCRAPER, &role, &account], None).await?;
    let look = || async {
        let (answered, text) = scrape(Some(token)).await?;
        let reads = answered == 200 && text.contains("avnm_build_info");
        Ok(if reads { Look::Done(()) } else { Look::NotYet(format!("{answered}: {text}")) })
    };
    wait_until(SOON, Duration::from_millis(500), look, "who may to read the metrics").await?;

    // An API server that hangs, for less than the Lease lasts: nobody new is let in.
    let other = stage.kubectl().run(&["-n", NAMESPACE, "create", "token", SCRAPER], None).await?;
    stage.cluster.freeze_api_server()?;
    let (hung, known) = (scrape(Some(other.trim())).await, scrape(Some(token)).await);
    stage.cluster.thaw_api_server()?;
    let ((hung, text), (known, _)) = (hung?, known?);
    ensure!(hung == 503 && !text.contains("avnm_"), "{hung} while the API server does not answer: {text}");
    ensure!(known == 200, "{known} for who was let in a moment ago");
    let (answered, text) = scrape(Some(other.trim())).await?;
    ensure!(answered == 200, "{answered} when the API server is back: {text}");
    println!("   metrics: 401 for nobody, 403 for somebody, 200 for who may, 503 while the API server hangs");
    Ok(())
}
