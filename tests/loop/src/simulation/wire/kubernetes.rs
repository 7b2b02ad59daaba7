//! The calls of the operator to Kubernetes.

use avnm_arm::clock;
use serde_json::Value;

use super::{
    super::{
        faults::{Fault, Place},
        oracle,
    },
    Wire,
};
use crate::api_server::{Action, Answer, Hook, Refusal, Request, RequestVerb};

/// What a request is, for matching its answer.
fn key(request: &Request) -> String {
    format!(
        "{} {:?} {}/{} {} {}",
        request.actor.user_agent,
        request.verb,
        request.namespace,
        request.name,
        request.resource_id(),
        request.subresource
    )
}

/// No answer comes. A list of the runtime is given up by the client's own bound, and asked for again; all else has bounds of
/// the controller's.
fn hang(request: &Request) -> Action {
    match request.verb {
        RequestVerb::List => Action::Delay(avnm_controller::READ_TIMEOUT),
        _ => Action::Hang,
    }
}

fn is_operator(request: &Request) -> bool {
    request.actor.user_agent.starts_with("operator")
}

/// What is no step: the lease and the watches have faults of their own, and events change nothing.
fn is_counted(request: &Request) -> bool {
    let aside = ["leases", "events"].contains(&request.plural.as_str());
    is_operator(request) && !aside && !matches!(request.verb, RequestVerb::Watch)
}

impl Hook for Wire {
    fn before(&self, request: &Request) -> Action {
        let agent = &request.actor.user_agent;
        if self.is_dead(agent) {
            return Action::Hang;
        }
        if is_operator(request)
            && let Some(wrong) = oracle::secrecy::request(request)
        {
            self.violation(wrong);
        }
        if request.plural == "leases" && self.lock().cut_off.contains(agent) {
            return Action::Cut;
        }
        if !is_counted(request) {
            return Action::Pass;
        }
        if self.lock().refuses && request.subresource == "status" {
            return Action::Answer(refusal(403));
        }
        let id = request.resource_id();
        let ours = id.ends_with(".avnm.dev");
        if ours && matches!(request.verb, RequestVerb::Get) {
            self.lock().sent.kubernetes_gets += 1;
        }
        if request.verb.writes() && ours {
            self.lock().sent.kubernetes += 1;
            if let Some(now) =
                self.server.get().and_then(|server| server.get(&id, &request.namespace, &request.name))
            {
                self.lock().before.insert(key(request), now);
            }
        }
        let what =
            format!("{:?} {id} {}/{} {}", request.verb, request.namespace, request.name, request.subresource);
        match self.step(Place::Kubernetes, agent, &what) {
            None | Some(Fault::Echo | Fault::Astray) => Action::Pass,
            Some(Fault::CrashBefore | Fault::CrashLate | Fault::LeaseLost) => {
                self.kill(agent);
                Action::Hang
            }
            Some(Fault::Hang) => hang(request),
            Some(Fault::CutBefore | Fault::Html | Fault::LateEffect) => Action::Cut,
            Some(fault @ (Fault::CrashAfter | Fault::CutAfter | Fault::HangAfter)) => {
                self.lock().after.insert(key(request), fault);
                Action::Pass
            }
            Some(Fault::Status(code)) => Action::Answer(refusal(code)),
            Some(Fault::WatchGap) => {
                if let Some(server) = self.server.get() {
                    for kind in server.kinds() {
                        server.end_watches(&kind, true);
                        server.compact(&kind);
                    }
                }
                Action::Pass
            }
            Some(Fault::StaleWatch) => {
                self.stale_watches();
                Action::Pass
            }
        }
    }

    fn after(&self, request: &Request, answer: &Answer) -> Action {
        if !is_counted(request) {
            return Action::Pass;
        }
        let before = self.lock().before.remove(&key(request));
        if request.subresource == "status" && answer.code == 200 {
            self.wrote_status(before.as_ref(), answer);
        }
        let fault = self.lock().after.remove(&key(request));
        match fault {
            Some(Fault::CrashAfter) => {
                self.kill(&request.actor.user_agent);
                Action::Hang
            }
            Some(Fault::CutAfter) => Action::Cut,
            Some(_) => hang(request),
            None => Action::Pass,
        }
    }
}

impl Wire {
    fn wrote_status(&self, before: Option<&Value>, answer: &Answer) {
        let (Ok(after), Some(azure), Some(server)) =
            (serde_json::from_slice::<Value>(&answer.body), self.azure.get(), self.server.get())
        else {
            return;
        };
        for id in oracle::claims::new(before, &after) {
            self.lock().claimed.insert(id.to_ascii_lowercase(), clock::instant());
        }
        let wrong = [
            oracle::ready::status(azure.control(), |id| self.has_looked(id), before, &after),
            oracle::lending::claimed(server, before, &after),
        ];
        for wrong in wrong.into_iter().flatten() {
            self.violation(wrong);
        }
    }
}

fn refusal(code: u16) -> Refusal {
    let (reason, message) = match code {
        403 => ("Forbidden", "an admission policy refuses"),
        409 => ("Conflict", "the object has been modified; please apply your changes to the latest version"),
        410 => ("Expired", "too old resource version"),
        422 => ("Invalid", "a field is invalid"),
        429 => ("TooManyRequests", "the server is busy"),
        _ => ("InternalError", "an error on the server"),
    };
    Refusal::new(code, reason, message)
}
