//! Being told to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Ends when someone wants this process to end: Ctrl-C, a closed terminal, CI. Whoever races it against its work
/// and then returns drops that work, and every child process with it.
pub async fn told_to_stop() {
    let [interrupt, terminate, hangup] =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(|kind| async move {
            match signal(kind) {
                Ok(mut stream) => drop(stream.recv().await),
                // A signal that cannot be heard ends the process by itself.
                Err(_) => std::future::pending().await,
            }
        });
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
        () = hangup => {}
    }
}
