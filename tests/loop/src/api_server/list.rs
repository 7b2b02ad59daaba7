//! Lists: the newest, any version that the watch cache has, an exact one, and page by page.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Refusal},
    object::{self, Object},
    request::Request,
    resource::EVENTS_GROUP,
    selectors::Selector,
    store::Store,
};

type Objects = BTreeMap<String, Arc<Object>>;

/// One page.
struct Page {
    objects: Vec<Arc<Object>>,
    version: u64,
    /// Where to go on, and how many are left as far as that is told.
    rest: Option<(String, Option<usize>)>,
}

impl Store {
    /// A list.
    pub(crate) fn list(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let kind = self.collection(request)?.kind.clone();
        let resource = &kind.resource;
        let (labels, fields) = (request.parameter("labelSelector"), request.parameter("fieldSelector"));
        let selector = Selector::parse(labels, fields, &request.namespace, resource)?;
        let page = self.page(request, &selector)?;
        let mut metadata = json!({"resourceVersion": page.version.to_string()});
        if resource.custom && !request.metadata_only {
            // Lists of custom resources tell it also where there is nothing more.
            metadata["continue"] = "".into();
        }
        if let Some((token, left)) = page.rest {
            metadata["continue"] = token.into();
            if let Some(left) = left {
                metadata["remainingItemCount"] = left.into();
            }
        }
        let events = request.group == EVENTS_GROUP;
        let (api_version, list_kind) = if request.metadata_only {
            ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadataList".to_owned())
        } else {
            (super::resource::api_version(&request.group, &request.version), kind.list.clone())
        };
        let items =
            page.objects.iter().map(|object| match (request.metadata_only, resource.custom, events) {
                (true, ..) => object.metadata_json(),
                (_, true, _) => object.json(),
                (_, _, true) => events_item(object),
                _ => object.bare_json(),
            });
        let head = json!({"apiVersion": api_version, "kind": list_kind, "metadata": metadata}).to_string();
        Ok(Answer::bytes(200, joined(&head, items)))
    }

    fn page(&mut self, request: &Request, selector: &Selector) -> Result<Page, Refusal> {
        let limit = request.parameter("limit").parse::<usize>().ok().filter(|limit| *limit > 0);
        let token = request.parameter("continue");
        let asked = request.parameter("resourceVersion");
        let how = request.parameter("resourceVersionMatch");
        check_options(asked, how, token)?;
        let newest = self.version();
        let id = request.resource_id();
        let Some(collection) = self.collections.get_mut(&id) else { return Err(Refusal::no_such_path()) };
        if !token.is_empty() {
            let (version, start) = decode(token)?;
            let version = if version < 0 { newest } else { version.unsigned_abs() };
            let objects = if version == newest {
                collection.objects.clone()
            } else {
                let found = collection.versions.back_to(version, &collection.objects);
                found.ok_or_else(|| continue_expired(&start))?
            };
            return Ok(cut(&objects, Some(&start), limit, selector, version));
        }
        let exact = how == "Exact";
        match asked.parse::<u64>().ok() {
            // No version: the newest.
            None => {
                collection.progress = newest;
                Ok(cut(&collection.objects, None, limit, selector, newest))
            }
            Some(version) if exact => {
                if version > newest {
                    return Err(too_large(version, newest));
                }
                let found = collection.versions.back_to(version, &collection.objects);
                let gone = || Refusal::expired("The resourceVersion for the provided list is too old.");
                Ok(cut(&found.ok_or_else(gone)?, None, limit, selector, version))
            }
            Some(version) => {
                let cached = collection.cached(request.front_end);
                // A cache that lacks nothing is made to know it.
                if version > if cached.lags { cached.version } else { newest } {
                    return Err(too_large(version, cached.version));
                }
                let shown = cached.version.max(version);
                Ok(cut(cached.objects, None, limit, selector, shown))
            }
        }
    }
}

fn check_options(asked: &str, how: &str, token: &str) -> Result<(), Refusal> {
    let wrong = |field: &str, detail: &str, forbidden: bool| {
        let error = if forbidden {
            super::schema::FieldError::forbidden(field, detail)
        } else {
            super::schema::FieldError::invalid(field, &asked.into(), detail)
        };
        Err(Refusal::invalid("meta.k8s.io", "ListOptions", "", &[error]))
    };
    if !how.is_empty() && asked.is_empty() {
        let detail = "resourceVersionMatch is forbidden unless resourceVersion is provided";
        return wrong("resourceVersionMatch", detail, true);
    }
    if !how.is_empty() && !token.is_empty() {
        return wrong(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden when continue is provided",
            true,
        );
    }
    if how == "Exact" && asked == "0" {
        let detail = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
        return wrong("resourceVersionMatch", detail, true);
    }
    if !asked.is_empty() && asked.parse::<u64>().is_err() {
        return Err(Refusal::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: {asked:?}: strconv.ParseUint: parsing {asked:?}: \
             invalid syntax"
        )));
    }
    Ok(())
}

fn too_large(asked: u64, current: u64) -> Refusal {
    let mut refusal = Refusal::new(
        504,
        "Timeout",
        format!("Timeout: Too large resource version: {asked}, current: {current}"),
    );
    refusal.details = json!({
        "retryAfterSeconds": 1,
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    });
    refusal
}

/// The objects from a key on, as many as are wanted.
fn cut(
    objects: &Objects,
    start: Option<&str>,
    limit: Option<usize>,
    selector: &Selector,
    version: u64,
) -> Page {
    let from = start.map_or(Bound::Unbounded, Bound::Included);
    let mut selected = objects
        .range::<str, _>((from, Bound::Unbounded))
        .filter(|(_, object)| selector.selects(object.view()));
    let Some(limit) = limit else {
        return Page { objects: selected.map(|(_, object)| object.clone()).collect(), version, rest: None };
    };
    let mut page: Vec<Arc<Object>> = Vec::new();
    let mut last = String::new();
    for (key, object) in selected.by_ref().take(limit) {
        page.push(object.clone());
        last.clone_from(key);
    }
    let left = selected.count();
    // How many are left is told only where nothing is narrowed.
    let rest = (left > 0).then(|| (encode(version, &last), selector.is_open().then_some(left)));
    Page { objects: page, version, rest }
}

/// Where to go on: behind this key, at this version.
fn encode(version: u64, last: &str) -> String {
    let token = json!({"v": "meta.k8s.io/v1", "rv": version, "start": format!("{last}\u{0}")});
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn decode(token: &str) -> Result<(i64, String), Refusal> {
    let wrong =
        || Refusal::bad_request("invalid continue token: continue key is not valid: it cannot be read");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
    let token: Value = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    let version = token["rv"].as_i64().filter(|version| *version != 0).ok_or_else(wrong)?;
    Ok((version, token["start"].as_str().ok_or_else(wrong)?.to_owned()))
}

fn continue_expired(start: &str) -> Refusal {
    let mut refusal = Refusal::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list \
         without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
         results. Continuing with the provided token results in an inconsistent list - objects that were created, \
         modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    );
    let token = json!({"v": "meta.k8s.io/v1", "rv": -1, "start": start});
    refusal.metadata = json!({"continue": URL_SAFE_NO_PAD.encode(token.to_string())});
    refusal
}

/// An event in a list of the newer face: without its kind, as in every list of a built-in one.
fn events_item(object: &Object) -> Bytes {
    let mut shown = super::events::from_store(object.view());
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    shown.to_string().into()
}

/// The head of a list with its items, which are text already.
fn joined(head: &str, items: impl Iterator<Item = Bytes>) -> Bytes {
    let mut text = head.strip_suffix('}').unwrap_or(head).as_bytes().to_vec();
    text.extend_from_slice(b",\"items\":[");
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(&item);
    }
    text.extend_from_slice(b"]}");
    text.into()
}

/// The key of an object of a request.
pub(crate) fn key(request: &Request) -> String {
    object::key(&request.namespace, &request.name)
}
