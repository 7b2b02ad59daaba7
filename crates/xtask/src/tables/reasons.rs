//! The reasons in their order of precedence, with what each means for Ready, Reconciling and Stalled, who must act and what is next; and the events.

use jiff::SignedDuration;

use super::markdown::table;
use avnm_plan::{
    event::Event,
    reason::{Companion, Readiness, Reason},
};

pub(super) const INTRODUCTION: &str = "\
What each means, who must act, and the next step. The message of an object says the same with its names and ids, and ends with who must act; \
[troubleshooting](../guide/troubleshooting.md) has a section for each reason.

## Reasons of the Ready condition

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
        let word = reason.word();
        vec![
            (at + 1).to_string(),
            format!("[`{word}`](../guide/troubleshooting.md#{})", word.to_lowercase()),
            ready.to_owned(),
            reconciling,
            stalled,
            reason.meaning().trim().to_owned(),
            reason.who().as_str().to_owned(),
            reason.next().to_owned(),
        ]
    });
    let head = ["", "reason", "Ready", "Reconciling", "Stalled", "meaning", "who must act", "next step"];
    format!("{}\n{EVENTS}\n\n{}", table(&head, rows), events())
}

const EVENTS: &str = "\
## Events

An event whose reason stands above tells that Ready changed to it, with the message of the condition. These tell something else.";

fn events() -> String {
    let rows = Event::ALL.iter().map(|event| {
        vec![
            format!("`{}`", event.as_str()),
            event.meaning().trim().to_owned(),
            event.who().as_str().to_owned(),
            event.next().to_owned(),
        ]
    });
    table(&["event", "what happened", "who may act", "next step"], rows)
}
