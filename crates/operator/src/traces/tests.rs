//! What reaches a collector: a real server here reads it as the protocol has it.

use std::{
    io::Write,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use avnm_arm::{CallRecord, CredentialKey, Observer, VerbClass, clock};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use opentelemetry_http::{HttpClient as _, Request};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, status::StatusCode as SpanStatus},
};
use prost::Message as _;
use tokio::{
    net::TcpListener,
    runtime::{Handle, Runtime},
};
use tracing::field::Empty;
use tracing_subscriber::{Layer as _, filter::LevelFilter, fmt, layer::SubscriberExt as _};

use super::{FLUSH, TraceFlags, Traces, collector::Collector, send::Sender};
use crate::kubernetes::Outside;

/// What came, whole: path, headers, body.
#[derive(Default)]
struct Taken {
    requests: Mutex<Vec<(String, HeaderMap, Bytes)>>,
    status: Mutex<StatusCode>,
}

impl Taken {
    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap();
        let decoded =
            requests.iter().map(|(_, _, body)| ExportTraceServiceRequest::decode(&body[..]).unwrap());
        let resources = decoded.flat_map(|request| request.resource_spans);
        resources.flat_map(|it| it.scope_spans).flat_map(|it| it.spans).collect()
    }
}

async fn take(
    State(taken): State<Arc<Taken>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    taken.requests.lock().unwrap().push((uri.path().to_owned(), headers, body));
    let status = *taken.status.lock().unwrap();
    // Where it is refused, the text is none that a log may have.
    (status, if status.is_success() { "" } else { "hidden" })
}

async fn collector() -> (String, Arc<Taken>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(Taken::default());
    let router = Router::new().fallback(take).with_state(Arc::clone(&taken));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, taken)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

const NOTHING: Outside = Outside { proxy: None, extra_ca_pem: None };

fn to(endpoint: &str) -> TraceFlags {
    TraceFlags { endpoint: Some(endpoint.to_owned()), ..TraceFlags::default() }
}

fn traces(endpoint: &str, runtime: &Runtime) -> Traces {
    let handle = runtime.handle().clone();
    Traces::start(&to(endpoint), "pod-1", &NOTHING, handle, |_| None).unwrap().unwrap()
}

struct Blind;

impl Observer for Blind {
    fn call(&self, _record: &CallRecord<'_>) {}
}

fn called(observer: &dyn Observer, operation: &'static str, status: Option<u16>, code: Option<&str>) {
    let [kind, namespace, name, uid, fingerprint] = Default::default();
    let credential = CredentialKey { kind, namespace, name, uid, fingerprint };
    observer.call(&CallRecord {
        operation,
        method: "PUT",
        verb: VerbClass::Write,
        target: "/subscriptions/s/x",
        credential: &credential,
        status,
        code,
        elapsed: Duration::from_millis(250),
        correlation_id: Some("c-1"),
        auxiliary: true,
    });
}

fn pass(name: &str) -> tracing::Span {
    // As the controller has it.
    tracing::info_span!(
        target: "avnm_controller::metrics::count", "pass",
        kind = "StaticMember", namespace = "team-a", name,
        result = Empty, reason = Empty, otel.status_code = Empty
    )
}

fn of_kubernetes() -> tracing::Span {
    tracing::debug_span!(
        target: "kube_client::client::builder", "HTTP",
        http.method = "PATCH", http.url = "https://k/api", otel.name = "patch_status", otel.kind = "client"
    )
}

fn attribute<'a>(of: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    of.iter().find(|it| it.key == key)?.value.as_ref()?.value.as_ref()
}

fn text(of: &[KeyValue], key: &str) -> String {
    match attribute(of, key) {
        Some(Value::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    }
}

#[test]
fn passes_and_their_calls_reach_the_collector_and_nothing_else_does() {
    let runtime = runtime();
    let (url, taken) = runtime.block_on(collector());
    let traces = traces(&url, &runtime);
    let observer = traces.seeing(Arc::new(Blind));
    // The log is off: its level is not that of traces.
    let silent = fmt::layer().with_writer(std::io::sink).with_filter(LevelFilter::OFF);
    let subscriber = tracing_subscriber::registry().with(silent).with(Some(traces.layer()));
    tracing::subscriber::with_default(subscriber, || {
        of_kubernetes().in_scope(|| ());
        called(&*observer, "list staticMembers", Some(200), None);
        let around = tracing::info_span!(target: "kube_runtime::controller", "reconciling object");
        around.in_scope(|| {
            let pass = pass("a");
            pass.in_scope(|| {
                tracing::error!(error = "hidden", "what a line of the log says");
                of_kubernetes().in_scope(|| ());
                called(&*observer, "put staticMember", Some(409), Some(&"C".repeat(500)));
                called(&*observer, "get staticMember", None, None);
            });
            pass.record("result", "error");
            pass.record("reason", "ProgressingWithRetry");
            pass.record("otel.status_code", "ERROR");
        });
    });
    traces.flush();

    let requests = taken.requests.lock().unwrap().clone();
    let (path, headers, body) = requests.first().expect("something was sent");
    assert_eq!(
        (path.as_str(), &headers["content-type"]),
        ("/v1/traces", &"application/x-protobuf".parse().unwrap())
    );
    let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    let resource = &request.resource_spans[0].resource.as_ref().unwrap().attributes;
    assert_eq!(text(resource, "service.name"), "avnm-operator");
    assert_eq!(text(resource, "service.version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(text(resource, "service.instance.id"), "pod-1");

    let spans = taken.spans();
    let mut names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["get staticMember", "list staticMembers", "pass", "patch_status", "put staticMember"]);
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (pass, put, list) = (named("pass"), named("put staticMember"), named("list staticMembers"));
    assert!(pass.parent_span_id.is_empty() && list.parent_span_id.is_empty());
    assert_ne!(list.trace_id, pass.trace_id);
    for name in ["put staticMember", "get staticMember", "patch_status"] {
        assert_eq!(named(name).parent_span_id, pass.span_id, "{name}");
        assert_eq!(named(name).trace_id, pass.trace_id, "{name}");
    }
    for (key, value) in [
        ("kind", "StaticMember"),
        ("namespace", "team-a"),
        ("name", "a"),
        ("result", "error"),
        ("reason", "ProgressingWithRetry"),
    ] {
        assert_eq!(text(&pass.attributes, key), value);
    }
    let failed = |span: &Span| span.status.as_ref().is_some_and(|it| it.code() == SpanStatus::Error);
    assert!(failed(pass) && failed(put) && failed(named("get staticMember")) && !failed(list));
    assert_eq!(attribute(&put.attributes, "http.response.status_code"), Some(&Value::IntValue(409)));
    assert_eq!(text(&put.attributes, "error.type").chars().count(), 101, "what Azure says is bounded");
    assert_eq!(text(&named("get staticMember").attributes, "error.type"), "no answer");
    assert_eq!(text(&put.attributes, "azure.resource_id"), "/subscriptions/s/x");
    assert_eq!(put.end_time_unix_nano - put.start_time_unix_nano, 250_000_000);
    assert!(spans.iter().all(|span| span.events.is_empty()), "{spans:#?}");
    assert!(!format!("{spans:?}").contains("hidden"), "{spans:#?}");
}

#[test]
fn without_an_endpoint_there_is_nothing() {
    let runtime = runtime();
    let none = Traces::start(&to(""), "pod-1", &NOTHING, runtime.handle().clone(), |_| None).unwrap();
    assert!(none.is_none());
}

#[test]
fn a_collector_that_hangs_holds_up_neither_passes_nor_the_end() {
    let runtime = runtime();
    // It takes connections, by the backlog, and never answers.
    let hangs = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let traces = traces(&format!("http://{}", hangs.local_addr().unwrap()), &runtime);
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    let begun = clock::instant();
    tracing::subscriber::with_default(subscriber, || {
        // Five times what the queue takes.
        for _ in 0..10_240 {
            pass("a").in_scope(|| ());
        }
    });
    let passes = clock::instant() - begun;
    let begun = clock::instant();
    traces.flush();
    let flush = clock::instant() - begun;
    assert!(passes < Duration::from_secs(5), "{passes:?}");
    assert!(flush < FLUSH + Duration::from_secs(1), "{flush:?}");
}

/// The log of one test.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn all(&self) -> Vec<String> {
        String::from_utf8(self.lock().clone()).unwrap().lines().map(str::to_owned).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn that_the_collector_is_away_is_told_once_and_that_it_is_back_once() {
    let (url, taken) = collector().await;
    let collector = Collector::named(&to(&url), |_| None).unwrap().unwrap();
    let sender = Sender::new(&collector, &NOTHING, Handle::current()).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let lines = Lines::default();
    let writer = lines.clone();
    let layer = fmt::layer().with_ansi(false).without_time().with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO));
    let guard = tracing::subscriber::set_default(subscriber);
    let send = async |url: &str| {
        let request = Request::post(url).header("authorization", "hidden").body(Bytes::new()).unwrap();
        sender.send_bytes(request).await
    };
    for _ in 0..3 {
        send(&format!("http://{free}/v1/traces?key=hidden")).await.unwrap_err();
    }
    *taken.status.lock().unwrap() = StatusCode::UNAUTHORIZED;
    assert_eq!(send(&url).await.unwrap().status(), 401);
    *taken.status.lock().unwrap() = StatusCode::OK;
    for _ in 0..2 {
        assert_eq!(send(&url).await.unwrap().status(), 200);
    }
    *taken.status.lock().unwrap() = StatusCode::UNAUTHORIZED;
    send(&url).await.unwrap();
    drop(guard);
    let lines = lines.all();
    let beginnings: Vec<bool> = lines.iter().map(|line| line.contains("cannot send traces")).collect();
    assert_eq!(beginnings, [true, false, true], "{lines:#?}");
    assert!(lines[1].contains("sent again") && lines[2].contains("HTTP 401"), "{lines:#?}");
    assert!(!lines.concat().contains("hidden"), "{lines:#?}");
}
