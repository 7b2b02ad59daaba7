//! `deploy/` and its components, built by the real kustomize, are what the chart renders.

use std::path::Path;
use std::process::Command;

use avnm_chart::rendered::{NAMESPACE, RELEASE, parse};
use avnm_launcher::assets::Asset;
use avnm_launcher::{Helm, run};
use serde_json::Value;

use crate::helm;

fn build(folder: &Path) -> Vec<Value> {
    let kubectl = Asset::Kubectl.find().unwrap();
    let output = Command::new(kubectl).arg("kustomize").arg(folder).output().unwrap();
    assert!(output.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
    parse(&String::from_utf8_lossy(&output.stdout)).unwrap()
}

fn render(values: &[&Path]) -> Vec<Value> {
    let chart = Helm::chart().display().to_string();
    let mut args = vec!["template", RELEASE, &chart, "--namespace", NAMESPACE, "--set", "crds.enabled=true"];
    let files: Vec<String> = values.iter().map(|file| file.display().to_string()).collect();
    args.extend(files.iter().flat_map(|file| ["--values", file]));
    parse(&helm().run(&args).unwrap()).unwrap()
}

/// Takes out what is helm's, wherever it stands: its labels, and the policy that only helm reads.
fn without_helm(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for key in [
                "helm.sh/chart",
                "app.kubernetes.io/instance",
                "app.kubernetes.io/managed-by",
                "helm.sh/resource-policy",
            ] {
                map.remove(key);
            }
            map.values_mut().for_each(without_helm);
            map.retain(|key, value| {
                !(key == "annotations" && value.as_object().is_some_and(serde_json::Map::is_empty))
            });
        }
        Value::Array(items) => items.iter_mut().for_each(without_helm),
        _ => {}
    }
}

fn comparable(mut objects: Vec<Value>) -> Vec<Value> {
    for object in &mut objects {
        without_helm(object);
        if object["kind"] == "CustomResourceDefinition" {
            // deploy/crds.yaml has no labels, so that it stays what the code generates.
            object["metadata"].as_object_mut().unwrap().remove("labels");
        }
        for list in ["/spec/template/spec/containers/0/env", "/spec/template/spec/volumes"] {
            if let Some(items) = object.pointer_mut(list).and_then(Value::as_array_mut) {
                items.sort_by_key(|item| item["name"].to_string());
            }
        }
    }
    objects.sort_by_key(|it| {
        format!("{}/{}/{}", it["kind"], it["metadata"]["namespace"], it["metadata"]["name"])
    });
    // helm writes the bound 0.0 as 0.
    let text = serde_json::to_string(&objects).unwrap().replace(":0.0", ":0");
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn same(kustomize: Vec<Value>, chart: Vec<Value>) {
    let (kustomize, chart) = (comparable(kustomize), comparable(chart));
    let names = |all: &[Value]| -> Vec<String> {
        all.iter().map(|it| format!("{}/{}", it["kind"], it["metadata"]["name"])).collect()
    };
    assert_eq!(names(&kustomize), names(&chart));
    for (one, other) in kustomize.iter().zip(&chart) {
        assert!(one == other, "kustomize builds\n{one:#}\nand the chart renders\n{other:#}");
    }
}

#[test]
fn the_base_is_the_chart_with_its_values() {
    let deploy = run::workspace_dir().join("deploy");
    same(build(&deploy), render(&[&deploy.join("values.yaml")]));
}

#[test]
fn install_yaml_is_the_base_in_one_file() {
    let deploy = run::workspace_dir().join("deploy");
    let file = std::fs::read_to_string(deploy.join("install.yaml")).unwrap();
    same(parse(&file).unwrap(), build(&deploy));
}

#[test]
fn each_component_is_the_chart_with_its_values() {
    let deploy = run::workspace_dir().join("deploy");
    let mut seen = 0;
    for component in std::fs::read_dir(deploy.join("components")).unwrap() {
        let component = component.unwrap().path();
        seen += 1;
        // kustomize takes relative paths only, so the user's folder lies beside the tree's.
        let name = component.file_name().unwrap().to_str().unwrap().to_owned();
        let user = deploy.join(format!("../target/kustomize-{name}"));
        std::fs::create_dir_all(&user).unwrap();
        let text = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../deploy]\n\
             components: [../../deploy/components/{name}]\n"
        );
        std::fs::write(user.join("kustomization.yaml"), text).unwrap();
        let built = build(&user);
        std::fs::remove_dir_all(&user).unwrap();
        same(built, render(&[&deploy.join("values.yaml"), &component.join("values.yaml")]));
    }
    assert!(seen >= 3, "only {seen} components were found");
}
