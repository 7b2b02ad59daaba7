//! What the operator works on: an API server with its namespaces, and an Azure.

use std::{collections::BTreeSet, sync::Arc};

use avnm_arm::clock;
use avnm_in_process::Azure;
use serde_json::Value;

use super::{
    manifests::{self, HUB, OTHER},
    wire::Wire,
};
use crate::api_server::{self, ApiServer, Options};

/// What the operator works on.
pub(super) struct Stage {
    pub(super) server: ApiServer,
    pub(super) azure: Azure,
    /// What was there from the beginning.
    world: BTreeSet<String>,
}

impl Stage {
    pub(super) fn new(seed: u64, at: jiff::Timestamp, wire: &Arc<Wire>) -> anyhow::Result<Self> {
        Self::with_world(seed, at, wire, None)
    }

    /// One with another world than the emulator's default.
    pub(super) fn with_world(
        seed: u64,
        at: jiff::Timestamp,
        wire: &Arc<Wire>,
        world: Option<String>,
    ) -> anyhow::Result<Self> {
        let mut options = avnm_emulator::Options { seed, world, ..avnm_emulator::Options::instant() };
        // What is judged at the end is all calls.
        options.settings.ledger_limit = 1_000_000;
        let azure = Azure::start(&options, at).map_err(anyhow::Error::msg)?;
        let hook: Arc<dyn api_server::Hook> = Arc::<Wire>::clone(wire);
        let server = ApiServer::with_our_kinds(Options {
            clock: Arc::new(clock::now),
            seed,
            sign: api_server::unsigned(),
            hook,
        })
        .map_err(|refusal| anyhow::anyhow!("serve our kinds: {}", refusal.message))?;
        for namespace in ["avnm-system", HUB, OTHER] {
            server.namespace(namespace, &[]).map_err(|refusal| anyhow::anyhow!(refusal.message))?;
        }
        wire.connect(server.clone(), azure.clone());
        let world = ids(&azure);
        Ok(Self { server, azure, world })
    }

    pub(super) fn condition(object: &Value, of_now: bool) -> Option<&Value> {
        let ready = object["status"]["conditions"].as_array()?.iter().find(|it| it["type"] == "Ready")?;
        let generation = &object["metadata"]["generation"];
        (!of_now || ready["observedGeneration"] == *generation).then_some(ready)
    }

    pub(super) fn in_azure(&self) -> usize {
        let there = |id: &&String| self.azure.control().get(id, None).is_ok_and(|found| found.is_some());
        manifests::ids().iter().filter(there).count()
    }

    /// What was made since the beginning, and is there.
    pub(super) fn left(&self) -> Vec<String> {
        ids(&self.azure).difference(&self.world).cloned().collect()
    }

    /// All objects of ours, as people see them, and all that was made in Azure.
    pub(super) fn state(&self) -> String {
        let objects = [manifests::CONNECTIONS, manifests::MEMBERS]
            .iter()
            .flat_map(|kind| self.server.all(kind))
            .map(|object| {
                let ready = Self::condition(&object, true);
                let said = ready.map(|it| format!("{} {}", it["status"], it["reason"])).unwrap_or_default();
                format!("{} {} {said}", object["metadata"]["namespace"], object["metadata"]["name"])
            });
        let things = self.left().into_iter().map(|id| {
            let body = self.azure.control().get(&id, None).ok().flatten().unwrap_or_default();
            let properties = &body["properties"];
            format!("{id} {} {}", properties["description"], properties["connectionState"])
        });
        objects.chain(things).collect::<Vec<_>>().join("; ")
    }
}

/// The ids of halves and members.
fn ids(azure: &Azure) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(&azure.control().state(), &mut found);
    let ours = ["/scopeconnections/", "/networkmanagerconnections/", "/staticmembers/"];
    found.retain(|id| ours.iter().any(|part| id.to_ascii_lowercase().contains(part)));
    found
}

fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("id").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| collect(value, into));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        _ => {}
    }
}
