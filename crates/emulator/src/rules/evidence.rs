//! What each rule is built on. `docs/emulator/evidence.md` is generated from this.

use super::{
    access, consistency, headers, linked, locks, manager_connections, neighbours, network_groups,
    network_managers, networks, operations, paging, pairing, quota, registration, resource_graph,
    scope_connections, static_members, stuck, tokens,
};

/// The kind of evidence behind a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Basis {
    /// A recording of the real service.
    Recording,
    /// A public report by a user, or the text of another client of Azure.
    Report,
    /// Azure's specification or documentation.
    Specification,
    /// Nothing public settles it.
    Assumed,
}

/// One rule and what it is built on.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Evidence {
    /// The rule in a few words.
    pub rule: &'static str,
    /// The kind of evidence.
    pub basis: Basis,
    /// The recording's file, the report's thread, the document's title; for what is assumed: what would settle it.
    pub source: &'static str,
}

impl Evidence {
    /// Seen in a recording.
    pub const fn recording(rule: &'static str, source: &'static str) -> Self {
        Self { rule, basis: Basis::Recording, source }
    }

    /// Reported publicly. The source is `OWNER/REPOSITORY#NUMBER` or a title.
    pub const fn report(rule: &'static str, source: &'static str) -> Self {
        Self { rule, basis: Basis::Report, source }
    }

    /// Specified or documented.
    pub const fn specification(rule: &'static str, source: &'static str) -> Self {
        Self { rule, basis: Basis::Specification, source }
    }

    /// Assumed, and what would settle it.
    pub const fn assumed(rule: &'static str, settled_by: &'static str) -> Self {
        Self { rule, basis: Basis::Assumed, source: settled_by }
    }
}

/// All evidence, by the file that holds the rules.
pub const EVIDENCE: &[(&str, &[Evidence])] = &[
    ("access", access::EVIDENCE),
    ("consistency", consistency::EVIDENCE),
    ("entra", crate::entra::EVIDENCE),
    ("headers", headers::EVIDENCE),
    ("linked", linked::EVIDENCE),
    ("locks", locks::EVIDENCE),
    ("manager_connections", manager_connections::EVIDENCE),
    ("metadata", crate::entra::metadata::EVIDENCE),
    ("neighbours", neighbours::EVIDENCE),
    ("network_groups", network_groups::EVIDENCE),
    ("network_managers", network_managers::EVIDENCE),
    ("networks", networks::EVIDENCE),
    ("operations", operations::EVIDENCE),
    ("paging", paging::EVIDENCE),
    ("pairing", pairing::EVIDENCE),
    ("quota", quota::EVIDENCE),
    ("registration", registration::EVIDENCE),
    ("resource_graph", resource_graph::EVIDENCE),
    ("scope_connections", scope_connections::EVIDENCE),
    ("static_members", static_members::EVIDENCE),
    ("stuck", stuck::EVIDENCE),
    ("tokens", tokens::EVIDENCE),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_says_what_it_is_built_on_or_what_would_settle_it() {
        for (family, evidence) in EVIDENCE {
            assert!(!evidence.is_empty(), "{family}");
            for it in *evidence {
                assert!(!it.rule.is_empty(), "{family}");
                assert!(!it.source.is_empty(), "{family}: {}", it.rule);
            }
        }
    }

    #[test]
    fn no_file_of_rules_is_left_out() {
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
        let files: BTreeSet<String> = std::fs::read_dir(here)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file() && !path.ends_with("evidence.rs"))
            .filter(|path| std::fs::read_to_string(path).unwrap().contains("pub const EVIDENCE: &[Evidence]"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let listed: BTreeSet<String> = EVIDENCE.iter().map(|(family, _)| (*family).to_owned()).collect();
        assert!(files.is_subset(&listed), "{:?}", files.difference(&listed));
    }
}
