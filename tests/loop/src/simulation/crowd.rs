//! A crowd: many members that are made at once, on virtual time. What they cost is counted, not timed, so that a busy machine
//! counts the same.

use std::{fmt, sync::Arc, time::Duration};

use avnm_arm::{
    Quotas,
    clock::{self, Wall},
};
use serde_json::{Value, json};

use super::{
    act::Act,
    faults::Schedule,
    manifests::{self, HUB, MEMBERS, OTHER},
    perform::Run,
    stage::Stage,
    wire::Wire,
};

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
/// Kubernetes writes for a new member: finalizer, claim, Ready; and one for whoever has to wait.
const KUBERNETES: usize = 3;

/// What a crowd came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Crowd {
    /// How many came.
    pub members: usize,
    /// Whether Azure counted.
    pub counted: bool,
    /// From the first one to the last that was Ready, in virtual time.
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
            "{} members {how}: {:.1} s (the quotas demand {:.1} s for its calls), {} writes to Azure, {} GETs, {} pages, {} refused, {} writes to Kubernetes",
            self.members,
            self.took.as_secs_f64(),
            self.floor.as_secs_f64(),
            self.writes,
            self.gets,
            self.pages,
            self.refused,
            self.kubernetes,
        )?;
        match self.before_another {
            Some(count) => write!(f, ", {count} before a new object of another namespace"),
            None => Ok(()),
        }
    }
}

/// Plays a crowd, on a thread of its own.
pub fn play_crowd(members: usize, counted: bool, seed: u64) -> Crowd {
    avnm_entropy::repeatable(seed, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let came = match runtime {
            Ok(runtime) => runtime.block_on(come(members, counted, seed)),
            Err(error) => Err(format!("no runtime: {error}")),
        };
        came.unwrap_or_else(|why| Crowd { violations: vec![why], ..Crowd::of(members, counted) })
    })
}

impl Crowd {
    fn of(members: usize, counted: bool) -> Self {
        Self {
            members,
            counted,
            took: Duration::ZERO,
            floor: Duration::ZERO,
            writes: 0,
            gets: 0,
            pages: 0,
            refused: 0,
            kubernetes: 0,
            before_another: None,
            violations: Vec::new(),
        }
    }

    /// What is too much.
    fn judge(&mut self) {
        let all = self.members + usize::from(self.before_another.is_some());
        let mut wrong = Vec::new();
        if self.writes != all {
            wrong.push(format!("{} writes to Azure, and each of {all} members needs one PUT", self.writes));
        }
        if self.gets * 4 > all * GETS_OF_FOUR {
            wrong.push(format!("{} GETs, and {GETS_OF_FOUR} for four members would do", self.gets));
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
        if let Some(before) = self.before_another.filter(|before| *before > NEXT) {
            wrong.push(format!("{before} writes went before a new object's of another namespace"));
        }
        self.violations.extend(wrong);
    }
}

/// A new object of another namespace is among the next so many writes: two take turns, and some were granted when it came.
const NEXT: usize = 25;

/// GETs of four members: one before each PUT and one after it, and at times one more where Azure had not settled.
const GETS_OF_FOUR: usize = 12;

/// How long so many calls take at least.
#[allow(clippy::cast_precision_loss, reason = "a count of calls")]
fn floor(writes: usize, reads: usize) -> Duration {
    let of = |calls: usize, (size, refill): (f64, f64)| ((calls as f64 - size) / refill).max(0.0);
    Duration::from_secs_f64(of(writes, ARM).max(of(reads, READS)).max(of(writes, NETWORK)))
}

fn network(n: usize) -> String {
    manifests::NETWORK.replace("targetVnet01", &format!("spoke{n:05}"))
}

/// The default world, with so many networks more.
fn world(networks: usize) -> String {
    let entry = |n| format!("  - {{id: {}, location: eastus2}}\n", network(n));
    let head = "virtualNetworks:\n".to_owned();
    let all = (0..networks).map(entry).fold(head, |all, entry| all + &entry);
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

async fn come(members: usize, counted: bool, seed: u64) -> Result<Crowd, String> {
    let at = "2026-01-31T12:00:00Z".parse().map_err(|error| format!("no time: {error}"))?;
    let wall = Wall::start(at);
    let wire = Arc::new(Wire::new(Schedule::default()));
    let stage = Stage::with_world(seed, at, &wire, Some(world(members)));
    let stage = stage.map_err(|error| format!("the stage is not set: {error:#}"))?;
    let (server, azure) = (stage.server.clone(), stage.azure.clone());
    let control = azure.control();
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
        // What the connection took has come back.
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let (calls, writes, begun) = (control.last_call(), wire.writes(), clock::instant());
    for n in 0..members {
        server.create(&member(n)).map_err(|refusal| format!("create: {}", refusal.message))?;
    }
    let mut crowd = Crowd::of(members, counted);
    let mut came_at = None;
    let ready = |object: &Value| Stage::condition(object, true).is_some_and(|it| it["status"] == "True");
    // Twice what the quotas demand for one PUT and two GETs each is more than enough.
    let most = begun + floor(members, members * 2) * 2 + Duration::from_secs(600);
    loop {
        tokio::time::sleep(LOOK).await;
        if counted && came_at.is_none() && clock::instant() - begun >= LOOK * 20 {
            let other = manifests::central_member(OTHER, "another");
            server.create(&other).map_err(|refusal| format!("create: {}", refusal.message))?;
            came_at = Some(wire.writes().azure);
        }
        if let (Some(came_at), None) = (came_at, crowd.before_another)
            && server.get(MEMBERS, OTHER, "another").is_some_and(|object| ready(&object))
        {
            crowd.before_another = Some(wire.writes().azure - came_at);
        }
        let unready = server.those(MEMBERS, |object| !ready(object));
        if unready.is_empty() && (!counted || came_at.is_some()) {
            break;
        }
        if clock::instant() > most {
            let late = unready.first().cloned().unwrap_or_default();
            return Err(format!("not all are Ready: {}", late["status"]));
        }
    }
    crowd.took = clock::instant() - begun;
    crowd.writes = wire.writes().azure - writes.azure;
    crowd.kubernetes = wire.writes().kubernetes - writes.kubernetes;
    for call in control.ledger(calls) {
        match (call.method.as_str(), call.path.rsplit('/').next().unwrap_or_default()) {
            ("GET", last)
                if ["staticMembers", "scopeConnections", "networkManagerConnections"].contains(&last) =>
            {
                crowd.pages += 1;
            }
            ("GET", _) => crowd.gets += 1,
            _ => {}
        }
        crowd.refused += usize::from(call.status == Some(429));
    }
    crowd.violations = wire.violations();
    crowd.judge();
    run.end();
    Ok(crowd)
}
