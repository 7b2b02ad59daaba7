//! What an object says whose credential cannot be used.

use avnm_api::CredentialKind;
use avnm_terms::Actor;

use super::input::CredentialInput;
use crate::{
    finding::Finding,
    reason::{Companion, Reason},
};

/// Of a credential of the manager's tenant for what lies in another one.
pub(crate) const LIGHTHOUSE: &str = "what Azure Lighthouse delegates to the manager's tenant is not used, because each tenant's own credential says that it agrees; ";

/// What a credential that cannot be used gives; `what` says what it is for.
pub(crate) fn finding(what: &str, input: &CredentialInput) -> Finding {
    let operator = Actor::ClusterOperator;
    let credential = input.credential();
    let (kind, name) = (credential.kind.as_str(), &credential.name);
    let target = format!("{kind}/{name}");
    match input {
        CredentialInput::Missing(_) => {
            let next = match credential.kind {
                CredentialKind::TenantCredential => "create it in this namespace",
                CredentialKind::ClusterTenantCredential => "the cluster's administrator creates it",
            };
            Finding::new(
                Reason::DependencyNotReady,
                format!("waiting for {kind} {name} of {what}: {next} ({operator})"),
            )
            .with_failure("read credential", &target, "NotFound", operator)
            .unread()
        }
        CredentialInput::NotLent(_) => Finding::new(
            Reason::NamespaceNotAllowed,
            format!(
                "{kind} {name} of {what} is not lent to this namespace: its administrator adds the namespace to \
                 spec.allowedNamespaces.names, or a label that spec.allowedNamespaces.selector selects to the namespace \
                 ({operator})"
            ),
        )
        .with_failure("use credential", &target, "NamespaceNotAllowed", operator),
        CredentialInput::NotReady { reason, message, .. } => {
            let mut finding = Finding::new(
                Reason::CredentialNotReady,
                format!("waiting for {kind} {name} of {what}, which says {reason}: {message}"),
            )
            .with_failure("use credential", &target, reason, operator)
            .unread();
            // Entra may know it soon: nobody is called for that.
            if reason == Reason::Propagating.as_str() {
                finding.companion = Some(Companion::Reconciling);
            }
            finding
        }
        // Whoever can be used is not asked for, unless it takes no new claim.
        CredentialInput::Usable(_) => Finding::new(
            Reason::DependencyNotReady,
            format!("{kind} {name} of {what} is being deleted and takes nothing new ({operator})"),
        )
        .with_failure("use credential", &target, "Terminating", operator),
    }
}

/// Why a credential cannot delete what it once made, in a few words.
pub(crate) fn words(input: &CredentialInput) -> Option<String> {
    match input {
        CredentialInput::NotReady { reason, .. } => Some(format!("says {reason}")),
        CredentialInput::NotLent(_) => {
            Some("is not lent to this namespace any more (spec.allowedNamespaces)".to_owned())
        }
        CredentialInput::Missing(_) => Some("is gone".to_owned()),
        CredentialInput::Usable(_) => None,
    }
}
