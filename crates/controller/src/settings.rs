//! Settings of the loop, with their units.

use std::{path::PathBuf, time::Duration};

use avnm_arm::Cloud;
use avnm_plan::pace::Waits;
use url::Url;

use crate::{lease::LeaseSettings, scope::Scope};

/// Everything that flags decide.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The waits that decisions use.
    pub waits: Waits,
    /// A failing credential is tried, and a Secret in use is read, once in this time.
    pub probe: Duration,
    /// What the operator's surroundings give to sign in with.
    pub surroundings: Surroundings,
    /// Which objects of the cluster it is for.
    pub scope: Scope,
    /// The lease.
    pub lease: LeaseSettings,
    /// Passes at the same time, per kind.
    pub concurrency: u16,
    /// Each thing in Azure is read by a GET of its own, again and again, and no list instead: only to measure what lists save.
    pub each: bool,
    /// How long running passes get when the process is told to stop.
    pub drain: Duration,
}

/// What the operator's own surroundings give. None of it can come from a custom resource.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The operator's own namespace: Secrets and ServiceAccounts of the cluster kind lie there.
    pub namespace: String,
    /// The token that is projected into the operator's pod, if there is one.
    pub federated_token_file: Option<PathBuf>,
    /// The machine's metadata service, where it is not at its usual address.
    pub metadata_endpoint: Option<Url>,
    /// The cloud: its audience for assertions.
    pub cloud: Cloud,
}
