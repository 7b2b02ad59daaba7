//! Chart.yaml says what is so.

use avnm_launcher::{Helm, run};
use serde_json::{Value, json};

use crate::text;

fn chart() -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(Helm::chart().join("Chart.yaml")).unwrap()).unwrap()
}

fn annotation(chart: &Value, name: &str) -> Vec<Value> {
    serde_saphyr::from_str(text(&chart["annotations"][format!("artifacthub.io/{name}")])).unwrap()
}

#[test]
fn versions_are_the_workspaces() {
    let chart = chart();
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_listed_kinds_are_those_of_the_code() {
    let listed = annotation(&chart(), "crds");
    let of = |crd: &Value| {
        let names = &crd["spec"]["names"];
        json!([names["kind"], crd["metadata"]["name"], crd["spec"]["versions"][0]["name"]])
    };
    let code: Vec<Value> = avnm_api::crds_yaml_values().iter().map(of).collect();
    let listed: Vec<Value> = listed.iter().map(|it| json!([it["kind"], it["name"], it["version"]])).collect();
    assert_eq!(listed, code);
}

#[test]
fn the_examples_are_those_of_the_quickstart() {
    let folder = run::workspace_dir().join("docs/examples/quickstart");
    let mut quickstart = Vec::new();
    for file in std::fs::read_dir(&folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        quickstart.extend(avnm_chart::rendered::parse(&text).unwrap());
    }
    for example in annotation(&chart(), "crdsExamples") {
        assert!(quickstart.contains(&example), "the quickstart has no such object: {example:#}");
    }
}
