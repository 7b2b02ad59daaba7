//! Azure's words for the state of a resource. Open sets: a new word is kept, never refused.

use std::fmt;

macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A word that this version does not know, bounded and cleaned.
            Other(String),
        }

        impl $name {
            /// Reads Azure's word, without case.
            pub fn parse(word: &str) -> Self {
                $(if word.eq_ignore_ascii_case(stringify!($variant)) { return Self::$variant; })+
                Self::Other(crate::text::bounded(word, 64))
            }

            /// Azure's word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                    Self::Other(word) => word,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

open_enum! {
    /// `connectionState` of either half. Pending, Connected and Conflict were recorded; the other two are in the
    /// specification only.
    ConnectionState {
        /// Both halves exist and the scope is the manager's.
        Connected,
        /// The other half is missing or does not match.
        Pending,
        /// Another manager holds the scope with the same access.
        Conflict,
        /// It was connected once; a half went away since.
        Revoked,
        /// Named in the specification, described nowhere.
        Rejected,
    }
}

open_enum! {
    /// `provisioningState` of a static member.
    ProvisioningState {
        /// In the group.
        Succeeded,
        /// Accepted, not yet in the group.
        Updating,
        /// On its way out.
        Deleting,
        /// Azure gave up; the reason is not told.
        Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_kept() {
        assert_eq!(ConnectionState::parse("connected"), ConnectionState::Connected);
        assert_eq!(ConnectionState::parse("Paused").as_str(), "Paused");
    }
}
