//! 31: traces. While the collector is away the work goes on, and that is told once; when it is there, it gets passes with what
//! was done in them, and at the end what was not sent yet. No secret is among it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::{Look, wait_until};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;

use crate::canary;
use crate::collector::{Collector, text};
use crate::context::Ctx;
use crate::look::POLL;
use crate::world;

pub(crate) async fn run(ctx: &Ctx) -> Result<()> {
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let secret = canary::secret("collector");
    let options = ctx
        .operator_options()
        .identity("traced")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}"))
        .env("OTEL_EXPORTER_OTLP_HEADERS", &format!("authorization=Bearer%20{secret}"))
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        .env("OTEL_BSP_SCHEDULE_DELAY", "300");
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    let mut all = world::credentials();
    all.push(world::connection(&json!({})));
    ctx.apply_all(&all).await?;
    ctx.ready("crosstenantconnections", "link", "True", "Connected").await.context("without a collector")?;
    let told = |what: &str| -> Result<usize> { Ok(operator.log_text()?.matches(what).count()) };
    let look = || async { Ok(seen(told("cannot send traces")? > 0, "nothing is told")) };
    wait_until(world::SOON, POLL, look, "the log to say that the collector is away").await?;

    let collector = Collector::start(address, ctx.dir().join("spans.txt")).await?;
    edit(ctx, "one").await?;
    let look = || async { Ok(seen(wrote(&collector.spans()).is_some(), "no pass with a PUT in it")) };
    wait_until(world::SOON, POLL, look, "a pass to reach the collector").await?;
    ensure!(told("cannot send traces")? == 1, "it was told more than once that the collector is away");
    ensure!(told("traces are sent again")? == 1, "it was not told once that the collector is back");

    let spans = collector.spans();
    let (pass, put) = wrote(&spans).context("find the pass again")?;
    ensure!(text(&pass.attributes, "namespace").as_deref() == Some(ctx.namespace()), "{pass:#?}");
    ensure!(text(&pass.attributes, "name").as_deref() == Some("link"), "{pass:#?}");
    ensure!(pass.parent_span_id.is_empty() && pass.trace_id == put.trace_id, "{pass:#?} {put:#?}");
    ensure!(text(&pass.attributes, "result").is_some(), "a pass does not say how it ended: {pass:#?}");
    let target = text(&put.attributes, "azure.resource_id").unwrap_or_default();
    ensure!(target.starts_with("/subscriptions/"), "{put:#?}");
    let of_kubernetes = spans
        .iter()
        .find(|span| span.parent_span_id == pass.span_id && text(&span.attributes, "http.url").is_some());
    ensure!(of_kubernetes.is_some(), "no call to the API server is in the pass: {spans:#?}");
    let lone = |span: &&Span| span.parent_span_id.is_empty() && text(&span.attributes, "http.url").is_some();
    ensure!(!spans.iter().any(|span| lone(&span)), "calls beside passes were sent");
    ensure!(spans.iter().all(|span| span.events.is_empty()), "lines of the log were sent");
    for (key, value) in [
        ("service.name", "avnm-operator"),
        ("service.instance.id", "traced"),
        ("deployment.environment.name", "test"),
    ] {
        ensure!(collector.resource(key).as_deref() == Some(value), "{key} is {:?}", collector.resource(key));
    }
    let signed_in = ("/v1/traces".to_owned(), format!("Bearer {secret}"));
    ensure!(
        collector.requests().iter().all(|request| *request == signed_in),
        "{:?}",
        collector.requests().len()
    );
    ensure!(collector.undecoded() == 0, "{} requests could not be read", collector.undecoded());

    // What ended a moment ago is in no batch yet.
    let status = operator.stop().await?;
    ensure!(status.success(), "it ended with {status}");
    last(ctx, &collector, address).await.context("what was not sent yet when it was told to stop")?;
    let kept = std::fs::read_to_string(collector.kept()).context("read what the collector kept")?;
    ensure!(canary::told(&kept).is_none(), "the collector was told {:?}", canary::told(&kept));
    Ok(())
}

/// An operator that would send its first batch in an hour sends it when it stops.
async fn last(ctx: &Ctx, collector: &Collector, address: std::net::SocketAddr) -> Result<()> {
    let options = ctx
        .operator_options()
        .identity("last")
        .arg(&format!("--otlp-endpoint=http://{address}"))
        .env("OTEL_EXPORTER_OTLP_HEADERS", &format!("authorization=Bearer%20{}", canary::secret("collector")))
        .env("OTEL_BSP_SCHEDULE_DELAY", "3600000");
    let operator = ctx.start_operator(options).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    edit(ctx, "two").await?;
    let before = collector.spans().len();
    let status = operator.stop().await?;
    ensure!(status.success(), "it ended with {status}");
    ensure!(wrote(&collector.spans()[before..]).is_some(), "what it did last was not sent");
    Ok(())
}

async fn edit(ctx: &Ctx, description: &str) -> Result<()> {
    let patch = json!({"spec": {"scopeConnection": {"description": description}}}).to_string();
    ctx.in_namespace(&["patch", "crosstenantconnections/link", "--type=merge", "-p", &patch]).await?;
    ctx.wait_for("crosstenantconnections", "link", "as edited", world::SOON, |object| {
        object["status"]["observedGeneration"] == object["metadata"]["generation"]
            && crate::look::condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
    })
    .await
    .map(drop)
}

/// A pass of a connection, and a PUT in it.
fn wrote(spans: &[Span]) -> Option<(&Span, &Span)> {
    let of_connections = |span: &&Span| {
        span.name == "pass" && text(&span.attributes, "kind").as_deref() == Some("CrossTenantConnection")
    };
    spans.iter().filter(of_connections).find_map(|pass| {
        let of_it = |span: &&Span| span.parent_span_id == pass.span_id && span.name.starts_with("put ");
        Some((pass, spans.iter().find(of_it)?))
    })
}

fn seen(is: bool, not: &str) -> Look<()> {
    if is { Look::Done(()) } else { Look::NotYet(not.to_owned()) }
}
