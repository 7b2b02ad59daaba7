//! Events: on transitions only. One that cannot be written is no error: a namespace that goes away refuses them.

use avnm_plan::verdict::Happening;
use kube::{
    Client, Resource,
    core::DeserializeGuard,
    runtime::events::{Event, EventType, Recorder, Reporter},
};

use crate::kube_io::TIMEOUT;

/// Longest note that the API takes, in bytes; with room to spare.
const NOTE_MAX: usize = 900;

/// Writes events.
#[derive(Clone)]
pub(crate) struct Events(Recorder);

impl Events {
    pub(crate) fn new(client: Client, identity: &str) -> Self {
        let reporter =
            Reporter { controller: "avnm.dev/operator".into(), instance: Some(identity.to_owned()) };
        Self(Recorder::new(client, reporter))
    }

    /// Tells what happened to an object, in an event and in the log.
    pub(crate) async fn tell<K: Resource<DynamicType = ()>>(&self, object: &K, happening: &Happening) {
        let (name, namespace) = (object.meta().name.as_deref(), object.meta().namespace.as_deref());
        tracing::info!(name, namespace, reason = happening.reason, note = %happening.note, "event");
        let mut note = avnm_terms::text::bounded(&happening.note, NOTE_MAX);
        while note.len() > NOTE_MAX {
            note.pop();
        }
        let event = Event {
            type_: if happening.warning { EventType::Warning } else { EventType::Normal },
            reason: happening.reason.to_owned(),
            note: Some(note),
            action: happening.action.to_owned(),
            secondary: None,
        };
        match tokio::time::timeout(TIMEOUT, self.0.publish(&event, &object.object_ref(&()))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an event was not written"),
            Err(_) => tracing::debug!("an event was not written in time"),
        }
    }
}

/// One that does not decode is told of, and must not stop the others. Nothing is done about it: what it holds in Azure
/// stays held, because whatever does not decode counts as a claim.
pub(crate) async fn undecodable<K>(events: &Events, guard: &DeserializeGuard<K>)
where
    K: Resource<DynamicType = ()>,
{
    let Err(invalid) = &guard.0 else { return };
    let note = format!(
        "this object does not decode and is left alone until it does: {}. Correct it, or run a version of the operator that knows what it says",
        avnm_terms::text::bounded(&invalid.error, 500)
    );
    events.tell(guard, &Happening::warning("Undecodable", "Decode", note)).await;
}
