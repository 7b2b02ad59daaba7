//! The loop: reads objects, observes Azure, executes what `avnm-plan` decided, writes status.
//!
//! It does all IO and decides nothing. Nothing outside `status.rs` writes status; nothing outside `hold.rs` touches
//! finalizers; nothing here knows a URL or a JSON field of Azure's.

// A fault is a little above the lint's bound; boxing it would cost every reader of one, and errors are rare here.
#![allow(clippy::result_large_err)]

mod arbitration;
mod cached;
mod contenders;
mod credential;
mod credential_object;
mod cross_tenant_connection;
mod dependents;
mod events;
mod guarded;
mod health;
mod hold;
mod inventory;
mod item;
mod joined;
mod kube_io;
mod lease;
mod live;
mod log;
mod log_level;
mod material;
mod members;
mod memory;
mod merge;
mod metrics;
mod owner;
#[cfg(debug_assertions)]
mod panic_on_demand;
mod pass;
mod place;
mod reads;
mod recent;
#[cfg(test)]
mod recorded;
mod refusal;
mod resolve;
mod run;
mod scope;
mod scrape;
mod scraped;
mod settings;
mod shared;
mod spare;
mod static_member;
mod status;
mod stores;
mod streams;
mod subscribers;
mod undeclared;
mod undecoded;
mod uses;
mod vouch;
mod wake;
mod wakers;

pub use avnm_plan::pace::Waits;
pub use health::{Health, serve_probes};
pub use kube_io::READ_TIMEOUT;
pub use lease::{LeaseError, LeaseGuard, LeaseSettings};
pub use log_level::LogLevel;
pub use metrics::{Declared, METRICS, Metrics};
pub use run::{Ended, run};
pub use scope::Scope;
pub use scraped::{Reviews, serve_metrics};
pub use settings::{Settings, Surroundings};
