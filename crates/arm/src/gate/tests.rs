use rstest::rstest;

use super::*;
use crate::clock;

fn key(verb: VerbClass) -> GateKey {
    GateKey {
        tenant: TenantId::parse("24680975-1234-abcd-56ef-121314ab5643").unwrap(),
        client: ClientId::parse("00000000-0000-0000-0000-000000000001").unwrap(),
        scope: GateScope::Tenant,
        verb,
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[rstest]
#[case("/subscriptions/87654321-1234-5678-ABCD-0987654321ab/resourceGroups/g", true)]
#[case("/Subscriptions/87654321-1234-5678-abcd-0987654321ab", true)]
#[case("/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Network/x/y", false)]
fn scopes(#[case] id: &str, #[case] subscription: bool) {
    let scope = GateScope::of(&ArmId::parse(id).unwrap());
    let wanted = if subscription {
        GateScope::Subscription(SubscriptionId::parse("87654321-1234-5678-abcd-0987654321ab").unwrap())
    } else {
        GateScope::Tenant
    };
    assert_eq!(scope, wanted);
}

/// Closed to the second, and only for its own kind of operation.
#[rstest]
#[case(Some(seconds(17)), 17)]
#[case(Some(seconds(0)), 1)]
#[case(None, 10)]
fn closed_until_then(#[case] asked: Option<Duration>, #[case] wait: u64) {
    let now = clock::instant();
    let mut gates = Gates::default();
    let writes = key(VerbClass::Write);
    let closed = gates.record(&writes, "a", Outcome::Closed(asked), "TooManyRequests", now);
    assert_eq!(closed, Some(seconds(wait)));
    let almost = now + seconds(wait) - Duration::from_millis(1);
    assert_eq!(gates.check(&writes, almost), Some((now + seconds(wait), "TooManyRequests")));
    assert_eq!(gates.check(&writes, now + seconds(wait)), None);
    assert_eq!(gates.check(&key(VerbClass::Delete), now), None);
    assert_eq!(gates.closed(almost).len(), 1);
    assert!(gates.closed(now + seconds(wait)).is_empty());
}

#[test]
fn the_later_wish_holds_and_a_late_answer_opens_nothing() {
    let now = clock::instant();
    let mut gates = Gates::default();
    let key = key(VerbClass::Read);
    gates.record(&key, "a", Outcome::Closed(Some(seconds(60))), "first", now);
    gates.record(&key, "b", Outcome::Closed(Some(seconds(5))), "second", now + seconds(1));
    gates.record(&key, "c", Outcome::Answered, "", now + seconds(2));
    assert_eq!(gates.check(&key, now + seconds(59)), Some((now + seconds(60), "first")));
}

#[test]
fn five_different_resources_in_a_row_close_it() {
    let now = clock::instant();
    let mut gates = Gates::default();
    let key = key(VerbClass::Write);
    let mut fail = |resource: &str, now| gates.record(&key, resource, Outcome::Failing, "HTTP500", now);
    for again in 0..20 {
        assert_eq!(fail("one", now + seconds(again)), None, "one resource alone never closes it");
    }
    for resource in ["two", "three", "four"] {
        assert_eq!(fail(resource, now + seconds(30)), None);
    }
    assert_eq!(fail("five", now + seconds(31)), Some(seconds(30)));
    // After that the count begins anew.
    assert_eq!(fail("six", now + seconds(62)), None);
    assert_eq!(gates.check(&key, now + seconds(60)), Some((now + seconds(61), "HTTP500")));
    assert_eq!(gates.check(&key, now + seconds(61)), None);
}

#[test]
fn an_answer_breaks_the_row() {
    let now = clock::instant();
    let mut gates = Gates::default();
    let key = key(VerbClass::Read);
    for resource in ["1", "2", "3", "4"] {
        gates.record(&key, resource, Outcome::Failing, "HTTP502", now);
    }
    gates.record(&key, "5", Outcome::Answered, "", now);
    assert_eq!(gates.record(&key, "6", Outcome::Failing, "HTTP502", now), None);
    assert_eq!(gates.check(&key, now), None);
}

#[test]
fn open_gates_take_no_room() {
    let now = clock::instant();
    let mut gates = Gates::default();
    let key = key(VerbClass::Read);
    gates.record(&key, "a", Outcome::Closed(Some(seconds(1))), "x", now);
    gates.record(&key, "a", Outcome::Answered, "", now + seconds(1));
    assert!(gates.gates.is_empty());
}
