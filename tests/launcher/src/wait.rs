//! Waiting for something to become true, with an error that tells what was there instead.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::clock::Deadline;

/// What one look saw.
#[derive(Debug)]
pub enum Look<T> {
    /// It has happened; this is the result.
    Done(T),
    /// Not yet; this is what was there instead, for the error at the deadline.
    NotYet(String),
}

impl<T: Debug> Look<T> {
    /// Done if `holds` says so of the value, otherwise the value in words.
    pub fn when(value: T, holds: impl FnOnce(&T) -> bool) -> Self {
        if holds(&value) { Self::Done(value) } else { Self::NotYet(format!("{value:#?}")) }
    }
}

/// Looks every `poll` until it is done, for at most `deadline`.
///
/// A look that fails is only not done yet: objects that do not exist so far and servers that restart are the
/// normal case here, and what they answered last stands in the error.
pub async fn wait_until<T, F, L>(deadline: Duration, poll: Duration, mut look: F, what: &str) -> Result<T>
where
    F: FnMut() -> L,
    L: Future<Output = Result<Look<T>>>,
{
    let until = Deadline::after(deadline);
    loop {
        // Asked before the look, so that the last look always begins at or after the deadline.
        let last_chance = until.passed();
        let seen = match look().await {
            Ok(Look::Done(value)) => return Ok(value),
            Ok(Look::NotYet(seen)) => seen,
            Err(error) => format!("error: {error:#}"),
        };
        if last_chance {
            bail!("waited {:.1} s for {what}; last seen:\n{seen}", until.waited().as_secs_f64());
        }
        tokio::time::sleep(poll).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn ends_with_the_value_that_was_waited_for() {
        let mut n = 0;
        let look = || {
            n += 1;
            let n = n;
            async move { Ok(Look::when(n, |n| *n == 3)) }
        };
        assert_eq!(wait_until(Duration::from_secs(5), POLL, look, "three").await.unwrap(), 3);
    }

    #[tokio::test]
    async fn at_the_deadline_it_tells_what_it_saw_last() {
        let look = || async { Ok(Look::<()>::NotYet("Pending".into())) };
        let error =
            wait_until(Duration::from_millis(5), POLL, look, "Connected").await.unwrap_err().to_string();
        assert!(error.contains("for Connected") && error.contains("Pending"), "{error}");
    }

    #[tokio::test]
    async fn a_failed_look_is_looked_at_again() {
        let mut n = 0;
        let look = || {
            n += 1;
            let n = n;
            async move { if n < 3 { Err(anyhow::anyhow!("no such object")) } else { Ok(Look::Done(n)) } }
        };
        assert_eq!(wait_until(Duration::from_secs(5), POLL, look, "the object").await.unwrap(), 3);
    }
}
