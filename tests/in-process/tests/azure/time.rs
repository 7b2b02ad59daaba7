//! Simulated days, and a wall clock that steps.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::stage::{Stage, central, found, manager, start};

/// A token is refreshed ahead, and its life has nothing to do with what the machine's own clock says.
#[tokio::test(start_paused = true)]
async fn a_day_of_calls_signs_in_once_in_an_hour() {
    let stage = Stage::instant();
    for _ in 0..24 * 60 {
        found(stage.arm.get_manager(&central(), &manager()).await);
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    // A life of 3599 s, of which four fifths are used.
    assert_eq!(stage.sign_ins(), 30);
    assert_eq!(stage.elapsed(), Duration::from_secs(24 * 3600));
    let time: Timestamp = stage.azure.control().state()["time"].as_str().unwrap().parse().unwrap();
    assert_eq!(time, start() + SignedDuration::from_hours(24));
}

/// Whoever corrects the machine's time takes no token out of use, and keeps none in use that has ended.
#[rstest]
#[case::ahead(86_400)]
#[case::back(-86_400)]
#[tokio::test(start_paused = true)]
async fn a_token_outlives_a_step_of_the_wall_clock(#[case] seconds: i64) {
    let stage = Stage::instant();
    stage.wall.step(SignedDuration::from_secs(seconds));
    let token = stage.arm.tokens().check(&central(), false).await.unwrap();
    let life = token.expires.duration_since(avnm_arm::clock::now());
    assert!((3590..=3600).contains(&life.as_secs()), "{life}");
    stage.wall.step(SignedDuration::from_secs(-2 * seconds));
    for _ in 0..47 {
        found(stage.arm.get_manager(&central(), &manager()).await);
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert_eq!(stage.sign_ins(), 1);
}
