//! What Azure's words for the halves of a connection mean.

use avnm_terms::{Actor, ConnectionState, Listing, Reading};
use jiff::Timestamp;

use super::{
    connection::{Connection, Role},
    half::{self, Half},
};
use crate::{
    fault::{self, Before, Place},
    finding::Finding,
    lifecycle::View,
    reason::{ACTIVATING, Reason},
    side::Side,
};

/// What Azure's word for one half means, given the other.
pub(super) fn state(view: View<'_, Connection>, half: Half, findings: &mut Vec<Finding>) {
    let before = findings.len();
    of_half(view, half, findings);
    let beside = view.object.own.beside(half);
    for finding in &mut findings[before..] {
        finding.message.push_str(&beside);
    }
}

/// Whose a half is, in words.
fn whose(view: View<'_, Connection>, half: Half) -> &'static str {
    match view.object.own.roles.get(half) {
        Role::Ours => "our",
        Role::External | Role::Absent => "the other party's",
    }
}

fn of_half(view: View<'_, Connection>, half: Half, findings: &mut Vec<Finding>) {
    let (own, item) = (&view.object.own, view.item(half.at()));
    let role = *own.roles.get(half);
    if role == Role::Absent {
        return;
    }
    let words = half.resource().words();
    let state = match item.reading() {
        Reading::Found(seen) => seen.connection(),
        Reading::Absent if role == Role::External => {
            findings.push(match item.mismatch() {
                Some(id) => Finding::new(
                    Reason::ScopeMismatched,
                    format!(
                        "the other party made {id}, which names another scope or manager than this connection: it must name {} exactly ({})",
                        match half {
                            Half::Scope => own.scope.to_string(),
                            Half::Target => own.manager.to_string(),
                        },
                        half.resource().side().admin()
                    ),
                ),
                None => Finding::new(
                    Reason::PendingRemoteConnection,
                    format!("waiting for the other party to make its {words} ({})", half.resource().side().admin()),
                ),
            });
            return;
        }
        Reading::Absent | Reading::Unread(_) => {
            if view.enforces() {
                findings.push(Finding::new(Reason::Progressing, format!("the {words} is not there yet")));
            }
            return;
        }
    };
    let Some(state) = state else { return };
    let (admin, whose) = (half.resource().side().admin(), whose(view, half));
    match state {
        ConnectionState::Connected => {}
        ConnectionState::Pending => pending(view, half, findings),
        ConnectionState::Conflict => findings.push(Finding::new(
            Reason::Conflict,
            format!(
                "Azure says Conflict for {whose} {words}: another network manager holds this scope directly. Take it off that manager, then annotate with avnm.dev/recreate=VALUE; Azure does not heal this by itself ({})",
                Actor::TargetTenantAdmin
            ),
        )),
        ConnectionState::Revoked => findings.push(Finding::new(
            Reason::Revoked,
            format!("Azure says Revoked for {whose} {words}: a half was removed since it was connected. If it does not heal, annotate with avnm.dev/recreate=VALUE ({admin})"),
        )),
        ConnectionState::Rejected => findings.push(Finding::new(
            Reason::Rejected,
            format!("Azure says Rejected for {whose} {words}: agree with the other party, then annotate with avnm.dev/recreate=VALUE ({admin})"),
        )),
        ConnectionState::Other(word) => findings.push(Finding::new(
            Reason::UnknownState,
            format!("Azure says {word:?} for {whose} {words}, a word that this version does not know ({})", Actor::Azure),
        )),
    }
}

fn pending(view: View<'_, Connection>, half: Half, findings: &mut Vec<Finding>) {
    let other = half.other();
    let admin = other.resource().side().admin();
    match (*view.object.own.roles.get(other), view.item(other.at()).reading()) {
        (Role::Absent, _) => findings.push(Finding::new(
            Reason::PendingRemoteConnection,
            format!(
                "{} {} is Pending: waiting for the other party to make its {} ({admin})",
                whose(view, half),
                half.resource().words(),
                other.resource().words()
            ),
        )),
        // Said once, for the other half.
        (Role::External | Role::Ours, Reading::Absent) | (_, Reading::Unread(_)) => {}
        (_, Reading::Found(_)) => {
            let since = since(view, half).max(since(view, other));
            let late = since.duration_until(view.now.wall) >= ACTIVATING;
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
fn since(view: View<'_, Connection>, half: Half) -> Timestamp {
    let state = view.item(half.at()).found().and_then(|seen| seen.connection());
    let state = state.map(|state| state.as_str().to_owned());
    half::status(&view.object.own.shown, half)
        .filter(|status| status.state == state)
        .and_then(|status| status.state_since.as_ref())
        .map_or(view.now.wall, |since| since.0)
}

/// Adds what holds where every half that is declared is Connected.
pub(super) fn connected(view: View<'_, Connection>, findings: &mut Vec<Finding>) {
    let own = &view.object.own;
    let connected = |half: Half| {
        let state = view.item(half.at()).found().and_then(|seen| seen.connection());
        *own.roles.get(half) == Role::Absent || state == Some(&ConnectionState::Connected)
    };
    if !connected(Half::Scope) || !connected(Half::Target) {
        return;
    }
    let beside: String = Half::BOTH.into_iter().map(|half| own.beside(half)).collect();
    if *own.roles.get(Half::Scope) == Role::Absent {
        findings.push(Finding::new(
            Reason::ConnectedAsSeenFromTarget,
            format!(
                "Connected as seen from the target tenant; the scope connection and the manager's crossTenantScopes are not declared here and were not verified{beside}"
            ),
        ));
        return;
    }
    match &own.listed {
        Some(Reading::Found(Listing::Listed)) => findings.push(Finding::new(
            Reason::Connected,
            format!("Connected, and listed in the manager's crossTenantScopes{beside}"),
        )),
        Some(Reading::Found(Listing::Absent)) | None => findings.push(Finding::new(
            Reason::AwaitingScope,
            format!(
                "Connected, and not yet listed in the manager's crossTenantScopes{beside} ({})",
                Actor::Azure
            ),
        )),
        // What cannot be read is not absent: what was Ready stays so for a while.
        Some(Reading::Found(Listing::Unclear(entry))) => findings.push(
            Finding::new(
                Reason::AwaitingScope,
                format!(
                    "Connected, and whether the manager's crossTenantScopes list {} is not known: the entry {entry:?} has a form that this version cannot read{beside} ({})",
                    own.scope,
                    Actor::Azure
                ),
            )
            .unread(),
        ),
        Some(Reading::Absent) => findings.push(
            Finding::new(
                Reason::ManagerNotFound,
                format!(
                    "the network manager {} is not there: create it, or correct networkManagerId ({})",
                    own.manager,
                    Actor::ManagerTenantAdmin
                ),
            )
            .with_failure(
                "get networkManager",
                own.manager.arm().as_str(),
                "NotFound",
                Actor::ManagerTenantAdmin,
            ),
        ),
        Some(Reading::Unread(fault)) => {
            // The manager is read beside its scope connection, which answered.
            let place = Place { before: Before::Answers, ..Side::Manager.into() };
            findings.push(fault::finding(fault, place, Half::Scope.resource()));
        }
    }
}
