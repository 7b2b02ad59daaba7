//! Which half of the other party is looked at, where several connect what we connect.

use avnm_terms::{ConnectionState, fold};

use super::{
    connection::{Connection, Other},
    half::{self, Half},
};
use crate::item::Seen;

/// How many others a message names.
const NAMED: usize = 3;

/// Worse is larger: Rejected, Conflict, Revoked, unknown, Pending, Connected.
pub(super) fn badness(state: &ConnectionState) -> u8 {
    match state {
        ConnectionState::Connected => 0,
        ConnectionState::Pending => 1,
        ConnectionState::Other(_) => 2,
        ConnectionState::Revoked => 3,
        ConnectionState::Conflict => 4,
        ConnectionState::Rejected => 5,
    }
}

impl Connection {
    /// The half of the other party that counts, of those that connect what we connect: the one in the best state; of two in
    /// the same state the one that status shows, so that the choice stays, or else the first by id. The others are kept, to
    /// be told of.
    pub fn choose(&mut self, half: Half, mut candidates: Vec<Seen>) -> Option<Seen> {
        let shown = half::status(&self.shown, half).and_then(|status| status.id.clone());
        let is_shown = |seen: &Seen| shown.as_deref().is_some_and(|id| fold(id) == seen.id.key());
        candidates.sort_by_cached_key(|seen| {
            (seen.connection().map_or(u8::MAX, badness), !is_shown(seen), seen.id.clone())
        });
        let mut candidates = candidates.into_iter();
        let chosen = candidates.next();
        let other = |seen: Seen| Some(Other { state: seen.connection()?.clone(), id: seen.id });
        let mut others: Vec<Other> = candidates.filter_map(other).collect();
        others.sort_by(|a, b| a.id.cmp(&b.id));
        *self.others.get_mut(half) = others;
        chosen
    }

    /// What else the other party has, to be said after what its half means; empty where there is nothing else.
    pub(super) fn beside(&self, half: Half) -> String {
        let others = self.others.get(half);
        if others.is_empty() {
            return String::new();
        }
        let mut told: Vec<String> =
            others.iter().take(NAMED).map(|other| format!("{} ({})", other.id, other.state)).collect();
        if others.len() > NAMED {
            told.push(format!("{} more", others.len() - NAMED));
        }
        format!(
            "; the other party has more than one {} for this, and the best counts; also there: {}",
            half.resource().words(),
            told.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use avnm_api::{CrossTenantConnectionStatus, HalfStatus};
    use avnm_terms::{ArmId, ManagerConnection, ManagerId, ScopeId, TenantId};
    use rstest::rstest;

    use super::{super::half::Halves, *};
    use crate::item::{Body, State};

    const MANAGER: &str = "/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/RG/providers/Microsoft.Network/networkManagers/NM";
    const TARGET: &str = "/subscriptions/87654321-abcd-1234-1def-0987654321ab";

    fn connection(shown: Option<&str>) -> Connection {
        let half = shown.map(|name| HalfStatus { id: Some(id(name).to_string()), ..HalfStatus::default() });
        Connection {
            manager: ManagerId::parse(MANAGER).unwrap(),
            tenant: TenantId::parse("12345678-12a3-4abc-5cde-678909876543").unwrap(),
            scope: ScopeId::parse(TARGET).unwrap(),
            roles: Halves::default(),
            shown: CrossTenantConnectionStatus {
                network_manager_connection: half,
                ..CrossTenantConnectionStatus::default()
            },
            recreate: None,
            listed: None,
            others: Halves::default(),
        }
    }

    fn id(name: &str) -> ArmId {
        ArmId::parse(&format!("{TARGET}/providers/Microsoft.Network/networkManagerConnections/{name}"))
            .unwrap()
    }

    fn seen(name: &str, state: &str) -> Seen {
        let state = ConnectionState::parse(state);
        let body = Body::manager_connection_seen(&ManagerConnection {
            id: id(name),
            manager: MANAGER.to_owned(),
            description: String::new(),
            state: state.clone(),
            changed_by: None,
        });
        Seen {
            id: id(name),
            state: State::Connection(state),
            body,
            description: String::new(),
            location: String::new(),
            changed_by: None,
        }
    }

    #[rstest]
    #[case::the_best_wins(None, &[("a", "Pending"), ("b", "Connected")], "b")]
    #[case::also_where_the_other_is_shown(Some("a"), &[("a", "Pending"), ("b", "Connected")], "b")]
    #[case::a_new_word_is_worse_than_a_known_wait(None, &[("a", "Paused"), ("b", "Pending")], "b")]
    #[case::pending_beats_revoked(None, &[("a", "Revoked"), ("b", "Pending"), ("c", "Conflict")], "b")]
    #[case::what_is_shown_stays(Some("b"), &[("a", "Connected"), ("b", "Connected")], "b")]
    #[case::whatever_its_casing(Some("B"), &[("a", "Pending"), ("b", "Pending")], "b")]
    #[case::the_first_by_id(None, &[("b", "Pending"), ("a", "Pending")], "a")]
    #[case::what_is_shown_is_gone(Some("c"), &[("b", "Pending"), ("a", "Pending")], "a")]
    fn the_choice_hangs_on_no_order(
        #[case] shown: Option<&str>,
        #[case] there: &[(&str, &str)],
        #[case] chosen: &str,
    ) {
        for backwards in [false, true] {
            let mut all: Vec<Seen> = there.iter().map(|(name, state)| seen(name, state)).collect();
            if backwards {
                all.reverse();
            }
            let mut own = connection(shown);
            let found = own.choose(Half::Target, all);
            assert_eq!(found.map(|seen| seen.id.name().to_owned()).as_deref(), Some(chosen));
            assert_eq!(own.others.get(Half::Target).len(), there.len() - 1);
            assert!(own.others.get(Half::Scope).is_empty());
        }
    }

    #[test]
    fn the_others_are_told() {
        let mut own = connection(None);
        assert_eq!(own.choose(Half::Target, Vec::new()), None);
        assert_eq!(own.beside(Half::Target), "");
        own.choose(Half::Target, vec![seen("a", "Connected")]);
        assert_eq!(own.beside(Half::Target), "");
        own.choose(Half::Target, vec![seen("b", "Pending"), seen("a", "Connected")]);
        let told = own.beside(Half::Target);
        assert!(told.ends_with(&format!("also there: {} (Pending)", id("b"))), "{told}");
        let many = ["e", "d", "c", "b", "a"].map(|name| seen(name, "Pending"));
        own.choose(Half::Target, many.into());
        let told = own.beside(Half::Target);
        assert!(told.contains(&format!("{} (Pending), {}", id("b"), id("c"))), "{told}");
        assert!(told.ends_with("(Pending), 1 more"), "{told}");
    }
}
