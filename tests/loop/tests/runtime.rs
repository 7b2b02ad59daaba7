//! kube's unmodified runtime over the server in this process, with tokio's clock paused: a controller reconciles, a
//! watch survives 410 and a stall, and time that nobody waits for takes no time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use avnm_api::{CrossTenantConnection, StaticMember, TenantCredential};
use avnm_loop::api_server::{self, Action, ApiServer, Hook, NoHook, Options, Refusal, Request, WatchAction};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, WatchEvent, WatchParams},
    runtime::{Controller, WatchStreamExt as _, controller::Action as Requeue, reflector, watcher},
};
use serde_json::{Value, json};

const MEMBERS: &str = "staticmembers.avnm.dev";

fn start() -> jiff::Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A clock that begins now.
fn clock() -> api_server::WallClock {
    api_server::going_from(start())
}

fn server(hook: Arc<dyn Hook>) -> ApiServer {
    let options = Options { clock: clock(), seed: 1, sign: api_server::unsigned(), hook };
    let server = ApiServer::with_our_kinds(options).unwrap();
    server.namespace("team-a", &[("team", "a")]).unwrap();
    server
}

fn member(name: &str) -> Value {
    let guid = "11111111-1111-1111-1111-111111111111";
    let manager = format!(
        "/subscriptions/{guid}/resourceGroups/rg/providers/Microsoft.Network/networkManagers/nm/networkGroups/g"
    );
    json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember",
        "metadata": {"name": name, "namespace": "team-a"},
        "spec": {
            "networkGroupId": manager,
            "resourceId": format!("/subscriptions/{guid}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"),
            "credentialRef": {"kind": "TenantCredential", "name": "hub"},
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_controller_reconciles_and_finalizers_hold() {
    let server = server(Arc::new(NoHook));
    let client = server.client("operator/1");
    let passes = Arc::new(AtomicUsize::new(0));
    let (api, count) = (Api::<StaticMember>::namespaced(client.clone(), "team-a"), passes.clone());
    let reconcile = move |member: Arc<StaticMember>, api: Arc<Api<StaticMember>>| {
        let count = count.clone();
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            let name = member.name_any();
            if member.metadata.deletion_timestamp.is_some() {
                let body =
                    json!({"metadata": {"finalizers": null, "resourceVersion": member.resource_version()}});
                api.patch(&name, &PatchParams::default(), &Patch::Merge(&body)).await?;
                return Ok(Requeue::await_change());
            }
            if member.finalizers().is_empty() {
                let body = json!({"metadata": {"finalizers": ["avnm.dev/azure"], "resourceVersion": member.resource_version()}});
                api.patch(&name, &PatchParams::default(), &Patch::Merge(&body)).await?;
            }
            let body = json!({
                "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember", "metadata": {"name": name},
                "status": {"observedGeneration": member.metadata.generation}
            });
            let apply = PatchParams::apply("avnm-operator-status").force();
            api.patch_status(&name, &apply, &Patch::Apply(&body)).await?;
            Ok::<_, kube::Error>(Requeue::requeue(Duration::from_secs(3_600)))
        }
    };
    let controller =
        Controller::new(Api::<StaticMember>::all(client), watcher::Config::default().any_semantic())
            .run(reconcile, |_, _, _| Requeue::requeue(Duration::from_secs(1)), Arc::new(api))
            .for_each(|_| async {});
    let controller = tokio::spawn(controller);

    server.create(&member("one")).unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let one = server.get(MEMBERS, "team-a", "one").unwrap();
    assert_eq!(one["metadata"]["finalizers"], json!(["avnm.dev/azure"]));
    assert_eq!(
        (&one["metadata"]["generation"], &one["status"]["observedGeneration"]),
        (&json!(1), &json!(1))
    );

    // A day without changes costs a pass an hour, and no time.
    let before = passes.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(24 * 3_600)).await;
    let in_a_day = passes.load(Ordering::SeqCst) - before;
    assert!((23..=25).contains(&in_a_day), "{in_a_day} passes");

    server.delete(MEMBERS, "team-a", "one").unwrap();
    let deleting = server.get(MEMBERS, "team-a", "one").unwrap();
    assert_eq!(deleting["metadata"]["generation"], json!(2), "a delete is a new generation");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(server.get(MEMBERS, "team-a", "one"), None);
    controller.abort();
}

/// What a reflector shows after each step, and how often it listed anew.
struct Watched {
    store: reflector::Store<StaticMember>,
    lists: Arc<AtomicUsize>,
}

fn watched(server: &ApiServer, config: watcher::Config) -> Watched {
    let (store, writer) = reflector::store();
    let lists = Arc::new(AtomicUsize::new(0));
    let count = lists.clone();
    let stream = watcher(Api::<StaticMember>::all(server.client("operator/1")), config)
        .default_backoff()
        .reflect(writer)
        .for_each(move |event| {
            if matches!(event, Ok(watcher::Event::InitDone)) {
                count.fetch_add(1, Ordering::SeqCst);
            }
            std::future::ready(())
        });
    tokio::spawn(stream);
    Watched { store, lists }
}

impl Watched {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.store.state().iter().map(|member| member.name_any()).collect();
        names.sort();
        names
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_too_old_lists_again() {
    for config in [watcher::Config::default().any_semantic(), watcher::Config::default().streaming_lists()] {
        let server = server(Arc::new(NoHook));
        server.create(&member("one")).unwrap();
        let watched = watched(&server, config);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(watched.names(), ["one"]);
        // Over many ends of the watch by its own timeout there is one list: bookmarks and versions carry it on.
        tokio::time::sleep(Duration::from_secs(4 * 3_600)).await;
        server.create(&member("two")).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(
            (watched.names(), watched.lists.load(Ordering::SeqCst)),
            (vec!["one".into(), "two".into()], 1)
        );
        // While nobody watches, an object goes, and what tells of it is forgotten.
        server.end_watches(MEMBERS, true);
        server.delete(MEMBERS, "team-a", "one").unwrap();
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!((watched.names(), watched.lists.load(Ordering::SeqCst)), (vec!["two".into()], 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_watch_shows_the_past_and_reads_show_the_present() {
    let server = server(Arc::new(NoHook));
    let watched = watched(&server, watcher::Config::default().any_semantic());
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.stall(0, MEMBERS, true);
    server.create(&member("one")).unwrap();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert_eq!(watched.names(), Vec::<String>::new());
    let api = Api::<StaticMember>::namespaced(server.client("operator/1"), "team-a");
    assert!(api.get_opt("one").await.unwrap().is_some());
    assert_eq!(api.list(&ListParams::default()).await.unwrap().items.len(), 1);
    assert_eq!(
        api.list(&ListParams::default().match_any()).await.unwrap().items.len(),
        0,
        "any version may be old"
    );
    let other = Api::<StaticMember>::all(server.client_at(1, "operator/2"));
    assert_eq!(
        other.list(&ListParams::default().match_any()).await.unwrap().items.len(),
        1,
        "another front end"
    );
    server.stall(0, MEMBERS, false);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(watched.names(), ["one"]);

    server.delay_watches_by(0, MEMBERS, Duration::from_secs(10));
    server.create(&member("two")).unwrap();
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(watched.names(), ["one"]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(watched.names(), ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_and_carry_the_newest_version() {
    let server = server(Arc::new(NoHook));
    let api = Api::<StaticMember>::all(server.client("operator/1"));
    let version = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut watch = api.watch(&WatchParams::default(), &version).await.unwrap().boxed();
    // Other kinds change, and nobody asks: there is nothing to tell.
    server.namespace("team-b", &[]).unwrap();
    let silent = tokio::time::timeout(Duration::from_secs(200), watch.try_next()).await;
    assert!(silent.is_err(), "{silent:?}");
    // Someone lists the newest: now it is known that there is nothing newer of this kind.
    api.list(&ListParams::default()).await.unwrap();
    let clock = clock();
    let event = watch.try_next().await.unwrap().unwrap();
    let WatchEvent::Bookmark(bookmark) = event else { panic!("{event:?}") };
    assert_eq!(bookmark.metadata.resource_version, server.version().to_string());
    let waited = clock().duration_since(start()).as_secs();
    assert!(waited <= 75, "{waited} s");
}

#[tokio::test(start_paused = true)]
async fn metadata_is_all_that_is_sent_where_only_that_is_asked() {
    let server = server(Arc::new(NoHook));
    let api = Api::<Namespace>::all(server.client("operator/1"));
    let found = api.get_metadata("team-a").await.unwrap();
    assert_eq!(found.metadata.labels.as_ref().unwrap()["team"], "a");
    assert_eq!(found.types.unwrap().kind, "PartialObjectMetadata");
    let listed = api.list_metadata(&ListParams::default()).await.unwrap();
    assert_eq!(listed.items.len(), 3);
    assert!(api.get("team-a").await.unwrap().status.is_some(), "the whole one has its status");
}

/// Plays one thing for requests of one name.
#[derive(Default)]
struct Played {
    before: Mutex<BTreeMap<String, Action>>,
    after: Mutex<BTreeMap<String, Action>>,
    event: Mutex<Option<WatchAction>>,
    seen: Mutex<Vec<String>>,
}

impl Hook for Played {
    fn before(&self, request: &Request) -> Action {
        self.seen.lock().unwrap().push(request.summary());
        self.before.lock().unwrap().remove(request.verb.as_str()).unwrap_or_default()
    }

    fn after(&self, request: &Request, _: &api_server::Answer) -> Action {
        self.after.lock().unwrap().remove(request.verb.as_str()).unwrap_or_default()
    }

    fn event(&self, _: &Request, _: &str, _: &Value) -> WatchAction {
        self.event.lock().unwrap().take().unwrap_or_default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_hook_says_happens() {
    let hook = Arc::new(Played::default());
    let server = server(hook.clone());
    let api = Api::<TenantCredential>::namespaced(server.client("operator/1"), "team-a");
    let credential: TenantCredential = serde_json::from_value(json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "TenantCredential", "metadata": {"name": "hub"},
        "spec": {"tenantId": "11111111-1111-1111-1111-111111111111", "clientId": "11111111-1111-1111-1111-111111111111",
                 "clientSecret": {"secretRef": {"name": "s", "key": "k"}}}
    }))
    .unwrap();
    let params = kube::api::PostParams::default();
    let create = || api.create(&params, &credential);
    let play = |action: Action| hook.before.lock().unwrap().insert("create".to_owned(), action);

    play(Action::Cut);
    assert!(matches!(create().await, Err(kube::Error::Service(_))));
    assert!(server.all("tenantcredentials.avnm.dev").is_empty(), "cut before the effect");

    play(Action::Answer(Refusal::new(429, "TooManyRequests", "slow down")));
    let Err(kube::Error::Api(status)) = create().await else { panic!("it was refused") };
    assert_eq!((status.code, status.reason.as_str()), (429, "TooManyRequests"));

    play(Action::Hang);
    assert!(tokio::time::timeout(Duration::from_secs(3_600), create()).await.is_err());

    hook.after.lock().unwrap().insert("create".to_owned(), Action::Cut);
    assert!(create().await.is_err());
    assert_eq!(server.all("tenantcredentials.avnm.dev").len(), 1, "cut after the effect");

    let clock = clock();
    play(Action::Delay(Duration::from_secs(7)));
    let Err(kube::Error::Api(status)) = create().await else { panic!("it is there") };
    assert_eq!((status.code, clock().duration_since(start()).as_secs()), (409, 7));
    assert!(hook.seen.lock().unwrap().contains(&"create tenantcredentials.avnm.dev team-a".to_owned()));

    *hook.event.lock().unwrap() = Some(WatchAction::Expire);
    let mut watch = api.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    let event = watch.try_next().await.unwrap().unwrap();
    let WatchEvent::Error(status) = event else { panic!("{event:?}") };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    assert!(watch.try_next().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_namespace_ends_when_its_contents_have() {
    let server = server(Arc::new(NoHook));
    server.create(&member("one")).unwrap();
    server.patch(MEMBERS, "team-a", "one", &json!({"metadata": {"finalizers": ["avnm.dev/azure"]}})).unwrap();
    server
        .create(
            &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "team-a"}}),
        )
        .unwrap();
    server.delete("namespaces", "", "team-a").unwrap();
    let refused = server.create(&member("two")).unwrap_err();
    assert_eq!((refused.code, refused.reason.as_str()), (403, "Forbidden"));
    assert!(refused.message.contains("because it is being terminated"), "{}", refused.message);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(server.all("secrets"), Vec::<Value>::new());
    assert!(!server.get(MEMBERS, "team-a", "one").unwrap()["metadata"]["deletionTimestamp"].is_null());
    assert_eq!(server.get("namespaces", "", "team-a").unwrap()["status"]["phase"], "Terminating");
    server.patch(MEMBERS, "team-a", "one", &json!({"metadata": {"finalizers": null}})).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(server.get("namespaces", "", "team-a"), None);
}

#[tokio::test(start_paused = true)]
async fn a_kind_goes_with_its_crd_and_comes_with_another() {
    let server = server(Arc::new(NoHook));
    server.create(&member("one")).unwrap();
    let api = Api::<CrossTenantConnection>::all(server.client("operator/1"));
    assert_eq!(api.list(&ListParams::default()).await.unwrap().items.len(), 0);
    server
        .delete("customresourcedefinitions.apiextensions.k8s.io", "", "crosstenantconnections.avnm.dev")
        .unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let Err(kube::Error::Api(status)) = api.list(&ListParams::default()).await else { panic!("it is gone") };
    assert_eq!(status.code, 404);

    // An older CRD does not know a field: it is not shown, but kept until someone writes.
    let mut crds = api_server::our_crds();
    let crd = crds.iter_mut().find(|crd| crd["metadata"]["name"] == MEMBERS).unwrap();
    let schema =
        &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    schema.as_object_mut().unwrap().remove("credentialRef");
    let older = crd.clone();
    server.serve(&older).unwrap();
    let shown = server.get(MEMBERS, "team-a", "one").unwrap();
    assert_eq!(shown["spec"]["credentialRef"], Value::Null);
    let newer = api_server::our_crds().into_iter().find(|crd| crd["metadata"]["name"] == MEMBERS).unwrap();
    server.serve(&newer).unwrap();
    assert_eq!(server.get(MEMBERS, "team-a", "one").unwrap()["spec"]["credentialRef"]["name"], "hub");
}

#[tokio::test(start_paused = true)]
async fn two_runs_from_one_seed_are_the_same() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let server = server(Arc::new(NoHook));
        for name in ["one", "two", "three"] {
            server.create(&member(name)).unwrap();
        }
        server.delete("namespaces", "", "team-a").unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        let told: Vec<String> = server
            .journal(0)
            .iter()
            .map(|write| {
                format!(
                    "{} {} {:?} {} {:?}",
                    write.time,
                    write.version,
                    write.verb,
                    write.name,
                    write.after()
                )
            })
            .collect();
        runs.push(told);
    }
    assert!(runs[0].len() > 12);
    assert_eq!(runs[0], runs[1]);
}
