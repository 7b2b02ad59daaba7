//! The words that every other crate shares: ids, names, readings, faults, and what Azure's resources say.
//!
//! Pure: no clock, no runtime, no client. Nothing here knows a URL, a JSON field or a Kubernetes object.

mod arm_id;
mod azure;
mod cross_tenant_scopes;
mod details;
mod fault;
mod guid;
mod kube_fault;
mod lane;
mod letters;
mod moment;
pub mod mutants;
mod name;
mod reading;
mod state;
pub mod text;

pub use arm_id::{
    ArmId, ArmIdError, BadSegment, GroupId, ManagerConnectionId, ManagerId, MemberId, NetworkId,
    ScopeConnectionId, ScopeId,
};
pub use azure::{Group, Manager, ManagerConnection, Member, MemberType, ScopeConnection, VirtualNetwork};
pub use cross_tenant_scopes::{CrossTenantScopes, Listing, ScopeList};
pub use details::{Assertion, Details, Named, Policy};
pub use fault::{Actor, Fault, FaultKind, SignInFault};
pub use guid::{ClientId, GuidError, ObjectId, SubscriptionId, TenantId};
pub use kube_fault::{KubeFault, KubeFaultKind};
pub use lane::Lane;
pub use letters::fold;
pub use moment::{Moment, Now};
pub use name::{AzureName, NameError};
pub use reading::Reading;
pub use state::{ConnectionState, ProvisioningState};
