//! The chart as it was and as it may become: copies of ours with other CustomResourceDefinitions, and that of the previous
//! commit.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use avnm_launcher::{Helm, run};
use serde_json::{Value, json};

/// A field that the newer chart's kinds have in spec and status.
pub(crate) const FUTURE: &str = "future";

/// Fields that the older chart's kinds do not have: of each kind one that users may set, and one that the operator writes
/// with every report.
const YOUNG: [(&str, &str, &str); 5] = [
    ("crosstenantconnections", "spec", "suspend"),
    ("crosstenantconnections", "status", "connectionState"),
    ("staticmembers", "spec", "suspend"),
    ("staticmembers", "status", "provisioningState"),
    ("tenantcredentials", "status", "tenantId"),
];

/// An older version: its kinds lack fields, and its pods get less memory.
pub(crate) fn older(dir: &Path) -> Result<PathBuf> {
    let chart = copy(dir, "older", "0.0.1")?;
    for (plural, part, field) in YOUNG {
        change(&chart, plural, |schema| {
            let removed =
                schema["properties"][part]["properties"].as_object_mut().and_then(|map| map.remove(field));
            removed.map(drop).with_context(|| format!("find {part}.{field} of {plural}"))
        })?;
    }
    let values = chart.join("values.yaml");
    let text = std::fs::read_to_string(&values).context("read the older chart's values")?;
    ensure!(text.contains("memory: 64Mi"), "the values have no request for memory to change");
    std::fs::write(&values, text.replace("memory: 64Mi", "memory: 40Mi"))
        .context("write the older chart's values")?;
    Ok(chart)
}

/// A newer version: its kinds have a field more, in spec and in status.
pub(crate) fn newer(dir: &Path) -> Result<PathBuf> {
    let chart = copy(dir, "newer", "9.0.0")?;
    for plural in ["crosstenantconnections", "staticmembers", "tenantcredentials", "clustertenantcredentials"]
    {
        change(&chart, plural, |schema| {
            for part in ["spec", "status"] {
                schema["properties"][part]["properties"][FUTURE] = json!({"type": "string", "maxLength": 9});
            }
            Ok(())
        })?;
    }
    Ok(chart)
}

/// That of the previous commit, if it has one that differs from ours.
pub(crate) fn previous(dir: &Path) -> Result<Option<PathBuf>> {
    let top = run::workspace_dir();
    let git =
        |args: &[&str]| Command::new("git").arg("-C").arg(&top).args(args).stderr(Stdio::null()).output();
    let Ok(there) = git(&["rev-parse", "--verify", "HEAD~1:charts/avnm-operator"]) else { return Ok(None) };
    let Ok(same) = git(&["diff", "--quiet", "HEAD~1", "--", "charts/avnm-operator"]) else { return Ok(None) };
    if !there.status.success() || same.status.success() {
        return Ok(None);
    }
    let into = dir.join("previous");
    std::fs::create_dir_all(&into).with_context(|| format!("create {}", into.display()))?;
    let archive = git(&["archive", "HEAD~1", "charts/avnm-operator"]).context("run git archive")?;
    let file = into.join("chart.tar");
    std::fs::write(&file, archive.stdout).with_context(|| format!("write {}", file.display()))?;
    let status =
        Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(&into).status().context("run tar")?;
    if !status.success() {
        bail!("unpack the previous commit's chart: tar ended with {status}");
    }
    Ok(Some(into.join("charts/avnm-operator")))
}

fn copy(dir: &Path, name: &str, version: &str) -> Result<PathBuf> {
    let to = dir.join(name);
    copy_folder(&Helm::chart(), &to)?;
    let file = to.join("Chart.yaml");
    let text = std::fs::read_to_string(&file).context("read Chart.yaml")?;
    let ours = format!("\nversion: {}\n", env!("CARGO_PKG_VERSION"));
    ensure!(text.contains(&ours), "Chart.yaml has no version {}", env!("CARGO_PKG_VERSION"));
    std::fs::write(&file, text.replace(&ours, &format!("\nversion: {version}\n")))
        .context("write Chart.yaml")?;
    Ok(to)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let what = || format!("copy {}", from.display());
    std::fs::create_dir_all(to).with_context(what)?;
    for entry in std::fs::read_dir(from).with_context(what)? {
        let entry = entry.with_context(what)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target).with_context(what)?;
        }
    }
    Ok(())
}

/// Changes the schema of one kind.
fn change(chart: &Path, plural: &str, change: impl FnOnce(&mut Value) -> Result<()>) -> Result<()> {
    let file = chart.join(format!("files/crds/{plural}.yaml"));
    let what = || format!("change {}", file.display());
    let text = std::fs::read_to_string(&file).with_context(what)?;
    let mut crd: Value = serde_saphyr::from_str(&text).with_context(what)?;
    let schema = crd.pointer_mut("/spec/versions/0/schema/openAPIV3Schema").context("find the schema")?;
    change(schema)?;
    std::fs::write(&file, crd.to_string()).with_context(what)
}

/// The values that a chart knows, of these: one of before refuses those that came since.
pub(crate) fn known_to(chart: &Path, values: &Value) -> Result<Value> {
    let file = chart.join("values.yaml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let own: Value = serde_saphyr::from_str(&text).with_context(|| format!("parse {}", file.display()))?;
    Ok(within(values, &own))
}

fn within(values: &Value, own: &Value) -> Value {
    match (values, own) {
        // An empty one takes whatever stands in it.
        (Value::Object(values), Value::Object(own)) if !own.is_empty() => {
            let known =
                values.iter().filter_map(|(key, value)| Some((key.clone(), within(value, own.get(key)?))));
            Value::Object(known.collect())
        }
        _ => values.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_chart_does_not_know_is_left_out_and_nothing_else_is() {
        let own = json!({"a": {"b": 1, "labels": {}}, "c": []});
        let values = json!({"a": {"b": 2, "new": true, "labels": {"x": "y"}}, "c": [1], "young": {"z": 1}});
        assert_eq!(within(&values, &own), json!({"a": {"b": 2, "labels": {"x": "y"}}, "c": [1]}));
    }
}
