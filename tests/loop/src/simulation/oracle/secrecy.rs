//! No secret is in anything that is written to Kubernetes, no request goes to another host, and a namespace is not read whole.

use bytes::Bytes;
use http::Request;

use super::super::manifests;
use crate::api_server::{self, RequestVerb};

/// What is wrong with a request to Kubernetes, if anything is.
pub(crate) fn request(request: &api_server::Request) -> Option<String> {
    if request.verb == RequestVerb::Get && request.plural == "namespaces" && !request.metadata_only {
        return Some(format!("namespace {} is read whole", request.name));
    }
    let writes = request.verb.writes() && request.body.to_string().contains(manifests::SECRET);
    writes.then(|| format!("S8: a secret is written to {} {}", request.plural, request.name))
}

/// What is wrong with where a request to Azure goes, if anything is.
pub(crate) fn host(request: &Request<Bytes>) -> Option<String> {
    let host = request.uri().host().unwrap_or_default();
    host.ends_with(".example").then(|| format!("S8: a request goes to {host}"))
}
