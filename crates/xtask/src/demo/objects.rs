//! The objects of the quickstart as the API server shows them.

use std::fmt::Write as _;

use anyhow::Result;
use avnm_launcher::ControlPlane;
use serde_json::Value;

use super::NAMESPACE;

/// A kind of this operator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    plural: &'static str,
    /// As kubectl takes it.
    pub(crate) resource: &'static str,
    short: &'static str,
    /// Where its status has Azure's own word.
    state: Option<&'static str>,
}

/// All kinds, in the order in which a reader wants to see them.
pub(crate) const KINDS: [Kind; 3] = [
    Kind {
        plural: "tenantcredentials",
        resource: "tenantcredentials.avnm.dev",
        short: "TenantCredential",
        state: None,
    },
    Kind {
        plural: "crosstenantconnections",
        resource: "crosstenantconnections.avnm.dev",
        short: "CrossTenantConnection",
        state: Some("connectionState"),
    },
    Kind {
        plural: "staticmembers",
        resource: "staticmembers.avnm.dev",
        short: "StaticMember",
        state: Some("provisioningState"),
    },
];

/// One object.
#[derive(Debug)]
pub(crate) struct Object {
    kind: Kind,
    body: Value,
}

/// All objects of the quickstart's namespace.
pub(crate) async fn list(cluster: &ControlPlane) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    for kind in KINDS {
        let path = format!("/apis/avnm.dev/v1alpha1/namespaces/{NAMESPACE}/{}", kind.plural);
        let mut list = cluster.get(&path).await?;
        if let Value::Array(items) = list["items"].take() {
            objects.extend(items.into_iter().map(|body| Object { kind, body }));
        }
    }
    Ok(objects)
}

impl Object {
    /// `StaticMember/targetvnet01`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.kind.short, self.body["metadata"]["name"].as_str().unwrap_or_default())
    }

    fn condition(&self, kind: &str, field: &str) -> &str {
        self.all().find(|c| c["type"] == kind).and_then(|c| c[field].as_str()).unwrap_or_default()
    }

    fn all(&self) -> impl Iterator<Item = &Value> {
        self.body["status"]["conditions"].as_array().into_iter().flatten()
    }

    /// Whether Ready is True.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready() == "True"
    }

    /// True, False, Unknown, or nothing yet.
    pub(crate) fn ready(&self) -> &str {
        self.condition("Ready", "status")
    }

    /// The reason of Ready.
    pub(crate) fn reason(&self) -> &str {
        self.condition("Ready", "reason")
    }

    /// Azure's own word, where the kind has one.
    pub(crate) fn state(&self) -> &str {
        self.kind.state.and_then(|field| self.body["status"][field].as_str()).unwrap_or_default()
    }

    /// All conditions, one a line, under the name.
    pub(crate) fn conditions(&self) -> String {
        let mut text = format!("{}\n", self.name());
        for condition in self.all() {
            let field = |name: &str| condition[name].as_str().unwrap_or_default();
            // A String takes what is written to it.
            let _ = writeln!(
                text,
                "    {:<12} {:<8} {:<20} {}",
                field("type"),
                field("status"),
                field("reason"),
                field("message")
            );
        }
        text
    }
}
