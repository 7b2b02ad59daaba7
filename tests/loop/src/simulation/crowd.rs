//! A crowd: many members that are made at once, rest, meet another process, and are deleted at once, on virtual time. What they cost is
//! counted, not timed, so that a busy machine counts the same.

use std::{fmt, sync::Arc, time::Duration};

use avnm_arm::{
    Quotas,
    clock::{self, Wall},
};
use avnm_emulator::{Control, Entry};
use serde_json::{Value, json};

use super::{
    act::Act,
    faults::Schedule,
    manifests::{self, HUB, MEMBERS, OTHER},
    perform::Run,
    stage::Stage,
    wire::Wire,
};
use crate::api_server::ApiServer;

/// What is granted at once and comes back each second: writes of one principal, its reads, and writes of Microsoft.Network.
const ARM: (f64, f64) = (200.0, 10.0);
const READS: (f64, f64) = (250.0, 25.0);
const NETWORK: (f64, f64) = (1_000.0, 1_000.0 / 300.0);
/// Between looks.
const LOOK: Duration = Duration::from_secs(1);
/// How much longer than its quotas demand it may take.
const SLOWER: f64 = 1.05;
/// What begins and ends beside the writes: the pass before the first, the look after the last, and the reads that new writes leave
/// to others.
const BESIDE: Duration = Duration::from_secs(5);
/// Kubernetes writes for a new member: finalizer, claim, Ready; for one that goes no more; and one for whoever has to wait.
const KUBERNETES: usize = 3;

/// What is done with a crowd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// All come at once.
    Made,
    /// Nothing happens for an hour.
    Rested,
    /// The process dies, and another one takes over.
    Restarted,
    /// All go at once.
    Deleted,
}

/// What a crowd came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Crowd {
    /// How many there are.
    pub members: usize,
    /// What was done with them.
    pub done: Done,
    /// Whether Azure counted.
    pub counted: bool,
    /// From the first one to the last that was Ready, or gone, in virtual time.
    pub took: Duration,
    /// How long the calls that were sent take at least under the quotas.
    pub floor: Duration,
    /// PUTs and DELETEs that were sent.
    pub writes: usize,
    /// GETs of one thing.
    pub gets: usize,
    /// Pages of lists.
    pub pages: usize,
    /// Calls that Azure refused because of a quota.
    pub refused: usize,
    /// Writes of the operator to our kinds in Kubernetes.
    pub kubernetes: usize,
    /// GETs of one object of our kinds in Kubernetes.
    pub kubernetes_gets: usize,
    /// Passes over members.
    pub passes: usize,
    /// Writes that went before a new object's of another namespace, since it came.
    pub before_another: Option<usize>,
    /// Rules that were broken.
    pub violations: Vec<String>,
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.counted { "under the documented quotas" } else { "without quotas" };
        write!(
            f,
            "{} members {} {how}: {:.1} s (the quotas demand {:.1} s for its calls), {} writes to Azure, {} GETs, {} pages, {} refused, {} writes to Kubernetes and {} GETs, {} passes",
            self.members,
            match self.done {
                Done::Made => "made",
                Done::Rested => "at rest for an hour",
                Done::Restarted => "taken over by another process",
                Done::Deleted => "deleted",
            },
            self.took.as_secs_f64(),
            self.floor.as_secs_f64(),
            self.writes,
            self.gets,
            self.pages,
            self.refused,
            self.kubernetes,
            self.kubernetes_gets,
            self.passes,
        )?;
        match self.before_another {
            Some(count) => write!(f, ", {count} before a new object of another namespace"),
            None => Ok(()),
        }
    }
}

/// Plays a crowd that comes, stays and then goes, on a thread of its own.
pub fn play_crowd(members: usize, counted: bool, seed: u64) -> Vec<Crowd> {
    avnm_entropy::repeatable(seed, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let came = match runtime {
            Ok(runtime) => runtime.block_on(come(members, counted, seed)),
            Err(error) => Err(format!("no runtime: {error}")),
        };
        came.unwrap_or_else(|why| {
            vec![Crowd { violations: vec![why], ..Crowd::of(members, counted, Done::Made) }]
        })
    })
}

impl Crowd {
    fn of(members: usize, counted: bool, done: Done) -> Self {
        Self {
            members,
            done,
            counted,
            took: Duration::ZERO,
            floor: Duration::ZERO,
            writes: 0,
            gets: 0,
            pages: 0,
            refused: 0,
            kubernetes: 0,
            kubernetes_gets: 0,
            passes: 0,
            before_another: None,
            violations: Vec::new(),
        }
    }

    /// What is too much.
    fn judge(&mut self) {
        if matches!(self.done, Done::Rested | Done::Restarted) {
            self.judge_rest();
            return;
        }
        let all = self.members + usize::from(self.before_another.is_some());
        let mut wrong = Vec::new();
        if self.passes > all * PASSES {
            wrong.push(format!("{} passes, and {PASSES} a member would do", self.passes));
        }
        if self.writes != all {
            wrong.push(format!("{} writes to Azure, and each of {all} members needs one", self.writes));
        }
        if self.gets > all * GETS {
            wrong.push(format!("{} GETs, and {GETS} a member would do", self.gets));
        }
        if self.counted {
            self.floor = floor(self.writes, self.gets + self.pages);
        }
        let most = self.floor.mul_f64(SLOWER) + BESIDE;
        if self.took > most {
            wrong.push(format!("it took {:?}, and {most:?} would do", self.took));
        }
        if self.refused * 1_000 > self.writes + self.gets + self.pages {
            wrong.push(format!("{} calls were refused because of a quota", self.refused));
        }
        let each = KUBERNETES + usize::from(self.counted);
        if self.kubernetes > all * each {
            wrong.push(format!("{} writes to Kubernetes, and {each} a member would do", self.kubernetes));
        }
        if self.kubernetes_gets > all * KUBERNETES_GETS {
            let gets = self.kubernetes_gets;
            wrong.push(format!("{gets} GETs of Kubernetes, and {KUBERNETES_GETS} a member would do"));
        }
        if let Some(before) = self.before_another.filter(|before| *before > NEXT) {
            wrong.push(format!("{before} writes went before a new object's of another namespace"));
        }
        self.violations.extend(wrong);
    }
}

impl Crowd {
    /// What is too much where Azure matches: any write, a look at a member by itself, and more than the first pass of each, with those
    /// that came before what they need was read.
    fn judge_rest(&mut self) {
        let all = self.members + OTHERS.len();
        let first = if self.done == Done::Restarted { all + all.min(EARLY) } else { 0 };
        for (count, most, what) in [
            (self.writes, 0, "writes to Azure"),
            (self.kubernetes, 0, "writes to Kubernetes"),
            (self.kubernetes_gets, 0, "GETs of Kubernetes"),
            (self.gets, 0, "GETs of one thing"),
            (self.refused, 0, "refused calls"),
            (self.passes, first, "passes"),
        ] {
            if count > most {
                self.violations.push(format!("{count} {what}, and {most} would do"));
            }
        }
    }

    /// What one member costs here more than in a smaller crowd, beyond a tenth: what grows faster than the crowd.
    #[must_use]
    pub fn grows(&self, smaller: &Self) -> Vec<String> {
        let counts = |it: &Self| {
            [
                ("GETs", it.gets),
                ("writes to Kubernetes", it.kubernetes),
                ("GETs of Kubernetes", it.kubernetes_gets),
                ("passes", it.passes),
            ]
        };
        let (few, many) = (smaller.members.max(1), self.members.max(1));
        let pairs = counts(smaller).into_iter().zip(counts(self));
        pairs
            .filter(|((_, before), (_, now))| now * few * 10 > (before * many).max(few * many / 10) * 11)
            .map(|((what, before), (_, now))| {
                format!("{now} {what} for {many} members, and {before} for {few}")
            })
            .collect()
    }
}

/// Passes over a member that is made or deleted.
const PASSES: usize = 5;

/// So many passes begin before the first credential and the first list were read: what kube's queue is handed at once.
const EARLY: usize = 100;

/// A new object of another namespace is among the next so many writes: two take turns, and some were granted when it came.
const NEXT: usize = 25;

/// GETs of a member: one before its write, since a list that is older than the claim proves nothing, and one after it, since Ready
/// comes only from a read after the write.
const GETS: usize = 2;

/// GETs of Kubernetes for a member: the object itself before its write, and before something new is made what that rests on, which
/// are its connection and the credentials of both sides.
const KUBERNETES_GETS: usize = 4;

/// How long so many calls take at least.
#[allow(clippy::cast_precision_loss, reason = "a count of calls")]
fn floor(writes: usize, reads: usize) -> Duration {
    let of = |calls: usize, (size, refill): (f64, f64)| ((calls as f64 - size) / refill).max(0.0);
    Duration::from_secs_f64(of(writes, ARM).max(of(reads, READS)).max(of(writes, NETWORK)))
}

fn network(n: usize) -> String {
    manifests::NETWORK.replace("targetVnet01", &format!("spoke{n:05}"))
}

/// A network of the manager's own tenant.
fn own_network(name: &str) -> String {
    format!("{}-{name}", manifests::OTHER_NETWORK)
}

/// Objects of another namespace that come while the others come, and while they go.
const OTHERS: [&str; 2] = ["another", "one-more"];

/// The default world, with so many networks more.
fn world(networks: usize) -> String {
    let entry = |id: String| format!("  - {{id: {id}, location: eastus2}}\n");
    let all = (0..networks).map(network).chain(OTHERS.map(own_network)).map(entry);
    let all = all.fold("virtualNetworks:\n".to_owned(), |all, entry| all + &entry);
    avnm_emulator::DEFAULT_WORLD.replacen("virtualNetworks:\n", &all, 1)
}

fn member(n: usize) -> Value {
    let mut object = manifests::member(HUB, &format!("m{n:05}"), "link");
    object["spec"]["memberName"] = json!(format!("m{n:05}"));
    object["spec"]["resourceId"] = json!(network(n));
    object
}

fn quotas() -> Value {
    let quota = |(size, refill): (f64, f64)| json!({"size": size, "refillPerSecond": refill});
    json!({
        "quotas": {"reads": quota(READS), "writes": quota(ARM), "deletes": quota(ARM)},
        "networkQuotas": {"reads": quota((10_000.0, 10_000.0 / 300.0)), "writes": quota(NETWORK)},
    })
}

/// A new object of another namespace, for a network that nobody else names.
fn another(name: &str) -> Value {
    let mut object = manifests::central_member(OTHER, name);
    object["spec"]["resourceId"] = json!(own_network(name));
    object
}

/// The stage of a crowd, with what counts.
struct Play {
    run: Run,
    wire: Arc<Wire>,
    server: ApiServer,
    control: Control,
    counted: bool,
}

async fn come(members: usize, counted: bool, seed: u64) -> Result<Vec<Crowd>, String> {
    let at = "2026-01-31T12:00:00Z".parse().map_err(|error| format!("no time: {error}"))?;
    let wall = Wall::start(at);
    let wire = Arc::new(Wire::new(Schedule::default()));
    let stage = Stage::with_world(seed, at, &wire, Some(world(members)));
    let stage = stage.map_err(|error| format!("the stage is not set: {error:#}"))?;
    let (server, control) = (stage.server.clone(), stage.azure.control().clone());
    let mut run = Run::new(Arc::clone(&wire), stage, wall, false);
    if !counted {
        run.quotas = Quotas::NONE;
    }
    for object in manifests::credentials(HUB).into_iter().chain(manifests::credentials(OTHER)) {
        run.act(Act::Create(object)).await?;
    }
    run.act(Act::Create(manifests::connection(HUB, "link"))).await?;
    run.act(Act::Ready((manifests::CONNECTIONS, HUB, "link"))).await?;
    if counted {
        control.change_settings(&quotas()).map_err(|error| format!("settings: {error:#}"))?;
    }
    let mut play = Play { run, wire, server, control, counted };
    let mut crowds = Vec::new();
    for done in [Done::Made, Done::Rested, Done::Restarted, Done::Deleted] {
        crowds.push(play.measure(Crowd::of(members, counted, done)).await?);
    }
    play.run.end();
    Ok(crowds)
}

impl Play {
    /// What is done with all of them, and what it costs.
    async fn measure(&mut self, mut crowd: Crowd) -> Result<Crowd, String> {
        // What was taken before has come back, and reads are behind no write.
        tokio::time::sleep(Duration::from_secs(600)).await;
        let (calls, sent, mut passes) = (self.control.last_call(), self.wire.sent(), self.run.passes());
        let begun = clock::instant();
        match crowd.done {
            Done::Made | Done::Deleted => self.move_all(&mut crowd).await?,
            Done::Rested => tokio::time::sleep(Duration::from_secs(3_600)).await,
            Done::Restarted => {
                self.run.act(Act::Restart).await?;
                passes = 0;
                // Another process has to wait for the lease first.
                tokio::time::sleep(Duration::from_secs(900)).await;
            }
        }
        crowd.took = clock::instant() - begun;
        let now = self.wire.sent();
        crowd.writes = now.azure - sent.azure;
        crowd.kubernetes = now.kubernetes - sent.kubernetes;
        crowd.kubernetes_gets = now.kubernetes_gets - sent.kubernetes_gets;
        crowd.passes = self.run.passes() - passes;
        for call in self.control.whole_ledger(calls).map_err(|error| error.to_string())? {
            crowd.count(&call);
        }
        crowd.violations = self.wire.violations();
        crowd.judge();
        Ok(crowd)
    }

    /// All of them come, or go, and one more of another namespace meanwhile.
    async fn move_all(&self, crowd: &mut Crowd) -> Result<(), String> {
        let Self { wire, server, counted, .. } = self;
        let (members, begun) = (crowd.members, clock::instant());
        for n in 0..members {
            if crowd.done == Done::Deleted {
                server
                    .delete(MEMBERS, HUB, &format!("m{n:05}"))
                    .map_err(|refusal| format!("delete: {}", refusal.message))?;
            } else {
                server.create(&member(n)).map_err(|refusal| format!("create: {}", refusal.message))?;
            }
        }
        let other = OTHERS[usize::from(crowd.done == Done::Deleted)];
        let mut came_at = None;
        // Twice what the quotas demand for one write and two GETs each is more than enough.
        let most = begun + floor(members, members * 2) * 2 + Duration::from_secs(600);
        loop {
            tokio::time::sleep(LOOK).await;
            if *counted && came_at.is_none() && clock::instant() - begun >= LOOK * 20 {
                server.create(&another(other)).map_err(|refusal| format!("create: {}", refusal.message))?;
                came_at = Some(wire.sent().azure);
            }
            if let (Some(came_at), None) = (came_at, crowd.before_another)
                && server.get(MEMBERS, OTHER, other).is_some_and(|object| ready(&object))
            {
                crowd.before_another = Some(wire.sent().azure - came_at);
            }
            let left = server.those(MEMBERS, |object| crowd.is_left(object));
            if left.is_empty() && (!*counted || crowd.before_another.is_some()) {
                return Ok(());
            }
            if clock::instant() > most {
                let late = left.first().cloned().unwrap_or_default();
                return Err(format!("{} are not there, or not gone: {}", left.len(), late["status"]));
            }
        }
    }
}

fn ready(object: &Value) -> bool {
    Stage::condition(object, true).is_some_and(|it| it["status"] == "True")
}

impl Crowd {
    /// Whether more has to become of an object.
    fn is_left(&self, object: &Value) -> bool {
        let goes = self.done == Done::Deleted && object["metadata"]["namespace"] == HUB;
        goes || !ready(object)
    }

    fn count(&mut self, call: &Entry) {
        // The manager and its groups are read for all, like lists.
        let of_one = ["/staticMembers/", "/scopeConnections/", "/networkManagerConnections/"];
        if call.method == "GET" {
            let count =
                if of_one.iter().any(|it| call.path.contains(it)) { &mut self.gets } else { &mut self.pages };
            *count += 1;
        }
        self.refused += usize::from(call.status == Some(429));
    }
}
