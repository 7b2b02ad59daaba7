use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use avnm_api::StaticMember;
use avnm_arm::{Credential, Material};
use avnm_plan::freshness::Age;
use avnm_terms::{ClientId, Fault, FaultKind, Reading, SignInFault, TenantId};
use futures::StreamExt as _;
use jiff::SignedDuration;
use kube::{
    ResourceExt as _,
    runtime::{
        controller::Action,
        reflector::{self, ObjectRef},
        watcher::Event,
    },
};
use secrecy::SecretString;
use serde_json::json;
use tokio::{sync::mpsc, time::sleep};

use super::{cell::Asked as _, *};
use crate::{
    cached::Cached,
    guarded::Guarded,
    streams,
    uses::{User, UserKind},
    wake::Wake,
};

const MINUTE: Duration = Duration::from_secs(60);
const ID: &str = "24680975-1234-abcd-56ef-121314ab5643";

/// What the inventory told.
#[derive(Default)]
struct Heard {
    woken: Mutex<Vec<Listener>>,
    refused: AtomicUsize,
}

impl Heard {
    /// Who was woken since this was last asked.
    fn woken(&self) -> Vec<Listener> {
        std::mem::take(&mut *self.woken.lock().expect("nobody panics"))
    }
}

impl Subscribers for Heard {
    fn wake(&self, listener: &Listener) {
        self.woken.lock().expect("nobody panics").push(listener.clone());
    }

    fn concerns(&self, _: &Listener, _: &Changed) -> bool {
        true
    }

    fn refused(&self, _: &CredentialKey, _: &Fault) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

fn within(age: Duration) -> Age {
    Age::Within(SignedDuration::try_from(age).expect("it is short"))
}

fn credential(name: &str) -> Credential {
    let key = CredentialKey {
        kind: "TenantCredential".to_owned(),
        namespace: "n".to_owned(),
        name: name.to_owned(),
        uid: name.to_owned(),
        fingerprint: String::new(),
    };
    Credential {
        key,
        tenant: TenantId::parse(ID).expect("a tenant"),
        client: ClientId::parse(ID).expect("a client"),
        material: Material::ClientSecret(SecretString::from("none")),
    }
}

fn member(name: &str) -> Listener {
    Arc::new(User::new(UserKind::Member, "n", name))
}

/// What a table reads.
#[derive(Default)]
struct Azure {
    begun: AtomicUsize,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

/// A table of collections that answer after a second with how many reads there were, but for those that hang.
struct World {
    azure: Arc<Azure>,
    heard: Arc<Heard>,
    table: Table<String, usize>,
    rows: Rows,
    stop: CancellationToken,
}

impl World {
    fn new() -> Arc<Self> {
        let (azure, heard) = (Arc::new(Azure::default()), Arc::new(Heard::default()));
        let stop = CancellationToken::new();
        let subscribers: Arc<dyn Subscribers> = Arc::<Heard>::clone(&heard);
        let flights = Flights::new(subscribers, MINUTE, stop.clone());
        let read = Arc::clone(&azure);
        let fetch = move |_, key: String| {
            let azure = Arc::clone(&read);
            let fetch = async move {
                let begun = azure.begun.fetch_add(1, Ordering::Relaxed) + 1;
                let under_way = Flying::begin(&azure);
                match key.as_str() {
                    "hangs" => std::future::pending().await,
                    key if key.starts_with("stalls") => sleep(MINUTE).await,
                    _ => sleep(Duration::from_secs(1)).await,
                }
                drop(under_way);
                match key.as_str() {
                    "fails" => Reading::Unread(Fault::local("list", key, FaultKind::Server, "no")),
                    "refused" => {
                        let kind = FaultKind::SignIn(SignInFault::Refused);
                        Reading::Unread(Fault::local("sign in", key, kind, "no"))
                    }
                    "same" => Reading::Found(0),
                    _ => Reading::Found(begun),
                }
            };
            let fetch: futures::future::BoxFuture<'static, _> = Box::pin(fetch);
            fetch
        };
        let table = Table::new(&flights, fetch, |_, _, all, _| all);
        Arc::new(Self { azure, heard, table, rows: Rows::default(), stop })
    }

    /// One pass of an object that asks for a collection no older than that; what it got.
    fn pass(&self, name: &str, collection: &str, age: Duration) -> Option<Reading<usize>> {
        let visit = self.rows.begin(member(name), (1, None));
        let wanted = visit.wanted(within(age));
        let picture = visit.read(&self.table, &credential("c"), &collection.to_owned(), wanted);
        for cell in self.rows.end(&visit) {
            cell.leave(visit.listener());
        }
        match picture {
            Picture::Known(snapshot) => Some(snapshot.reading.map(|it| *it)),
            Picture::Flying => None,
        }
    }

    fn begun(&self) -> usize {
        self.azure.begun.load(Ordering::Relaxed)
    }
}

/// Counts how many reads are under way, and the most that ever were.
struct Flying(Arc<Azure>);

impl Flying {
    fn begin(azure: &Arc<Azure>) -> Self {
        let now = azure.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        azure.most.fetch_max(now, Ordering::Relaxed);
        Self(Arc::clone(azure))
    }
}

impl Drop for Flying {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn object(name: &str, group: &str) -> Cached<StaticMember> {
    let object = json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember",
        "metadata": {"name": name, "namespace": "n", "uid": name, "resourceVersion": "1"},
        "spec": {"networkGroupId": group, "resourceId": "/r"},
    });
    serde_json::from_value(object).expect("an object")
}

/// Sixteen objects, as many as passes run at the same time, whose collection hangs; then comes another one.
#[tokio::test(start_paused = true)]
async fn a_collection_that_hangs_stops_nobody_else() {
    const SLOTS: u16 = 16;
    let mut all: Vec<_> = (0..SLOTS).map(|at| object(&format!("of-one-that-hangs-{at}"), "hangs")).collect();
    all.push(object("another", "answers"));
    let (store, mut writer) = reflector::store();
    writer.apply_watcher_event(&Event::Init);
    for one in &all {
        writer.apply_watcher_event(&Event::InitApply(one.clone()));
    }
    writer.apply_watcher_event(&Event::InitDone);
    let one_by_one = futures::stream::iter(all).then(|one| async move {
        sleep(Duration::from_secs(1)).await;
        Ok(ObjectRef::from_obj(&one))
    });
    let wake = Wake::default();
    let (answered, mut answers) = mpsc::channel(1);
    let world = World::new();
    let reconcile = move |found: Guarded<StaticMember>, world: Arc<World>| {
        let answered = answered.clone();
        async move {
            let object = found.0.expect("it decodes");
            if world.pass(&object.name_any(), &object.spec.network_group_id, MINUTE).is_some() {
                answered.send(object.name_any()).await.expect("somebody waits");
            }
            Ok(Action::await_change())
        }
    };
    let stop = CancellationToken::new();
    let stream = one_by_one.chain(futures::stream::pending());
    let control = streams::control(stream, store, &wake, reconcile, Arc::clone(&world), SLOTS, stop.clone());
    let tell = async {
        loop {
            for listener in world.heard.woken() {
                wake.wake(&listener.namespace, &listener.name);
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let answer = tokio::time::timeout(MINUTE * 60, answers.recv());
    tokio::select! {
        () = control => panic!("the controller ended"),
        () = tell => {}
        name = answer => assert_eq!(name.expect("within an hour").as_deref(), Some("another")),
    }
}

#[tokio::test(start_paused = true)]
async fn who_waited_is_woken_and_needs_no_other_read() {
    let world = World::new();
    for name in ["a", "b"] {
        assert_eq!(world.pass(name, "g", Duration::ZERO), None);
    }
    assert!(world.heard.woken().is_empty());
    sleep(MINUTE).await;
    let woken = world.heard.woken();
    assert_eq!(woken.len(), 2, "{woken:?}");
    // However late it comes, and although what it wants may be of no age at all.
    for name in ["a", "b"] {
        assert_eq!(world.pass(name, "g", Duration::ZERO), Some(Reading::Found(1)));
    }
    assert_eq!(world.begun(), 1, "one read for both");
    assert_eq!(world.pass("a", "g", Duration::ZERO), None, "that row is over, and the next one asks anew");
    sleep(MINUTE).await;
    assert_eq!(world.heard.woken(), [member("a")]);
    assert_eq!(world.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn another_wish_is_not_served_with_what_an_older_one_waited_for() {
    let world = World::new();
    let ask = |wish| {
        let visit = world.rows.begin(member("a"), wish);
        let picture = visit.read(&world.table, &credential("c"), &"g".to_owned(), visit.wanted(Age::Anew));
        world.rows.end(&visit);
        matches!(picture, Picture::Known(_))
    };
    assert!(!ask((1, None)));
    sleep(MINUTE).await;
    assert!(!ask((1, Some("now".to_owned()))), "it was read before the request");
    sleep(MINUTE).await;
    assert!(ask((1, Some("now".to_owned()))));
    assert_eq!(world.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_late_for_a_read_gets_another() {
    let world = World::new();
    assert_eq!(world.pass("a", "g", Duration::ZERO), None);
    sleep(Duration::from_millis(500)).await;
    assert_eq!(world.pass("late", "g", Duration::ZERO), None);
    sleep(Duration::from_millis(600)).await;
    assert_eq!(world.heard.woken(), [member("a")]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.heard.woken(), [member("late")]);
    assert_eq!(world.pass("late", "g", Duration::ZERO), Some(Reading::Found(2)));
    assert_eq!(world.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_answers_too() {
    let world = World::new();
    assert_eq!(world.pass("a", "fails", MINUTE), None);
    // Longer than the failure would stand for others.
    sleep(MINUTE).await;
    assert_eq!(world.heard.woken(), [member("a")]);
    assert!(matches!(world.pass("a", "fails", MINUTE), Some(Reading::Unread(_))));
    assert_eq!(world.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_read_without_end_is_a_failure() {
    let world = World::new();
    assert_eq!(world.pass("a", "hangs", MINUTE), None);
    sleep(flight::LONGEST.saturating_sub(MINUTE)).await;
    assert!(world.heard.woken().is_empty());
    sleep(MINUTE * 2).await;
    assert_eq!(world.heard.woken(), [member("a")]);
    assert!(matches!(world.pass("a", "hangs", MINUTE), Some(Reading::Unread(_))));
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_nothing_is_read_any_more() {
    let world = World::new();
    assert_eq!(world.pass("a", "hangs", MINUTE), None);
    sleep(MINUTE).await;
    assert_eq!(world.azure.under_way.load(Ordering::Relaxed), 1);
    world.stop.cancel();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(world.azure.under_way.load(Ordering::Relaxed), 0);
    assert_eq!(world.pass("b", "g", MINUTE), None);
    sleep(MINUTE).await;
    assert!(world.heard.woken().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_credentials_reads_are_bounded_and_hold_up_no_other() {
    let world = World::new();
    for at in 0..flight::AT_ONCE * 2 {
        assert_eq!(world.pass("a", &format!("stalls-{at}"), MINUTE), None);
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.azure.under_way.load(Ordering::Relaxed), flight::AT_ONCE);
    let visit = world.rows.begin(member("b"), (1, None));
    let other =
        || visit.read(&world.table, &credential("other"), &"g".to_owned(), visit.wanted(within(MINUTE)));
    assert!(matches!(other(), Picture::Flying));
    sleep(Duration::from_secs(2)).await;
    assert!(matches!(other(), Picture::Known(_)));
    sleep(MINUTE * 3).await;
    assert_eq!(world.begun(), flight::AT_ONCE * 2 + 1);
    assert_eq!(world.azure.most.load(Ordering::Relaxed), flight::AT_ONCE + 1);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_reads_a_few_at_a_time_and_wakes_after_each() {
    let world = World::new();
    let groups: Vec<String> = (0..9).map(|at| format!("g-{at}")).collect();
    for group in &groups {
        assert_eq!(world.pass(group, group, MINUTE), None);
    }
    sleep(MINUTE).await;
    assert_eq!(world.heard.woken().len(), groups.len());
    world.azure.most.store(0, Ordering::Relaxed);
    let good = |_: &_| Standing::Good(Box::new(credential("c")));
    let sweep = world.table.sweep(&good, MINUTE / 2);
    let watch = async {
        sleep(Duration::from_millis(1_100)).await;
        assert_eq!(world.heard.woken().len(), sweep::AT_ONCE, "each read gives another number");
    };
    tokio::join!(sweep, watch);
    sleep(MINUTE).await;
    assert_eq!(world.heard.woken().len(), groups.len() - sweep::AT_ONCE);
    assert_eq!(world.azure.most.load(Ordering::Relaxed), sweep::AT_ONCE);
    assert_eq!(world.begun(), groups.len() * 2);
}

/// More collections than a sweep reads at the same time stall: the others are swept all the same, and what stalled is
/// compared when it comes.
#[tokio::test(start_paused = true)]
async fn a_sweep_goes_on_past_what_stalls() {
    let world = World::new();
    let stalls: Vec<String> = (0..sweep::AT_ONCE * 2).map(|at| format!("stalls-{at}")).collect();
    for group in stalls.iter().map(String::as_str).chain(["g"]) {
        assert_eq!(world.pass(group, group, MINUTE), None);
    }
    sleep(MINUTE * 2).await;
    assert_eq!(world.heard.woken().len(), stalls.len() + 1);
    let good = |_: &_| Standing::Good(Box::new(credential("c")));
    tokio::time::timeout(sweep::PATIENCE * 4, world.table.sweep(&good, MINUTE)).await.expect("it ends soon");
    assert!(world.heard.woken().contains(&member("g")));
    sleep(MINUTE * 2).await;
    assert_eq!(world.heard.woken().len(), stalls.len());
}

#[tokio::test(start_paused = true)]
async fn a_sweep_wakes_nobody_where_nothing_differs() {
    let world = World::new();
    for group in ["same", "other", "fails"] {
        assert_eq!(world.pass(group, group, MINUTE), None);
    }
    sleep(MINUTE).await;
    assert_eq!(world.heard.woken().len(), 3);
    world.table.sweep(&|_: &_| Standing::Good(Box::new(credential("c"))), MINUTE / 2).await;
    let woken = world.heard.woken();
    assert!(!woken.contains(&member("same")) && woken.len() == 2, "{woken:?}");
    assert_eq!(world.heard.refused.load(Ordering::Relaxed), 0, "it failed, but it did sign in");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_reads_with_what_is_good_now() {
    let world = World::new();
    assert_eq!(world.pass("a", "g", MINUTE), None);
    sleep(MINUTE).await;
    world.table.sweep(&|_: &_| Standing::Paused, MINUTE / 2).await;
    assert_eq!(world.begun(), 1, "a paused credential reads nothing");
    world.table.sweep(&|_: &_| Standing::Gone, MINUTE / 2).await;
    assert_eq!(world.begun(), 1);
    assert!(world.table.cells().is_empty(), "a credential that is gone leaves nothing behind");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_tells_of_a_credential_that_does_not_sign_in() {
    let world = World::new();
    assert_eq!(world.pass("a", "refused", MINUTE), None);
    sleep(MINUTE).await;
    assert_eq!(world.heard.refused.load(Ordering::Relaxed), 0, "passes find that out for themselves");
    world.table.sweep(&|_: &_| Standing::Good(Box::new(credential("c"))), MINUTE / 2).await;
    assert_eq!(world.heard.refused.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_ask_any_more_does_not_settle_any_more() {
    let world = World::new();
    let (credential, key) = (credential("c"), "g".to_owned());
    let settling = |name: &str| world.table.settling(&credential, &key, &member(name), true);
    for name in ["gone", "one"] {
        assert_eq!(world.pass(name, &key, MINUTE), None);
    }
    assert_eq!((settling("gone"), settling("one"), settling("never asked")), (1, 2, 2));
    // Its next pass asks for something else.
    sleep(MINUTE).await;
    assert!(world.pass("gone", "other", MINUTE).is_none());
    sleep(MINUTE).await;
    assert!(world.pass("gone", "other", MINUTE * 2).is_some());
    assert_eq!(settling("one"), 1);
}

/// Nobody at rest has a timer: what a read for another object finds must reach it by the next sweep, whether or not that reads.
#[tokio::test(start_paused = true)]
async fn what_was_read_for_one_is_told_to_all_by_the_next_sweep() {
    let world = World::new();
    let good = |_: &_| Standing::Good(Box::new(credential("c")));
    assert_eq!(world.pass("rests", "g", MINUTE), None);
    sleep(MINUTE).await;
    assert_eq!(world.heard.woken(), [member("rests")]);
    // Another one has it read anew, and the sweep finds it new enough.
    assert_eq!(world.pass("asks", "g", Duration::ZERO), None);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(world.heard.woken(), [member("asks")]);
    world.table.sweep(&good, MINUTE).await;
    assert_eq!(world.begun(), 2, "it is not read again");
    assert!(world.heard.woken().contains(&member("rests")));
    world.table.sweep(&good, MINUTE).await;
    assert_eq!(world.heard.woken(), [], "it is told once");
}

/// It was changed and changed back between two sweeps: what all had heard of is what is read now, and yet it is news to whoever
/// looked, or wrote, in between.
#[tokio::test(start_paused = true)]
async fn who_knows_something_else_hears_of_what_all_had_heard_of() {
    let world = World::new();
    let good = |_: &_| Standing::Good(Box::new(credential("c")));
    for name in ["acts", "rests"] {
        assert_eq!(world.pass(name, "same", MINUTE), None);
    }
    sleep(MINUTE).await;
    assert_eq!(world.heard.woken().len(), 2);
    for cell in world.table.cells().values() {
        cell.acted(&member("acts"), avnm_arm::clock::instant());
    }
    sleep(MINUTE).await;
    world.table.sweep(&good, MINUTE / 2).await;
    assert_eq!(world.heard.woken(), [member("acts")]);
    sleep(MINUTE).await;
    world.table.sweep(&good, MINUTE / 2).await;
    assert_eq!(world.heard.woken(), [], "once");
}

/// What is read with another material is another collection, and only a pass asks for that.
#[tokio::test(start_paused = true)]
async fn who_listened_with_a_credential_that_is_gone_looks_again() {
    let world = World::new();
    assert_eq!(world.pass("rests", "g", MINUTE), None);
    sleep(MINUTE).await;
    assert_eq!(world.heard.woken(), [member("rests")]);
    world.table.sweep(&|_: &_| Standing::Gone, MINUTE).await;
    assert_eq!(world.heard.woken(), [member("rests")]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_forgotten_for_being_at_rest() {
    let world = World::new();
    let good = |_: &_| Standing::Good(Box::new(credential("c")));
    assert_eq!(world.pass("rests", "g", MINUTE), None);
    sleep(MINUTE).await;
    drop(world.heard.woken());
    for day in 1..4 {
        sleep(MINUTE * 60 * 24).await;
        world.table.sweep(&good, MINUTE).await;
        assert_eq!(world.heard.woken(), [member("rests")], "day {day}: it differs each time");
    }
    for cell in world.rows.forget(&member("rests")) {
        cell.leave(&member("rests"));
    }
    world.table.sweep(&good, MINUTE).await;
    assert!(world.table.cells().is_empty(), "nobody listens to it any more");
}

/// What is told of its age to who watches the process.
#[tokio::test(start_paused = true)]
async fn the_age_is_that_of_the_oldest_picture_in_use() {
    let world = World::new();
    let ages = || world.table.ages(clock::instant());
    assert_eq!(ages(), Ages::default());
    assert!(world.pass("a", "first", MINUTE).is_none());
    assert!(world.pass("b", "hangs", MINUTE).is_none());
    sleep(Duration::from_secs(5)).await;
    let second = Duration::from_secs(1);
    assert_eq!(ages(), Ages { collections: 2, oldest: 5 * second, longest: second, failing: 0 });
    let cell = world.table.cells()[&(credential("c").key, "hangs".to_owned())].clone();
    cell.leave(&member("b"));
    assert_eq!(ages().collections, 1, "nobody uses it any more");
    assert!(world.pass("c", "fails", MINUTE).is_none());
    sleep(Duration::from_secs(5)).await;
    assert_eq!(ages(), Ages { collections: 2, oldest: 10 * second, longest: second, failing: 1 });
    assert!(world.pass("d", "first", second).is_none(), "it is too old, and read again");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(ages().oldest, 7 * second, "the one that fails was never read");
}
