//! Watches and controllers. Every unstable feature of the runtime is used in this file only.

use std::{collections::HashSet, sync::Arc};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt,
    core::PartialObjectMeta,
    runtime::{
        Controller, WatchStreamExt,
        controller::{self, Action, Config},
        reflector::{ObjectRef, Store, store::Writer},
        watcher,
    },
};
use tokio::{sync::Semaphore, task::JoinError};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    cached::{Cached, prune},
    guarded::Guarded,
    merge::{Merge, Told},
    place::{Kind, named},
    scope::Scope,
    wake::Wake,
};

/// The watch of one kind, or the watches of its namespaces: cached, tapped for those who depend on it, and given on where it is news
/// to a pass.
pub(crate) fn watch<K, F>(
    client: &Client,
    scope: &Scope,
    mut cache: Writer<Cached<K>>,
    tap: F,
) -> impl Stream<Item = Result<ObjectRef<Cached<K>>, watcher::Error>> + Send + use<K, F>
where
    K: Kind,
    F: Fn(&watcher::Event<Guarded<K>>) + Send + 'static,
{
    let shown = cache.as_reader();
    let mut listed = Vec::new();
    events(client, scope, &shown).flat_map(move |event| {
        let news = event.map(|mut event| {
            let packed = pack(&mut event);
            let news = news(&packed, &shown, &mut listed);
            cache.apply_watcher_event(&packed);
            tap(&event);
            news
        });
        stream::iter(match news {
            Ok(news) => news.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    })
}

/// What the watches of a kind say, as one would.
fn events<K: Kind>(
    client: &Client,
    scope: &Scope,
    shown: &Store<Cached<K>>,
) -> BoxStream<'static, Result<watcher::Event<Guarded<K>>, watcher::Error>> {
    let mut parts = scope.parts::<K>(client);
    match parts.len() {
        // A kind that is not watched is empty.
        0 => stream::iter([Ok(watcher::Event::Init), Ok(watcher::Event::InitDone)])
            .chain(stream::pending())
            .boxed(),
        1 => watcher(parts.remove(0).1, scope.config()).default_backoff().boxed(),
        _ => merged(parts, scope, shown.clone()).boxed(),
    }
}

/// Several watches as one.
fn merged<K: Kind>(
    parts: Vec<(String, Api<Guarded<K>>)>,
    scope: &Scope,
    shown: Store<Cached<K>>,
) -> impl Stream<Item = Result<watcher::Event<Guarded<K>>, watcher::Error>> + Send + 'static {
    let (namespaces, apis): (Vec<String>, Vec<_>) = parts.into_iter().unzip();
    let mut merge = Merge::new(namespaces.len());
    let watches = apis.into_iter().enumerate().map(|(at, api)| {
        watcher(api, scope.config()).default_backoff().map(move |event| (at, event)).boxed()
    });
    stream::select_all(watches).flat_map(move |(at, event)| {
        let event = match event {
            Ok(event) => event,
            Err(error) => return stream::iter(vec![Err(error)]),
        };
        let name = match &event {
            watcher::Event::Apply(object)
            | watcher::Event::InitApply(object)
            | watcher::Event::Delete(object) => object.name_any(),
            watcher::Event::Init | watcher::Event::InitDone => String::new(),
        };
        let told = merge.tell(at, event, &name, || names_in(&shown, &namespaces[at]));
        let events = told.into_iter().filter_map(|(at, told)| match told {
            Told::Event(event) => Some(Ok(event)),
            Told::Gone(name) => {
                let gone = shown.get(&named(&namespaces[at], &name))?;
                Some(Ok(watcher::Event::Delete(gone.object())))
            }
        });
        stream::iter(events.collect::<Vec<_>>())
    })
}

/// The names that a cache shows of a namespace.
fn names_in<K: Kind>(shown: &Store<Cached<K>>, namespace: &str) -> HashSet<String> {
    let all = shown.state();
    let objects = all.iter().map(|found| found.object());
    objects.filter(|it| it.namespace().as_deref() == Some(namespace)).map(|it| it.name_any()).collect()
}

/// The event, as it is cached.
fn pack<K: Kind>(event: &mut watcher::Event<Guarded<K>>) -> watcher::Event<Cached<K>> {
    let of = |object: &mut Guarded<K>| {
        prune(object);
        Cached::of(object)
    };
    match event {
        watcher::Event::Apply(object) => watcher::Event::Apply(of(object)),
        watcher::Event::Delete(object) => watcher::Event::Delete(of(object)),
        watcher::Event::InitApply(object) => watcher::Event::InitApply(of(object)),
        watcher::Event::Init => watcher::Event::Init,
        watcher::Event::InitDone => watcher::Event::InitDone,
    }
}

/// What an event brings that a pass is made for: objects of which the cache, as it was before that, shows nothing or something else.
/// Of a list that is when it is complete: only then the cache shows it, and a pass before that would find nothing, or what was.
fn news<K: Kind>(
    event: &watcher::Event<Cached<K>>,
    shown: &Store<Cached<K>>,
    listed: &mut Vec<ObjectRef<Cached<K>>>,
) -> Vec<ObjectRef<Cached<K>>> {
    let is_news = |object: &Cached<K>| {
        let reference = named(&object.namespace().unwrap_or_default(), &object.name_any());
        let before = shown.get(&reference);
        before.is_none_or(|before| object.is_news_to(&before)).then_some(reference)
    };
    match event {
        watcher::Event::Init => *listed = Vec::new(),
        watcher::Event::InitApply(object) => listed.extend(is_news(object)),
        watcher::Event::InitDone => return std::mem::take(listed),
        watcher::Event::Apply(object) => return is_news(object).into_iter().collect(),
        watcher::Event::Delete(_) => {}
    }
    Vec::new()
}

/// So many more objects than passes may run are known to the runtime, so that one begins where another ends: they wait in the order in
/// which they came. Whoever is new waits for them, so they are few.
const READY: usize = 4;

/// So many the runtime takes at most: room for its own timers beside who is ready, since those that it has no room for it keeps
/// in no order.
const ROOM: u16 = 4;

/// Runs the controller of one kind until told to stop: at most `concurrency` passes at the same time, each in a task of its own. The
/// runtime would poll all of them whenever one has something to do.
pub(crate) async fn control<K, C, F>(
    news: impl Stream<Item = Result<ObjectRef<Cached<K>>, watcher::Error>> + Send + 'static,
    store: Store<Cached<K>>,
    wake: &Wake<Cached<K>>,
    reconcile: impl Fn(Guarded<K>, Arc<C>) -> F + Send + Sync + 'static,
    context: Arc<C>,
    concurrency: u16,
    stop: CancellationToken,
) where
    K: Kind,
    C: Send + Sync + 'static,
    F: Future<Output = Result<Action, std::convert::Infallible>> + Send + 'static,
{
    let (reconcile, places) = (Arc::new(reconcile), Arc::new(Semaphore::new(concurrency.into())));
    let pass = {
        let (store, wake, stop) = (store.clone(), wake.clone(), stop.clone());
        move |found: Arc<Cached<K>>, context| {
            let (store, wake, stop) = (store.clone(), wake.clone(), stop.clone());
            let (reconcile, places) = (Arc::clone(&reconcile), Arc::clone(&places));
            let reference = ObjectRef::from_obj(&*found);
            async move {
                let _place = places.acquire().await;
                if stop.is_cancelled() {
                    // The runtime lets those end who have begun, and this one has not.
                    return Ok(Action::await_change());
                }
                let namespace = reference.namespace.as_deref().unwrap_or_default();
                // It may have changed while it waited for its place, and then nobody woke it again.
                let Some(found) = store.get(&reference) else {
                    wake.missing(namespace, &reference.name);
                    return Ok(Action::await_change());
                };
                let _running = wake.begun(namespace, &reference.name);
                let pass = AbortOnDropHandle::new(tokio::spawn(reconcile(found.object(), context)));
                match pass.await.map_err(JoinError::try_into_panic) {
                    Ok(ended) => ended,
                    Err(Ok(panic)) => std::panic::resume_unwind(panic),
                    // It is aborted only with this, which then asks no more.
                    Err(Err(_)) => std::future::pending().await,
                }
            }
        }
    };
    let controller = Controller::for_stream(stream::pending(), store)
        .reconcile_on(wake.woken(usize::from(concurrency) + READY))
        .with_config(Config::default().concurrency(concurrency.saturating_mul(ROOM)))
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(pass, |_, _, _| Action::await_change(), context)
        .for_each(|result| {
            if let Err(controller::Error::ObjectNotFound(gone)) = &result {
                wake.missing(gone.namespace.as_deref().unwrap_or_default(), &gone.name);
            }
            if let Err(error) = result {
                tracing::debug!(%error, "the runtime says");
            }
            std::future::ready(())
        });
    let watch = news.for_each(|news| {
        match news {
            Ok(object) => wake.wake(object.namespace.as_deref().unwrap_or_default(), &object.name),
            Err(error) => tracing::debug!(%error, "a watch says"),
        }
        std::future::ready(())
    });
    tokio::select! {
        // Neither is ever ready for long, and a seed gives the same run again.
        biased;
        () = controller => {}
        () = watch => {}
    }
}

/// The watch of namespaces: their metadata only, and of that the labels. It is the type that makes kube ask for no more,
/// in lists and watches both.
pub(crate) fn watch_namespaces(
    client: Client,
    writer: Writer<PartialObjectMeta<Namespace>>,
    tap: impl Fn(&watcher::Event<PartialObjectMeta<Namespace>>) + Send + 'static,
) -> impl Stream<Item = Result<PartialObjectMeta<Namespace>, watcher::Error>> + Send + 'static {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(client);
    watcher(api, watcher::Config::default().any_semantic())
        .default_backoff()
        .modify(|namespace| {
            namespace.metadata.managed_fields = None;
            namespace.metadata.annotations = None;
        })
        .reflect(writer)
        .inspect(move |event| {
            if let Ok(event) = event {
                tap(event);
            }
        })
        .touched_objects()
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use avnm_api::StaticMember;
    use axum::http::Method;
    use kube::runtime::reflector;
    use serde_json::json;

    use super::*;
    use crate::recorded;

    fn member(namespace: &str, name: &str, generation: i64) -> Cached<StaticMember> {
        let uid = format!("{namespace}/{name}");
        let meta = json!({"name": name, "namespace": namespace, "uid": uid, "generation": generation});
        let spec = json!({"networkGroupId": "/g", "resourceId": "/r"});
        serde_json::from_value(json!({"metadata": meta, "spec": spec})).expect("an object")
    }

    /// The cache after the first list, which found so many members of each namespace, called by number.
    fn cached(namespaces: &[(&str, usize)]) -> Store<Cached<StaticMember>> {
        let (store, mut writer) = reflector::store();
        writer.apply_watcher_event(&watcher::Event::Init);
        for (namespace, count) in namespaces {
            for name in 0..*count {
                let member = member(namespace, &name.to_string(), 1);
                writer.apply_watcher_event(&watcher::Event::InitApply(member));
            }
        }
        writer.apply_watcher_event(&watcher::Event::InitDone);
        store
    }

    #[tokio::test]
    async fn of_namespaces_metadata_alone_is_asked_for() {
        let (client, recorded) = recorded::client(|asked| {
            if asked.query.contains("watch=true") {
                return recorded::refusal(410, "Expired", "too old");
            }
            let item = json!({"metadata": {"name": "team-a", "uid": "u-1", "labels": {"tier": "one"}}});
            let list = json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                "metadata": {"resourceVersion": "7"}, "items": [item],
            });
            (200, list)
        });
        let (store, writer) = reflector::store();
        let stream = watch_namespaces(client, writer, |_| {});
        let found = stream.take(2).collect::<Vec<_>>().await;
        assert!(found[0].is_ok() && found[1].is_err(), "a list and then a watch: {found:?}");
        assert_eq!(store.state().len(), 1);
        let asked = recorded.all();
        assert_eq!(asked.len(), 2, "{asked:?}");
        for request in asked {
            assert_eq!((&request.method, request.path.as_str()), (&Method::GET, "/api/v1/namespaces"));
            assert!(request.accept.contains(";as=PartialObjectMetadata"), "{request:?}");
        }
    }

    #[test]
    fn what_is_listed_is_news_when_the_cache_shows_it() {
        let member = |name: &str, generation| member("n", name, generation);
        let (store, mut writer) = reflector::store();
        let mut listed = Vec::new();
        let mut tell = |event: watcher::Event<Cached<StaticMember>>| -> Vec<String> {
            let news = news(&event, &store, &mut listed);
            writer.apply_watcher_event(&event);
            assert!(news.iter().all(|it| store.get(it).is_some()), "a pass would not find it");
            news.into_iter().map(|it| it.name).collect()
        };
        assert!(tell(watcher::Event::Init).is_empty());
        assert!(tell(watcher::Event::InitApply(member("a", 1))).is_empty());
        assert_eq!(tell(watcher::Event::InitDone), ["a"]);
        assert!(tell(watcher::Event::Apply(member("a", 1))).is_empty());
        assert_eq!(tell(watcher::Event::Apply(member("a", 2))), ["a"]);
        // The watch begins anew.
        assert!(tell(watcher::Event::Init).is_empty());
        for object in [member("a", 2), member("b", 1)] {
            assert!(tell(watcher::Event::InitApply(object)).is_empty());
        }
        assert_eq!(tell(watcher::Event::InitDone), ["b"]);
        assert!(tell(watcher::Event::Delete(member("b", 1))).is_empty());
    }

    /// The members of one namespace look again as soon as they have looked, for ever.
    #[tokio::test(start_paused = true)]
    async fn under_load_nobody_waits_for_more_than_those_who_run() {
        const MANY: usize = 200;
        const FEW: usize = 20;
        const AT_ONCE: u16 = 4;
        let store = cached(&[("many", MANY), ("few", FEW)]);
        let (wake, stop) = (Wake::default(), CancellationToken::new());
        let begun = Arc::new(std::sync::Mutex::new(Vec::new()));
        let woken = wake.clone();
        let pass = move |found: Guarded<StaticMember>, begun: Arc<std::sync::Mutex<Vec<String>>>| {
            let (namespace, name) = (found.namespace().expect("it has one"), found.name_any());
            begun.lock().expect("no panic").push(format!("{namespace}/{name}"));
            if namespace == "many" {
                woken.wake(&namespace, &name);
            }
            async {
                tokio::time::sleep(Duration::from_millis(3)).await;
                Ok(Action::await_change())
            }
        };
        let play = async {
            for name in 0..MANY {
                wake.wake("many", &name.to_string());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            for name in 0..FEW {
                let before = begun.lock().expect("no panic").len();
                wake.wake("few", &name.to_string());
                let waits_for = || {
                    begun.lock().expect("no panic")[before..]
                        .iter()
                        .position(|it: &String| it.starts_with("few"))
                };
                let waited = tokio::time::timeout(Duration::from_secs(9), async {
                    loop {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        if let Some(passes) = waits_for() {
                            return passes;
                        }
                    }
                });
                let passes = waited.await.unwrap_or(usize::MAX);
                // Those who run, those who are ready, and two rounds in the milliseconds in which more of the same may come.
                assert!(passes <= 4 * usize::from(AT_ONCE), "{name} waited for {passes} passes");
            }
            stop.cancel();
        };
        let control =
            control(stream::pending(), store, &wake, pass, Arc::clone(&begun), AT_ONCE, stop.clone());
        tokio::join!(control, play);
    }

    /// Each runs until it is told to end.
    #[tokio::test(start_paused = true)]
    async fn who_has_not_begun_when_it_is_told_to_stop_does_not_begin() {
        let store = cached(&[("n", 9)]);
        let (wake, stop, end) = (Wake::default(), CancellationToken::new(), CancellationToken::new());
        let begun = Arc::new(AtomicUsize::new(0));
        let ends = end.clone();
        let pass = move |_: Guarded<StaticMember>, begun: Arc<AtomicUsize>| {
            begun.fetch_add(1, Ordering::Relaxed);
            let ends = ends.clone();
            async move {
                ends.cancelled().await;
                Ok(Action::await_change())
            }
        };
        let play = async {
            for name in 0..9 {
                wake.wake("n", &name.to_string());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            stop.cancel();
            tokio::time::sleep(Duration::from_secs(1)).await;
            end.cancel();
        };
        let control = control(stream::pending(), store, &wake, pass, Arc::clone(&begun), 2, stop.clone());
        tokio::join!(control, play);
        assert_eq!(begun.load(Ordering::Relaxed), 2);
    }
}
