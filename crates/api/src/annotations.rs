//! Finalizers and annotations that are part of the API.

/// Finalizer on what holds, or is about to hold, something in Azure.
pub const FINALIZER_AZURE: &str = "avnm.dev/azure";
/// Finalizer on credentials that a claim needs.
pub const FINALIZER_IN_USE: &str = "avnm.dev/in-use";
/// Annotation: a new value deletes our halves and makes them again, once, where Azure offers no other way out.
pub const RECREATE: &str = "avnm.dev/recreate";
/// Annotation: a new value forces a fresh read of Azure; it is then copied to `status.lastHandledReconcileAt`.
pub const REQUESTED_AT: &str = "reconcile.avnm.dev/requestedAt";
/// Annotation: any value confirms that an object may be deleted in Azure, under deletionPolicy Confirm, and although its CRD
/// is being deleted.
pub const CONFIRM_DELETE: &str = "avnm.dev/confirm-delete";
