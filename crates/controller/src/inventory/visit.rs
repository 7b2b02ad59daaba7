//! What one pass asks of the inventory. A pass waits for nothing here: where a collection is still being read it ends, and
//! the flight wakes its object. Passes that wait hold slots of their kind, and sixteen objects of one collection that
//! hangs would stop all others.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use avnm_arm::{Credential, clock};
use avnm_plan::freshness::Age;
use kube::{Resource, ResourceExt as _};
use tokio::time::Instant;

use super::{
    cell::{Collection, Key},
    known::{Picture, Wanted},
    listener::Listener,
    table::Table,
};
use crate::kube_io::seconds;

/// What an object wishes, as far as waits go: its generation, and the request that it carries.
pub(crate) type Wish = (i64, Option<String>);

/// The wish of an object.
pub(crate) fn wish<K: Resource>(object: &K) -> Wish {
    let request = object.annotations().get(avnm_api::REQUESTED_AT).cloned();
    (object.meta().generation.unwrap_or_default(), request)
}

/// A row of passes of one wish, from the one that asked to the one that has all its answers.
#[derive(Debug)]
struct Row {
    asked: Instant,
    wish: Wish,
}

/// The rows that are not over. At most one of each object.
#[derive(Debug, Default)]
pub(super) struct Rows(Mutex<HashMap<Listener, Row>>);

impl Rows {
    fn lock(&self) -> MutexGuard<'_, HashMap<Listener, Row>> {
        // Nothing under this lock panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pass begins: it asks as of the pass that asked first.
    pub(super) fn begin(&self, listener: Listener, wish: Wish) -> Visit {
        let begun = clock::instant();
        let asked = self.lock().get(&listener).filter(|row| row.wish == wish).map_or(begun, |row| row.asked);
        Visit { listener, wish, begun, asked, waits: AtomicBool::new(false) }
    }

    /// A pass is over.
    pub(super) fn end(&self, visit: &Visit) {
        if visit.waits() {
            self.lock().insert(visit.listener.clone(), Row { asked: visit.asked, wish: visit.wish.clone() });
        } else {
            self.lock().remove(&visit.listener);
        }
    }

    /// An object is gone.
    pub(super) fn forget(&self, listener: &Listener) {
        self.lock().remove(listener);
    }

    /// Forgets rows that began longer ago than that: their objects vanished unseen.
    pub(super) fn forget_older(&self, age: Duration) {
        let now = clock::instant();
        self.lock().retain(|_, row| now.saturating_duration_since(row.asked) <= age);
    }
}

/// What one pass asks of the inventory, and as of when. The pass that a flight wakes asks as of the same time as the one
/// that began it: asking as of now, it would find each answer too old, and have it read again and again.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(super) listener: Listener,
    wish: Wish,
    /// When this pass began.
    pub(super) begun: Instant,
    asked: Instant,
    waits: AtomicBool,
}

impl Visit {
    /// Who asks.
    pub(crate) fn listener(&self) -> &Listener {
        &self.listener
    }

    /// As of when it asks: since then, nothing needs to be read twice.
    pub(crate) fn asked(&self) -> Instant {
        self.asked
    }

    /// Something that it needs is not there yet.
    pub(crate) fn wait(&self) {
        self.waits.store(true, Ordering::Relaxed);
    }

    /// Whether something that it needs is not there yet: then the pass ends, and reports nothing. It came to nothing that
    /// its object's status does not say already.
    pub(crate) fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    /// As new as that, for this visit.
    pub(crate) fn wanted(&self, age: Age) -> Wanted {
        match age {
            Age::Anew => Wanted::anew(self.asked),
            Age::Within(age) => Wanted::within(self.asked, seconds(age)),
        }
    }

    /// A collection, as new as wanted, or that it is being read.
    pub(crate) fn read<K: Key, T: Collection>(
        &self,
        table: &Table<K, T>,
        credential: &Credential,
        key: &K,
        wanted: Wanted,
    ) -> Picture<T> {
        let picture = table.read(credential, key, wanted, &self.listener);
        if matches!(picture, Picture::Flying) {
            self.wait();
        }
        picture
    }
}
