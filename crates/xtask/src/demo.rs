//! `cargo xtask demo`: from `kubectl apply` to Connected and back, on a real API server, with Azure emulated.

mod azure;
mod env;
mod objects;
mod screen;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use avnm_launcher::clock::Stopwatch;
use avnm_launcher::control_plane::{ControlPlane, Options};
use avnm_launcher::{
    Emulator, EmulatorOptions, Look, Operator, OperatorOptions, Run, run, told_to_stop, wait_until,
};

use crate::prepare::{self, Profile};
use screen::Screen;

/// What is applied, and what the reader is told to look at.
const QUICKSTART: &str = "docs/examples/quickstart";
/// The namespace of the quickstart.
pub(crate) const NAMESPACE: &str = "network-hub";
/// How long the objects may take to be Ready.
const UNTIL_READY: Duration = Duration::from_secs(90);
/// How long they may take to be gone. A connection half is gone after three looks, three seconds apart.
const UNTIL_GONE: Duration = Duration::from_secs(90);
/// How often the table is drawn.
const REFRESH: Duration = Duration::from_millis(150);

/// The arguments of the demo.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave everything up until Ctrl-C, and write target/demo/env to be sourced by another shell.
    #[arg(long)]
    keep: bool,
}

/// What is up, dropped from the top: the operator before its Azure, both before the API server.
struct Stage {
    operator: Operator,
    emulator: Emulator,
    cluster: ControlPlane,
}

/// Builds, shows, cleans up.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let watch = Stopwatch::start();
    heading("1. build what is not there yet");
    prepare::build(Profile::Debug)?;
    let runtime = tokio::runtime::Runtime::new().context("start the runtime of the demo")?;
    let kept = Cell::new(false);
    let code = runtime.block_on(async {
        tokio::select! {
            shown = show(args, watch, &kept) => shown.map(|()| ExitCode::SUCCESS),
            // To be told to stop is how a demo that is kept up ends well.
            () = told_to_stop() => Ok(if kept.get() { ExitCode::SUCCESS } else { ExitCode::from(130) }),
        }
    });
    // The show has been dropped, and with it every process that it started.
    println!("\nnothing is left running");
    code
}

async fn show(args: &Args, watch: Stopwatch, kept: &Cell<bool>) -> Result<()> {
    let folder = Run::under(&run::target_dir().join("demo"))?;
    let stage = set_up(folder.dir(), &folder).await?;
    let told = tell(args, &stage, kept).await;
    if told.is_err() {
        eprintln!("\nthe operator's log ends:\n{}", stage.operator.log_tail(30));
        eprintln!("all logs: {}", folder.dir().display());
    }
    told?;
    stage.operator.stop().await?;
    println!("\ndone in {:.0} s", watch.elapsed().as_secs_f64());
    Ok(())
}

async fn set_up(dir: &Path, folder: &Run) -> Result<Stage> {
    heading("2. start");
    // No controller manager: no namespace is deleted here, and it would be one program more to build.
    let options = Options { controller_manager: false, ..Options::default() };
    let cluster = ControlPlane::start(folder, &options).await?;
    println!("etcd and kube-apiserver   ready after {:.1} s", cluster.ready_after().as_secs_f64());
    let emulator = Emulator::start(dir, &EmulatorOptions::default()).await?;
    println!("emulated Azure            {}", emulator.arm());
    let kubeconfig = cluster.install().await?;
    println!("deploy/crds.yaml and deploy/rbac.yaml applied");
    let operator = Operator::start(dir, OperatorOptions::new(&kubeconfig, &emulator)).await?;
    operator.wait_ready(Duration::from_secs(30)).await?;
    println!(
        "avnm-operator             process {}, as ServiceAccount avnm-system/avnm-operator",
        operator.pid()
    );
    Ok(Stage { operator, emulator, cluster })
}

async fn tell(args: &Args, stage: &Stage, kept: &Cell<bool>) -> Result<()> {
    heading(&format!("3. kubectl apply -f {QUICKSTART}/"));
    let path = run::workspace_dir().join(QUICKSTART);
    print!("{}", stage.cluster.kubectl().apply_path(&path).await?);

    heading("4. until all are Ready");
    let watch = Stopwatch::start();
    let mut screen = Screen::new();
    follow(stage, &mut screen, watch, UNTIL_READY, "every object to be Ready", |objects| {
        !objects.is_empty() && objects.iter().all(objects::Object::is_ready)
    })
    .await?;
    println!("all Ready after {:.1} s", watch.elapsed().as_secs_f64());

    heading("5. what their conditions say");
    for object in objects::list(&stage.cluster).await? {
        print!("{}", object.conditions());
    }

    heading("6. what Azure says");
    let state = stage.emulator.control().state().await?;
    print!("{}", azure::summary(&state));

    if args.keep {
        return keep(stage, kept).await;
    }

    heading("7. delete all of it at once");
    let before = azure::last_call(&stage.emulator.control().ledger(0).await?);
    let kinds = objects::KINDS.map(|kind| kind.resource).join(",");
    let args = ["-n", NAMESPACE, "delete", &kinds, "--all", "--wait=false"];
    print!("{}", stage.cluster.kubectl().run(&args, None).await?);
    let watch = Stopwatch::start();
    let mut screen = Screen::new();
    follow(stage, &mut screen, watch, UNTIL_GONE, "every object to be gone", <[objects::Object]>::is_empty)
        .await?;
    println!("all gone after {:.1} s", watch.elapsed().as_secs_f64());

    heading("8. the order in which Azure was asked to delete");
    print!("{}", azure::deletes(&stage.emulator.control().ledger(before).await?));
    let state = stage.emulator.control().state().await?;
    let left = azure::left_over(&state);
    if !left.is_empty() {
        bail!("delete the quickstart: Azure still holds {}", left.join(", "));
    }
    println!("Azure holds none of it any more");
    Ok(())
}

/// Draws the objects until `done`.
async fn follow(
    stage: &Stage,
    screen: &mut Screen,
    watch: Stopwatch,
    deadline: Duration,
    what: &str,
    done: impl Fn(&[objects::Object]) -> bool,
) -> Result<()> {
    let (done, screen) = (&done, RefCell::new(screen));
    let look = || async {
        let objects = objects::list(&stage.cluster).await?;
        screen.borrow_mut().show(watch.elapsed(), &objects);
        Ok(if done(&objects) {
            Look::Done(())
        } else {
            Look::NotYet(objects.iter().map(objects::Object::conditions).collect())
        })
    };
    wait_until(deadline, REFRESH, look, what).await
}

/// Never ends by itself.
async fn keep(stage: &Stage, kept: &Cell<bool>) -> Result<()> {
    let file = env::write(&stage.cluster, &stage.emulator)?;
    heading("7. yours, until Ctrl-C");
    print!("{}", env::things_to_try(&file, &azure::connection_ids(&stage.emulator.control().state().await?)));
    kept.set(true);
    std::future::pending().await
}

fn heading(text: &str) {
    println!("\n== {text}");
}
