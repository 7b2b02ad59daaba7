//! What somebody outside of a file did, before it began or between two of its calls: rules by which the recorded
//! answers tell of it. It is brought about behind the scenes, and told.
//!
//! What the file itself made is not touched, but for the states that Azure gives and others cause, and for writes that
//! Azure dates after the file's own.

use std::collections::{BTreeMap, BTreeSet};

use avnm_emulator::faults::Effect;
use avnm_emulator::path::{ArmPath, Kind};
use avnm_emulator::request::Request;
use avnm_emulator::{ConnectionState, Fault, Match};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::precondition::{OWNER, code, message};
use crate::recording::{Exchange, Recording, items, link_of, split};
use crate::shape::key as key_of;
use crate::stage::{Stage, Until};

/// Whose a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// The file made it, and it is there.
    Present,
    /// The file deleted it.
    Deleted,
}

/// What is known of the file so far, and what others are assumed to have done.
#[derive(Debug)]
pub struct Outside<'a> {
    recording: &'a Recording,
    own: BTreeMap<String, Own>,
    /// What others made, as it was last recorded.
    others: BTreeMap<String, Value>,
    /// When what the file made was last written, as Azure told it.
    written: BTreeMap<String, Timestamp>,
    /// Groups that have, or had, a member.
    had_member: BTreeSet<String>,
    /// Groups and managers whose delete runs.
    running: BTreeSet<String>,
    /// What was brought about and not told yet.
    notes: Vec<String>,
}

impl<'a> Outside<'a> {
    /// Nothing has happened yet.
    pub fn new(recording: &'a Recording) -> Self {
        Self {
            recording,
            own: BTreeMap::new(),
            others: BTreeMap::new(),
            written: BTreeMap::new(),
            had_member: BTreeSet::new(),
            running: BTreeSet::new(),
            notes: Vec::new(),
        }
    }

    /// What was brought about since the last time this was asked.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn own(&self, path: &ArmPath) -> Option<Own> {
        self.own.get(&path.key()).copied()
    }

    /// Makes the world such that the recorded answer can be given.
    pub async fn prepare(
        &mut self,
        stage: &Stage,
        index: usize,
        path: &ArmPath,
        follows: bool,
    ) -> anyhow::Result<()> {
        let exchange = &self.recording.exchanges[index];
        self.parents(stage, path, exchange).await?;
        let single = !path.is_collection();
        match (exchange.method.as_str(), exchange.status) {
            ("GET", 200) if single => {
                if let Some(body) = &exchange.body {
                    self.there(stage, path, body, "a GET shows it").await?;
                }
            }
            ("GET", 404) if single => self.gone(stage, path, "a GET does not find it any more")?,
            ("GET", 200) if !follows => self.list(stage, index, path).await?,
            ("PUT", 200 | 201) if single => self.before_put(stage, index, path).await?,
            ("PATCH", 200) if single => {
                if let Some(body) = &exchange.body {
                    self.there(stage, path, body, "a PATCH changes it").await?;
                }
            }
            ("DELETE", 200 | 202) if single => {
                if self.own(path).is_none() && stage.show(path).is_none() {
                    let body = self.body_of(path).unwrap_or_else(|| least(path));
                    self.there(stage, path, &body, "a DELETE finds it").await?;
                }
                self.before_delete(stage, path, exchange)?;
            }
            ("DELETE", 409) if is_refused_for_children(exchange, path) => {
                self.nested(stage, path, exchange).await?;
            }
            ("DELETE", 204) if single => self.gone(stage, path, "a DELETE does not find it")?,
            _ => {}
        }
        self.states(stage, exchange, path).await
    }

    /// What is true after a recorded exchange, if it was played.
    pub fn note(&mut self, exchange: &Exchange, path: &ArmPath, replayed: u16) {
        let key = path.key();
        if path.is_collection() {
            return;
        }
        match exchange.method.as_str() {
            "PATCH" if exchange.is_success() => self.note_write(&key, exchange.body.as_ref()),
            "PUT" if exchange.is_success() => {
                self.own.insert(key.clone(), Own::Present);
                self.note_write(&key, exchange.body.as_ref());
                self.others.remove(&key);
                if path.kind() == Kind::StaticMember {
                    self.had_member.insert(path.parent().key());
                }
            }
            "DELETE" if exchange.is_success() => {
                let below = format!("{key}/");
                for (other, own) in &mut self.own {
                    if other.starts_with(&below) {
                        *own = Own::Deleted;
                    }
                }
                self.others.retain(|other, _| *other != key && !other.starts_with(&below));
                self.written.retain(|other, _| *other != key && !other.starts_with(&below));
                self.had_member.retain(|other| *other != key && !other.starts_with(&below));
                if exchange.status != 204 {
                    self.own.insert(key.clone(), Own::Deleted);
                }
                if replayed == 202 {
                    self.running.insert(key);
                }
            }
            _ => {}
        }
    }

    fn note_write(&mut self, key: &str, body: Option<&Value>) {
        match body.and_then(written_at) {
            Some(at) => self.written.insert(key.to_owned(), at),
            None => self.written.remove(key),
        };
    }

    /// Somebody wrote what the file made, if Azure tells of a later write than the file's own.
    async fn rewritten(&mut self, stage: &Stage, path: &ArmPath, body: &Value) -> anyhow::Result<()> {
        let key = path.key();
        let later = written_at(body).zip(self.written.get(&key)).is_some_and(|(at, own)| at > *own);
        if !later {
            return Ok(());
        }
        self.note_write(&key, Some(body));
        stage.advance(Until::Next).await;
        let fails = path.kind() == Kind::StaticMember && self.ends_failed(&key, body);
        write(stage, path, &path.id(), body, fails)?;
        self.notes
            .push(format!("somebody wrote {}: it was last modified after the file's own write", path.id()));
        Ok(())
    }

    /// What holds a thing is there, if the answer is one that only then is given.
    async fn parents(&mut self, stage: &Stage, path: &ArmPath, exchange: &Exchange) -> anyhow::Result<()> {
        if path.kind() == Kind::OperationResult {
            return Ok(());
        }
        let gateway = exchange.headers.contains_key("x-ms-failure-cause");
        let lacking = ["ParentResourceNotFound", "ResourceGroupNotFound", "ResourceNotFound"];
        let lacking = code(exchange).is_some_and(|code| lacking.contains(&code.as_str()));
        let implied = exchange.is_success() || (exchange.status >= 400 && !gateway && !lacking);
        if !implied {
            return Ok(());
        }
        let depth = if path.is_collection() { path.names.len() } else { path.names.len().saturating_sub(1) };
        for length in 1..=depth {
            let mut parent = path.clone();
            parent.types.truncate(length);
            parent.names.truncate(length);
            let kept = matches!(parent.kind(), Kind::NetworkManager | Kind::NetworkGroup);
            if kept && self.own(&parent).is_none() && stage.show(&parent).is_none() {
                let body = self.body_of(&parent).unwrap_or_else(|| least(&parent));
                self.there(stage, &parent, &body, "something in it answers").await?;
            }
        }
        Ok(())
    }

    /// A recorded body of something that the file did not make.
    fn body_of(&self, path: &ArmPath) -> Option<Value> {
        let key = path.key();
        let bodies =
            self.recording.exchanges.iter().filter(|it| it.is_success()).filter_map(|it| it.body.as_ref());
        bodies
            .flat_map(|body| std::iter::once(body).chain(items(body)))
            .find(|body| ArmPath::from_id(&key_of(body)).is_some_and(|path| path.key() == key))
            .cloned()
    }

    /// Somebody made this, as it was recorded.
    async fn there(&mut self, stage: &Stage, path: &ArmPath, body: &Value, why: &str) -> anyhow::Result<()> {
        let key = path.key();
        let mut wanted = body.clone();
        if let Some(fields) = wanted.as_object_mut() {
            fields.remove("etag");
        }
        if self.own.contains_key(&key) || self.others.get(&key) == Some(&wanted) {
            return Ok(());
        }
        if self.others.get(&key).is_some_and(|known| is_same_write(known, &wanted)) {
            self.others.insert(key, wanted);
            return self.moved(stage, path, body).await;
        }
        let tenant = stage.world.tenant_of(path).to_owned();
        let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
        let id =
            if ArmPath::from_id(id).is_some_and(|it| it.key() == key) { id.to_owned() } else { path.id() };
        let text = |name: &str| body.get("properties")?.get(name)?.as_str();
        let state = text("provisioningState");
        let fails = path.kind() == Kind::StaticMember && self.ends_failed(&key, &wanted);
        if path.kind() == Kind::StaticMember {
            self.had_member.insert(path.parent().key());
            if state != Some("Updating") {
                stage.set_members_at_once(true)?;
            }
        }
        write(stage, path, &id, body, fails)?;
        let times = body.get("systemData");
        let time = |name: &str| times.and_then(|times| times.get(name));
        if time("createdAt") != time("lastModifiedAt") {
            stage.advance(Until::Next).await;
            write(stage, path, &id, body, fails)?;
        }
        if path.kind() == Kind::StaticMember {
            // What is due happens on the next look.
            stage.show(path);
            stage.set_members_at_once(false)?;
        }
        if let Some(state) = text("connectionState").and_then(connection_state) {
            stage.control.force_state(&id, Some(&tenant), Some(state))?;
        }
        let word = text("connectionState").or(state).map_or_else(String::new, |word| format!(", {word}"));
        self.notes.push(format!("somebody made {}{word}: {why}", path.id()));
        self.others.insert(key, wanted);
        Ok(())
    }

    /// What somebody made is in another state now: Azure gave it, time did, or another half.
    async fn moved(&mut self, stage: &Stage, path: &ArmPath, body: &Value) -> anyhow::Result<()> {
        let text = |name: &str| body.get("properties")?.get(name)?.as_str();
        if let Some(state) = text("connectionState").and_then(connection_state) {
            stage.control.force_state(&path.id(), Some(stage.world.tenant_of(path)), Some(state))?;
            self.notes.push(format!("{} became {}", path.id(), state.as_str()));
        } else if path.kind() == Kind::StaticMember && text("provisioningState") != Some("Updating") {
            stage.advance(Until::MembersDone).await;
        }
        Ok(())
    }

    /// Whether a member of somebody else's was recorded as Failed after the write that this body shows.
    fn ends_failed(&self, key: &str, body: &Value) -> bool {
        let bodies = self.recording.exchanges.iter().filter_map(|it| it.body.as_ref());
        bodies.flat_map(|body| std::iter::once(body).chain(items(body))).any(|other| {
            let state = other.get("properties").and_then(|it| it.get("provisioningState"));
            key_of(other) == key
                && state.and_then(Value::as_str) == Some("Failed")
                && is_same_write(other, body)
        })
    }

    /// Somebody deleted this, unless the file made it.
    fn gone(&mut self, stage: &Stage, path: &ArmPath, why: &str) -> anyhow::Result<()> {
        if self.others.remove(&path.key()).is_some() {
            stage.control.delete(&path.id(), Some(stage.world.tenant_of(path)))?;
            self.notes.push(format!("somebody deleted {}: {why}", path.id()));
        }
        Ok(())
    }

    /// All items of a list that the file did not make are there, on every page, and no others.
    async fn list(&mut self, stage: &Stage, index: usize, path: &ArmPath) -> anyhow::Result<()> {
        let (all, open) = self.pages(index);
        let mut listed = BTreeSet::new();
        for item in &all {
            let Some(it) = ArmPath::from_id(item.get("id").and_then(Value::as_str).unwrap_or_default())
            else {
                continue;
            };
            if it.kind() == path.kind() && !it.is_collection() {
                listed.insert(it.key());
                self.there(stage, &it, item, "a list has it").await?;
            }
        }
        if open {
            let mut more = path.clone();
            more.names.push("zzzz-on-the-next-page".into());
            listed.insert(more.key());
            if more.kind() == path.kind() && !more.is_collection() {
                self.there(stage, &more, &least(&more), "the list goes on after what was recorded").await?;
            }
        }
        let prefix = format!("{}/", path.key());
        let scope = format!("{}/resourcegroups/", path.scope_id().to_ascii_lowercase());
        let in_list = |key: &str| {
            let direct = key.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('/'));
            let whole = path.resource_group.is_none() && key.starts_with(&scope);
            direct || (whole && path.names.is_empty())
        };
        let asked_for_some = self.recording.exchanges[index].parameter("$top").is_some();
        let vanished: Vec<ArmPath> = self
            .others
            .keys()
            .filter(|key| in_list(key) && !listed.contains(*key))
            .filter_map(|key| ArmPath::from_id(key))
            .filter(|it| it.kind() == path.kind())
            .collect();
        for it in vanished.iter().filter(|_| !asked_for_some || !open) {
            self.gone(stage, it, "a list does not have it any more")?;
        }
        let size = self.recording.exchanges[index].items().len().max(1);
        let more_pages = self.recording.exchanges[index].next_link().is_some();
        let size = if more_pages { size } else { size.max(20) };
        stage.set(&json!({"pageSize": size}))?;
        if more_pages && !asked_for_some {
            self.notes.push(format!("a page of this list has {size} items: the recorded one does"));
        }
        Ok(())
    }

    /// The items on this page and on those that follow it in the file, and whether there are more.
    pub fn pages(&self, index: usize) -> (Vec<Value>, bool) {
        let mut all = self.recording.exchanges[index].items().to_vec();
        let mut at = index;
        while let Some(link) = self.recording.exchanges[at].next_link() {
            let Some((_, path, query)) = split(link) else { return (all, true) };
            let wanted = link_of(&path, &query);
            let rest = self.recording.exchanges.iter().enumerate().skip(at + 1);
            let Some((next, exchange)) = rest.into_iter().find(|(_, it)| it.link() == wanted) else {
                return (all, true);
            };
            all.extend(exchange.items().iter().cloned());
            at = next;
        }
        (all, false)
    }

    async fn before_put(&mut self, stage: &Stage, index: usize, path: &ArmPath) -> anyhow::Result<()> {
        let exchange = &self.recording.exchanges[index];
        let key = path.key();
        if self.running.remove(&key) {
            stage.advance(Until::OperationsDone).await;
        }
        if let Some(body) = &exchange.body
            && self.own(path).is_none()
        {
            let time = |name: &str| body.get("systemData").and_then(|times| times.get(name));
            let state =
                body.get("properties").and_then(|it| it.get("connectionState")).and_then(Value::as_str);
            // A scope connection's createdAt moves with each PUT; only its state can tell.
            let old = match path.kind() {
                Kind::ScopeConnection => state.is_some_and(|state| state != "Pending"),
                _ => time("createdAt") != time("lastModifiedAt"),
            };
            if old {
                self.there(stage, path, body, "a PUT changes it").await?;
            } else if path.kind() != Kind::ScopeConnection && time("createdAt").is_some() {
                self.gone(stage, path, "a PUT makes it")?;
            }
        }
        if path.kind() == Kind::StaticMember && self.will_fail(index, &key) {
            fail(stage, path);
            self.notes.push(format!("{} will fail: it was recorded so", path.id()));
        }
        Ok(())
    }

    /// Whether the member that this PUT makes is recorded as Failed before it is made anew or goes.
    fn will_fail(&self, index: usize, key: &str) -> bool {
        for exchange in self.recording.exchanges.iter().skip(index + 1) {
            let about = ArmPath::from_request(&exchange.path).map(|path| path.key()).unwrap_or_default();
            let changes = exchange.method != "GET" && (about == key || key.starts_with(&format!("{about}/")));
            if changes {
                return false;
            }
            let body = exchange.body.as_ref();
            let bodies = body.into_iter().flat_map(|body| std::iter::once(body).chain(items(body)));
            let failed = bodies.filter(|body| key_of(body) == key).any(|body| {
                let state = body.get("properties").and_then(|it| it.get("provisioningState"));
                state.and_then(Value::as_str) == Some("Failed")
            });
            if failed {
                return true;
            }
        }
        false
    }

    /// Something lies in a manager that cannot be deleted: what the refusal names, or a group in its place.
    async fn nested(&mut self, stage: &Stage, path: &ArmPath, exchange: &Exchange) -> anyhow::Result<()> {
        let text = message(exchange).unwrap_or_default();
        let named = text.split('\'').find(|part| part.starts_with("Microsoft.Network/networkManagers/"));
        let id = named.map(|rest| {
            let group = path.resource_group.as_deref().unwrap_or_default();
            format!("{}/resourceGroups/{group}/providers/{rest}", path.scope_id())
        });
        let mut child = id.as_deref().and_then(ArmPath::from_id).unwrap_or_else(|| path.clone());
        if !matches!(child.kind(), Kind::NetworkGroup | Kind::ScopeConnection) {
            child = stand_in(path);
        }
        self.there(stage, &child, &least(&child), "its manager cannot be deleted").await
    }

    fn before_delete(&mut self, stage: &Stage, path: &ArmPath, exchange: &Exchange) -> anyhow::Result<()> {
        let accepted = exchange.status == 202;
        match path.kind() {
            Kind::NetworkManager => {
                self.gone(stage, &stand_in(path), "its manager can be deleted now")?;
                let how = if accepted { "accepted" } else { "synchronous" };
                stage.set(&json!({"managerDelete": how}))?;
                if accepted {
                    self.notes.push(format!("the delete of {} takes long: it was recorded so", path.id()));
                }
            }
            Kind::NetworkGroup if accepted && !self.had_member.contains(&path.key()) => {
                let id = format!("{}/staticMembers/before", path.id());
                let tenant = stage.world.tenant_of(path);
                if stage.show(path).is_some() {
                    stage.control.put(&id, Some(tenant), &least_member(path))?;
                    stage.control.delete(&id, Some(tenant))?;
                    self.notes.push(format!("{} had a member once: its delete takes long", path.id()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Time passes, or somebody acts, so that states can be what was recorded of things that the file made.
    async fn states(&mut self, stage: &Stage, exchange: &Exchange, path: &ArmPath) -> anyhow::Result<()> {
        let (Some(recorded), true, "GET" | "PUT") =
            (&exchange.body, exchange.is_success(), exchange.method.as_str())
        else {
            return Ok(());
        };
        let put = exchange.method == "PUT";
        let single = [recorded.clone()];
        let list = if path.is_collection() { items(recorded) } else { &single };
        for item in list {
            let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
            let Some(it) = ArmPath::from_id(id).filter(|it| self.own(it) == Some(Own::Present)) else {
                continue;
            };
            let word = |body: &Value, name: &str| {
                let word = body.get("properties").and_then(|it| it.get(name)).and_then(Value::as_str);
                word.unwrap_or_default().to_owned()
            };
            if !put {
                self.rewritten(stage, &it, item).await?;
            }
            let Some(now) = stage.show(&it) else { continue };
            match it.kind() {
                Kind::ScopeConnection | Kind::NetworkManagerConnection => {
                    let (wanted, is) = (word(item, "connectionState"), word(&now, "connectionState"));
                    self.connection(stage, &it, &now, &wanted, &is).await?;
                }
                Kind::StaticMember if !put => {
                    let done = matches!(word(item, "provisioningState").as_str(), "Succeeded" | "Failed");
                    if done && word(&now, "provisioningState") == "Updating" {
                        stage.advance(Until::MembersDone).await;
                    }
                }
                Kind::NetworkManager if !put => {
                    let done = word(item, "provisioningState") == "Succeeded";
                    if done && word(&now, "provisioningState") == "Updating" {
                        stage.advance(Until::OperationsDone).await;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn connection(
        &mut self,
        stage: &Stage,
        path: &ArmPath,
        now: &Value,
        wanted: &str,
        is: &str,
    ) -> anyhow::Result<()> {
        let tenant = stage.world.tenant_of(path).to_owned();
        let others_cause = |word: &str| matches!(word, "Conflict" | "Revoked" | "Rejected");
        let force = |state: Option<ConnectionState>| {
            stage.control.force_state(&path.id(), Some(&tenant), state).map(drop)
        };
        if wanted == is {
            return Ok(());
        }
        if others_cause(wanted) {
            if let Some(state) = connection_state(wanted) {
                force(Some(state))?;
                self.notes.push(format!("{} became {wanted}: others cause that", path.id()));
            }
            return Ok(());
        }
        if others_cause(is) {
            force(None)?;
            self.notes.push(format!("{} is {is} no more: others cause that", path.id()));
        }
        if wanted == "Connected" && is != "Connected" {
            stage.advance(Until::Paired).await;
            let shown = stage.show(path).unwrap_or_default();
            let connected = shown["properties"]["connectionState"] == "Connected";
            if !connected && self.others_may_connect(stage, path, now) {
                force(Some(ConnectionState::Connected))?;
                self.notes
                    .push(format!("the other half of {} was made, or its manager has the scope", path.id()));
            }
        }
        Ok(())
    }

    /// Whether somebody outside of the file can have brought a half to Connected: the manager is not the file's, so
    /// that its scopes are not known, or the other half lies in another tenant.
    fn others_may_connect(&self, stage: &Stage, path: &ArmPath, now: &Value) -> bool {
        let properties = &now["properties"];
        let id = |value: &Value| value.as_str().and_then(ArmPath::from_id);
        let manager = match path.kind() {
            Kind::ScopeConnection => Some(path.parent()),
            _ => id(&properties["networkManagerId"]),
        };
        let Some(manager) = manager else { return true };
        if self.own(&manager) != Some(Own::Present) {
            return true;
        }
        let other = match path.kind() {
            Kind::ScopeConnection => properties["tenantId"].as_str().unwrap_or_default().to_owned(),
            _ => stage.world.tenant_of(path).to_owned(),
        };
        !other.eq_ignore_ascii_case(stage.world.tenant_of(&manager))
    }
}

/// Makes something, or writes it anew, without being the file; a member may be one that fails.
fn write(stage: &Stage, path: &ArmPath, id: &str, body: &Value, fails: bool) -> anyhow::Result<()> {
    let tenant = stage.world.tenant_of(path);
    if !fails {
        return stage.control.put(id, Some(tenant), body).map(drop);
    }
    // A fault hits calls only.
    fail(stage, path);
    let request = Request {
        method: "PUT".into(),
        path: path.id(),
        query: "api-version=2024-05-01".into(),
        authorization: Some(format!("Bearer {}", stage.token(tenant, OWNER)?)),
        body: Bytes::from(body.to_string()),
        ..Request::default()
    };
    stage.call(&request).map(drop)
}

/// When a thing was last written by anyone but Azure itself.
fn written_at(body: &Value) -> Option<Timestamp> {
    body.get("systemData")?.get("lastModifiedAt")?.as_str()?.parse().ok()
}

/// Whether two bodies of one thing show the same write: they differ in what Azure gives, if at all.
fn is_same_write(one: &Value, other: &Value) -> bool {
    let bare = |body: &Value| {
        let mut body = body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("etag");
        }
        let properties = body.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(properties) = properties {
            properties.retain(|name, _| {
                !["connectionState", "provisioningState", "location"].contains(&name.as_str())
            });
        }
        body
    };
    bare(one) == bare(other)
}

/// Whether a manager was not deleted because something lies in it.
fn is_refused_for_children(exchange: &Exchange, path: &ArmPath) -> bool {
    let manager = path.kind() == Kind::NetworkManager && !path.is_collection();
    manager && code(exchange).as_deref() == Some("CannotDeleteResource")
}

/// The next PUT of this member makes one that fails.
fn fail(stage: &Stage, path: &ArmPath) {
    let matches =
        Match { method: Some("PUT".into()), id: Some(path.id()), times: Some(1), ..Match::default() };
    stage.control.add_fault(Fault { matches, action: Effect::FailMember.into() });
}

/// A word of the enum as the emulator's.
fn connection_state(word: &str) -> Option<ConnectionState> {
    [
        ConnectionState::Pending,
        ConnectionState::Connected,
        ConnectionState::Conflict,
        ConnectionState::Revoked,
        ConnectionState::Rejected,
    ]
    .into_iter()
    .find(|state| state.as_str() == word)
}

/// The least that a thing is, of which nothing but its existence is known.
fn least(path: &ArmPath) -> Value {
    match path.kind() {
        Kind::NetworkManager => json!({
            "location": "eastus2",
            "properties": {"networkManagerScopes": {}, "networkManagerScopeAccesses": ["Connectivity"]},
        }),
        Kind::StaticMember => least_member(path),
        _ => json!({"properties": {}}),
    }
}

/// The group that stands for a child of a manager that the emulator does not keep.
fn stand_in(manager: &ArmPath) -> ArmPath {
    let mut group = manager.clone();
    group.types.push("networkGroups".into());
    group.names.push("stands-for-a-child-of-another-type".into());
    group
}

fn least_member(within: &ArmPath) -> Value {
    let network = format!(
        "{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/before",
        within.scope_id(),
        within.resource_group.as_deref().unwrap_or("before")
    );
    json!({"properties": {"resourceId": network}})
}
