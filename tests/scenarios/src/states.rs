//! Records the states in which objects of ours are seen, for judges outside of this program: kstatus, Argo CD's health
//! checks. A state that differs from a recorded one in names, times or messages only is left out.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use avnm_launcher::{ControlPlane, Watch};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::look;

/// How long after the end of a watch the next one begins. Kinds come with the first scenario that installs them, and one
/// scenario takes a kind away.
const AGAIN: Duration = Duration::from_millis(300);

/// A file with one object as JSON a line.
#[derive(Debug)]
pub(crate) struct States {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    known: BTreeSet<String>,
}

/// The watches of one control plane; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Watches(Vec<JoinHandle<()>>);

impl Drop for Watches {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl States {
    /// Begins a new file.
    pub(crate) fn create(path: &Path) -> Result<Arc<Self>> {
        let file = File::create(path).with_context(|| format!("create the record {}", path.display()))?;
        Ok(Arc::new(Self { inner: Mutex::new(Inner { file, known: BTreeSet::new() }) }))
    }

    /// Records what happens on a control plane from now on.
    pub(crate) fn watch(self: &Arc<Self>, cluster: &Arc<ControlPlane>) -> Watches {
        let one = |plural: &'static str| {
            let (states, cluster) = (Arc::clone(self), Arc::clone(cluster));
            tokio::spawn(async move {
                loop {
                    // The end of a watch is no fault: the server ends it, or the kind is not there.
                    if let Ok(watch) = cluster.watch(&format!("/apis/avnm.dev/v1alpha1/{plural}")).await {
                        states.follow(watch).await;
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            })
        };
        Watches(look::PLURALS.into_iter().map(one).collect())
    }

    async fn follow(&self, mut watch: Watch) {
        while let Ok(line) = watch.next().await {
            let Ok(mut event) = serde_json::from_str::<Value>(&line) else { continue };
            if matches!(event["type"].as_str(), Some("ADDED" | "MODIFIED")) {
                self.add(event["object"].take());
            }
        }
    }

    fn add(&self, mut object: Value) {
        if let Some(meta) = object["metadata"].as_object_mut() {
            meta.remove("managedFields");
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.known.insert(distinction(&object)) {
            // A record that lacks a line fails its judge, which wants some of each kind.
            let _ = writeln!(inner.file, "{object}");
        }
    }
}

/// What makes two states differ: whatever a tool looks at to judge them.
fn distinction(object: &Value) -> String {
    let (meta, status) = (&object["metadata"], &object["status"]);
    let generation = &meta["generation"];
    let observed = &status["observedGeneration"];
    let mut words = vec![
        object["kind"].to_string(),
        meta["deletionTimestamp"].is_string().to_string(),
        object["spec"]["suspend"].to_string(),
        object["spec"]["deletionPolicy"].to_string(),
        if observed == generation { "observed".to_owned() } else { (observed == -1).to_string() },
    ];
    for condition in status["conditions"].as_array().into_iter().flatten() {
        let current = condition["observedGeneration"] == *generation;
        words
            .push(format!("{}={} {} {current}", condition["type"], condition["status"], condition["reason"]));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_messages_make_no_difference_and_conditions_do() {
        let object = |name: &str, message: &str, reason: &str| {
            json!({"kind": "StaticMember", "metadata": {"name": name, "generation": 1},
                   "status": {"observedGeneration": 1, "conditions": [
                       {"type": "Ready", "status": "True", "reason": reason, "message": message,
                        "observedGeneration": 1}]}})
        };
        let one = distinction(&object("a", "b", "Succeeded"));
        assert_eq!(one, distinction(&object("c", "d", "Succeeded")));
        assert_ne!(one, distinction(&object("a", "b", "Observed")));
        let mut older = object("a", "b", "Succeeded");
        older["metadata"]["generation"] = json!(2);
        assert_ne!(one, distinction(&older));
    }
}
