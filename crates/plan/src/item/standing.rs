//! How a thing that an object wants stands to what other objects want.

/// How one thing that an object wants stands to what other objects want.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The object, in words, that has it or comes first: this one rests.
    pub beaten_by: Option<String>,
    /// Another object has a claim on this very id: what is ours is left to it.
    pub yields: bool,
    /// The object that holds it is being deleted, and gives it to this one.
    pub given: bool,
    /// The live object, in words, that shall have it when this one goes.
    pub heir: Option<String>,
}
