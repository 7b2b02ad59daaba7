//! Virtual networks and subnets: read only, to learn whether they exist.

use avnm_terms::{ArmId, NetworkId, Reading, VirtualNetwork};
use serde::Deserialize;

use crate::{Arm, Credential, envelope::Envelope};

/// Nothing in them is of interest; that they are there tells a network from something else.
#[derive(Debug, Deserialize)]
pub(crate) struct Properties {}

pub(crate) fn read(id: ArmId, envelope: Envelope<Properties>) -> VirtualNetwork {
    let Properties {} = envelope.properties;
    VirtualNetwork { id, location: envelope.location.unwrap_or_default() }
}

impl Arm {
    /// Reads a virtual network or subnet.
    pub async fn get_network(&self, credential: &Credential, id: &NetworkId) -> Reading<VirtualNetwork> {
        let operation = match id {
            NetworkId::VirtualNetwork(_) => "get virtualNetwork",
            NetworkId::Subnet(_) => "get subnet",
        };
        self.get(operation, credential, id.arm(), read).await
    }
}
