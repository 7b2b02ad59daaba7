//! A span of each call to ARM and of each sign-in, made when it is over: what may be told of it is what metrics see of it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use avnm_arm::{CallRecord, GateKey, Observer, SignInRecord, clock};
use avnm_terms::text::bounded;
use opentelemetry::{
    KeyValue,
    trace::{Span as _, SpanKind, Status, Tracer as _},
};
use opentelemetry_sdk::trace::SdkTracer;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Longest code of Azure's that is told, in characters.
const CODE_MAX: usize = 100;

/// Makes spans of what it sees, in the pass that it happens in, and passes it on.
pub(super) struct Traced {
    tracer: SdkTracer,
    next: Arc<dyn Observer>,
}

impl Traced {
    pub(super) fn new(tracer: SdkTracer, next: Arc<dyn Observer>) -> Self {
        Self { tracer, next }
    }

    fn span(&self, name: &'static str, elapsed: Duration, failure: Option<&str>, mut of: Vec<KeyValue>) {
        let ended = SystemTime::from(clock::now());
        let begun = ended.checked_sub(elapsed).unwrap_or(ended);
        if let Some(code) = failure {
            of.push(KeyValue::new("error.type", bounded(code, CODE_MAX)));
        }
        let builder = self.tracer.span_builder(name).with_kind(SpanKind::Client).with_start_time(begun);
        let pass = tracing::Span::current().context();
        let mut span = builder.with_attributes(of).start_with_context(&self.tracer, &pass);
        if failure.is_some() {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(ended);
    }
}

impl Observer for Traced {
    fn call(&self, record: &CallRecord<'_>) {
        let mut of = vec![
            KeyValue::new("http.request.method", record.method),
            KeyValue::new("azure.resource_id", record.target.to_owned()),
            KeyValue::new("azure.two_tokens", record.auxiliary),
        ];
        of.extend(record.status.map(|it| KeyValue::new("http.response.status_code", i64::from(it))));
        of.extend(
            record.correlation_id.map(|it| KeyValue::new("azure.correlation_id", bounded(it, CODE_MAX))),
        );
        let failure = match record.status {
            None => Some("no answer"),
            Some(_) => record.code,
        };
        self.span(record.operation, record.elapsed, failure, of);
        self.next.call(record);
    }

    fn sign_in(&self, record: &SignInRecord<'_>) {
        let of = vec![KeyValue::new("azure.tenant_id", record.tenant.to_owned())];
        let cause = record.cause.map(|cause| format!("{cause:?}"));
        let failure = record.code.or(cause.as_deref());
        self.span("sign in", record.elapsed, failure, of);
        self.next.sign_in(record);
    }

    fn gate_closed(&self, key: &GateKey, wait: Duration) {
        self.next.gate_closed(key, wait);
    }

    fn waiting(&self, count: usize) {
        self.next.waiting(count);
    }
}
