//! Everything that the emulated Azure is and knows.

use rand::rngs::StdRng;

use crate::buckets::Buckets;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::settings::Settings;
use crate::tally::Tally;
use crate::token::Signer;
use crate::world::World;

/// Everything behind the lock.
#[derive(Debug)]
pub struct State {
    /// All there is.
    pub world: World,
    /// What can be set.
    pub settings: Settings,
    /// Faults in force.
    pub faults: Faults,
    /// The last calls.
    pub ledger: Ledger,
    /// How many there were so far.
    pub tally: Tally,
    /// Quotas.
    pub buckets: Buckets,
    /// Makes and knows tokens.
    pub signer: Signer,
    /// The seeded generator: delays, order, GUIDs.
    pub rng: StdRng,
    /// Where the emulator itself listens: an audience as good as ARM's own.
    pub own_origins: Vec<String>,
}

impl State {
    /// Whether a token for this resource is one for ARM.
    pub fn is_audience(&self, resource: &str) -> bool {
        let resource = resource.trim_end_matches('/');
        let ours = self.settings.audiences.iter().chain(&self.own_origins);
        ours.into_iter().any(|audience| audience.trim_end_matches('/') == resource)
    }
}
