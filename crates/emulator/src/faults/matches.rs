//! Which calls a fault hits.

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use crate::ledger::CallKind;
use crate::pattern;

/// Which calls a fault hits. What is absent matches everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Match {
    /// ARM or Entra; both where absent.
    pub kind: Option<CallKind>,
    /// The HTTP method, one of GET, HEAD, PUT, PATCH, POST, DELETE and OPTIONS.
    pub method: Option<String>,
    /// A part of the path (canonical id), without regard to case.
    pub path_contains: Option<String>,
    /// Exactly this id, without regard to case.
    pub id: Option<String>,
    /// The whole path, with `*` for any run of characters, without regard to case.
    pub path_glob: Option<String>,
    /// Only from the nth matching call on, counted from when the fault was added. 1 where absent.
    pub nth: Option<u64>,
    /// Only so many calls. Absent: one call where `nth` is given, else all until the fault is removed.
    pub times: Option<u64>,
    /// Only for so long after the fault was added.
    pub for_seconds: Option<f64>,
}

/// The methods that a fault may wait for.
pub(super) const METHODS: &[&str] = &["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"];
/// The longest that a fault may be in force: a year.
const LONGEST_SECONDS: f64 = 365.0 * 24.0 * 60.0 * 60.0;

impl Match {
    /// Refuses what no call could ever match.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if let Some(method) = &self.method {
            let known = METHODS.iter().any(|known| known.eq_ignore_ascii_case(method));
            ensure!(known, "match.method: {method:?} is none of {}", METHODS.join(", "));
        }
        if let Some(id) = &self.id {
            ensure!(
                id.starts_with('/'),
                "match.id: {id:?} does not begin with a slash, as every path does; `*` is for pathGlob"
            );
        }
        if let Some(glob) = &self.path_glob {
            let good = glob.starts_with(['/', '*']);
            ensure!(
                good,
                "match.pathGlob: {glob:?} does not begin with a slash, as every path does, nor with `*`"
            );
        }
        ensure!(self.nth != Some(0), "match.nth: calls are counted from 1");
        ensure!(self.times != Some(0), "match.times: 0 calls are none; 1 is the smallest");
        if let Some(seconds) = self.for_seconds {
            ensure!(
                seconds > 0.0 && seconds <= LONGEST_SECONDS,
                "match.forSeconds: {seconds} is not more than zero and at most a year"
            );
        }
        Ok(())
    }

    /// Whether it hits this call, counts and times left aside.
    pub(super) fn hits(&self, kind: CallKind, method: &str, path: &str) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.id.as_ref().is_none_or(|id| id.eq_ignore_ascii_case(path))
            && self.path_glob.as_ref().is_none_or(|glob| pattern::matches(glob, path))
            && self
                .path_contains
                .as_ref()
                .is_none_or(|part| path.to_ascii_lowercase().contains(&part.to_ascii_lowercase()))
    }
}
