//! The emulator alone: how many calls it takes, and what many members cost it. It must never be what is measured
//! elsewhere.

use std::time::Duration;

use anyhow::{Context as _, Result};
use avnm_launcher::{Emulator, EmulatorOptions, Run, run};
use serde_json::{Value, json};

use super::load::Target;
use super::table::{Table, mega_bytes};
use super::{process, program, world};

/// Static members in the world.
const MEMBERS: usize = 10_000;
/// How long each load lasts.
const TIME: Duration = Duration::from_secs(5);
/// Connections at once, few and many.
const CONNECTIONS: [usize; 2] = [1, 32];
/// The design's aim, in calls per second.
const AIM: &str = "10,000/s";

/// All of it.
pub(crate) async fn measure(table: &mut Table) -> Result<()> {
    let empty = start("emulator-empty", 0).await?;
    let without = process::memory(empty.pid())?;
    drop(empty);
    let emulator = start("emulator-members", MEMBERS).await?;
    let with = process::memory(emulator.pid())?;
    table.section("memory of the emulator");
    table.row("without members", mega_bytes(without.now), "");
    table.row("with 10,000 members and their networks", mega_bytes(with.now), "");

    let target = Target::new(emulator.arm(), emulator.ca_file())?;
    let token = token(&target).await?;
    let member = format!("{}/staticMembers/{}", world::group(), world::member_name(7));
    let body =
        json!({"properties": {"networkManagerId": world::manager(), "description": "bench"}}).to_string();
    let connection =
        format!("{}/providers/Microsoft.Network/networkManagerConnections/bench", world::subscription(0));
    let loads = [
        ("GET of a member", request("GET", &member, &token.central, "")),
        (
            "LIST of members, 20 a page",
            request("GET", &format!("{}/staticMembers", world::group()), &token.central, ""),
        ),
        ("PUT of a connection", request("PUT", &connection, &token.target, &body)),
    ];
    for (name, request) in loads {
        table.section(&format!("{name}, over TLS on loopback"));
        for connections in CONNECTIONS {
            let cpu = process::cpu(emulator.pid())?;
            let rate = target.per_second(&request, connections, TIME).await.context(name)?;
            let cpu = process::cpu(emulator.pid())?.saturating_sub(cpu);
            let figure = format!("{connections} connections");
            let share = cpu.as_secs_f64() / TIME.as_secs_f64();
            table.row(&figure, format!("{rate:.0}/s at {share:.2} cores of its own"), AIM);
        }
    }
    let after = process::memory(emulator.pid())?;
    table.section("memory of the emulator after that, with a ledger of 100,000 calls");
    table.row("now", mega_bytes(after.now), "");
    Ok(())
}

async fn start(name: &str, members: usize) -> Result<Emulator> {
    eprintln!("bench: {name}: starting");
    let folder = Run::under(&run::target_dir().join("bench").join(name))?;
    let mut azure = world::azure(1, members.max(1));
    azure["resources"] = (0..members).map(resource).collect();
    let file = folder.dir().join("world.yaml");
    std::fs::write(&file, azure.to_string()).with_context(|| format!("write {}", file.display()))?;
    let extra_args = [
        "--pairing-delay-ms=0",
        "--member-delay-ms=0",
        "--token-life=7200",
        r#"--settings={"ledgerLimit": 100000}"#,
    ];
    let options = EmulatorOptions {
        program: Some(program("avnm-emulator")),
        world: Some(file),
        extra_args: extra_args.map(String::from).into(),
        ..EmulatorOptions::default()
    };
    Emulator::start(folder.dir(), &options).await
}

fn resource(n: usize) -> Value {
    json!({
        "id": format!("{}/staticMembers/{}", world::group(), world::member_name(n)),
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
