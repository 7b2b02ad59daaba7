//! Decisions about a `CrossTenantConnection`.

mod conclude;
mod decide;
mod deletion;
mod desire;
mod recreate;
mod report;

pub use decide::{Plan, Step, View, decide};
pub use desire::{Desired, HalfDesire, Role, desire, id_key};
pub use report::{Reported, invalid, report};

use avnm_api::{Claim, CrossTenantConnectionSpec, CrossTenantConnectionStatus, RecreateStatus};
use avnm_terms::{ArmId, ConnectionState, Fault, Reading};
use jiff::Timestamp;

use crate::{
    credential::CredentialInput,
    fault,
    item::{Body, History},
    meta::{CrdState, Meta},
    side::{Resource, Side},
    status::After,
};

/// One of the two halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Half {
    /// The scope connection, in the manager's tenant.
    Scope,
    /// The network manager connection, in the target tenant.
    Target,
}

impl Half {
    /// Both, in the order of writes.
    pub const BOTH: [Half; 2] = [Half::Scope, Half::Target];

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Scope => Self::Target,
            Self::Target => Self::Scope,
        }
    }

    /// Its name for users.
    pub fn words(self) -> &'static str {
        match self {
            Self::Scope => "scope connection",
            Self::Target => "network manager connection",
        }
    }

    /// Its field in spec and status.
    pub fn field(self) -> &'static str {
        match self {
            Self::Scope => "scopeConnection",
            Self::Target => "networkManagerConnection",
        }
    }

    /// Whose tenant it lies in.
    pub fn side(self) -> Side {
        match self {
            Self::Scope => Side::Manager,
            Self::Target => Side::Target,
        }
    }

    /// What kind of resource it is.
    pub fn resource(self) -> Resource {
        match self {
            Self::Scope => Resource::ScopeConnection,
            Self::Target => Resource::ManagerConnection,
        }
    }
}

/// One value for each half.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Halves<T> {
    /// For the scope connection.
    pub scope: T,
    /// For the network manager connection.
    pub target: T,
}

impl<T> Halves<T> {
    /// The value of a half.
    pub fn get(&self, half: Half) -> &T {
        match half {
            Half::Scope => &self.scope,
            Half::Target => &self.target,
        }
    }

    /// The value of a half, to be changed.
    pub fn get_mut(&mut self, half: Half) -> &mut T {
        match half {
            Half::Scope => &mut self.scope,
            Half::Target => &mut self.target,
        }
    }

    /// Both with their half.
    pub fn each(&self) -> [(Half, &T); 2] {
        [(Half::Scope, &self.scope), (Half::Target, &self.target)]
    }
}

/// Where the references of one half lead.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HalfInput {
    /// The credential that spec names.
    pub spec: Option<CredentialInput>,
    /// The credential that the claim recorded.
    pub claim: Option<CredentialInput>,
}

/// Everything read from Kubernetes.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The object's metadata.
    pub meta: Meta,
    /// Its spec.
    pub spec: CrossTenantConnectionSpec,
    /// Its status as it was read.
    pub status: CrossTenantConnectionStatus,
    /// Its references.
    pub credentials: Halves<HalfInput>,
    /// For each half, words for the object that claims the same and wins, if one does. The other half goes on.
    pub beaten_by: Halves<Option<String>>,
    /// Which halves the winner holds: they are not ours to delete.
    pub contested: Halves<bool>,
}

/// A half as Azure has it.
#[derive(Debug, Clone, PartialEq)]
pub struct HalfSeen {
    /// Its id.
    pub id: ArmId,
    /// Azure's word.
    pub state: ConnectionState,
    /// Its body, for comparison.
    pub body: Body,
    /// Its description: sent back by a PUT that does not declare one.
    pub description: String,
}

/// What was read about one half.
#[derive(Debug, Clone, PartialEq)]
pub struct HalfObserved {
    /// Ours: under our id. External: the one that matches.
    pub reading: Reading<HalfSeen>,
    /// The same thing under another name, from a complete list.
    pub elsewhere: Option<ArmId>,
    /// External: someone's Pending entry with our tenant and another scope or manager.
    pub mismatch: Option<ArmId>,
    /// What a claim of it would rest on was read live in this pass, and is there.
    pub vouched: bool,
    /// Whether `reading` began after the claim was durable, and what the claim rests on was then read live.
    pub confirmed: bool,
    /// What went wrong with a write in this pass.
    pub write: Option<Fault>,
    /// What a claim rests on turned out to be gone, or not to serve any more, when it was read live: in words.
    pub source_gone: Option<String>,
}

impl Default for HalfObserved {
    /// Nothing known, which is the case for a half that is not declared.
    fn default() -> Self {
        Self {
            reading: Reading::Absent,
            elsewhere: None,
            mismatch: None,
            vouched: false,
            confirmed: false,
            write: None,
            source_gone: None,
        }
    }
}

/// A member that names this connection and holds a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// Its name.
    pub name: String,
    /// Whether it is being deleted too.
    pub deleting: bool,
}

/// Everything read from Azure, and what deletion needs from Kubernetes.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Both halves.
    pub halves: Halves<HalfObserved>,
    /// Which halves this pass asked Azure for.
    pub looked: Halves<bool>,
    /// Whether the manager lists the target among its `crossTenantScopes`; `None` where it need not be read.
    pub listed: Option<Reading<bool>>,
    /// Members with a claim that name this connection (a live list); only read for a deletion.
    pub dependents: Reading<Vec<Dependent>>,
    /// Whether the CRD is being deleted; only read for a deletion.
    pub crd: CrdState,
    /// A write to Kubernetes that failed in this pass.
    pub kube: Option<Fault>,
}

impl Observed {
    /// Whether a half of ours could not be read because the caller may not; `None` where this pass does not tell.
    pub fn denied(&self, half: Half) -> Option<bool> {
        let asked = self.looked.get(half).then(|| self.halves.get(half).reading.fault());
        fault::denied(asked.as_slice())
    }
}

impl Default for Observed {
    fn default() -> Self {
        Self {
            halves: Halves::default(),
            looked: Halves::default(),
            listed: None,
            dependents: Reading::Found(Vec::new()),
            crd: CrdState::Standing,
            kube: None,
        }
    }
}

/// What this object holds: the part of status that decisions change, before it is written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Claims of this very object.
    pub claims: Halves<Option<Claim>>,
    /// The last handled value of the recreate annotation.
    pub recreate: Option<RecreateStatus>,
}

impl Standing {
    /// What status says, without claims of another uid.
    pub fn of(inputs: &Inputs) -> Self {
        let own = |half: &Option<avnm_api::HalfStatus>| {
            let half = half.as_ref()?;
            let mut claim = half.claim.clone().filter(|claim| claim.uid == inputs.meta.uid)?;
            // A claim of an earlier version is of the id beside it.
            claim.id = claim.id.or_else(|| half.id.clone());
            Some(claim)
        };
        Self {
            claims: Halves {
                scope: own(&inputs.status.scope_connection),
                target: own(&inputs.status.network_manager_connection),
            },
            recreate: inputs.status.recreate.clone(),
        }
    }

    /// Whether anything is claimed.
    pub fn any(&self) -> bool {
        self.claims.scope.is_some() || self.claims.target.is_some()
    }
}

/// What this process remembers of a connection between passes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// Of each half.
    pub halves: Halves<History>,
    /// Looks since the last write.
    pub looks: u32,
    /// Passing failures in a row.
    pub streak: u32,
    /// Since when it could not be read.
    pub unread_since: Option<Timestamp>,
    /// Azure or Entra refused the last look at a half: who may not even read it would not claim it.
    pub denied: Halves<bool>,
    /// A half was recreated in this pass: the other one is sent again, once.
    pub nudge: Option<Half>,
}

impl Memory {
    /// Remembers what a pass came to, and what it read.
    pub fn end(&mut self, observed: &Observed, after: &After, now: Timestamp) {
        self.streak = if after.failed { self.streak.saturating_add(1) } else { 0 };
        self.looks = if after.settling { self.looks.saturating_add(1) } else { 0 };
        self.unread_since = if after.unread { self.unread_since.or(Some(now)) } else { None };
        for half in Half::BOTH {
            // What was not looked at stays as the last look said.
            let denied = self.denied.get_mut(half);
            *denied = observed.denied(half).unwrap_or(*denied);
        }
    }

    /// Remembers that a half which we held is being made again.
    pub fn remake(&mut self, half: Half) {
        self.nudge = Some(half);
        self.halves.get_mut(half).remade();
    }
}
