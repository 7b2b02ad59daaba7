//! Everything that draws, twice from one seed and once from another, also in another process.

use std::collections::HashSet;
use std::process::Command;

use avnm_entropy::repeatable;
use rand::Rng as _;

/// The seed of a run in a child process.
const SEED: &str = "AVNM_ENTROPY_SEED";

/// The order in which sets of a hundred numbers give them: two of the standard library's and two of ahash's.
fn orders() -> Vec<Vec<u32>> {
    let mut orders = Vec::new();
    for _ in 0..2 {
        orders.push((0..100).collect::<HashSet<u32>>().into_iter().collect());
        orders.push((0..100).collect::<ahash::AHashSet<u32>>().into_iter().collect());
    }
    orders
}

/// What each source gives, by its name.
fn drawn() -> Vec<(&'static str, String)> {
    let orders = orders();
    assert_ne!(orders[0], orders[2], "a set has keys of its own");
    vec![
        ("uuid", uuid::Uuid::new_v4().to_string()),
        ("sets", format!("{orders:?}")),
        ("rand", rand::rng().random::<u128>().to_string()),
        ("fastrand", fastrand::u64(..).to_string()),
        ("late uuid", uuid::Uuid::new_v4().to_string()),
    ]
}

#[test]
fn all_of_it_comes_from_the_seed_and_nothing_else_does() {
    let first = repeatable(1, drawn);
    assert_eq!(first, repeatable(1, drawn));
    for (one, other) in first.iter().zip(repeatable(2, drawn)) {
        assert_ne!(*one, other);
    }
    let unseeded = || std::thread::spawn(uuid::Uuid::new_v4).join().unwrap();
    assert_ne!(unseeded(), unseeded(), "a thread without a seed draws as ever");
}

/// An address of the process must not leak into it: the loader draws that anew.
#[test]
fn another_process_draws_the_same() {
    let run = |seed: &str| {
        let arguments = ["--exact", "a_run_in_a_process_of_its_own", "--ignored", "--nocapture"];
        let output =
            Command::new(std::env::current_exe().unwrap()).args(arguments).env(SEED, seed).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find(|line| line.contains("late uuid")).map(str::to_owned).unwrap()
    };
    let first = run("7");
    assert_eq!(first, run("7"));
    assert_ne!(first, run("8"));
}

#[test]
#[ignore = "a part of another_process_draws_the_same"]
fn a_run_in_a_process_of_its_own() {
    let seed = std::env::var(SEED).unwrap().parse().unwrap();
    println!("\n{:?}", repeatable(seed, drawn));
}

#[test]
fn a_panic_is_the_callers() {
    let panic = std::panic::catch_unwind(|| repeatable(1, || panic!("in there"))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"in there"));
}
