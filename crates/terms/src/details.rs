//! What is known of a refusal beside its code and message.

use crate::{ArmId, ClientId, ObjectId, TenantId};

/// What is known of a refusal beside its code and message: who was refused what, and what Azure named. All of it was read
/// as what it is (ids, words of few characters), so that it may stand in a command that somebody pastes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// The application that asked. Known to us, whatever Azure says.
    pub application: Option<ClientId>,
    /// The application's object id in the tenant that refused it: what roles are assigned to.
    pub object: Option<ObjectId>,
    /// The action that it lacks, such as `Microsoft.Network/networkManagers/read`.
    pub action: Option<String>,
    /// Where it lacks it, or what is in the way.
    pub scope: Option<ArmId>,
    /// Azure says that the scope may not be there at all.
    pub scope_may_be_gone: bool,
    /// The tenants that the subscription belongs to.
    pub tenants: Vec<TenantId>,
    /// The policies that denied it.
    pub policies: Vec<Policy>,
    /// The api-versions that Azure offers, newest first.
    pub api_versions: Vec<String>,
    /// What the assertion said that Entra did not take.
    pub assertion: Option<Assertion>,
}

/// A policy that denied something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Its assignment.
    pub assignment: Named,
    /// What is assigned.
    pub definition: Named,
}

/// Something that has an id, and a name for people. Bounded, and without control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Its name; `""` where Azure gives none.
    pub name: String,
    /// Its id, if that is one.
    pub id: Option<ArmId>,
}

/// What an assertion says of itself: all that Entra compares with a federated credential. Nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// `aud`, all of them.
    pub audience: String,
}
