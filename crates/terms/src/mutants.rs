//! Rules that are broken on purpose, to see that somebody notices. Without the feature `mutants` no rule can be broken: `broken`
//! is false for the compiler, and what it guards is not compiled. What ships is built without it (`cargo xtask layers` looks); a
//! build of the whole workspace has it, for the tests' sake, and breaks nothing unless a test says so.

/// The rules by name, and all of them as a list.
macro_rules! mutants {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A rule, by what breaks it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Mutant {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Mutant {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

mutants! {
    // How one thing in Azure is seen.
    /// A claim vouches for any id.
    ClaimOfAnyId,
    /// Whatever is there is taken over.
    AdoptAnything,
    /// `Never` takes over what is identical.
    NeverMeansIdentical,
    /// What is given is not taken.
    NeverGiven,
    /// Nothing is ever on its way.
    QuietAlways,
    /// One absence is enough.
    GoneAtOnce,
    /// Finalizers are taken for granted.
    HeldAlways,
    /// Observe writes.
    ObserveWrites,
    /// What Azure does not take is sent for ever.
    FrozenNever,
    /// What somebody undoes is done again and again.
    PausedNever,
    /// The same thing under another name is not seen.
    ElsewhereIgnored,
    /// It is taken over without a live look at what that rests on.
    VouchedAlways,
    /// It is made without a look after the claim.
    ConfirmedAlways,
    /// What could not be read is not there.
    UnreadIsAbsent,
    /// Drift is not seen.
    DriftUnseen,
    /// What somebody else made meanwhile is ours.
    StrangerIsOurs,
    // What is done about it.
    /// It is made without a claim.
    SkipClaim,
    /// It is claimed without a finalizer.
    SkipHold,
    /// It is let go without being deleted.
    ReleaseEarly,
    /// It is never deleted.
    DeleteNever,
    /// Drift is never corrected.
    CorrectNever,
    /// What was deleted behind our back is not made again.
    RemakeNever,
    /// What is foreign is taken over.
    ForeignIsOurs,
    /// What is there under a new name is deleted with the old claim.
    RelinquishDeletes,
    /// What a late write may still bring is deleted, whose ever it is.
    WaitDeletes,
    /// What an heir shall have is deleted.
    HeirLoses,
    /// What has to be durable is not written.
    PersistSkipped,
    // What is remembered.
    /// Absences of before a write count after it.
    AbsencesKept,
    /// A read is believed however soon after a write it comes.
    LagIgnored,
    /// A PUT that was cut had no effect.
    CutForgotten,
    /// What a dead process sent had no effect.
    InheritForgotten,
    /// What somebody undoes is not counted.
    UndoneUncounted,
    /// What is to be made anew is deleted, whether or not it could be made.
    ReplacedBlindly,
    /// A DELETE is sent again with each look.
    DeletedAgain,
    /// A DELETE that was sent does not count: what is going is given away.
    GoingForgotten,
    // Who has it.
    /// What has an heir is deleted all the same.
    HeirIgnored,
    /// Nobody is ever beaten.
    ContendNever,
    /// It is let go for a claim whose write failed.
    UnwrittenYields,
    /// It is let go before the heir has it.
    YieldEarly,
    /// Claims do not count: the youngest wins.
    YoungestWins,
    /// Whoever declares it stands in the way, willing or not.
    UnwillingContends,
    /// Who cannot sign in stands in the way.
    UnsignedContends,
    /// An object's things are one: who loses one of them loses all.
    ContendPerObject,
    /// What does not decode is no contender.
    UndecodedForgotten,
    // The life of an object.
    /// Orphan deletes.
    OrphanDeletes,
    /// Confirm asks nobody.
    ConfirmIgnored,
    /// Suspend stops nothing.
    SuspendIgnored,
    /// Members do not hold their connection.
    MembersIgnored,
    /// A CRD that goes takes all with it.
    CrdIgnored,
    /// A lost finalizer is not put back.
    FinalizerLost,
    /// A wish that was accepted meanwhile does not count.
    MeanwhileIgnored,
    /// Status is written whether or not it changed.
    StatusAlways,
    /// A read that failed does not count as one.
    UnreadIsReady,
    /// One event tells of all happenings of its reason.
    EventsMerged,
    /// What Kubernetes refuses is told nowhere.
    RefusalUntold,
    /// A namespace is read whole.
    NamespaceWhole,
    /// What is withdrawn still lends.
    LendingIgnored,
    /// A claim moves to a credential that is being deleted.
    TerminatingTakes,
    /// Who lost the lease goes on.
    LeaseIgnored,
    // The way to Azure.
    /// Whoever asks to wait is not heard.
    RetryAfterIgnored,
    /// A list goes on wherever it says.
    HostFollowed,
    /// What Azure echoes is told.
    EchoTold,
}

#[cfg(feature = "mutants")]
thread_local! {
    static BROKEN: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Breaks a rule for this thread, or none.
#[cfg(feature = "mutants")]
pub fn set(mutant: Option<Mutant>) {
    BROKEN.set(mutant);
}

/// Rows of decision tables that were reached, by all threads.
#[cfg(feature = "mutants")]
static REACHED: std::sync::Mutex<std::collections::BTreeSet<String>> =
    std::sync::Mutex::new(std::collections::BTreeSet::new());

/// A row of a decision table was reached.
#[cfg(feature = "mutants")]
pub fn reach(row: impl FnOnce() -> String) {
    // Nothing under this lock panics.
    REACHED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(row());
}

/// The rows that were reached so far.
#[cfg(feature = "mutants")]
pub fn reached() -> std::collections::BTreeSet<String> {
    REACHED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

/// Nobody counts in what ships.
#[cfg(not(feature = "mutants"))]
pub fn reach(_: impl FnOnce() -> String) {}

/// Whether this rule is broken here.
#[cfg(feature = "mutants")]
pub fn broken(mutant: Mutant) -> bool {
    BROKEN.get() == Some(mutant)
}

/// Whether this rule is broken here: never.
#[inline]
#[cfg(not(feature = "mutants"))]
pub fn broken(_: Mutant) -> bool {
    false
}
