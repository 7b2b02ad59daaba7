//! Events: on transitions only. One that cannot be written is no error: a namespace that goes away refuses them.
//!
//! Not kube's recorder: it takes two happenings of one reason for one event and keeps the first one's note, looks through
//! all its cache with each, and makes names longer than the API takes.

mod series;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use avnm_arm::clock;
use avnm_plan::finding::Happening;
use avnm_terms::{
    KubeFault, KubeFaultKind,
    mutants::{Mutant, broken},
};
use jiff::Timestamp;
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::{
    events::series::{Key, Series, Write},
    kube_io,
};

/// Who reports, in each event.
const CONTROLLER: &str = "avnm.dev/operator";

/// Longest note that the API takes, in bytes.
const NOTE_MAX: usize = 1_024;

/// Longest `reportingInstance` that the API takes, in bytes.
const INSTANCE_MAX: usize = 128;

/// Longest name of an object, in bytes; an event's has to be a DNS subdomain, too.
const NAME_MAX: usize = 253;

/// Where the events of what has no namespace lie: the API takes them nowhere else.
const OF_THE_CLUSTER: &str = "default";

/// How often one happening is written: again only if the event that counts it turns out to be gone, which the API server
/// keeps for an hour or so.
const TRIES: usize = 2;

/// Writes events. Clones share everything.
#[derive(Clone)]
pub(crate) struct Events {
    client: Client,
    instance: String,
    series: Arc<Mutex<Series>>,
    /// How many names were made: two of one moment differ by it.
    names: Arc<AtomicU64>,
}

impl Events {
    pub(crate) fn new(client: Client, identity: &str) -> Self {
        let instance = bounded(identity, INSTANCE_MAX);
        Self { client, instance, series: Arc::default(), names: Arc::default() }
    }

    /// Tells what happened to an object, in an event and in the log.
    pub(crate) async fn tell<K: Resource<DynamicType = ()>>(&self, object: &K, happening: &Happening) {
        let (name, namespace) = (object.meta().name.as_deref(), object.meta().namespace.as_deref());
        tracing::info!(name, namespace, reason = happening.reason, note = %happening.note, "event");
        match self.write(object.object_ref(&()), happening).await {
            Ok(()) => {}
            Err(fault) if is_of_the_moment(&fault) => tracing::debug!(%fault, "an event was not written"),
            Err(fault) => tracing::warn!(%fault, "an event was refused"),
        }
    }

    async fn write(&self, regarding: ObjectReference, happening: &Happening) -> Result<(), KubeFault> {
        let namespace = regarding.namespace.as_deref().unwrap_or(OF_THE_CLUSTER).to_owned();
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        let key = Key {
            uid: regarding.uid.clone().unwrap_or_default(),
            warning: happening.warning,
            reason: happening.reason,
            action: happening.action,
            note: bounded(&happening.note, NOTE_MAX),
        };
        for _ in 0..TRIES {
            let now = clock::now();
            let proposed = self.name(regarding.name.as_deref().unwrap_or_default(), now);
            let seen = Key {
                note: if broken(Mutant::EventsMerged) { String::new() } else { key.note.clone() },
                ..key.clone()
            };
            let step = self.series().observe(seen, &proposed, clock::instant());
            match step {
                Write::Create => {
                    let target = format!("{namespace}/{proposed}");
                    let event = self.event(&proposed, &namespace, regarding, &key, now);
                    let params = PostParams::default();
                    let created = kube_io::call("create event", &target, api.create(&params, &event)).await;
                    // What was perhaps not written is not counted on: rather twice than never.
                    return created.map(drop).inspect_err(|_| self.series().drop_event(&key, &proposed));
                }
                Write::Count { name, count } => {
                    let target = format!("{namespace}/{name}");
                    let series = json!({"series": {"count": count, "lastObservedTime": MicroTime(now)}});
                    let (params, patch) = (PatchParams::default(), Patch::Merge(&series));
                    match kube_io::call("count event", &target, api.patch(&name, &params, &patch)).await {
                        Ok(_) => return Ok(()),
                        Err(fault) if fault.kind == KubeFaultKind::NotFound => {
                            self.series().drop_event(&key, &name);
                        }
                        Err(fault) => return Err(fault),
                    }
                }
            }
        }
        Ok(())
    }

    fn event(
        &self,
        name: &str,
        namespace: &str,
        regarding: ObjectReference,
        key: &Key,
        now: Timestamp,
    ) -> Event {
        Event {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace.to_owned()),
                ..ObjectMeta::default()
            },
            type_: Some(if key.warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(key.reason.to_owned()),
            action: Some(key.action.to_owned()),
            note: Some(key.note.clone()),
            event_time: Some(MicroTime(now)),
            regarding: Some(regarding),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            ..Event::default()
        }
    }

    /// A name that no other event has: the object's, as far as it fits, and after it something of this moment.
    fn name(&self, object: &str, now: Timestamp) -> String {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        let suffix = format!(".{:x}.{number:x}", now.as_nanosecond());
        let mut cut = object.len().min(NAME_MAX.saturating_sub(suffix.len()));
        while !object.is_char_boundary(cut) {
            cut -= 1;
        }
        // No part of a DNS subdomain ends with a dash or is empty.
        let object = object[..cut].trim_end_matches(['.', '-']);
        format!("{object}{suffix}")
    }

    fn series(&self) -> MutexGuard<'_, Series> {
        // Nothing under this lock panics; and if it did, the next event is counted wrongly and nothing else.
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a failure is of no concern to anybody: the namespace is going or gone, or the API server did not answer now.
/// Any other refusal comes again with each event, and somebody has to know.
fn is_of_the_moment(fault: &KubeFault) -> bool {
    let ending = fault.kind == KubeFaultKind::Forbidden && fault.message.contains("being terminated");
    ending || fault.kind == KubeFaultKind::NotFound || fault.is_passing()
}

/// At most so many bytes, without control characters, an ellipsis where something was cut.
fn bounded(text: &str, max: usize) -> String {
    const ELLIPSIS: char = '…';
    let clean = avnm_terms::text::bounded(text, max);
    if clean.len() <= max {
        return clean;
    }
    let mut cut = max.saturating_sub(ELLIPSIS.len_utf8());
    while !clean.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}{ELLIPSIS}", &clean[..cut])
}

#[cfg(test)]
mod tests;
