//! Names of resources in Azure.

use std::fmt;

/// The text cannot be the name of a connection or member in Azure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name for Azure: 1 to 64 letters, digits, '_', '.', '-', beginning with a letter or digit; set a name in spec"
)]
pub struct NameError(String);

/// The name of a scope connection, network manager connection or static member.
///
/// The specification of these types gives no pattern; this is the stricter alphabet of network managers, so that
/// a name is always one path segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AzureName(String);

impl AzureName {
    /// Longest name, in characters.
    pub const MAX: usize = 64;

    /// Reads a name: `^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let good = text.len() <= Self::MAX
            && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if good { Ok(Self(text.to_owned())) } else { Err(NameError(crate::text::bounded(text, 80))) }
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AzureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_alphabet() {
        assert!(AzureName::parse("a").is_ok());
        assert!(AzureName::parse(&"a".repeat(64)).is_ok());
        for bad in ["", ".", "..", "-a", "a/b", "a%2f", "a b", "ä", &"a".repeat(65)] {
            assert!(AzureName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
