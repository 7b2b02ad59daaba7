//! Azure Resource Manager and Entra in memory, over TLS: enough of both for network managers across tenants.
//!
//! Tenants own subscriptions and management groups; applications are registered in one tenant and consented to in
//! others; a bearer token and auxiliary tokens are checked as ARM checks them; the two halves of a connection find
//! each other later, each by itself; static members are Updating before they are Succeeded or Failed.
//!
//! Each rule names what it is built on ([`catalogue::EVIDENCE`]): a recording of the real service, a public report, the
//! specification, or nothing better than an assumption. The emulator shares no code with any client: a field
//! misspelt in both would pass every test.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use avnm_emulator::{Emulator, Options};
//!
//! let emulator = Emulator::start(Options::instant()).await?;
//! println!("{} {}", emulator.url(), emulator.ca_pem());
//! println!("{}", emulator.control().state());
//! # Ok(())
//! # }
//! ```

pub mod answer;
pub mod azure;
mod buckets;
pub mod catalogue;
mod clock;
pub mod control;
mod emulator;
pub mod entra;
pub mod evidence;
pub mod faults;
mod guid;
pub mod imds;
mod in_process;
pub mod journal;
pub mod keys;
pub mod ledger;
mod options;
pub mod path;
mod pattern;
pub mod request;
pub mod rules;
pub mod serve;
pub mod settings;
pub mod state;
pub mod tally;
pub mod token;
pub mod world;

pub use control::Control;
pub use emulator::Emulator;
pub use entra::registry::Edit;
pub use faults::{Action, Effect, Fault, Match};
pub use in_process::{InProcess, Unanswered};
pub use ledger::{CallKind, Entry, Proof};
pub use options::Options;
pub use settings::{Settings, Span};
pub use tally::Tally;
pub use world::file::DEFAULT_WORLD;
pub use world::resources::ConnectionState;
