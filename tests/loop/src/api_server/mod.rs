//! A Kubernetes API server in this process, handed to `kube::Client` in place of a connection.
//!
//! It answers as the real kube-apiserver of the version that `tools/` pins does, for the kinds that this operator
//! meets.
//!
//! Nothing in it asks the time or rolls dice: the wall clock and the seed are given, and what waits, waits by tokio's
//! clock. Nothing in it depends on the order of a hash map. Read in this order: `store` (what is kept),
//! `write` and `delete` (what changes it), `list` and `watch` (what is seen of it), `lag` (how old that may be), `hook`
//! (what goes wrong), `side_door` (what a test does and sees).

mod answer;
mod clock;
mod crds;
mod delete;
mod events;
mod fields;
mod finish;
mod hook;
mod journal;
mod kind;
mod lag;
mod list;
mod managed;
mod merge;
mod metadata;
mod object;
mod request;
mod resource;
mod schema;
mod selectors;
mod service;
mod side_door;
mod store;
mod tokens;
mod versions;
mod watch;
mod write;

use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub use answer::{Answer, Refusal};
pub use clock::{WallClock, going_from};
pub use hook::{Action, Hook, NoHook, WatchAction};
pub use journal::{Actor, Verb, Write};
pub use lag::Delay;
pub use merge::merge_patch;
pub use request::{PatchType, Request, RequestVerb};
pub use resource::Resource;
pub use side_door::{Logged, SIDE_DOOR};
pub use tokens::{SignToken, unsigned};

use crate::aside::aside;
use service::Service;
use store::{Shared, Store};

/// What a server begins with.
pub struct Options {
    /// The time of day.
    pub clock: WallClock,
    /// Uids, generated names, jitter, and the order in which the contents of a namespace go.
    pub seed: u64,
    /// Signs the tokens of service accounts.
    pub sign: SignToken,
    /// Sees every request, and says what goes wrong.
    pub hook: Arc<dyn Hook>,
}

/// The server. Clones are the same one.
#[derive(Clone)]
pub struct ApiServer {
    shared: Shared,
    hook: Arc<dyn Hook>,
    sign: SignToken,
}

impl ApiServer {
    /// One with the built-in kinds, the namespaces `default` and `kube-system`, and no CRD.
    pub fn new(options: Options) -> Self {
        let shared = Shared::new(Store::new(options.clock, options.seed));
        let server = Self { shared, hook: options.hook, sign: options.sign };
        for name in ["default", "kube-system"] {
            // There is nothing in an empty server that could refuse it.
            let _ = server.namespace(name, &[]);
        }
        server
    }

    /// The same, serving our four kinds.
    pub fn with_our_kinds(options: Options) -> Result<Self, Refusal> {
        let server = Self::new(options);
        for crd in our_crds() {
            server.serve(&crd)?;
        }
        Ok(server)
    }

    /// A client of the server under this user agent, at front end 0.
    pub fn client(&self, agent: &str) -> kube::Client {
        self.client_at(0, agent)
    }

    /// A client at one of several front ends. Each has watch caches of its own, which may lag differently.
    pub fn client_at(&self, front_end: u32, agent: &str) -> kube::Client {
        let service = Service {
            shared: self.shared.clone(),
            hook: self.hook.clone(),
            sign: self.sign.clone(),
            front_end,
            agent: agent.to_owned(),
        };
        kube::Client::new(service, "default")
    }
}

/// Our CRDs, as they are installed.
pub fn our_crds() -> Vec<Value> {
    static CRDS: OnceLock<Vec<Value>> = OnceLock::new();
    CRDS.get_or_init(|| aside(avnm_api::crds_yaml_values)).clone()
}
