//! Calls to ARM, counted from the emulator's ledger.

use std::collections::BTreeMap;

use anyhow::Result;
use avnm_launcher::Emulator;
use serde_json::Value;

/// How many calls there were of each method.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Calls(BTreeMap<String, usize>);

impl Calls {
    /// The calls to ARM since a point of the ledger.
    pub(crate) async fn since(emulator: &Emulator, mark: u64) -> Result<Self> {
        Ok(Self::of(&emulator.control().ledger(mark).await?))
    }

    fn of(ledger: &Value) -> Self {
        let mut counts = BTreeMap::new();
        for call in ledger.as_array().into_iter().flatten().filter(|call| call["kind"] == "arm") {
            *counts.entry(call["method"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
        }
        Self(counts)
    }

    /// All of them.
    pub(crate) fn all(&self) -> usize {
        self.0.values().sum()
    }

    /// Those that change something.
    pub(crate) fn writes(&self) -> usize {
        self.all() - self.0.get("GET").copied().unwrap_or_default()
    }

    /// `61 GET, 20 PUT`
    pub(crate) fn by_method(&self) -> String {
        if self.0.is_empty() {
            return "none".to_owned();
        }
        self.0.iter().map(|(method, count)| format!("{count} {method}")).collect::<Vec<_>>().join(", ")
    }
}

/// Where the ledger stands.
pub(crate) async fn mark(emulator: &Emulator) -> Result<u64> {
    let state = emulator.control().state().await?;
    Ok(state["lastCall"].as_u64().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sign_ins_are_not_counted_and_deletes_are_writes() {
        let call = |kind: &str, method: &str| json!({"kind": kind, "method": method});
        let ledger = json!([
            call("token", "POST"),
            call("arm", "GET"),
            call("arm", "PUT"),
            call("arm", "DELETE"),
            call("arm", "GET")
        ]);
        let calls = Calls::of(&ledger);
        assert_eq!((calls.all(), calls.writes()), (4, 2));
        assert_eq!(calls.by_method(), "1 DELETE, 2 GET, 1 PUT");
        assert_eq!(Calls::default().by_method(), "none");
    }
}
