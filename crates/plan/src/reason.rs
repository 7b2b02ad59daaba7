//! Reasons of the Ready condition: their order, and what each means for Ready, Reconciling and Stalled.

use jiff::SignedDuration;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident),+ $(,)?) => {
        /// Why an object is, or is not, Ready. In order of precedence: the first that holds is the one that is shown.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[doc = $doc])* $name,)+
        }

        impl Reason {
            /// Every reason, in order of precedence.
            pub const ALL: &[Reason] = &[$(Reason::$name),+];

            /// The word in the condition. Never renamed.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What it means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*),)+
                }
            }

            /// Reads the word of a condition.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
            }
        }
    };
}

reasons! {
    /// Being deleted, and moving.
    Deleting,
    /// Being deleted, and something stands in the way.
    DeletionBlocked,
    /// spec.suspend is true.
    Suspended,
    /// Something in spec cannot be read.
    InvalidSpec,
    /// The target is in the manager's own tenant.
    SameTenant,
    /// A credential is of another tenant than what it is for.
    TenantMismatch,
    /// The group is not of the connection's manager.
    ManagerMismatch,
    /// Member: not inside the connection's scope. Connection: the other half names another scope.
    ScopeMismatch,
    /// The two tokens of one request would be of two applications.
    CredentialMismatch,
    /// Nothing gives the token that is needed.
    CredentialMissing,
    /// A network in a Subnet group, or the reverse.
    MemberTypeMismatch,
    /// A Subnet group whose manager lacks Routing.
    RoutingNotEnabled,
    /// The credential is not allowed there.
    ScopeNotAllowed,
    /// The credential is not lent to this namespace.
    NamespaceNotAllowed,
    /// A reference points to nothing yet.
    DependencyNotReady,
    /// A credential does not work yet.
    CredentialNotReady,
    /// The connection is not Ready.
    ConnectionNotReady,
    /// Another object claims the same thing.
    ClaimedByOther,
    /// Something that is not ours stands under our name.
    Foreign,
    /// The same thing stands in Azure under another name.
    AlreadyExistsAs,
    /// The network manager is not there.
    ManagerNotFound,
    /// The network group is not there.
    GroupNotFound,
    /// The target scope or network is not there.
    TargetMissing,
    /// The principal lacks a role.
    PermissionDenied,
    /// Azure will not take it as it is.
    AzureRefused,
    /// Someone else keeps undoing it.
    Contended,
    /// A passing failure, retried.
    ProgressingWithRetry,
    /// On its way.
    Progressing,
    /// The other half is for another scope or manager.
    ScopeMismatched,
    /// Azure says Rejected.
    Rejected,
    /// Azure says Conflict.
    Conflict,
    /// It cannot be corrected in place.
    ReplaceNeeded,
    /// Azure says Revoked.
    Revoked,
    /// The other party has not made its half.
    PendingRemoteConnection,
    /// Both halves match, and Azure has not connected them yet.
    Activating,
    /// The same for long.
    PendingTooLong,
    /// Azure says a word that we do not know.
    UnknownState,
    /// Connected, and not yet among the manager's scopes.
    AwaitingScope,
    /// Azure is putting the member into its group.
    Updating,
    /// The same for long.
    UpdatingTooLong,
    /// Azure failed to put the member into its group.
    Failed,
    /// Observe: a write would be needed.
    WouldChange,
    /// Observe: nothing to do.
    Observed,
    /// Both halves are Connected.
    Connected,
    /// Connected, seen from the target's side only.
    ConnectedAsSeenFromTarget,
    /// The member is in its group.
    Succeeded,
    /// The credential signs in.
    TokenAcquired,
    /// The Secret or its key is not there.
    SecretNotFound,
    /// The ServiceAccount, the projected token or the managed identity is not there.
    SourceNotFound,
    /// The operator may not read the Secret, or create tokens of the ServiceAccount.
    SourceForbidden,
    /// Entra refused.
    SignInRefused,
    /// Entra may know it soon.
    Propagating,
    /// Entra cannot be reached.
    Unreachable,
}

/// The status of Ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Readiness {
    /// Azure was read to match.
    True,
    /// It does not.
    False,
    /// What it was before.
    AsItWas,
}

/// Which of Reconciling and Stalled accompanies Ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Companion {
    /// Neither.
    None,
    /// Reconciling: waiting or retrying.
    Reconciling,
    /// Stalled: a person is needed.
    Stalled,
    /// Reconciling for so long, then Stalled.
    StalledAfter(SignedDuration),
}

/// Role assignments and references take this long before a person is called.
pub const GRACE: SignedDuration = SignedDuration::from_mins(10);
/// A subscription that is transferred to another tenant may be known as the old one's for so long: Azure's own text says
/// up to an hour.
pub const TRANSFER: SignedDuration = SignedDuration::from_hours(1);
/// Azure may heal a Revoked connection by itself within this time (assumed).
pub const REVOKED_GRACE: SignedDuration = SignedDuration::from_mins(2);
/// Both halves match for this long before Activating becomes PendingTooLong.
pub const ACTIVATING: SignedDuration = SignedDuration::from_mins(5);
/// A member is Updating for this long before it is UpdatingTooLong.
pub const UPDATING: SignedDuration = SignedDuration::from_mins(15);
/// A credential that Entra does not know yet is retried for this long.
pub const PROPAGATION: SignedDuration = SignedDuration::from_mins(15);

impl Reason {
    /// The row of this reason: Ready, and what accompanies it.
    pub fn row(self) -> (Readiness, Companion) {
        use Companion as C;
        use Readiness as R;
        match self {
            Self::Suspended => (R::AsItWas, C::None),
            Self::DeletionBlocked
            | Self::InvalidSpec
            | Self::SameTenant
            | Self::TenantMismatch
            | Self::ManagerMismatch
            | Self::ScopeMismatch
            | Self::ScopeMismatched
            | Self::CredentialMismatch
            | Self::CredentialMissing
            | Self::MemberTypeMismatch
            | Self::RoutingNotEnabled
            | Self::ScopeNotAllowed
            | Self::NamespaceNotAllowed
            | Self::ClaimedByOther
            | Self::Foreign
            | Self::AlreadyExistsAs
            | Self::Contended
            | Self::Rejected
            | Self::Conflict
            | Self::ReplaceNeeded => (R::False, C::Stalled),
            Self::DependencyNotReady
            | Self::CredentialNotReady
            | Self::ManagerNotFound
            | Self::GroupNotFound
            | Self::TargetMissing
            | Self::PermissionDenied
            | Self::AzureRefused => (R::False, C::StalledAfter(GRACE)),
            Self::SecretNotFound | Self::SourceNotFound | Self::SourceForbidden | Self::SignInRefused => {
                (R::False, C::StalledAfter(GRACE))
            }
            Self::Revoked => (R::False, C::StalledAfter(REVOKED_GRACE)),
            Self::Deleting
            | Self::ConnectionNotReady
            | Self::ProgressingWithRetry
            | Self::Progressing
            | Self::PendingRemoteConnection
            | Self::Activating
            | Self::PendingTooLong
            | Self::UnknownState
            | Self::AwaitingScope
            | Self::Updating
            | Self::UpdatingTooLong
            | Self::Failed
            | Self::Propagating
            | Self::Unreachable => (R::False, C::Reconciling),
            Self::WouldChange => (R::False, C::None),
            Self::Observed
            | Self::Connected
            | Self::ConnectedAsSeenFromTarget
            | Self::Succeeded
            | Self::TokenAcquired => (R::True, C::None),
        }
    }

    /// The word shown in conditions.
    pub fn word(self) -> &'static str {
        // One word for users, two places in the order: a member outside its scope is refused before any call, a
        // half that names another scope is only known after reading.
        if self == Self::ScopeMismatched { Self::ScopeMismatch.as_str() } else { self.as_str() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_condition_reasons() {
        for reason in Reason::ALL {
            let word = reason.word();
            assert!(word.len() <= 64 && word.bytes().all(|b| b.is_ascii_alphanumeric()), "{word}");
            assert!(Reason::parse(reason.as_str()) == Some(*reason));
        }
    }

    #[test]
    fn ready_has_no_companion() {
        for reason in Reason::ALL {
            if let (Readiness::True, companion) = reason.row() {
                assert_eq!(companion, Companion::None, "{reason:?}");
            }
        }
    }
}
