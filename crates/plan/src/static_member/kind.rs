//! How a member fills in what the lifecycle leaves to kinds.

use avnm_api::{ClaimPhase, StaticMemberStatus};
use avnm_terms::{Fault, FaultKind, Moment, ProvisioningState, Reading};

use super::{
    fits,
    member::{MEMBER, Member, Memory, Step},
    report, state,
};
use crate::{
    finding::Finding,
    item::{Answer, Cause, Effect, Move},
    lifecycle::{At, Before, Common, Gate, Kind, Object, Plan, View},
    pace::Waiting,
    reason::Reason,
    status::Wanted,
};

impl Kind for Member {
    type Status = StaticMemberStatus;
    type Step = Step;
    type Memory = Memory;
    const THINGS: &'static str = "the member";
    const CONDITIONS: &'static [&'static str] = &["Synced"];

    /// Nothing is held yet: the group has to take this kind of member.
    fn gate(view: View<'_, Self>, at: At, step: Move) -> Gate<Step> {
        let held = view.item(at).claim().is_some_and(|claim| claim.phase == ClaimPhase::Held);
        if !held && matches!(step, Move::Hold | Move::Claim | Move::Put | Move::Confirm) {
            fits::fits(view)
        } else {
            Gate::Open
        }
    }

    /// Of what Failed the network is read at once: that it is not there is what somebody has to know. If it is there, it is
    /// sent again when that is due.
    fn further(
        view: View<'_, Self>,
        moves: &[Option<Move>],
        effects: &mut Vec<(At, Effect)>,
    ) -> Option<Step> {
        let (item, own) = (view.item(MEMBER), &view.object.own);
        let failed = item.found().and_then(|seen| seen.provisioning()) == Some(&ProvisioningState::Failed);
        let idle = failed && effects.is_empty();
        // What the group takes may be why.
        if idle && own.group_seen.is_none() && item.claim().and(item.signer.as_ref()).is_some() {
            return Some(Step::ReadGroup);
        }
        if !idle || moves[MEMBER] != Some(Move::Settled) || item.write_fault().is_some() {
            return None;
        }
        let due = item.claim().is_some()
            && item.may_write(&view.facts(MEMBER))
            && own.retry_in(view.now.steady).is_none();
        match &own.network_seen {
            None => return Some(Step::ReadNetwork),
            Some(Reading::Found(())) if due => effects.push((MEMBER, item.again())),
            Some(_) => {}
        }
        None
    }

    fn state(view: View<'_, Self>, _: At, step: Option<Move>, findings: &mut Vec<Finding>) {
        state::state(view, step, findings);
    }

    fn whole(view: View<'_, Self>, findings: &mut Vec<Finding>) {
        let unknown = fits::unknown_type(&view.object.own);
        for finding in findings.iter_mut().filter(|finding| finding.failure.is_some()) {
            finding.message.push_str(&unknown);
        }
    }

    fn faults(view: View<'_, Self>) -> Vec<&Fault> {
        let own = &view.object.own;
        let group = own.group_seen.as_ref().and_then(Reading::fault);
        let routing = own.routing.as_ref().and_then(Reading::fault);
        let network = own.network_seen.as_ref().and_then(Reading::fault);
        [group, routing, network].into_iter().flatten().collect()
    }

    fn waits(view: View<'_, Self>, reason: Reason) -> Option<Waiting> {
        // Once it is due and cannot be sent (Observe, or the network is missing), a sweep is soon enough.
        matches!(reason, Reason::Failed | Reason::TargetMissing).then(|| {
            match view.object.own.retry_in(view.now.steady) {
                Some(wait) => Waiting::Retry { streak: 0, after: Some(wait.min(view.waits.sweep)) },
                None => Waiting::Someone,
            }
        })
    }

    fn status(view: View<'_, Self>, plan: &Plan<Step>, common: Common) -> StaticMemberStatus {
        report::status(view, plan, common)
    }

    fn conditions(view: View<'_, Self>, plan: &Plan<Step>, _: &StaticMemberStatus) -> Vec<Wanted> {
        vec![report::synced(view, plan)]
    }

    fn shown(status: &mut StaticMemberStatus) -> (&mut Option<i64>, &mut Vec<avnm_api::Condition>) {
        (&mut status.observed_generation, &mut status.conditions)
    }

    fn before(status: &StaticMemberStatus) -> Before {
        Before {
            conditions: status.conditions.clone(),
            last_failure: status.last_failure.clone(),
            last_handled_reconcile_at: status.last_handled_reconcile_at.clone(),
        }
    }

    fn wrote(&mut self, status: StaticMemberStatus) {
        self.shown = status;
    }

    fn with_claims(object: &Object<Self>, mut status: StaticMemberStatus) -> StaticMemberStatus {
        let item = &object.items[MEMBER];
        status.claim = item.claim().cloned();
        status.id = item.claim().and(item.id()).map(ToString::to_string);
        status
    }

    fn memory(&self) -> Memory {
        self.memory.clone()
    }

    fn remember(&mut self, memory: Memory) {
        self.memory = memory;
    }

    fn answered(&mut self, _: At, answer: &Answer, now: Moment) {
        if let Answer::Put(cause, answer) = answer {
            // What was not sent was not tried.
            let kind = answer.as_ref().err().map(|fault| &fault.kind);
            let sent = !matches!(kind, Some(FaultKind::GateClosed | FaultKind::NoLease));
            if *cause == Cause::Again && sent {
                self.memory.retried.push(now);
            }
            if answer.is_ok() {
                self.memory.updating_since = Some(now);
            }
        }
    }

    fn end(object: &mut Object<Self>, now: Moment) {
        let state = object.items[MEMBER].found().and_then(|seen| seen.provisioning()).cloned();
        object.own.memory.note(state.as_ref(), now);
    }
}
