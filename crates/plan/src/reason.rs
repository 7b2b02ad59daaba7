//! Reasons of the Ready condition: their order, and what each means for Ready, Reconciling and Stalled.

use jiff::SignedDuration;

/// Who can do something about a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Nobody has to: waiting is enough, or it is as it should be.
    Nobody,
    /// Azure: waiting is all that one can do.
    Azure,
    /// Whoever writes these objects or runs the operator.
    ClusterOperator,
    /// An administrator of the tenant that holds the network manager.
    ManagerTenantAdmin,
    /// An administrator of the tenant that is managed.
    TargetTenantAdmin,
    /// It depends: the message ends with the word.
    AsTheMessageSays,
}

impl Who {
    /// How it is told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Azure => "Azure",
            Self::ClusterOperator => "ClusterOperator",
            Self::ManagerTenantAdmin => "ManagerTenantAdmin",
            Self::TargetTenantAdmin => "TargetTenantAdmin",
            Self::AsTheMessageSays => "as the message says",
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident: $who:ident, $next:literal;)+) => {
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

            /// Who can do something about it.
            pub fn who(self) -> Who {
                match self {
                    $(Self::$name => Who::$who,)+
                }
            }

            /// The next step, in one sentence. The message of an object says it with its names and ids.
            pub fn next(self) -> &'static str {
                match self {
                    $(Self::$name => $next,)+
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
    Deleting: Nobody, "Wait: a half is gone after three proven 404s, a member after one.";
    /// Being deleted, and something stands in the way.
    DeletionBlocked: AsTheMessageSays, "Remove the cause, or let it go with spec.deletionPolicy: Orphan.";
    /// spec.suspend is true.
    Suspended: ClusterOperator, "Set spec.suspend: false.";
    /// Something in spec cannot be read.
    InvalidSpec: ClusterOperator, "Correct the field that the message names, or apply the CRDs of this version.";
    /// The target is in the manager's own tenant.
    SameTenant: ClusterOperator, "Add the scope to the network manager itself, and delete this object.";
    /// A credential is of another tenant than what it is for.
    TenantMismatch: ClusterOperator, "Refer to a credential of the tenant that the message names.";
    /// The group is not of the connection's manager.
    ManagerMismatch: ClusterOperator, "Make another StaticMember with the right group or connectionRef: both are immutable.";
    /// Member: not inside the connection's scope. Connection: the other half names another scope.
    ScopeMismatch: ClusterOperator, "Name the connection of the network's subscription, in a new object.";
    /// The two tokens of one request would be of two applications.
    CredentialMismatch: ClusterOperator, "Give both credentials the same clientId.";
    /// Nothing gives the token that is needed.
    CredentialMissing: ClusterOperator, "Set the reference that the message names, or declare that half of the connection.";
    /// A network in a Subnet group, or the reverse.
    MemberTypeMismatch: ClusterOperator, "Name another group or resource, in a new object.";
    /// A Subnet group whose manager lacks Routing.
    RoutingNotEnabled: ManagerTenantAdmin, "Add Routing to the manager's networkManagerScopeAccesses.";
    /// The credential is not allowed there.
    ScopeNotAllowed: ClusterOperator, "Add the scope to the credential, or refer to another one.";
    /// The credential is not lent to this namespace.
    NamespaceNotAllowed: ClusterOperator, "Have the namespace named or selected by the credential's allowedNamespaces.";
    /// A reference points to nothing yet.
    DependencyNotReady: ClusterOperator, "Create what the message names.";
    /// A credential does not work yet.
    CredentialNotReady: AsTheMessageSays, "Look at the credential: its own reason says what it lacks.";
    /// The connection is not Ready.
    ConnectionNotReady: AsTheMessageSays, "Look at the connection: its own reason says what it lacks.";
    /// Another object claims the same thing.
    ClaimedByOther: ClusterOperator, "Delete one of the two.";
    /// Something that is not ours stands under our name.
    Foreign: ClusterOperator, "Delete it in Azure, take another name in a new object, or set adoptionPolicy: Always.";
    /// The same thing stands in Azure under another name.
    AlreadyExistsAs: ClusterOperator, "Make an object with that name instead of this one, or delete it in Azure.";
    /// The network manager is not there.
    ManagerNotFound: ManagerTenantAdmin, "Compare networkManagerId; create the manager; check the role assignment.";
    /// The network group is not there.
    GroupNotFound: ManagerTenantAdmin, "Compare networkGroupId; create the group.";
    /// The target scope or network is not there.
    TargetMissing: TargetTenantAdmin, "Compare target.scope or resourceId; create it, or delete the object.";
    /// The principal lacks a role.
    PermissionDenied: AsTheMessageSays, "Assign a role with the action that the message names.";
    /// Azure will not take it as it is.
    AzureRefused: AsTheMessageSays, "Do what the message says; status.lastFailure has what Azure said.";
    /// Someone else keeps undoing it.
    Contended: AsTheMessageSays, "Find the other writer in that tenant's activity log, and leave one of you; or set spec.mode: Observe.";
    /// A passing failure, retried.
    ProgressingWithRetry: Azure, "Wait. If it lasts, look at status.lastFailure.";
    /// On its way.
    Progressing: Nobody, "Wait. If it lasts, look at the credential.";
    /// The other half is for another scope or manager.
    ScopeMismatched: AsTheMessageSays, "The other party makes its half again, with exactly the id in the message.";
    /// Azure says Rejected.
    Rejected: AsTheMessageSays, "Agree with the other party, then annotate with a new value of avnm.dev/recreate.";
    /// Azure says Conflict.
    Conflict: TargetTenantAdmin, "Take the scope off the other manager, then annotate with a new value of avnm.dev/recreate.";
    /// It cannot be corrected in place.
    ReplaceNeeded: ClusterOperator, "Annotate with a new value of avnm.dev/recreate: our halves are deleted and made again.";
    /// Azure says Revoked.
    Revoked: AsTheMessageSays, "Make the missing half; then annotate with a new value of avnm.dev/recreate if it stays Revoked.";
    /// The other party has not made its half.
    PendingRemoteConnection: AsTheMessageSays, "Send the other party the ids: its half is missing.";
    /// Both halves match, and Azure has not connected them yet.
    Activating: Azure, "Wait.";
    /// The same for long.
    PendingTooLong: Azure, "List the connections on both sides; then a support case with both ids.";
    /// Azure says a word that we do not know.
    UnknownState: Azure, "Look the word up: a newer operator may know it.";
    /// Connected, and not yet among the manager's scopes.
    AwaitingScope: Azure, "Wait. If it lasts, compare the manager in Azure by hand.";
    /// Azure is putting the member into its group.
    Updating: Azure, "Wait.";
    /// The same for long.
    UpdatingTooLong: Azure, "Read the member's activity log; then a support case with status.id.";
    /// Azure failed to put the member into its group.
    Failed: TargetTenantAdmin, "Check that the network exists, that no lock is on it, and that the manager's region supports it.";
    /// Observe: a write would be needed.
    WouldChange: ClusterOperator, "Read status.plan, then set mode: Enforce, or leave it.";
    /// Observe: nothing to do.
    Observed: Nobody, "Nothing.";
    /// Both halves are Connected.
    Connected: Nobody, "Nothing.";
    /// Connected, seen from the target's side only.
    ConnectedAsSeenFromTarget: Nobody, "Nothing.";
    /// The member is in its group.
    Succeeded: Nobody, "Nothing.";
    /// The credential signs in.
    TokenAcquired: Nobody, "Nothing.";
    /// The Secret or its key is not there.
    SecretNotFound: ClusterOperator, "Create the Secret with the name and key of secretRef.";
    /// The ServiceAccount, the projected token or the managed identity is not there.
    SourceNotFound: ClusterOperator, "Create what the message names: the ServiceAccount, the projected token, or the identity.";
    /// The operator may not read the Secret, or create tokens of the ServiceAccount.
    SourceForbidden: ClusterOperator, "Apply the Role that the message names, with a RoleBinding.";
    /// Entra refused.
    SignInRefused: AsTheMessageSays, "Look up the code of status.lastFailure.";
    /// Entra may know it soon.
    Propagating: Nobody, "Wait.";
    /// Entra cannot be reached.
    Unreachable: Nobody, "Check DNS, egress and proxy, if it lasts.";
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
    fn whatever_needs_a_person_says_which_and_what_to_do() {
        for reason in Reason::ALL {
            let (who, next) = (reason.who(), reason.next());
            assert!(next.ends_with('.') && next.len() <= 120, "{reason:?}: {next}");
            if matches!(reason.row().1, Companion::Stalled | Companion::StalledAfter(_)) {
                assert!(!matches!(who, Who::Nobody | Who::Azure), "{reason:?} is Stalled, and nobody acts");
            }
            if reason.row().0 == Readiness::True {
                assert_eq!((who, next), (Who::Nobody, "Nothing."), "{reason:?}");
            }
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
