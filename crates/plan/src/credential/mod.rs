//! Decisions about a credential of either kind: does it sign in, may it go, and whom is it lent to.

mod input;
mod lending;
pub mod material;
pub(crate) mod unusable;

pub use input::{CredentialInput, UsableCredential};
pub use lending::{Admission, Found, Owner, admit, home};

use avnm_api::{CredentialSpec, CredentialStatus};
use avnm_terms::{Actor, ClientId, Fault, FaultKind, KubeFault, SignInFault, TenantId};
use jiff::{SignedDuration, Timestamp};

use crate::{
    fault::{self, Before, CERTIFICATE_UNUSABLE, Place, SECRET_NOT_FOUND},
    finding::{Failure, Finding, Happening},
    meta::Meta,
    pace::{self, Waiting, Waits},
    reason::{Companion, PROPAGATION, Reason},
    side::Side,
    status::{self as conditions, After, Past, transition},
};

/// A failing credential is tried once in this time, however many objects use it.
pub const PROBE: SignedDuration = SignedDuration::from_secs(60);

/// Everything read from Kubernetes and Entra.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The object's metadata.
    pub meta: Meta,
    /// Whom it signs in as, and where.
    pub identity: Result<(TenantId, ClientId), Finding>,
    /// Its status as it was read.
    pub status: CredentialStatus,
    /// Whether the finalizer that holds it is on it.
    pub held: bool,
    /// Whose tenant it signs in to, as far as its users tell.
    pub side: Side,
    /// What signing in came to.
    pub sign_in: SignIn,
    /// Objects with a claim that names it (a live list); read only while it is being deleted.
    pub users: Option<Result<Vec<String>, KubeFault>>,
    /// When the current streak of Propagating began: see [`propagating_since`].
    pub propagating_since: Option<Timestamp>,
    /// Whether it has signed in, as it is declared now: what the process remembers, or [`signed_in`].
    pub signed_in: bool,
}

/// What signing in came to.
#[derive(Debug, Clone, PartialEq)]
pub enum SignIn {
    /// A token was got.
    Token,
    /// It was not.
    Failed(Fault),
}

/// Spec, read.
pub fn identity(spec: &dyn CredentialSpec) -> Result<(TenantId, ClientId), Finding> {
    let invalid = |field: &str, why: &dyn std::fmt::Display| {
        Finding::new(Reason::InvalidSpec, format!("spec.{field}: {why} ({})", Actor::ClusterOperator))
    };
    let tenant = TenantId::parse(spec.tenant_id()).map_err(|why| invalid("tenantId", &why))?;
    let client = ClientId::parse(spec.client_id()).map_err(|why| invalid("clientId", &why))?;
    Ok((tenant, client))
}

/// What is to be done with the finalizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Leave it.
    Leave,
    /// Take it off: nobody needs the credential any more.
    Release,
}

/// Whether a credential that is being deleted may go.
pub fn hold(inputs: &Inputs) -> Hold {
    let unused = matches!(&inputs.users, Some(Ok(users)) if users.is_empty());
    if inputs.meta.deleting && inputs.held && unused { Hold::Release } else { Hold::Leave }
}

/// What holds of the credential.
pub fn finding(inputs: &Inputs, now: Timestamp) -> Finding {
    let (tenant, client) = match &inputs.identity {
        Ok(identity) => identity,
        Err(invalid) => return invalid.clone(),
    };
    let mut finding = match &inputs.sign_in {
        SignIn::Token => Finding::new(
            Reason::TokenAcquired,
            format!("signs in to tenant {tenant} as application {client}"),
        ),
        SignIn::Failed(fault) => {
            let fault = &judged(fault, inputs.signed_in, inputs.propagating_since, now);
            let before = if inputs.signed_in { Before::Worked } else { Before::Never };
            let place = Place { before, ..inputs.side.into() };
            Finding {
                reason: reason(fault),
                message: fault::message(fault, place),
                failure: Some(Failure::of(fault, fault::actor(fault, place))),
                // What was refused was answered, also where waiting may heal it; only what did not answer is unread.
                unread: fault.heals_by_itself() && !is_propagating(fault),
                companion: None,
            }
        }
    };
    if finding.reason == Reason::Propagating {
        finding.companion = Some(Companion::Reconciling);
    }
    if inputs.meta.deleting {
        let users = match &inputs.users {
            Some(Ok(users)) => users.clone(),
            Some(Err(_)) | None => Vec::new(),
        };
        if !users.is_empty() {
            let named: Vec<&str> = users.iter().take(3).map(String::as_str).collect();
            finding.message = format!(
                "being deleted, and held for {} object(s) that still hold something in Azure with it ({}); {}",
                users.len(),
                named.join(", "),
                finding.message
            );
        }
    }
    finding
}

/// The fault as it is judged by now: what Entra did not know after [`PROPAGATION`] it will not know by waiting, and what it
/// knew once was changed since.
pub fn judged(fault: &Fault, signed_in: bool, propagating_since: Option<Timestamp>, now: Timestamp) -> Fault {
    let long = propagating_since.is_some_and(|since| since.duration_until(now) >= PROPAGATION);
    if (long || signed_in) && is_propagating(fault) { refused(fault) } else { fault.clone() }
}

/// Whether status says that it signs in as it is declared now. After a change of spec, which may be of the way to sign in,
/// what was before tells nothing.
pub fn signed_in(status: &CredentialStatus, generation: i64) -> bool {
    conditions::find(&status.conditions, "Ready")
        .is_some_and(|ready| ready.status == "True" && ready.observed_generation == Some(generation))
}

/// Since when Entra does not know something that it may know soon. What the process remembers goes before what the status
/// shows, which outlives the process; silence in between changes nothing.
pub fn propagating_since(
    old: &CredentialStatus,
    remembered: Option<Timestamp>,
    sign_in: &SignIn,
    now: Timestamp,
) -> Option<Timestamp> {
    match sign_in {
        SignIn::Failed(fault) if is_propagating(fault) => {
            // Entra's servers learn it at different times, and may say it with different codes until all have.
            let ready = conditions::find(&old.conditions, "Ready").map(|ready| ready.reason.as_str());
            let failure = old.last_failure.as_ref();
            let since = failure.map(|failure| failure.since.0);
            let shown = if ready == Some(Reason::Propagating.word()) {
                since
            } else if ready == Some(Reason::SignInRefused.word())
                && failure.is_some_and(|failure| failure.code == fault.code)
            {
                // It was waited for and given up, which took that long.
                since.map(|since| since.checked_sub(PROPAGATION).unwrap_or(since))
            } else {
                None
            };
            remembered.or(shown).or(Some(now))
        }
        SignIn::Failed(fault) if fault.heals_by_itself() => remembered,
        SignIn::Failed(_) | SignIn::Token => None,
    }
}

/// The same fault as a refusal that a person must act on.
pub fn refused(fault: &Fault) -> Fault {
    Fault { kind: FaultKind::SignIn(SignInFault::Refused), ..fault.clone() }
}

/// Whether Entra found an assertion too old or too young: it is got anew and sent once more, since a projected token may
/// be replaced at this moment. After that, somebody has to look at the source, or at the clocks.
pub fn is_untimely(fault: &Fault) -> bool {
    matches!(fault.code.as_str(), "AADSTS700024" | "AADSTS500133")
}

/// Whether it is the assertion that Entra found fault with, and not the application or the tenant.
pub fn doubts_assertion(fault: &Fault) -> bool {
    crate::aadsts::is_of_assertion(&fault.code)
}

/// Whether Entra may come to know by itself what it does not know yet.
pub fn is_propagating(fault: &Fault) -> bool {
    fault.kind == FaultKind::SignIn(SignInFault::Propagating)
}

/// The reason that a fault of signing in gives.
pub fn reason(fault: &Fault) -> Reason {
    // What is no fault of signing in came from elsewhere, and says nothing against the credential.
    let FaultKind::SignIn(why) = &fault.kind else { return Reason::Unreachable };
    match why {
        SignInFault::SourceMissing
            if [SECRET_NOT_FOUND, CERTIFICATE_UNUSABLE].contains(&fault.code.as_str()) =>
        {
            Reason::SecretNotFound
        }
        SignInFault::SourceMissing => Reason::SourceNotFound,
        SignInFault::SourceForbidden => Reason::SourceForbidden,
        SignInFault::Propagating => Reason::Propagating,
        SignInFault::Refused => Reason::SignInRefused,
        SignInFault::Unreachable => Reason::Unreachable,
    }
}

/// What becomes of a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// The status to be written, if it differs.
    pub status: CredentialStatus,
    /// Events of transitions.
    pub happenings: Vec<Happening>,
    /// What the loop needs to know.
    pub after: After,
}

/// What this process remembers of a credential between passes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Remembered {
    /// Failures in a row.
    pub streak: u32,
    /// Since when it could not be told whether it works.
    pub unread_since: Option<Timestamp>,
}

/// The status of a pass that is over.
pub fn report(
    inputs: &Inputs,
    remembered: Remembered,
    waits: &Waits,
    probe: SignedDuration,
    now: Timestamp,
) -> Reported {
    let unread_since = remembered.unread_since;
    let old = &inputs.status;
    let finding = finding(inputs, now);
    let mut past = Past {
        conditions: &old.conditions,
        generation: inputs.meta.generation,
        since: now,
        unread_since,
        sweep: waits.sweep,
        now,
    };
    let keeps = conditions::keeps_ready(&finding, &past);
    let last_failure = conditions::last_failure(old.last_failure.as_ref(), &finding, now);
    past.since = last_failure.as_ref().map_or(now, |failure| failure.since.0);
    let shown = conditions::summary(&finding, &past);
    let conditions =
        if keeps { old.conditions.clone() } else { conditions::merge(&old.conditions, shown.wanted, now) };
    let status = CredentialStatus {
        observed_generation: Some(inputs.meta.generation),
        conditions,
        // Of the last token: a failure does not change whose it was.
        tenant_id: match (&inputs.sign_in, &inputs.identity) {
            (SignIn::Token, Ok((tenant, _))) => Some(tenant.to_string()),
            _ => old.tenant_id.clone(),
        },
        last_failure,
        last_handled_reconcile_at: inputs
            .meta
            .requested_at
            .clone()
            .or_else(|| old.last_handled_reconcile_at.clone()),
    };
    // The Secret is read again within a probe, whether the credential works or not: there is no watch on Secrets.
    let next_change = if keeps { past.sticky_until() } else { shown.next_change };
    // A Secret that is missing costs Azure nothing to look for: sooner at first. Entra is asked once a probe.
    let waiting = if matches!(
        finding.reason,
        Reason::SecretNotFound | Reason::SourceNotFound | Reason::SourceForbidden
    ) {
        Waiting::Retry { streak: remembered.streak, after: None }
    } else {
        Waiting::Retry { streak: 0, after: Some(probe) }
    };
    let probe = probe.max(SignedDuration::from_secs(1));
    let look = Some(pace::next(waiting, waits, next_change, now).map_or(probe, |wait| wait.min(probe)));
    let happenings = transition(&old.conditions, &status.conditions);
    let failed = matches!(inputs.sign_in, SignIn::Failed(_));
    let after = After { look, reason: finding.reason, unread: finding.unread, failed, settling: false };
    Reported { status, happenings, after }
}

#[cfg(test)]
mod tests;
