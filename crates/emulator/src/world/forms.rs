//! What ids in a world file look like.

use anyhow::{Context as _, ensure};

use crate::path::{ArmPath, is_group_name};

/// A GUID, as Azure writes them.
pub(super) fn guid(field: &str, text: &str) -> anyhow::Result<()> {
    // The parser alone would also take braces and a GUID without hyphens.
    let good = text.len() == 36 && uuid::Uuid::try_parse(text).is_ok();
    ensure!(good, "{field}: {text:?} is not a GUID, as 24680975-1234-abcd-56ef-121314ab5643");
    Ok(())
}

/// An id that begins with a slash, as Azure writes them, and names one thing.
pub(super) fn id(field: &str, text: &str) -> anyhow::Result<ArmPath> {
    let path = ArmPath::from_id(text).filter(|path| text.starts_with('/') && !path.is_collection());
    let path = path.with_context(|| {
        format!("{field}: {text:?} is not an id, as /subscriptions/GUID/resourceGroups/NAME/providers/…")
    })?;
    let group = path.resource_group.as_deref();
    ensure!(
        group.is_none_or(is_group_name),
        "{field}: {text:?} is in a resource group that Azure does not let be called so: 1 to 90 letters and digits of any \
         alphabet, '_', '-', '.', '(' and ')', no '.' at the end"
    );
    Ok(path)
}
