//! What will happen later, in order. Nothing sleeps: whoever looks next lets everything happen that is due.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use rand::rngs::StdRng;

use crate::request::Request;

/// Something that happens by itself.
#[derive(Clone, Debug)]
pub enum Event {
    /// A scope connection looks at the other half.
    ScopeConnection(String),
    /// A network manager connection looks at the other half.
    ManagerConnection(String),
    /// A manager looks whether a scope of another tenant is its own.
    CrossTenantScope {
        /// The manager's key.
        manager: String,
        /// The other tenant.
        tenant: String,
        /// The scope's key.
        scope: String,
    },
    /// A static member that is still Updating knows its network's region.
    MemberPlaced(String),
    /// A static member is done.
    StaticMember(String),
    /// A manager is done with its update.
    Manager(String),
    /// The provider is registered.
    Registered {
        /// The subscription or management group.
        scope: String,
        /// Whose it is.
        tenant: String,
    },
    /// A request whose caller was cut off takes effect.
    Late {
        /// The request.
        request: Box<Request>,
        /// Its number in the ledger.
        seq: u64,
    },
}

/// Events by time. Of two at the same time a seeded draw decides, so that no test leans on their order.
#[derive(Debug, Default)]
pub struct Agenda {
    events: BTreeMap<(Timestamp, u32, u64), Event>,
    serial: u64,
}

impl Agenda {
    /// Notes an event for this many milliseconds after now.
    pub fn add(&mut self, now: Timestamp, ms: u64, event: Event, rng: &mut StdRng) {
        let delay = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
        let due = now.checked_add(delay).unwrap_or(Timestamp::MAX);
        self.serial += 1;
        self.events.insert((due, rng.random(), self.serial), event);
    }

    /// Takes the first event that is due, with its time.
    pub fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Event)> {
        let ((due, _, _), _) = self.events.first_key_value()?;
        if *due > now {
            return None;
        }
        self.events.pop_first().map(|((due, _, _), event)| (due, event))
    }

    /// How many events are still to come.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing is still to come.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn events_come_in_the_order_of_their_times() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut agenda = Agenda::default();
        let now = Timestamp::UNIX_EPOCH;
        agenda.add(now, 20, Event::StaticMember("b".into()), &mut rng);
        agenda.add(now, 10, Event::StaticMember("a".into()), &mut rng);
        assert!(agenda.take_due(now).is_none());
        let later = now + SignedDuration::from_millis(20);
        let names: Vec<String> = std::iter::from_fn(|| agenda.take_due(later))
            .map(|(_, event)| match event {
                Event::StaticMember(name) => name,
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(names, ["a", "b"]);
        assert!(agenda.is_empty());
    }
}
