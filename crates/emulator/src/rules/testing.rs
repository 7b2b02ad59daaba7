//! The default world, for unit tests.

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::settings::Settings;
use crate::state::State;
use crate::token::Signer;
use crate::world::World;
use crate::world::file::{DEFAULT_WORLD, WorldFile};

pub(crate) const CENTRAL: &str = "24680975-1234-abcd-56ef-121314ab5643";
pub(crate) const TARGET: &str = "12345678-12a3-4abc-5cde-678909876543";
pub(crate) const TARGET_SUBSCRIPTION: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";
pub(crate) const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM";

/// The default world without delays.
pub(crate) fn state() -> State {
    let mut rng = StdRng::seed_from_u64(7);
    let file = WorldFile::parse(DEFAULT_WORLD).unwrap();
    State {
        world: World::build(&file, Timestamp::UNIX_EPOCH, &mut rng).unwrap(),
        settings: Settings::instant(),
        faults: crate::faults::Faults::default(),
        ledger: crate::ledger::Ledger::default(),
        tally: crate::tally::Tally::default(),
        buckets: crate::buckets::Buckets::default(),
        signer: Signer::new([7; 64]),
        rng,
        own_origins: Vec::new(),
    }
}
