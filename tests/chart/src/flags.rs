//! The chart and the operator agree on flags: the chart sets none that the program does not know, and every one of the
//! program can be set by a value.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use avnm_chart::{matrix, rendered};
use avnm_launcher::{Helm, assets};
use serde_json::{Value, json};

/// What only tests shorten; `extraEnv` sets them.
const OF_TESTS: [&str; 3] = ["AVNM_PUT_QUIET", "AVNM_GONE_INTERVAL", "AVNM_READ_LAG"];
/// What the chart sets as an argument.
const ARGUMENTS: [(&str, &str); 2] =
    [("AVNM_WATCH_NAMESPACES", "--watch-namespaces"), ("AVNM_OBJECT_SELECTOR", "--object-selector")];

pub(crate) fn run() -> Result<()> {
    let operator = assets::ours("avnm-operator")?;
    let output = Command::new(&operator).arg("--help").output().context("run avnm-operator --help")?;
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let known: BTreeSet<&str> =
        help.split("[env: ").skip(1).filter_map(|rest| rest.split('=').next()).collect();
    ensure!(known.len() > 20, "avnm-operator --help names only {known:?}");

    let mut values = matrix::everything();
    // The Lease has the release's name, and is named where that is not the program's default.
    values["fullnameOverride"] = json!("other");
    let objects = rendered::objects(&Helm::find()?, &values)?;
    let deployment = rendered::object(&objects, "Deployment", "other")?;
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let set: BTreeSet<&str> =
        container["env"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    let of_ours = |name: &&&str| name.starts_with("AVNM_") || name.starts_with("AZURE_");
    let unknown: Vec<_> = set.iter().filter(of_ours).filter(|name| !known.contains(*name)).collect();
    ensure!(unknown.is_empty(), "the chart sets what the operator does not know: {unknown:?}");
    let args = container["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let args: Vec<&str> = args.filter_map(|arg| arg.split('=').next()).collect();
    let settable = |name: &str| {
        let argument = ARGUMENTS.iter().find(|(variable, _)| *variable == name);
        // The row with everything watches all namespaces; another row has the argument.
        argument.is_some_and(|(_, flag)| args.contains(flag) || *flag == "--watch-namespaces")
    };
    let unset: Vec<_> = known
        .iter()
        .filter(|name| !set.contains(*name) && !OF_TESTS.contains(name) && !settable(name))
        .collect();
    ensure!(unset.is_empty(), "no value of the chart sets the operator's {unset:?}");
    println!("flags: {} variables of the operator, {} set by the chart", known.len(), set.len());
    Ok(())
}
