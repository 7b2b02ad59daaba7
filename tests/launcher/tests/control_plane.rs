//! The control plane really starts, serves, knows its accounts, and is gone afterwards.

use std::path::Path;
use std::time::Duration;

use avnm_launcher::control_plane::{ControlPlane, Options};
use avnm_launcher::{Look, Run, wait_until};

#[tokio::test]
async fn starts_serves_and_is_gone() {
    let run = Run::new().unwrap();
    let cluster = ControlPlane::start(&run, &Options::default()).await.unwrap();
    let processes = cluster.processes();

    // A ServiceAccount gets exactly what RBAC gives: here nothing but to look at itself.
    cluster
        .kubectl()
        .apply(r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"nobody","namespace":"default"}}"#)
        .await
        .unwrap();
    let kubeconfig = cluster.service_account_kubeconfig("default", "nobody").await.unwrap();
    let nobody = cluster.kubectl().with_kubeconfig(&kubeconfig);
    let who = nobody.json(&["auth", "whoami"]).await.unwrap();
    assert_eq!(who["status"]["userInfo"]["username"], "system:serviceaccount:default:nobody");
    let refused = nobody.run(&["get", "secrets"], None).await.unwrap_err().to_string();
    assert!(refused.contains("forbidden"), "{refused}");

    // What is made while one watches is seen, and what is malformed is refused with the server's words.
    let path = "/api/v1/namespaces/default/secrets";
    let mut watch = cluster.watch(path).await.unwrap();
    let secret = serde_json::json!({"metadata": {"name": "seen"}});
    cluster.create(path, &secret).await.unwrap();
    while !watch.next().await.unwrap().contains(r#""name":"seen""#) {}
    let again = cluster.create(path, &secret).await.unwrap_err().to_string();
    assert!(again.contains("already exists"), "{again}");

    // Namespaces end only with a controller manager, and so it is the proof that it works.
    cluster.kubectl().run(&["create", "namespace", "passing"], None).await.unwrap();
    cluster.kubectl().run(&["delete", "namespace", "passing", "--wait=false"], None).await.unwrap();
    wait_until(
        Duration::from_secs(30),
        Duration::from_millis(100),
        || async {
            Ok(match cluster.get("/api/v1/namespaces/passing").await {
                Ok(namespace) => Look::NotYet(namespace["status"].to_string()),
                Err(error) if error.to_string().contains("404") => Look::Done(()),
                Err(error) => Look::NotYet(format!("{error:#}")),
            })
        },
        "the namespace to be gone",
    )
    .await
    .unwrap();

    drop(cluster);
    if std::env::var_os("USE_EXISTING_CLUSTER").is_none() {
        assert_eq!(processes.len(), 3, "{processes:?}");
    }
    for (name, pid) in processes {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{name} ({pid}) is still there");
    }
}
