//! What is sent and what comes back, whatever carries it.

use std::{fmt, time::Duration};

use bytes::Bytes;
use reqwest::{Method, header::HeaderMap};
use url::Url;

/// Largest answer that is read, in bytes: ARM's own bound.
pub(crate) const BODY_MAX: usize = 8 * 1024 * 1024;

/// What is sent.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// A bound below the transport's own.
    pub(crate) timeout: Option<Duration>,
}

/// What was answered.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header as text, bounded.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().filter(|text| !text.is_empty() && text.len() <= 256)
    }
}

/// Why no answer was read.
#[derive(Debug, Clone)]
pub(crate) enum NoAnswer {
    /// No connection came about: nothing was sent.
    Unconnected(String),
    /// Cut off after it may have been sent.
    Cut(String),
    /// Not answered in time.
    TimedOut,
    /// More than [`BODY_MAX`] bytes.
    TooLarge,
}

impl NoAnswer {
    /// Whether the request may have reached Azure.
    pub(crate) fn may_have_effect(&self) -> bool {
        !matches!(self, Self::Unconnected(_))
    }

    /// Whether it is worth another try at once. A request that timed out has had its time.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self, Self::Unconnected(_) | Self::Cut(_))
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unconnected(why) => write!(f, "cannot connect: {why}"),
            Self::Cut(why) => write!(f, "the connection was cut: {why}"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::TooLarge => write!(f, "the answer is larger than {} MiB", BODY_MAX / (1024 * 1024)),
        }
    }
}
