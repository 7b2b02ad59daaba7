//! The server in this process answers as the real one was recorded to: `same-answers --bless` records it.

use std::sync::Arc;

use avnm_loop::{
    api_server::{self, ApiServer, NoHook, Options},
    same_answers::{self, normalise::normalise, play::play, sequences},
};

#[tokio::test(start_paused = true)]
async fn every_sequence_is_answered_as_the_real_server_answers_it() {
    let mut told = Vec::new();
    for sequence in sequences::all() {
        let start = "2026-01-01T00:00:00Z".parse().unwrap();
        let options = Options {
            clock: api_server::going_from(start),
            seed: 1,
            sign: api_server::unsigned(),
            hook: Arc::new(NoHook),
        };
        let server = ApiServer::with_our_kinds(options).unwrap();
        let ours = normalise(play(&server.client("script/1.0"), &sequence).await.unwrap());
        let real = same_answers::read(sequence.name).unwrap();
        assert!(real.len() > 10, "{}: {} answers are recorded", sequence.name, real.len());
        told.extend(
            same_answers::compare(&real, &ours).iter().map(|line| format!("{}: {line}", sequence.name)),
        );
    }
    assert!(told.is_empty(), "{} differences:\n{}", told.len(), told.join("\n"));
}
