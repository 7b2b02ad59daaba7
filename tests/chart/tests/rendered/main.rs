//! What the real helm makes of the chart, without a cluster.

mod artifact_hub;
mod crds;
mod invariants;
mod kustomize;
mod lint;
mod schema;
mod values;

use std::sync::LazyLock;

use avnm_launcher::Helm;
use serde_json::Value;

/// Found once: it may have to be built first.
fn helm() -> &'static Helm {
    static HELM: LazyLock<Helm> = LazyLock::new(|| Helm::find().expect("helm is found or built"));
    &HELM
}

fn rendered(values: &Value) -> Vec<Value> {
    avnm_chart::rendered::objects(helm(), values).unwrap_or_else(|error| panic!("{values}: {error:#}"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
