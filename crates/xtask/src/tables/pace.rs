//! Waits for each thing that can be waited for, at the default settings.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::markdown::table;
use avnm_plan::{
    credential, item,
    pace::{Waiting, Waits, next},
    reason, static_member as member,
};

pub(super) const INTRODUCTION: &str = "\
Asked of `pace::next` at the default settings. A change that comes by itself (Reconciling that becomes Stalled) \
shortens a wait, and so does an event: waits are how long nothing needs to happen.";

const EXAMPLE: SignedDuration = SignedDuration::from_secs(97);
const STEPS: u32 = 10;

fn seconds(wait: SignedDuration) -> String {
    let whole = wait.as_secs();
    if wait.subsec_millis() == 0 {
        whole.to_string()
    } else {
        format!("{}.{:03}", whole, wait.subsec_millis())
    }
}

pub(super) fn body() -> String {
    let waits = Waits::default();
    let now = Timestamp::UNIX_EPOCH;
    let one =
        |waiting| next(waiting, &waits, None, now).map_or("none: a difference wakes it".to_owned(), seconds);
    let many =
        |make: fn(u32) -> Waiting| (0..STEPS).map(|count| one(make(count))).collect::<Vec<_>>().join(", ");
    let rows = [
        ("nothing: it is at rest", one(Waiting::Nothing)),
        ("a person, or another object (whose change wakes it)", one(Waiting::Someone)),
        ("Azure to settle what was written, by the number of looks", many(Waiting::Settling)),
        ("a passing failure, by failures in a row", many(|streak| Waiting::Retry { streak, after: None })),
        (
            "a passing failure, where Azure asked for 97 s",
            one(Waiting::Retry { streak: 0, after: Some(EXAMPLE) }),
        ),
        (
            "the same, where Azure asked for 0 s, by failures in a row",
            many(|streak| Waiting::Retry { streak, after: Some(SignedDuration::ZERO) }),
        ),
        ("absence, to be read again", one(Waiting::Gone)),
        (
            "the effect of an unanswered write, possible for 42 s more",
            one(Waiting::Quiet(SignedDuration::from_secs(42))),
        ),
        ("the same, when the time is just over", one(Waiting::Quiet(SignedDuration::ZERO))),
        ("an object that was written meanwhile", one(Waiting::AtOnce)),
    ];
    let mut text = table(&["waits for", "seconds"], rows.map(|(what, wait)| vec![what.to_owned(), wait]));
    let bounds = [
        ("between sweeps of a collection (flag)", waits.sweep),
        ("longest wait between retries (flag)", waits.retry_max),
        ("between the reads that prove that a half is gone (flag)", waits.gone),
        ("effect of an unanswered PUT (flag)", waits.quiet),
        ("what was sent to show, before its absence proves anything (flag)", waits.lag),
        ("role assignments and references, before Stalled", reason::GRACE),
        ("Revoked, before Stalled (assumed)", reason::REVOKED_GRACE),
        ("Activating, before PendingTooLong", reason::ACTIVATING),
        ("Updating, before UpdatingTooLong", reason::UPDATING),
        ("Propagating, before SignInRefused", reason::PROPAGATION),
        ("a correction to show, before ReplaceNeeded", item::CORRECTION_SETTLES),
        ("before a DELETE is sent again", item::DELETE_SETTLES),
        ("between corrections while Contended", item::CONTENDED_PACE),
        ("a correction that Azure refused, before it is sent again", item::REFUSED_PACE),
        ("a Failed member, before it is sent again first", member::FAILED_FIRST),
        ("a Failed member, before it is sent again each next time", member::FAILED_NEXT),
        ("between tries of a failing credential (flag)", credential::PROBE),
    ];
    let rows = bounds.map(|(what, wait)| vec![what.to_owned(), seconds(wait)]);
    let _ = write!(text, "\n## Bounds\n\n{}", table(&["what", "seconds"], rows));
    text
}
