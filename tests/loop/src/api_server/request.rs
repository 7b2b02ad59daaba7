//! A request, read from its path, query, headers and body.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, header};
use serde_json::Value;

use super::{
    answer::{Refusal, Subject},
    journal::Actor,
    resource::{self, EVENTS_GROUP},
};

/// How a patch is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchType {
    /// `application/merge-patch+json`.
    Merge,
    /// `application/apply-patch+yaml`, with its `force`.
    Apply(bool),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestVerb {
    /// One object.
    Get,
    /// All objects of a kind.
    List,
    /// Changes of a kind.
    Watch,
    /// A new object; with the subresource `token`, a token.
    Create,
    /// The whole object anew.
    Update,
    /// A part of it.
    Patch(PatchType),
    /// Its end.
    Delete,
    /// The end of all of a kind.
    DeleteCollection,
}

impl RequestVerb {
    /// The word that RBAC and the audit record have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch(_) => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    /// Whether it may change something.
    pub fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

/// A request, as hooks see it.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked for.
    pub verb: RequestVerb,
    /// The group of the path; empty for the core group.
    pub group: String,
    /// The version of the path.
    pub version: String,
    /// The plural.
    pub plural: String,
    /// The namespace; empty for all, and for what lies in none.
    pub namespace: String,
    /// The name; empty where a whole kind is meant.
    pub name: String,
    /// `status`, `token`, or empty.
    pub subresource: String,
    /// The query.
    pub query: BTreeMap<String, String>,
    /// The body; null if there is none.
    pub body: Value,
    /// Whether only metadata is wanted.
    pub metadata_only: bool,
    /// Who asks.
    pub actor: Actor,
    /// Which front end is asked: each has watch caches of its own.
    pub front_end: u32,
}

impl Request {
    /// The id of what is stored: events are one, whichever group names them.
    pub fn resource_id(&self) -> String {
        let group = if self.group == EVENTS_GROUP { "" } else { &self.group };
        resource::id(group, &self.plural)
    }

    /// One line for a trace: `patch staticmembers.avnm.dev/status team-a/one`.
    pub fn summary(&self) -> String {
        let mut text = format!("{} {}", self.verb.as_str(), resource::id(&self.group, &self.plural));
        if !self.subresource.is_empty() {
            text.push('/');
            text.push_str(&self.subresource);
        }
        let at: Vec<&str> = [self.namespace.as_str(), self.name.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        if !at.is_empty() {
            text.push(' ');
            text.push_str(&at.join("/"));
        }
        text
    }

    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), "true" | "1")
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject { group: &self.group, plural: &self.plural, name: &self.name }
    }

    /// Reads an HTTP request.
    pub(crate) fn parse(parts: &http::request::Parts, body: &Bytes, front_end: u32) -> Result<Self, Refusal> {
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
        let segments: Vec<&str> = parts.uri.path().split('/').filter(|part| !part.is_empty()).collect();
        let path = Path::parse(&segments).ok_or_else(Refusal::no_such_path)?;
        let header = |name: header::HeaderName| {
            parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        let content_type = header(header::CONTENT_TYPE);
        let watch = query.get("watch").is_some_and(|value| value == "true" || value == "1");
        let one = !path.name.is_empty();
        let verb = match parts.method {
            Method::GET if watch => RequestVerb::Watch,
            Method::GET if one => RequestVerb::Get,
            Method::GET => RequestVerb::List,
            Method::POST => RequestVerb::Create,
            Method::PUT => RequestVerb::Update,
            Method::PATCH => RequestVerb::Patch(patch_type(content_type, &query)?),
            Method::DELETE if one => RequestVerb::Delete,
            Method::DELETE => RequestVerb::DeleteCollection,
            _ => return Err(Refusal::no_such_path()),
        };
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(body)
                .map_err(|error| Refusal::bad_request(format!("error decoding the body: {error}")))?
        };
        Ok(Self {
            verb,
            group: path.group.to_owned(),
            version: path.version.to_owned(),
            plural: path.plural.to_owned(),
            namespace: path.namespace.to_owned(),
            name: path.name.to_owned(),
            subresource: path.subresource.to_owned(),
            metadata_only: header(header::ACCEPT).contains("as=PartialObjectMetadata"),
            actor: Actor {
                user_agent: header(header::USER_AGENT).to_owned(),
                field_manager: query.get("fieldManager").cloned(),
            },
            query,
            body,
            front_end,
        })
    }
}

fn patch_type(content_type: &str, query: &BTreeMap<String, String>) -> Result<PatchType, Refusal> {
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/merge-patch+json" => Ok(PatchType::Merge),
        "application/apply-patch+yaml" => {
            let force = query.get("force").is_some_and(|value| value == "true" || value == "1");
            Ok(PatchType::Apply(force))
        }
        _ => Err(Refusal::new(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: \
             application/merge-patch+json, application/apply-patch+yaml",
        )),
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Path<'a> {
    group: &'a str,
    version: &'a str,
    plural: &'a str,
    namespace: &'a str,
    name: &'a str,
    subresource: &'a str,
}

impl<'a> Path<'a> {
    fn parse(segments: &[&'a str]) -> Option<Self> {
        let (group, version, rest) = match segments {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let path = Self { group, version, ..Self::default() };
        Some(match rest {
            // A namespace is itself one of the things that lie in none.
            ["namespaces", name] => Self { plural: "namespaces", name, ..path },
            ["namespaces", name, subresource @ ("status" | "finalize")] => {
                Self { plural: "namespaces", name, subresource, ..path }
            }
            ["namespaces", namespace, plural] => Self { plural, namespace, ..path },
            ["namespaces", namespace, plural, name] => Self { plural, namespace, name, ..path },
            ["namespaces", namespace, plural, name, subresource] => {
                Self { plural, namespace, name, subresource, ..path }
            }
            [plural] => Self { plural, ..path },
            [plural, name] => Self { plural, name, ..path },
            [plural, name, subresource] => Self { plural, name, subresource, ..path },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Option<(String, String, String, String, String)> {
        let segments: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        let path = Path::parse(&segments)?;
        let texts = [path.group, path.plural, path.namespace, path.name, path.subresource].map(str::to_owned);
        let [group, plural, namespace, name, subresource] = texts;
        Some((group, plural, namespace, name, subresource))
    }

    #[test]
    fn a_path_names_a_resource() {
        let rows = [
            ("/api/v1/namespaces", ("", "namespaces", "", "", "")),
            ("/api/v1/namespaces/a", ("", "namespaces", "", "a", "")),
            ("/api/v1/namespaces/a/status", ("", "namespaces", "", "a", "status")),
            ("/api/v1/namespaces/a/secrets", ("", "secrets", "a", "", "")),
            ("/api/v1/namespaces/a/serviceaccounts/b/token", ("", "serviceaccounts", "a", "b", "token")),
            ("/apis/avnm.dev/v1alpha1/staticmembers", ("avnm.dev", "staticmembers", "", "", "")),
            (
                "/apis/avnm.dev/v1alpha1/namespaces/a/staticmembers/b/status",
                ("avnm.dev", "staticmembers", "a", "b", "status"),
            ),
            (
                "/apis/avnm.dev/v1alpha1/clustertenantcredentials/b/status",
                ("avnm.dev", "clustertenantcredentials", "", "b", "status"),
            ),
        ];
        for (text, (group, plural, namespace, name, subresource)) in rows {
            let wanted = [group, plural, namespace, name, subresource].map(str::to_owned);
            let [group, plural, namespace, name, subresource] = wanted;
            assert_eq!(path(text), Some((group, plural, namespace, name, subresource)), "{text}");
        }
        assert_eq!(path("/healthz"), None);
        assert_eq!(path("/api/v1"), None);
    }
}
