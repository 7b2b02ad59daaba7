//! Reads what is in use again, a few collections at a time.

use std::{sync::Arc, time::Duration};

use avnm_arm::{Credential, CredentialKey, clock};
use avnm_plan::credential::material;
use futures::StreamExt as _;
use tokio::task::JoinHandle;

use super::{
    cell::{Cell, Collection, Key},
    table::Table,
};

/// What has become of a credential since something was read with it.
pub(crate) type Standing = material::Standing<Box<Credential>>;

/// Collections of one kind that a sweep reads at the same time.
pub(super) const AT_ONCE: usize = 4;

/// A sweep goes on to the next collection after this long: the flight ends by itself, and wakes whom it concerns.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

impl<K: Key, T: Collection> Table<K, T> {
    /// Reads every collection in use again. Whoever has to look is woken after each one, not after all.
    pub(super) async fn sweep(&self, standing: &impl Fn(&CredentialKey) -> Standing, interval: Duration) {
        let cells: Vec<_> = {
            let mut cells = self.cells();
            cells.retain(|_, cell| !cell.state().listeners.is_empty());
            cells.iter().map(|(id, cell)| (id.clone(), Arc::clone(cell))).collect()
        };
        let reads = futures::stream::iter(cells).for_each_concurrent(
            AT_ONCE,
            |((credential, key), cell)| async move {
                if let Some(flight) = self.sweep_one(&credential, key, cell, standing, interval) {
                    let _ = tokio::time::timeout(PATIENCE, flight).await;
                }
            },
        );
        reads.await;
    }

    /// Reads one collection again, if it is time.
    fn sweep_one(
        &self,
        credential: &CredentialKey,
        key: K,
        cell: Arc<Cell<T>>,
        standing: &impl Fn(&CredentialKey) -> Standing,
        interval: Duration,
    ) -> Option<JoinHandle<()>> {
        // With what is good now, not with what was when the sweep began.
        let credential = match standing(credential) {
            Standing::Good(credential) => *credential,
            // One probe a minute, however many collections it reads.
            Standing::Paused => return None,
            // Whoever still wants it reads it with the new material.
            Standing::Gone => {
                self.retain(&|other| other != credential);
                return None;
            }
        };
        let mut state = cell.state();
        if state.flying {
            // It is read now: that is compared too.
            state.swept = true;
            return None;
        }
        if !state.known.is_due(interval, clock::instant()) {
            // It was read for one of them lately: the others hear of that now.
            let known = state.known.snapshot.as_ref().filter(|_| state.known.failed.is_none());
            if let Some(snapshot) = known.cloned() {
                let news = state.note_for_all(&snapshot);
                drop(state);
                self.tell(news);
            }
            return None;
        }
        (state.flying, state.swept) = (true, true);
        drop(state);
        Some(self.begin(cell, credential, key))
    }
}
