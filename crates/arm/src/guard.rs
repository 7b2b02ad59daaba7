//! Who may write.

/// Asked right before every PUT and DELETE goes out, also before a second try.
///
/// Azure cannot be fenced, so a holder whose lease is about to end must not send: the refusal becomes a fault of
/// kind `NoLease`, and nothing was sent.
pub trait WriteGuard: Send + Sync {
    /// Whether a write may go out now; if not, why.
    fn allow_write(&self) -> Result<(), String>;
}
