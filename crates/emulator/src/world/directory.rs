//! Tenants, what they own, and who may do what in them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::federated_credential::FederatedCredential;
use crate::guid;
use crate::pattern;

/// An Entra tenant.
#[derive(Clone, Debug, Serialize)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// A name for people.
    pub name: String,
}

/// An Azure subscription. It belongs to exactly one tenant.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// The owning tenant.
    pub tenant: String,
    /// The management group that it lies in, if any.
    pub management_group: Option<String>,
    /// Whether Microsoft.Network is registered in it.
    pub registered: bool,
    /// Preview features that it is not registered for: accesses that are not generally available are then refused.
    pub missing_features: Vec<String>,
}

/// A management group.
#[derive(Clone, Debug, Serialize)]
pub struct ManagementGroup {
    /// Its name, unique within its tenant.
    pub name: String,
    /// The owning tenant.
    pub tenant: String,
    /// The management group above, if any.
    pub parent: Option<String>,
    /// Whether Microsoft.Network is registered at it.
    pub registered: bool,
}

/// How much a lock forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum LockLevel {
    /// Deleting.
    CanNotDelete,
    /// Every write.
    ReadOnly,
}

/// A management lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The id of the subscription, resource group or resource that it lies on; it reaches all that lies below.
    #[schemars(extend("pattern" = "^/subscriptions/.+"))]
    pub scope: String,
    /// How much it forbids.
    pub level: LockLevel,
}

/// An application: registered once, in its home tenant, with all that it may prove itself with.
#[derive(Clone, Debug)]
pub struct App {
    /// Its client id.
    pub client_id: String,
    /// The tenant that it is registered in.
    pub home_tenant: String,
    /// The secrets that work.
    pub secrets: Vec<String>,
    /// Secrets that were right once.
    pub expired_secrets: Vec<String>,
    /// The certificates whose keys may sign its assertions.
    pub certificates: Vec<Certificate>,
    /// Whose word it trusts.
    pub federated_credentials: Vec<FederatedCredential>,
    /// The application was disabled at home.
    pub disabled: bool,
    /// The application was deleted at home; its service principals stay.
    pub deleted: bool,
    /// The service principals, by tenant.
    pub service_principals: BTreeMap<String, ServicePrincipal>,
}

/// A managed identity: it belongs to one tenant and has no registration, secret or key of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedIdentity {
    /// The tenant that it lives in, one of `tenants`.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub tenant: String,
    /// Its client id, a GUID.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub client_id: String,
    /// Its principal's object id, a GUID: the subject of its tokens.
    #[schemars(extend("pattern" = guid::PATTERN))]
    pub object_id: String,
    /// The id of its resource.
    #[schemars(extend("pattern" = "^/subscriptions/.+"))]
    pub resource_id: String,
}

/// An application's presence in one tenant. Roles go to its object id.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    /// Its object id, different in every tenant.
    pub object_id: String,
    /// Sign-in was switched off.
    pub disabled: bool,
    /// What it may do, and where.
    pub roles: Vec<Role>,
}

/// A role assignment: actions at a scope and below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The id of a subscription, management group, resource group or resource; `/` is the whole tenant.
    pub scope: String,
    /// The actions. `*` stands for any run of characters.
    pub actions: Vec<String>,
    /// When it was given, and from when on it works for tokens that are older; None, it always did.
    #[serde(skip)]
    pub given: Option<Given>,
}

/// When a role was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// When.
    pub at: Timestamp,
    /// From when on it works.
    pub works_from: Timestamp,
}

impl Role {
    /// Whether the role holds this action.
    pub fn allows(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| pattern::matches(pattern, action))
    }
}

/// A built-in role of Azure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum BuiltInRole {
    /// Everything.
    Owner,
    /// Everything that the emulator serves: it has no role assignments of its own.
    Contributor,
    /// Everything of Microsoft.Network, but not a provider's registration.
    #[serde(rename = "Network Contributor")]
    NetworkContributor,
    /// Every read.
    Reader,
}

impl BuiltInRole {
    /// Its actions, as far as the emulator's resources go.
    pub fn actions(self) -> Vec<String> {
        let actions: &[&str] = match self {
            Self::Owner | Self::Contributor => &["*"],
            // As Azure has it, but for what no type here asks for.
            Self::NetworkContributor => &[
                "Microsoft.Network/*",
                "Microsoft.Authorization/*/read",
                "Microsoft.Resources/subscriptions/resourceGroups/read",
            ],
            Self::Reader => &["*/read"],
        };
        actions.iter().map(ToString::to_string).collect()
    }
}
