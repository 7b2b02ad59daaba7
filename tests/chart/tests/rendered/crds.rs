//! The chart's CustomResourceDefinitions are those of the code, and `deploy/crds.yaml` has the same.

use avnm_chart::rendered;
use avnm_launcher::run;
use serde_json::{Value, json};

#[test]
fn they_are_the_codes_but_for_labels_and_annotations() {
    let mut objects = crate::rendered(&json!({}));
    objects.retain(|it| it["kind"] == "CustomResourceDefinition");
    for crd in &mut objects {
        let metadata = crd["metadata"].as_object_mut().unwrap();
        metadata.remove("labels");
        metadata.remove("annotations");
    }
    let by_name = |mut crds: Vec<Value>| {
        crds.sort_by_key(|crd| crd["metadata"]["name"].to_string());
        crds
    };
    // Numbers are compared as numbers: helm writes 0.0 as 0.
    let text = serde_json::to_string(&avnm_api::crds_yaml_values()).unwrap().replace(":0.0", ":0");
    let code: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(by_name(objects.clone()), by_name(code.clone()));

    let file = std::fs::read_to_string(run::workspace_dir().join("deploy/crds.yaml")).unwrap();
    let file = rendered::parse(&file.replace(": 0.0\n", ": 0\n")).unwrap();
    assert_eq!(by_name(file), by_name(code));
}
