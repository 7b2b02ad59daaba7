//! The emulator alone: how many calls it takes, and what many members cost it. It must never be what is measured
//! elsewhere.

use std::time::Duration;

use anyhow::{Context as _, Result};
use avnm_launcher::{Emulator, EmulatorOptions, Run, run};
use serde_json::{Value, json};

use super::figure::{Figures, Unit};
use super::load::Target;
use super::{process, programs, world};

/// Static members in the world.
const MEMBERS: usize = 10_000;
/// How long each load lasts.
const TIME: Duration = Duration::from_secs(2);
/// Connections at once, few and many.
const CONNECTIONS: [usize; 2] = [1, 32];
/// The design's aim, in calls per second.
const AIM: &str = "10,000/s";

/// All of it.
pub(crate) async fn measure() -> Result<Figures> {
    let empty = start("emulator-empty", 0).await?;
    let without = process::memory(empty.pid())?;
    drop(empty);
    let emulator = start("emulator-members", MEMBERS).await?;
    let with = process::memory(emulator.pid())?;
    let mut figures = Figures::default();
    figures.bytes("resident memory without members", without.now, "");
    figures.bytes("with 10,000 members and their networks", with.now, "");

    let target = Target::new(emulator.arm(), emulator.ca_file())?;
    let token = token(&target).await?;
    let body =
        json!({"properties": {"networkManagerId": world::manager(), "description": "bench"}}).to_string();
    let connection =
        format!("{}/providers/Microsoft.Network/networkManagerConnections/bench", world::subscription(0));
    let loads = [
        ("GET of a member", request("GET", &world::member_id(7, 1), &token.central, "")),
        (
            "LIST of members, 20 a page",
            request("GET", &format!("{}/staticMembers", world::group(0)), &token.central, ""),
        ),
        ("PUT of a connection", request("PUT", &connection, &token.target, &body)),
    ];
    for (name, request) in loads {
        for connections in CONNECTIONS {
            let cpu = process::cpu(emulator.pid())?;
            let rate = target.per_second(&request, connections, TIME).await.context(name)?;
            let cpu = process::cpu(emulator.pid())?.saturating_sub(cpu);
            let over = if connections == 1 {
                "1 connection".to_owned()
            } else {
                format!("{connections} connections")
            };
            figures.add(format!("{name}, {over}"), Unit::PerSecond, rate, AIM);
            let cores = cpu.as_secs_f64() / TIME.as_secs_f64();
            figures.add(format!("{name}, {over}: the emulator's CPU"), Unit::Cores, cores, "");
        }
    }
    let after = process::memory(emulator.pid())?;
    figures.bytes("resident memory after that, with a full ledger", after.now, "");
    Ok(figures)
}

async fn start(name: &str, members: usize) -> Result<Emulator> {
    eprintln!("bench: {name}: starting");
    let folder = Run::under(&run::target_dir().join("bench").join(name))?;
    let mut azure = world::azure(1, members.max(1), 1);
    azure["resources"] = (0..members).map(resource).collect();
    let file = folder.dir().join("world.yaml");
    std::fs::write(&file, azure.to_string()).with_context(|| format!("write {}", file.display()))?;
    let extra_args = ["--pairing-delay-ms=0", "--member-delay-ms=0", "--token-life=7200"];
    let options = EmulatorOptions {
        program: Some(programs::emulator()),
        world: Some(file),
        extra_args: extra_args.map(String::from).into(),
        env: vec![("AVNM_EMULATOR_LOG".into(), "warn".into())],
        ..EmulatorOptions::default()
    };
    Emulator::start(folder.dir(), &options).await
}

fn resource(n: usize) -> Value {
    json!({
        "id": world::member_id(n, 1),
        "properties": {"resourceId": world::network(n)},
    })
}

struct Tokens {
    central: String,
    target: String,
}

async fn token(target: &Target) -> Result<Tokens> {
    let sign_in = async |tenant: &str| -> Result<String> {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fmanagement.azure.com%2F.default",
            world::APP,
            world::SECRET
        );
        let request = format!(
            "POST /{tenant}/oauth2/v2.0/token HTTP/1.1\r\nhost: bench\r\ncontent-type: \
             application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        );
        let answer: Value =
            serde_json::from_str(&target.once(&request).await?).context("read the token's answer")?;
        Ok(answer["access_token"].as_str().context("find the token")?.to_owned())
    };
    Ok(Tokens { central: sign_in(world::CENTRAL).await?, target: sign_in(world::TARGET).await? })
}

fn request(method: &str, id: &str, token: &str, body: &str) -> String {
    let entity = if body.is_empty() {
        String::new()
    } else {
        format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
    };
    format!(
        "{method} {id}?api-version=2024-05-01 HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n{entity}\r\n{body}"
    )
}
