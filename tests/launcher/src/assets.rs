//! Where the programs come from that a run starts.
//!
//! Kubernetes: `TEST_ASSET_<NAME>`, then the folder `KUBEBUILDER_ASSETS`, exactly as envtest looks them up; then
//! `tools/build.sh`, which builds the pinned version once. A run is never skipped because a program is missing.
//!
//! Our own: what the options of a start name, `AVNM_OPERATOR_BIN` and `AVNM_EMULATOR_BIN`, then beside the running program, where cargo puts them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::run;

/// A program of others, by its file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asset {
    /// etcd
    Etcd,
    /// kube-apiserver
    ApiServer,
    /// kube-controller-manager: namespaces are deleted and orphans collected by it alone
    ControllerManager,
    /// kubectl
    Kubectl,
    /// prometheus, without its pages
    Prometheus,
    /// promtool
    Promtool,
    /// helm
    Helm,
}

impl Asset {
    /// The file name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Prometheus => "prometheus",
            Self::Promtool => "promtool",
            Self::Helm => "helm",
        }
    }

    /// The program, if the environment names it.
    pub fn in_environment(self) -> Option<PathBuf> {
        named_by(self.name(), |variable| std::env::var_os(variable).map(PathBuf::from))
    }

    /// The program, built if need be. A build that takes minutes tells so on stderr.
    pub fn find(self) -> Result<PathBuf> {
        if let Some(path) = self.in_environment() {
            return Ok(path);
        }
        let script = run::workspace_dir().join("tools/build.sh");
        let output = Command::new("bash")
            .arg(&script)
            .arg(self.name())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("run tools/build.sh for {}", self.name()))?;
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let path = Path::new(&folder).join(self.name());
        if !output.status.success() || !path.is_file() {
            bail!("build {} with tools/build.sh: it ended with {}", self.name(), output.status);
        }
        Ok(path)
    }
}

/// envtest's order. A variable that names no file is passed over, as there.
fn named_by(name: &str, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let own = format!("TEST_ASSET_{}", name.to_uppercase().replace('-', "_"));
    let in_folder = variable("KUBEBUILDER_ASSETS").map(|folder| folder.join(name));
    [variable(&own), in_folder].into_iter().flatten().find(|path| path.is_file())
}

/// The version of Kubernetes that `tools/kube/go.mod` pins, such as `v1.37.2`.
pub fn pinned_kubernetes() -> Result<String> {
    let file = run::workspace_dir().join("tools/kube/go.mod");
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    text.lines()
        .filter_map(|line| line.trim().trim_start_matches("require ").strip_prefix("k8s.io/kubernetes "))
        .map(|rest| rest.split_whitespace().next().unwrap_or_default().to_owned())
        .find(|version| version.starts_with('v'))
        .context("find the version of k8s.io/kubernetes in tools/kube/go.mod")
}

/// The program that a caller gives (of another build, say), or our own of that name.
pub(crate) fn given_or_ours(given: Option<&Path>, name: &str) -> Result<PathBuf> {
    match given {
        Some(path) if path.is_file() => Ok(path.to_owned()),
        Some(path) => bail!("find {name}: {} is no file", path.display()),
        None => ours(name),
    }
}

/// One of our own programs: `avnm-operator`, `avnm-emulator`.
pub fn ours(name: &str) -> Result<PathBuf> {
    let variable = format!("{}_BIN", name.to_uppercase().replace('-', "_"));
    if let Some(path) = std::env::var_os(&variable) {
        let path = PathBuf::from(path);
        if path.is_file() {
            return Ok(path);
        }
        bail!("find {name}: {variable} names {}, which is no file", path.display());
    }
    let me = std::env::current_exe().context("find the running program")?;
    // A program lies in target/debug, a test of cargo's in target/debug/deps.
    me.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file()).with_context(
        || {
            format!(
                "find {name} beside {}: build it with `cargo build -p {name}`, or set {variable}",
                me.display()
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_own_variable_wins_over_the_folder() {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let file = here.join("Cargo.toml");
        let by = |own: Option<PathBuf>| {
            let here = here.clone();
            named_by("Cargo.toml", move |variable| match variable {
                "KUBEBUILDER_ASSETS" => Some(here.clone()),
                "TEST_ASSET_CARGO.TOML" => own.clone(),
                other => panic!("asked for {other}"),
            })
        };
        assert_eq!(by(Some(here.join("src/lib.rs"))), Some(here.join("src/lib.rs")));
        assert_eq!(by(None), Some(file.clone()));
        assert_eq!(by(Some(here.join("no-such-file"))), Some(file));
    }

    #[test]
    fn names_become_variables_as_envtest_writes_them() {
        let mut asked = std::cell::RefCell::new(Vec::new());
        named_by("kube-controller-manager", |variable| {
            asked.borrow_mut().push(variable.to_owned());
            None
        });
        assert_eq!(asked.get_mut(), &["KUBEBUILDER_ASSETS", "TEST_ASSET_KUBE_CONTROLLER_MANAGER"]);
    }

    #[test]
    fn a_given_program_is_taken_or_the_start_fails() {
        let me = std::env::current_exe().unwrap();
        assert_eq!(given_or_ours(Some(&me), "no-such-program").unwrap(), me);
        let missing = me.with_file_name("no-such-program");
        let error = given_or_ours(Some(&missing), "avnm-operator").unwrap_err().to_string();
        assert!(error.contains("no-such-program is no file"), "{error}");
    }

    #[test]
    fn the_pinned_version_is_read() {
        assert!(pinned_kubernetes().unwrap().starts_with("v1."));
    }
}
