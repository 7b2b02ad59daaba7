//! The emulated Azure: one world behind one lock, and what happens to a call from its arrival to its answer.
//!
//! It does no IO and never waits: who serves it holds calls back and cuts connections as it says.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use bytes::Bytes;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::buckets::Buckets;
use crate::clock::Clock;
use crate::faults::{Effect, Faults};
use crate::ledger::{self, CallKind, Entry, Ledger};
use crate::path::ArmPath;
use crate::request::Request;
use crate::rules::{self, Quirk, network_managers, pairing, static_members, unchecked};
use crate::settings::Settings;
use crate::state::State;
use crate::tally::Tally;
use crate::token::Signer;
use crate::world::World;
use crate::world::agenda::Event;
use crate::world::file::WorldFile;
use crate::{entra, guid, imds};

/// What an admitted call is to suffer, and its number in the ledger.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Its number in the ledger.
    pub seq: u64,
    /// How long it is held back before anything happens, in milliseconds.
    pub delay_ms: u64,
    kind: CallKind,
    effect: Effect,
    fault: Option<u64>,
    writes: u64,
    correlation: String,
}

/// What the caller gets to see.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// An answer.
    Answer(Answer),
    /// The connection is closed without one.
    Cut,
    /// The head of an answer and half of its body, then the connection is closed.
    Truncated(Answer),
    /// An answer whose body goes on for so many bytes.
    Giant(u64),
}

/// The emulated Azure.
#[derive(Debug)]
pub struct Azure {
    clock: Clock,
    state: Mutex<State>,
}

impl Azure {
    /// An Azure with the world that a file declares.
    pub fn new(file: &WorldFile, settings: Settings, seed: u64) -> anyhow::Result<Self> {
        Self::with_clock(file, settings, seed, Clock::start())
    }

    /// The same with the time of this clock.
    pub(crate) fn with_clock(
        file: &WorldFile,
        settings: Settings,
        seed: u64,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let now = clock.now();
        let mut rng = StdRng::seed_from_u64(seed);
        let world = World::build(file, now, &mut rng)?;
        let mut state = State {
            world,
            settings,
            faults: Faults::default(),
            ledger: Ledger::default(),
            tally: Tally::default(),
            buckets: Buckets::default(),
            signer: Signer::new(rng.random()),
            rng,
            own_origins: Vec::new(),
        };
        for (index, entry) in file.resources.iter().enumerate() {
            let body = json!({"properties": entry.properties});
            unchecked::put(&mut state, &entry.id, entry.tenant.as_deref(), &body, now)
                .with_context(|| format!("resources[{index}] ({})", entry.id))?;
        }
        Ok(Self { clock, state: Mutex::new(state) })
    }

    /// The time in the emulated Azure.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The state, after everything that is due has happened.
    pub fn settled(&self) -> (MutexGuard<'_, State>, Timestamp) {
        // A panic in a rule must not take all later calls with it; the state is consistent between rules.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        settle(&mut state, now);
        (state, now)
    }

    /// Notes a call and says what it is to suffer.
    pub fn admit(&self, request: &Request) -> Admitted {
        let (mut state, now) = self.settled();
        let state = &mut *state;
        let kind = request.kind();
        let path = match kind {
            CallKind::Arm => ArmPath::from_request(&request.path).map(|path| path.id()),
            CallKind::Token | CallKind::Imds => None,
        }
        .unwrap_or_else(|| request.path.clone());
        let fault = state.faults.pick(kind, &request.method, &path, now);
        let (id, writes) = fault.as_ref().map_or((None, 0), |hit| (Some(hit.id), hit.writes));
        let correlation = match &request.correlation {
            Some(id) if uuid::Uuid::try_parse(id).is_ok() => id.clone(),
            _ => guid::draw(&mut state.rng),
        };
        let body = match kind {
            CallKind::Arm if !request.body.is_empty() => {
                serde_json::from_slice::<Box<RawValue>>(&request.body).ok()
            }
            _ => None,
        };
        let entry = Entry {
            seq: 0,
            time: now,
            kind,
            method: request.method.clone(),
            path,
            query: ledger::shown(&request.query),
            status: None,
            code: None,
            effect: None,
            principal: None,
            bearer_tenant: None,
            auxiliary_tenants: Vec::new(),
            auxiliary_principals: Vec::new(),
            bytes: 0,
            fault: id,
            request_body: body,
            correlation_id: correlation.clone(),
            client_id: None,
            tenant: None,
            secret_fingerprint: None,
            proof: None,
            assertion_fingerprint: None,
            certificate_thumbprint: None,
            federated_issuer: None,
            federated_subject: None,
        };
        state.tally.arrived(kind, &request.method);
        let seq = state.ledger.note(entry, state.settings.ledger_limit);
        identify(state, seq, kind, request);
        let latency = state.settings.latency_ms.draw(&mut state.rng);
        let (delay_ms, effect) =
            fault.map_or((0, Effect::Serve), |hit| (hit.action.delay_ms, hit.action.effect));
        Admitted { seq, delay_ms: delay_ms + latency, kind, effect, fault: id, writes, correlation }
    }

    /// Lets an admitted call happen, and says what its caller sees.
    pub fn act(&self, request: &Request, admitted: &Admitted) -> Reaction {
        let (mut state, now) = self.settled();
        let state = &mut *state;
        let reaction = match &admitted.effect {
            Effect::Serve => Reaction::Answer(perform(state, request, admitted.seq, now, Quirk::None)),
            Effect::FailMember => {
                Reaction::Answer(perform(state, request, admitted.seq, now, Quirk::FailMember))
            }
            Effect::Stale => {
                let quirk = Quirk::Stale { since: admitted.writes };
                Reaction::Answer(perform(state, request, admitted.seq, now, quirk))
            }
            Effect::Bom => {
                let mut answer = perform(state, request, admitted.seq, now, Quirk::None);
                answer.body = [b"\xef\xbb\xbf", &answer.body[..]].concat().into();
                Reaction::Answer(answer)
            }
            Effect::ContentType { value } => {
                let mut answer = perform(state, request, admitted.seq, now, Quirk::None);
                answer.headers.retain(|(name, _)| name != "content-type");
                Reaction::Answer(answer.with("content-type", value.clone()))
            }
            Effect::Answer { status, code, message, body, headers } => {
                let mut answer = match body {
                    Some(body) => Answer::json(*status, body),
                    None => scripted(admitted.kind, *status, code.as_deref(), message.as_deref()),
                };
                answer.headers.extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
                Reaction::Answer(answer)
            }
            Effect::CutBefore => Reaction::Cut,
            Effect::CutAfter => {
                let status = perform(state, request, admitted.seq, now, Quirk::None).status;
                note_effect(state, admitted.seq, status);
                Reaction::Cut
            }
            Effect::LateEffect { ms } => {
                let event = Event::Late { request: Box::new(request.clone()), seq: admitted.seq };
                state.world.agenda.add(now, *ms, event, &mut state.rng);
                Reaction::Cut
            }
            Effect::Html { status } => Reaction::Answer(html(*status)),
            Effect::Truncated => {
                let answer = perform(state, request, admitted.seq, now, Quirk::None);
                note_effect(state, admitted.seq, answer.status);
                Reaction::Truncated(answer)
            }
            Effect::Giant { bytes } => Reaction::Giant(*bytes),
            Effect::Redirect { location } => {
                Reaction::Answer(Answer::empty(307).with("location", location.clone()))
            }
        };
        if let (Effect::Stale | Effect::FailMember, Reaction::Answer(answer), Some(id)) =
            (&admitted.effect, &reaction, admitted.fault)
            && !answer.bent
        {
            // There was nothing older to show, or the PUT was refused.
            state.faults.missed(id);
            if let Some(entry) = state.ledger.get_mut(admitted.seq) {
                entry.fault = None;
            }
        }
        let reaction = match reaction {
            Reaction::Answer(answer) => {
                Reaction::Answer(rules::headers::complete(answer, request, &admitted.correlation, now))
            }
            Reaction::Truncated(answer) => {
                Reaction::Truncated(rules::headers::complete(answer, request, &admitted.correlation, now))
            }
            other => other,
        };
        let seen = match &reaction {
            Reaction::Answer(answer) | Reaction::Truncated(answer) => {
                Some((answer.status, answer.code.clone(), answer.body.len()))
            }
            Reaction::Giant(bytes) => Some((200, None, usize::try_from(*bytes).unwrap_or(usize::MAX))),
            Reaction::Cut => None,
        };
        if let Some((status, code, bytes)) = seen {
            state.tally.answered(admitted.kind, &request.method, status);
            if let Some(entry) = state.ledger.get_mut(admitted.seq) {
                (entry.status, entry.code, entry.bytes) = (Some(status), code, bytes);
            }
        }
        state.ledger.tell(admitted.seq);
        reaction
    }

    /// What came of calls since this was last asked, for who follows the ledger.
    pub fn told(&self) -> Vec<Entry> {
        self.settled().0.ledger.take_told()
    }

    /// A call from its arrival to its answer, without any delay: for callers in the same process.
    pub fn call(&self, request: &Request) -> Reaction {
        let admitted = self.admit(request);
        self.act(request, &admitted)
    }
}

/// Lets everything happen that is due.
pub(crate) fn settle(state: &mut State, now: Timestamp) {
    while let Some((due, event)) = state.world.agenda.take_due(now) {
        match event {
            Event::ScopeConnection(key) => pairing::look_from_manager(state, &key, due),
            Event::ManagerConnection(key) => pairing::look_from_target(state, &key, due),
            Event::CrossTenantScope { manager, tenant, scope } => {
                pairing::look_at_scopes(state, &manager, &tenant, &scope);
            }
            Event::MemberPlaced(key) => static_members::place(state, &key, due),
            Event::StaticMember(key) => static_members::finish(state, &key, due),
            Event::Registered { scope, tenant } => {
                if let Some(path) = ArmPath::from_id(&scope) {
                    rules::registration::set(state, &path, &tenant, true);
                }
            }
            Event::Manager(key) => network_managers::finish(state, &key),
            Event::Late { request, seq } => {
                let status = perform(state, &request, seq, due, Quirk::None).status;
                note_effect(state, seq, status);
                state.ledger.tell(seq);
            }
        }
    }
}

fn perform(state: &mut State, request: &Request, seq: u64, now: Timestamp, quirk: Quirk) -> Answer {
    let (answer, asked) = match request.kind() {
        CallKind::Arm => return rules::answer(state, request, now, quirk),
        CallKind::Token => entra::answer(state, request, now),
        CallKind::Imds => imds::answer(state, request, now),
    };
    if let Some(entry) = state.ledger.get_mut(seq) {
        entry.tenant = asked.tenant;
        entry.client_id = asked.client_id;
        entry.secret_fingerprint = asked.secret_fingerprint;
        entry.proof = asked.proof;
        entry.assertion_fingerprint = asked.assertion_fingerprint;
        entry.certificate_thumbprint = asked.certificate_thumbprint;
        entry.federated_issuer = asked.federated_issuer;
        entry.federated_subject = asked.federated_subject;
    }
    answer
}

/// Who called, as far as the tokens say; also for calls that a fault keeps from the rules.
fn identify(state: &mut State, seq: u64, kind: CallKind, request: &Request) {
    if kind != CallKind::Arm {
        return;
    }
    let (bearer, auxiliary) = rules::tokens::peek(&state.signer, request);
    if let Some(entry) = state.ledger.get_mut(seq) {
        if let Some(claims) = bearer {
            entry.principal = Some(claims.appid);
            entry.bearer_tenant = Some(claims.tid);
        }
        for claims in auxiliary {
            entry.auxiliary_principals.push(claims.appid);
            entry.auxiliary_tenants.push(claims.tid);
        }
    }
}

fn note_effect(state: &mut State, seq: u64, status: u16) {
    if let Some(entry) = state.ledger.get_mut(seq) {
        entry.effect = Some(status);
    }
}

/// The answer that a fault prescribes, in the form of the service it stands for.
fn scripted(kind: CallKind, status: u16, code: Option<&str>, message: Option<&str>) -> Answer {
    if code.is_none() && message.is_none() {
        return Answer::empty(status);
    }
    let (code, message) = (code.unwrap_or("Scripted"), message.unwrap_or("This answer was scripted."));
    match kind {
        CallKind::Arm => Answer::gateway(status, code, message),
        CallKind::Token => {
            let digits = code.trim_start_matches("AADSTS").parse::<u32>().ok();
            let body = json!({
                "error": code,
                "error_description": message,
                "error_codes": digits.into_iter().collect::<Vec<_>>(),
            });
            let mut answer = Answer::json(status, &body);
            answer.code = Some(code.into());
            answer
        }
        CallKind::Imds => {
            let mut answer = Answer::json(status, &json!({"error": code, "error_description": message}));
            answer.code = Some(code.into());
            answer
        }
    }
}

fn html(status: u16) -> Answer {
    let mut answer = Answer::empty(status).with("content-type", "text/html");
    answer.body = Bytes::from_static(
        b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>Bad Gateway</h1></center></body></html>",
    );
    answer
}
