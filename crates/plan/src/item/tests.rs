//! An item in a small Azure: from nothing to held, back, and what none of it may do.

use std::collections::BTreeSet;

use avnm_api::{AdoptionPolicy, ClaimPhase, CredentialKind, CredentialRef};
use avnm_terms::{
    ArmId, AzureName, ClientId, ConnectionState, Fault, FaultKind, Lane, ManagerId, Moment, Now, Reading,
    ScopeId, TenantId,
};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::{
    credential::{Owner, UsableCredential, admit},
    fault::Before,
    pace::Waits,
    side::Resource,
};

const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/rg/providers/Microsoft.Network/networkManagers/nm";
const TENANT: &str = "12345678-12a3-4abc-5cde-678909876543";

/// A world with one scope connection, and what the item and its pass know.
struct World {
    item: Item,
    there: Option<Seen>,
    goal: Goal,
    adoption: AdoptionPolicy,
    held: bool,
    held_now: BTreeSet<CredentialRef>,
    steady: i64,
    deletes: u32,
    puts: u32,
    told: Vec<&'static str>,
}

fn wish(name: &str, description: &str) -> Wish {
    let manager = ManagerId::parse(MANAGER).unwrap();
    let tenant = TenantId::parse(TENANT).unwrap();
    let scope = ScopeId::parse("/subscriptions/87654321-abcd-1234-1def-0987654321ab").unwrap();
    let address = Address::scope_connection(&manager, &tenant, &scope, &AzureName::parse(name).unwrap());
    Wish {
        keys: vec![Key::of(address.id().key())],
        address,
        body: Body::scope_connection(&tenant, &scope, Some(description)),
        description: Some(description.to_owned()),
    }
}

fn seen(wish: &Wish) -> Seen {
    Seen {
        id: wish.address.id().clone(),
        state: State::Connection(ConnectionState::Pending),
        body: wish.body.clone(),
        description: wish.description.clone().unwrap_or_default(),
        location: String::new(),
        changed_by: None,
    }
}

fn signer() -> UsableCredential {
    UsableCredential {
        credential: CredentialRef { kind: CredentialKind::TenantCredential, name: "central".into() },
        uid: "c".into(),
        tenant: TenantId::parse("24680975-1234-abcd-56ef-121314ab5643").unwrap(),
        client: ClientId::parse("a0a0a0a0-1111-2222-3333-444444444444").unwrap(),
        allowed_scopes: None,
        terminating: false,
        admission: admit(Owner::Namespace("hub"), "hub", None).unwrap(),
        last_material: false,
        held: false,
    }
}

impl World {
    fn new() -> Self {
        let mut item = Item::new(Resource::ScopeConnection, Some(wish("link", "ours")), None);
        item.signer = Some(signer());
        Self {
            item,
            there: None,
            goal: Goal::Present,
            adoption: AdoptionPolicy::IfIdentical,
            held: false,
            held_now: BTreeSet::new(),
            steady: 0,
            deletes: 0,
            puts: 0,
            told: Vec::new(),
        }
    }

    fn at(&self) -> Moment {
        Moment::after_start(SignedDuration::from_secs(self.steady))
    }

    fn answered(&mut self, answer: Answer) {
        let at = self.at();
        self.item.answered(answer, &Waits::default(), at);
    }

    fn look(&mut self) {
        let reading = self.there.clone().map_or(Reading::Absent, Reading::Found);
        let by = Reader::Got(self.at());
        self.answered(Answer::Read { by, reading });
    }

    fn advance(&self) -> Advance {
        let waits = Waits::default();
        self.item.advance(&Facts {
            uid: "u",
            goal: self.goal,
            policy: Policy { enforce: true, adoption: self.adoption },
            ready: true,
            held: self.held,
            held_now: &self.held_now,
            replace_needed: false,
            description_not_taken: false,
            waits: &waits,
            now: Now { wall: Timestamp::UNIX_EPOCH, steady: self.at() },
        })
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Admit { write, .. } => self.answered(Answer::Admitted(write, Ok(()))),
            Effect::Hold => {
                self.held = true;
                self.held_now.insert(signer().credential);
            }
            Effect::Claim(claim) => self.answered(Answer::Claimed(claim)),
            Effect::Persist => self.answered(Answer::Persisted),
            Effect::Vouch => self.answered(Answer::Vouched(None)),
            Effect::Confirm => {
                self.answered(Answer::Vouched(None));
                self.look();
                self.answered(Answer::Confirmed);
            }
            Effect::Remake => self.answered(Answer::Remade),
            Effect::Put { cause, .. } => {
                assert_eq!(
                    self.item.durable().map(|claim| claim.uid.as_str()),
                    Some("u"),
                    "a PUT without a claim"
                );
                assert_eq!(
                    self.item.durable().and_then(|claim| claim.id.clone()),
                    self.item.id().map(ToString::to_string)
                );
                self.puts += 1;
                self.there = self.item.wish.as_ref().map(seen);
                self.answered(Answer::Put(cause, Ok(())));
                self.look();
            }
            Effect::Delete => {
                self.deletes += 1;
                self.there = None;
                self.answered(Answer::Deleted(Ok(())));
                self.look();
            }
            Effect::Tell(happening) => self.told.push(happening.reason),
        }
    }

    /// Rounds of one pass until the item rests.
    fn pass(&mut self) -> Move {
        self.look();
        for _ in 0..24 {
            let next = self.advance();
            if next.effects.is_empty() {
                return next.step;
            }
            for ((), effect) in in_order(next.effects.into_iter().map(|effect| ((), effect)).collect()) {
                self.effect(effect);
            }
        }
        panic!("the item does not come to rest: {:?}", self.advance());
    }

    /// Passes, each so many seconds after the last one.
    fn passes(&mut self, count: usize, apart: i64) -> Move {
        let mut last = Move::Settled;
        for _ in 0..count {
            self.steady += apart;
            last = self.pass();
        }
        last
    }
}

#[test]
fn from_nothing_to_held_and_back() {
    let mut world = World::new();
    assert_eq!(world.pass(), Move::Settled);
    let claim = world.item.claim().unwrap();
    assert_eq!((claim.phase, world.puts), (ClaimPhase::Held, 1));
    world.goal = Goal::Gone;
    // Absences right after the DELETE are within the lag behind the PUT; then three that are apart.
    assert_eq!(world.passes(5, 3), Move::AwaitGone);
    assert!(world.item.claim().is_some(), "15 s after the PUT no absence proves anything");
    world.passes(4, 3);
    assert_eq!((world.item.claim(), world.deletes), (None, 1));
}

#[test]
fn nothing_more_is_written_at_rest() {
    let mut world = World::new();
    world.pass();
    for _ in 0..20 {
        assert_eq!(world.passes(1, 300), Move::Settled);
    }
    assert_eq!((world.puts, world.deletes), (1, 0));
}

#[test]
fn a_claim_of_another_id_is_released_and_vouches_for_nothing() {
    for goal in [Goal::Present, Goal::Gone] {
        let mut world = World::new();
        world.pass();
        let claim = world.item.claim().cloned();
        let mut item = Item::new(Resource::ScopeConnection, Some(wish("victim", "ours")), claim);
        item.signer = Some(UsableCredential { held: true, ..signer() });
        world.item = item;
        world.there = Some(seen(&wish("victim", "theirs")));
        (world.goal, world.adoption) = (goal, AdoptionPolicy::Never);
        let rests = world.pass();
        assert_eq!(world.item.durable(), None, "{goal:?}");
        assert_eq!((world.puts, world.deletes), (1, 0), "{goal:?}: somebody else's was written or deleted");
        assert!(world.told.contains(&"HalfReleased"));
        assert_eq!(rests, if goal == Goal::Present { Move::Foreign } else { Move::Settled });
    }
}

#[test]
fn an_id_that_differs_by_casing_is_the_same() {
    let mut world = World::new();
    world.pass();
    let mut claim = world.item.claim().cloned().unwrap();
    claim.id = claim.id.map(|id| id.to_uppercase());
    let item = Item::new(Resource::ScopeConnection, Some(wish("link", "ours")), Some(claim));
    assert!(!item.claims_another());
}

#[test]
fn a_claim_moves_only_to_a_credential_that_is_held_and_stays() {
    for (terminating, held, moves) in
        [(false, false, true), (false, true, true), (true, true, false), (true, false, false)]
    {
        let mut world = World::new();
        world.pass();
        let other = CredentialRef { kind: CredentialKind::TenantCredential, name: "other".into() };
        world.item.signer =
            Some(UsableCredential { credential: other.clone(), terminating, held, ..signer() });
        world.look();
        for _ in 0..3 {
            for effect in world.advance().effects {
                if effect == Effect::Hold {
                    assert!(!terminating, "what is being deleted takes no finalizer");
                    world.held_now.insert(other.clone());
                } else {
                    world.effect(effect);
                }
            }
        }
        let moved = world.item.claim().is_some_and(|claim| claim.credential_ref == other);
        assert_eq!(moved, moves, "terminating {terminating}, held {held}");
    }
}

#[test]
fn what_failed_is_not_tried_again_in_its_pass() {
    let mut world = World::new();
    world.look();
    // Admission, claim, live reads.
    for _ in 0..4 {
        for effect in world.advance().effects {
            if !matches!(effect, Effect::Put { .. }) {
                world.effect(effect);
            }
        }
    }
    assert!(matches!(world.advance().effects.first(), Some(Effect::Put { .. })));
    let cut = Fault { effect_unknown: true, ..Fault::local("put", "x", FaultKind::Network, "cut") };
    world.answered(Answer::Put(Cause::Make, Err(cut)));
    assert!(world.advance().effects.is_empty());
    assert!(!world.item.history().is_quiet(world.at()));
}

#[test]
fn an_heir_takes_what_is_given_and_the_holder_does_not_delete_it() {
    let mut holder = World::new();
    holder.pass();
    holder.goal = Goal::Gone;
    holder.item.standing.heir = Some("CrossTenantConnection renamed".into());
    assert_eq!(holder.passes(3, 5), Move::AwaitHeir);
    assert_eq!(holder.deletes, 0);
    // Under adoptionPolicy Never, too: it is not a stranger's.
    let mut heir = World::new();
    (heir.there, heir.adoption) = (holder.there.clone(), AdoptionPolicy::Never);
    heir.item.standing.given = true;
    assert_eq!(heir.pass(), Move::Settled);
    assert_eq!((heir.puts, heir.told.as_slice()), (0, &["TakenOver"][..]));
    assert_eq!(heir.item.durable().map(|claim| claim.phase), Some(ClaimPhase::Held));
    holder.item.standing = Standing { yields: true, ..Default::default() };
    holder.pass();
    assert_eq!((holder.item.durable(), holder.deletes), (None, 0));
    assert!(holder.told.contains(&"HandedOver"));
}

/// Azure refused one description; the next one fails for another cause. That is told, and not tried again in the pass.
#[test]
fn what_fails_after_a_refused_description_is_a_failure() {
    let (now, mut world) = (Moment::after_start(SignedDuration::ZERO), World::new());
    world.pass();
    world.there = Some(seen(&wish("link", "theirs")));
    world.look();
    let refused = Fault::local("put", "x", FaultKind::Refused, "no");
    let put = |fault: &Fault| Answer::Put(Cause::Correct, Err(fault.clone()));
    world.item.answered(put(&refused), &Waits::default(), now);
    assert!(world.item.write_fault().is_none(), "a description that is not taken is no failure of the half");
    world.item.wish = Some(wish("link", "another"));
    for kind in [FaultKind::PermissionDenied, FaultKind::Busy, FaultKind::Network] {
        let fault = Fault::local("put", "x", kind.clone(), "no");
        world.item.answered(put(&fault), &Waits::default(), now);
        assert_eq!(world.item.write_fault(), Some(&fault), "{kind:?}");
    }
    // What Azure Policy denies is nothing against the description.
    let mut world = World::new();
    world.pass();
    world.there = Some(seen(&wish("link", "theirs")));
    world.look();
    let denied = Fault { code: "RequestDisallowedByPolicy".into(), ..refused };
    world.item.answered(put(&denied), &Waits::default(), now);
    assert_eq!(world.item.write_fault(), Some(&denied));
}

#[test]
fn each_finding_says_who_must_act() {
    let mut world = World::new();
    world.there = Some(seen(&wish("link", "theirs")));
    let step = world.pass();
    let waits = Waits::default();
    let facts = Facts {
        uid: "u",
        goal: Goal::Present,
        policy: Policy { enforce: true, adoption: AdoptionPolicy::IfIdentical },
        ready: true,
        held: true,
        held_now: &BTreeSet::new(),
        replace_needed: false,
        description_not_taken: false,
        waits: &waits,
        now: Now { wall: Timestamp::UNIX_EPOCH, steady: world.at() },
    };
    let found = world.item.findings(step, &facts);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].message.contains("description is \"theirs\"")
            && found[0].message.ends_with("(ClusterOperator)")
    );
    let id = ArmId::parse(&format!("{MANAGER}/scopeConnections/elsewhere")).unwrap();
    world.there = None;
    world.look();
    world.answered(Answer::Elsewhere { same: Some(id.clone()), mismatch: None });
    let step = world.advance().step;
    assert!(world.item.findings(step, &facts)[0].message.contains(id.as_str()));
}

/// What became of earlier calls decides what a refusal means: only with the same credential, and what was answered a moment
/// ago is there.
#[test]
fn a_refusal_is_judged_by_what_worked_before() {
    let denied = |kind| Fault::local("get scopeConnection", MANAGER, kind, "no");
    let before = |world: &World, kind| world.item.place(&denied(kind)).before;
    let read = |world: &mut World, reading| world.answered(Answer::Read { by: Reader::Listed, reading });
    let mut world = World::new();
    read(&mut world, Reading::Unread(denied(FaultKind::PermissionDenied)));
    assert_eq!(before(&world, FaultKind::PermissionDenied), Before::Never);
    read(&mut world, Reading::Absent);
    read(&mut world, Reading::Unread(denied(FaultKind::PermissionDenied)));
    assert_eq!(before(&world, FaultKind::PermissionDenied), Before::Worked, "a look was answered");
    world.item.signer.as_mut().unwrap().uid = "another".into();
    assert_eq!(before(&world, FaultKind::PermissionDenied), Before::Never, "to another credential");

    // What is held was written with the credential that its claim names, also by another process.
    let mut world = World::new();
    world.pass();
    let claim = world.item.claim().cloned();
    let mut world = World::new();
    world.item = Item {
        signer: world.item.signer.clone(),
        ..Item::new(Resource::ScopeConnection, Some(wish("link", "x")), claim)
    };
    read(&mut world, Reading::Unread(denied(FaultKind::PermissionDenied)));
    assert_eq!(before(&world, FaultKind::PermissionDenied), Before::Worked);
    world.item.signer.as_mut().unwrap().credential.name = "another".into();
    assert_eq!(before(&world, FaultKind::PermissionDenied), Before::Never);

    // What was read a moment ago is there; of what is linked that says nothing.
    let mut world = World::new();
    read(&mut world, Reading::Absent);
    world.answered(Answer::Put(Cause::Make, Err(denied(FaultKind::PermissionDenied))));
    assert_eq!(before(&world, FaultKind::PermissionDenied), Before::Answers);
    assert_eq!(before(&world, FaultKind::LinkedPermissionDenied), Before::Never);
}

/// Nothing is read by GET for a write that cannot go out: the turn is asked for by what the list says.
#[test]
fn what_a_list_says_asks_for_a_turn() {
    let mut world = World::new();
    world.pass();
    let waits = Waits::default();
    let facts = Facts {
        uid: "u",
        goal: Goal::Present,
        policy: Policy { enforce: true, adoption: world.adoption },
        ready: true,
        held: true,
        held_now: &BTreeSet::from([signer().credential]),
        replace_needed: false,
        description_not_taken: false,
        waits: &waits,
        now: Now { wall: Timestamp::UNIX_EPOCH, steady: Moment::after_start(SignedDuration::from_hours(1)) },
    };
    let asks = |reading: Reading<Seen>| world.item.asks_before_look(&reading, &facts);
    assert_eq!(asks(Reading::Found(seen(&wish("link", "ours")))), None, "as wanted");
    assert_eq!(asks(Reading::Found(seen(&wish("link", "theirs")))), Some((Write::Put, Lane::Repair)));
    assert_eq!(asks(Reading::Absent), Some((Write::Put, Lane::Repair)));
    let fault = Fault::local("list", "x", FaultKind::Server, "no");
    assert_eq!(asks(Reading::Unread(fault)), None);
    let before = world.item.clone();
    let _ = world.item.asks_before_look(&Reading::Absent, &facts);
    assert_eq!(world.item, before, "nothing is noted of it");
}

/// What we deleted to make it anew is a user's change, however it came to that; a half is never deleted for that.
#[test]
fn what_is_being_replaced_goes_before_repairs() {
    let waits = Waits::default();
    for (resource, lane) in [(Resource::Member, Lane::Change), (Resource::ScopeConnection, Lane::Repair)] {
        let mut world = World::new();
        world.pass();
        world.item.resource = resource;
        world.item.history.deleted(world.at());
        assert_eq!(world.item.is_being_replaced(), resource == Resource::Member);
        let facts = Facts {
            uid: "u",
            goal: Goal::Present,
            policy: Policy { enforce: true, adoption: world.adoption },
            ready: true,
            held: true,
            held_now: &BTreeSet::from([signer().credential]),
            replace_needed: false,
            description_not_taken: false,
            waits: &waits,
            now: Now {
                wall: Timestamp::UNIX_EPOCH,
                steady: Moment::after_start(SignedDuration::from_hours(1)),
            },
        };
        assert_eq!(world.item.asks_before_look(&Reading::Absent, &facts), Some((Write::Put, lane)));
    }
}
