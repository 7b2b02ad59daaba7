//! Each reason of a member, reached from a situation: what Ready says, what accompanies it, and what time changes.

use avnm_api::{AdoptionPolicy, DeletionPolicy, Mode};
use avnm_plan::{
    meta::CrdState,
    reason::Reason,
    static_member::{ConnectionInput, Inputs},
};
use avnm_terms::{KubeFaultKind, MemberType, ProvisioningState, Reading};
use jiff::SignedDuration;
use rstest::rstest;

use crate::{
    azure::{Author, Trouble, Wrong},
    fixture::{Cred, SCOPE, UID, kube_fault},
    group::{Joined, Names},
    member::{Connection, World, network},
    play::World as _,
};

type Shown = (&'static str, &'static str, &'static str);

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;
const NONE: &str = "";
const RECONCILING: &str = "Reconciling";
const STALLED: &str = "Stalled";

fn new() -> World {
    World::new(Connection::Ready)
}

fn plain() -> World {
    World::new(Connection::Unnamed)
}

fn there() -> World {
    World::succeeded()
}

fn lasting(world: &mut World, trouble: Trouble) {
    world.azure.trouble = Some((trouble, u32::MAX));
}

fn subnets(world: &mut World) {
    if let Reading::Found(group) = &mut world.group {
        group.member_type = MemberType::Subnet;
    }
}

fn nics(world: &mut World) {
    if let Reading::Found(group) = &mut world.group {
        group.member_type = MemberType::Other("Nic".to_owned());
    }
}

fn subnet(world: &mut World) {
    world.spec.resource_id = format!("{}/subnets/a", network(Names::Wanted));
}

fn in_state(world: &mut World, state: &str) {
    let mut joined = Joined::new(Author::Us, Names::Wanted);
    joined.state = ProvisioningState::parse(state);
    world.azure.member = Some(joined);
}

/// From a situation to what is shown after some seconds, and after so many minutes.
#[rstest]
#[case::suspended(new, |w: &mut World| w.spec.suspend = Some(true), ("Unknown", "Suspended", NONE), 30, ("Unknown", "Suspended", NONE))]
#[case::suspended_when_ready(there, |w: &mut World| w.spec.suspend = Some(true), ("True", "Succeeded", NONE), 30, ("True", "Succeeded", NONE))]
#[case::invalid_spec(new, |w: &mut World| w.spec.resource_id = "/x".into(), ("False", "InvalidSpec", STALLED), 30, ("False", "InvalidSpec", STALLED))]
#[case::tenant_of_the_claim(there, |w: &mut World| {
    if let Some(claim) = &mut w.status.claim {
        claim.tenant_id = UID.into();
    }
}, ("False", "TenantMismatch", STALLED), 30, ("False", "TenantMismatch", STALLED))]
#[case::tenant_mismatch(new, |w: &mut World| w.tenant = UID, ("False", "TenantMismatch", STALLED), 30, ("False", "TenantMismatch", STALLED))]
#[case::manager_mismatch(new, |w: &mut World| w.spec.network_group_id = w.spec.network_group_id.replace("myAVNM/", "other/"), ("False", "ManagerMismatch", STALLED), 30, ("False", "ManagerMismatch", STALLED))]
#[case::scope_mismatch(new, |w: &mut World| w.spec.resource_id = network(Names::Wanted).replace(SCOPE, "/subscriptions/00000000-abcd-1234-1def-0987654321ab"), ("False", "ScopeMismatch", STALLED), 30, ("False", "ScopeMismatch", STALLED))]
#[case::credential_mismatch(new, |w: &mut World| w.client = Some(UID), ("False", "CredentialMismatch", STALLED), 30, ("False", "CredentialMismatch", STALLED))]
#[case::credential_missing(new, |w: &mut World| w.gives[0] = false, ("False", "CredentialMissing", STALLED), 30, ("False", "CredentialMissing", STALLED))]
#[case::second_credential_missing(new, |w: &mut World| w.gives[1] = false, ("False", "CredentialMissing", STALLED), 30, ("False", "CredentialMissing", STALLED))]
#[case::scope_of_the_group_not_allowed(new, |w: &mut World| w.allowed[0] = Some(vec!["/subscriptions/x".into()]), ("False", "ScopeNotAllowed", STALLED), 30, ("False", "ScopeNotAllowed", STALLED))]
#[case::scope_not_allowed(new, |w: &mut World| w.allowed[1] = Some(vec!["/subscriptions/x".into()]), ("False", "ScopeNotAllowed", STALLED), 30, ("False", "ScopeNotAllowed", STALLED))]
#[case::a_network_in_a_subnet_group(new, subnets, ("False", "MemberTypeMismatch", STALLED), 30, ("False", "MemberTypeMismatch", STALLED))]
#[case::a_subnet_in_a_network_group(new, subnet, ("False", "MemberTypeMismatch", STALLED), 30, ("False", "MemberTypeMismatch", STALLED))]
#[case::routing_not_enabled(new, |w: &mut World| {
    subnets(w);
    subnet(w);
}, ("False", "RoutingNotEnabled", STALLED), 30, ("False", "RoutingNotEnabled", STALLED))]
#[case::a_member_type_that_is_not_known(new, nics, ("True", "Succeeded", NONE), 30, ("True", "Succeeded", NONE))]
#[case::connection_missing(|| World::new(Connection::Missing), |_: &mut World| (), ("Unknown", "DependencyNotReady", RECONCILING), 11, ("Unknown", "DependencyNotReady", STALLED))]
#[case::no_such_credential(plain, |w: &mut World| w.signer = Cred::Missing, ("Unknown", "DependencyNotReady", RECONCILING), 11, ("Unknown", "DependencyNotReady", STALLED))]
#[case::credential_not_ready(plain, |w: &mut World| w.resource = Cred::NotReady, ("Unknown", "CredentialNotReady", RECONCILING), 11, ("Unknown", "CredentialNotReady", STALLED))]
#[case::credential_not_lent(plain, |w: &mut World| w.signer = Cred::NotLent, ("False", "NamespaceNotAllowed", STALLED), 30, ("False", "NamespaceNotAllowed", STALLED))]
#[case::second_credential_not_lent(plain, |w: &mut World| w.resource = Cred::NotLent, ("False", "NamespaceNotAllowed", STALLED), 30, ("False", "NamespaceNotAllowed", STALLED))]
#[case::withdrawn_when_ready(there, |w: &mut World| w.signer = Cred::NotLent, ("False", "NamespaceNotAllowed", STALLED), 30, ("False", "NamespaceNotAllowed", STALLED))]
#[case::credential_propagating(plain, |w: &mut World| w.signer = Cred::Propagating, ("Unknown", "CredentialNotReady", RECONCILING), 30, ("Unknown", "CredentialNotReady", RECONCILING))]
#[case::credential_terminating(plain, |w: &mut World| w.resource = Cred::Terminating, ("False", "DependencyNotReady", RECONCILING), 11, ("False", "DependencyNotReady", STALLED))]
#[case::last_material(plain, |w: &mut World| w.signer = Cred::LastMaterial, ("False", "DependencyNotReady", RECONCILING), 11, ("False", "DependencyNotReady", STALLED))]
#[case::connection_not_ready(|| World::new(Connection::NotReady), |_: &mut World| (), ("False", "ConnectionNotReady", RECONCILING), 30, ("False", "ConnectionNotReady", RECONCILING))]
#[case::connection_no_longer_ready(there, |w: &mut World| w.connection = Connection::NotReady, ("False", "ConnectionNotReady", RECONCILING), 30, ("False", "ConnectionNotReady", RECONCILING))]
#[case::claimed_by_other(new, |w: &mut World| w.beaten_by = Some("StaticMember a".into()), ("False", "ClaimedByOther", STALLED), 30, ("False", "ClaimedByOther", STALLED))]
#[case::foreign(new, |w: &mut World| w.azure.member = Some(Joined::new(Author::Stranger, Names::Other)), ("False", "Foreign", STALLED), 30, ("False", "Foreign", STALLED))]
#[case::foreign_though_identical(new, |w: &mut World| {
    w.spec.adoption_policy = Some(AdoptionPolicy::Never);
    w.azure.member = Some(Joined::new(Author::Stranger, Names::Wanted));
}, ("False", "Foreign", STALLED), 30, ("False", "Foreign", STALLED))]
#[case::already_exists(new, |w: &mut World| w.azure.elsewhere = true, ("False", "AlreadyExistsAs", STALLED), 30, ("False", "AlreadyExistsAs", STALLED))]
#[case::group_not_found(new, |w: &mut World| lasting(w, Trouble::Read(Wrong::ParentMissing)), ("Unknown", "GroupNotFound", RECONCILING), 11, ("Unknown", "GroupNotFound", STALLED))]
#[case::group_is_gone(new, |w: &mut World| w.group = Reading::Absent, ("False", "GroupNotFound", RECONCILING), 11, ("False", "GroupNotFound", STALLED))]
#[case::permission_denied(new, |w: &mut World| lasting(w, Trouble::Put(Wrong::Denied)), ("False", "PermissionDenied", RECONCILING), 11, ("False", "PermissionDenied", STALLED))]
#[case::azure_refused(new, |w: &mut World| lasting(w, Trouble::Put(Wrong::Refused)), ("False", "AzureRefused", RECONCILING), 11, ("False", "AzureRefused", STALLED))]
#[case::retry(new, |w: &mut World| lasting(w, Trouble::Read(Wrong::Broken)), ("Unknown", "ProgressingWithRetry", RECONCILING), 30, ("Unknown", "ProgressingWithRetry", RECONCILING))]
#[case::ready_is_kept_while_unread(there, |w: &mut World| lasting(w, Trouble::Read(Wrong::Denied)), ("True", "Succeeded", NONE), 14, ("True", "Succeeded", NONE))]
#[case::and_not_for_ever(there, |w: &mut World| lasting(w, Trouble::Read(Wrong::Denied)), ("True", "Succeeded", NONE), 16, ("Unknown", "PermissionDenied", STALLED))]
#[case::updating(there, |w: &mut World| in_state(w, "Deleting"), ("False", "Updating", RECONCILING), 17, ("False", "UpdatingTooLong", RECONCILING))]
#[case::unknown_state(there, |w: &mut World| in_state(w, "Paused"), ("False", "UnknownState", RECONCILING), 30, ("False", "UnknownState", RECONCILING))]
#[case::failed(there, |w: &mut World| {
    in_state(w, "Failed");
    lasting(w, Trouble::Put(Wrong::Denied));
}, ("False", "Failed", RECONCILING), 62, ("False", "Failed", STALLED))]
#[case::failed_and_the_network_is_gone(there, |w: &mut World| {
    in_state(w, "Failed");
    w.azure.network = false;
}, ("False", "TargetMissing", RECONCILING), 3, ("False", "TargetMissing", RECONCILING))]
#[case::would_change(new, |w: &mut World| w.spec.mode = Some(Mode::Observe), ("False", "WouldChange", NONE), 30, ("False", "WouldChange", NONE))]
#[case::observed(there, |w: &mut World| w.spec.mode = Some(Mode::Observe), ("True", "Observed", NONE), 30, ("True", "Observed", NONE))]
#[case::succeeded(new, |_: &mut World| (), ("True", "Succeeded", NONE), 30, ("True", "Succeeded", NONE))]
#[case::succeeded_in_its_own_tenant(plain, |w: &mut World| w.spec.resource_credential_ref = None, ("True", "Succeeded", NONE), 30, ("True", "Succeeded", NONE))]
#[case::deleting(there, |w: &mut World| {
    w.meta.deleting = true;
    lasting(w, Trouble::DeleteLater(MINUTES(40)));
}, ("False", "Deleting", RECONCILING), 30, ("False", "Deleting", RECONCILING))]
fn from_a_situation_to_what_is_shown(
    #[case] begin: fn() -> World,
    #[case] change: fn(&mut World),
    #[case] soon: Shown,
    #[case] minutes: i64,
    #[case] later: Shown,
) {
    let mut world = begin();
    change(&mut world);
    world.run(SignedDuration::from_secs(30));
    assert_eq!(world.shown(), soon, "{}", world.message());
    world.run(MINUTES(minutes) - SignedDuration::from_secs(20));
    assert_eq!(world.shown(), later, "{}", world.message());
}

/// As for a connection: the network's tenant speaks for the network.
#[test]
fn azure_lighthouse_is_refused_by_its_name() {
    let refused = |change: fn(&mut Inputs)| {
        let mut inputs = new().inputs();
        change(&mut inputs);
        let refused = avnm_plan::static_member::desire(&inputs).unwrap().refused.expect("it is refused");
        assert_eq!(refused.reason, Reason::TenantMismatch);
        refused.message
    };
    let delegated = refused(|inputs| inputs.resource = inputs.manager.first().cloned());
    for word in ["central", "the manager's", "Azure Lighthouse", "each tenant's own", "ClusterOperator"] {
        assert!(delegated.contains(word), "{word}: {delegated}");
    }
    let third = refused(|inputs| {
        if let Some(ConnectionInput::Found(facts)) = &mut inputs.connection {
            facts.tenant = UID.into();
        }
    });
    assert!(!third.contains("Lighthouse") && third.contains("refer to a credential"), "{third}");
}

/// What blocks a deletion is named, and each message names a way out.
#[rstest]
#[case::denied(|w: &mut World| lasting(w, Trouble::Delete(Wrong::Denied)), &["AuthorizationFailed"])]
#[case::locked(|w: &mut World| lasting(w, Trouble::Delete(Wrong::Locked)), &["lock"])]
#[case::unproven(|w: &mut World| lasting(w, Trouble::Read(Wrong::Unproven)), &["InvalidResourceType"])]
#[case::suspended(|w: &mut World| w.spec.suspend = Some(true), &["spec.suspend"])]
#[case::crd(|w: &mut World| w.crd = CrdState::Terminating, &["CRDTerminating", "avnm.dev/confirm-delete"])]
#[case::credential(|w: &mut World| w.signer = Cred::Missing, &["central"])]
#[case::credential_withdrawn(|w: &mut World| w.signer = Cred::NotLent, &["central", "not lent to this namespace any more"])]
#[case::scopes(|w: &mut World| w.allowed[0] = Some(vec!["/subscriptions/x".into()]), &["central", "has allowedScopes"])]
fn a_blocked_deletion_names_what_blocks_and_the_way_out(
    #[case] change: fn(&mut World),
    #[case] words: &[&str],
) {
    let mut world = there();
    world.meta.deleting = true;
    change(&mut world);
    world.run(MINUTES(2));
    assert_eq!(world.shown(), ("False", "DeletionBlocked", STALLED));
    let message = world.message().to_owned();
    for word in words.iter().chain(&["Ways out", "Orphan"]) {
        assert!(message.contains(word), "{word}: {message}");
    }
    assert!(world.status.provisioning_state.is_some(), "what was not looked at stays as it was");
    world.spec.deletion_policy = Some(DeletionPolicy::Orphan);
    world.run(MINUTES(2));
    assert!(world.shared.released, "{message}");
}

#[test]
fn a_crd_that_cannot_be_read_is_waited_for() {
    let mut world = there();
    world.meta.deleting = true;
    world.crd = CrdState::Unknown(kube_fault(KubeFaultKind::Unanswered));
    world.run(MINUTES(20));
    assert_eq!(world.shown(), ("False", "Deleting", RECONCILING));
    assert_eq!(world.azure.deletes, 0);
    world.crd = CrdState::Standing;
    world.play();
    assert!(world.shared.released);
}

/// Deleting needs neither the connection nor the network's tenant.
#[test]
fn a_deletion_does_not_wait_for_the_connection() {
    for connection in Connection::ALL {
        for resource in Cred::ALL {
            let mut world = there();
            (world.connection, world.resource, world.meta.deleting) = (connection, resource, true);
            world.play();
            assert!(world.shared.released && world.azure.member.is_none(), "{connection:?} {resource:?}");
        }
    }
}

/// A claim without its finalizer is held again before any verdict, and that is told once.
#[rstest]
#[case::at_rest(|_: &mut World| ())]
#[case::observed(|w: &mut World| w.spec.mode = Some(Mode::Observe))]
#[case::suspended(|w: &mut World| w.spec.suspend = Some(true))]
#[case::refused(|w: &mut World| w.allowed[1] = Some(vec!["/subscriptions/x".into()]))]
#[case::beaten(|w: &mut World| w.beaten_by = Some("StaticMember a".into()))]
#[case::waiting(|w: &mut World| w.connection = Connection::NotReady)]
#[case::unread(|w: &mut World| lasting(w, Trouble::Read(Wrong::Denied)))]
fn a_claim_without_its_finalizer_is_held_again(#[case] change: fn(&mut World)) {
    let mut world = there();
    change(&mut world);
    world.meta.held = false;
    world.pass();
    assert!(world.meta.held);
    world.run(MINUTES(10));
    let restored: Vec<_> = world.shared.told.iter().filter(|one| one.reason == "FinalizerRestored").collect();
    assert!(restored.len() == 1 && restored[0].warning, "{restored:?}");
}

/// A replacement is told as what it is: we deleted it, nobody else did.
#[test]
fn a_replacement_is_not_told_as_a_deletion_by_others() {
    let mut world = there();
    world.azure.member = Some(Joined::new(Author::Stranger, Names::Other));
    world.play();
    let told: Vec<&str> = world.shared.told.iter().map(|one| one.reason).collect();
    assert!(told.contains(&"DriftCorrected") && !told.contains(&"DriftDetected"), "{told:?}");
    assert_eq!(world.shared.memory.items[0].undone(), 1);
}

/// Nothing is written with a source that is gone when read live; an earlier PUT that may land keeps its claim.
#[test]
fn a_source_that_is_gone_live_gets_no_put() {
    let mut world = new();
    world.gone_live = 2;
    world.pass();
    assert_eq!((world.azure.puts, world.shown().1), (0, "DependencyNotReady"));
    assert!(world.status.claim.is_none());
    world.play();
    assert_eq!(world.shown(), ("True", "Succeeded", NONE));
    let mut world = new();
    world.azure.trouble = Some((Trouble::PutCutLater(SignedDuration::from_secs(50)), 1));
    world.pass();
    world.gone_live = 1;
    world.advance(SignedDuration::from_secs(5));
    world.pass();
    assert!(world.status.claim.is_some());
    world.play();
    assert_eq!(world.shown(), ("True", "Succeeded", NONE));
}

#[test]
fn a_credential_that_is_fenced_to_the_group_does_not_look_at_its_manager() {
    let mut world = new();
    subnet(&mut world);
    let group = world.spec.network_group_id.clone();
    let manager = group.split_once("/networkGroups/").unwrap().0.to_owned();
    for (fence, may_read) in [(None, true), (Some(manager), true), (Some(group), false)] {
        world.allowed[0] = fence.clone().map(|scope| vec![scope]);
        let desired = avnm_plan::static_member::desire(&world.inputs()).unwrap();
        assert!(desired.refused.is_none(), "the group is within {fence:?}");
        assert_eq!(desired.own.may_read_manager(desired.items[0].signer.as_ref()), may_read, "{fence:?}");
    }
}

/// What is said of the connection is what it is now: not what it said of an older spec, and no contradiction.
#[rstest]
#[case::not_ready(Some("Revoked"), true, false, "is not Ready (Revoked)")]
#[case::changed(
    Some("Connected"),
    false,
    false,
    "was changed, and is looked at anew (it was Connected before)"
)]
#[case::made_a_moment_ago(None, false, false, "is new, and is looked at first")]
#[case::going(Some("Connected"), true, true, "is being deleted")]
fn how_the_connection_stands_is_said(
    #[case] reason: Option<&str>,
    #[case] current: bool,
    #[case] terminating: bool,
    #[case] words: &str,
) {
    let mut inputs = new().inputs();
    let Some(ConnectionInput::Found(facts)) = &mut inputs.connection else { panic!("it names one") };
    (facts.ready, facts.current, facts.terminating) = (false, current, terminating);
    facts.reason = reason.map(str::to_owned);
    let waits = avnm_plan::static_member::desire(&inputs).unwrap().waits_for;
    let said: Vec<&str> = waits.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with(&format!("CrossTenantConnection fabrikam-prod {words}: ")), "{said:?}");
}

/// Failed, and the network is read in the same pass; it is sent again no sooner for that.
#[test]
fn of_what_failed_the_network_is_read_at_once() {
    let mut world = there();
    in_state(&mut world, "Failed");
    world.azure.network = false;
    world.pass();
    assert_eq!(world.shown(), ("False", "TargetMissing", RECONCILING));
    assert!(world.message().contains("is not there"), "{}", world.message());
    world.azure.network = true;
    world.run(SignedDuration::from_secs(30));
    assert_eq!((world.shown().1, world.azure.puts), ("Failed", 0));
    assert!(world.message().contains("the network is there"), "{}", world.message());
    world.run(MINUTES(2));
    assert!(world.azure.puts > 0, "it is sent again when that is due");
    // Who only observes is told, too.
    let mut world = there();
    in_state(&mut world, "Failed");
    world.spec.mode = Some(Mode::Observe);
    world.azure.network = false;
    world.pass();
    assert_eq!(world.shown().1, "TargetMissing");
}

/// What Azure makes of a member type that we do not know is Azure's to say; where it says no, the word is told.
#[test]
fn a_member_type_that_is_not_known_is_named_where_azure_says_no() {
    let mut refused = new();
    nics(&mut refused);
    lasting(&mut refused, Trouble::Put(Wrong::Refused));
    refused.looks(3);
    assert_eq!(refused.shown(), ("False", "AzureRefused", RECONCILING));
    let mut failed = there();
    nics(&mut failed);
    in_state(&mut failed, "Failed");
    failed.azure.fails = u32::MAX;
    failed.looks(3);
    assert_eq!(failed.shown(), ("False", "Failed", RECONCILING));
    for world in [refused, failed] {
        let ready = avnm_plan::status::find(&world.status.conditions, "Ready").unwrap();
        assert!(ready.message.contains("the member type of the group is \"Nic\""), "{}", ready.message);
    }
}
