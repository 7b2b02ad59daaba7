//! The CustomResourceDefinitions against those of the last release: an object that was accepted is accepted still, and so
//! is what an operator of the last release writes.
//!
//! `deploy/released/crds.yaml` is a copy of `deploy/crds.yaml`, made with each release and changed by nothing else.

mod narrowing;
mod table;

use std::path::Path;

use narrowing::{Narrowing, narrowings};
use serde_json::Value;

/// A narrowing that is meant.
struct Exception {
    kind: &'static str,
    /// As the narrowing names the place.
    path: &'static str,
    /// The beginning of what it says.
    says: &'static str,
    /// Why no object that anybody has is refused by it.
    #[allow(dead_code)] // for who reads the table
    why: &'static str,
}

impl Exception {
    fn is(&self, kind: &str, narrowing: &Narrowing) -> bool {
        self.kind == kind && self.path == narrowing.path && narrowing.says.starts_with(self.says)
    }
}

/// Emptied with each release.
const EXCEPTIONS: &[Exception] = &[];

fn released() -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/released/crds.yaml");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_saphyr::from_multiple(&text).expect("the released CRDs are YAML")
}

fn kind(crd: &Value) -> &str {
    crd["spec"]["names"]["kind"].as_str().expect("a CRD has a kind")
}

#[test]
fn nothing_is_narrower_than_in_the_last_release() {
    let current = avnm_api::crds_yaml_values();
    let mut used = Vec::new();
    let mut refused = Vec::new();
    for old in &released() {
        let new = current.iter().find(|new| kind(new) == kind(old));
        let new = new.unwrap_or_else(|| panic!("the kind {} was released and is gone", kind(old)));
        for narrowing in narrowings(old, new) {
            match EXCEPTIONS.iter().position(|it| it.is(kind(old), &narrowing)) {
                Some(at) => used.push(at),
                None => refused.push(format!("{} {narrowing}", kind(old))),
            }
        }
    }
    assert!(
        refused.is_empty(),
        "narrower than in the last release:\n{}\nwiden it again, or say in EXCEPTIONS why it refuses nobody",
        refused.join("\n")
    );
    let unused: Vec<_> = (0..EXCEPTIONS.len()).filter(|at| !used.contains(at)).collect();
    assert!(unused.is_empty(), "exceptions that excuse nothing, by position: {unused:?}");
}
