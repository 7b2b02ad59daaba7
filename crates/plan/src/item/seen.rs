//! A thing as Azure has it.

use avnm_terms::{ArmId, ConnectionState, ProvisioningState};

use super::body::Body;

/// Azure's word for the state of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Of a half of a connection.
    Connection(ConnectionState),
    /// Of a member.
    Provisioning(ProvisioningState),
}

/// A thing as Azure has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its id.
    pub id: ArmId,
    /// Azure's word.
    pub state: State,
    /// Its body, for comparison.
    pub body: Body,
    /// Its description: sent back by a PUT that does not declare one.
    pub description: String,
    /// Region, `""` where there is none, or it is not known yet.
    pub location: String,
    /// Who changed it last, as Azure tells.
    pub changed_by: Option<String>,
}

impl Seen {
    /// Who changed it last, in words that go before what changed; empty where Azure does not tell.
    pub(crate) fn by(&self) -> String {
        self.changed_by.as_ref().map(|by| format!(" (by {by}, as Azure tells)")).unwrap_or_default()
    }

    /// Azure's word for a half.
    pub fn connection(&self) -> Option<&ConnectionState> {
        match &self.state {
            State::Connection(state) => Some(state),
            State::Provisioning(_) => None,
        }
    }

    /// Azure's word for a member.
    pub fn provisioning(&self) -> Option<&ProvisioningState> {
        match &self.state {
            State::Provisioning(state) => Some(state),
            State::Connection(_) => None,
        }
    }
}
