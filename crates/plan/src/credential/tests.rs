use avnm_api::CredentialStatus;
use avnm_terms::{ClientId, Fault, FaultKind, KubeFaultKind, SignInFault, TenantId};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use super::*;
use crate::status::find;

const TENANT: &str = "24680975-1234-abcd-56ef-121314ab5643";
const T0: Timestamp = Timestamp::UNIX_EPOCH;

fn meta() -> Meta {
    Meta {
        uid: "u1".into(),
        namespace: "hub".into(),
        name: "central".into(),
        generation: 1,
        created: None,
        deleting: false,
        held: false,
        recreate: None,
        requested_at: None,
        confirm_delete: false,
    }
}

fn inputs(sign_in: SignIn) -> Inputs {
    let client = ClientId::parse("00000000-0000-0000-0000-000000000001").unwrap();
    Inputs {
        meta: meta(),
        identity: Ok((TenantId::parse(TENANT).unwrap(), client)),
        status: CredentialStatus::default(),
        held: true,
        side: Side::Target,
        sign_in,
        users: None,
        propagating_since: None,
        signed_in: false,
    }
}

fn refusal(kind: SignInFault, code: &str) -> SignIn {
    let fault = Fault::local("sign in", "application a in tenant t", FaultKind::SignIn(kind), "it says no");
    SignIn::Failed(Fault { code: code.into(), ..fault })
}

fn told(inputs: &Inputs, now: Timestamp) -> Reported {
    report(inputs, Remembered::default(), &Waits::default(), PROBE, now)
}

/// Ready's status and reason.
fn ready(reported: &Reported) -> (&str, &str) {
    let ready = find(&reported.status.conditions, "Ready").unwrap();
    (ready.status.as_str(), ready.reason.as_str())
}

fn has(reported: &Reported, kind: &str) -> bool {
    find(&reported.status.conditions, kind).is_some()
}

#[rstest]
#[case::a_token(SignIn::Token, ("True", "TokenAcquired"), ("True", "TokenAcquired"))]
#[case::refused(refusal(SignInFault::Refused, "AADSTS7000215"), ("False", "SignInRefused"), ("False", "SignInRefused"))]
#[case::no_secret(refusal(SignInFault::SourceMissing, SECRET_NOT_FOUND), ("False", "SecretNotFound"), ("False", "SecretNotFound"))]
#[case::no_source(refusal(SignInFault::SourceMissing, "ServiceAccountNotFound"), ("False", "SourceNotFound"), ("False", "SourceNotFound"))]
#[case::no_right(refusal(SignInFault::SourceForbidden, "Forbidden"), ("False", "SourceForbidden"), ("False", "SourceForbidden"))]
#[case::not_known_yet(refusal(SignInFault::Propagating, "AADSTS70021"), ("False", "Propagating"), ("False", "Propagating"))]
// Silence says nothing: it does not take Ready away.
#[case::silence(refusal(SignInFault::Unreachable, "HTTP503"), ("Unknown", "Unreachable"), ("True", "TokenAcquired"))]
fn at_first_and_after_it_was_ready(
    #[case] sign_in: SignIn,
    #[case] at_first: (&str, &str),
    #[case] later: (&str, &str),
) {
    assert_eq!(ready(&told(&inputs(sign_in.clone()), T0)), at_first);
    let was = told(&inputs(SignIn::Token), T0).status;
    let now = Inputs { status: was, ..inputs(sign_in) };
    assert_eq!(ready(&told(&now, T0 + SignedDuration::from_secs(60))), later);
}

#[test]
fn entra_may_not_know_it_for_a_quarter_of_an_hour_and_then_somebody_has_to_act() {
    let mut inputs = inputs(refusal(SignInFault::Propagating, "AADSTS70021"));
    inputs.propagating_since = Some(T0);
    let almost = told(&inputs, T0 + PROPAGATION - SignedDuration::from_secs(1));
    assert_eq!(ready(&almost), ("False", "Propagating"));
    assert!(has(&almost, "Reconciling") && !has(&almost, "Stalled"));
    assert!(almost.status.conditions[0].message.contains("may take some minutes"));
    let long = told(&inputs, T0 + PROPAGATION);
    assert_eq!(ready(&long), ("False", "SignInRefused"));
    let ready = find(&long.status.conditions, "Ready").unwrap();
    assert!(ready.message.contains("issuer, subject and audience"), "what to do: {}", ready.message);
    assert!(ready.message.ends_with("(ClusterOperator)"), "and who: {}", ready.message);
    // It is tried once a probe all the same: Azure's errors are never final.
    assert_eq!((almost.after.look, long.after.look), (Some(PROBE), Some(PROBE)));
}

/// What Entra knew once was changed since: nobody waits for it to be known.
#[test]
fn after_it_signed_in_what_entra_does_not_know_is_a_refusal() {
    for code in
        ["AADSTS70021", "AADSTS70025", "AADSTS700211", "AADSTS700212", "AADSTS700213", "AADSTS7000272"]
    {
        let unknown = || refusal(SignInFault::Propagating, code);
        let was = told(&inputs(SignIn::Token), T0).status;
        assert!(signed_in(&was, 1) && !signed_in(&was, 2), "another spec may be another way to sign in");
        let changed = Inputs { status: was, signed_in: true, ..inputs(unknown()) };
        let shown = told(&changed, T0 + SignedDuration::from_secs(60));
        assert_eq!(ready(&shown), ("False", "SignInRefused"), "{code}");
        assert!(has(&shown, "Reconciling"), "it has its grace");
        let message = &find(&shown.status.conditions, "Ready").unwrap().message;
        assert!(message.contains("signed in before") && message.ends_with("(ClusterOperator)"), "{message}");
        assert!(!signed_in(&shown.status, 1), "status alone tells no more");
        // And a process that begins anew does not take it back.
        let now = T0 + SignedDuration::from_secs(120);
        let since = propagating_since(&shown.status, None, &unknown(), now);
        let restarted = Inputs { status: shown.status, propagating_since: since, ..inputs(unknown()) };
        assert_eq!(ready(&told(&restarted, now)), ("False", "SignInRefused"));
        assert_eq!(ready(&told(&inputs(unknown()), T0)), ("False", "Propagating"), "at first it may be");
    }
}

#[test]
fn an_expired_certificate_is_for_whoever_writes_the_secret() {
    let reported = told(&inputs(refusal(SignInFault::Refused, "AADSTS1000502")), T0);
    let message = &find(&reported.status.conditions, "Ready").unwrap().message;
    assert!(message.ends_with("(ClusterOperator)"), "{message}");
}

#[test]
fn a_missing_source_is_looked_for_sooner_than_entra_is_asked() {
    let look = |sign_in, streak| {
        let remembered = Remembered { streak, unread_since: None };
        report(&inputs(sign_in), remembered, &Waits::default(), PROBE, T0)
            .after
            .look
            .expect("it is probed")
            .as_secs()
    };
    let missing = || refusal(SignInFault::SourceMissing, SECRET_NOT_FOUND);
    assert_eq!([0, 1, 2, 9].map(|streak| look(missing(), streak)), [1, 2, 4, 60]);
    assert_eq!(look(refusal(SignInFault::Refused, "AADSTS7000215"), 0), 60);
    assert_eq!(look(SignIn::Token, 0), 60, "a changed Secret is seen within a probe");
}

#[test]
fn the_tenant_is_that_of_the_last_token() {
    let ready = told(&inputs(SignIn::Token), T0).status;
    assert_eq!(ready.tenant_id.as_deref(), Some(TENANT));
    let refused = refusal(SignInFault::Refused, "AADSTS7000215");
    assert_eq!(told(&inputs(refused.clone()), T0).status.tenant_id, None, "there was none");
    let later = Inputs { status: ready, ..inputs(refused) };
    assert_eq!(told(&later, T0).status.tenant_id.as_deref(), Some(TENANT), "there was one");
}

#[rstest]
#[case::nobody(Some(Ok(vec![])), Hold::Release)]
#[case::somebody(Some(Ok(vec!["StaticMember a".into()])), Hold::Leave)]
#[case::not_listed(Some(Err(KubeFault::local("list", "x", KubeFaultKind::Server, "no answer"))), Hold::Leave)]
#[case::not_asked(None, Hold::Leave)]
fn it_goes_once_a_list_shows_no_user(
    #[case] users: Option<Result<Vec<String>, KubeFault>>,
    #[case] wanted: Hold,
) {
    let mut going = Inputs { users, ..inputs(SignIn::Token) };
    assert_eq!(hold(&going), Hold::Leave, "it is not being deleted");
    going.meta.deleting = true;
    assert_eq!(hold(&going), wanted);
    going.held = false;
    assert_eq!(hold(&going), Hold::Leave, "there is nothing to take off");
}

#[test]
fn how_long_entra_has_not_known_it_outlives_silence_and_restarts() {
    let unknown = refusal(SignInFault::Propagating, "AADSTS70021");
    let silence = refusal(SignInFault::Unreachable, "HTTP503");
    let (fresh, later) = (CredentialStatus::default(), T0 + SignedDuration::from_mins(9));
    let since = |old: &CredentialStatus, remembered, sign_in: &SignIn| {
        propagating_since(old, remembered, sign_in, later)
    };
    assert_eq!(since(&fresh, None, &unknown), Some(later), "it begins");
    assert_eq!(since(&fresh, Some(T0), &unknown), Some(T0), "it goes on");
    assert_eq!(since(&fresh, Some(T0), &silence), Some(T0), "silence says nothing");
    assert_eq!(since(&fresh, Some(T0), &SignIn::Token), None, "it is over");
    assert_eq!(since(&fresh, Some(T0), &refusal(SignInFault::Refused, "AADSTS7000215")), None);
    // A process that begins anew goes by what the one before it wrote.
    let shown = told(&inputs(unknown.clone()), T0).status;
    assert_eq!(since(&shown, None, &unknown), Some(T0));
    let other = refusal(SignInFault::Propagating, "AADSTS700213");
    assert_eq!(since(&shown, None, &other), Some(T0), "until all of Entra knows it, codes may differ");
    assert_eq!(since(&shown, Some(T0), &other), Some(T0));
    let refused = told(&inputs(refusal(SignInFault::Refused, "AADSTS7000215")), T0).status;
    assert_eq!(since(&refused, None, &unknown), Some(later), "what was refused before was no wait");
    let mut given_up = inputs(unknown.clone());
    given_up.propagating_since = Some(T0);
    let given_up = told(&given_up, T0 + PROPAGATION).status;
    let now = T0 + PROPAGATION + SignedDuration::from_secs(1);
    let since = propagating_since(&given_up, None, &unknown, now);
    let restarted = Inputs { propagating_since: since, ..inputs(unknown) };
    assert_eq!(ready(&told(&restarted, now)), ("False", "SignInRefused"), "nor is it taken back");
}
