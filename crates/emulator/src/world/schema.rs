//! The JSON schema of the world file, for editors and for checks before a start.

use super::file::WorldFile;

/// The schema as indented JSON.
pub fn text() -> String {
    let mut schema = schemars::schema_for!(WorldFile);
    schema.insert("title".into(), "avnm-emulator world file".into());
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}
