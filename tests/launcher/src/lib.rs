//! Starts what an end-to-end test or the demo needs, as processes of their own, and ends it again: a real etcd
//! and kube-apiserver, the emulator of Azure, and the operator under its own ServiceAccount.
//!
//! Read in this order: [`child`] (why nothing outlives a run), [`control_plane`], [`emulator`], [`operator`],
//! [`wait`].

pub mod assets;
pub mod audit;
pub mod child;
pub mod clock;
pub mod control_plane;
pub mod emulator;
pub mod helm;
mod install;
mod kubeconfig;
pub mod kubectl;
pub mod operator;
mod pki;
pub mod port;
pub mod prometheus;
pub mod proxy;
pub mod run;
mod scrape;
mod stop;
pub mod wait;
mod watch;

pub use control_plane::ControlPlane;
pub use emulator::{Control, Emulator, EmulatorOptions};
pub use helm::Helm;
pub use kubectl::Kubectl;
pub use operator::{Operator, OperatorOptions};
pub use run::Run;
pub use stop::told_to_stop;
pub use wait::{Look, wait_until};
pub use watch::Watch;
