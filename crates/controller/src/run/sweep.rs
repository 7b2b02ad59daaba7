//! Reads every collection in use again and again.

use std::sync::Arc;

use avnm_arm::clock;
use rand::Rng as _;

use crate::{kube_io::seconds, shared::Shared, stores::Stores};

/// Sweeps for ever.
pub(super) async fn sweep(shared: Arc<Shared>, stores: Stores) {
    let interval = seconds(shared.settings.waits.sweep);
    loop {
        // Ten per cent of jitter keep many operators apart.
        let jitter = rand::rng().random_range(0.9..1.1);
        tokio::time::sleep(interval.mul_f64(jitter)).await;
        shared.metrics.sweep();
        let begun = clock::instant();
        // A pass that was under way when its credential went may have asked for a collection after that.
        let credentials = stores.credential_uids();
        shared.inventory.retain_credentials(|uid| credentials.contains(uid));
        shared.materials.retain(&credentials);
        if shared.settings.each {
            shared.inventory.wake_all();
            continue;
        }
        let standing = |key: &_| shared.materials.standing(key);
        shared.inventory.sweep(standing, interval.mul_f64(0.8)).await;
        shared.metrics.swept(clock::instant() - begun);
    }
}
