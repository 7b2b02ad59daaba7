//! What holds of an item, whatever kind of object owns it.

use avnm_api::ClaimPhase;
use avnm_terms::{Actor, AzureName, Fault, FaultKind, text};

use super::{
    Key,
    owned::Item,
    seen::Seen,
    situation::Facts,
    transition::{Move, SeenAs},
};
use crate::{
    credential::UsableCredential,
    fault::{self, Before, Place},
    finding::{Failure, Finding},
    reason::Reason,
    side::Side,
    status::{DESCRIPTION_NOT_TAKEN, description_not_taken},
};

impl Item {
    /// What holds of it after its last move. What its state means to the object is the kind's to say, and nothing of it is
    /// here: an item that is as it shall be has no finding.
    pub fn findings(&self, step: Move, facts: &Facts<'_>) -> Vec<Finding> {
        if let Some(blocked) = &self.blocked {
            return vec![blocked.clone()];
        }
        let mut findings: Vec<Finding> =
            self.sources_gone().map(|gone| self.gone(gone)).into_iter().collect();
        if let Some(fault) = self.fault() {
            findings.push(self.failed(fault));
            return findings;
        }
        findings.extend(self.of_move(step, facts));
        findings
    }

    fn gone(&self, gone: &str) -> Finding {
        let operator = Actor::ClusterOperator;
        let message = format!("{gone}: the {} was not written ({operator})", self.resource.words());
        Finding::new(Reason::DependencyNotReady, message).with_failure("read live", gone, "Gone", operator)
    }

    /// Where a call for it failed, and what became of earlier ones with the same credential.
    pub(crate) fn place(&self, failed: &Fault) -> Place {
        // A refused PUT is about where the item lies, unless Azure says that it is about the network which it links.
        let wrote = self.write_fault().is_some();
        let linked =
            wrote && matches!(failed.kind, FaultKind::LinkedPermissionDenied | FaultKind::LinkedTenantDenied);
        let side = if linked { Side::Target } else { self.resource.side() };
        let held = self.claim().is_some_and(|claim| {
            let same = |signer: &UsableCredential| signer.credential == claim.credential_ref;
            claim.phase == ClaimPhase::Held && self.signer.as_ref().is_some_and(same)
        });
        let before = if linked {
            // That the item can be read says nothing of what it links.
            if held { Before::Worked } else { Before::Never }
        } else if wrote && self.reading().fault().is_none() {
            Before::Answers
        } else if held || self.answered_to_signer() {
            Before::Worked
        } else {
            Before::Never
        };
        Place { side, before, deleting: false }
    }

    /// Whether Azure has answered a look of this process with the credential of now.
    fn answered_to_signer(&self) -> bool {
        let uid = self.signer.as_ref().map(|signer| Key::of(&signer.uid));
        uid.is_some() && uid == self.history.answered_to
    }

    fn failed(&self, failed: &Fault) -> Finding {
        let mut finding = fault::finding(failed, self.place(failed), self.resource);
        if self.write_fault().is_some() {
            // What was refused was answered.
            finding.unread = false;
            if self.history.correction_was_refused() {
                finding.reason = Reason::ReplaceNeeded;
            }
        }
        finding
    }

    fn of_move(&self, step: Move, facts: &Facts<'_>) -> Option<Finding> {
        let (words, operator) = (self.resource.words(), Actor::ClusterOperator);
        match step {
            Move::Foreign => {
                let id = self.id().map(ToString::to_string).unwrap_or_default();
                Some(Finding::new(
                    Reason::Foreign,
                    format!(
                        "{id} is already there and not ours ({}): it is left alone. Delete it in Azure, choose another name, or set spec.adoptionPolicy: Always to take it over ({operator})",
                        self.differences()
                    ),
                ))
            }
            Move::AlreadyExists => {
                let id = self.elsewhere()?;
                // What is suggested must be what the API server takes.
                let out = match AzureName::parse(id.name()) {
                    Ok(name) => format!(
                        "delete this object and make one with spec.{}: {name} to adopt it, or delete it in Azure",
                        self.resource.name_field()
                    ),
                    Err(_) => "its name is none that spec can declare, so delete it in Azure".to_owned(),
                };
                Some(Finding::new(
                    Reason::AlreadyExistsAs,
                    format!("the same {words} is already there as {id}: {out} ({operator})"),
                ))
            }
            Move::AwaitQuiet => Some(Finding::new(
                Reason::Progressing,
                format!(
                    "waiting until an earlier write of the {words}, whose answer was not read, can no longer come"
                ),
            )),
            Move::Frozen => self.frozen(facts),
            Move::WouldWrite if facts.policy.enforce && facts.ready => Some(self.takes_nothing_new()),
            Move::Settled
            | Move::AwaitRead
            | Move::Hold
            | Move::Claim
            | Move::Vouch
            | Move::Confirm
            | Move::Put
            | Move::MarkHeld
            | Move::Adopt
            | Move::Reintend
            | Move::Rehash
            | Move::Refresh
            | Move::Correct
            | Move::DropClaim
            | Move::Relinquish
            | Move::AwaitHeir
            | Move::Delete
            | Move::AwaitGone
            | Move::WouldWrite => None,
        }
    }

    /// A credential that is being deleted, or whose source is gone, serves reads and deletions only.
    fn takes_nothing_new(&self) -> Finding {
        let named = [&self.signer, &self.auxiliary]
            .into_iter()
            .flatten()
            .find(|usable| usable.terminating || usable.last_material)
            .map(|usable| format!("{}/{}", usable.credential.kind.as_str(), usable.credential.name))
            .unwrap_or_default();
        let operator = Actor::ClusterOperator;
        let message = format!(
            "{named} of the {} is being deleted or has lost its source, and takes nothing new: restore it, or refer to another one ({operator})",
            self.resource.words()
        );
        Finding::new(Reason::DependencyNotReady, message).with_failure(
            "use credential",
            &named,
            "Terminating",
            operator,
        )
    }

    /// A description that Azure does not take: nothing is torn down for that. What Azure said is lost with the process, and
    /// stays in the failure that status keeps.
    fn description_refused(&self, differs: &str) -> Finding {
        let (operator, field) = (Actor::ClusterOperator, self.resource.field());
        let id = self.id().map(ToString::to_string).unwrap_or_default();
        let message = format!(
            "{} ({differs}): declare in spec.{field}.description what Azure keeps, or leave it out; the {} is left as it is ({operator})",
            description_not_taken(self.resource),
            self.resource.words(),
        );
        let mut finding = Finding::new(Reason::AzureRefused, message).with_failure(
            self.resource.put_operation(),
            &id,
            DESCRIPTION_NOT_TAKEN,
            operator,
        );
        if let (Some(failure), Some(refusal)) = (&mut finding.failure, &self.history.refusal) {
            failure.message =
                text::bounded(&format!("{}: {}", refusal.code, refusal.message), Failure::MESSAGE_MAX);
            failure.correlation_id.clone_from(&refusal.correlation_id);
        }
        finding
    }

    fn frozen(&self, facts: &Facts<'_>) -> Option<Finding> {
        let (words, now) = (self.resource.words(), facts.now.steady);
        let differs = self.differences();
        if self.situation(facts).seen == SeenAs::Absent && self.history.may_lag(facts.waits, now) {
            let message = format!("the {words} was sent, and Azure does not show it yet");
            return Some(Finding::new(Reason::Progressing, message));
        }
        let want = self.wish.as_ref().map(|wish| wish.body.hash());
        // What is gone can be made again, whatever came of a correction.
        let found = self.found().is_some();
        let stuck = found && self.history.stuck(want.as_ref(), now);
        if found && !stuck && self.history.correcting(want.as_ref(), now).is_some() {
            let message = format!("a correction of the {words} was sent ({differs})");
            return Some(Finding::new(Reason::Progressing, message));
        }
        if self.history.contended(now) && !stuck {
            let by = self.found().map(Seen::by).unwrap_or_default();
            return Some(Finding::new(
                Reason::Contended,
                format!(
                    "someone else keeps changing or deleting the {words}{by} ({differs}): find out who, or set spec.mode: Observe. It is corrected once an hour ({})",
                    self.resource.side().admin()
                ),
            ));
        }
        if self.description_is_not_taken(facts) {
            return Some(self.description_refused(&differs));
        }
        // Conflict is said by its own reason.
        (stuck || facts.replace_needed).then(|| {
            Finding::new(
                Reason::ReplaceNeeded,
                format!(
                    "Azure does not change the {words} in place ({differs}): annotate with avnm.dev/recreate=VALUE to delete our halves and make them again ({})",
                    Actor::ClusterOperator
                ),
            )
        })
    }
}
