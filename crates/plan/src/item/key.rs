//! What no two objects may both have, as a key.

use std::fmt;

use sha2::{Digest, Sha256};

/// The key of an id, or of what something connects: half a SHA-256 of the text. As texts the keys of a member are as long as its
/// object, and who contends is kept for each of thousands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of a text that is folded already: texts that differ are different things.
    pub fn of(text: &str) -> Self {
        let mut half = [0; 16];
        for (byte, of) in half.iter_mut().zip(Sha256::digest(text.as_bytes())) {
            *byte = of;
        }
        Self(half)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_texts_have_other_keys() {
        assert_eq!(Key::of("a"), Key::of("a"));
        assert_ne!(Key::of("a"), Key::of("A"));
        // The first half of what FIPS 180-2 gives for "abc".
        assert_eq!(format!("{:?}", Key::of("abc")), "ba7816bf8f01cfea414140de5dae2223");
    }
}
