//! A file played in order against the emulator, and each answer held against the recorded one.

use std::collections::{BTreeMap, BTreeSet};

use avnm_emulator::path::{ArmPath, Kind};
use avnm_emulator::request::Request;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::decode::{self, Decoded};
use crate::difference::{Difference, Place, What};
use crate::generation::Generation;
use crate::headers;
use crate::outside::Outside;
use crate::precondition::{HALF, OWNER, STRANGER, World, code, guids, message};
use crate::recording::{Exchange, Headers, Recording, items, link_of, split};
use crate::rules::{self, BEFORE_FILE, Context, Explanation, is_arm, is_neighbour};
use crate::shape::{self, Bindings, key as key_of};
use crate::stage::{Seen, Stage, Until};

/// A difference, and the rule that explains it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The difference.
    pub difference: Difference,
    /// Why it is right, if it is.
    pub explanation: Option<&'static Explanation>,
}

/// What came of one exchange.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The call, for people.
    pub call: String,
    /// What others did before it.
    pub preconditions: Vec<String>,
    /// What decoding it with the client's types gave.
    pub decoded: Decoded,
    /// Whether the emulator was asked.
    pub replayed: bool,
    /// How its answer differs.
    pub differences: Vec<Judged>,
}

/// What came of one file.
#[derive(Clone, Debug)]
pub struct Played {
    /// The file.
    pub name: String,
    /// When the traffic was.
    pub generation: Generation,
    /// What was there before it began.
    pub preconditions: Vec<String>,
    /// Its exchanges.
    pub outcomes: Vec<Outcome>,
}

/// Between the replayed answer and the comparison: unit tests spoil answers here.
pub type Spoil<'a> = &'a dyn Fn(usize, &mut Seen);

/// Plays a file. The runtime's clock must be paused.
pub async fn play(recording: &Recording) -> anyhow::Result<Played> {
    play_spoiled(recording, &|_, _| {}).await
}

/// Plays a file, with each answer passed through a function before it is looked at.
pub async fn play_spoiled(recording: &Recording, spoil: Spoil<'_>) -> anyhow::Result<Played> {
    let world = World::before(recording);
    let preconditions = world.reasons.clone();
    let versions: BTreeSet<String> = recording
        .exchanges
        .iter()
        .filter(|it| it.is_success())
        .filter_map(|it| it.parameter("api-version"))
        .collect();
    let versions: Vec<String> = versions.into_iter().collect();
    let stage = match Stage::new(world, &versions) {
        Ok(stage) => stage,
        Err(error) => return Ok(unstaged(recording, preconditions, &error)),
    };
    let mut replay = Replay {
        recording,
        generation: Generation::of(recording),
        stage,
        outside: Outside::new(recording),
        bindings: Bindings::default(),
        links: BTreeMap::new(),
        reached: BTreeMap::new(),
    };
    let mut outcomes = Vec::new();
    for index in 0..recording.exchanges.len() {
        outcomes.push(replay.exchange(index, spoil).await);
    }
    Ok(Played { name: recording.name.clone(), generation: replay.generation, preconditions, outcomes })
}

/// A file whose world cannot be built: none of its exchanges was replayed, and nothing explains that.
fn unstaged(recording: &Recording, preconditions: Vec<String>, error: &anyhow::Error) -> Played {
    let outcomes = recording.exchanges.iter().map(|exchange| {
        let mut outcome = Outcome::of(exchange, ArmPath::from_request(&exchange.path).as_ref());
        let difference =
            Difference::new(What::Unreplayed, Place::Call, exchange.path.clone(), format!("{error:#}"));
        outcome.differences.push(Judged { difference, explanation: None });
        outcome
    });
    let generation = Generation::of(recording);
    Played { name: recording.name.clone(), generation, preconditions, outcomes: outcomes.collect() }
}

impl Played {
    /// A file that is no recording: nothing explains that.
    pub fn unread(name: String, error: &anyhow::Error) -> Self {
        let why = format!("{error:#}");
        let difference = Difference::new(What::Unreplayed, Place::Call, name.clone(), why);
        let outcome = Outcome {
            call: "the file".into(),
            preconditions: Vec::new(),
            decoded: Decoded::NoType,
            replayed: false,
            differences: vec![Judged { difference, explanation: None }],
        };
        Self { name, generation: Generation::Unknown, preconditions: Vec::new(), outcomes: vec![outcome] }
    }
}

impl Outcome {
    /// Before the emulator was asked.
    fn of(exchange: &Exchange, path: Option<&ArmPath>) -> Self {
        Self {
            call: format!("{} {} -> {}", exchange.method, exchange.path, exchange.status),
            preconditions: Vec::new(),
            decoded: decode::check(exchange, path),
            replayed: false,
            differences: Vec::new(),
        }
    }
}

struct Replay<'a> {
    recording: &'a Recording,
    generation: Generation,
    stage: Stage,
    outside: Outside<'a>,
    bindings: Bindings,
    /// What stands for a recorded link.
    links: BTreeMap<String, (String, String)>,
    /// The furthest state that was recorded of a resource.
    reached: BTreeMap<String, u8>,
}

impl Replay<'_> {
    async fn exchange(&mut self, index: usize, spoil: Spoil<'_>) -> Outcome {
        let exchange = &self.recording.exchanges[index];
        let path = ArmPath::from_request(&exchange.path);
        let mut outcome = Outcome::of(exchange, path.as_ref());
        self.stage.advance(Until::Next).await;
        let unplayed = |why: String| {
            let call = format!("{} {}", exchange.method, exchange.path);
            vec![Difference::new(What::Unreplayed, Place::Call, call, why)]
        };
        let found = match (&path, self.unplayable(index, path.as_ref())) {
            (Some(path), None) => self.answer(index, path, &mut outcome, spoil).await,
            (Some(path), Some(why)) => self.behind_the_scenes(exchange, path).map(|()| unplayed(why)),
            (None, why) => Ok(unplayed(why.unwrap_or_default())),
        };
        // What cannot be brought about is not explained either.
        let found = found.unwrap_or_else(|error| unplayed(format!("{error:#}")));
        outcome.differences = found.into_iter().map(|it| self.judge(it, exchange, path.as_ref())).collect();
        if let Some(path) = &path {
            self.note_states(exchange, path);
        }
        outcome
    }

    async fn answer(
        &mut self,
        index: usize,
        path: &ArmPath,
        outcome: &mut Outcome,
        spoil: Spoil<'_>,
    ) -> anyhow::Result<Vec<Difference>> {
        let exchange = &self.recording.exchanges[index];
        let follows = self.links.contains_key(&exchange.link());
        let prepared = self.outside.prepare(&self.stage, index, path, follows).await;
        outcome.preconditions = self.outside.take_notes();
        prepared?;
        if path.kind() == Kind::OperationResult && exchange.status != 202 {
            self.stage.advance(Until::OperationsDone).await;
        }
        let mut seen = self.call(exchange, path, &mut outcome.preconditions)?;
        outcome.replayed = true;
        if path.is_collection() && (follows || exchange.next_link().is_some()) {
            self.same_page(exchange, path, &mut seen)?;
        }
        spoil(index, &mut seen);
        self.keep_links(exchange, &seen);
        self.outside.note(exchange, path, seen.status);
        Ok(self.compare(exchange, &seen))
    }

    /// Why an exchange is not played, if it is not.
    fn unplayable(&self, index: usize, path: Option<&ArmPath>) -> Option<String> {
        let exchange = &self.recording.exchanges[index];
        let Some(path) = path else { return Some("not a path of Azure Resource Manager".into()) };
        if exchange.origin.as_deref().is_some_and(|origin| !is_arm(origin)) {
            return Some("another host".into());
        }
        if exchange.status >= 500 {
            return Some("a fault of the server".into());
        }
        let earlier = || self.recording.exchanges.iter().take(index);
        if is_neighbour(path) {
            // None of them exists in the emulator: what can be played is that one is missing.
            let absent = match (exchange.method.as_str(), exchange.status) {
                ("GET", 404) => !exchange.headers.contains_key("x-ms-failure-cause"),
                ("GET", 200) => path.is_collection() && exchange.items().is_empty(),
                ("DELETE", 204) => true,
                _ => false,
            };
            let kept = path.kind() == Kind::Neighbour && absent;
            return (!kept).then(|| "the emulator keeps no such thing".into());
        }
        match path.kind() {
            Kind::Container | Kind::Unknown | Kind::Neighbour => {
                Some("the emulator serves no such type".into())
            }
            Kind::VirtualNetwork | Kind::Subnet if exchange.method != "GET" => {
                Some("changed behind the scenes".into())
            }
            Kind::OperationResult if !self.links.contains_key(&exchange.link()) => {
                let parent = path.parent().key();
                // Of our types only a DELETE is answered with a link.
                let begun = earlier().any(|it| {
                    let about = ArmPath::from_request(&it.path).map(|path| path.key());
                    it.method == "DELETE" && about.as_deref() == Some(parent.as_str())
                });
                Some(if begun { "no answer gave this link".into() } else { BEFORE_FILE.into() })
            }
            _ => {
                let token = exchange.parameter("$skipToken").is_some();
                if !token || self.links.contains_key(&exchange.link()) {
                    return None;
                }
                let begun = earlier().any(|it| it.method == "GET" && it.path == exchange.path);
                Some(if begun { "no answer gave this link".into() } else { BEFORE_FILE.into() })
            }
        }
    }

    /// What an exchange that is not played changes for those that follow.
    fn behind_the_scenes(&mut self, exchange: &Exchange, path: &ArmPath) -> anyhow::Result<()> {
        if path.kind() != Kind::VirtualNetwork || path.is_collection() || !exchange.is_success() {
            return Ok(());
        }
        let (id, tenant) = (path.id(), self.stage.world.tenant_of(path));
        match (exchange.method.as_str(), &exchange.body) {
            ("PUT", Some(body)) => self.stage.control.put(&id, Some(tenant), body).map(drop),
            ("DELETE", _) => self.stage.control.delete(&id, Some(tenant)).map(drop),
            _ => Ok(()),
        }
    }

    fn call(&self, exchange: &Exchange, path: &ArmPath, notes: &mut Vec<String>) -> anyhow::Result<Seen> {
        let (raw_path, query) = self
            .links
            .get(&exchange.link())
            .cloned()
            .unwrap_or_else(|| (exchange.path.clone(), exchange.query.clone()));
        let mut tenant = self.stage.world.tenant_of(path).to_owned();
        let mut application = Some(OWNER);
        let said = message(exchange).unwrap_or_default();
        match code(exchange).as_deref() {
            Some("InvalidAuthenticationTokenTenant") => {
                if let Some(caller) = guids(&said).into_iter().next() {
                    notes.push(format!("the caller signs in to {caller}: a 401 says so"));
                    tenant = caller;
                }
            }
            _ if exchange.status == 401 => {
                notes.push("the caller sends no token: a 401 says so".into());
                application = None;
            }
            Some("AuthorizationFailed") => {
                notes.push("the caller has no role: a 403 says so".into());
                application = Some(STRANGER);
            }
            Some("LinkedAuthorizationFailed") if !said.contains("current tenant") => {
                notes.push("the caller has no role on what is linked: a 403 says so".into());
                application = Some(HALF);
            }
            _ => {}
        }
        let throttled = exchange.status == 429;
        if throttled {
            notes.push("the quota of such calls is used up: a 429 says so".into());
            self.stage.set(&quota(exchange, &json!({"size": 0.0, "refillPerSecond": 0.1})))?;
        }
        let authorization = match application {
            Some(application) => Some(format!("Bearer {}", self.stage.token(&tenant, application)?)),
            None => None,
        };
        let auxiliary = match exchange.request_headers.get("x-ms-authorization-auxiliary") {
            Some(_) => {
                let others = self.stage.world.tenants().into_iter().filter(|other| *other != tenant);
                let tokens = others
                    .map(|other| Ok(format!("Bearer {}", self.stage.token(other, OWNER)?)))
                    .collect::<anyhow::Result<Vec<String>>>()?;
                Some(tokens.join(", "))
            }
            None => None,
        };
        let body = match &exchange.request_body {
            None => Bytes::new(),
            Some(Value::String(text)) => Bytes::from(text.clone()),
            Some(body) => Bytes::from(self.in_todays_words(body, path, notes).to_string()),
        };
        let request = Request {
            method: exchange.method.clone(),
            path: raw_path,
            query,
            origin: origin_of(exchange),
            authorization,
            auxiliary: auxiliary.filter(|it| !it.is_empty()),
            correlation: exchange.request_headers.get("x-ms-correlation-request-id").cloned(),
            client_request_id: exchange.request_headers.get("x-ms-client-request-id").cloned(),
            if_match: exchange.request_headers.get("if-match").cloned(),
            body,
            ..Request::default()
        };
        let seen = self.stage.call(&request);
        if throttled {
            self.stage.set(&quota(exchange, &Value::Null))?;
        }
        seen
    }

    /// What was sent, with the word that the newest build takes where only older builds took the recorded one.
    fn in_todays_words(&self, body: &Value, path: &ArmPath, notes: &mut Vec<String>) -> Value {
        let mut body = body.clone();
        let older = path.kind() == Kind::NetworkGroup && self.generation.before(rules::MEMBER_TYPE_WORD);
        let word = body.pointer_mut("/properties/memberType").filter(|_| older);
        if let Some(word) = word {
            let full =
                word.as_str().is_some_and(|it| it.eq_ignore_ascii_case("Microsoft.Network/virtualNetworks"));
            if full {
                notes.push(format!(
                    "memberType {word} is sent as VirtualNetwork: older builds took that word"
                ));
                *word = "VirtualNetwork".into();
            }
        }
        body
    }

    /// Which items are on which page is Azure's to decide: a page of as many items is compared with the emulator's
    /// whole list.
    fn same_page(&self, exchange: &Exchange, path: &ArmPath, seen: &mut Seen) -> anyhow::Result<()> {
        let Some(body) = seen.body.as_mut().filter(|body| items(body).len() == exchange.items().len()) else {
            return Ok(());
        };
        let size = self.stage.control.settings().page_size;
        self.stage.set(&json!({"pageSize": 1_000_000}))?;
        let version = exchange.parameter("api-version").unwrap_or_default();
        let whole = Exchange {
            method: "GET".into(),
            path: exchange.path.clone(),
            query: format!("api-version={version}"),
            ..Exchange::default()
        };
        let whole = self.call(&whole, path, &mut Vec::new())?.body.unwrap_or_default();
        self.stage.set(&json!({"pageSize": size}))?;
        let wanted: BTreeSet<String> = exchange.items().iter().map(key_of).collect();
        let page: Vec<Value> =
            items(&whole).iter().filter(|it| wanted.contains(&key_of(it))).cloned().collect();
        if page.len() == wanted.len() {
            body["value"] = Value::Array(page);
        }
        Ok(())
    }

    fn keep_links(&mut self, exchange: &Exchange, seen: &Seen) {
        let next = |body: Option<&Value>| body?.get("nextLink")?.as_str().map(str::to_owned);
        let pairs = [
            (exchange.headers.get("location").cloned(), seen.headers.get("location").cloned()),
            (next(exchange.body.as_ref()), next(seen.body.as_ref())),
        ];
        for (recorded, replayed) in pairs {
            let recorded = recorded.as_deref().and_then(split);
            let replayed = replayed.as_deref().and_then(split);
            if let (Some((_, path, query)), Some((_, other_path, other_query))) = (recorded, replayed) {
                self.links.insert(link_of(&path, &query), (other_path, other_query));
            }
        }
    }

    fn compare(&mut self, exchange: &Exchange, seen: &Seen) -> Vec<Difference> {
        let recorder = self.recording.recorder();
        if exchange.status != seen.status {
            let body = seen.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
            let replayed = format!("{}{body}", seen.status);
            let status = Difference::new(What::Value, Place::Status, exchange.status.to_string(), replayed);
            let mut found = vec![status];
            // Of a success and an error the rest says nothing. Two successes differ in where to ask next, no more.
            if exchange.is_success() && (200..300).contains(&seen.status) {
                let without = |headers: &Headers| {
                    let mut headers = headers.clone();
                    headers.remove("location");
                    headers
                };
                let (ours, theirs) = (without(&exchange.headers), without(&seen.headers));
                found.extend(headers::compare(&ours, &theirs, recorder, &mut self.bindings));
                found.extend(shape::compare(exchange.body.as_ref(), seen.body.as_ref(), &mut self.bindings));
            }
            return found;
        }
        let mut found = headers::compare(&exchange.headers, &seen.headers, recorder, &mut self.bindings);
        found.extend(shape::compare(exchange.body.as_ref(), seen.body.as_ref(), &mut self.bindings));
        found
    }

    fn judge(&self, difference: Difference, exchange: &Exchange, path: Option<&ArmPath>) -> Judged {
        let rank = rank(&difference.resource);
        let reached = self.reached.get(&key_of(&difference.resource));
        let context = Context {
            exchange,
            path,
            generation: self.generation,
            recorder: self.recording.recorder(),
            names_front_ends: self.recording.has_header("x-ms-throttling-version"),
            region: difference.property("resourceId").and_then(|id| self.stage.world.region_of(id)),
            went_back: rank.zip(reached).is_some_and(|(rank, reached)| rank < *reached),
        };
        let explanation = Explanation::of(&difference, &context);
        Judged { difference, explanation }
    }

    fn note_states(&mut self, exchange: &Exchange, path: &ArmPath) {
        match exchange.method.as_str() {
            "DELETE" => {
                let (key, below) = (path.key(), format!("{}/", path.key()));
                self.reached.retain(|it, _| *it != key && !it.starts_with(&below));
            }
            // A member, or a manager, is Updating again after each PUT.
            "PUT" if !matches!(path.kind(), Kind::ScopeConnection | Kind::NetworkManagerConnection) => {
                self.reached.remove(&path.key());
            }
            _ => {}
        }
        let Some(body) = exchange.body.as_ref().filter(|_| exchange.is_success()) else { return };
        let list = if path.is_collection() { items(body) } else { std::slice::from_ref(body) };
        for item in list {
            if let Some(rank) = rank(item) {
                let reached = self.reached.entry(key_of(item)).or_default();
                *reached = rank.max(*reached);
            }
        }
    }
}

/// How far a resource is: 0 while something is still to happen by itself.
fn rank(resource: &Value) -> Option<u8> {
    let word = |name: &str| resource.get("properties")?.get(name)?.as_str();
    match word("connectionState").or_else(|| word("provisioningState"))? {
        "Pending" | "Updating" => Some(0),
        _ => Some(1),
    }
}

/// The host that links in the answer name: the recorded one.
fn origin_of(exchange: &Exchange) -> String {
    let named = exchange.headers.get("location").cloned();
    let named = named.or_else(|| exchange.next_link().map(str::to_owned));
    let origin = named.as_deref().and_then(split).and_then(|(origin, ..)| origin).filter(|it| is_arm(it));
    origin.or_else(|| exchange.origin.clone()).unwrap_or_else(|| "https://management.azure.com".into())
}

/// The setting for a quota of such calls.
fn quota(exchange: &Exchange, quota: &Value) -> Value {
    let provider = code(exchange).as_deref() == Some("ResourceRequestsThrottled");
    let class = match exchange.method.as_str() {
        "GET" => "reads",
        "DELETE" if !provider => "deletes",
        _ => "writes",
    };
    let family = if provider { "networkQuotas" } else { "quotas" };
    json!({family: {class: quota}})
}
