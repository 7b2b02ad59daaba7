//! Watches: changes in the order of their versions, bookmarks, and 410 for whoever is too far behind.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::stream::{self, Stream};
use rand::Rng as _;
use serde_json::{Value, json};
use tokio::{sync::watch::Receiver, time::Instant};

use super::{
    answer::Refusal,
    clock, events,
    hook::{Hook, WatchAction},
    object::{self, Object},
    request::Request,
    resource::EVENTS_GROUP,
    selectors::Selector,
    store::Shared,
    versions::ChangeKind,
};

/// Between bookmarks; a quarter of it is added by chance.
const BOOKMARK: Duration = Duration::from_secs(60);
/// So long before its end, a watch gets a last bookmark.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);
/// How long a watch lasts at least if its client does not say; as much again is added by chance.
const LONGEST: Duration = Duration::from_secs(1_800);

/// An event that is to be sent.
struct Event {
    kind: &'static str,
    object: Shown,
}

enum Shown {
    Stored(Arc<Object>),
    Other(Value),
}

/// A watch that goes on.
pub(crate) struct Watch {
    shared: Shared,
    hook: Arc<dyn Hook>,
    request: Request,
    id: String,
    selector: Selector,
    custom: bool,
    kind: String,
    signal: Receiver<u64>,
    epoch: u64,
    position: u64,
    /// The version from which it goes on: what was there when it began is told, and no bookmark repeats it.
    from: u64,
    queue: VecDeque<Event>,
    /// The version that the cache must reach before a streamed list is told to be whole.
    whole_at: Option<u64>,
    ends: Instant,
    bookmark: Option<Instant>,
    last_bookmark_sent: bool,
    over: bool,
}

impl Watch {
    /// Begins a watch. What is wrong with the version is told in its first event, as the real server does.
    pub(crate) fn begin(shared: &Shared, hook: &Arc<dyn Hook>, request: &Request) -> Result<Self, Refusal> {
        let mut guard = shared.lock();
        let store = &mut *guard;
        let newest = store.version();
        let collection = store.collection(request)?;
        let resource = collection.resource().clone();
        let (labels, fields) = (request.parameter("labelSelector"), request.parameter("fieldSelector"));
        let selector = Selector::parse(labels, fields, &request.namespace, &resource)?;
        let asked = request.parameter("resourceVersion");
        if !asked.is_empty() && asked.parse::<u64>().is_err() {
            return Err(Refusal::new(
                500,
                "",
                format!(
                    "resourceVersion: Invalid value: {asked:?}: strconv.ParseUint: parsing {asked:?}: invalid syntax"
                ),
            ));
        }
        let whole = request.flag("sendInitialEvents");
        if whole && request.parameter("resourceVersionMatch") != "NotOlderThan" {
            let error = super::schema::FieldError::forbidden(
                "resourceVersionMatch",
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            );
            return Err(Refusal::invalid("meta.k8s.io", "ListOptions", "", &[error]));
        }
        let (timeout, jitter) = (store.random.random_range(0.0..1.0), store.random.random_range(0.0..0.25));
        let lasts = match request.parameter("timeoutSeconds").parse::<u64>() {
            Ok(seconds) if seconds > 0 => Duration::from_secs(seconds),
            _ => LONGEST.mul_f64(1.0 + timeout),
        };
        let id = request.resource_id();
        let Some(collection) = store.collections.get_mut(&id) else { return Err(Refusal::no_such_path()) };
        let (epoch, signal) = (collection.epoch, collection.signal.subscribe());
        let floor = collection.versions.floor();
        let version = asked.parse::<u64>().ok().filter(|version| *version > 0);
        let mut queue = VecDeque::new();
        let (position, from) = match version {
            Some(version) if !whole => {
                if version < floor {
                    queue.push_back(Event {
                        kind: "ERROR",
                        object: Shown::Other(
                            Refusal::expired(format!("too old resource version: {version} ({floor})"))
                                .to_json(),
                        ),
                    });
                }
                let last = match collection.lags.get(&request.front_end) {
                    Some(lag) => lag.version(),
                    None => collection.versions.last(),
                };
                (collection.versions.after(version), version.max(last))
            }
            // From what there is now, told as additions.
            _ => {
                let cached = collection.cached(request.front_end);
                for object in cached.objects.values().filter(|object| selector.selects(object.view())) {
                    queue.push_back(Event { kind: "ADDED", object: Shown::Stored(object.clone()) });
                }
                (cached.position, cached.version)
            }
        };
        let now = clock::instant();
        let after = |wait: Duration| now.checked_add(wait).unwrap_or(now);
        Ok(Self {
            shared: shared.clone(),
            hook: hook.clone(),
            request: request.clone(),
            id,
            selector,
            custom: resource.custom,
            kind: resource.kind.clone(),
            signal,
            epoch,
            position,
            from,
            queue,
            whole_at: whole.then(|| version.unwrap_or(newest)),
            ends: after(lasts),
            bookmark: request.flag("allowWatchBookmarks").then(|| after(BOOKMARK.mul_f64(1.0 + jitter))),
            last_bookmark_sent: false,
            over: false,
        })
    }

    /// The lines of the answer.
    pub(crate) fn lines(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::unfold(self, |mut watch| async move {
            let line = watch.next().await?;
            Some((line, watch))
        })
    }

    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        while !self.over {
            let Some(event) = self.queue.pop_front() else {
                let due = self.look()?;
                if self.queue.is_empty() {
                    self.wait(due).await;
                }
                continue;
            };
            let shown = match &event.object {
                Shown::Stored(object) => object.view(),
                Shown::Other(value) => value,
            };
            match self.hook.event(&self.request, event.kind, shown) {
                WatchAction::Pass => {}
                WatchAction::Delay(wait) => tokio::time::sleep(wait).await,
                WatchAction::Hang => std::future::pending().await,
                WatchAction::End => return None,
                WatchAction::Expire => {
                    self.over = true;
                    return Some(Ok(line("ERROR", &expired().to_json().to_string().into())));
                }
                WatchAction::Cut => {
                    self.over = true;
                    return Some(Err(io::Error::new(
                        io::ErrorKind::ConnectionReset,
                        "the connection was cut",
                    )));
                }
            }
            self.over = event.kind == "ERROR";
            return Some(Ok(line(event.kind, &self.body(&event))));
        }
        None
    }

    /// Waits for a change, or for what is due by itself.
    async fn wait(&mut self, due: Option<Instant>) {
        let until = [due, self.bookmark, Some(self.ends)].into_iter().flatten().min().unwrap_or(self.ends);
        tokio::select! {
            changed = self.signal.changed() => {
                if changed.is_err() {
                    // The kind is gone.
                    self.over = true;
                }
            }
            () = tokio::time::sleep_until(until) => {}
        }
    }

    /// Takes what the cache shows by now into the queue, and says when it next shows more by itself. `None` ends the
    /// watch.
    #[allow(clippy::option_option)] // whether it goes on, and when the cache changes
    fn look(&mut self) -> Option<Option<Instant>> {
        let shared = self.shared.clone();
        let mut store = shared.lock();
        let newest = store.version();
        let collection = store.collections.get_mut(&self.id)?;
        if collection.epoch != self.epoch {
            if !collection.expired {
                return None;
            }
            self.queue.push_back(Event { kind: "ERROR", object: Shown::Other(expired().to_json()) });
            return Some(None);
        }
        if collection.versions.is_dropped(self.position) {
            return None;
        }
        let cached = collection.cached(self.request.front_end);
        let (until, version, lags, due) = (cached.position, cached.version, cached.lags, cached.due);
        while self.position < until {
            let Some(change) = collection.versions.at(self.position) else { break };
            let was = change.previous.as_ref().is_some_and(|object| self.selector.selects(object.view()));
            let is = change.what != ChangeKind::Deleted && self.selector.selects(change.object.view());
            let kind = match (was, is) {
                (false, true) => Some("ADDED"),
                (true, true) => Some("MODIFIED"),
                (true, false) => Some("DELETED"),
                (false, false) => None,
            };
            if let Some(kind) = kind {
                // Who leaves the selection is shown as it was in it, at the version at which it left.
                let object = match &change.previous {
                    Some(previous) if kind == "DELETED" && change.what != ChangeKind::Deleted => {
                        let mut left = previous.view().clone();
                        object::set(&mut left, "resourceVersion", change.version.to_string().into());
                        Arc::new(Object::new(left, None))
                    }
                    _ => change.object.clone(),
                };
                self.queue.push_back(Event { kind, object: Shown::Stored(object) });
            }
            self.position = self.position.saturating_add(1);
        }
        let now = clock::instant();
        if self.whole_at.is_some_and(|wanted| !lags || version >= wanted) {
            self.whole_at = None;
            let mark = json!({"k8s.io/initial-events-end": "true"});
            let shown = if lags { version } else { newest };
            self.queue.push_back(self.bookmark_event(shown, Some(mark)));
        }
        if self.bookmark.is_some_and(|at| at <= now) {
            let jitter = store.random.random_range(0.0..0.25);
            self.bookmark = now.checked_add(BOOKMARK.mul_f64(1.0 + jitter));
            self.mark(version);
        }
        let last = self.ends.checked_sub(LAST_BOOKMARK).is_some_and(|at| at <= now);
        if self.bookmark.is_some() && last && !self.last_bookmark_sent {
            self.last_bookmark_sent = true;
            self.mark(version);
        }
        if self.queue.is_empty() && self.ends <= now {
            return None;
        }
        Some(due)
    }

    /// A bookmark, if there is something to tell: a version after that from which the watch goes on.
    fn mark(&mut self, version: u64) {
        if version > self.from {
            let event = self.bookmark_event(version, None);
            self.queue.push_back(event);
        }
    }

    fn bookmark_event(&self, version: u64, annotations: Option<Value>) -> Event {
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if let Some(annotations) = annotations {
            metadata["annotations"] = annotations;
        }
        let (api_version, kind) = if self.request.metadata_only {
            ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadata")
        } else {
            (super::resource::api_version(&self.request.group, &self.request.version), self.kind.as_str())
        };
        let object = json!({"kind": kind, "apiVersion": api_version, "metadata": metadata});
        Event { kind: "BOOKMARK", object: Shown::Other(object) }
    }

    fn body(&self, event: &Event) -> Bytes {
        match &event.object {
            Shown::Other(value) => value.to_string().into(),
            Shown::Stored(object) if self.request.metadata_only => object.metadata_json(),
            Shown::Stored(object) if !self.custom && self.request.group == EVENTS_GROUP => {
                events::from_store(object.view()).to_string().into()
            }
            Shown::Stored(object) => object.json(),
        }
    }
}

fn expired() -> Refusal {
    Refusal::expired("The resourceVersion for the provided watch is too old.")
}

fn line(kind: &str, object: &Bytes) -> Bytes {
    let mut text = format!("{{\"type\":\"{kind}\",\"object\":").into_bytes();
    text.extend_from_slice(object);
    text.extend_from_slice(b"}\n");
    text.into()
}
