//! Reads every collection in use again and again.

use std::sync::Arc;

use rand::Rng as _;

use crate::{context::Context, kube_io::seconds};

/// Sweeps for ever.
pub(super) async fn sweep(context: Arc<Context>) {
    let interval = seconds(context.settings.waits.sweep);
    loop {
        // Ten per cent of jitter keep many operators apart.
        let jitter = rand::rng().random_range(0.9..1.1);
        tokio::time::sleep(interval.mul_f64(jitter)).await;
        context.metrics.sweep();
        // A pass that was under way when its credential went may have asked for a collection after that.
        let credentials = context.stores.credential_uids();
        context.inventory.retain_credentials(|uid| credentials.contains(uid));
        context.materials.retain(&credentials);
        let standing = |key: &_| context.materials.standing(key);
        context.inventory.sweep(standing, interval.mul_f64(0.8)).await;
    }
}
