//! The resources that are served, and which request path names which.

/// A resource: what is stored under one plural of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The group; empty for the core group.
    pub group: String,
    /// The version that is served.
    pub version: String,
    /// The plural.
    pub plural: String,
    /// The kind.
    pub kind: String,
    /// Whether its objects lie in namespaces.
    pub namespaced: bool,
    /// Whether a CRD declares it.
    pub custom: bool,
}

impl Resource {
    pub(crate) fn built_in(group: &str, plural: &str, kind: &str, namespaced: bool) -> Self {
        Self {
            group: group.to_owned(),
            version: "v1".to_owned(),
            plural: plural.to_owned(),
            kind: kind.to_owned(),
            namespaced,
            custom: false,
        }
    }

    /// `plural.group`, or the plural alone in the core group: what the server's maps are keyed by.
    pub fn id(&self) -> String {
        id(&self.group, &self.plural)
    }

    /// `group/version`.
    pub fn api_version(&self) -> String {
        api_version(&self.group, &self.version)
    }

    /// The key in etcd, as one of its messages names it.
    pub(crate) fn storage_path(&self, key: &str) -> String {
        if self.custom || self.group == CRD_GROUP {
            return format!("/registry/{}/{}/{key}", self.group, self.plural);
        }
        format!("/registry/{}/{key}", self.plural)
    }
}

pub(crate) fn id(group: &str, plural: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

/// The group of the second face of events.
pub(crate) const EVENTS_GROUP: &str = "events.k8s.io";
/// The group of CRDs.
pub(crate) const CRD_GROUP: &str = "apiextensions.k8s.io";
/// The id of CRDs.
pub(crate) const CRDS: &str = "customresourcedefinitions.apiextensions.k8s.io";
/// The id of namespaces.
pub(crate) const NAMESPACES: &str = "namespaces";

/// What is served without a CRD.
pub(crate) fn built_in() -> Vec<Resource> {
    vec![
        Resource::built_in("", "namespaces", "Namespace", false),
        Resource::built_in("", "secrets", "Secret", true),
        Resource::built_in("", "serviceaccounts", "ServiceAccount", true),
        Resource::built_in("", "events", "Event", true),
        Resource::built_in("coordination.k8s.io", "leases", "Lease", true),
        Resource::built_in(CRD_GROUP, "customresourcedefinitions", "CustomResourceDefinition", false),
    ]
}
