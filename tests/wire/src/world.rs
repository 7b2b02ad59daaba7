//! The emulator's default world, a client of it, and the ids in it.

use std::fmt::Debug;
use std::sync::Arc;

use avnm_arm::{
    Arm, Cloud, Credential, CredentialKey, ManagerConnectionBody, Material, MemberBody, Quotas,
    ScopeConnectionBody, SecretString, Tokens, Transport, TransportOptions, WriteGuard,
};
use avnm_emulator::{CallKind, Emulator, Entry, Options};
use avnm_terms::{
    AzureName, ClientId, Fault, GroupId, ManagerConnectionId, ManagerId, MemberId, NetworkId, Reading,
    ScopeConnectionId, ScopeId, TenantId,
};
use serde_json::Value;

pub(crate) const CENTRAL: &str = "24680975-1234-abcd-56ef-121314ab5643";
pub(crate) const TARGET: &str = "12345678-12a3-4abc-5cde-678909876543";
pub(crate) const APP: &str = "a0a0a0a0-1111-2222-3333-444444444444";
pub(crate) const SECRET: &str = "emulator-secret-central";
pub(crate) const OTHER_APP: &str = "b0b0b0b0-1111-2222-3333-444444444444";
pub(crate) const OTHER_SECRET: &str = "emulator-secret-other";
pub(crate) const CENTRAL_SUBSCRIPTION: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab";
pub(crate) const TARGET_SUBSCRIPTION: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";
pub(crate) const SHARED_GROUP: &str = "/providers/Microsoft.Management/managementGroups/mg-shared";
pub(crate) const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM";
pub(crate) const TARGET_NETWORK: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/targetVnet01";
pub(crate) const CENTRAL_NETWORK: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/virtualNetworks/centralVnet01";

/// The emulator, and a client that trusts it.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) arm: Arm,
}

/// Lets every write through: who may write is the controller's business.
struct Always;

impl WriteGuard for Always {
    fn allow_write(&self) -> Result<(), String> {
        Ok(())
    }
}

impl World {
    /// One in which nothing takes time.
    pub(crate) async fn instant() -> Self {
        Self::start(Options::instant()).await
    }

    pub(crate) async fn start(options: Options) -> Self {
        let emulator = Emulator::start(options).await.unwrap();
        let arm = client(&emulator, cloud(&emulator));
        Self { emulator, arm }
    }

    /// Another client, which shares neither tokens nor gates with the first.
    pub(crate) fn client(&self, change: impl FnOnce(Cloud) -> Cloud) -> Arm {
        client(&self.emulator, change(cloud(&self.emulator)))
    }

    /// The same over a transport of one's own.
    pub(crate) fn client_over(&self, transport: Transport) -> Arm {
        over(cloud(&self.emulator), transport)
    }

    /// Where the ledger stands.
    pub(crate) fn mark(&self) -> u64 {
        self.emulator.control().last_call()
    }

    /// The calls to ARM since then.
    pub(crate) fn calls(&self, mark: u64) -> Vec<Entry> {
        self.of(CallKind::Arm, mark)
    }

    /// The sign-ins since then.
    pub(crate) fn sign_ins(&self, mark: u64) -> Vec<Entry> {
        self.of(CallKind::Token, mark)
    }

    fn of(&self, kind: CallKind, mark: u64) -> Vec<Entry> {
        let ledger = self.emulator.control().whole_ledger(mark).unwrap();
        ledger.into_iter().filter(|entry| entry.kind == kind).collect()
    }

    /// The methods of the calls to ARM since then.
    pub(crate) fn methods(&self, mark: u64) -> Vec<String> {
        self.calls(mark).into_iter().map(|entry| entry.method).collect()
    }

    /// A fault, in the form of the control endpoint.
    pub(crate) fn fault(&self, fault: Value) {
        self.emulator.control().add_fault(serde_json::from_value(fault).unwrap());
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&self) {
        self.emulator.control().remove_faults(None);
    }

    /// A change of Entra's registry.
    pub(crate) fn edit(&self, edit: Value) {
        self.emulator.control().entra(serde_json::from_value(edit).unwrap()).unwrap();
    }

    /// A change of settings.
    pub(crate) fn set(&self, patch: &Value) {
        self.emulator.control().change_settings(patch).unwrap();
    }

    /// Whether Azure holds it, whatever anyone was told.
    pub(crate) fn exists(&self, id: &str) -> bool {
        self.emulator.control().get(id, Some(TARGET)).unwrap().is_some()
    }
}

fn cloud(emulator: &Emulator) -> Cloud {
    let cloud = Cloud::named("AzurePublic").unwrap();
    cloud.with_arm_endpoint(emulator.url()).unwrap().with_authority(emulator.authority()).unwrap()
}

fn client(emulator: &Emulator, cloud: Cloud) -> Arm {
    let options = TransportOptions {
        extra_ca_pem: Some(emulator.ca_pem().as_bytes().to_vec()),
        ..TransportOptions::default()
    };
    over(cloud, Transport::new(&options).unwrap())
}

fn over(cloud: Cloud, transport: Transport) -> Arm {
    let tokens = Tokens::new(cloud.clone(), transport.clone());
    // What Azure answers is played here, and not how it is kept from answering that.
    Arm::new(cloud, transport, tokens, Arc::new(Always)).with_quotas(Quotas::NONE)
}

/// A credential as a custom resource of that name would give it.
pub(crate) fn credential(name: &str, client: &str, secret: &str, tenant: &str) -> Credential {
    let material = Material::ClientSecret(SecretString::from(secret));
    Credential {
        key: CredentialKey {
            kind: "TenantCredential".into(),
            namespace: "hub".into(),
            name: name.into(),
            uid: format!("uid-{name}"),
            fingerprint: material.fingerprint(),
        },
        tenant: TenantId::parse(tenant).unwrap(),
        client: ClientId::parse(client).unwrap(),
        material,
    }
}

/// The operator's application in the manager's tenant.
pub(crate) fn central() -> Credential {
    credential("central", APP, SECRET, CENTRAL)
}

/// The operator's application in the target's tenant.
pub(crate) fn target() -> Credential {
    credential("target", APP, SECRET, TARGET)
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

/// The group of subnets.
pub(crate) fn subnet_group() -> GroupId {
    GroupId::parse(&format!("{MANAGER}/networkGroups/subnetGroup")).unwrap()
}

pub(crate) fn scope_connection(of: &str) -> ScopeConnectionId {
    ScopeConnectionId::new(&manager(), &name(of))
}

pub(crate) fn subscription() -> ScopeId {
    ScopeId::parse(TARGET_SUBSCRIPTION).unwrap()
}

/// Of this name there is one in each tenant.
pub(crate) fn management_group() -> ScopeId {
    ScopeId::parse(SHARED_GROUP).unwrap()
}

pub(crate) fn manager_connection(scope: &ScopeId, of: &str) -> ManagerConnectionId {
    ManagerConnectionId::new(scope, &name(of))
}

pub(crate) fn member(of: &str) -> MemberId {
    MemberId::new(&group(), &name(of))
}

pub(crate) fn network(id: &str) -> NetworkId {
    NetworkId::parse(id).unwrap()
}

/// What a member is to say.
pub(crate) fn names(id: &str) -> MemberBody {
    MemberBody { resource: network(id) }
}

/// What a scope connection to the target subscription is to say.
pub(crate) fn to_target(description: Option<&str>) -> ScopeConnectionBody {
    ScopeConnectionBody {
        tenant: TenantId::parse(TARGET).unwrap(),
        scope: subscription(),
        description: description.map(str::to_owned),
    }
}

/// What a network manager connection to the manager is to say.
pub(crate) fn to_manager(description: Option<&str>) -> ManagerConnectionBody {
    ManagerConnectionBody { manager: manager(), description: description.map(str::to_owned) }
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
