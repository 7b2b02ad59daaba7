//! GUIDs.

use rand::Rng as _;
use rand::rngs::StdRng;

/// What one looks like, for schemas.
pub(crate) const PATTERN: &str = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";

/// A random GUID from the seeded generator, so that a world looks the same each time.
pub(crate) fn draw(rng: &mut StdRng) -> String {
    uuid::Builder::from_random_bytes(rng.random()).into_uuid().to_string()
}
