use avnm_api::{ClusterTenantCredential, StaticMember};
use axum::http::Method;
use kube::Client;
use serde_json::{Value, json};

use super::*;
use crate::recorded::{self, Asked, Recorded};

/// An API server that takes every event.
fn taking() -> (Client, Recorded) {
    recorded::client(|asked| (200, asked.body.clone()))
}

fn member(name: &str, uid: &str) -> StaticMember {
    let object = json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember",
        "metadata": {"name": name, "namespace": "team-a", "uid": uid},
        "spec": {"networkGroupId": "", "resourceId": ""},
    });
    serde_json::from_value(object).expect("a member")
}

fn corrected(note: &str) -> Happening {
    Happening::normal(avnm_plan::event::Event::DriftCorrected, "Correct", note)
}

fn created(recorded: &Recorded) -> Vec<Asked> {
    recorded.all().into_iter().filter(|asked| asked.method == Method::POST).collect()
}

fn patched(recorded: &Recorded) -> Vec<Asked> {
    recorded.all().into_iter().filter(|asked| asked.method == Method::PATCH).collect()
}

fn notes(asked: &[Asked]) -> Vec<&Value> {
    asked.iter().map(|asked| &asked.body["note"]).collect()
}

#[tokio::test]
async fn two_notes_of_one_reason_are_two_events() {
    let (client, recorded) = taking();
    let events = Events::new(client, "one");
    let member = member("a", "u-1");
    events.tell(&member, &corrected("description: was b")).await;
    events.tell(&member, &corrected("tenantId: was c")).await;
    let created = created(&recorded);
    assert_eq!(notes(&created), ["description: was b", "tenantId: was c"], "{:?}", recorded.all());
    assert_ne!(created[0].body["metadata"]["name"], created[1].body["metadata"]["name"]);
}

#[tokio::test]
async fn an_event_says_what_who_and_about_what() {
    let (client, recorded) = taking();
    Events::new(client, "pod-1").tell(&member("a", "u-1"), &corrected("description: was b")).await;
    let created = created(&recorded);
    assert_eq!(created.len(), 1);
    assert_eq!(created[0].path, "/apis/events.k8s.io/v1/namespaces/team-a/events");
    let body = &created[0].body;
    let said = json!({
        "type": body["type"], "reason": body["reason"], "action": body["action"], "note": body["note"],
        "reportingController": body["reportingController"], "reportingInstance": body["reportingInstance"],
    });
    let wanted = json!({
        "type": "Normal", "reason": "DriftCorrected", "action": "Correct", "note": "description: was b",
        "reportingController": "avnm.dev/operator", "reportingInstance": "pod-1",
    });
    assert_eq!(said, wanted);
    let regarding = &body["regarding"];
    assert_eq!(
        (&regarding["kind"], &regarding["name"], &regarding["namespace"], &regarding["uid"]),
        (&json!("StaticMember"), &json!("a"), &json!("team-a"), &json!("u-1"))
    );
    assert!(body["eventTime"].is_string(), "{body}");
    assert!(body["series"].is_null(), "{body}");
}

#[tokio::test]
async fn the_same_again_is_a_series_of_one_event() {
    let (client, recorded) = taking();
    let events = Events::new(client, "one");
    let member = member("a", "u-1");
    for _ in 0..3 {
        events.tell(&member, &corrected("description: was b")).await;
    }
    let (created, patched) = (created(&recorded), patched(&recorded));
    assert_eq!((created.len(), patched.len()), (1, 2));
    let name = created[0].body["metadata"]["name"].as_str().expect("it has a name");
    for (patch, count) in patched.iter().zip([2, 3]) {
        assert!(patch.path.ends_with(&format!("/namespaces/team-a/events/{name}")), "{}", patch.path);
        assert_eq!(patch.body["series"]["count"], json!(count));
        assert!(patch.body["series"]["lastObservedTime"].is_string());
        assert_eq!(patch.body.as_object().map(serde_json::Map::len), Some(1), "nothing else: {}", patch.body);
    }
}

#[tokio::test]
async fn another_object_action_or_type_is_another_event() {
    let (client, recorded) = taking();
    let events = Events::new(client, "one");
    let happening = corrected("description: was b");
    events.tell(&member("a", "u-1"), &happening).await;
    events.tell(&member("a", "u-2"), &happening).await;
    events.tell(&member("a", "u-1"), &Happening { action: "Adopt", ..happening.clone() }).await;
    events.tell(&member("a", "u-1"), &Happening { warning: true, ..happening }).await;
    assert_eq!(created(&recorded).len(), 4);
    assert!(patched(&recorded).is_empty());
}

#[tokio::test]
async fn any_name_of_an_object_gives_a_valid_name_of_an_event() {
    let (client, recorded) = taking();
    let events = Events::new(client, "one");
    // The longest name that there is, and one that would be cut after a dot.
    let dotted = format!("{}.{}", "a".repeat(225), "b".repeat(27));
    let dashed = format!("{}-{}", "a".repeat(226), "-".repeat(25) + "b");
    for name in ["a".repeat(253), dotted, dashed, "short.name-1".to_owned()] {
        events.tell(&member(&name, &name), &corrected("x")).await;
    }
    let created = created(&recorded);
    assert_eq!(created.len(), 4);
    for asked in &created {
        let name = asked.body["metadata"]["name"].as_str().expect("it has a name");
        assert!(name.len() <= 253, "{} bytes: {name}", name.len());
        let label = |label: &str| {
            let edges = label.starts_with(|c: char| c.is_ascii_alphanumeric())
                && label.ends_with(|c: char| c.is_ascii_alphanumeric());
            edges && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        assert!(name.split('.').all(label), "not a DNS subdomain: {name}");
    }
    let short = created[3].body["metadata"]["name"].as_str().unwrap_or_default();
    assert!(short.starts_with("short.name-1."), "{short}");
}

#[tokio::test]
async fn what_is_said_fits_the_bounds_of_the_api() {
    let (client, recorded) = taking();
    let events = Events::new(client, &"ä".repeat(200));
    let member = member("a", "u-1");
    let whole = "x".repeat(1024);
    events.tell(&member, &corrected(&whole)).await;
    events.tell(&member, &corrected(&format!("{whole}x"))).await;
    // Each character has two bytes and the cut falls into one of them.
    events.tell(&member, &corrected(&format!("x{}", "ä".repeat(2000)))).await;
    events.tell(&member, &corrected("one\ntwo")).await;
    let created = created(&recorded);
    let note = |at: usize| created[at].body["note"].as_str().expect("it has a note");
    assert_eq!(note(0), whole);
    assert_eq!(note(1).len(), 1024, "as much as fits");
    assert!(note(1).ends_with("x…"), "{}", note(1));
    assert!((1022..=1024).contains(&note(2).len()), "{} bytes", note(2).len());
    assert!(note(2).ends_with("ä…"));
    assert_eq!(note(3), "one two");
    let instance = created[0].body["reportingInstance"].as_str().expect("it has an instance");
    assert!(instance.len() <= 128, "{} bytes", instance.len());
}

#[tokio::test]
async fn events_of_what_has_no_namespace_go_to_default() {
    let (client, recorded) = taking();
    let object = json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "ClusterTenantCredential",
        "metadata": {"name": "central", "uid": "u-1"},
        "spec": {"tenantId": "", "clientId": ""},
    });
    let object: ClusterTenantCredential = serde_json::from_value(object).expect("a credential");
    Events::new(client, "one").tell(&object, &corrected("x")).await;
    let created = created(&recorded);
    assert_eq!(created.len(), 1);
    assert_eq!(created[0].path, "/apis/events.k8s.io/v1/namespaces/default/events");
    assert!(created[0].body["regarding"]["namespace"].is_null(), "{}", created[0].body);
}

#[tokio::test]
async fn an_event_that_is_gone_is_written_anew() {
    let (client, recorded) = recorded::client(|asked| match asked.method {
        Method::PATCH => recorded::refusal(404, "NotFound", "not found"),
        _ => (200, asked.body.clone()),
    });
    let events = Events::new(client, "one");
    let member = member("a", "u-1");
    events.tell(&member, &corrected("x")).await;
    events.tell(&member, &corrected("x")).await;
    let created = created(&recorded);
    assert_eq!((created.len(), patched(&recorded).len()), (2, 1));
    assert_ne!(created[0].body["metadata"]["name"], created[1].body["metadata"]["name"]);
}

#[tokio::test]
async fn what_was_refused_is_no_error_and_begins_no_series() {
    let ending = "unable to create new content in namespace team-a because it is being terminated";
    let (client, recorded) = recorded::client(move |_| recorded::refusal(403, "Forbidden", ending));
    let events = Events::new(client, "one");
    let member = member("a", "u-1");
    events.tell(&member, &corrected("x")).await;
    events.tell(&member, &corrected("x")).await;
    assert_eq!((created(&recorded).len(), patched(&recorded).len()), (2, 0));
}
