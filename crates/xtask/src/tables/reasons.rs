//! The reasons in their order of precedence, with what each means for Ready, Reconciling and Stalled.

use jiff::SignedDuration;

use super::markdown::table;
use avnm_plan::reason::{Companion, Readiness, Reason};

pub(super) const INTRODUCTION: &str = "\
In order of precedence: of all that holds of an object, the first is shown, and the message names the rest where it \
has the same reason. A refusal that rests on something unread keeps an existing Ready=True for three sweeps, and shows \
Unknown where this table says False if Ready was never known or the three sweeps are over. A few findings say more than their row: a member that Failed three \
times is Stalled, and a credential that Entra does not know yet is Reconciling.";

fn minutes(wait: SignedDuration) -> String {
    format!("{} min", wait.as_mins())
}

pub(super) fn body() -> String {
    let rows = Reason::ALL.iter().enumerate().map(|(at, reason)| {
        let (ready, companion) = reason.row();
        let ready = match ready {
            Readiness::True => "True",
            Readiness::False => "False",
            Readiness::AsItWas => "as it was",
        };
        let (reconciling, stalled) = match companion {
            Companion::None => (String::new(), String::new()),
            Companion::Reconciling => ("True".to_owned(), String::new()),
            Companion::Stalled => (String::new(), "True".to_owned()),
            Companion::StalledAfter(grace) => (format!("the first {}", minutes(grace)), "then".to_owned()),
        };
        vec![
            (at + 1).to_string(),
            format!("`{}`", reason.word()),
            ready.to_owned(),
            reconciling,
            stalled,
            reason.meaning().trim().to_owned(),
        ]
    });
    table(&["", "reason", "Ready", "Reconciling", "Stalled", "meaning"], rows)
}
