//! One member, played.

use std::sync::OnceLock;

use avnm_api::{
    Claim, ClaimPhase, Condition, ConnectionRef, CredentialRef, StaticMemberSpec, StaticMemberStatus,
};
use avnm_plan::{
    credential::CredentialInput,
    finding::Finding,
    item::{Body, BodyHash, Cause, Seen, State},
    lifecycle::{At, Object},
    meta::{CrdState, Meta},
    static_member::{self as plan, ConnectionFacts, ConnectionInput, Inputs, Member, Memory, Step},
};
use avnm_terms::{
    ArmId, ClientId, Fault, Group as AzureGroup, Member as AzureMember, MemberType, NetworkId,
    ProvisioningState, Reading,
};
use jiff::Timestamp;

use crate::{
    azure::Author,
    connection::restricted,
    fixture::{CENTRAL, Cred, MANAGER, NAME, SCOPE, TARGET, claim, meta, reference},
    group::{Group, Names},
    play::{self, Handing, Look, Run, Truth, World as _},
};

/// What `connectionRef` leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connection {
    /// The member names none.
    Unnamed,
    Missing,
    NotReady,
    Ready,
    Terminating,
}

impl Connection {
    pub(crate) const ALL: [Self; 5] =
        [Self::Unnamed, Self::Missing, Self::NotReady, Self::Ready, Self::Terminating];
}

pub(crate) fn group_id() -> String {
    format!("{MANAGER}/networkGroups/containsCrossTenantResources")
}

pub(crate) fn network(names: Names) -> String {
    let name = match names {
        Names::Wanted => "targetVnet01",
        Names::Other => "anotherVnet",
    };
    format!("{SCOPE}/resourceGroups/temp/providers/Microsoft.Network/virtualNetworks/{name}")
}

struct Form {
    hash: String,
    body: Body,
    id: ArmId,
}

fn form(names: Names) -> &'static Form {
    static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
    let forms = FORMS.get_or_init(|| {
        let id = ArmId::parse(&format!("{}/staticMembers/{NAME}", group_id())).unwrap();
        [Names::Wanted, Names::Other]
            .map(|names| Form {
                hash: Body::member(&NetworkId::parse(&network(names)).unwrap()).hash(),
                body: Body::member_seen(&AzureMember {
                    id: id.clone(),
                    resource: network(names),
                    provisioning: ProvisioningState::Succeeded,
                    location: String::new(),
                    changed_by: None,
                }),
                id: id.clone(),
            })
            .into()
    });
    &forms[names as usize]
}

/// Everything that a run begins with.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) meta: Meta,
    pub(crate) spec: StaticMemberSpec,
    pub(crate) status: StaticMemberStatus,
    pub(crate) connection: Connection,
    pub(crate) signer: Cred,
    pub(crate) resource: Cred,
    pub(crate) held: [bool; 2],
    pub(crate) azure: Group,
    pub(crate) group: Reading<AzureGroup>,
    pub(crate) routing: bool,
    pub(crate) beaten_by: Option<String>,
    pub(crate) crd: CrdState,
    /// What the credentials are restricted to: the manager's, that of the network's tenant.
    pub(crate) allowed: [Option<Vec<String>>; 2],
    /// The application of the credential of the network's tenant, if it is another one.
    pub(crate) client: Option<&'static str>,
    /// The tenant of the connection's target.
    pub(crate) tenant: &'static str,
    /// Which credentials the connection gives: the manager's, the target's.
    pub(crate) gives: [bool; 2],
    pub(crate) gone_live: u32,
    pub(crate) handing: Handing,
    pub(crate) shared: Run<Memory>,
}

impl World {
    /// A network of the target tenant, nothing in Azure, nothing claimed.
    pub(crate) fn new(connection: Connection) -> Self {
        let named = connection != Connection::Unnamed;
        Self {
            meta: meta(),
            spec: StaticMemberSpec {
                network_group_id: group_id(),
                member_name: None,
                resource_id: network(Names::Wanted),
                connection_ref: named.then(|| ConnectionRef { name: "fabrikam-prod".to_owned() }),
                credential_ref: (!named).then(|| reference("central")),
                resource_credential_ref: (!named).then(|| reference("fabrikam")),
                mode: None,
                deletion_policy: None,
                adoption_policy: None,
                suspend: None,
            },
            status: StaticMemberStatus::default(),
            connection,
            signer: Cred::Works,
            resource: Cred::Works,
            held: [false, false],
            azure: Group::new(None),
            group: Reading::Found(AzureGroup {
                id: ArmId::parse(&group_id()).unwrap(),
                member_type: MemberType::VirtualNetwork,
            }),
            routing: false,
            beaten_by: None,
            crd: CrdState::Standing,
            allowed: [None, None],
            client: None,
            tenant: TARGET,
            gives: [true, true],
            gone_live: 0,
            handing: Handing::Nothing,
            shared: Run::new(),
        }
    }

    /// At rest: made, held and Succeeded, as a first run leaves it.
    pub(crate) fn succeeded() -> Self {
        let mut world = Self::new(Connection::Ready);
        world.play();
        world.shared.begin();
        world.azure.puts = 0;
        world
    }

    pub(crate) fn claims(&mut self, phase: ClaimPhase, names: Names) {
        self.status.id = Some(form(names).id.to_string());
        self.status.claim = Some(claim(phase, CENTRAL, "central", form(names).hash.clone()));
        self.meta.held = true;
        self.held = [true, true];
    }

    fn facts(&self) -> ConnectionFacts {
        ConnectionFacts {
            name: "fabrikam-prod".to_owned(),
            ready: matches!(self.connection, Connection::Ready | Connection::Terminating),
            reason: Some(
                if self.connection == Connection::Ready { "Connected" } else { "Revoked" }.to_owned(),
            ),
            current: true,
            terminating: self.connection == Connection::Terminating,
            manager: MANAGER.to_owned(),
            tenant: self.tenant.to_owned(),
            scope: SCOPE.to_owned(),
            manager_credential: self.gives[0].then(|| reference("central")),
            target_credential: self.gives[1].then(|| reference("fabrikam")),
        }
    }

    pub(crate) fn inputs(&self) -> Inputs {
        let connection = match self.connection {
            Connection::Unnamed => None,
            Connection::Missing => Some(ConnectionInput::Missing("fabrikam-prod".to_owned())),
            _ => Some(ConnectionInput::Found(Box::new(self.facts()))),
        };
        let facts = match &connection {
            Some(ConnectionInput::Found(facts)) => Some(&**facts),
            _ => None,
        };
        let (manager, resource) = plan::references(&self.spec, facts);
        let suspended = self.spec.suspend == Some(true) && !self.meta.deleting;
        let signer =
            || restricted(self.signer.input("central", CENTRAL, self.held[0]), self.allowed[0].as_ref());
        let claimed = self.meta.deleting && self.status.claim.is_some();
        let manager: Vec<CredentialInput> =
            (!suspended && (manager.is_some() || claimed)).then(signer).into_iter().collect();
        let resource = resource
            .filter(|_| !suspended)
            .map(|_| self.resource.input("fabrikam", TARGET, self.held[1]))
            .map(|input| restricted(input, self.allowed[1].as_ref()))
            .map(|input| match (input, self.client) {
                (CredentialInput::Usable(mut usable), Some(client)) => {
                    usable.client = ClientId::parse(client).unwrap();
                    CredentialInput::Usable(usable)
                }
                (input, _) => input,
            });
        Inputs {
            meta: self.meta.clone(),
            spec: self.spec.clone(),
            status: self.status.clone(),
            connection,
            manager,
            resource,
        }
    }

    fn left_behind(&self) -> bool {
        self.azure.member.as_ref().is_some_and(|member| member.by == Author::Us)
            || self.azure.coming.iter().any(|(_, made)| *made)
    }
}

impl play::World for World {
    type K = Member;
    type Azure = Group;

    fn shared(&self) -> &Run<Memory> {
        &self.shared
    }

    fn shared_mut(&mut self) -> &mut Run<Memory> {
        &mut self.shared
    }

    fn azure(&self) -> &Group {
        &self.azure
    }

    fn advance_azure(&mut self, now: Timestamp) {
        self.azure.advance(now);
    }

    fn writes(&self) -> u32 {
        self.azure.puts + self.azure.deletes
    }

    fn is_coming(&self) -> bool {
        !self.azure.coming.is_empty()
    }

    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn status(&self) -> &StaticMemberStatus {
        &self.status
    }

    fn set_status(&mut self, status: StaticMemberStatus) {
        self.status = status;
    }

    fn conditions(&self) -> &[Condition] {
        &self.status.conditions
    }

    fn desire(&self) -> Result<Object<Member>, Finding> {
        plan::desire(&self.inputs())
    }

    fn durable(&self, _: At) -> Option<&Claim> {
        self.status.claim.as_ref()
    }

    fn crd(&self) -> CrdState {
        self.crd.clone()
    }

    fn beaten_by(&self) -> Option<String> {
        self.beaten_by.clone()
    }

    fn handing(&self) -> Handing {
        self.handing
    }

    fn look(&mut self, _: &Object<Member>, _: At) -> Look {
        let reading = match self.azure.read() {
            Err(fault) => Reading::Unread(fault),
            Ok(None) => Reading::Absent,
            Ok(Some(joined)) => Reading::Found(Seen {
                id: form(joined.names).id.clone(),
                state: State::Provisioning(joined.state.clone()),
                location: String::new(),
                body: form(joined.names).body.clone(),
                description: String::new(),
                changed_by: None,
            }),
        };
        Look { reading, mismatch: None }
    }

    fn elsewhere(&self, _: At) -> Option<ArmId> {
        let another = || ArmId::parse(&format!("{}/staticMembers/another", group_id())).unwrap();
        self.azure.elsewhere.then(another)
    }

    fn take(&mut self, object: &mut Object<Member>, step: &Step) {
        let signer = object.items[plan::MEMBER].signer.as_ref();
        match step {
            Step::ReadGroup => {
                let subnet = self.group.found().is_some_and(|group| group.member_type == MemberType::Subnet);
                let looked = subnet && object.own.may_read_manager(signer);
                object.own.routing = looked.then_some(Reading::Found(self.routing));
                object.own.group_seen = Some(self.group.clone());
            }
            Step::ReadNetwork => {
                let network = if self.azure.network { Reading::Found(()) } else { Reading::Absent };
                object.own.network_seen = Some(network);
            }
        }
    }

    fn gone_live(&mut self, _: At) -> Option<String> {
        let gone = self.gone_live > 0 || [self.signer, self.resource].contains(&Cred::Terminating);
        self.gone_live = self.gone_live.saturating_sub(1);
        gone.then(|| "TenantCredential central is gone".to_owned())
    }

    fn put(&mut self, _: At) -> Result<(), Fault> {
        self.azure.put(self.shared.now)
    }

    fn delete(&mut self, _: At) -> Result<(), Fault> {
        self.azure.delete(self.shared.now)
    }

    fn hold(&mut self, credentials: &[CredentialRef]) {
        let creds = [("central", self.signer), ("fabrikam", self.resource)];
        for (at, (name, cred)) in creds.into_iter().enumerate() {
            self.held[at] |= credentials.contains(&reference(name)) && cred == Cred::Works;
        }
    }

    fn holds(&self, object: &Object<Member>, _: At) -> bool {
        let creds = [self.signer, self.resource];
        let holds = |at: usize| self.held[at] || creds[at] != Cred::Works;
        holds(0) && (object.items[plan::MEMBER].auxiliary.is_none() || holds(1))
    }

    fn truth(&self, _: At) -> Option<Truth> {
        self.azure.member.as_ref().map(|joined| Truth {
            by: joined.by,
            wanted: joined.names == Names::Wanted,
            hash: form(joined.names).hash.clone(),
        })
    }

    fn wanted(&self, _: At) -> BodyHash {
        form(Names::Wanted).hash.clone()
    }

    fn becomes_ours(&mut self, _: At) {
        if let Some(member) = &mut self.azure.member {
            member.by = Author::Us;
        }
    }

    fn left_behind(&self, _: At) -> bool {
        World::left_behind(self)
    }

    fn hides(&self, _: At) -> bool {
        self.azure.hidden > 0
    }

    fn check_put(&self, object: &Object<Member>, at: At, cause: Cause) {
        self.check_connection();
        let intended = object.items[at].claim().is_some_and(|claim| claim.phase == ClaimPhase::Intended);
        if intended {
            let read = object.own.group_seen.as_ref().is_some_and(|group| group.found().is_some());
            self.check(read, "makes without having read the group");
        } else {
            self.check(cause == Cause::Again, "a member is changed in place");
            let failed = self.azure.member.as_ref().map(|member| member.state.clone());
            self.check(failed == Some(ProvisioningState::Failed), "sent again though it did not fail");
        }
    }

    fn check_delete(&self, object: &Object<Member>, _: At) {
        if object.meta.deleting {
            return;
        }
        self.check_connection();
        let held = |claim: &Claim| claim.phase == ClaimPhase::Held;
        self.check(self.status.claim.as_ref().is_some_and(held), "replaces what is not durably held");
        let other = self.azure.member.as_ref().is_some_and(|joined| joined.names == Names::Other);
        self.check(other, "deletes what is wanted");
    }

    fn is_ready(&self, _: &Object<Member>) -> Result<(), &'static str> {
        let good = self.azure.member.as_ref().is_some_and(|joined| {
            joined.names == Names::Wanted && joined.state == ProvisioningState::Succeeded
        });
        if !good {
            return Err("Ready, and Azure is not as declared");
        }
        if matches!(self.connection, Connection::Unnamed | Connection::Ready) {
            Ok(())
        } else {
            Err("Ready before its connection")
        }
    }
}

impl World {
    fn check_connection(&self) {
        self.check(
            matches!(self.connection, Connection::Unnamed | Connection::Ready),
            "writes before its connection is Ready",
        );
        self.check(
            ![self.signer, self.resource].contains(&Cred::LastMaterial),
            "writes with the last material",
        );
    }
}
