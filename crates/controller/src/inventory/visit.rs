//! What one pass asks of the inventory. A pass waits for nothing here: where a collection is still being read it ends, and
//! the flight wakes its object. Passes that wait hold slots of their kind, and sixteen objects of one collection that
//! hangs would stop all others.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use avnm_arm::{Credential, clock};
use avnm_plan::freshness::Age;
use kube::{Resource, ResourceExt as _};
use tokio::time::Instant;

use super::{
    cell::{Asked, Cell, Collection, Key},
    known::{Picture, Wanted},
    listener::Listener,
    table::Table,
};
use crate::{kube_io::seconds, spare::give_back};

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

/// What there is of one object between its passes.
#[derive(Debug, Default)]
struct Entry {
    /// The row that is not over.
    row: Option<Box<Row>>,
    /// The collections that it listens to. They may be given up while it does nothing.
    cells: Box<[Weak<dyn Asked>]>,
}

/// Of each object the row that is not over, and what it listens to.
#[derive(Debug, Default)]
pub(super) struct Rows(Mutex<HashMap<Listener, Entry>>);

impl Rows {
    fn lock(&self) -> MutexGuard<'_, HashMap<Listener, Entry>> {
        // Nothing under this lock panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pass begins: it asks as of the pass that asked first.
    pub(super) fn begin(&self, listener: Listener, wish: Wish) -> Visit {
        let now = clock::instant();
        let entries = self.lock();
        let known = entries.get_key_value(&listener);
        let row = known.and_then(|(_, entry)| entry.row.as_ref()).filter(|row| row.wish == wish);
        let asked = row.map_or(now, |row| row.asked);
        // The same one as the cells have.
        let listener = known.map_or(listener, |(known, _)| Arc::clone(known));
        let cells = Mutex::default();
        Visit { listener, wish, asked, waits: AtomicBool::new(false), acts: AtomicBool::new(false), cells }
    }

    /// A pass is over. Gives the collections that its object wants nothing of any more.
    pub(super) fn end(&self, visit: &Visit) -> Vec<Arc<dyn Asked>> {
        let mut cells = std::mem::take(&mut *visit.cells());
        let mut entries = self.lock();
        let old = entries.remove(&visit.listener).unwrap_or_default();
        let (kept, left): (Vec<_>, Vec<_>) = old
            .cells
            .into_iter()
            .filter(|cell| !cells.iter().any(|asked| asked.ptr_eq(cell)))
            .partition(|_| visit.waits());
        cells.extend(kept);
        cells.retain(|cell| cell.strong_count() > 0);
        let row = visit.waits().then(|| Box::new(Row { asked: visit.asked, wish: visit.wish.clone() }));
        if row.is_some() || !cells.is_empty() {
            entries.insert(Arc::clone(&visit.listener), Entry { row, cells: cells.into() });
        }
        left.iter().filter_map(Weak::upgrade).collect()
    }

    /// An object is gone. Gives the collections that it listened to.
    pub(super) fn forget(&self, listener: &Listener) -> Vec<Arc<dyn Asked>> {
        let mut entries = self.lock();
        let gone = entries.remove(listener).unwrap_or_default();
        give_back(&mut entries);
        gone.cells.iter().filter_map(Weak::upgrade).collect()
    }

    /// All objects that listen to something, or wait.
    pub(super) fn listeners(&self) -> Vec<Listener> {
        self.lock().keys().cloned().collect()
    }
}

/// What one pass asks of the inventory, and as of when. The pass that a flight wakes asks as of the same time as the one
/// that began it: asking as of now, it would find each answer too old, and have it read again and again.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(super) listener: Listener,
    wish: Wish,
    asked: Instant,
    waits: AtomicBool,
    acts: AtomicBool,
    /// The collections that it asked for, once each.
    cells: Mutex<Vec<Weak<dyn Asked>>>,
}

impl Visit {
    fn cells(&self) -> MutexGuard<'_, Vec<Weak<dyn Asked>>> {
        // Nothing under this lock panics.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asks.
    pub(crate) fn listener(&self) -> &Listener {
        &self.listener
    }

    /// As of when it asks: since then, nothing needs to be read twice.
    pub(crate) fn asked(&self) -> Instant {
        self.asked
    }

    /// The pass asks Azure for what is its own, or writes it.
    pub(crate) fn act(&self) {
        self.acts.store(true, Ordering::Relaxed);
    }

    /// Whether it did.
    pub(super) fn acted(&self) -> bool {
        self.acts.load(Ordering::Relaxed)
    }

    /// The collections that it asked for.
    pub(super) fn asked_for(&self) -> Vec<Arc<dyn Asked>> {
        self.cells().iter().filter_map(Weak::upgrade).collect()
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
        let (picture, cell) = table.read(credential, key, wanted, &self.listener);
        let cell: Weak<dyn Asked> = Arc::<Cell<T>>::downgrade(&cell);
        let mut cells = self.cells();
        if !cells.iter().any(|asked| asked.ptr_eq(&cell)) {
            cells.push(cell);
        }
        drop(cells);
        if matches!(picture, Picture::Flying) {
            self.wait();
        }
        picture
    }
}
