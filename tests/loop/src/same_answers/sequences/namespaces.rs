//! Namespaces: their labels, and their end, which nothing new survives and finalizers hold up.

use serde_json::{Value, json};

use super::{Sequence, member, members, with};

pub(super) fn sequence() -> Sequence {
    let at = "/api/v1/namespaces";
    let own = format!("{at}/namespaces-1");
    let inside = members("namespaces-1");
    let mut play = Sequence::new("namespaces");
    let namespace = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    play.post("made", at, with(namespace("namespaces-1"), &json!({"metadata": {"labels": {"team": "a"}}})));
    play.post("made again", at, namespace("namespaces-1"));
    play.post("a bad name", at, namespace("not.a.label"));
    play.get("metadata", &own).metadata_only();
    play.merge("labelled", &own, json!({"metadata": {"labels": {"team": "b", "tier": "1"}}}));
    play.merge(
        "its own label",
        &own,
        json!({"metadata": {"labels": {"kubernetes.io/metadata.name": "other"}}}),
    );
    play.post(
        "held",
        &inside,
        with(member("held"), &json!({"metadata": {"finalizers": ["avnm.dev/azure"]}})),
    );
    play.post("free", &inside, member("free"));
    let secrets = format!("{own}/secrets");
    let secret = |name: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
    play.post("a secret", &secrets, secret("s"));
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}});
    play.post("an account", &format!("{own}/serviceaccounts"), account);
    play.delete(
        "another uid",
        &own,
        json!({"preconditions": {"uid": "11111111-1111-4111-8111-111111111111"}}),
    );
    play.delete("ends", &own, Value::Null);
    play.delete("ends already", &own, Value::Null).look(&["/kind", "/status/phase", "/spec"]);
    play.post("a new member", &inside, member("late"));
    play.post("a new secret", &secrets, secret("late"));
    play.apply("a new member by apply", &format!("{inside}/late?fieldManager=x"), member("late"));
    let token = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    play.post("a new token", &format!("{own}/serviceaccounts/a/token"), token);
    play.until("the free one goes", &format!("{inside}/free"), 404);
    play.until("the secret goes", &format!("{secrets}/s"), 404);
    play.get("the held one stays", &format!("{inside}/held"));
    play.merge("it can be written", &format!("{inside}/held"), json!({"metadata": {"labels": {"a": "b"}}}));
    play.get("the namespace stays", &own).look(&["/status/phase", "/spec"]);
    play.post("made again too early", at, namespace("namespaces-1"));
    play.merge("let go", &format!("{inside}/held"), json!({"metadata": {"finalizers": []}}));
    play.until("gone", &own, 404);
    play.post("in what is gone", &inside, member("late"));
    play.post("made anew", at, namespace("namespaces-1"));
    play
}
