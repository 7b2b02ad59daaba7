//! From what is wanted and what was read to the next steps. Pure; looked at again after every step.

use avnm_api::{Claim, ClaimOrigin, ClaimPhase, CredentialRef, Mode, RecreateStatus};
use avnm_terms::{ConnectionState, FaultKind, Moment, Reading};
use jiff::Timestamp;

use super::{
    Desired, Half, HalfDesire, HalfSeen, Inputs, Memory, Observed, Role, Standing, deletion::deletion,
    recreate::recreation,
};
use crate::{
    finding::{Finding, Happening},
    item::{self, Cause, Claimed, Goal, Move, SeenAs, Situation},
    pace::{Waiting, Waits},
    reason::Reason,
    status::whole,
};

/// One thing to do. The executor does them in order and decides nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Put finalizers on these credentials, then on the object.
    Hold(Vec<CredentialRef>),
    /// Change a claim; durable only after the next `Persist`.
    SetClaim(Half, Option<Claim>),
    /// Change how far a recreation has come.
    SetRecreate(RecreateStatus),
    /// Write status now: what follows rests on it.
    Persist,
    /// Read live what the half's claim would rest on.
    Vouch(Half),
    /// Read what the half's claim rests on live, then Azure again.
    Confirm(Half),
    /// Send the half's body with this description.
    Put {
        /// Which half.
        half: Half,
        /// `None` leaves the property out.
        description: Option<String>,
        /// Why it is sent.
        cause: Cause,
    },
    /// Delete the half.
    Delete(Half),
    /// Remember that this half, which we held, is being made again: that counts as a correction, and the other half is
    /// sent once more.
    Remake(Half),
    /// Tell the user.
    Tell(Happening),
    /// Take the finalizer off the object.
    Release,
}

/// What to do now and, when there is nothing, what to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The next steps; empty when the pass is over.
    pub steps: Vec<Step>,
    /// What holds of the object.
    pub findings: Vec<Finding>,
    /// What each half's ownership came to.
    pub moves: super::Halves<Option<Move>>,
    /// What a write in mode Enforce would be.
    pub would: Vec<(&'static str, Half, String)>,
    /// What is waited for.
    pub waiting: Waiting,
}

impl Plan {
    pub(super) fn rest(findings: Vec<Finding>, waiting: Waiting) -> Self {
        Self { steps: Vec::new(), findings, moves: super::Halves::default(), would: Vec::new(), waiting }
    }
}

/// Everything that a decision looks at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What Kubernetes says.
    pub inputs: &'a Inputs,
    /// What is wanted.
    pub desired: &'a Desired,
    /// What Azure says.
    pub observed: &'a Observed,
    /// What is held.
    pub standing: &'a Standing,
    /// What is remembered.
    pub memory: &'a Memory,
    /// The waits.
    pub waits: &'a Waits,
    /// Now, for what people read.
    pub now: Timestamp,
    /// Now, for waits.
    pub steady: Moment,
}

/// The next steps.
pub fn decide(view: View<'_>) -> Plan {
    let View { inputs, desired, observed, standing, memory, .. } = view;
    if let Some(fault) = &observed.kube {
        // A stale writer, or an API server that is away: what is known may be old, so nothing is concluded.
        let finding = Finding::of_kubernetes(fault);
        return Plan::rest(vec![finding], Waiting::Retry { streak: memory.streak, after: None });
    }
    if inputs.meta.deleting {
        let mut plan = deletion(view);
        // What is being deleted says so at once: no Ready is kept over a read that failed.
        plan.findings.iter_mut().for_each(|finding| finding.unread = false);
        return plan;
    }
    if standing.any() && !inputs.meta.held {
        return hold_again(view);
    }
    if desired.policies.suspend {
        return Plan::rest(
            vec![Finding::new(Reason::Suspended, "spec.suspend is true: nothing is read or written")],
            Waiting::Someone,
        );
    }
    if let Some(plan) = relinquish(view) {
        return plan;
    }
    if let Some(refused) = &desired.refused {
        return Plan::rest(vec![refused.clone()], Waiting::Someone);
    }
    normal(view)
}

/// A claim without its finalizer: someone replaced the object. Nothing else is looked at before it is held again.
fn hold_again(view: View<'_>) -> Plan {
    let mut plan = Plan::rest(Vec::new(), Waiting::AtOnce);
    plan.steps.push(Step::Hold(unheld(view)));
    plan.steps.push(Step::Tell(Happening::warning(
        "FinalizerRestored",
        "Hold",
        "the object holds something in Azure and had lost its finalizer avnm.dev/azure: it is put back",
    )));
    plan
}

/// Gives up the claims of other ids than those that are wanted now: a half that was taken out, or put back under another
/// name. They vouch for nothing, so nothing else is looked at before they are durably gone.
pub(super) fn relinquish(view: View<'_>) -> Option<Plan> {
    let mut plan = Plan::rest(Vec::new(), Waiting::AtOnce);
    for half in Half::BOTH {
        let desire = view.desired.halves.get(half);
        let Some(claim) = view.standing.claims.get(half) else { continue };
        if !item::is_of_another(claim, desire.id.as_ref()) {
            continue;
        }
        let id = claim.id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
        let why =
            if desire.role == Role::Ours { "spec names another one" } else { "it was taken out of spec" };
        plan.steps.push(Step::SetClaim(half, None));
        plan.steps.push(Step::Tell(Happening::normal(
            "HalfReleased",
            "Release",
            format!("the {}{id} is no longer ours and stays in Azure: {why}", half.words()),
        )));
    }
    if plan.steps.is_empty() {
        return None;
    }
    plan.steps.push(Step::Persist);
    // What could not be made durable did not happen, and is not told.
    plan.steps.sort_by_key(|step| matches!(step, Step::Tell(_)));
    Some(plan)
}

fn claimed(claim: Option<&Claim>, desire: &HalfDesire) -> Claimed {
    let Some(claim) = claim else { return Claimed::No };
    if item::is_of_another(claim, desire.id.as_ref()) {
        return Claimed::OtherId;
    }
    let current = desire.want.as_ref().is_some_and(|want| want.hash() == claim.body_hash);
    match claim.phase {
        ClaimPhase::Intended => Claimed::Intended { current },
        ClaimPhase::Held => Claimed::Held { current },
    }
}

fn seen(reading: &Reading<HalfSeen>, desire: &HalfDesire, claim: Option<&Claim>) -> SeenAs {
    match reading {
        Reading::Unread(_) => SeenAs::Unread,
        Reading::Absent => SeenAs::Absent,
        Reading::Found(found) => SeenAs::Found {
            wanted: desire.want.as_ref().is_some_and(|want| found.body.is_what(want)),
            claimed: claim.is_some_and(|claim| found.body.is_claimed_as(&claim.body_hash)),
        },
    }
}

/// Credentials that still lack our finalizer, and can get one: what is being deleted takes none.
fn unheld(view: View<'_>) -> Vec<CredentialRef> {
    let mut credentials: Vec<CredentialRef> = Half::BOTH
        .into_iter()
        .filter(|half| view.desired.halves.get(*half).role == Role::Ours)
        .filter_map(|half| view.desired.halves.get(half).signer.as_ref())
        .filter(|signer| !signer.held && !signer.terminating)
        .map(|signer| signer.credential.clone())
        .collect();
    credentials.sort();
    credentials.dedup();
    credentials
}

pub(super) fn situation(view: View<'_>, half: Half) -> Situation {
    let desire = view.desired.halves.get(half);
    let observed = view.observed.halves.get(half);
    let claim = view.standing.claims.get(half).as_ref();
    let memory = view.memory.halves.get(half);
    let state = observed.reading.found().map(|found| &found.state);
    let enforce = view.desired.policies.mode == Mode::Enforce;
    let may_write = enforce
        && desire.signer.as_ref().is_some_and(|signer| {
            desire.goal == Goal::Gone || (!signer.last_material && (claim.is_some() || !signer.terminating))
        });
    let want = desire.want.as_ref().map(crate::item::Body::hash);
    let stuck =
        memory.stuck(want.as_ref(), view.steady) || (memory.correction.is_none() && replace_was_needed(view));
    Situation {
        goal: desire.goal,
        claimed: claimed(claim, desire),
        seen: if desire.signer.is_none() { SeenAs::Unread } else { seen(&observed.reading, desire, claim) },
        elsewhere: observed.elsewhere.is_some(),
        vouched: observed.vouched,
        given: false,
        heir: false,
        confirmed: observed.confirmed,
        quiet: memory.is_quiet(view.steady),
        held: view.inputs.meta.held && unheld(view).is_empty(),
        may_write,
        // What was just sent gets time to show; Conflict gets no write at all.
        frozen: stuck
            || memory.correcting(want.as_ref(), view.steady).is_some()
            || state == Some(&ConnectionState::Conflict),
        paused: memory.contended(view.steady)
            || (observed.reading.is_absent() && memory.may_lag(view.waits, view.steady)),
        gone: memory.absences() >= half.resource().absences(),
        adoption: view.desired.policies.adoption,
    }
}

/// After a restart the old status tells that a correction did not help, for the same generation.
pub(super) fn replace_was_needed(view: View<'_>) -> bool {
    crate::status::find(&view.inputs.status.conditions, "Ready").is_some_and(|ready| {
        ready.reason == Reason::ReplaceNeeded.as_str()
            && ready.observed_generation == Some(view.inputs.meta.generation)
    })
}

pub(super) fn new_claim(
    view: View<'_>,
    half: Half,
    phase: ClaimPhase,
    origin: ClaimOrigin,
    hash: String,
) -> Option<Claim> {
    let desire = view.desired.halves.get(half);
    let signer = desire.signer.as_ref()?;
    let old = view.standing.claims.get(half).as_ref();
    Some(Claim {
        id: desire.id.as_ref().map(ToString::to_string),
        uid: view.inputs.meta.uid.clone(),
        phase,
        origin: old.map_or(origin, |old| old.origin),
        tenant_id: signer.tenant.to_string(),
        // A claim moves only to a credential that is held, and stays so.
        credential_ref: match old {
            Some(old) if !signer.held || signer.terminating => old.credential_ref.clone(),
            _ => signer.credential.clone(),
        },
        body_hash: hash,
        since: old.map_or_else(|| whole(view.now), |old| old.since.clone()),
    })
}

/// Whether status, as it was read or last written, says that the half is held.
fn durably_held(view: View<'_>, half: Half) -> bool {
    let durable = Standing::of(view.inputs);
    durable.claims.get(half).as_ref().is_some_and(|claim| claim.phase == ClaimPhase::Held)
}

/// What a PUT sends as description: spec's, or what was last read.
fn description(view: View<'_>, half: Half) -> Option<String> {
    let desire = view.desired.halves.get(half);
    desire.description.clone().or_else(|| {
        let seen = view.observed.halves.get(half).reading.found()?;
        (!seen.description.is_empty()).then(|| seen.description.clone())
    })
}

fn normal(view: View<'_>) -> Plan {
    if let Some(plan) = recreation(view) {
        return plan;
    }
    let mut plan = Plan::rest(Vec::new(), Waiting::Nothing);
    let mut persist = false;
    let mut puts = Vec::new();
    for half in Half::BOTH {
        let desire = view.desired.halves.get(half);
        let claim = view.standing.claims.get(half).as_ref();
        // A half that is beaten rests; the other one goes on.
        if desire.role != Role::Ours || view.inputs.beaten_by.get(half).is_some() {
            continue;
        }
        let situation = situation(view, half);
        let step = match item::next(&situation) {
            // Under Observe an object keeps the claim that it has, and says what it sees.
            Move::DropClaim if view.desired.policies.mode == Mode::Observe => Move::Foreign,
            step => step,
        };
        *plan.moves.get_mut(half) = Some(step);
        let observed = view.observed.halves.get(half);
        if observed.write.is_some() {
            // This half failed in this pass: it is not tried again before the next one.
            continue;
        }
        let want_hash = desire.want.as_ref().map(crate::item::Body::hash).unwrap_or_default();
        let found = observed.reading.found();
        // What a claim rests on is gone: nothing is claimed or made before the next pass has looked at it again.
        if observed.source_gone.is_some() && step == Move::Claim {
            continue;
        }
        match step {
            Move::Hold => {
                plan.steps = vec![Step::Hold(unheld(view))];
                return plan;
            }
            Move::Claim | Move::Rehash | Move::Reintend => {
                let claim = new_claim(view, half, ClaimPhase::Intended, ClaimOrigin::Created, want_hash);
                plan.steps.push(Step::SetClaim(half, claim));
                persist = true;
                if step == Move::Reintend {
                    plan.steps.push(Step::Remake(half));
                    plan.steps.push(Step::Tell(Happening::warning(
                        "DriftDetected",
                        "Recreate",
                        format!("the {} was deleted behind our back: it is made again", half.words()),
                    )));
                }
            }
            Move::Adopt => {
                // Always over a differing thing: the difference is then drift, against the body that was read.
                let hash = match found {
                    Some(found) if desire.want.as_ref().is_some_and(|want| !found.body.is_what(want)) => {
                        found.body.hash()
                    }
                    _ => want_hash,
                };
                let mut claim = new_claim(view, half, ClaimPhase::Held, ClaimOrigin::Adopted, hash);
                if let Some(claim) = &mut claim {
                    claim.origin = ClaimOrigin::Adopted;
                }
                plan.steps.push(Step::SetClaim(half, claim));
                plan.steps.push(Step::Tell(Happening::normal(
                    "Adopted",
                    "Adopt",
                    format!(
                        "the {} was already there and is now ours: it is corrected, and deleted with this object unless spec.deletionPolicy is Orphan",
                        half.words()
                    ),
                )));
                persist = true;
            }
            Move::MarkHeld | Move::Refresh => {
                let hash = if step == Move::Refresh {
                    want_hash
                } else {
                    claim.map(|claim| claim.body_hash.clone()).unwrap_or_default()
                };
                let claim = new_claim(view, half, ClaimPhase::Held, ClaimOrigin::Created, hash);
                plan.steps.push(Step::SetClaim(half, claim));
            }
            Move::Vouch if observed.source_gone.is_some() => {}
            Move::Vouch => plan.steps.push(Step::Vouch(half)),
            Move::DropClaim => {
                plan.steps.push(Step::SetClaim(half, None));
                plan.steps.push(Step::Tell(Happening::warning(
                    "ClaimDropped",
                    "Release",
                    format!("someone else made the {} before us: it is theirs", half.words()),
                )));
                persist = true;
            }
            Move::Confirm => {
                if observed.source_gone.is_some() && !situation.quiet {
                    // An earlier write may still come: then it is ours, and the claim must name it.
                    *plan.moves.get_mut(half) = Some(Move::AwaitQuiet);
                } else if observed.source_gone.is_some() {
                    // What the claim rests on went away before anything was written: nothing of ours is there.
                    plan.steps.push(Step::SetClaim(half, None));
                    persist = true;
                } else {
                    plan.steps.push(Step::Confirm(half));
                }
            }
            Move::Put => {
                let lost = view.memory.halves.get(half).lost;
                let cause = if lost { Cause::Remake } else { Cause::Make };
                puts.push(Step::Put { half, description: description(view, half), cause });
            }
            // What is about to be changed must be known as ours by status: after a crash nothing else tells.
            Move::Correct if !durably_held(view, half) => persist = true,
            Move::Correct => {
                if let (Some(found), Some(want)) = (found, &desire.want) {
                    // Azure shows what was recorded, and something else is wanted: the wish changed.
                    let wish = situation.claimed == (Claimed::Held { current: false })
                        && claim.is_some_and(|claim| found.body.is_claimed_as(&claim.body_hash));
                    // What was adopted although it differed is drift to the user, and nobody's fault.
                    let user = wish && claim.is_some_and(|claim| claim.origin == ClaimOrigin::Created);
                    let told = view.memory.halves.get(half).tried.as_ref() == Some(&want_hash);
                    let differences = found.body.differences(want, fields(half));
                    for (field, old, new) in differences.into_iter().filter(|_| !told) {
                        let (reason, why) = if user {
                            ("SpecChanged", "spec changed")
                        } else {
                            ("DriftCorrected", "changed behind our back")
                        };
                        puts.push(Step::Tell(Happening::normal(
                            reason,
                            "Correct",
                            format!("{} of the {} {why}: {old:?} becomes {new:?}", field, half.words()),
                        )));
                    }
                    let cause = if wish { Cause::Change } else { Cause::Correct };
                    puts.push(Step::Put { half, description: description(view, half), cause });
                }
            }
            Move::Settled
            | Move::AwaitRead
            | Move::AwaitQuiet
            | Move::AwaitGone
            | Move::AwaitHeir
            | Move::Relinquish
            | Move::Delete
            | Move::Foreign
            | Move::AlreadyExists
            | Move::WouldWrite
            | Move::Frozen => {
                // The claim's credential moves after a successful read with the new one.
                if let (Some(claim), Some(signer), Some(_)) = (claim, &desire.signer, found) {
                    let moves = claim.credential_ref != signer.credential && step == Move::Settled;
                    // What is being deleted takes no claim, also where it is still held for others.
                    if moves && signer.held && !signer.terminating {
                        let claim = Claim { credential_ref: signer.credential.clone(), ..claim.clone() };
                        plan.steps.push(Step::SetClaim(half, Some(claim)));
                    } else if moves && !signer.terminating && situation.may_write {
                        plan.steps.push(Step::Hold(unheld(view)));
                    }
                }
            }
        }
    }
    // One half was made again: the other one, if it is not Connected, is sent once more (assumed to help).
    if let Some(made) = view.memory.nudge {
        let other = made.other();
        let observed = view.observed.halves.get(other);
        if puts.iter().any(|step| matches!(step, Step::Put { half, .. } if *half == made))
            && *plan.moves.get(other) == Some(Move::Settled)
            && observed.write.is_none()
            && situation(view, other).may_write
            && observed.reading.found().is_some_and(|found| {
                !matches!(found.state, ConnectionState::Connected | ConnectionState::Conflict)
            })
        {
            let description = description(view, other);
            puts.push(Step::Put { half: other, description, cause: Cause::Again });
        }
    }
    if persist {
        // Claims are durable before anything rests on them: reads that are to follow them and puts come in a later round.
        plan.steps.retain(|step| !matches!(step, Step::Vouch(_) | Step::Confirm(_)));
        plan.steps.push(Step::Persist);
        // What could not be made durable did not happen, and is not told.
        plan.steps.sort_by_key(|step| matches!(step, Step::Tell(_)));
        return plan;
    }
    // What is taken over is claimed first: a read that is to follow a claim follows all claims of the pass.
    if plan.steps.iter().any(|step| matches!(step, Step::Vouch(_))) {
        plan.steps.retain(|step| !matches!(step, Step::Confirm(_)));
    }
    // The scope half first, also where the other one was claimed before it: what is to be read is read before a PUT.
    if !plan.steps.iter().any(|step| matches!(step, Step::Confirm(_) | Step::Vouch(_))) {
        plan.steps.extend(puts);
    }
    if plan.steps.is_empty() {
        super::conclude::conclude(view, &mut plan);
    }
    plan
}

fn fields(half: Half) -> &'static [&'static str] {
    match half {
        Half::Scope => &["tenantId", "resourceId"],
        Half::Target => &["networkManagerId"],
    }
}

pub(super) fn deleted_lately(view: View<'_>, half: Half) -> bool {
    view.memory.halves.get(half).deleted_lately(view.steady)
}

/// What is waited for when something failed; otherwise what the caller says.
pub(super) fn waiting_for(view: View<'_>, findings: &[Finding], otherwise: Waiting) -> Waiting {
    let faults = Half::BOTH.into_iter().flat_map(|half| {
        let observed = view.observed.halves.get(half);
        observed.write.iter().chain(observed.reading.fault())
    });
    let listed = view.observed.listed.as_ref().and_then(|listed| match listed {
        Reading::Unread(fault) => Some(fault),
        Reading::Found(_) | Reading::Absent => None,
    });
    let mut waiting = None;
    for fault in faults.chain(listed) {
        let after = fault.retry_after.and_then(|after| jiff::SignedDuration::try_from(after).ok());
        let this = match fault.kind {
            FaultKind::NoLease => Waiting::Retry { streak: 2, after: None },
            _ => Waiting::Retry { streak: view.memory.streak, after },
        };
        waiting = Some(match (waiting, this) {
            // Of two waits that Azure asked for, the longer one.
            (Some(Waiting::Retry { after: Some(a), streak }), Waiting::Retry { after: Some(b), .. }) => {
                Waiting::Retry { after: Some(a.max(b)), streak }
            }
            (Some(with @ Waiting::Retry { after: Some(_), .. }), _) => with,
            (_, this) => this,
        });
    }
    match waiting {
        Some(waiting) => waiting,
        None if findings.iter().any(|finding| finding.reason == Reason::DependencyNotReady) => {
            Waiting::Someone
        }
        None => otherwise,
    }
}
