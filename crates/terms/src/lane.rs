//! Why something is written: what is urgent goes before what is not.

/// Why something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// A user made or changed an object.
    Change,
    /// An object is being deleted, or a thing was taken out.
    Deletion,
    /// Someone changed it behind our back.
    Repair,
}
