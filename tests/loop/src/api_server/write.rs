//! Writes: create, update, patch, apply. Each is checked and made in one step, in the order of the real server's checks.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{
    answer::{Refusal, Subject},
    crds, events, fields,
    journal::Verb,
    kind::Kind,
    managed::{self, Manager},
    merge, metadata,
    object::{self, Object},
    request::{PatchType, Request},
    resource::{self, CRDS, EVENTS_GROUP},
    schema::{FieldError, Node},
    store::{Collection, Store, Written},
};

/// An accepted write: the HTTP status and the object.
pub(crate) type Done = (u16, Arc<Object>);

/// A write on its way.
struct Writing<'a> {
    request: &'a Request,
    id: String,
    kind: Kind,
    api_version: String,
    now: String,
}

impl Writing<'_> {
    fn key(&self) -> String {
        object::key(&self.request.namespace, &self.request.name)
    }

    fn manager(&self) -> Manager<'_> {
        let status = self.request.subresource == "status";
        Manager {
            name: self.request.actor.manager(),
            api_version: &self.api_version,
            subresource: &self.request.subresource,
            ignored: match (status, self.kind.has_status()) {
                (true, _) => &["metadata", "spec"],
                (false, true) => &["status"],
                (false, false) => &[],
            },
            time: &self.now,
        }
    }

    fn written(&self, verb: Verb) -> Written<'_> {
        Written { actor: &self.request.actor, verb, subresource: &self.request.subresource }
    }

    fn invalid(&self, object: &Value, errors: &[FieldError]) -> Refusal {
        let group = &self.kind.resource.group;
        Refusal::invalid(group, said_kind(object, &self.kind), &self.request.name, errors)
    }

    /// Records who manages what, in the words of the face that was written to.
    fn record(&self, live: Option<&Value>, new: &mut Value) {
        let empty = self.kind.empty();
        let live = live.unwrap_or(&empty);
        if self.request.group != EVENTS_GROUP {
            managed::updated(Some(self.kind.node()), live, new, &self.manager());
            return;
        }
        let mut shown = events::from_store(new);
        managed::updated(Some(self.kind.node()), &events::from_store(live), &mut shown, &self.manager());
        object::set(new, "managedFields", shown["metadata"]["managedFields"].take());
    }

    /// The version that a body says; 500 where it is no number, as the real server has it.
    fn version(body: &Value) -> Result<Option<u64>, Refusal> {
        let text = object::text(body, "resourceVersion");
        if text.is_empty() || text == "0" {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            Refusal::new(500, "", format!("strconv.ParseUint: parsing {text:?}: invalid syntax"))
        })
    }

    /// The body lies where the path says.
    fn place(&self, body: &mut Value) -> Result<(), Refusal> {
        let said = object::text(body, "namespace").to_owned();
        if !self.kind.resource.namespaced {
            object::set(body, "namespace", Value::Null);
        } else if said.is_empty() {
            object::set(body, "namespace", self.request.namespace.clone().into());
        } else if said != self.request.namespace {
            return Err(Refusal::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        let said = object::text(body, "name");
        if !self.request.name.is_empty() && said != self.request.name {
            let (said, wanted) = (said.to_owned(), &self.request.name);
            return Err(Refusal::bad_request(if said.is_empty() {
                format!(
                    "the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
                )
            } else {
                format!("the name of the object ({said}) does not match the name on the URL ({wanted})")
            }));
        }
        Ok(())
    }
}

impl Store {
    /// The collection that a request is about.
    pub(crate) fn collection(&self, request: &Request) -> Result<&Collection, Refusal> {
        let found = self.collections.get(&request.resource_id()).ok_or_else(Refusal::no_such_path)?;
        let resource = found.resource();
        let version = if request.group == EVENTS_GROUP { "v1" } else { &resource.version };
        let at_one = !request.name.is_empty() || request.verb == super::request::RequestVerb::Create;
        let scoped = resource.namespaced != request.namespace.is_empty()
            || (resource.namespaced && request.namespace.is_empty() && !at_one);
        if request.version != version || !scoped {
            return Err(Refusal::no_such_path());
        }
        let known = match request.subresource.as_str() {
            "" => true,
            "status" => found.kind.has_status(),
            "token" => resource.plural == "serviceaccounts",
            _ => false,
        };
        if known { Ok(found) } else { Err(Refusal::not_found(request.subject())) }
    }

    fn writing<'a>(&self, request: &'a Request) -> Result<Writing<'a>, Refusal> {
        let kind = self.collection(request)?.kind.clone();
        let api_version = resource::api_version(&request.group, &request.version);
        Ok(Writing { request, id: request.resource_id(), kind, api_version, now: self.now_text() })
    }

    /// The body as it is stored.
    fn decode(writing: &Writing<'_>, body: &Value) -> Result<Value, Refusal> {
        let body = if writing.request.group == EVENTS_GROUP { events::to_store(body) } else { body.clone() };
        writing.kind.decode(body)
    }

    /// Whether something new may be made there.
    pub(crate) fn admit(&self, request: &Request, name: &str) -> Result<(), Refusal> {
        let subject = Subject { name, ..request.subject() };
        if !request.namespace.is_empty() {
            let subject_of_namespace = Subject { group: "", plural: "namespaces", name: &request.namespace };
            let namespace = self
                .get("namespaces", &request.namespace)
                .ok_or_else(|| Refusal::not_found(subject_of_namespace))?;
            if namespace.view()["status"]["phase"] == "Terminating" {
                let at = &request.namespace;
                let why =
                    format!("unable to create new content in namespace {at} because it is being terminated");
                let mut refusal = Refusal::forbidden(subject, &why);
                refusal.details["causes"] = json!([{
                    "reason": "NamespaceTerminating",
                    "message": format!("namespace {at} is being terminated"),
                    "field": "metadata.namespace",
                }]);
                return Err(refusal);
            }
        }
        let crd = self.get(CRDS, &request.resource_id());
        if crd.is_some_and(|crd| object::is_deleting(crd.view())) {
            let told = "create not allowed while custom resource definition is terminating";
            return Err(Refusal::forbidden(subject, told));
        }
        Ok(())
    }

    /// A new object.
    pub(crate) fn create(&mut self, request: &Request) -> Result<Done, Refusal> {
        let writing = self.writing(request)?;
        let mut body = Self::decode(&writing, &request.body)?;
        writing.place(&mut body)?;
        self.make(&writing, body, Verb::Create)
    }

    fn make(&mut self, writing: &Writing<'_>, mut body: Value, verb: Verb) -> Result<Done, Refusal> {
        let (request, kind) = (writing.request, &writing.kind);
        let generate = object::text(&body, "generateName").to_owned();
        if object::text(&body, "name").is_empty() && !generate.is_empty() {
            let name = format!("{generate}{}", self.suffix());
            object::set(&mut body, "name", name.into());
        }
        let name = object::text(&body, "name").to_owned();
        let said = object::version(&body).is_some_and(|version| version != 0);
        for system in
            ["resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"]
        {
            object::set(&mut body, system, Value::Null);
        }
        if verb != Verb::Apply {
            writing.record(None, &mut body);
        }
        self.admit(request, &name)?;
        if said {
            return Err(Refusal::new(500, "", "resourceVersion should not be set on objects to be created"));
        }
        object::set(&mut body, "uid", self.uid().into());
        object::set(&mut body, "creationTimestamp", writing.now.clone().into());
        kind.prepare_create(&mut body);
        let errors = kind.validate(&body, None, (&request.group, ""));
        if !errors.is_empty() {
            return Err(Refusal::invalid(&kind.resource.group, said_kind(&body, kind), &name, &errors));
        }
        let key = object::key(&request.namespace, &name);
        if let Some(existing) = self.get(&writing.id, &key) {
            let subject = Subject { name: &name, ..request.subject() };
            return Err(Refusal::already_exists(subject, object::is_deleting(existing.view())));
        }
        if request.parameter("dryRun") == "All" {
            return Ok((201, Arc::new(kind.object(body))));
        }
        let object = self.put(&writing.id, &key, body, &writing.written(verb));
        self.kind_changed(&writing.id, &object);
        Ok((201, object))
    }

    /// The whole object anew.
    pub(crate) fn update(&mut self, request: &Request) -> Result<Done, Refusal> {
        let writing = self.writing(request)?;
        let mut body = Self::decode(&writing, &request.body)?;
        writing.place(&mut body)?;
        let resource = &writing.kind.resource;
        let plural = resource.plural.as_str();
        let Some(old) = self.get(&writing.id, &writing.key()) else {
            if request.subresource.is_empty() && matches!(plural, "leases" | "events") {
                return self.make(&writing, body, Verb::Create);
            }
            return Err(Refusal::not_found(request.subject()));
        };
        let (said, is) = (object::text(&body, "uid"), object::text(old.view(), "uid"));
        if !said.is_empty() && said != is {
            let why = format!(
                "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, AdditionalErrorMsg: Precondition \
                 failed: UID in precondition: {said}, UID in object meta: {is}",
                resource.storage_path(&writing.key())
            );
            return Err(Refusal::conflict(request.subject(), &why));
        }
        writing.record(Some(old.view()), &mut body);
        match Writing::version(&body)? {
            None => {
                if resource.custom || matches!(plural, "leases" | "customresourcedefinitions") {
                    let error = FieldError::invalid(
                        "metadata.resourceVersion",
                        &0.into(),
                        "must be specified for an update",
                    );
                    return Err(Refusal::invalid(&resource.group, plural, &request.name, &[error]));
                }
                object::set(&mut body, "resourceVersion", old.version().to_string().into());
            }
            Some(version) if version != old.version() => return Err(Refusal::modified(request.subject())),
            Some(_) => {}
        }
        self.change(&writing, body, &old, Verb::Update)
    }

    /// A part of an object, by merge patch or by apply.
    pub(crate) fn patch(&mut self, request: &Request, patch: PatchType) -> Result<Done, Refusal> {
        let writing = self.writing(request)?;
        let old = self.get(&writing.id, &writing.key());
        match patch {
            PatchType::Merge => {
                if !request.body.is_object() {
                    return Err(Refusal::bad_request("error decoding patch: it is no object"));
                }
                if !request.parameter("force").is_empty() {
                    let error = FieldError::forbidden("force", "may not be specified for non-apply patch");
                    return Err(Refusal::invalid("meta.k8s.io", "PatchOptions", "", &[error]));
                }
                let old = old.ok_or_else(|| Refusal::not_found(request.subject()))?;
                let mut merged = Self::shown(&writing, old.view());
                merge::merge_patch(&mut merged, &request.body);
                let mut new = Self::decode(&writing, &merged)?;
                writing.record(Some(old.view()), &mut new);
                writing.place(&mut new)?;
                self.change(&writing, new, &old, Verb::Patch)
            }
            PatchType::Apply(force) => self.apply(&writing, old, force),
        }
    }

    /// An object in the form of the face that is asked.
    fn shown(writing: &Writing<'_>, object: &Value) -> Value {
        if writing.request.group == EVENTS_GROUP { events::from_store(object) } else { object.clone() }
    }

    fn apply(
        &mut self,
        writing: &Writing<'_>,
        old: Option<Arc<Object>>,
        force: bool,
    ) -> Result<Done, Refusal> {
        let (request, kind) = (writing.request, &writing.kind);
        if request.actor.field_manager.as_deref().unwrap_or_default().is_empty() {
            let error = FieldError::required("fieldManager", "is required for apply patch");
            return Err(Refusal::invalid("meta.k8s.io", "PatchOptions", "", &[error]));
        }
        if old.is_none() && !request.subresource.is_empty() {
            return Err(Refusal::not_found(request.subject()));
        }
        let mut config = request.body.clone();
        let wanted = kind.resource.api_version();
        let said = |name: &str| config[name].as_str().unwrap_or_default();
        let (version, of) = (said("apiVersion"), said("kind"));
        if version != wanted || of != kind.resource.kind {
            return Err(Refusal::bad_request(format!("invalid object type: {version}, Kind={of}")));
        }
        if !config["metadata"]["managedFields"].is_null() {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        // A namespace that does not apply is no field of the body.
        if let Some(fields) = config["metadata"].as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        if let Some(why) = mistyped(kind.node(), &config, "") {
            let (at, name) = (object::text(&config, "namespace"), object::text(&config, "name"));
            let kind = &kind.resource.kind;
            let message =
                format!("failed to create typed patch object ({at}/{name}; {wanted}, Kind={kind}): {why}");
            return Err(Refusal::new(500, "", message));
        }
        let Some(old) = old else {
            let uid = object::text(&config, "uid");
            if !uid.is_empty() {
                let why = format!(
                    "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                );
                return Err(Refusal::conflict(request.subject(), &why));
            }
            let nothing = json!({"apiVersion": config["apiVersion"], "kind": config["kind"]});
            let new = Self::applied(writing, &nothing, &config, force)?;
            return self.make(writing, new, Verb::Apply);
        };
        let new = Self::applied(writing, old.view(), &config, force)?;
        self.change(writing, new, &old, Verb::Apply)
    }

    fn applied(writing: &Writing<'_>, live: &Value, config: &Value, force: bool) -> Result<Value, Refusal> {
        let manager = writing.manager();
        let new = managed::applied(Some(writing.kind.node()), live, config, &manager, force).map_err(
            |conflicts| {
                let mut refusal = Refusal::new(409, "Conflict", conflicts.message());
                refusal.details = json!({"causes": conflicts.causes()});
                refusal
            },
        )?;
        let mut new = writing.kind.complete(new)?;
        writing.place(&mut new)?;
        Ok(new)
    }

    /// The rest of every change: what a client may not change is kept, what is wrong is refused, what is no change is
    /// not written, and what has lost its last finalizer goes.
    fn change(
        &mut self,
        writing: &Writing<'_>,
        mut new: Value,
        old: &Arc<Object>,
        verb: Verb,
    ) -> Result<Done, Refusal> {
        let (request, kind) = (writing.request, &writing.kind);
        match Writing::version(&new)? {
            Some(version) if version != old.version() => return Err(Refusal::modified(request.subject())),
            None => object::set(&mut new, "resourceVersion", old.version().to_string().into()),
            Some(_) => {}
        }
        let before = old.view();
        object::set(&mut new, "generation", before["metadata"]["generation"].clone());
        kind.prepare_update(&mut new, before, &request.subresource);
        metadata::keep(&mut new, before);
        let errors = kind.validate(&new, Some(before), (&request.group, &request.subresource));
        if !errors.is_empty() {
            return Err(writing.invalid(&new, &errors));
        }
        if same_but_for_times(&new, old.raw()) {
            let times = old.raw()["metadata"]["managedFields"].clone();
            object::set(&mut new, "managedFields", times);
        }
        if request.parameter("dryRun") == "All" {
            return Ok((200, Arc::new(kind.object(new))));
        }
        let goes = object::is_deleting(before)
            && object::finalizers(&new).is_empty()
            && (kind.resource.plural != "namespaces" || new["spec"]["finalizers"].is_null());
        if goes {
            self.remove(&writing.id, &writing.key(), &writing.written(Verb::Remove));
            return Ok((200, Arc::new(kind.object(new))));
        }
        if new == *old.raw() {
            return Ok((200, old.clone()));
        }
        let object = self.put(&writing.id, &writing.key(), new, &writing.written(verb));
        self.kind_changed(&writing.id, &object);
        Ok((200, object))
    }

    /// A CRD was written: what is served changes with it.
    fn kind_changed(&mut self, id: &str, crd: &Object) {
        if id != CRDS || object::is_deleting(crd.view()) {
            return;
        }
        let Ok(kind) = Kind::custom(crd.view()) else { return };
        let version = self.version();
        let id = kind.resource.id();
        match self.collections.get_mut(&id) {
            // Its objects are read anew by the new schema, and none of them is written.
            Some(collection) => {
                collection.kind = kind;
                for object in collection.objects.values_mut() {
                    *object = Arc::new(collection.kind.object(object.raw().clone()));
                }
                collection.versions.compact(version);
                collection.lags.clear();
                collection.end_watches(false);
            }
            None => {
                self.collections.insert(id, Collection::new(kind, version));
            }
        }
    }

    /// Marks a CRD whose end was asked for.
    pub(crate) fn mark_crd(&self, crd: &Value) -> Value {
        let mut marked = crd.clone();
        crds::terminate(&mut marked, &self.now_text());
        marked
    }
}

/// The kind that a refusal names: what the body says it is.
fn said_kind<'a>(body: &'a Value, kind: &'a Kind) -> &'a str {
    body["kind"].as_str().unwrap_or(&kind.resource.kind)
}

/// Whether two pictures differ in nothing but when their fields were written.
fn same_but_for_times(new: &Value, old: &Value) -> bool {
    let timeless = |object: &Value| {
        let mut object = object.clone();
        for entry in object["metadata"]["managedFields"].as_array_mut().into_iter().flatten() {
            if let Some(fields) = entry.as_object_mut() {
                fields.remove("time");
            }
        }
        object
    };
    timeless(new) == timeless(old)
}

/// What an apply is refused with before it is looked at any further: a field that the schema does not name, a value of
/// another type, an item twice.
fn mistyped(node: &Node, config: &Value, path: &str) -> Option<String> {
    let wanted = match (node.kind.as_str(), config) {
        _ if node.int_or_string => None,
        (_, Value::Null) | ("", _) => None,
        ("object", value) if !value.is_object() => Some("map"),
        ("array", value) if !value.is_array() => Some("list"),
        ("string", value) if !value.is_string() => Some("string"),
        ("boolean", value) if !value.is_boolean() => Some("boolean"),
        ("integer" | "number", value) if !value.is_number() => Some("numeric (int or float)"),
        _ => None,
    };
    if let Some(wanted) = wanted {
        return Some(format!("{path}: expected {wanted}, got {}", gos_name(config)));
    }
    match config {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| match node.field(name) {
            Some(node) => mistyped(node, value, &format!("{path}.{name}")),
            None if node.preserves_unknown || node.kind.is_empty() => None,
            None => Some(format!("{path}.{name}: field not declared in schema")),
        }),
        Value::Array(items) => {
            let of = node.items.as_deref()?;
            let mut seen = BTreeSet::new();
            items.iter().enumerate().find_map(|(index, item)| {
                let key = fields::item(node.list_type(), item);
                if key.is_empty() {
                    return mistyped(of, item, &format!("{path}[{index}]"));
                }
                let shown = fields::shown(std::slice::from_ref(&key));
                if !seen.insert(key) {
                    return Some(format!("{path}: duplicate entries for key {shown}"));
                }
                mistyped(of, item, &format!("{path}{shown}"))
            })
        }
        _ => None,
    }
}

/// What Go calls the type of a value.
fn gos_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}
