//! What is known of one thing in Azure after an attempt to read it.

use crate::Fault;

/// Unread is not absent: nothing is created, changed or deleted on the strength of a read that did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading<T> {
    /// It was read.
    Found(T),
    /// A complete read proved that it is not there.
    Absent,
    /// It could not be read.
    Unread(Fault),
}

impl<T> Reading<T> {
    /// What was found, if anything.
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(value) => Some(value),
            Self::Absent | Self::Unread(_) => None,
        }
    }

    /// Why it could not be read, if so.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Unread(fault) => Some(fault),
            Self::Found(_) | Self::Absent => None,
        }
    }

    /// Whether a read proved absence.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The same reading of a part.
    pub fn map<U>(self, part: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Found(value) => Reading::Found(part(value)),
            Self::Absent => Reading::Absent,
            Self::Unread(fault) => Reading::Unread(fault),
        }
    }

    /// A borrowed reading.
    pub fn as_ref(&self) -> Reading<&T> {
        match self {
            Self::Found(value) => Reading::Found(value),
            Self::Absent => Reading::Absent,
            Self::Unread(fault) => Reading::Unread(fault.clone()),
        }
    }
}
