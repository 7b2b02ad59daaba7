//! One connection, played.

use std::sync::OnceLock;

use avnm_api::{
    Claim, ClaimPhase, Condition, ConnectionHalf, CredentialRef, CrossTenantConnectionSpec,
    CrossTenantConnectionStatus, HalfStatus, RecreatePhase, TargetSpec,
};
use avnm_plan::{
    credential::CredentialInput,
    cross_tenant_connection::{self as plan, Connection, Half, HalfInput, Halves, Inputs, Role, Step},
    finding::Finding,
    item::{Body, BodyHash, Cause, Seen, State},
    lifecycle::{At, Dependent, Object},
    meta::{CrdState, Meta},
};
use avnm_terms::{
    ArmId, ConnectionState, Fault, KubeFault, Listing, ManagerConnection, ManagerId, Reading,
    ScopeConnection, ScopeId,
};
use jiff::Timestamp;

use crate::{
    azure::{Author, Azure, Says, Thing},
    fixture::{CENTRAL, Cred, MANAGER, NAME, SCOPE, TARGET, claim, meta, reference, tenant},
    play::{self, Handing, Look, Run, Truth, World as _},
};

/// Names of the credentials of both halves.
pub(crate) fn credential(half: Half) -> (&'static str, &'static str) {
    match half {
        Half::Scope => ("central", CENTRAL),
        Half::Target => ("fabrikam", TARGET),
    }
}

/// What a half that says this looks like: parsed once, for runs are many.
struct Form {
    wanted: Body,
    seen: Body,
    own: ArmId,
    theirs: ArmId,
}

fn form(half: Half, says: Says) -> &'static Form {
    static FORMS: OnceLock<Vec<Form>> = OnceLock::new();
    let forms = FORMS.get_or_init(|| {
        Half::BOTH
            .into_iter()
            .flat_map(|half| {
                Says::ALL.map(|says| Form {
                    wanted: wanted(half, says),
                    seen: seen_body(half, says),
                    own: id(half, NAME),
                    theirs: id(half, "theirs"),
                })
            })
            .collect()
    });
    &forms[half as usize * Says::ALL.len() + says as usize]
}

/// The body of a half that says this.
pub(crate) fn body(half: Half, says: Says) -> &'static Body {
    &form(half, says).wanted
}

fn wanted(half: Half, says: Says) -> Body {
    let description = Some(says.description());
    match half {
        Half::Scope => Body::scope_connection(&tenant(TARGET), &ScopeId::parse(SCOPE).unwrap(), description),
        Half::Target => Body::manager_connection(ManagerId::parse(MANAGER).unwrap().arm(), description),
    }
}

fn seen_body(half: Half, says: Says) -> Body {
    let (description, state) = (says.description().to_owned(), ConnectionState::Pending);
    let elsewhere = says == Says::Elsewhere;
    match half {
        Half::Scope => Body::scope_connection_seen(&ScopeConnection {
            id: id(half, NAME),
            tenant: Some(tenant(TARGET)),
            scope: if elsewhere { "/subscriptions/x".to_owned() } else { SCOPE.to_owned() },
            description,
            state,
            changed_by: None,
        }),
        Half::Target => Body::manager_connection_seen(&ManagerConnection {
            id: id(half, NAME),
            manager: if elsewhere { String::new() } else { MANAGER.to_owned() },
            description,
            state,
            changed_by: None,
        }),
    }
}

fn id(half: Half, name: &str) -> ArmId {
    let text = match half {
        Half::Scope => format!("{MANAGER}/scopeConnections/{name}"),
        Half::Target => {
            format!("{SCOPE}/providers/Microsoft.Network/networkManagerConnections/{name}")
        }
    };
    ArmId::parse(&text).unwrap()
}

fn seen(half: Half, own: bool, thing: &Thing) -> Seen {
    let form = form(half, thing.says);
    Seen {
        id: if own { form.own.clone() } else { form.theirs.clone() },
        state: State::Connection(thing.state.clone()),
        body: form.seen.clone(),
        description: thing.says.description().to_owned(),
        location: String::new(),
        changed_by: None,
    }
}

/// Everything that a run begins with.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) meta: Meta,
    pub(crate) spec: CrossTenantConnectionSpec,
    pub(crate) status: CrossTenantConnectionStatus,
    pub(crate) creds: Halves<Cred>,
    pub(crate) creds_held: Halves<bool>,
    pub(crate) azure: Azure,
    pub(crate) beaten_by: Option<String>,
    pub(crate) dependents: Result<Vec<Dependent>, KubeFault>,
    pub(crate) crd: CrdState,
    pub(crate) handing: Handing,
    pub(crate) shared: Run<()>,
    /// A stranger may have come between our look and our PUT: the window that the docs name.
    pub(crate) alike: bool,
    /// What a credential is restricted to.
    pub(crate) allowed: Halves<Option<Vec<String>>>,
    /// What the manager lists, if that is not what Azure would.
    pub(crate) listing: Option<Reading<Listing>>,
    /// So many times the credential is gone when read live, and not in the cache.
    pub(crate) gone_live: Halves<u32>,
}

/// The same credential, restricted to some scopes.
pub(crate) fn restricted(input: CredentialInput, allowed: Option<&Vec<String>>) -> CredentialInput {
    match (input, allowed) {
        (CredentialInput::Usable(mut usable), Some(scopes)) => {
            usable.allowed_scopes = Some(scopes.clone());
            CredentialInput::Usable(usable)
        }
        (input, _) => input,
    }
}

/// Which declared halves there are.
pub(crate) fn spec(scope: Role, target: Role) -> CrossTenantConnectionSpec {
    let half = |half: Half, role: Role| match role {
        Role::Absent => None,
        Role::External => Some(ConnectionHalf {
            name: None,
            description: None,
            credential_ref: reference(credential(half).0),
            external: Some(true),
        }),
        Role::Ours => Some(ConnectionHalf {
            name: None,
            description: Some(Says::Wanted.description().to_owned()),
            credential_ref: reference(credential(half).0),
            external: None,
        }),
    };
    CrossTenantConnectionSpec {
        network_manager_id: MANAGER.to_owned(),
        target: TargetSpec { tenant_id: TARGET.to_owned(), scope: SCOPE.to_owned() },
        scope_connection: half(Half::Scope, scope),
        network_manager_connection: half(Half::Target, target),
        mode: None,
        deletion_policy: None,
        adoption_policy: None,
        suspend: None,
    }
}

impl World {
    /// Both halves ours, nothing in Azure, nothing claimed.
    pub(crate) fn new(scope: Role, target: Role) -> Self {
        Self {
            meta: meta(),
            spec: spec(scope, target),
            status: CrossTenantConnectionStatus::default(),
            creds: Halves { scope: Cred::Works, target: Cred::Works },
            creds_held: Halves { scope: false, target: false },
            azure: Azure::new(None, None),
            beaten_by: None,
            dependents: Ok(Vec::new()),
            crd: CrdState::Standing,
            handing: Handing::Nothing,
            shared: Run::new(),
            alike: false,
            allowed: Halves::default(),
            listing: None,
            gone_live: Halves::default(),
        }
    }

    pub(crate) fn ours() -> Self {
        Self::new(Role::Ours, Role::Ours)
    }

    /// At rest: both halves ours, made, held and Connected, as a first run leaves them.
    pub(crate) fn connected() -> Self {
        let mut world = Self::ours();
        world.play();
        world.shared.begin();
        world.azure.puts = Halves::default();
        world
    }

    pub(crate) fn role(&self, half: Half) -> Role {
        let declared = match half {
            Half::Scope => &self.spec.scope_connection,
            Half::Target => &self.spec.network_manager_connection,
        };
        match declared {
            None => Role::Absent,
            Some(half) if half.is_external() => Role::External,
            Some(_) => Role::Ours,
        }
    }

    /// A durable claim of a half, and the finalizers that come with it.
    pub(crate) fn claims(&mut self, half: Half, phase: ClaimPhase, says: Says) {
        let (name, of) = credential(half);
        let status = HalfStatus {
            id: Some(form(half, says).own.to_string()),
            claim: Some(claim(phase, of, name, body(half, says).hash())),
            ..HalfStatus::default()
        };
        match half {
            Half::Scope => self.status.scope_connection = Some(status),
            Half::Target => self.status.network_manager_connection = Some(status),
        }
        *self.creds_held.get_mut(half) = true;
        self.meta.held = true;
    }

    pub(crate) fn claim(&self, half: Half) -> Option<&Claim> {
        let status = match half {
            Half::Scope => self.status.scope_connection.as_ref(),
            Half::Target => self.status.network_manager_connection.as_ref(),
        };
        status.and_then(|half| half.claim.as_ref())
    }

    pub(crate) fn inputs(&self) -> Inputs {
        let of = |half: Half| {
            let (name, of) = credential(half);
            let (cred, held) = (*self.creds.get(half), *self.creds_held.get(half));
            let suspended = self.spec.suspend == Some(true) && !self.meta.deleting;
            let allowed = self.allowed.get(half);
            let input = |wanted: bool| {
                (wanted && !suspended).then(|| restricted(cred.input(name, of, held), allowed.as_ref()))
            };
            HalfInput {
                spec: input(self.role(half) != Role::Absent),
                claim: input(self.claim(half).is_some()),
            }
        };
        Inputs {
            meta: self.meta.clone(),
            spec: self.spec.clone(),
            status: self.status.clone(),
            credentials: Halves { scope: of(Half::Scope), target: of(Half::Target) },
        }
    }

    /// Whether Azure holds something of ours under a half, or may come to.
    pub(crate) fn left_behind(&self, half: Half) -> bool {
        let made = |effect: &(Timestamp, crate::azure::Effect)| matches!(effect.1, crate::azure::Effect::Made(at, _) if at == half);
        self.azure.things.get(half).as_ref().is_some_and(|thing| thing.by == Author::Us)
            || self.azure.coming.iter().any(made)
    }
}

impl play::World for World {
    type K = Connection;
    type Azure = Azure;

    fn shared(&self) -> &Run<()> {
        &self.shared
    }

    fn shared_mut(&mut self) -> &mut Run<()> {
        &mut self.shared
    }

    fn azure(&self) -> &Azure {
        &self.azure
    }

    fn advance_azure(&mut self, now: Timestamp) {
        self.azure.advance(now);
    }

    fn writes(&self) -> u32 {
        self.azure.writes()
    }

    fn is_coming(&self) -> bool {
        !self.azure.coming.is_empty()
    }

    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn status(&self) -> &CrossTenantConnectionStatus {
        &self.status
    }

    fn set_status(&mut self, status: CrossTenantConnectionStatus) {
        self.status = status;
    }

    fn conditions(&self) -> &[Condition] {
        &self.status.conditions
    }

    fn desire(&self) -> Result<Object<Connection>, Finding> {
        plan::desire(&self.inputs())
    }

    fn durable(&self, at: At) -> Option<&Claim> {
        self.claim(Half::of(at))
    }

    fn crd(&self) -> CrdState {
        self.crd.clone()
    }

    fn dependents(&self) -> Result<Vec<Dependent>, KubeFault> {
        self.dependents.clone()
    }

    fn beaten_by(&self) -> Option<String> {
        self.beaten_by.clone()
    }

    fn handing(&self) -> Handing {
        self.handing
    }

    fn look(&mut self, object: &Object<Connection>, at: At) -> Look {
        let half = Half::of(at);
        let external = *object.own.roles.get(half) == Role::External;
        let mut mismatch = None;
        let reading = match self.azure.read(half) {
            Err(fault) => Reading::Unread(fault),
            Ok(None) => Reading::Absent,
            Ok(Some(thing)) if external && thing.says == Says::Elsewhere => {
                mismatch = Some(form(half, thing.says).theirs.clone());
                Reading::Absent
            }
            Ok(Some(thing)) => Reading::Found(seen(half, !external, &thing)),
        };
        Look { reading, mismatch }
    }

    fn elsewhere(&self, at: At) -> Option<ArmId> {
        let half = Half::of(at);
        self.azure.elsewhere.get(half).then(|| id(half, "another-name"))
    }

    fn observe(&mut self, object: &mut Object<Connection>) {
        let connected = |half: Half| {
            let state = object.items[half.at()].found().and_then(|seen| seen.connection());
            *object.own.roles.get(half) == Role::Absent || state == Some(&ConnectionState::Connected)
        };
        let scope = *object.own.roles.get(Half::Scope) != Role::Absent;
        let signs = object.items[Half::Scope.at()].signer.is_some();
        if scope && signs && Half::BOTH.into_iter().all(connected) {
            let listed = if self.azure.listed { Listing::Listed } else { Listing::Absent };
            let listed = Reading::Found(listed);
            object.own.listed = Some(self.listing.clone().unwrap_or(listed));
        }
    }

    fn take(&mut self, object: &mut Object<Connection>, step: &Step) {
        match step {
            Step::Recreate(recreate) => object.own.recreate = Some(recreate.clone()),
        }
    }

    fn gone_live(&mut self, at: At) -> Option<String> {
        let half = Half::of(at);
        let gone_live = self.gone_live.get_mut(half);
        let gone = *gone_live > 0 || *self.creds.get(half) == Cred::Terminating;
        *gone_live = gone_live.saturating_sub(1);
        gone.then(|| format!("TenantCredential {} is gone", credential(half).0))
    }

    fn put(&mut self, at: At) -> Result<(), Fault> {
        self.azure.put(Half::of(at), self.shared.now)
    }

    fn delete(&mut self, at: At) -> Result<(), Fault> {
        self.azure.delete(Half::of(at), self.shared.now)
    }

    fn hold(&mut self, credentials: &[CredentialRef]) {
        for half in Half::BOTH {
            let takes = matches!(self.creds.get(half), Cred::Works);
            if credentials.contains(&reference(credential(half).0)) && takes {
                *self.creds_held.get_mut(half) = true;
            }
        }
    }

    fn holds(&self, object: &Object<Connection>, at: At) -> bool {
        // What is being deleted takes no finalizer any more; what signs nothing needs none.
        let half = Half::of(at);
        object.items[at].signer.is_none()
            || *self.creds_held.get(half)
            || *self.creds.get(half) != Cred::Works
    }

    fn truth(&self, at: At) -> Option<Truth> {
        let half = Half::of(at);
        self.azure.things.get(half).as_ref().map(|thing| Truth {
            by: thing.by,
            wanted: thing.says == Says::Wanted,
            hash: body(half, thing.says).hash(),
        })
    }

    fn wanted(&self, at: At) -> BodyHash {
        body(Half::of(at), Says::Wanted).hash()
    }

    fn declares(&self, at: At) -> bool {
        self.role(Half::of(at)) != Role::Absent
    }

    fn becomes_ours(&mut self, at: At) {
        if let Some(thing) = self.azure.things.get_mut(Half::of(at)) {
            thing.by = Author::Us;
        }
    }

    fn left_behind(&self, at: At) -> bool {
        World::left_behind(self, Half::of(at))
    }

    fn hides(&self, at: At) -> bool {
        *self.azure.hidden.get(Half::of(at)) > 0
    }

    fn is_alike(&mut self) {
        self.alike = true;
    }

    fn check_put(&self, object: &Object<Connection>, at: At, cause: Cause) {
        let half = Half::of(at);
        let state = self.azure.things.get(half).as_ref().map(|thing| &thing.state);
        let intended = object.items[at].claim().is_some_and(|claim| claim.phase == ClaimPhase::Intended);
        self.check(
            intended || state != Some(&ConnectionState::Conflict) || cause == Cause::Make,
            "writes to what is in Conflict",
        );
        if half == Half::Target {
            let scope = &object.items[Half::Scope.at()];
            let could = scope.claim().is_some_and(|claim| claim.phase == ClaimPhase::Intended)
                && scope.reading().is_absent()
                && scope.confirmed()
                && scope.write_fault().is_none();
            self.check(!could, "the target half before the scope half");
        }
    }

    fn check_delete(&self, object: &Object<Connection>, _: At) {
        let recreating = self.status.recreate.as_ref().is_some_and(|it| it.phase == RecreatePhase::Deleting);
        self.check(object.meta.deleting || recreating, "deletes what is wanted");
    }

    fn is_ready(&self, object: &Object<Connection>) -> Result<(), &'static str> {
        for half in Half::BOTH {
            let role = *object.own.roles.get(half);
            let good = self.azure.things.get(half).as_ref().is_some_and(|thing| {
                thing.state == ConnectionState::Connected
                    && (role == Role::External || thing.says == Says::Wanted)
            });
            if role != Role::Absent && !good {
                return Err("Ready, and Azure is not as declared");
            }
        }
        let unseen = *object.own.roles.get(Half::Scope) == Role::Absent;
        if unseen || self.azure.listed { Ok(()) } else { Err("Ready, and not listed") }
    }
}
