//! How to start an emulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context as _;

use crate::settings::Settings;
use crate::world::file::{DEFAULT_WORLD, WorldFile};

/// How to start an emulator. The default suits tests: free ports of loopback, the default world, its usual delays.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where ARM and Entra listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the control endpoint listens; None, it is off. Loopback only, unless `control_anywhere`.
    pub control: Option<SocketAddr>,
    /// Lets the control endpoint, which knows no sign-in, listen beyond loopback: whoever reaches it reads every call
    /// and changes everything.
    pub control_anywhere: bool,
    /// Where the instance metadata service listens; None, it is off. Plain HTTP, as Azure's.
    pub imds: Option<SocketAddr>,
    /// Names and addresses for the certificate, beyond loopback and the address listened on.
    pub names: Vec<String>,
    /// The world file's text; None, the default world.
    pub world: Option<String>,
    /// What messages call that file.
    pub world_name: String,
    /// Where each call's entry of the ledger is written, one JSON object in a line; None, nowhere.
    pub ledger_file: Option<PathBuf>,
    /// Settings at the start.
    pub settings: Settings,
    /// What all that is drawn comes from: delays, order, GUIDs, keys of tokens.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control: None,
            control_anywhere: false,
            imds: None,
            names: Vec::new(),
            world: None,
            world_name: "world file".into(),
            ledger_file: None,
            settings: Settings::default(),
            seed: 1,
        }
    }
}

impl Options {
    /// The default without delays: what was caused is seen by the next call.
    pub fn instant() -> Self {
        Self { settings: Settings::instant(), ..Self::default() }
    }

    pub(crate) fn world_file(&self) -> anyhow::Result<WorldFile> {
        let parsed = WorldFile::parse(self.world.as_deref().unwrap_or(DEFAULT_WORLD));
        parsed.and_then(|file| file.check().map(|()| file)).with_context(|| self.world_name.clone())
    }
}
