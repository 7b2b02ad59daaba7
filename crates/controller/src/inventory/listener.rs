//! Who asks for collections, and what the inventory tells the rest of the loop.

use std::sync::Arc;

use avnm_arm::CredentialKey;
use avnm_terms::Fault;

use crate::{members::Changed, uses::User};

/// An object of this cluster that wants to hear of changes. Each collection that it asked for has one: they share it.
pub(crate) type Listener = Arc<User>;

/// The rest of the loop, as the inventory sees it.
pub(crate) trait Subscribers: Send + Sync + 'static {
    /// An object has to look: what it waited for was read, or what it asked for differs.
    fn wake(&self, listener: &Listener);

    /// Whether what changed in a group is, or stands in the way of, that object's member.
    fn concerns(&self, listener: &Listener, changed: &Changed) -> bool;

    /// A sweep found that a credential does not sign in.
    fn refused(&self, credential: &CredentialKey, fault: &Fault);
}
