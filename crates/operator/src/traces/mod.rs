//! Traces, where somebody asks for them: the spans of passes and of the calls in them go to a collector, over OTLP. Without an
//! endpoint nothing of this is made, and no span costs anything.
//!
//! A span has what logs and status say too: kinds, names and ids, words of ours, codes of Azure's. No text of an error, no
//! header and no body gets here: events are left out as a whole.

mod calls;
mod collector;
mod flags;
mod send;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use avnm_arm::Observer;
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, SdkTracerProvider},
};
use tokio::runtime::Handle;
use tracing::{Level, Metadata, Subscriber, subscriber::Interest};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, dynamic_filter_fn},
    layer::Context,
    registry::LookupSpan,
};

pub(crate) use self::flags::TraceFlags;
use self::{calls::Traced, collector::Collector, send::Sender};
use crate::kubernetes::Outside;

/// How long what was not sent yet may take when the process stops: a part of the time that a pod gets beside that of its passes.
const FLUSH: Duration = Duration::from_secs(3);

/// What stands for us among what is instrumented.
const SCOPE: &str = "avnm-operator";

/// Where spans go. What is not sent waits in a queue that is bounded (2,048 spans, `OTEL_BSP_MAX_QUEUE_SIZE`) and is sent by a
/// thread of its own: who ends a span never waits, and where the queue is full the span is lost.
#[derive(Debug)]
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    collector: String,
}

impl Traces {
    /// Starts it, if an endpoint is named. `instance` tells replicas apart.
    pub(crate) fn start(
        flags: &TraceFlags,
        instance: &str,
        outside: &Outside,
        runtime: Handle,
        variable: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Option<Self>> {
        let Some(collector) = Collector::named(flags, variable)? else { return Ok(None) };
        let (url, shown) = (collector.url.to_string(), collector.shown());
        let sender = Sender::new(&collector, outside, runtime)?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            .with_endpoint(url)
            .build()
            .context("cannot set up the sending of traces")?;
        let resource = Resource::builder()
            .with_service_name(flags.service_name().to_owned())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.instance.id", instance.to_owned()))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).build())
            .with_resource(resource)
            .build();
        Ok(Some(Self { provider, collector: shown }))
    }

    /// The collector, as it may be told.
    pub(crate) fn collector(&self) -> &str {
        &self.collector
    }

    /// What makes spans of those of the program: whatever the log's level is.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let filter = dynamic_filter_fn(taken::<S>)
            .with_callsite_filter(interest)
            .with_max_level_hint(LevelFilter::from_level(Level::DEBUG));
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(SCOPE))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter)
    }

    /// Whoever sees the calls, and makes spans of them beside.
    pub(crate) fn seeing(&self, observer: Arc<dyn Observer>) -> Arc<dyn Observer> {
        Arc::new(Traced::new(self.provider.tracer(SCOPE), observer))
    }

    /// Sends what was not sent yet, for as long as that may take.
    pub(crate) fn flush(self) {
        if self.provider.shutdown_with_timeout(FLUSH).is_err() {
            tracing::warn!(collector = self.collector, "the last traces were not sent in time");
        }
    }
}

/// What is asked once of each place in the program: all but a few are never asked again.
fn interest(metadata: &'static Metadata<'static>) -> Interest {
    match (is_pass(metadata), is_of_kubernetes(metadata)) {
        (true, _) => Interest::always(),
        (false, true) => Interest::sometimes(),
        (false, false) => Interest::never(),
    }
}

/// Calls to Kubernetes are of interest in a pass. Beside passes there are the Lease and the watches, which would be nothing but
/// noise.
fn taken<S>(metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    is_pass(metadata) || is_of_kubernetes(metadata) && context.lookup_current().is_some()
}

fn is_pass(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("avnm_")
}

/// One request to the API server, as kube has it: method, URL and status.
fn is_of_kubernetes(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == "kube_client::client::builder" && metadata.name() == "HTTP"
}
