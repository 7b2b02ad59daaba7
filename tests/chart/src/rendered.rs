//! What helm renders of the chart for given values.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use avnm_launcher::{Helm, run};
use serde_json::Value;

/// The release's name.
pub const RELEASE: &str = "avnm-operator";
/// The release's namespace.
pub const NAMESPACE: &str = "avnm-system";

/// All objects that are rendered, in helm's order.
pub fn objects(helm: &Helm, values: &Value) -> Result<Vec<Value>> {
    parse(&text(helm, values)?)
}

/// The same as text.
pub fn text(helm: &Helm, values: &Value) -> Result<String> {
    let file = values_file(values)?;
    let chart = Helm::chart().display().to_string();
    let values = file.display().to_string();
    let rendered = helm.run(&["template", RELEASE, &chart, "--namespace", NAMESPACE, "--values", &values]);
    std::fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
    rendered
}

/// The documents of a text in YAML, without empty ones.
pub fn parse(yaml: &str) -> Result<Vec<Value>> {
    let all: Vec<Value> = serde_saphyr::from_multiple(yaml).context("parse what was rendered")?;
    Ok(all.into_iter().filter(|object| !object.is_null()).collect())
}

/// What helm says of values that it refuses; an error if it takes them.
pub fn refused(helm: &Helm, values: &Value) -> Result<String> {
    let file = values_file(values)?;
    let chart = Helm::chart().display().to_string();
    let values = file.display().to_string();
    let output = helm.output(&["template", RELEASE, &chart, "--values", &values])?;
    std::fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
    anyhow::ensure!(!output.status.success(), "helm took what it should have refused");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Values as a file. JSON is YAML.
pub fn values_file(values: &Value) -> Result<PathBuf> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let folder = run::target_dir().join("helm");
    std::fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let file = folder.join(format!("values-{}-{number}.yaml", std::process::id()));
    std::fs::write(&file, values.to_string()).with_context(|| format!("write {}", file.display()))?;
    Ok(file)
}

/// The one object of a kind and name.
pub fn object<'a>(objects: &'a [Value], kind: &str, name: &str) -> Result<&'a Value> {
    let is = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter().find(is).with_context(|| format!("find {kind}/{name} in what was rendered"))
}

/// The variables of the operator's container that have a value of their own, by name.
pub fn variable<'a>(deployment: &'a Value, name: &str) -> Option<&'a str> {
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array()?;
    env.iter().find(|it| it["name"] == name)?["value"].as_str()
}
