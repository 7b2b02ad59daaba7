//! The emulated Azure that a file is played on, in this process and under a clock that only the replay moves.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use avnm_emulator::azure::{Azure, Reaction};
use avnm_emulator::path::ArmPath;
use avnm_emulator::request::Request;
use avnm_emulator::world::file::WorldFile;
use avnm_emulator::{Control, Settings, Span};
use bytes::Bytes;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::precondition::{SECRET, World};
use crate::recording::Headers;

/// From a change to a half's look at it.
const PAIRING: u64 = 1_000;
/// From a member's PUT to its end.
const MEMBER: u64 = 2_000;
/// How long an accepted delete runs, and a manager's update.
const OPERATION: u64 = 10_000;

/// How far time is moved so that something that was begun is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The next exchange.
    Next,
    /// Halves have looked at each other.
    Paired,
    /// Members are done.
    MembersDone,
    /// Accepted deletes are done.
    OperationsDone,
}

/// An answer of the emulator, or a recorded one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The body, if there is one.
    pub body: Option<Value>,
}

/// The stage.
#[derive(Debug)]
pub struct Stage {
    azure: Arc<Azure>,
    /// The way behind the scenes.
    pub control: Control,
    /// What was there before the file began.
    pub world: World,
}

impl Stage {
    /// A stage with this world. The api-versions that were recorded are answered besides the emulator's own.
    pub fn new(world: World, versions: &[String]) -> anyhow::Result<Self> {
        let mut settings = Settings {
            pairing_delay_ms: Span::exactly(PAIRING),
            member_delay_ms: Span::exactly(MEMBER),
            operation_delay_ms: Span::exactly(OPERATION),
            // The replay's own pauses are not the recorded ones: it cannot tell what was too soon.
            stuck_window_ms: 0,
            ..Settings::default()
        };
        settings.api_versions.extend(versions.iter().cloned());
        let file = WorldFile::parse(&world.text)?;
        let azure = Arc::new(Azure::new(&file, settings, 1)?);
        Ok(Self { control: Control::new(azure.clone()), azure, world })
    }

    /// Moves the clock.
    pub async fn advance(&self, until: Until) {
        let ms = match until {
            Until::Next => 1,
            Until::Paired => PAIRING + 1,
            Until::MembersDone => MEMBER + 1,
            Until::OperationsDone => OPERATION + 1,
        };
        tokio::time::advance(Duration::from_millis(ms)).await;
    }

    /// Whether members that are made from here on are done at once.
    pub fn set_members_at_once(&self, at_once: bool) -> anyhow::Result<()> {
        let ms = if at_once { 0 } else { MEMBER };
        self.set(&json!({"memberDelayMs": {"min": ms, "max": ms}}))
    }

    /// Changes settings from here on.
    pub fn set(&self, patch: &Value) -> anyhow::Result<()> {
        self.control.change_settings(patch).map(drop)
    }

    /// A token, as anyone gets one.
    pub fn token(&self, tenant: &str, application: &str) -> anyhow::Result<String> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([
            ("grant_type", "client_credentials"),
            ("client_id", application),
            ("client_secret", SECRET),
            ("scope", "https://management.azure.com/.default"),
        ]);
        let request = Request {
            method: "POST".into(),
            path: format!("/{tenant}/oauth2/v2.0/token"),
            body: Bytes::from(form.finish()),
            ..Request::default()
        };
        let answer = self.call(&request)?;
        let body = answer.body.context("a sign-in without an answer")?;
        let token = body.get("access_token").and_then(Value::as_str);
        Ok(token.with_context(|| format!("sign in to {tenant}: {body}"))?.to_owned())
    }

    /// One call.
    pub fn call(&self, request: &Request) -> anyhow::Result<Seen> {
        let Reaction::Answer(answer) = self.azure.call(request) else { bail!("a call was cut off") };
        let body = match &answer.body[..] {
            [] => None,
            body => Some(serde_json::from_slice(body).context("the emulator's body")?),
        };
        let headers =
            answer.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        Ok(Seen { status: answer.status, headers, body })
    }

    /// A resource as a GET would show it now.
    pub fn show(&self, path: &ArmPath) -> Option<Value> {
        self.control.get(&path.id(), Some(self.world.tenant_of(path))).ok().flatten()
    }
}
