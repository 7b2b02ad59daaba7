//! The metrics, from the one table in which they are declared.

use avnm_controller::{Declared, METRICS};

use super::markdown::table;

pub(super) const INTRODUCTION: &str = "\
`/metrics` on port 8080 (`--metrics-addr`), OpenMetrics text. Names of objects, ids and texts of errors are no labels: there are as \
many series however many objects there are, but for one of each reason that occurs. What only the process that leads knows (objects, inventory, quotas, tokens) \
is missing or 0 in the others: sum it over the replicas.

Where a class is a label it is what Azure counts together: `read` (GET), `write` (PUT), `delete` (DELETE), and in the \
inventory the type of the resources that a collection holds. `kind` is the kind of the objects; `reason` one of \
[the reasons](reasons.md).

A credential's client secret does not say when it ends, so only certificates have a metric for that. A panic ends the process, so there is no \
`controller_runtime_reconcile_panics_total`.";

pub(super) fn body() -> String {
    let rows = METRICS.iter().map(|Declared { name, kind, labels, help }| {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        vec![format!("`{name}`"), (*kind).to_owned(), labels.join(", "), help.trim().to_owned()]
    });
    table(&["name", "type", "labels", "what it is"], rows)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

    /// The metrics that a text names, as they are declared.
    fn named(text: &str) -> BTreeSet<&str> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let words = words.filter(|word| word.starts_with("avnm_") || word.starts_with("controller_runtime_"));
        // What a log filter names is no metric.
        let words = words.filter(|word| *word != "avnm_arm");
        let parts = ["_bucket", "_sum", "_count"];
        words.map(|word| parts.iter().find_map(|part| word.strip_suffix(part)).unwrap_or(word)).collect()
    }

    #[test]
    fn alerts_dashboard_and_pages_name_metrics_that_there_are() {
        let known: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
        let files = ["charts/avnm-operator/files/alerts.yaml", "charts/avnm-operator/files/dashboard.json"];
        let mut files: Vec<_> = files.iter().map(|file| Path::new(TOP).join(file)).collect();
        for folder in ["docs/runbooks", "docs/guide"] {
            let pages = fs::read_dir(Path::new(TOP).join(folder)).expect("the folder is there");
            files.extend(pages.map(|page| page.expect("a page").path()));
        }
        let mut drawn = BTreeSet::new();
        for file in files {
            let text = fs::read_to_string(&file).expect("it can be read");
            let named = named(&text);
            let unknown: Vec<_> = named.difference(&known).collect();
            assert!(unknown.is_empty(), "{} names {unknown:?}", file.display());
            if file.ends_with("dashboard.json") {
                drawn.extend(named.into_iter().map(str::to_owned));
            }
        }
        let drawn: BTreeSet<&str> = drawn.iter().map(String::as_str).collect();
        let undrawn: Vec<_> = known.difference(&drawn).collect();
        // The same as avnm_reconcile_errors_total, for the dashboards of others.
        assert_eq!(undrawn, [&"controller_runtime_reconcile_errors_total"], "no panel shows these");
    }
}
