//! The client (`avnm-arm`) and the emulated Azure (`avnm-emulator`) in one process, without a network.
//!
//! For simulations on tokio's paused clock: a real socket does not fit one, which jumps ahead while bytes are on their
//! way. The client is the one that ships, from its gates and sign-ins down to where bytes would leave it; the emulator is
//! the one that serves TLS, from its faults to its ledger. `avnm-wire` holds the two against each other over TLS.

use std::sync::Arc;

use async_trait::async_trait;
use avnm_arm::in_process::{Service, Unanswered};
use avnm_arm::{Cloud, CloudError, Transport, TransportOptions};
use avnm_emulator::{Control, InProcess, Options};
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

/// An emulated Azure that the client can be given. Clones are the same Azure.
#[derive(Clone, Debug)]
pub struct Azure {
    emulator: Arc<InProcess>,
}

impl Azure {
    /// One in which it is now this time; from here on it goes as tokio's clock goes.
    ///
    /// # Errors
    ///
    /// World or settings are wrong.
    pub fn start(options: &Options, at: Timestamp) -> Result<Self, String> {
        let emulator =
            InProcess::new(options, at).map_err(|error| format!("start the emulator: {error:#}"))?;
        Ok(Self { emulator: Arc::new(emulator) })
    }

    /// The way behind the scenes: state, faults, ledger.
    pub fn control(&self) -> &Control {
        self.emulator.control()
    }

    /// The cloud whose endpoints are here.
    ///
    /// # Errors
    ///
    /// None: the emulator's URL is an endpoint.
    pub fn cloud(&self) -> Result<Cloud, CloudError> {
        let url = self.emulator.url();
        Cloud::named("AzurePublic")?.with_arm_endpoint(url)?.with_authority(url)
    }

    /// What carries the client's requests here.
    pub fn transport(&self) -> Transport {
        self.transport_with(&TransportOptions::default())
    }

    /// The same with other bounds.
    pub fn transport_with(&self, options: &TransportOptions) -> Transport {
        Transport::in_process(Arc::new(self.clone()), options)
    }
}

#[async_trait]
impl Service for Azure {
    async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unanswered> {
        self.emulator.call(request).await.map_err(|why| match why {
            avnm_emulator::Unanswered::Cut => Unanswered::Cut,
            avnm_emulator::Unanswered::Elsewhere => Unanswered::Unconnected,
        })
    }
}
