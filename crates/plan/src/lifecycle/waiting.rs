//! What is waited for when something failed.

use avnm_terms::FaultKind;
use jiff::SignedDuration;

use super::{kind::Kind, view::View};
use crate::{finding::Finding, pace::Waiting, reason::Reason};

/// What is waited for when something failed; otherwise what the caller says.
pub fn waiting<K: Kind>(view: View<'_, K>, findings: &[Finding], otherwise: Waiting) -> Waiting {
    let streak = view.object.memory.streak;
    let items = view
        .object
        .items
        .iter()
        .flat_map(|item| item.write_fault().into_iter().chain(item.reading().fault()));
    let mut longest: Option<Waiting> = None;
    for fault in items.chain(K::faults(view)) {
        let after = fault.retry_after.and_then(|after| SignedDuration::try_from(after).ok());
        let this = if fault.kind == FaultKind::NoLease {
            Waiting::Retry { streak: 2, after: None }
        } else {
            Waiting::Retry { streak, after }
        };
        longest = Some(match (longest, this) {
            // Of two waits that Azure asked for, the longer one.
            (Some(Waiting::Retry { after: Some(a), streak }), Waiting::Retry { after: Some(b), .. }) => {
                Waiting::Retry { after: Some(a.max(b)), streak }
            }
            (Some(with @ Waiting::Retry { after: Some(_), .. }), _) => with,
            (_, this) => this,
        });
    }
    match longest {
        Some(waiting) => waiting,
        None if findings.iter().any(|finding| finding.reason == Reason::DependencyNotReady) => {
            Waiting::Someone
        }
        None => otherwise,
    }
}
