//! The emulator's default world in process, a client of it, and the ids in it.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use avnm_arm::clock::Wall;
use avnm_arm::{
    Arm, Cloud, Credential, CredentialKey, ManagerConnectionBody, Material, MemberBody, ScopeConnectionBody,
    SecretString, Tokens, Transport, WriteGuard,
};
use avnm_emulator::{CallKind, Entry, Options};
use avnm_in_process::Azure;
use avnm_terms::{
    AzureName, ClientId, Fault, GroupId, ManagerConnectionId, ManagerId, MemberId, NetworkId, Reading,
    ScopeConnectionId, ScopeId, TenantId,
};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

const CENTRAL: &str = "24680975-1234-abcd-56ef-121314ab5643";
pub(crate) const TARGET: &str = "12345678-12a3-4abc-5cde-678909876543";
const APP: &str = "a0a0a0a0-1111-2222-3333-444444444444";
const SECRET: &str = "emulator-secret-central";
const TARGET_SUBSCRIPTION: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";
const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM";
const TARGET_NETWORK: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/targetVnet01";

/// When the simulated time begins.
pub(crate) fn start() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

/// Lets every write through: who may write is the controller's business.
struct Always;

impl WriteGuard for Always {
    fn allow_write(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Azure, a client of it, and both of their clocks.
pub(crate) struct Stage {
    pub(crate) azure: Azure,
    pub(crate) arm: Arm,
    pub(crate) wall: Wall,
    began: Instant,
}

impl Stage {
    /// One in which nothing takes time.
    pub(crate) fn instant() -> Self {
        Self::new(&Options::instant())
    }

    pub(crate) fn new(options: &Options) -> Self {
        let wall = Wall::start(start());
        let azure = Azure::start(options, start()).unwrap();
        let arm = client(azure.cloud().unwrap(), azure.transport());
        Self { azure, arm, wall, began: avnm_arm::clock::instant() }
    }

    /// How much simulated time has passed.
    pub(crate) fn elapsed(&self) -> Duration {
        avnm_arm::clock::instant() - self.began
    }

    /// A fault, in the form of the control endpoint.
    pub(crate) fn fault(&self, fault: Value) {
        self.azure.control().add_fault(serde_json::from_value(fault).unwrap());
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&self) {
        self.azure.control().remove_faults(None);
    }

    /// The methods of the calls to ARM so far.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.of(CallKind::Arm).into_iter().map(|entry| entry.method).collect()
    }

    /// How many sign-ins there were.
    pub(crate) fn sign_ins(&self) -> usize {
        self.of(CallKind::Token).len()
    }

    fn of(&self, kind: CallKind) -> Vec<Entry> {
        let ledger = self.azure.control().whole_ledger(0).unwrap();
        ledger.into_iter().filter(|entry| entry.kind == kind).collect()
    }

    /// Whether Azure holds it, whatever anyone was told.
    pub(crate) fn exists(&self, id: &ScopeConnectionId) -> bool {
        self.azure.control().get(id.arm().as_str(), None).unwrap().is_some()
    }
}

/// A client of that cloud.
pub(crate) fn client(cloud: Cloud, transport: Transport) -> Arm {
    let tokens = Tokens::new(cloud.clone(), transport.clone());
    Arm::new(cloud, transport, tokens, Arc::new(Always))
}

fn credential(name: &str, tenant: &str) -> Credential {
    let material = Material::ClientSecret(SecretString::from(SECRET));
    Credential {
        key: CredentialKey {
            kind: "TenantCredential".into(),
            namespace: "hub".into(),
            name: name.into(),
            uid: format!("uid-{name}"),
            fingerprint: material.fingerprint(),
        },
        tenant: TenantId::parse(tenant).unwrap(),
        client: ClientId::parse(APP).unwrap(),
        material,
    }
}

/// The operator's application in the manager's tenant.
pub(crate) fn central() -> Credential {
    credential("central", CENTRAL)
}

/// The operator's application in the target's tenant.
pub(crate) fn target() -> Credential {
    credential("target", TARGET)
}

fn name(text: &str) -> AzureName {
    AzureName::parse(text).unwrap()
}

pub(crate) fn manager() -> ManagerId {
    ManagerId::parse(MANAGER).unwrap()
}

/// The group of virtual networks.
pub(crate) fn group() -> GroupId {
    GroupId::parse(&format!("{MANAGER}/networkGroups/containsCrossTenantResources")).unwrap()
}

pub(crate) fn network() -> NetworkId {
    NetworkId::parse(TARGET_NETWORK).unwrap()
}

pub(crate) fn scope() -> ScopeId {
    ScopeId::parse(TARGET_SUBSCRIPTION).unwrap()
}

pub(crate) fn scope_connection(of: &str) -> ScopeConnectionId {
    ScopeConnectionId::new(&manager(), &name(of))
}

pub(crate) fn manager_connection(of: &str) -> ManagerConnectionId {
    ManagerConnectionId::new(&scope(), &name(of))
}

pub(crate) fn member(of: &str) -> MemberId {
    MemberId::new(&group(), &name(of))
}

/// What a member is to say.
pub(crate) fn the_network() -> MemberBody {
    MemberBody { resource: network() }
}

/// What a scope connection to the target subscription is to say.
pub(crate) fn to_target() -> ScopeConnectionBody {
    ScopeConnectionBody { tenant: TenantId::parse(TARGET).unwrap(), scope: scope(), description: None }
}

/// What a network manager connection to the manager is to say.
pub(crate) fn to_manager() -> ManagerConnectionBody {
    ManagerConnectionBody { manager: manager(), description: None }
}

/// What was found, or a failure that tells what was there instead.
pub(crate) fn found<T: Debug>(reading: Reading<T>) -> T {
    match reading {
        Reading::Found(it) => it,
        other => panic!("not found: {other:?}"),
    }
}

/// Why it was not read, or a failure that tells what was there instead.
pub(crate) fn unread<T: Debug>(reading: Reading<T>) -> Fault {
    match reading {
        Reading::Unread(fault) => fault,
        other => panic!("read: {other:?}"),
    }
}
