//! Everything that a watch of one kind saw, so that a scenario can say what never happened on the way.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use avnm_launcher::child::Child;
use serde_json::Value;

use crate::context::Ctx;
use crate::look;

/// A `kubectl get --watch` that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Record {
    file: PathBuf,
    _watch: Child,
}

impl Record {
    /// Begins to watch one kind in the scenario's namespace.
    pub(crate) fn start(ctx: &Ctx, plural: &str) -> Result<Self> {
        let file = ctx.dir().join(format!("watch-{plural}.json"));
        let kubectl = ctx.kubectl();
        let resource = format!("{plural}.avnm.dev");
        let args =
            ["-n", ctx.namespace(), "get", &resource, "--watch", "--output-watch-events", "-o", "json"];
        let env = [("KUBECONFIG".to_owned(), kubectl.kubeconfig().display().to_string())];
        let watch = Child::start("kubectl", kubectl.program(), &args.map(String::from), &env, &file)?;
        Ok(Self { file, _watch: watch })
    }

    /// The states of one object so far, oldest first.
    pub(crate) fn of(&self, name: &str) -> Result<Vec<Value>> {
        let text = std::fs::read_to_string(&self.file).context("read what the watch saw")?;
        // The last one may be half written.
        let events = serde_json::Deserializer::from_str(&text).into_iter::<Value>().map_while(Result::ok);
        let objects = events.map(|event| event["object"].clone());
        Ok(objects.filter(|object| object["metadata"]["name"] == name).collect())
    }

    /// The states of one object in which a condition stood at a status.
    pub(crate) fn with(&self, name: &str, kind: &str, status: &str) -> Result<Vec<Value>> {
        let all = self.of(name)?;
        Ok(all
            .into_iter()
            .filter(|object| look::condition(object, kind).is_some_and(|found| found["status"] == status))
            .collect())
    }
}
