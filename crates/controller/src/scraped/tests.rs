use std::{sync::Arc, time::Duration};

use avnm_arm::clock;
use axum::{body::Body, http::Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower_service::Service as _;

use super::{
    Reviews, routes,
    verdicts::{Verdict, Verdicts},
};
use crate::{
    metrics::Metrics,
    recorded::{self, Asked, Recorded, refusal},
};

/// An API server that knows two tokens; one of them may.
fn knows(asked: &Asked) -> (u16, Value) {
    let spec = &asked.body["spec"];
    let mut answer = asked.body.clone();
    answer["status"] = match asked.path.rsplit('/').next() {
        Some("tokenreviews") => match spec["token"].as_str() {
            Some(name @ ("reader" | "other")) => {
                json!({"authenticated": true, "user": {"username": name, "uid": "u", "groups": ["g"], "extra": {"k": ["v"]}}})
            }
            // What it says beside "no" must not count.
            _ => json!({"authenticated": false, "user": {"username": "reader"}}),
        },
        Some("subjectaccessreviews") => {
            let wanted = json!({"path": "/metrics", "verb": "get"});
            let whole =
                spec["uid"] == "u" && spec["groups"] == json!(["g"]) && spec["extra"] == json!({"k": ["v"]});
            json!({"allowed": spec["user"] == "reader" && whole && spec["nonResourceAttributes"] == wanted})
        }
        _ => return refusal(404, "NotFound", &asked.path),
    };
    (201, answer)
}

async fn scraped(router: &axum::Router, authorization: Option<&str>) -> (u16, String) {
    let mut request = Request::get("/metrics");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let answer = router.clone().call(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn served(
    answer: impl Fn(&Asked) -> (u16, Value) + Clone + Send + Sync + 'static,
) -> (axum::Router, Recorded) {
    let (client, recorded) = recorded::client(answer);
    (routes(Arc::default(), Some(Reviews::new(client))), recorded)
}

#[tokio::test]
async fn who_may_reads_and_nobody_else_does() {
    let (router, _) = served(knows);
    for (authorization, status) in [
        (None, 401),
        (Some("Bearer"), 401),
        (Some("Bearer "), 401),
        (Some("Basic reader"), 401),
        (Some("Bearer nobody"), 401),
        (Some("Bearer other"), 403),
        (Some("Bearer reader"), 200),
        (Some("bearer reader"), 200),
    ] {
        let (answered, text) = scraped(&router, authorization).await;
        assert_eq!(answered, status, "{authorization:?}: {text}");
        assert_eq!(text.contains("avnm_build_info"), status == 200, "{authorization:?}: {text}");
    }
    let long = format!("Bearer {}", "a".repeat(Reviews::TOKEN_MAX + 1));
    assert_eq!(scraped(&router, Some(&long)).await.0, 401);
}

#[tokio::test]
async fn without_reviews_everybody_reads() {
    let router = routes(Arc::<Metrics>::default(), None);
    assert_eq!(scraped(&router, None).await.0, 200);
}

#[tokio::test]
async fn an_api_server_that_does_not_say_lets_nobody_in_and_is_asked_again() {
    for (what, code) in [("tokenreviews", 500), ("tokenreviews", 403), ("subjectaccessreviews", 503)] {
        let (router, recorded) =
            served(
                move |asked| {
                    if asked.path.ends_with(what) { refusal(code, "Refused", "away") } else { knows(asked) }
                },
            );
        for _ in 0..2 {
            assert_eq!(scraped(&router, Some("Bearer reader")).await.0, 503, "{what} {code}");
        }
        let asked = recorded.all().iter().filter(|asked| asked.path.ends_with(what)).count();
        assert_eq!(asked, 2, "a failure is no verdict");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_counts_for_a_while() {
    let (router, recorded) = served(knows);
    for (token, seconds) in [("reader", 60), ("nobody", 10)] {
        let authorization = format!("Bearer {token}");
        let before = recorded.all().len();
        scraped(&router, Some(&authorization)).await;
        let first = recorded.all().len() - before;
        tokio::time::advance(Duration::from_secs(seconds - 1)).await;
        scraped(&router, Some(&authorization)).await;
        assert_eq!(recorded.all().len(), before + first, "{token}: asked again too soon");
        tokio::time::advance(Duration::from_secs(2)).await;
        scraped(&router, Some(&authorization)).await;
        assert_eq!(recorded.all().len(), before + 2 * first, "{token}: not asked again");
    }
}

#[test]
fn tokens_that_are_made_up_push_out_none_that_is_allowed() {
    let now = clock::instant();
    let mut verdicts = Verdicts::default();
    let token = |number: usize, kind: u8| {
        let mut digest = [kind; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    };
    verdicts.put(token(0, 1), Verdict::Allowed, now);
    for number in 0..2_000 {
        let verdict = if number % 2 == 0 { Verdict::Unknown } else { Verdict::Forbidden };
        verdicts.put(token(number, 2), verdict, now + Duration::from_millis(1));
        assert!(verdicts.len() <= Verdicts::MOST);
    }
    assert_eq!(verdicts.get(&token(0, 1), now), Some(Verdict::Allowed));
    for number in 1..1_000 {
        verdicts.put(token(number, 1), Verdict::Allowed, now + Duration::from_secs(1));
        assert!(verdicts.len() <= Verdicts::MOST);
    }
    verdicts.put(token(7, 2), Verdict::Unknown, now + Duration::from_secs(1));
    assert_eq!(verdicts.get(&token(7, 2), now), None, "all places are taken by who may");
    assert_eq!(verdicts.get(&token(999, 1), now), Some(Verdict::Allowed));
}
