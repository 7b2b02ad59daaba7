//! `cargo xtask layers`: the arrows between the crates are those of ARCHITECTURE.md and no others, and the modules of a
//! crate are in no circle.
//!
//! A crate that decides must not be able to read a clock or a socket, and the emulator must not share a line with
//! the client that it tests: a field misspelt in both would pass every test. Both are facts of the dependency
//! graph, so both are checked there and not by review.

mod circles;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Which crates of ours a crate may see. A crate that is in neither table is an error: it has to be placed.
const MAY_SEE: &[(&str, &[&str])] = &[
    ("avnm-terms", &[]),
    ("avnm-api", &["avnm-terms"]),
    ("avnm-plan", &["avnm-api", "avnm-terms"]),
    ("avnm-arm", &["avnm-terms"]),
    ("avnm-controller", &["avnm-plan", "avnm-api", "avnm-arm", "avnm-terms"]),
    ("avnm-operator", &["avnm-controller", "avnm-arm", "avnm-terms"]),
    ("avnm-cli", &["avnm-api", "avnm-plan", "avnm-arm", "avnm-terms"]),
    ("avnm-emulator", &[]),
];

/// These see what they like, and nothing that ships sees them. `avnm-wire`, `avnm-in-process` and
/// `avnm-conformance` are where the client and the emulator meet.
const TOOLS: &[&str] = &[
    "xtask",
    "avnm-launcher",
    "avnm-scenarios",
    "avnm-chart",
    "avnm-gitops",
    "avnm-wire",
    "avnm-in-process",
    "avnm-conformance",
    "avnm-entropy",
    "avnm-loop",
];

/// What the tests of any crate may see besides: the emulator and the launcher are made for them. The emulator's
/// own tests may not see the client, or they would be shaped by it.
const TESTS_MAY_SEE: &[&str] = &["avnm-emulator", "avnm-launcher"];

/// The crates that only compute.
const PURE: &[&str] = &["avnm-terms", "avnm-api", "avnm-plan"];

/// What a crate that only computes has nowhere below it.
const IMPURE: &[&str] =
    &["tokio", "hyper", "reqwest", "kube-client", "kube-runtime", "tower", "rustls", "axum"];

/// The programs that ship.
const SHIPPED: &[&str] = &["avnm-operator"];

/// Features of ours that are there for tests alone, and of which nothing may be in what ships.
const TEST_FEATURES: &[&str] = &["in-process", "mutants"];

/// The crates whose modules are looked at for circles, and their folders under `crates`.
const LIBRARIES: &[&str] = &["terms", "api", "plan", "arm", "controller", "emulator"];

/// Those of them that have none, and may have none any more. The circles of the others are printed and fail nothing.
const WITHOUT_CIRCLES: &[&str] = &["terms", "api", "arm", "plan", "controller", "emulator"];

/// One arrow between two crates of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Arrow {
    from: String,
    to: String,
    /// It is there only for tests.
    dev: bool,
}

/// Checks and prints what it checked.
pub(crate) fn run() -> Result<ExitCode> {
    let wrong = check()?;
    for name in LIBRARIES.iter().filter(|name| !WITHOUT_CIRCLES.contains(name)) {
        for circle in circles_of(name)? {
            println!("layers: a circle of modules in {name}: {circle}");
        }
    }
    for line in &wrong {
        eprintln!("layers: {line}");
    }
    if wrong.is_empty() {
        println!(
            "layers: every arrow is an allowed one, {} are pure, {} has nothing of what is for tests, and the modules of {} \
             are in no circle",
            PURE.join(", "),
            SHIPPED.join(", "),
            WITHOUT_CIRCLES.join(", ")
        );
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Everything that is wrong in this workspace.
fn check() -> Result<Vec<String>> {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])?)
        .context("parse the output of cargo metadata")?;
    let (crates, arrows) = graph(&metadata);
    let mut wrong = wrong_arrows(&crates, &arrows);
    for name in PURE.iter().filter(|name| crates.contains(**name)) {
        // Not from the metadata: it unifies features over the whole workspace, and would blame the innocent.
        let tree = cargo(&["tree", "--package", name, "--edges", "normal", "--prefix", "none"])?;
        wrong.extend(impurities(name, &tree));
    }
    for name in SHIPPED {
        // As it is built to be shipped: alone, so that no test's wish is unified into it.
        let edges = "normal,build,features";
        let tree = cargo(&["tree", "--package", name, "--edges", edges, "--prefix", "none"])?;
        wrong.extend(test_features(name, &tree));
    }
    for name in WITHOUT_CIRCLES {
        let circles = circles_of(name)?;
        wrong.extend(circles.iter().map(|circle| format!("a circle of modules in {name}: {circle}")));
    }
    Ok(wrong)
}

fn circles_of(name: &str) -> Result<Vec<circles::Circle>> {
    circles::circles(&root().join("crates").join(name).join("src"))
        .with_context(|| format!("look for circles of modules in {name}"))
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The features for tests in the output of `cargo tree --edges features --prefix none`.
fn test_features(name: &str, tree: &str) -> Vec<String> {
    let ours = |feature: &str| {
        let end = format!("feature \"{feature}\"");
        tree.lines().any(|line| line.starts_with("avnm-") && line.trim_end_matches(" (*)").ends_with(&end))
    };
    let found = TEST_FEATURES.iter().filter(|feature| ours(feature));
    found.map(|feature| format!("{name} ships and must not have the feature {feature:?} below it")).collect()
}

/// The crates of the workspace and the arrows between them.
fn graph(metadata: &Value) -> (BTreeSet<String>, Vec<Arrow>) {
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|package| Some((package["name"].as_str()?, package)))
        .collect();
    let mut arrows = Vec::new();
    for (from, package) in &packages {
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if let Some(to) = dependency["name"].as_str().filter(|to| packages.contains_key(to)) {
                let dev = dependency["kind"] == "dev";
                arrows.push(Arrow { from: (*from).to_owned(), to: to.to_owned(), dev });
            }
        }
    }
    (packages.keys().map(|name| (*name).to_owned()).collect(), arrows)
}

fn wrong_arrows(crates: &BTreeSet<String>, arrows: &[Arrow]) -> Vec<String> {
    let allowed = |name: &str| MAY_SEE.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
    let is_tool = |name: &str| TOOLS.contains(&name);
    let mut wrong: Vec<String> = crates
        .iter()
        .filter(|name| allowed(name).is_none() && !is_tool(name))
        .map(|name| format!("{name} has no place yet: add it to the tables of crates/xtask/src/layers.rs"))
        .collect();
    for Arrow { from, to, dev } in arrows {
        let Some(allowed) = allowed(from) else { continue };
        let for_tests = *dev && from != "avnm-emulator" && TESTS_MAY_SEE.contains(&to.as_str());
        if !for_tests && !allowed.contains(&to.as_str()) {
            let how = if *dev { "in its tests" } else { "at all" };
            wrong.push(format!("{from} must not see {to} {how}; it may see {allowed:?}"));
        }
    }
    wrong
}

/// The forbidden crates in the output of `cargo tree --prefix none`, which begins each line with a name.
fn impurities(name: &str, tree: &str) -> Vec<String> {
    let below: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    IMPURE
        .iter()
        .filter(|impure| below.contains(**impure))
        .map(|impure| {
            format!(
                "{name} only computes and must not have {impure} below it; `cargo tree -p {name} -e normal -i {impure}` shows the way"
            )
        })
        .collect()
}

fn cargo(args: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(args)
        .current_dir(root())
        .output()
        .with_context(|| format!("run cargo {}", args.join(" ")))?;
    if !output.status.success() {
        bail!(
            "cargo {} ended with {}: {}",
            args.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("read the output of cargo {}", args.join(" ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn this_workspace_keeps_its_layers() {
        assert_eq!(check().unwrap(), Vec::<String>::new());
    }

    /// One package with dependencies given as (name, kind), as `cargo metadata` prints them.
    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> =
            dependencies.iter().map(|(name, kind)| json!({ "name": name, "kind": kind })).collect();
        json!({ "name": name, "dependencies": dependencies })
    }

    fn wrong(packages: &[Value]) -> Vec<String> {
        let (crates, arrows) = graph(&json!({ "packages": packages }));
        wrong_arrows(&crates, &arrows)
    }

    #[test]
    fn an_arrow_upwards_is_wrong() {
        let terms = package("avnm-terms", &[("avnm-plan", None)]);
        let plan = package("avnm-plan", &[("avnm-terms", None), ("serde", None)]);
        let wrong = wrong(&[terms, plan]);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].starts_with("avnm-terms must not see avnm-plan"), "{wrong:?}");
    }

    #[test]
    fn the_client_does_not_see_the_kinds() {
        let api = package("avnm-api", &[]);
        assert_eq!(wrong(&[package("avnm-arm", &[("avnm-api", None)]), api]).len(), 1);
    }

    #[test]
    fn the_emulator_sees_nothing_of_ours_not_even_in_its_tests() {
        let arm = package("avnm-arm", &[]);
        for kind in [None, Some("dev"), Some("build")] {
            let emulator = package("avnm-emulator", &[("avnm-arm", kind)]);
            assert_eq!(wrong(&[emulator, arm.clone()]).len(), 1, "{kind:?}");
        }
    }

    #[test]
    fn what_ships_sees_the_emulator_in_tests_only() {
        let emulator = package("avnm-emulator", &[]);
        let with = |kind| wrong(&[package("avnm-arm", &[("avnm-emulator", kind)]), emulator.clone()]).len();
        assert_eq!((with(Some("dev")), with(None)), (0, 1));
    }

    #[test]
    fn tools_see_everything_and_are_seen_by_nothing_that_ships() {
        let tool = package("xtask", &[("avnm-operator", None)]);
        let operator = |sees: &[(&str, Option<&str>)]| package("avnm-operator", sees);
        assert_eq!(wrong(&[tool.clone(), operator(&[])]).len(), 0);
        assert_eq!(wrong(&[tool, operator(&[("xtask", None)])]).len(), 1);
    }

    #[test]
    fn a_crate_without_a_place_is_wrong() {
        assert!(wrong(&[package("avnm-news", &[])])[0].contains("no place yet"));
    }

    #[test]
    fn a_runtime_below_a_pure_crate_is_wrong() {
        let tree =
            "avnm-plan v0.1.0 (crates/plan)\nserde v1.0.0\ntokio v1.54.1\nbytes v1.0.0\ntokio v1.54.1 (*)\n";
        let wrong = impurities("avnm-plan", tree);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].contains("tokio"));
        assert!(impurities("avnm-plan", "avnm-plan v0.1.0\ntokio-like v1.0.0\nserde v1.0.0\n").is_empty());
    }

    #[test]
    fn what_is_for_tests_does_not_ship() {
        let tree = "avnm-operator v0.1.0 (crates/operator)\navnm-arm feature \"default\"\navnm-arm feature \"in-process\" (*)\n";
        assert_eq!(test_features("avnm-operator", tree).len(), 1);
        let tree = "avnm-operator v0.1.0 (crates/operator)\navnm-arm feature \"default\"\nother feature \"in-process\"\n";
        assert!(test_features("avnm-operator", tree).is_empty());
    }
}
