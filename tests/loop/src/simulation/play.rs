//! One run: a lifecycle, a seed, and what goes wrong.

use std::{sync::Arc, time::Duration};

use avnm_arm::clock::{self, Wall};
use avnm_in_process::Azure;
use avnm_plan::mutants::Mutant;
use serde_json::Value;

use super::{
    faults::{Place, Schedule},
    lifecycle::{Act, Lifecycle},
    manifests::{self, HUB, OTHER},
    process::Process,
    wire::Wire,
};
use crate::api_server::{self, ApiServer, Options};

const NAMESPACES: &str = "namespaces";
/// How often what is waited for is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long anything is waited for at most. The longest wait of the loop after one fault is a quarter of an hour.
const LONGEST: Duration = Duration::from_secs(40 * 60);

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// To whom each call of the operator went, by its number.
    pub calls: Vec<Place>,
    /// What was done, a line each.
    pub trace: Vec<String>,
    /// What was broken; empty where all holds.
    pub violations: Vec<String>,
}

/// Plays a lifecycle from a seed, on a thread of its own.
pub fn play(lifecycle: Lifecycle, seed: u64, schedule: &Schedule) -> Outcome {
    play_broken(lifecycle, seed, schedule, None)
}

/// The same with a rule that is broken on purpose: then something has to be told.
pub fn play_broken(lifecycle: Lifecycle, seed: u64, schedule: &Schedule, mutant: Option<Mutant>) -> Outcome {
    let schedule = schedule.clone();
    avnm_entropy::repeatable(seed, move || {
        avnm_plan::mutants::set(mutant);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        match runtime {
            Ok(runtime) => runtime.block_on(run(lifecycle, seed, schedule)),
            Err(error) => broken(format!("no runtime: {error}")),
        }
    })
}

fn broken(why: String) -> Outcome {
    Outcome { calls: Vec::new(), trace: Vec::new(), violations: vec![why] }
}

async fn run(lifecycle: Lifecycle, seed: u64, schedule: Schedule) -> Outcome {
    let Ok(at) = "2026-01-31T12:00:00Z".parse::<jiff::Timestamp>() else {
        return broken("no time".to_owned());
    };
    let wall = Wall::start(at);
    let wire = Arc::new(Wire::new(schedule));
    let stage = match Stage::new(seed, at, &wire) {
        Ok(stage) => stage,
        Err(error) => return broken(format!("the stage is not set: {error:#}")),
    };
    let mut run = Run { wire: Arc::clone(&wire), stage, processes: Vec::new(), mark: None };
    for act in lifecycle.acts() {
        if let Err(why) = run.act(act).await {
            wire.violation(why);
            break;
        }
    }
    if let Some(process) = run.processes.last() {
        process.stop();
    }
    drop(wall);
    Outcome { calls: wire.places(), trace: wire.trace(), violations: wire.violations() }
}

/// What the operator works on.
struct Stage {
    server: ApiServer,
    azure: Azure,
}

impl Stage {
    fn new(seed: u64, at: jiff::Timestamp, wire: &Arc<Wire>) -> anyhow::Result<Self> {
        let options = avnm_emulator::Options { seed, ..avnm_emulator::Options::instant() };
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
        Ok(Self { server, azure })
    }

    fn condition(object: &Value, of_now: bool) -> Option<&Value> {
        let ready = object["status"]["conditions"].as_array()?.iter().find(|it| it["type"] == "Ready")?;
        let generation = &object["metadata"]["generation"];
        (!of_now || ready["observedGeneration"] == *generation).then_some(ready)
    }

    fn in_azure(&self) -> usize {
        let there = |id: &&String| self.azure.control().get(id, None).is_ok_and(|found| found.is_some());
        manifests::ids().iter().filter(there).count()
    }
}

struct Run {
    wire: Arc<Wire>,
    stage: Stage,
    processes: Vec<Process>,
    /// Writes to Azure at the last mark.
    mark: Option<usize>,
}

impl Run {
    /// Starts a process where none is left alive.
    fn keep_alive(&mut self) -> Result<(), String> {
        let dead = self.processes.last().is_none_or(|process| self.wire.is_dead(&process.agent));
        if dead {
            let n = self.processes.len();
            let process = Process::start(n, &self.wire, &self.stage.server, &self.stage.azure)
                .map_err(|error| format!("start process {n}: {error:#}"))?;
            self.processes.push(process);
        }
        Ok(())
    }

    async fn wait(&mut self, what: &str, is: impl Fn(&Stage) -> bool) -> Result<(), String> {
        let mut waited = Duration::ZERO;
        while waited < LONGEST {
            self.keep_alive()?;
            if is(&self.stage) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
        let objects: Vec<String> = [manifests::CONNECTIONS, manifests::MEMBERS]
            .iter()
            .flat_map(|kind| self.stage.server.all(kind))
            .map(|object| {
                let ready = Stage::condition(&object, false);
                let shown = ready.map(|it| format!("{} {} {}", it["status"], it["reason"], it["message"]));
                format!("{}: {}", object["metadata"]["name"], shown.unwrap_or_default())
            })
            .collect();
        Err(format!("L1: waited {} min for {what}: {}", LONGEST.as_secs() / 60, objects.join("; ")))
    }

    async fn act(&mut self, act: Act) -> Result<(), String> {
        self.keep_alive()?;
        self.wire.tell(format!(">> {}", told(&act)));
        let server = self.stage.server.clone();
        match act {
            Act::Create(object) => {
                server.create(&object).map_err(|refusal| format!("create: {}", refusal.message))?;
            }
            Act::Patch(kind, namespace, name, patch) => {
                server
                    .patch(kind, namespace, name, &patch)
                    .map_err(|refusal| format!("patch {name}: {}", refusal.message))?;
            }
            Act::Delete(kind, namespace, name) => {
                // It may have been let go already, where nothing was held.
                let _ = server.delete(kind, namespace, name);
            }
            Act::Ready(kind, namespace, name) => {
                self.wait(&format!("{name} to be Ready"), |stage| {
                    let object = stage.server.get(kind, namespace, name);
                    object.is_some_and(|it| {
                        Stage::condition(&it, true).is_some_and(|it| it["status"] == "True")
                    })
                })
                .await?;
            }
            Act::Because(kind, namespace, name, reason) => {
                self.wait(&format!("{name} to say {reason}"), |stage| {
                    let object = stage.server.get(kind, namespace, name);
                    object.is_some_and(|it| {
                        Stage::condition(&it, true).is_some_and(|it| it["reason"] == reason)
                    })
                })
                .await?;
            }
            Act::Gone(kind, namespace, name) => {
                self.wait(&format!("{name} to be gone"), |stage| {
                    stage.server.get(kind, namespace, name).is_none()
                })
                .await?;
            }
            Act::InAzure(count) => {
                // What a late effect brings is found and taken away again, while anyone holds it.
                let there = self.stage.in_azure();
                if there != count {
                    return Err(format!("S3: {there} things are in Azure, and {count} should be"));
                }
            }
            Act::Rest(hours) => self.rest(hours).await?,
            Act::NoWrites => {
                let (now, _) = self.wire.writes();
                match self.mark.take() {
                    None => self.mark = Some(now),
                    Some(mark) if mark != now => {
                        return Err(format!("{} writes to Azure where none was needed", now - mark));
                    }
                    Some(_) => {}
                }
            }
            other => self.others(other).await?,
        }
        Ok(())
    }

    /// What others do in Azure, and what they find there.
    async fn others(&mut self, act: Act) -> Result<(), String> {
        let (server, control) = (self.stage.server.clone(), self.stage.azure.control());
        match act {
            Act::Stranger(at, properties) => {
                let id = &manifests::ids()[at];
                let found = control.get(id, None).map_err(|error| format!("get {id}: {error:#}"))?;
                let mut body = found.ok_or_else(|| format!("{id} is not there to be changed"))?;
                for (name, value) in properties.as_object().into_iter().flatten() {
                    body["properties"][name] = value.clone();
                }
                control.put(id, None, &body).map_err(|error| format!("change {id}: {error:#}"))?;
            }
            Act::Appear(id, body) => {
                control.put(&id, None, &body).map_err(|error| format!("make {id}: {error:#}"))?;
            }
            Act::Vanish(id) => {
                control.delete(&id, None).map_err(|error| format!("delete {id}: {error:#}"))?;
            }
            Act::Says(id, description) => {
                let found = control.get(&id, None).map_err(|error| format!("get {id}: {error:#}"))?;
                let says = found.map(|it| it["properties"]["description"].clone());
                if says != Some(description.into()) {
                    return Err(format!("S2: {id} says {says:?}, and should say {description:?}"));
                }
            }
            Act::EndNamespace(name) => {
                server.delete(NAMESPACES, "", name).map_err(|refusal| refusal.message)?;
            }
            Act::NamespaceGone(name) => {
                self.wait(&format!("namespace {name} to be gone"), |stage| {
                    stage.server.get(NAMESPACES, "", name).is_none()
                })
                .await?;
            }
            other => return Err(format!("nobody does {other:?}")),
        }
        Ok(())
    }

    /// Twenty minutes settle what is left of a fault, or of a stranger; then nothing is written any more. What a fault within
    /// the measured time has for a consequence is no heartbeat: it is measured again.
    async fn rest(&mut self, hours: u64) -> Result<(), String> {
        loop {
            self.pass_time(20).await?;
            let (before, played) = (self.wire.writes(), self.wire.played());
            self.pass_time(hours * 60).await?;
            let after = self.wire.writes();
            if before == after {
                return Ok(());
            }
            // As often as there are faults, at most.
            if played == self.wire.played() {
                return Err(format!(
                    "L2: {} writes to Azure and {} to Kubernetes in {hours} h of rest",
                    after.0 - before.0,
                    after.1 - before.1
                ));
            }
        }
    }

    async fn pass_time(&mut self, minutes: u64) -> Result<(), String> {
        for _ in 0..minutes {
            self.keep_alive()?;
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        Ok(())
    }
}

fn told(act: &Act) -> String {
    match act {
        Act::Create(object) => format!("create {} {}", object["kind"], object["metadata"]["name"]),
        Act::Patch(_, _, name, patch) => format!("patch {name}: {patch}"),
        other => format!("{other:?}"),
    }
}
