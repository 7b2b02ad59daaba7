//! What is known while a run is played.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    super::{
        act::Act,
        faults::{Fault, Place},
    },
    Sent,
};

#[derive(Default)]
pub(super) struct State {
    /// Calls so far.
    pub(super) steps: usize,
    /// What each call was, by its number.
    pub(super) places: Vec<Place>,
    /// Processes that ended, by their user agent.
    pub(super) dead: BTreeSet<String>,
    /// Processes that are cut from the lease.
    pub(super) cut_off: BTreeSet<String>,
    /// What is to happen after the effect of a request that is under way.
    pub(super) after: BTreeMap<String, Fault>,
    /// The status of an object before a write of it that is under way.
    pub(super) before: BTreeMap<String, Value>,
    /// What is to be done before a call.
    pub(super) planted: Vec<(String, Vec<Act>)>,
    /// Faults that were played.
    pub(super) played: usize,
    /// What was done, a line each.
    pub(super) trace: Vec<String>,
    /// Rules that were broken.
    pub(super) violations: Vec<String>,
    /// What was asked for.
    pub(super) sent: Sent,
    /// Writes of status are refused.
    pub(super) refuses: bool,
    /// Azure answers no read.
    pub(super) deaf: bool,
    /// Until when a process was asked to let a kind of call be, by process, method and subscription.
    pub(super) told_to_wait: BTreeMap<(String, String, String), Instant>,
    /// Reads of one thing: the process and the id, and since when a read of it counts.
    pub(super) read: BTreeMap<(String, String), Instant>,
    /// When somebody who is not us last did something in Azure.
    pub(super) strangers: Option<Instant>,
    /// Since when a claim on an id is durable.
    pub(super) claimed: BTreeMap<String, Instant>,
}
