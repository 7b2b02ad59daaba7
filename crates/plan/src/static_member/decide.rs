//! From what is wanted and what was read to the next steps. Pure; looked at again after every step.

use avnm_api::{Claim, ClaimOrigin, ClaimPhase, CredentialRef, Mode};
use avnm_terms::{Actor, MemberType, Moment, NetworkId, ProvisioningState, Reading};
use jiff::{SignedDuration, Timestamp};

use super::{Desired, Inputs, Memory, Observed, deletion::deletion};
use crate::{
    fault,
    finding::{Finding, Happening},
    item::{self, Cause, Claimed, Goal, Move, SeenAs, Situation},
    pace::{Waiting, Waits},
    reason::Reason,
    side::{Resource, Side},
    status::whole,
};

/// One thing to do. The executor does them in order and decides nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Put finalizers on these credentials, then on the object.
    Hold(Vec<CredentialRef>),
    /// Change the claim; durable only after the next `Persist`.
    SetClaim(Option<Claim>),
    /// Write status now: what follows rests on it.
    Persist,
    /// Read the group, which the first PUT depends on.
    ReadGroup,
    /// Read the network with its own tenant's credential.
    ReadNetwork,
    /// Read live what a claim would rest on.
    Vouch,
    /// Read what the claim rests on live, then Azure again.
    Confirm,
    /// Remember that the member, which we held, is being made again: that counts as a correction.
    Remake,
    /// Send the member, with both tokens where the network's tenant is another one.
    Put(Cause),
    /// Delete the member.
    Delete,
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
    /// What ownership came to.
    pub step: Option<Move>,
    /// What a write in mode Enforce would be.
    pub would: Vec<(&'static str, String)>,
    /// What is waited for.
    pub waiting: Waiting,
}

impl Plan {
    pub(super) fn rest(findings: Vec<Finding>, waiting: Waiting) -> Self {
        Self { steps: Vec::new(), findings, step: None, would: Vec::new(), waiting }
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
    pub claim: Option<&'a Claim>,
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
    let View { inputs, desired, observed, memory, .. } = view;
    if let Some(fault) = &observed.kube {
        let finding = Finding::of_kubernetes(fault);
        return Plan::rest(vec![finding], Waiting::Retry { streak: memory.streak, after: None });
    }
    if inputs.meta.deleting {
        let mut plan = deletion(view);
        // What is being deleted says so at once: no Ready is kept over a read that failed.
        plan.findings.iter_mut().for_each(|finding| finding.unread = false);
        return plan;
    }
    if view.claim.is_some() && !inputs.meta.held {
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
    if let Some(winner) = &inputs.beaten_by {
        // Who cannot sign in learns nothing about who else is there.
        if !desired.waits_for.is_empty() {
            return Plan::rest(desired.waits_for.clone(), Waiting::Someone);
        }
        let finding = Finding::new(
            Reason::ClaimedByOther,
            format!(
                "{winner} claims the same member and was first: delete one of the two ({})",
                Actor::ClusterOperator
            ),
        );
        return Plan::rest(vec![finding], Waiting::Someone);
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

/// Gives up a claim of another id than the one that is wanted now: it vouches for nothing, so nothing else is looked at
/// before it is durably gone.
pub(super) fn relinquish(view: View<'_>) -> Option<Plan> {
    let claim = view.claim.filter(|claim| item::is_of_another(claim, Some(view.desired.id.arm())))?;
    let id = claim.id.as_deref().unwrap_or_default();
    let mut plan = Plan::rest(Vec::new(), Waiting::AtOnce);
    let told = format!("the member {id} is no longer ours and stays in Azure: spec names another one");
    plan.steps = vec![
        Step::SetClaim(None),
        Step::Persist,
        Step::Tell(Happening::normal("MemberReleased", "Release", told)),
    ];
    Some(plan)
}

fn claimed(view: View<'_>) -> Claimed {
    let Some(claim) = view.claim else { return Claimed::No };
    if item::is_of_another(claim, Some(view.desired.id.arm())) {
        return Claimed::OtherId;
    }
    let current = view.desired.want.hash() == claim.body_hash;
    match claim.phase {
        ClaimPhase::Intended => Claimed::Intended { current },
        ClaimPhase::Held => Claimed::Held { current },
    }
}

/// Credentials that still lack our finalizer, and can get one: what is being deleted takes none.
fn unheld(view: View<'_>) -> Vec<CredentialRef> {
    let mut credentials: Vec<CredentialRef> = [&view.desired.signer, &view.desired.auxiliary]
        .into_iter()
        .flatten()
        .filter(|credential| !credential.held && !credential.terminating)
        .map(|credential| credential.credential.clone())
        .collect();
    credentials.sort();
    credentials.dedup();
    credentials
}

pub(super) fn situation(view: View<'_>) -> Situation {
    let desire = view.desired;
    let seen = match &view.observed.reading {
        _ if desire.signer.is_none() => SeenAs::Unread,
        Reading::Unread(_) => SeenAs::Unread,
        Reading::Absent => SeenAs::Absent,
        Reading::Found(found) => SeenAs::Found {
            wanted: found.body.is_what(&desire.want),
            claimed: view.claim.is_some_and(|claim| found.body.is_claimed_as(&claim.body_hash)),
        },
    };
    let fresh = |credential: &crate::credential::UsableCredential| {
        !credential.last_material && (view.claim.is_some() || !credential.terminating)
    };
    let ready = desire.waits_for.is_empty()
        && desire.signer.as_ref().is_some_and(fresh)
        && desire.auxiliary.as_ref().is_none_or(fresh);
    Situation {
        goal: desire.goal,
        claimed: claimed(view),
        seen,
        elsewhere: view.observed.elsewhere.is_some(),
        vouched: view.observed.vouched,
        given: false,
        heir: false,
        confirmed: view.observed.confirmed,
        quiet: view.memory.item.is_quiet(view.steady),
        held: view.inputs.meta.held && unheld(view).is_empty(),
        may_write: desire.policies.mode == Mode::Enforce
            && (ready || (desire.goal == Goal::Gone && desire.signer.is_some())),
        frozen: false,
        paused: view.memory.item.contended(view.steady)
            || (view.observed.reading.is_absent() && view.memory.item.may_lag(view.waits, view.steady)),
        gone: view.memory.item.absences() >= Resource::Member.absences(),
        adoption: desire.policies.adoption,
    }
}

fn new_claim(view: View<'_>, phase: ClaimPhase, origin: ClaimOrigin, hash: String) -> Option<Claim> {
    let signer = view.desired.signer.as_ref()?;
    Some(Claim {
        id: Some(view.desired.id.to_string()),
        uid: view.inputs.meta.uid.clone(),
        phase,
        origin: view.claim.map_or(origin, |old| old.origin),
        tenant_id: signer.tenant.to_string(),
        // A claim moves only to a credential that is held, and stays so.
        credential_ref: match view.claim {
            Some(old) if !signer.held || signer.terminating => old.credential_ref.clone(),
            _ => signer.credential.clone(),
        },
        body_hash: hash,
        since: view.claim.map_or_else(|| whole(view.now), |old| old.since.clone()),
    })
}

/// What the first PUT depends on: the group takes this kind of member.
fn fits(view: View<'_>) -> Result<(), Option<Finding>> {
    let group = match &view.observed.group {
        None => return Err(None),
        Some(Reading::Unread(fault)) => {
            return Err(Some(fault::finding(fault, Side::Manager, Resource::Member)));
        }
        Some(Reading::Absent) => {
            return Err(Some(super::conclude::group_missing(view)));
        }
        Some(Reading::Found(group)) => group,
    };
    let subnet = matches!(view.desired.network, NetworkId::Subnet(_));
    match (&group.member_type, subnet) {
        (MemberType::VirtualNetwork, false) => Ok(()),
        (MemberType::Subnet, true) if !view.desired.may_read_manager() => Ok(()),
        (MemberType::Subnet, true) => match &view.observed.routing {
            Some(Reading::Found(true)) => Ok(()),
            Some(Reading::Unread(fault)) => {
                Err(Some(fault::finding(fault, Side::Manager, Resource::ScopeConnection)))
            }
            Some(Reading::Found(false) | Reading::Absent) => Err(Some(Finding::new(
                Reason::RoutingNotEnabled,
                format!(
                    "{} takes subnets, and its manager lacks the scope access Routing: add it to the manager ({})",
                    view.desired.group,
                    Actor::ManagerTenantAdmin
                ),
            ))),
            None => Err(None),
        },
        (MemberType::Subnet, false) => Err(Some(mismatch(view, "subnets", "a virtual network"))),
        (MemberType::VirtualNetwork, true) => Err(Some(mismatch(view, "virtual networks", "a subnet"))),
        (MemberType::Other(word), _) => Err(Some(mismatch(view, word, "a network"))),
    }
}

fn mismatch(view: View<'_>, takes: &str, is: &str) -> Finding {
    Finding::new(
        Reason::MemberTypeMismatch,
        format!(
            "{} takes {takes}, and resourceId is {is}: name another group or resource; the member type of a group is fixed ({})",
            view.desired.group,
            Actor::ClusterOperator
        ),
    )
}

fn normal(view: View<'_>) -> Plan {
    let mut plan = Plan::rest(Vec::new(), Waiting::Nothing);
    let situation = situation(view);
    let step = match item::next(&situation) {
        // Under Observe an object keeps the claim that it has, and says what it sees.
        Move::DropClaim if view.desired.policies.mode == Mode::Observe => Move::Foreign,
        step => step,
    };
    plan.step = Some(step);
    let hash = view.desired.want.hash();
    if view.observed.write.is_some() {
        super::conclude::conclude(view, &mut plan);
        return plan;
    }
    match step {
        Move::Hold | Move::Claim | Move::Put | Move::Confirm
            if view.claim.is_none_or(|claim| claim.phase == ClaimPhase::Intended) =>
        {
            match fits(view) {
                Ok(()) => {}
                Err(None) => {
                    plan.steps.push(Step::ReadGroup);
                    return plan;
                }
                Err(Some(finding)) => {
                    plan.waiting = super::conclude::waiting(view, Waiting::Someone);
                    plan.findings.push(finding);
                    return plan;
                }
            }
        }
        _ => {}
    }
    match step {
        Move::Hold => plan.steps.push(Step::Hold(unheld(view))),
        // What a claim rests on is gone: nothing is claimed before the next pass has looked at it again.
        Move::Claim | Move::Vouch if view.observed.sources_gone.is_some() => {
            super::conclude::conclude(view, &mut plan);
        }
        Move::Claim | Move::Rehash | Move::Reintend => {
            // What is being replaced was deleted by us.
            if step == Move::Reintend && !view.memory.item.lost {
                plan.steps.push(Step::Remake);
                plan.steps.push(Step::Tell(Happening::warning(
                    "DriftDetected",
                    "Recreate",
                    "the member was deleted behind our back: it is made again",
                )));
            }
            plan.steps.push(Step::SetClaim(new_claim(
                view,
                ClaimPhase::Intended,
                ClaimOrigin::Created,
                hash,
            )));
            plan.steps.push(Step::Persist);
        }
        Move::Adopt => {
            let read = view.observed.reading.found().map(|found| found.body.hash()).unwrap_or(hash);
            let claim = new_claim(view, ClaimPhase::Held, ClaimOrigin::Adopted, read)
                .map(|claim| Claim { origin: ClaimOrigin::Adopted, ..claim });
            plan.steps.push(Step::SetClaim(claim));
            plan.steps.push(Step::Tell(Happening::normal(
                "Adopted",
                "Adopt",
                "the member was already there and is now ours: it is corrected, and deleted with this object unless spec.deletionPolicy is Orphan",
            )));
            plan.steps.push(Step::Persist);
        }
        Move::MarkHeld | Move::Refresh => {
            let recorded = if step == Move::Refresh {
                hash
            } else {
                view.claim.map(|claim| claim.body_hash.clone()).unwrap_or_default()
            };
            plan.steps.push(Step::SetClaim(new_claim(
                view,
                ClaimPhase::Held,
                ClaimOrigin::Created,
                recorded,
            )));
        }
        Move::Vouch => plan.steps.push(Step::Vouch),
        Move::DropClaim => {
            plan.steps.push(Step::SetClaim(None));
            plan.steps.push(Step::Tell(Happening::warning(
                "ClaimDropped",
                "Release",
                "someone else made the member before us: it is theirs",
            )));
            plan.steps.push(Step::Persist);
        }
        Move::Confirm => {
            if view.observed.sources_gone.is_some() && !situation.quiet {
                // An earlier write may still come: then it is ours, and the claim must name it.
                plan.step = Some(Move::AwaitQuiet);
                super::conclude::conclude(view, &mut plan);
            } else if view.observed.sources_gone.is_some() {
                plan.steps.push(Step::SetClaim(None));
                plan.steps.push(Step::Persist);
            } else {
                plan.steps.push(Step::Confirm);
            }
        }
        Move::Put => {
            let cause = if view.memory.item.lost { Cause::Remake } else { Cause::Make };
            plan.steps.push(Step::Put(cause));
        }
        // A member cannot change its network: it is deleted and made again.
        // What is about to be replaced must be known as ours by status: after a crash nothing else tells.
        Move::Correct if super::standing(view.inputs).is_none_or(|claim| claim.phase != ClaimPhase::Held) => {
            plan.steps.push(Step::Persist);
        }
        Move::Correct => {
            if deleted_lately(view) {
                super::conclude::conclude(view, &mut plan);
            } else {
                // It is told once, however often the DELETE is refused.
                let found = view.observed.reading.found().filter(|_| !view.memory.item.lost);
                if let Some(found) = found {
                    for (field, old, new) in found.body.differences(&view.desired.want, &["resourceId"]) {
                        plan.steps.push(Step::Tell(Happening::normal(
                            "DriftCorrected",
                            "Replace",
                            format!("{field} of the member changed behind our back: {old:?} becomes {new:?}"),
                        )));
                    }
                }
                plan.steps.push(Step::Remake);
                plan.steps.push(Step::Delete);
            }
        }
        Move::Settled => settled(view, &situation, &mut plan),
        _ => super::conclude::conclude(view, &mut plan),
    }
    if plan.steps.contains(&Step::Persist) {
        // What could not be made durable did not happen, and is not told.
        plan.steps.sort_by_key(|step| matches!(step, Step::Tell(_)));
    }
    plan
}

fn settled(view: View<'_>, situation: &Situation, plan: &mut Plan) {
    if let (Some(claim), Some(signer)) = (view.claim, &view.desired.signer) {
        // The claim's credential moves after a successful read with the new one.
        if claim.credential_ref != signer.credential {
            // What is being deleted takes no claim, also where it is still held for others.
            if signer.held && !signer.terminating {
                let claim = Claim { credential_ref: signer.credential.clone(), ..claim.clone() };
                plan.steps.push(Step::SetClaim(Some(claim)));
            } else if situation.may_write && !signer.terminating {
                plan.steps.push(Step::Hold(unheld(view)));
            }
            if !plan.steps.is_empty() {
                return;
            }
        }
    }
    let failed =
        view.observed.reading.found().is_some_and(|found| found.provisioning == ProvisioningState::Failed);
    if failed && view.claim.is_some() && situation.may_write && view.now >= view.memory.retry_at(view.now) {
        match &view.observed.network {
            None => {
                plan.steps.push(Step::ReadNetwork);
                return;
            }
            Some(Reading::Found(())) => {
                plan.steps.push(Step::Put(Cause::Again));
                return;
            }
            Some(Reading::Absent | Reading::Unread(_)) => {}
        }
    }
    super::conclude::conclude(view, plan);
}

pub(super) fn deleted_lately(view: View<'_>) -> bool {
    view.memory.item.deleted_lately(view.steady)
}

/// How long until a member that Failed is sent again; `None` if that is due.
pub(super) fn retry_in(view: View<'_>) -> Option<SignedDuration> {
    let wait = view.now.duration_until(view.memory.retry_at(view.now));
    (wait > SignedDuration::ZERO).then(|| wait.max(SignedDuration::from_secs(1)))
}
