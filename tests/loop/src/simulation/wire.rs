//! Every call of the operator is a step: it is counted and told, may go wrong by the schedule, and is held against the oracle.

mod azure;
mod kubernetes;
mod state;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use avnm_arm::clock;
use avnm_in_process::Azure;
pub(crate) use azure::Line;
use state::State;

use super::{
    act::Act,
    faults::{Fault, Place, STALE, Schedule},
};
use crate::api_server::ApiServer;

/// What all that is under way shares.
pub(crate) struct Wire {
    schedule: Schedule,
    state: Mutex<State>,
    server: OnceLock<ApiServer>,
    azure: OnceLock<Azure>,
}

/// What was sent so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Writes to Azure.
    pub(crate) azure: usize,
    /// Writes to our kinds in Kubernetes.
    pub(crate) kubernetes: usize,
    /// GETs of one object of our kinds in Kubernetes.
    pub(crate) kubernetes_gets: usize,
}

impl Wire {
    pub(crate) fn new(schedule: Schedule) -> Self {
        Self { schedule, state: Mutex::default(), server: OnceLock::new(), azure: OnceLock::new() }
    }

    /// Says what is at both ends.
    pub(crate) fn connect(&self, server: ApiServer, azure: Azure) {
        let _ = (self.server.set(server), self.azure.set(azure));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, line: String) {
        self.lock().trace.push(line);
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.lock().trace.clone()
    }

    pub(crate) fn violation(&self, what: String) {
        let mut state = self.lock();
        state.trace.push(format!("!! {what}"));
        state.violations.push(what);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    pub(crate) fn places(&self) -> Vec<Place> {
        self.lock().places.clone()
    }

    /// How many faults were played so far.
    pub(crate) fn played(&self) -> usize {
        self.lock().played
    }

    pub(crate) fn sent(&self) -> Sent {
        self.lock().sent
    }

    pub(crate) fn is_dead(&self, agent: &str) -> bool {
        self.lock().dead.contains(agent)
    }

    /// A process ends: nothing of it is answered any more.
    pub(crate) fn kill(&self, agent: &str) {
        let mut state = self.lock();
        state.trace.push(format!("-- {agent} ends"));
        state.dead.insert(agent.to_owned());
    }

    /// Before the first call whose line has this in it, these are done.
    pub(crate) fn plant(&self, part: String, acts: Vec<Act>) {
        self.lock().planted.push((part, acts));
    }

    /// The lease's calls of this process are cut.
    pub(crate) fn cut_lease(&self, agent: &str) {
        self.lock().cut_off.insert(agent.to_owned());
    }

    /// The lease is free at once, as after an orderly end: whoever is next begins while writes of the last one are on their way.
    fn free_lease(&self) {
        let Some(server) = self.server.get() else { return };
        let patch = serde_json::json!({"spec": {"holderIdentity": ""}});
        // There may be none yet.
        let _ = server.patch("leases.coordination.k8s.io", "avnm-system", "avnm-operator", &patch);
    }

    /// Whether writes of status are refused.
    pub(crate) fn refuse(&self, refuse: bool) {
        self.lock().refuses = refuse;
    }

    /// Whether Azure answers no read.
    pub(crate) fn deaf(&self, deaf: bool) {
        self.lock().deaf = deaf;
    }

    /// Somebody who is not us does something in Azure.
    pub(crate) fn note_stranger(&self) {
        self.lock().strangers = Some(clock::instant());
    }

    /// Whether an id, or the collection that it is in, was read since a stranger last did anything.
    fn has_looked(&self, id: &str) -> bool {
        let state = self.lock();
        let id = id.to_ascii_lowercase();
        let list = id.rsplit_once('/').map(|(list, _)| list).unwrap_or_default();
        let of = |path: &str| path == id || path == list;
        let newest = state.read.iter().filter(|((_, path), _)| of(path)).map(|(_, begun)| *begun).max();
        newest >= state.strangers
    }

    /// The watches of the operator show nothing for a while.
    pub(crate) fn stale_watches(&self) {
        let Some(server) = self.server.get().cloned() else { return };
        let stall = move |stalled: bool| {
            for kind in server.kinds().iter().filter(|kind| kind.ends_with("avnm.dev")) {
                server.stall(0, kind, stalled);
            }
        };
        stall(true);
        tokio::spawn(async move {
            tokio::time::sleep(STALE).await;
            stall(false);
        });
    }

    /// Counts a call, does what was planted before it, and says what goes wrong with it.
    fn step(&self, place: Place, agent: &str, what: &str) -> Option<Fault> {
        let (mut fault, planted) = {
            let mut state = self.lock();
            let step = state.steps;
            state.steps += 1;
            state.places.push(place);
            let fault = self.schedule.at(step);
            state.played += usize::from(fault.is_some());
            let told = fault.map(|fault| format!("  <- {fault:?}")).unwrap_or_default();
            state.trace.push(format!("{step:4} {agent} {what}{told}"));
            let at = state.planted.iter().position(|(part, _)| what.contains(part.as_str()));
            (fault, at.map(|at| state.planted.remove(at).1).unwrap_or_default())
        };
        for act in planted {
            self.tell(format!(">> {act:?}"));
            match act {
                Act::Suffer(suffers) => fault = Some(suffers),
                act => {
                    if let Err(why) = self.do_at_once(act) {
                        self.violation(why);
                    }
                }
            }
        }
        fault
    }

    /// What needs no waiting.
    pub(crate) fn do_at_once(&self, act: Act) -> Result<(), String> {
        let (Some(server), Some(azure)) = (self.server.get(), self.azure.get()) else {
            return Err("nothing is connected".to_owned());
        };
        let control = azure.control();
        match act {
            Act::Create(object) => {
                server.create(&object).map_err(|refusal| format!("create: {}", refusal.message))?;
            }
            Act::Patch((kind, namespace, name), patch) => {
                server
                    .patch(kind, namespace, name, &patch)
                    .map_err(|refusal| format!("patch {name}: {}", refusal.message))?;
            }
            Act::Delete((kind, namespace, name)) => {
                // It may have been let go already, where nothing was held.
                let _ = server.delete(kind, namespace, name);
            }
            Act::Appear(id, body) => {
                self.note_stranger();
                control.put(&id, None, &body).map_err(|error| format!("make {id}: {error:#}"))?;
            }
            Act::Vanish(id) => {
                self.note_stranger();
                control.delete(&id, None).map_err(|error| format!("delete {id}: {error:#}"))?;
            }
            Act::StaleWatches => self.stale_watches(),
            other => return Err(format!("{other:?} cannot be done within a call")),
        }
        Ok(())
    }
}
