//! The side door: what a test does and sees without HTTP. It goes the way of every write but past the hook, and what
//! it did stands in the journal under the name of the side door.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    ApiServer,
    answer::Refusal,
    journal::{Actor, Write},
    lag::Delay,
    object::{self, Object},
    request::{PatchType, Request, RequestVerb},
    resource::{self, CRDS, NAMESPACES, Resource},
    service,
    versions::ChangeKind,
};

/// Who writes by the side door.
pub const SIDE_DOOR: &str = "side-door";

/// One change of a kind, as the log has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// The version that it made.
    pub version: u64,
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub kind: &'static str,
    /// The object then.
    pub object: Value,
}

impl ApiServer {
    fn resource(&self, id: &str) -> Result<Resource, Refusal> {
        let store = self.shared.lock();
        store.collections.get(id).map(|it| it.resource().clone()).ok_or_else(Refusal::no_such_path)
    }

    fn request(
        &self,
        verb: RequestVerb,
        id: &str,
        at: (&str, &str),
        body: Value,
    ) -> Result<Request, Refusal> {
        let resource = self.resource(id)?;
        Ok(Request {
            verb,
            group: resource.group,
            version: resource.version,
            plural: resource.plural,
            namespace: at.0.to_owned(),
            name: at.1.to_owned(),
            subresource: String::new(),
            query: BTreeMap::new(),
            body,
            metadata_only: false,
            actor: Actor::internal(SIDE_DOOR),
            front_end: 0,
        })
    }

    fn ask(&self, request: &Request) -> Result<Value, Refusal> {
        let answer = service::answer(&mut self.shared.lock(), &self.shared, &self.sign, request)?;
        serde_json::from_slice(&answer.body)
            .map_err(|error| Refusal::new(500, "InternalError", format!("read the answer: {error}")))
    }

    /// Creates an object; kind and place are in its body.
    pub fn create(&self, object: &Value) -> Result<Value, Refusal> {
        let id = self.id_of(object)?;
        let namespace = object::text(object, "namespace").to_owned();
        self.ask(&self.request(RequestVerb::Create, &id, (&namespace, ""), object.clone())?)
    }

    /// Which collection an object belongs to.
    fn id_of(&self, object: &Value) -> Result<String, Refusal> {
        let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let store = self.shared.lock();
        let found = store.collections.iter().find(|(_, collection)| {
            let resource = collection.resource();
            resource.kind == kind && resource.api_version() == api_version
        });
        found.map(|(id, _)| id.clone()).ok_or_else(Refusal::no_such_path)
    }

    /// An object as it is now. `id` is `plural.group`; the namespace of what lies in none is empty.
    pub fn get(&self, id: &str, namespace: &str, name: &str) -> Option<Value> {
        self.shared.lock().get(id, &object::key(namespace, name)).map(|object| object.view().clone())
    }

    /// All objects of a kind, in the order of their keys.
    pub fn all(&self, id: &str) -> Vec<Value> {
        self.those(id, |_| true)
    }

    /// The objects of a kind of which something is true, in the order of their keys. Only they are copied.
    pub fn those(&self, id: &str, is: impl Fn(&Value) -> bool) -> Vec<Value> {
        let store = self.shared.lock();
        let Some(collection) = store.collections.get(id) else { return Vec::new() };
        collection.objects.values().map(|object| object.view()).filter(|it| is(it)).cloned().collect()
    }

    /// Merges a patch into an object.
    pub fn patch(&self, id: &str, namespace: &str, name: &str, patch: &Value) -> Result<Value, Refusal> {
        let verb = RequestVerb::Patch(PatchType::Merge);
        self.ask(&self.request(verb, id, (namespace, name), patch.clone())?)
    }

    /// Merges a patch into the status of an object.
    pub fn patch_status(
        &self,
        id: &str,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, Refusal> {
        let verb = RequestVerb::Patch(PatchType::Merge);
        let mut request = self.request(verb, id, (namespace, name), patch.clone())?;
        "status".clone_into(&mut request.subresource);
        self.ask(&request)
    }

    /// Deletes an object. Of a namespace or a CRD the rest is done by the cluster, in tokio's time.
    pub fn delete(&self, id: &str, namespace: &str, name: &str) -> Result<Value, Refusal> {
        self.ask(&self.request(RequestVerb::Delete, id, (namespace, name), Value::Null)?)
    }

    /// Creates a namespace with these labels, or gives the labels to one that is there.
    pub fn namespace(&self, name: &str, labels: &[(&str, &str)]) -> Result<Value, Refusal> {
        let labels: BTreeMap<&str, &str> = labels.iter().copied().collect();
        if let Some(found) = self.get(NAMESPACES, "", name) {
            let mut patch = json!({"metadata": {"labels": labels}});
            for old in found["metadata"]["labels"].as_object().into_iter().flatten().map(|(name, _)| name) {
                if !labels.contains_key(old.as_str()) {
                    patch["metadata"]["labels"][old] = Value::Null;
                }
            }
            return self.patch(NAMESPACES, "", name, &patch);
        }
        self.create(&json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}
        }))
    }

    /// Serves a kind by this CRD, from now on: a new kind, or another schema for one that is there. Objects that are
    /// stored are read by the new one, and watches of the kind end.
    pub fn serve(&self, crd: &Value) -> Result<Value, Refusal> {
        let name = object::text(crd, "name").to_owned();
        match self.get(CRDS, "", &name) {
            None => self.create(crd),
            Some(old) => {
                let mut new = crd.clone();
                object::set(&mut new, "resourceVersion", old["metadata"]["resourceVersion"].clone());
                self.ask(&self.request(RequestVerb::Update, CRDS, ("", &name), new)?)
            }
        }
    }

    /// The version of the last write.
    pub fn version(&self) -> u64 {
        self.shared.lock().version()
    }

    /// The changes of a kind that are kept.
    pub fn log(&self, id: &str) -> Vec<Logged> {
        let store = self.shared.lock();
        let Some(collection) = store.collections.get(id) else { return Vec::new() };
        let kind = |change| match change {
            ChangeKind::Added => "ADDED",
            ChangeKind::Modified => "MODIFIED",
            ChangeKind::Deleted => "DELETED",
        };
        let logged = collection.versions.iter().map(|change| Logged {
            version: change.version,
            kind: kind(change.what),
            object: Object::view(&change.object).clone(),
        });
        logged.collect()
    }

    /// The accepted writes from the n-th on, as far as they are kept: the last million of them.
    pub fn journal(&self, from: usize) -> Vec<Write> {
        self.shared.lock().journal.from(from)
    }

    /// Stops the watch cache of a kind at one front end, or lets it catch up.
    pub fn stall(&self, front_end: u32, id: &str, stalled: bool) {
        if let Some(collection) = self.shared.lock().collections.get_mut(id) {
            collection.lag_mut(front_end).stall(stalled);
            collection.wake();
        }
    }

    /// Has the watch cache of a kind at one front end take each change in so much later. A later change never comes
    /// before an earlier one.
    pub fn delay_watches(&self, front_end: u32, id: &str, delay: Option<Delay>) {
        if let Some(collection) = self.shared.lock().collections.get_mut(id) {
            collection.lag_mut(front_end).delay(delay);
            collection.wake();
        }
    }

    /// The same wait for every change.
    pub fn delay_watches_by(&self, front_end: u32, id: &str, wait: Duration) {
        self.delay_watches(front_end, id, Some(Arc::new(move |_| wait)));
    }

    /// Ends the watches of a kind: in order, or with 410.
    pub fn end_watches(&self, id: &str, expired: bool) {
        if let Some(collection) = self.shared.lock().collections.get_mut(id) {
            collection.end_watches(expired);
        }
    }

    /// Forgets the changes of a kind: whoever watches from an older version is answered 410.
    pub fn compact(&self, id: &str) {
        let mut store = self.shared.lock();
        let version = store.version();
        if let Some(collection) = store.collections.get_mut(id) {
            collection.versions.compact(version);
            // What a cache had still to take in is gone: it begins anew, with all that is there.
            let versions = &collection.versions;
            collection.lags.retain(|_, lag| !versions.is_dropped(lag.position()));
        }
    }

    /// The ids of all kinds that are served.
    pub fn kinds(&self) -> Vec<String> {
        self.shared.lock().collections.keys().cloned().collect()
    }

    /// The id of a kind: `plural.group`.
    pub fn id<K: kube::Resource<DynamicType = ()>>() -> String {
        resource::id(&K::group(&()), &K::plural(&()))
    }
}
