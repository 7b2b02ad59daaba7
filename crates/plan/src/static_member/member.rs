//! What is a member's own, and what passes remember of it.

use avnm_api::StaticMemberStatus;
use avnm_terms::{Group, GroupId, Moment, NetworkId, ProvisioningState, Reading};
use jiff::SignedDuration;

use crate::{credential::UsableCredential, lifecycle::At};

/// What is a member's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its group.
    pub group: GroupId,
    /// Its network.
    pub network: NetworkId,
    /// The credential that may read the network itself.
    pub reader: Option<UsableCredential>,
    /// Status as it was read.
    pub shown: StaticMemberStatus,
    /// The group; read only while nothing is held.
    pub group_seen: Option<Reading<Group>>,
    /// Whether the manager may configure routing; read only for a Subnet group.
    pub routing: Option<Reading<bool>>,
    /// Whether the network is there; read only for a member that Failed.
    pub network_seen: Option<Reading<()>>,
    /// What passes remember.
    pub memory: Memory,
}

/// What passes remember of a member, beside what they remember of every item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// Since when Azure says Updating.
    pub(super) updating_since: Option<Moment>,
    /// Since when Azure says Failed.
    pub(super) failed_since: Option<Moment>,
    /// When it was sent again because of that.
    pub(super) retried: Vec<Moment>,
}

/// A member that Failed is sent again after this long.
pub const FAILED_FIRST: SignedDuration = SignedDuration::from_mins(1);
/// And then each time after this long.
pub const FAILED_NEXT: SignedDuration = SignedDuration::from_mins(15);
/// After so many tries a person is called.
pub const FAILED_TRIES: usize = 3;

/// What only a member does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Read the group, which the first PUT depends on.
    ReadGroup,
    /// Read the network with its own tenant's credential.
    ReadNetwork,
}

/// The member among the items: there is one.
pub const MEMBER: At = 0;

impl Memory {
    /// When a member that Failed is sent again.
    fn retry_at(&self, now: Moment) -> Moment {
        match self.retried.last() {
            Some(last) => last.plus(FAILED_NEXT),
            None => self.failed_since.unwrap_or(now).plus(FAILED_FIRST),
        }
    }

    pub(super) fn note(&mut self, state: Option<&ProvisioningState>, now: Moment) {
        match state {
            Some(ProvisioningState::Succeeded) => *self = Self::default(),
            Some(ProvisioningState::Failed) => {
                self.updating_since = None;
                self.failed_since = self.failed_since.or(Some(now));
            }
            Some(_) => self.updating_since = self.updating_since.or(Some(now)),
            None => {}
        }
    }
}

impl Member {
    /// How long until a member that Failed is sent again; `None` if that is due.
    pub(super) fn retry_in(&self, now: Moment) -> Option<SignedDuration> {
        let wait = now.until(self.memory.retry_at(now));
        (wait > SignedDuration::ZERO).then(|| wait.max(SignedDuration::from_secs(1)))
    }
}
