//! A federated credential: an application trusts what an issuer says of one subject.

use anyhow::ensure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many an application may have.
pub const LIMIT: usize = 20;

/// The audience that Entra proposes.
pub const AUDIENCE: &str = "api://AzureADTokenExchange";

/// One federated credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    /// The issuer, exactly as in its tokens.
    pub issuer: String,
    /// The subject, exactly as in its tokens.
    pub subject: String,
    /// The audience, exactly as in its tokens.
    #[serde(default = "audience")]
    pub audience: String,
    /// From when on it works; None, it always did.
    #[serde(skip)]
    pub works_from: Option<Timestamp>,
}

fn audience() -> String {
    AUDIENCE.into()
}

/// Adds one, where Entra would.
pub fn add(to: &mut Vec<FederatedCredential>, new: FederatedCredential) -> anyhow::Result<()> {
    ensure!(to.len() < LIMIT, "an application has at most {LIMIT} federated credentials");
    let twice = to.iter().any(|it| it.issuer == new.issuer && it.subject == new.subject);
    ensure!(!twice, "there is a federated credential with issuer {} and subject {}", new.issuer, new.subject);
    to.push(new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(subject: &str) -> FederatedCredential {
        FederatedCredential {
            issuer: "https://i".into(),
            subject: subject.into(),
            audience: audience(),
            works_from: None,
        }
    }

    #[test]
    fn an_application_has_at_most_twenty_and_no_two_alike() {
        let mut all = Vec::new();
        for number in 0..LIMIT {
            add(&mut all, credential(&number.to_string())).unwrap();
        }
        let error = add(&mut all, credential("more")).unwrap_err().to_string();
        assert_eq!(error, "an application has at most 20 federated credentials");
        all.truncate(1);
        assert!(add(&mut all, credential("0")).unwrap_err().to_string().contains("subject 0"));
    }
}
