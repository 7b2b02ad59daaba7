//! The first run of a process is like the later ones: nothing that is drawn once for a process is drawn from a run's seed.
//! Alone in its binary, so that no other test runs before.

use avnm_arm::clock::Wall;
use avnm_arm::{Material, SecretString};
use avnm_in_process::Azure;

#[test]
fn the_first_run_draws_what_the_second_draws() {
    let run = || {
        let _wall = Wall::start("2026-01-31T12:00:00Z".parse().unwrap());
        let azure = Azure::start(&avnm_emulator::Options::instant(), avnm_arm::clock::now()).unwrap();
        let fingerprint = Material::ClientSecret(SecretString::from("secret")).fingerprint();
        drop(azure);
        (fingerprint, uuid::Uuid::new_v4())
    };
    assert_eq!(avnm_entropy::repeatable(1, run), avnm_entropy::repeatable(1, run));
}
