//! GUIDs that name tenants, applications and subscriptions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text;

/// The text is not 8-4-4-4-12 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a GUID of the form 8-4-4-4-12 hexadecimal digits: {0:?}")]
pub struct GuidError(String);

macro_rules! guid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Kept in lower case, so that equality is Azure's.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads a GUID in either case.
            pub fn parse(text: &str) -> Result<Self, GuidError> {
                if text::is_guid(text) {
                    Ok(Self(text.to_ascii_lowercase()))
                } else {
                    Err(GuidError(text::bounded(text, 64)))
                }
            }

            /// The GUID in lower case.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = GuidError;

            fn try_from(text: String) -> Result<Self, GuidError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

guid! {
    /// An Entra tenant.
    TenantId
}
guid! {
    /// An Entra application (its client id, also called appid).
    ClientId
}
guid! {
    /// An object in a directory, such as the service principal that an application has in a tenant.
    ObjectId
}
guid! {
    /// An Azure subscription.
    SubscriptionId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_cases_as_one() {
        let upper = TenantId::parse("12345678-12A3-4ABC-5CDE-678909876543").unwrap();
        assert_eq!(upper.as_str(), "12345678-12a3-4abc-5cde-678909876543");
    }

    #[test]
    fn refuses_what_is_no_guid() {
        for bad in [
            "",
            "12345678",
            "24680975-1234-abcd-56fg-121314ab5643",
            "12345678-12a3-4abc-5cde-678909876543-",
            "12345678-12a3-4abc-5cde-6789098765430",
            " 12345678-12a3-4abc-5cde-678909876543",
        ] {
            assert!(TenantId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
