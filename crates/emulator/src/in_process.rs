//! The emulated Azure without a network: for a client in the same process, on tokio's paused clock.
//!
//! Its calls go the way of the server's, from what they are to suffer to the ledger; only TLS and HTTP are left out. Time
//! is tokio's from a given start, and all that is drawn comes from the seed: the same calls in the same order give the
//! same answers and the same ledger, byte for byte.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Request, Response, header};
use bytes::Bytes;
use jiff::Timestamp;

use crate::azure::{Azure, Reaction};
use crate::clock::Clock;
use crate::control::Control;
use crate::journal::Journal;
use crate::options::Options;
use crate::request::Door;
use crate::serve::Served;
use crate::serve::exchange::{self, BODY_MAX, GIANT_START, GIANT_TYPE};

/// Where ARM and Entra are: a name that no resolver knows.
const HOST: &str = "azure.invalid";
/// Where the instance metadata service is, as on every machine in Azure.
const IMDS_HOST: &str = "169.254.169.254";

/// Why a call has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// A fault closed the connection, before the answer or within it.
    #[error("cut off by a fault")]
    Cut,
    /// Nobody of this name is here.
    #[error("neither the emulated Azure nor its metadata service")]
    Elsewhere,
}

/// An emulated Azure without a network.
#[derive(Debug)]
pub struct InProcess {
    url: String,
    served: Served,
    control: Control,
}

impl InProcess {
    /// An Azure in which it is now this time. It takes world, settings, seed and ledger file from the options; what they say
    /// of the network must be as by default.
    pub fn new(options: &Options, start: Timestamp) -> anyhow::Result<Self> {
        ensure!(
            options.control.is_none() && options.imds.is_none(),
            "an emulator without a network has no control endpoint and no metadata service at an address"
        );
        options.settings.check().context("settings")?;
        let clock = Clock::start_at(start);
        let azure = Azure::with_clock(&options.world_file()?, options.settings.clone(), options.seed, clock)
            .with_context(|| options.world_name.clone())?;
        let azure = Arc::new(azure);
        let journal = Arc::new(Journal::open(options.ledger_file.as_deref())?);
        let url = format!("https://{HOST}");
        {
            let state = &mut azure.settled().0;
            state.own_origins = vec![url.clone()];
            if journal.is_kept() {
                state.ledger.follow();
            }
        }
        let control = Control::new(azure.clone());
        let served = Served { azure, entra: Arc::from(url.as_str()), journal };
        Ok(Self { url, served, control })
    }

    /// Where ARM and Entra are, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The way behind the scenes.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Answers a request whose URI is the whole URL. Delays are tokio's; a caller that drops this within one takes the call
    /// back before its effect, as one that closes its connection does.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unanswered> {
        let door = match (request.uri().scheme_str(), request.uri().authority().map(Authority::as_str)) {
            (Some("https"), Some(HOST)) => Door::Azure,
            (Some("http"), Some(IMDS_HOST)) => Door::Imds,
            _ => return Err(Unanswered::Elsewhere),
        };
        let (head, body) = request.into_parts();
        let body = if body.len() > BODY_MAX { Err(exchange::TooLarge) } else { Ok(body) };
        match exchange::exchange(&self.served, door, &head, body).await {
            Reaction::Answer(answer) => Ok(exchange::head(&answer).map(|()| answer.body)),
            // Half a body is none to who reads it whole.
            Reaction::Cut | Reaction::Truncated(_) => Err(Unanswered::Cut),
            Reaction::Giant(bytes) => Ok(giant(bytes)),
        }
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        // A late effect that nobody came after.
        self.served.journal.tell(&self.served.azure);
    }
}

/// The whole of a giant answer at once.
fn giant(bytes: u64) -> Response<Bytes> {
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut body = vec![b' '; length];
    for (place, byte) in body.iter_mut().zip(GIANT_START) {
        *place = *byte;
    }
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(GIANT_TYPE));
    response
}
