//! Rules that are broken on purpose, to see that somebody notices. Without the feature `mutants` no rule can be broken: `broken`
//! is false for the compiler, and what it guards is not compiled. What ships is built without it, each crate by its name; a
//! build of the whole workspace has it, for the tests' sake, and breaks nothing unless a test says so.

/// A rule, by what breaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// A claim vouches for any id.
    ClaimOfAnyId,
    /// Whatever is there is taken over.
    AdoptAnything,
    /// What has an heir is deleted all the same.
    HeirIgnored,
    /// What is given is not taken.
    NeverGiven,
    /// It is made without a claim.
    SkipClaim,
    /// It is let go without being deleted.
    ReleaseEarly,
    /// It is never deleted.
    DeleteNever,
    /// Drift is never corrected.
    CorrectNever,
    /// What is foreign is taken over.
    ForeignIsOurs,
    /// What has to be durable is not written.
    PersistSkipped,
    /// Nobody is ever beaten.
    ContendNever,
    /// It is let go before the heir has it.
    YieldEarly,
    /// Orphan deletes.
    OrphanDeletes,
    /// Confirm asks nobody.
    ConfirmIgnored,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ClaimOfAnyId,
        Self::AdoptAnything,
        Self::HeirIgnored,
        Self::NeverGiven,
        Self::SkipClaim,
        Self::ReleaseEarly,
        Self::DeleteNever,
        Self::CorrectNever,
        Self::ForeignIsOurs,
        Self::PersistSkipped,
        Self::ContendNever,
        Self::YieldEarly,
        Self::OrphanDeletes,
        Self::ConfirmIgnored,
    ];
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

/// Whether this rule is broken here.
#[cfg(feature = "mutants")]
pub(crate) fn broken(mutant: Mutant) -> bool {
    BROKEN.get() == Some(mutant)
}

/// Whether this rule is broken here: never.
#[cfg(not(feature = "mutants"))]
pub(crate) fn broken(_: Mutant) -> bool {
    false
}
