//! What a lifecycle's acts do and wait for.

use std::{sync::Arc, time::Duration};

use avnm_arm::{Quotas, clock::Wall};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    act::{Act, On},
    manifests,
    process::Process,
    stage::Stage,
    wire::Wire,
};

const NAMESPACES: &str = "namespaces";
const CRDS: &str = "customresourcedefinitions.apiextensions.k8s.io";
/// How often what is waited for is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long anything is waited for at most. The longest wait of the loop after one fault is a quarter of an hour.
const LONGEST: Duration = Duration::from_secs(40 * 60);
/// So many minutes of what is let pass settle whatever was done before.
const SETTLES: u64 = 20;

/// A run.
pub(super) struct Run {
    wire: Arc<Wire>,
    stage: Stage,
    wall: Wall,
    processes: Vec<Process>,
    /// How many processes there shall be.
    replicas: usize,
    /// Writes to Azure at the last mark.
    mark: Option<usize>,
    /// Writes to Azure since they are counted.
    counted: usize,
    states: Vec<String>,
    /// Whether anything is scheduled to go wrong.
    faults: bool,
    /// Faults whose consequences are over.
    settled: usize,
    /// What the operator believes that Azure grants.
    pub(super) quotas: Quotas,
}

impl Run {
    pub(super) fn new(wire: Arc<Wire>, stage: Stage, wall: Wall, faults: bool) -> Self {
        let (processes, states) = (Vec::new(), Vec::new());
        Self {
            wire,
            stage,
            wall,
            processes,
            replicas: 1,
            mark: None,
            counted: 0,
            states,
            faults,
            settled: 0,
            quotas: Quotas::default(),
        }
    }

    /// Stops what runs, and gives back how it was wherever it rested.
    pub(super) fn end(self) -> Vec<String> {
        for process in &self.processes {
            process.stop();
        }
        drop(self.wall);
        self.states
    }

    /// Passes over members of the process that was started last.
    pub(super) fn passes(&self) -> usize {
        self.processes.last().map_or(0, Process::passes)
    }

    /// Starts processes where too few are left alive.
    fn keep_alive(&mut self) -> Result<(), String> {
        let alive = |run: &Self| run.processes.iter().filter(|it| !run.wire.is_dead(&it.agent)).count();
        while alive(self) < self.replicas {
            let n = self.processes.len();
            let process = Process::start(n, &self.wire, &self.stage.server, &self.stage.azure, self.quotas)
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

    async fn says(&mut self, on: On, what: String, is: impl Fn(&Value) -> bool) -> Result<(), String> {
        let (kind, namespace, name) = on;
        self.wait(&format!("{name} to {what}"), |stage| {
            let object = stage.server.get(kind, namespace, name);
            object.is_some_and(|it| Stage::condition(&it, true).is_some_and(&is))
        })
        .await
    }

    async fn gone(&mut self, (kind, namespace, name): On) -> Result<(), String> {
        self.wait(&format!("{name} to be gone"), |stage| stage.server.get(kind, namespace, name).is_none())
            .await
    }

    pub(super) async fn act(&mut self, act: Act) -> Result<(), String> {
        self.keep_alive()?;
        self.wire.tell(format!(">> {}", told(&act)));
        match act {
            Act::Ready(on) => self.says(on, "be Ready".to_owned(), |it| it["status"] == "True").await,
            Act::Because(on, reason) => {
                self.says(on, format!("say {reason}"), |it| it["reason"] == reason).await
            }
            Act::Gone(on) => self.gone(on).await,
            Act::NamespaceGone(name) => self.gone((NAMESPACES, "", name)).await,
            Act::Rest(hours) => self.rest(hours).await,
            Act::Pass(minutes) => {
                self.pass_time(minutes).await?;
                if minutes >= SETTLES {
                    self.settle().await?;
                    self.states.push(self.stage.state());
                }
                Ok(())
            }
            Act::Clear(left) => self.clear(&left).await,
            Act::Restart => {
                if let Some(process) = self.processes.last() {
                    self.wire.kill(&process.agent);
                }
                self.keep_alive()
            }
            Act::StandBy => {
                self.replicas = 2;
                self.keep_alive()
            }
            Act::CutLease => {
                if let Some(leader) = self.processes.iter().find(|it| !self.wire.is_dead(&it.agent)) {
                    self.wire.cut_lease(&leader.agent);
                }
                Ok(())
            }
            Act::NoWrites | Act::Mark | Act::WritesAtMost(_) => self.count(&act),
            Act::Held(..)
            | Act::InAzure(_)
            | Act::Says(..)
            | Act::Connects(..)
            | Act::Told(..)
            | Act::Untold(_) => self.look(&act),
            act => self.change(act),
        }
    }

    /// Counts writes to Azure.
    fn count(&mut self, act: &Act) -> Result<(), String> {
        let now = self.wire.sent().azure;
        match act {
            Act::NoWrites => match self.mark.take() {
                None => self.mark = Some(now),
                Some(mark) if mark != now => {
                    return Err(format!("{} writes to Azure where none was needed", now - mark));
                }
                Some(_) => {}
            },
            Act::WritesAtMost(most) if now - self.counted > *most => {
                return Err(format!("L4: {} writes to Azure, and {most} would do", now - self.counted));
            }
            Act::Mark => self.counted = now,
            _ => {}
        }
        Ok(())
    }

    /// What must be so at once.
    fn look(&self, act: &Act) -> Result<(), String> {
        match act {
            Act::Held((kind, namespace, name), finalizer) => {
                let object = self.stage.server.get(kind, namespace, name);
                let all = object.as_ref().and_then(|it| it["metadata"]["finalizers"].as_array());
                if !all.is_some_and(|all| all.iter().any(|it| it == finalizer)) {
                    return Err(format!("S5: {name} has the finalizers {all:?}, and {finalizer} is needed"));
                }
            }
            Act::InAzure(count) => {
                // What a late effect brings is found and taken away again, while anyone holds it.
                let there = self.stage.in_azure();
                if there != *count {
                    return Err(format!("S3: {there} things are in Azure, and {count} should be"));
                }
            }
            Act::Says(id, description) => {
                let found = self.stage.azure.control().get(id, None);
                let found = found.map_err(|error| format!("get {id}: {error:#}"))?;
                let says = found.map(|it| it["properties"]["description"].clone());
                if says != Some((*description).into()) {
                    return Err(format!("S2: {id} says {says:?}, and should say {description:?}"));
                }
            }
            Act::Connects(id, network) => {
                let found = self.stage.azure.control().get(id, None).ok().flatten().unwrap_or_default();
                let of = &found["properties"]["resourceId"];
                if !of.as_str().is_some_and(|of| of.eq_ignore_ascii_case(network)) {
                    return Err(format!("S2: {id} is of {of}, and should be of {network}"));
                }
            }
            // An event goes with the answer or the process that it was to follow.
            Act::Told(..) if self.faults => {}
            Act::Told(reason, count) => {
                let notes = self.notes(reason);
                if notes.len() < *count {
                    let (times, others) = (notes.len(), self.reasons());
                    return Err(format!("{reason} was told {times} times, and {count} were due: {others:?}"));
                }
            }
            Act::Untold(reason) => {
                let notes = self.notes(reason);
                if !notes.is_empty() {
                    return Err(format!("{reason} was told: {notes:?}"));
                }
            }
            other => return Err(format!("nobody looks for {other:?}")),
        }
        Ok(())
    }

    /// The reasons of all events.
    fn reasons(&self) -> std::collections::BTreeSet<String> {
        self.stage.server.all("events").iter().map(|it| it["reason"].to_string()).collect()
    }

    /// The different notes of events with this reason.
    fn notes(&self, reason: &str) -> std::collections::BTreeSet<String> {
        let events = self.stage.server.all("events").into_iter();
        events.filter(|it| it["reason"] == reason).map(|it| it["message"].to_string()).collect()
    }

    /// What people, strangers and clusters do.
    fn change(&mut self, act: Act) -> Result<(), String> {
        let (server, control) = (self.stage.server.clone(), self.stage.azure.control());
        match act {
            Act::Stranger(at, properties) => {
                self.wire.note_stranger();
                let id = &manifests::ids()[at];
                let found = control.get(id, None).map_err(|error| format!("get {id}: {error:#}"))?;
                let mut body = found.ok_or_else(|| format!("{id} is not there to be changed"))?;
                for (name, value) in properties.as_object().into_iter().flatten() {
                    body["properties"][name] = value.clone();
                }
                control.put(id, None, &body).map_err(|error| format!("change {id}: {error:#}"))?;
            }
            Act::State(id, state) => {
                self.wire.note_stranger();
                control.force_state(&id, None, state).map_err(|error| format!("{id}: {error:#}"))?;
            }
            Act::Settings(patch) => {
                control.change_settings(&patch).map_err(|error| format!("settings: {error:#}"))?;
            }
            Act::EndNamespace(name) => {
                server.delete(NAMESPACES, "", name).map_err(|refusal| refusal.message)?;
            }
            Act::Labels(name, labels) => {
                server.namespace(name, labels).map_err(|refusal| refusal.message)?;
            }
            Act::Crd(name, change) => {
                let mut crd = server.get(CRDS, "", name).ok_or_else(|| format!("no CRD {name}"))?;
                change(&mut crd);
                server.serve(&crd).map_err(|refusal| refusal.message)?;
            }
            Act::Refuse(refuse) => self.wire.refuse(refuse),
            Act::Deaf(deaf) => self.wire.deaf(deaf),
            Act::Step(seconds) => self.wall.step(SignedDuration::from_secs(seconds)),
            Act::Before(part, acts) => self.wire.plant(part, acts),
            Act::Try(act) => drop(self.wire.do_at_once(*act)),
            act => self.wire.do_at_once(act)?,
        }
        Ok(())
    }

    /// Whoever is left is let go: nothing of ours stays in Azure but these.
    async fn clear(&mut self, left: &[String]) -> Result<(), String> {
        self.wire.refuse(false);
        self.wire.deaf(false);
        let mut all = Vec::new();
        for kind in [manifests::MEMBERS, manifests::CONNECTIONS] {
            for object in self.stage.server.all(kind) {
                let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
                all.push((kind, text("namespace"), text("name")));
            }
        }
        let go_on = json!({"metadata": {"annotations": {"avnm.dev/confirm-delete": "true"}},
            "spec": {"suspend": false, "mode": "Enforce", "deletionPolicy": "Delete"}});
        for (kind, namespace, name) in &all {
            let _ = self.stage.server.patch(kind, namespace, name, &go_on);
        }
        self.pass_time(30).await?;
        self.states.push(self.stage.state());
        for (kind, namespace, name) in &all {
            let silent = |it: &Value| Stage::condition(it, true).is_none();
            if self.stage.server.get(kind, namespace, name).is_some_and(|it| silent(&it)) {
                return Err(format!("L1: {namespace}/{name} says nothing of its present generation"));
            }
        }
        for (kind, namespace, name) in &all {
            let _ = self.stage.server.delete(kind, namespace, name);
        }
        self.wait("all to be gone", |stage| {
            [manifests::MEMBERS, manifests::CONNECTIONS].iter().all(|kind| stage.server.all(kind).is_empty())
        })
        .await?;
        self.pass_time(2).await?;
        let is_left = |id: &String| left.iter().any(|it| it.eq_ignore_ascii_case(id));
        let more: Vec<String> = self.stage.left().into_iter().filter(|id| !is_left(id)).collect();
        if more.is_empty() { Ok(()) } else { Err(format!("S3: nobody has {}", more.join(", "))) }
    }

    /// What a fault has for a consequence is over: none was played for a while. There are as many as the schedule has.
    async fn settle(&mut self) -> Result<(), String> {
        while self.wire.played() != self.settled {
            self.settled = self.wire.played();
            self.pass_time(SETTLES).await?;
        }
        Ok(())
    }

    /// Twenty minutes settle what is left of a fault, or of a stranger; then nothing is written any more. What a fault within
    /// the measured time has for a consequence is no heartbeat: it is measured again.
    async fn rest(&mut self, hours: u64) -> Result<(), String> {
        loop {
            self.pass_time(SETTLES).await?;
            self.settle().await?;
            self.states.push(self.stage.state());
            let (before, played) = (self.wire.sent(), self.wire.played());
            // With faults an hour of rest is a quarter of one: three sweeps, and many more runs in the same time.
            self.pass_time(hours * if self.faults { 15 } else { 60 }).await?;
            let after = self.wire.sent();
            if before == after {
                return Ok(());
            }
            // As often as there are faults, at most.
            if played == self.wire.played() {
                return Err(format!(
                    "L2: {} writes to Azure and {} to Kubernetes in {hours} h of rest",
                    after.azure - before.azure,
                    after.kubernetes - before.kubernetes
                ));
            }
            self.states.pop();
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
        Act::Patch((_, _, name), patch) => format!("patch {name}: {patch}"),
        other => format!("{other:?}"),
    }
}
