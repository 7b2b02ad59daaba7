//! Ids, credentials and times that every run uses.

use avnm_api::{Claim, ClaimOrigin, ClaimPhase, CredentialKind, CredentialRef, Time};
use avnm_plan::credential::{Owner, admit};
use avnm_plan::{
    credential::{CredentialInput, UsableCredential},
    meta::Meta,
};
use avnm_terms::{ClientId, Fault, FaultKind, KubeFault, KubeFaultKind, TenantId};
use jiff::Timestamp;

pub(crate) const CENTRAL: &str = "24680975-1234-abcd-56ef-121314ab5643";
pub(crate) const TARGET: &str = "12345678-12a3-4abc-5cde-678909876543";
pub(crate) const APP: &str = "00001111-aaaa-2222-bbbb-3333cccc4444";
pub(crate) const MANAGER: &str = "/subscriptions/13579864-1a2b-4c5d-8e9f-135798642468/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM";
pub(crate) const SCOPE: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";
pub(crate) const UID: &str = "6b1ff6cd-2f2e-4c0a-9a51-2d0f3a5f8e01";
pub(crate) const NAME: &str = "fabrikam-prod";

/// When every run begins.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(crate) fn reference(name: &str) -> CredentialRef {
    CredentialRef { kind: CredentialKind::TenantCredential, name: name.to_owned() }
}

pub(crate) fn tenant(text: &str) -> TenantId {
    TenantId::parse(text).unwrap()
}

/// A credential that works and is held.
pub(crate) fn usable(name: &str, of: &str) -> UsableCredential {
    UsableCredential {
        admission: admit(Owner::Namespace("hub"), "hub", None).unwrap(),
        credential: reference(name),
        uid: name.to_owned(),
        tenant: tenant(of),
        client: ClientId::parse(APP).unwrap(),
        allowed_scopes: None,
        terminating: false,
        last_material: false,
        held: true,
    }
}

/// What has become of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cred {
    Works,
    Missing,
    NotReady,
    Terminating,
    LastMaterial,
    /// Not ready, and Entra may know it soon.
    Propagating,
    /// One of the cluster that is not lent to the namespace, or not any more.
    NotLent,
}

impl Cred {
    pub(crate) const ALL: [Self; 6] =
        [Self::Works, Self::Missing, Self::NotReady, Self::Terminating, Self::LastMaterial, Self::NotLent];

    /// What a reference to it leads to.
    pub(crate) fn input(self, name: &str, of: &str, held: bool) -> CredentialInput {
        let usable = UsableCredential {
            terminating: matches!(self, Self::Terminating | Self::LastMaterial),
            last_material: self == Self::LastMaterial,
            held,
            ..usable(name, of)
        };
        match self {
            Self::Missing => CredentialInput::Missing(reference(name)),
            Self::NotLent => CredentialInput::NotLent(reference(name)),
            Self::NotReady | Self::Propagating => CredentialInput::NotReady {
                credential: reference(name),
                reason: if self == Self::NotReady { "SignInRefused" } else { "Propagating" }.to_owned(),
                message: "what Entra said".to_owned(),
            },
            Self::Works | Self::Terminating | Self::LastMaterial => CredentialInput::Usable(usable),
        }
    }

    /// Whether Azure can be read with it.
    pub(crate) fn signs(self) -> bool {
        !matches!(self, Self::Missing | Self::NotReady | Self::Propagating | Self::NotLent)
    }
}

/// Metadata of the one object of a run.
pub(crate) fn meta() -> Meta {
    Meta {
        uid: UID.to_owned(),
        namespace: "network-hub".to_owned(),
        name: NAME.to_owned(),
        generation: 1,
        created: Some(start()),
        deleting: false,
        held: false,
        recreate: None,
        requested_at: None,
        confirm_delete: false,
    }
}

/// The monotonic clock of the simulation, which never steps.
pub(crate) fn steady(now: Timestamp) -> avnm_terms::Moment {
    avnm_terms::Moment::after_start(Timestamp::UNIX_EPOCH.duration_until(now))
}

/// A claim of the one object.
pub(crate) fn claim(phase: ClaimPhase, of: &str, credential: &str, hash: String) -> Claim {
    Claim {
        id: None,
        uid: UID.to_owned(),
        phase,
        origin: ClaimOrigin::Created,
        tenant_id: of.to_owned(),
        credential_ref: reference(credential),
        body_hash: hash,
        since: Time(Timestamp::from_second(start().as_second() - 3600).unwrap()),
    }
}

/// A fault with Azure's code.
pub(crate) fn fault(kind: FaultKind, code: &str) -> Fault {
    Fault { code: code.to_owned(), ..Fault::local("call", "/x/y", kind, "said Azure") }
}

/// What Kubernetes fails with.
pub(crate) fn kube_fault(kind: KubeFaultKind) -> KubeFault {
    KubeFault::local("call", "x/y", kind, "said Kubernetes")
}

/// A cut connection: the effect may come, or have come.
pub(crate) fn cut() -> Fault {
    Fault { effect_unknown: true, ..fault(FaultKind::Network, "NoAnswer") }
}
