//! Who asks for collections, and what the inventory tells the rest of the loop.

use avnm_arm::CredentialKey;
use avnm_terms::Fault;

use crate::members::Changed;

/// An object of this cluster that wants to hear of changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Listener {
    /// A CrossTenantConnection.
    Connection {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A StaticMember.
    Member {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// The rest of the loop, as the inventory sees it.
pub(crate) trait Subscribers: Send + Sync + 'static {
    /// An object has to look: what it waited for was read, or what it asked for differs.
    fn wake(&self, listener: &Listener);

    /// Whether what changed in a group is, or stands in the way of, that object's member.
    fn concerns(&self, listener: &Listener, changed: &Changed) -> bool;

    /// A sweep found that a credential does not sign in.
    fn refused(&self, credential: &CredentialKey, fault: &Fault);
}
