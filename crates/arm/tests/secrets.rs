//! No log line holds a secret. A binary of its own, because a subscriber for every library is the process's.

#[path = "wire/stage.rs"]
mod stage;

use std::sync::{Arc, Mutex};

use avnm_arm::MemberBody;
use avnm_terms::{AzureName, FaultKind, GroupId, MemberId, NetworkId};
use stage::{CENTRAL, Reply, Stage, TARGET, credential};

const MEMBER: &str = r#"{"name":"m","properties":{"resourceId":"/x","provisioningState":"Updating"}}"#;

fn member() -> (MemberId, MemberBody) {
    let provider =
        "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network";
    let group = GroupId::parse(&format!("{provider}/networkManagers/NM/networkGroups/G")).unwrap();
    let network = NetworkId::parse(&format!("{provider}/virtualNetworks/V")).unwrap();
    (MemberId::new(&group, &AzureName::parse("m").unwrap()), MemberBody { resource: network })
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// At the highest level, of every library below us, in success and in failure.
#[tokio::test]
async fn no_log_line_holds_a_secret_or_a_token() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let stage = Stage::start(|seen, before| match (seen.is_sign_in(), before) {
        (true, 1) => Some(Reply::json(
            401,
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: s3cr3t is wrong"}"#,
        )),
        (false, 0) => Some(Reply::json(200, MEMBER)),
        (false, _) => Some(Reply::error(401, "ExpiredAuthenticationToken")),
        _ => None,
    })
    .await;
    let arm = stage.arm();
    let (central, target) = (credential("a", CENTRAL), credential("b", TARGET));
    let (id, wanted) = member();
    let refused = arm.put_member(&central, Some(&target), &id, &wanted).await.unwrap_err();
    arm.put_member(&central, Some(&target), &id, &wanted).await.unwrap();
    let expired = arm.get_member(&central, &id).await;
    let shown = format!("{refused} {refused:?} {expired:?} {arm:?} {:?} {central:?}", arm.tokens());
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("put staticMember"), "our own lines are there");
    assert!(logged.contains("hyper"), "and those of others");
    for text in [&shown, &logged] {
        for hidden in ["s3cr3t", "token0", "token1", "token2", "token3"] {
            assert!(!text.contains(hidden), "{hidden} was shown");
        }
    }
    assert!(matches!(refused.kind, FaultKind::SignIn(_)));
}
