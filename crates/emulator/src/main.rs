//! `avnm-emulator`: the emulator as a program of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use avnm_emulator::settings::{NetworkQuotas, Quota, Quotas};
use avnm_emulator::{Emulator, Options, Settings, Span};
use clap::Parser;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Azure Resource Manager and Entra in memory, over TLS, for tests and demos of network managers across tenants.
#[derive(Debug, Parser)]
#[command(version, after_long_help = AFTER_HELP)]
struct Args {
    /// Where ARM and Entra listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,

    /// The world: tenants, subscriptions, applications, managers, networks (YAML). Without it, the how-to's world.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,

    /// Prints the default world, as a start for one's own, and ends.
    #[arg(long)]
    print_world: bool,

    /// Prints the JSON schema of the world file, for editors, and ends.
    #[arg(long)]
    print_world_schema: bool,

    /// Prints the JSON schema of the settings, each with its meaning and what it may be, and ends.
    #[arg(long)]
    print_settings_schema: bool,

    /// Writes the certificate of the generated authority here (PEM), for clients to trust.
    #[arg(long, value_name = "PATH")]
    ca_file: Option<PathBuf>,

    /// Opens the control endpoint (plain HTTP, no sign-in, loopback only unless --control-anywhere); off by default. GET / there lists its calls.
    #[arg(long, value_name = "ADDR")]
    control: Option<SocketAddr>,

    /// Lets --control listen beyond loopback, as a container's published port needs. Whoever reaches that address then
    /// reads every call and all that exists, makes calls fail, and changes everything, rights and secrets too: publish
    /// it on loopback, or to a network that is the test's own.
    #[arg(long, requires = "control")]
    control_anywhere: bool,

    /// Writes the ledger here while it runs: each call in a line of JSON, before its caller has the answer. A call that
    /// takes effect after it was cut off has a second line, with the same seq, once another one follows. It has the
    /// bodies of ARM's calls as they were sent, and no token and nothing that a caller proves itself with.
    #[arg(long, value_name = "PATH")]
    ledger_file: Option<PathBuf>,

    /// Opens the instance metadata service, which gives out tokens of the world's managedIdentities (plain HTTP, as
    /// Azure's at 169.254.169.254); off by default.
    #[arg(long, value_name = "ADDR")]
    imds: Option<SocketAddr>,

    /// Writes {"arm", "authority", "control", "imds", "ca"} as JSON here once it listens.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,

    /// A name or address for the certificate, beyond loopback and --listen; may be repeated.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,

    /// How long each half, and the manager's list, takes to notice the other: MS or MIN-MAX milliseconds.
    #[arg(long, value_name = "MS", value_parser = span, default_value = "1000-2000")]
    pairing_delay_ms: Span,

    /// How long a static member is Updating: MS or MIN-MAX milliseconds.
    #[arg(long, value_name = "MS", value_parser = span, default_value = "2000-4000")]
    member_delay_ms: Span,

    /// How long each answer is held back: MS or MIN-MAX milliseconds.
    #[arg(long, value_name = "MS", value_parser = span, default_value = "0")]
    latency_ms: Span,

    /// Items on a page of a list.
    #[arg(long, value_name = "N", default_value_t = 20)]
    page_size: usize,

    /// Throttles as ARM documents it: 250 reads (25 a second), 200 writes and 200 deletes (10 a second) at once per
    /// principal and subscription or tenant, fifteen times that per subscription. Off by default.
    #[arg(long)]
    arm_quotas: bool,

    /// Throttles as Microsoft.Network documents it: 1,000 writes and 10,000 reads in five minutes per subscription. Off
    /// by default.
    #[arg(long)]
    network_quotas: bool,

    /// Throttles Resource Graph as documented: 15 queries in 5 seconds per principal. Off by default.
    #[arg(long)]
    graph_quota: bool,

    /// Any other setting, as JSON laid over the defaults: --settings '{"consistency": {"lingerMs": {"min": 0, "max":
    /// 3000}}}'. --print-settings-schema and docs/emulator/settings.md say what each means and may be.
    #[arg(long, value_name = "JSON", value_parser = patch)]
    settings: Option<serde_json::Value>,

    /// How long an access token lives, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3_599)]
    token_life: u64,

    /// What everything drawn comes from: delays, order, GUIDs.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

const AFTER_HELP: &str = "\
One port serves both: paths that begin with /subscriptions, /providers or /tenants are ARM's, all others Entra's.

Try it:
  avnm-emulator --ca-file ca.pem --control 127.0.0.1:8444
  curl --cacert ca.pem \\
    https://127.0.0.1:8443/24680975-1234-abcd-56ef-121314ab5643/oauth2/v2.0/token \\
    -d grant_type=client_credentials -d client_id=a0a0a0a0-1111-2222-3333-444444444444 \\
    -d client_secret=emulator-secret-central -d scope=https://management.azure.com/.default
  curl http://127.0.0.1:8444/          # what can be seen and changed behind the scenes; a browser gets a page

A world of one's own:
  avnm-emulator --print-world > world.yaml
  avnm-emulator --print-world-schema > world.schema.json   # completion and checks in editors
  avnm-emulator --world world.yaml ...

Faults, by script (the second PUT of a member is done, and its answer lost):
  curl http://127.0.0.1:8444/faults -H 'content-type: application/json' -d '{
    \"match\": {\"method\": \"PUT\", \"pathContains\": \"/staticMembers/\", \"nth\": 2}, \"action\": {\"cutAfter\": true}}'

What of it is assumed and what is proven: GET /evidence there, or docs/emulator/evidence.md.
Logs go to stderr, a line for each call among them; AVNM_EMULATOR_LOG=warn is silent about calls, debug shows more.";

fn patch(text: &str) -> Result<serde_json::Value, String> {
    // Whether it makes sense shows only over the other flags.
    serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))
}

fn span(text: &str) -> Result<Span, String> {
    let number = |part: &str| part.trim().parse::<u64>().map_err(|error| format!("{part:?}: {error}"));
    match text.split_once('-') {
        None => Ok(Span::exactly(number(text)?)),
        Some((min, max)) => {
            let (min, max) = (number(min)?, number(max)?);
            if min > max { Err(format!("{min} is more than {max}")) } else { Ok(Span { min, max }) }
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        // The reasons in one line and no more: what does not fit is in the world file or the flags.
        Err(error) => {
            eprintln!("avnm-emulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    if args.print_world {
        print!("{}", avnm_emulator::world::file::DEFAULT_WORLD);
        return Ok(());
    }
    if args.print_world_schema {
        println!("{}", avnm_emulator::world::schema::text());
        return Ok(());
    }
    if args.print_settings_schema {
        println!("{}", avnm_emulator::settings::schema::text());
        return Ok(());
    }
    let filter = tracing_subscriber::EnvFilter::try_from_env("AVNM_EMULATOR_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Before anything listens: who starts us may stop us at once.
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;

    let emulator = Emulator::start(options(&args)?).await?;
    // Absolute: who reads the ready file may stand elsewhere.
    let ca_file = args.ca_file.as_ref().map(std::path::absolute).transpose().context("place the CA file")?;
    if let Some(path) = &ca_file {
        write(path, emulator.ca_pem())?;
    }
    println!("arm        {}", emulator.url());
    println!("authority  {}", emulator.authority());
    println!("control    {}", emulator.control_url().unwrap_or("off"));
    if let Some(imds) = emulator.imds_url() {
        println!("imds       {imds}");
    }
    println!(
        "ca         {}",
        ca_file.as_ref().map_or("not written".into(), |path| path.display().to_string())
    );
    if let Some(path) = &args.ready_file {
        let ready = json!({
            "arm": emulator.url(),
            "authority": emulator.authority(),
            "control": emulator.control_url(),
            "imds": emulator.imds_url(),
            "ca": ca_file,
        });
        write(path, &ready.to_string())?;
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn options(args: &Args) -> anyhow::Result<Options> {
    let world = match &args.world {
        Some(path) => Some(
            std::fs::read_to_string(path).with_context(|| format!("read world file {}", path.display()))?,
        ),
        None => None,
    };
    let settings = Settings {
        pairing_delay_ms: args.pairing_delay_ms,
        member_delay_ms: args.member_delay_ms,
        latency_ms: args.latency_ms,
        page_size: args.page_size,
        token_life_seconds: args.token_life,
        quotas: if args.arm_quotas { Quotas::arm() } else { Quotas::default() },
        network_quotas: if args.network_quotas {
            NetworkQuotas::documented()
        } else {
            NetworkQuotas::default()
        },
        graph_quota: args.graph_quota.then_some(Quota::GRAPH),
        ..Settings::default()
    };
    let settings = match &args.settings {
        Some(patch) => settings.merged(patch).context("--settings")?,
        None => settings,
    };
    Ok(Options {
        listen: args.listen,
        control: args.control,
        control_anywhere: args.control_anywhere,
        ledger_file: args.ledger_file.clone(),
        imds: args.imds,
        names: args.names.clone(),
        world,
        world_name: args
            .world
            .as_ref()
            .map_or("world file".into(), |it| format!("world file {}", it.display())),
        settings,
        seed: args.seed,
    })
}

/// Writes a file so that who waits for it never sees half of it.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let put = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path));
    put.with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_one_number_or_two() {
        assert_eq!(span("5"), Ok(Span::exactly(5)));
        assert_eq!(span("1-2"), Ok(Span { min: 1, max: 2 }));
        assert!(span("2-1").is_err());
        assert!(span("x").is_err());
    }

    #[test]
    fn the_flags_are_well_formed() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
