//! What to say of a connection for which nothing is left to do in this pass.

use avnm_api::Mode;
use avnm_terms::{Actor, ConnectionState, Reading};
use jiff::Timestamp;

use super::{
    Half, HalfSeen, Role,
    decide::{Plan, View, waiting_for},
};
use crate::{
    fault,
    finding::Finding,
    item::Move,
    pace::Waiting,
    reason::{ACTIVATING, Reason},
};

/// Adds the findings, what Enforce would do, and what is waited for.
pub(super) fn conclude(view: View<'_>, plan: &mut Plan) {
    let mut findings = Vec::new();
    for half in Half::BOTH {
        half_findings(view, plan, half, &mut findings);
    }
    if findings.iter().all(|finding| finding.reason > Reason::AwaitingScope) {
        connected_findings(view, &mut findings);
    }
    let observe = view.desired.policies.mode == Mode::Observe;
    if observe {
        observed(view, plan, &mut findings);
    }
    plan.waiting = waiting(view, plan, &findings);
    plan.findings = findings;
}

fn half_findings(view: View<'_>, plan: &mut Plan, half: Half, findings: &mut Vec<Finding>) {
    let desire = view.desired.halves.get(half);
    let observed = view.observed.halves.get(half);
    let (side, resource, words) = (half.side(), half.resource(), half.words());
    if desire.role == Role::Absent {
        return;
    }
    if let Some(blocked) = &desire.blocked {
        findings.push(blocked.clone());
        return;
    }
    // Who cannot sign in learns nothing about who else is there: that was said before.
    if let Some(winner) = view.inputs.beaten_by.get(half) {
        findings.push(Finding::new(
            Reason::ClaimedByOther,
            format!(
                "{winner} claims the same {words} and was first: delete one of the two, or take this half out ({})",
                Actor::ClusterOperator
            ),
        ));
        return;
    }
    if let Some(gone) = &observed.source_gone {
        findings.push(
            Finding::new(
                Reason::DependencyNotReady,
                format!("{gone}: the {words} was not written ({})", Actor::ClusterOperator),
            )
            .with_failure("read live", gone, "Gone", Actor::ClusterOperator),
        );
    }
    if let Some(fault) = &observed.write {
        let mut finding = fault::finding(fault, side, resource);
        finding.unread = false;
        if view.memory.halves.get(half).correction_refused {
            finding.reason = Reason::ReplaceNeeded;
        }
        findings.push(finding);
        return;
    }
    if let Reading::Unread(fault) = &observed.reading {
        findings.push(fault::finding(fault, side, resource));
        return;
    }
    match plan.moves.get(half) {
        Some(Move::Foreign) => {
            let differs = observed.reading.found().map(differences(view, half)).unwrap_or_default();
            let id = desire.id.as_ref().map(ToString::to_string).unwrap_or_default();
            findings.push(Finding::new(
                Reason::Foreign,
                format!(
                    "{id} is already there and not ours ({differs}): it is left alone. Delete it in Azure, choose another name, or set spec.adoptionPolicy: Always to take it over ({})",
                    Actor::ClusterOperator
                ),
            ));
            return;
        }
        Some(Move::AlreadyExists) => {
            let id = observed.elsewhere.as_ref().map(ToString::to_string).unwrap_or_default();
            findings.push(Finding::new(
                Reason::AlreadyExistsAs,
                format!(
                    "the same {words} is already there as {id}: use its name in spec.{}.name (on a new object) to adopt it, or delete it in Azure ({})",
                    half.field(),
                    Actor::ClusterOperator
                ),
            ));
            return;
        }
        Some(Move::AwaitQuiet) => {
            findings.push(Finding::new(
                Reason::Progressing,
                format!("waiting until an earlier write of the {words}, whose answer was not read, can no longer come"),
            ));
            return;
        }
        Some(Move::Frozen) => frozen_finding(view, half, findings),
        Some(Move::WouldWrite) if view.desired.policies.mode == Mode::Observe => {
            let (verb, why) = match &observed.reading {
                Reading::Found(seen) => ("PUT", format!("differs: {}", differences(view, half)(seen))),
                _ => ("PUT", "not there".to_owned()),
            };
            plan.would.push((verb, half, why));
        }
        Some(Move::WouldWrite) => {
            let credential = desire.signer.as_ref().map(|signer| &signer.credential);
            let target = credential
                .map(|credential| format!("{}/{}", credential.kind.as_str(), credential.name))
                .unwrap_or_default();
            findings.push(
                Finding::new(
                    Reason::DependencyNotReady,
                    format!("the credential of the {words} is being deleted or has lost its source, and takes nothing new: restore it, or refer to another one ({})", Actor::ClusterOperator),
                )
                .with_failure("use credential", &target, "Terminating", Actor::ClusterOperator),
            );
        }
        _ => {}
    }
    state_findings(view, half, findings);
}

fn differences(view: View<'_>, half: Half) -> impl Fn(&HalfSeen) -> String + '_ {
    move |seen| {
        let desire = view.desired.halves.get(half);
        let Some(want) = &desire.want else { return String::new() };
        let fields: &[&'static str] = match half {
            Half::Scope => &["tenantId", "resourceId"],
            Half::Target => &["networkManagerId"],
        };
        let all: Vec<String> = seen
            .body
            .differences(want, fields)
            .into_iter()
            .map(|(field, old, new)| {
                format!(
                    "{field} is {:?}, declared {:?}",
                    avnm_terms::text::bounded(&old, 120),
                    avnm_terms::text::bounded(&new, 120)
                )
            })
            .collect();
        if all.is_empty() { "it is identical".to_owned() } else { all.join("; ") }
    }
}

fn frozen_finding(view: View<'_>, half: Half, findings: &mut Vec<Finding>) {
    let memory = view.memory.halves.get(half);
    let found = view.observed.halves.get(half).reading.found();
    let state = found.map(|seen| &seen.state);
    let differs = found.map_or_else(|| "it is not there".to_owned(), differences(view, half));
    if state == Some(&ConnectionState::Conflict) {
        return;
    }
    let want = view.desired.halves.get(half).want.as_ref().map(crate::item::Body::hash);
    // What is gone can be made again, whatever came of a correction.
    let stuck = found.is_some() && memory.stuck(want.as_ref(), view.steady);
    let correcting = found.is_some() && memory.correcting(want.as_ref(), view.steady).is_some();
    if found.is_none() && memory.may_lag(view.waits, view.steady) {
        findings.push(Finding::new(
            Reason::Progressing,
            format!("the {} was sent, and Azure does not show it yet", half.words()),
        ));
    } else if correcting && !stuck {
        findings.push(Finding::new(
            Reason::Progressing,
            format!("a correction of the {} was sent ({differs})", half.words()),
        ));
    } else if memory.contended(view.steady) && !stuck {
        findings.push(Finding::new(
            Reason::Contended,
            format!(
                "someone else keeps changing or deleting the {} ({differs}): find out who, or set spec.mode: Observe. It is corrected once an hour ({})",
                half.words(),
                half.side().admin()
            ),
        ));
    } else {
        findings.push(Finding::new(
            Reason::ReplaceNeeded,
            format!(
                "Azure does not change the {} in place ({differs}): annotate with avnm.dev/recreate=VALUE to delete our halves and make them again ({})",
                half.words(),
                Actor::ClusterOperator
            ),
        ));
    }
}

/// What Azure's word for one half means, given the other.
fn state_findings(view: View<'_>, half: Half, findings: &mut Vec<Finding>) {
    let desire = view.desired.halves.get(half);
    let observed = view.observed.halves.get(half);
    let words = half.words();
    let seen = match &observed.reading {
        Reading::Found(seen) => seen,
        Reading::Absent if desire.role == Role::External => {
            findings.push(match &observed.mismatch {
                Some(id) => Finding::new(
                    Reason::ScopeMismatched,
                    format!(
                        "the other party made {id}, which names another scope or manager than this connection: it must name {} exactly ({})",
                        match half {
                            Half::Scope => view.desired.scope.to_string(),
                            Half::Target => view.desired.manager.to_string(),
                        },
                        half.side().admin()
                    ),
                ),
                None => Finding::new(
                    Reason::PendingRemoteConnection,
                    format!("waiting for the other party to make its {words} ({})", half.side().admin()),
                ),
            });
            return;
        }
        Reading::Absent | Reading::Unread(_) => {
            if view.desired.policies.mode == Mode::Enforce {
                findings.push(Finding::new(Reason::Progressing, format!("the {words} is not there yet")));
            }
            return;
        }
    };
    let admin = half.side().admin();
    match &seen.state {
        ConnectionState::Connected => {}
        ConnectionState::Pending => pending(view, half, findings),
        ConnectionState::Conflict => findings.push(Finding::new(
            Reason::Conflict,
            format!(
                "Azure says Conflict for the {words}: another network manager holds this scope directly. Take it off that manager, then annotate with avnm.dev/recreate=VALUE; Azure does not heal this by itself ({})",
                Actor::TargetTenantAdmin
            ),
        )),
        ConnectionState::Revoked => findings.push(Finding::new(
            Reason::Revoked,
            format!("Azure says Revoked for the {words}: a half was removed since it was connected. If it does not heal, annotate with avnm.dev/recreate=VALUE ({admin})"),
        )),
        ConnectionState::Rejected => findings.push(Finding::new(
            Reason::Rejected,
            format!("Azure says Rejected for the {words}: agree with the other party, then annotate with avnm.dev/recreate=VALUE ({admin})"),
        )),
        ConnectionState::Other(word) => findings.push(Finding::new(
            Reason::UnknownState,
            format!("Azure says {word:?} for the {words}, a word that this version does not know ({})", Actor::Azure),
        )),
    }
}

fn pending(view: View<'_>, half: Half, findings: &mut Vec<Finding>) {
    let other = half.other();
    let desire = view.desired.halves.get(other);
    let observed = view.observed.halves.get(other);
    let admin = other.side().admin();
    match (desire.role, &observed.reading) {
        (Role::Absent, _) => findings.push(Finding::new(
            Reason::PendingRemoteConnection,
            format!(
                "our {} is Pending: waiting for the other party to make its {} ({admin})",
                half.words(),
                other.words()
            ),
        )),
        // Said once, for the other half.
        (Role::External | Role::Ours, Reading::Absent) | (_, Reading::Unread(_)) => {}
        (_, Reading::Found(_)) => {
            let since = since(view, half).max(since(view, other));
            let late = since.duration_until(view.now) >= ACTIVATING;
            let reason = if late { Reason::PendingTooLong } else { Reason::Activating };
            let tail = if late {
                "; this takes longer than it should, see docs/guide/troubleshooting.md"
            } else {
                ""
            };
            findings.push(Finding::new(
                reason,
                format!("both halves match, and Azure has not connected them yet{tail} ({})", Actor::Azure),
            ));
        } // An unread half, or ours that is not there yet, is said where it is found.
    }
}

/// Since when a half has its state: status tells, unless the state is new.
fn since(view: View<'_>, half: Half) -> Timestamp {
    let status = match half {
        Half::Scope => view.inputs.status.scope_connection.as_ref(),
        Half::Target => view.inputs.status.network_manager_connection.as_ref(),
    };
    let state = view.observed.halves.get(half).reading.found().map(|seen| seen.state.as_str().to_owned());
    status
        .filter(|status| status.state == state)
        .and_then(|status| status.state_since.as_ref())
        .map_or(view.now, |since| since.0)
}

fn connected_findings(view: View<'_>, findings: &mut Vec<Finding>) {
    let connected = |half: Half| {
        view.desired.halves.get(half).role == Role::Absent
            || view
                .observed
                .halves
                .get(half)
                .reading
                .found()
                .is_some_and(|seen| seen.state == ConnectionState::Connected)
    };
    if !connected(Half::Scope) || !connected(Half::Target) {
        return;
    }
    if view.desired.halves.scope.role == Role::Absent {
        findings.push(Finding::new(
            Reason::ConnectedAsSeenFromTarget,
            "Connected as seen from the target tenant; the scope connection and the manager's crossTenantScopes are not declared here and were not verified",
        ));
        return;
    }
    match &view.observed.listed {
        Some(Reading::Found(true)) => findings.push(Finding::new(
            Reason::Connected,
            "Connected, and listed in the manager's crossTenantScopes",
        )),
        Some(Reading::Found(false)) | None => findings.push(Finding::new(
            Reason::AwaitingScope,
            format!("Connected, and not yet listed in the manager's crossTenantScopes ({})", Actor::Azure),
        )),
        Some(Reading::Absent) => findings.push(
            Finding::new(
                Reason::ManagerNotFound,
                format!(
                    "the network manager {} is not there: create it, or correct networkManagerId ({})",
                    view.desired.manager,
                    Actor::ManagerTenantAdmin
                ),
            )
            .with_failure(
                "get networkManager",
                view.desired.manager.arm().as_str(),
                "NotFound",
                Actor::ManagerTenantAdmin,
            ),
        ),
        Some(Reading::Unread(fault)) => {
            findings.push(fault::finding(fault, Half::Scope.side(), Half::Scope.resource()));
        }
    }
}

/// Mode Observe: says what Enforce would do, or that it would do nothing.
fn observed(view: View<'_>, plan: &Plan, findings: &mut Vec<Finding>) {
    if !plan.would.is_empty() {
        let list: Vec<String> = plan
            .would
            .iter()
            .map(|(verb, half, why)| format!("{verb} the {} ({why})", half.words()))
            .collect();
        findings.retain(|finding| finding.reason < Reason::Progressing || finding.unread);
        findings.push(Finding::new(
            Reason::WouldChange,
            format!("spec.mode is Observe: Enforce would {}", list.join(", then ")),
        ));
    } else if let Some(ready) = findings
        .iter_mut()
        .find(|finding| matches!(finding.reason, Reason::Connected | Reason::ConnectedAsSeenFromTarget))
    {
        ready.reason = Reason::Observed;
        ready.message = format!("spec.mode is Observe, and there is nothing to do: {}", ready.message);
    }
    let _ = view;
}

fn waiting(view: View<'_>, plan: &Plan, findings: &[Finding]) -> Waiting {
    let quiet = Half::BOTH
        .into_iter()
        .filter(|half| *plan.moves.get(*half) == Some(Move::AwaitQuiet))
        .filter_map(|half| view.memory.halves.get(half).quiet_in(view.steady))
        .max();
    let otherwise = match (quiet, crate::finding::worst(findings.to_vec()).map(|finding| finding.reason)) {
        (Some(left), _) => Waiting::Quiet(left),
        (
            None,
            Some(
                Reason::Progressing
                | Reason::Activating
                | Reason::PendingTooLong
                | Reason::AwaitingScope
                | Reason::PendingRemoteConnection
                | Reason::Revoked
                | Reason::UnknownState,
            ),
        ) => Waiting::Settling(view.memory.looks),
        (None, Some(Reason::Connected | Reason::ConnectedAsSeenFromTarget | Reason::Observed)) => {
            Waiting::Nothing
        }
        (None, _) => Waiting::Someone,
    };
    waiting_for(view, findings, otherwise)
}
