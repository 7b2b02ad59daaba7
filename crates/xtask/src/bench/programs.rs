//! Which programs are measured: those of the release build, made for it, or those of a folder that has them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use avnm_launcher::run;

use super::case::{Case, Kind};
use crate::prepare::{self, Profile};

const OPERATOR: &str = "avnm-operator";
const EMULATOR: &str = "avnm-emulator";

/// Where the measured programs lie, if they are not those of the release build.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// What the operator is measured by.
pub(super) fn operator() -> PathBuf {
    measured(OPERATOR)
}

/// What Azure is emulated by.
pub(super) fn emulator() -> PathBuf {
    measured(EMULATOR)
}

/// What measures, and the floor.
pub(super) fn bench() -> PathBuf {
    release().join("xtask")
}

/// The folder that was named, if one was.
pub(super) fn folder() -> Option<&'static Path> {
    FOLDER.get().map(PathBuf::as_path)
}

/// Builds what these cases need, and where a folder is named only what is not ours: that has to hold ours, which is told before
/// anything is measured.
pub(super) fn prepare(named: Option<&Path>, cases: &[Case]) -> Result<()> {
    let emulator_alone = cases.iter().all(|case| case.kind == Kind::Emulator);
    let Some(named) = named else {
        return if emulator_alone { prepare::emulator() } else { prepare::build(Profile::Release) };
    };
    let folder = named.canonicalize().with_context(|| format!("find --programs {}", named.display()))?;
    let missing = missing(cases, |name| folder.join(name).is_file());
    ensure!(missing.is_empty(), "--programs {}: there is no {}", named.display(), missing.join(" and no "));
    if !emulator_alone {
        prepare::tools()?;
    }
    FOLDER.get_or_init(|| folder);
    Ok(())
}

/// What these cases start and is not there.
fn missing(cases: &[Case], there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let needed = |name: &str| {
        cases.iter().any(|case| match case.kind {
            Kind::Emulator => name == EMULATOR,
            Kind::Program => name == OPERATOR,
            _ => true,
        })
    };
    [OPERATOR, EMULATOR].into_iter().filter(|name| needed(name) && !there(name)).collect()
}

fn measured(name: &str) -> PathBuf {
    FOLDER.get().cloned().unwrap_or_else(release).join(name)
}

fn release() -> PathBuf {
    run::target_dir().join("release")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_asked_for_what_its_cases_start_and_for_no_more() {
        let cases = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<Case>>();
        let of = |names, there: &[&str]| missing(&cases(names), |name| there.contains(&name));
        assert_eq!(of(&["emulator"], &[EMULATOR]), Vec::<&str>::new());
        assert_eq!(of(&["program"], &[OPERATOR]), Vec::<&str>::new());
        assert_eq!(of(&["program", "emulator"], &[]), [OPERATOR, EMULATOR]);
        assert_eq!(of(&["create-1x1"], &[OPERATOR]), [EMULATOR]);
        assert_eq!(of(&["emulator", "create-1x1"], &[OPERATOR, EMULATOR]), Vec::<&str>::new());
    }

    #[test]
    fn a_folder_without_them_is_told_so_before_anything_is_measured() {
        let cases = ["create-1x1".parse().unwrap()];
        let empty = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let error = prepare(Some(&empty), &cases).unwrap_err().to_string();
        assert!(error.ends_with("there is no avnm-operator and no avnm-emulator"), "{error}");
        let error = prepare(Some(&empty.join("nowhere")), &cases).unwrap_err().to_string();
        assert!(error.starts_with("find --programs"), "{error}");
    }
}
