//! How fast it is: enough for thousands of lifecycles.

use std::time::Instant;

use avnm_emulator::Options;

use crate::stage::{Stage, central, found, manager, start};

/// Prints what a start, a sign-in and a call cost.
#[test]
#[ignore = "a measurement: cargo test -p avnm-in-process --release -- --ignored --nocapture speed"]
#[allow(clippy::disallowed_methods, reason = "it measures real time")]
fn speed() {
    const STARTS: u32 = 200;
    const SIGN_INS: u32 = 2000;
    const CALLS: u32 = 20_000;
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let timed = |what: &str, count: u32, since: Instant| {
        let each = since.elapsed() / count;
        println!("{what}: {each:?} each, {:.0} a second", 1.0 / each.as_secs_f64());
        each
    };
    let since = Instant::now();
    for _ in 0..STARTS {
        runtime().block_on(async { avnm_in_process::Azure::start(&Options::instant(), start()).unwrap() });
    }
    timed("start", STARTS, since);
    runtime().block_on(async {
        let stage = Stage::instant();
        let since = Instant::now();
        for _ in 0..SIGN_INS {
            stage.arm.tokens().check(&central(), true).await.unwrap();
        }
        timed("sign-in", SIGN_INS, since);
        let since = Instant::now();
        for _ in 0..CALLS {
            found(stage.arm.get_manager(&central(), &manager()).await);
        }
        let each = timed("call", CALLS, since);
        assert!(each.as_micros() < 1000, "a thousand calls a second are the least");
    });
}
