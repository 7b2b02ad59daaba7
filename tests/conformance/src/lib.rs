//! Conformance on recordings: recorded traffic of the real Azure decodes with the client's wire types, and, played in
//! order against the emulator, is answered in the same way.
//!
//! Reading order: [`recording`] is what is read, [`precondition`] and [`outside`] derive what others must have done,
//! [`replay`] plays a file on a [`stage`], [`shape`] and [`headers`] compare, [`forms`] and [`rules`] hold every rule
//! by which something is not taken literally, and [`report`] prints.

pub mod decode;
pub mod difference;
pub mod forms;
pub mod generation;
pub mod headers;
pub mod outside;
pub mod precondition;
pub mod recording;
pub mod replay;
pub mod report;
pub mod rules;
pub mod shape;
pub mod stage;

use std::path::{Path, PathBuf};

use recording::Recording;
use replay::Played;

/// Where our own fixtures are.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Plays every file of a directory.
pub fn run(directory: &Path) -> anyhow::Result<Vec<Played>> {
    let files = Recording::read_all(directory)?;
    files
        .into_iter()
        .map(|(name, file)| match file {
            Ok(recording) => play(&recording),
            Err(error) => Ok(Played::unread(name, &error)),
        })
        .collect()
}

/// Plays one file, on a clock of its own that stands still until the replay moves it.
pub fn play(recording: &Recording) -> anyhow::Result<Played> {
    on_paused_clock(replay::play(recording))
}

/// Runs something on a runtime whose clock is paused.
pub fn on_paused_clock<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(future)
}
