use std::sync::{Mutex, PoisonError};

use avnm_api::TenantCredential;
use avnm_arm::{Cloud, Tokens, Transport, TransportOptions};
use serde_json::{Value, json};

use super::*;
use crate::{
    material::{Look, Materials},
    recorded::{self, Asked, Recorded},
    settings::Surroundings,
};

const HOUR: i64 = 3_600;
const PROBE: Duration = Duration::from_secs(60);

/// What the API server holds and allows.
#[derive(Clone, Copy)]
struct World {
    /// The ServiceAccount, by its UID.
    account: Option<&'static str>,
    may_see: bool,
    may_create: bool,
    /// The longest life of a token, in seconds.
    life_max: i64,
    /// Whether tokens are such as one can read.
    readable: bool,
}

const WORLD: World =
    World { account: Some("u-1"), may_see: true, may_create: true, life_max: 24 * HOUR, readable: true };

struct Stage {
    world: Arc<Mutex<World>>,
    asked: Recorded,
    materials: Materials,
    object: TenantCredential,
}

impl Stage {
    fn new(world: World) -> Self {
        let world = Arc::new(Mutex::new(world));
        let shared = Arc::clone(&world);
        let (client, asked) = recorded::client(move |asked| {
            let world = *shared.lock().unwrap_or_else(PoisonError::into_inner);
            answer(&world, asked)
        });
        // Nobody listens there: what Entra would say is not what this is about.
        let cloud = Cloud::named("AzurePublic")
            .expect("a cloud")
            .with_authority("https://127.0.0.1:9/")
            .expect("a URL");
        let transport = Transport::new(&TransportOptions::default()).expect("a transport");
        let surroundings = Surroundings {
            namespace: "avnm-system".to_owned(),
            federated_token_file: None,
            metadata_endpoint: None,
            cloud: cloud.clone(),
        };
        let materials = Materials::new(client, Tokens::new(cloud, transport), surroundings, PROBE);
        let object = serde_json::from_value(json!({
            "apiVersion": "avnm.dev/v1alpha1", "kind": "TenantCredential",
            "metadata": {"name": "central", "namespace": "hub", "uid": "c-1"},
            "spec": {
                "tenantId": "24680975-1234-abcd-56ef-121314ab5643",
                "clientId": "00000000-0000-0000-0000-000000000001",
                "serviceAccount": {"name": "avnm"},
            },
        }));
        Self { world, asked, materials, object: object.expect("a credential") }
    }

    fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Looks once a minute as the credential's own pass does, for so long. What the last look came to.
    async fn pass(&self, minutes: usize) -> Fault {
        let mut last = None;
        for _ in 0..minutes {
            last = self.materials.get(&self.object, Look::Own, &|| false).await.err();
            tokio::time::sleep(PROBE).await;
        }
        last.expect("nobody signs in here")
    }

    /// How often a token was asked for, and how often the ServiceAccount was looked at.
    fn asked(&self) -> (usize, usize) {
        let all = self.asked.all();
        let tokens = all.iter().filter(|asked| asked.path.ends_with("/token")).count();
        (tokens, all.len() - tokens)
    }
}

fn answer(world: &World, asked: &Asked) -> (u16, Value) {
    let path = "/api/v1/namespaces/hub/serviceaccounts/avnm";
    let token = asked.path.strip_prefix(path).unwrap_or_else(|| panic!("{}", asked.path)) == "/token";
    if !(if token { world.may_create } else { world.may_see }) {
        return recorded::refusal(403, "Forbidden", "no right");
    }
    let Some(uid) = world.account else {
        return recorded::refusal(404, "NotFound", "no such ServiceAccount");
    };
    if !token {
        let meta = json!({"name": "avnm", "namespace": "hub", "uid": uid});
        return (
            200,
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}),
        );
    }
    let wished = asked.body["spec"]["expirationSeconds"].as_i64().expect("a life is asked for");
    let iat = 1_800_000_000;
    let claims = json!({
        "iat": iat, "exp": iat + wished.min(world.life_max),
        "kubernetes.io": {"namespace": "hub", "serviceaccount": {"name": "avnm", "uid": uid}},
    });
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let token = if world.readable {
        format!("{}.{}.x", part("{}".to_owned()), part(claims.to_string()))
    } else {
        "opaque".to_owned()
    };
    let spec = json!({"audiences": [], "expirationSeconds": wished});
    let status = json!({"token": token, "expirationTimestamp": "2030-01-01T00:00:00Z"});
    (
        201,
        json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": spec, "status": status}),
    )
}

#[tokio::test(start_paused = true)]
async fn one_token_serves_for_two_hours_and_its_account_is_looked_at_each_minute() {
    let stage = Stage::new(WORLD);
    stage.pass(120).await;
    assert_eq!(stage.asked(), (1, 119));
    stage.pass(1).await;
    assert_eq!(stage.asked(), (2, 119), "an hour is left");
    stage.pass(120).await;
    assert_eq!(stage.asked().0, 3);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_given_for_a_shorter_time_serves_for_two_thirds_of_that() {
    let stage = Stage::new(World { life_max: HOUR, ..WORLD });
    stage.pass(40).await;
    assert_eq!(stage.asked().0, 1);
    stage.pass(1).await;
    assert_eq!(stage.asked().0, 2);
    // One that does not tell is asked for anew each time: it may end at any moment.
    let stage = Stage::new(World { readable: false, ..WORLD });
    stage.pass(5).await;
    assert_eq!(stage.asked(), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn who_may_not_see_the_account_tries_that_once_a_token() {
    let stage = Stage::new(World { may_see: false, ..WORLD });
    stage.pass(120).await;
    assert_eq!(stage.asked(), (1, 1));
    stage.pass(60).await;
    assert_eq!(stage.asked(), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_goes_is_noticed_within_a_minute_and_one_that_is_made_again_gives_another_token() {
    let stage = Stage::new(WORLD);
    stage.pass(10).await;
    stage.change(|world| world.account = None);
    let gone = stage.pass(1).await;
    assert_eq!(
        (gone.code.as_str(), &gone.kind),
        ("ServiceAccountNotFound", &FaultKind::SignIn(SignInFault::SourceMissing))
    );
    assert_eq!(stage.asked().0, 1);
    stage.change(|world| world.account = Some("u-2"));
    assert_ne!(stage.pass(1).await.code, gone.code);
    assert_eq!(stage.asked().0, 2);
    // So quickly that nobody saw it gone.
    stage.change(|world| world.account = Some("u-3"));
    stage.pass(10).await;
    assert_eq!(stage.asked().0, 3);
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_taken_away_is_noticed_where_the_account_could_be_seen() {
    let stage = Stage::new(WORLD);
    stage.pass(10).await;
    stage.change(|world| world.may_see = false);
    assert_ne!(stage.pass(10).await.kind, FaultKind::SignIn(SignInFault::SourceForbidden), "only that one");
    assert_eq!(stage.asked().0, 2);
    let stage = Stage::new(WORLD);
    stage.pass(10).await;
    stage.change(|world| (world.may_see, world.may_create) = (false, false));
    let fault = stage.pass(1).await;
    assert_eq!(fault.kind, FaultKind::SignIn(SignInFault::SourceForbidden));
    assert!(fault.message.contains("serviceaccounts/token"), "{}", fault.message);
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_a_look_gets_another_token() {
    let stage = Stage::new(WORLD);
    stage.pass(10).await;
    for (look, tokens) in [(Look::Use, 1), (Look::Requested, 2), (Look::Changed, 3)] {
        tokio::time::sleep(PROBE).await;
        assert!(stage.materials.get(&stage.object, look, &|| false).await.is_err(), "nobody signs in here");
        assert_eq!(stage.asked().0, tokens, "{look:?}");
    }
}

#[test]
fn what_a_token_does_not_tell_is_nothing() {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"iat":10,"exp":70,"kubernetes.io":{"serviceaccount":{"name":"a","uid":"u-1"}}}"#;
    let read = Claims::of(&format!("{}.{}.x", part("{}"), part(claims))).expect("claims");
    assert_eq!((read.life(), read.kubernetes.serviceaccount.uid.as_str()), (Duration::from_secs(60), "u-1"));
    for bad in ["", "a.b.c", &format!("{}.{}.x", part("{}"), part("7"))] {
        assert!(Claims::of(bad).is_none(), "{bad}");
    }
    for claims in [r#"{"exp":5}"#, r#"{"iat":9,"exp":5}"#, r#"{"iat":-9223372036854775808,"exp":5}"#, "{}"] {
        let life = Claims::of(&format!("x.{}.x", part(claims))).expect("claims").life();
        assert!(life <= Duration::from_secs(5), "{claims}: {life:?}");
    }
}
