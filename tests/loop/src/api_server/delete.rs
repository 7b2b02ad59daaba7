//! Deletes: an object with finalizers is marked and stays; one without goes at once.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    answer::{Refusal, Subject},
    journal::{Actor, Verb},
    object::{self, Object},
    request::Request,
    resource::{CRDS, NAMESPACES, Resource},
    store::{Store, Written},
};

/// What a delete came to.
pub(crate) enum Deleted {
    /// It is gone.
    Gone(Arc<Object>),
    /// It is marked, or was before.
    Marked(Arc<Object>),
}

/// What may be demanded of the object that is deleted.
#[derive(Default)]
struct Preconditions<'a> {
    uid: Option<&'a str>,
    version: Option<&'a str>,
}

impl<'a> Preconditions<'a> {
    fn of(options: &'a Value) -> Self {
        let text = |name: &str| options["preconditions"][name].as_str();
        Self { uid: text("uid"), version: text("resourceVersion") }
    }

    fn check(&self, object: &Value, resource: &Resource, name: &str) -> Result<(), Refusal> {
        // The kind stands here where the resource stands everywhere else.
        let subject = Subject { group: &resource.group, plural: &resource.kind, name };
        if let Some(uid) = self.uid.filter(|uid| *uid != object::text(object, "uid"))
            && !resource.custom
            && (resource.id() == NAMESPACES || resource.id() == CRDS)
        {
            let lead = if resource.id() == CRDS { "precondition" } else { "Precondition" };
            let is = object::text(object, "uid");
            let why = format!("{lead} failed: UID in precondition: {uid}, UID in object meta: {is}");
            return Err(Refusal::conflict(Subject { plural: &resource.plural, ..subject }, &why));
        }
        let is = |field: &str| object::text(object, field).to_owned();
        if let Some(uid) = self.uid.filter(|uid| *uid != is("uid")) {
            let why = format!(
                "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have \
                 been deleted and then recreated",
                is("uid")
            );
            return Err(Refusal::conflict(subject, &why));
        }
        if let Some(version) = self.version.filter(|version| *version != is("resourceVersion")) {
            let why = format!(
                "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record \
                 ({}). The object might have been modified",
                is("resourceVersion")
            );
            return Err(Refusal::conflict(subject, &why));
        }
        Ok(())
    }
}

impl Store {
    /// Deletes one object.
    pub(crate) fn delete(&mut self, request: &Request) -> Result<Deleted, Refusal> {
        let resource = self.collection(request)?.resource().clone();
        let (id, key) = (request.resource_id(), object::key(&request.namespace, &request.name));
        let object = self.get(&id, &key).ok_or_else(|| Refusal::not_found(request.subject()))?;
        Preconditions::of(&request.body).check(object.view(), &resource, &request.name)?;
        if request.parameter("dryRun") == "All" {
            return Ok(Deleted::Marked(object));
        }
        Ok(self.delete_object(&id, &key, &object, &request.actor))
    }

    /// Deletes one object that is there, without asking what is demanded of it.
    pub(crate) fn delete_object(
        &mut self,
        id: &str,
        key: &str,
        object: &Arc<Object>,
        actor: &Actor,
    ) -> Deleted {
        let written = |verb| Written { actor, verb, subresource: "" };
        let view = object.view();
        let now = self.now_text();
        let waits = match id {
            NAMESPACES => !view["spec"]["finalizers"].as_array().is_none_or(Vec::is_empty),
            CRDS => !object::is_deleting(view),
            _ => false,
        };
        if object::finalizers(view).is_empty() && !waits {
            let gone = self.remove(id, key, &written(Verb::Remove)).unwrap_or_else(|| object.clone());
            return Deleted::Gone(gone);
        }
        if object::is_deleting(view) {
            return Deleted::Marked(object.clone());
        }
        let mut marked = match id {
            CRDS => self.mark_crd(view),
            _ => view.clone(),
        };
        object::set(&mut marked, "deletionTimestamp", now.into());
        match id {
            NAMESPACES => marked["status"]["phase"] = "Terminating".into(),
            CRDS => {}
            _ => {
                object::set(&mut marked, "deletionGracePeriodSeconds", 0.into());
                let generation = object::generation(view);
                if generation > 0 {
                    object::set(&mut marked, "generation", generation.saturating_add(1).into());
                }
            }
        }
        Deleted::Marked(self.put(id, key, marked, &written(Verb::MarkDeleted)))
    }

    /// The answer to a delete that took the object away.
    pub(crate) fn deleted_status(request: &Request, gone: &Object) -> Value {
        let mut details = json!({
            "name": request.name, "kind": request.plural, "uid": object::text(gone.view(), "uid")
        });
        if !request.group.is_empty() {
            details["group"] = request.group.clone().into();
        }
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
    }
}
