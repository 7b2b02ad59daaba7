//! Where a call failed, and what is known of earlier ones.

use crate::side::Side;

/// Where a call failed, and what is known of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// On whose side.
    pub side: Side,
    /// What became of it before.
    pub before: Before,
    /// Whether it was for a deletion.
    pub deleting: bool,
}

/// What became of the same thing before, with the same credential. What never worked was mostly set up wrong; what worked
/// was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Before {
    /// Nothing is known.
    Never,
    /// It worked.
    Worked,
    /// What it lies on answered a moment ago: it is there.
    Answers,
}

impl From<Side> for Place {
    fn from(side: Side) -> Self {
        Self { side, before: Before::Never, deleting: false }
    }
}
