//! A panic that shows all materials in hand, as Debug has them: that it tells none of them is tested on the whole process,
//! with its panic hook, its logs and its way to end.
//!
//! In debug builds only, and by the environment only: whoever can set that starts the process, and no object of the API
//! server can end it. Release builds do not have it.

use std::fmt::Debug;

/// How many materials must be in hand. Unset: no panic, ever.
const VARIABLE: &str = "AVNM_DEBUG_PANIC_HOLDING";

/// Panics with what is held, once it is as much as the environment says.
pub(crate) fn with(held: &[impl Debug]) {
    let asked = std::env::var(VARIABLE).ok().and_then(|number| number.parse::<usize>().ok());
    let reached = asked.is_some_and(|number| held.len() >= number);
    assert!(!reached, "{VARIABLE}: holding {held:?}\n{held:#?}");
}
