//! An assertion that was got beforehand, as the client of Azure takes it.

use async_trait::async_trait;
use avnm_arm::{AssertionSource, SecretString};
use avnm_terms::Fault;

/// An assertion that was got beforehand.
pub(super) struct Held {
    pub(super) token: SecretString,
    pub(super) identity: String,
}

#[async_trait]
impl AssertionSource for Held {
    async fn assertion(&self) -> Result<SecretString, Fault> {
        Ok(self.token.clone())
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use avnm_arm::Material;

    use super::*;

    #[test]
    fn a_panic_about_a_held_assertion_does_not_tell_it() {
        const TOLD: &str = "never-told-canary";
        let held =
            Held { token: SecretString::from(TOLD), identity: "serviceaccount hub/avnm u-1".to_owned() };
        let material = Material::Assertion(Arc::new(held));
        let about = |shown: &dyn std::fmt::Debug| {
            let panic = std::panic::AssertUnwindSafe(|| panic!("lost: {shown:?}\n{shown:#?}"));
            let payload = std::panic::catch_unwind(panic).unwrap_err();
            payload.downcast_ref::<String>().expect("a formatted panic has its text").clone()
        };
        assert_eq!(about(&material), "lost: Assertion\nAssertion");
        assert!(about(&TOLD).contains(TOLD), "a panic that tells it is noticed");
    }
}
