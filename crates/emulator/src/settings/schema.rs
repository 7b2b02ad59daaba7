//! The JSON schema of the settings, for editors and for checks before they are sent.

use super::Settings;

/// The schema as indented JSON.
pub fn text() -> String {
    serde_json::to_string_pretty(&value()).unwrap_or_default()
}

/// The schema.
pub fn value() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Settings);
    schema.insert("title".into(), "avnm-emulator settings".into());
    schema.to_value()
}
