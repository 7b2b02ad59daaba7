//! Flags for which part of the cluster an operator is for.

use avnm_controller::Scope;
use clap::Args;

/// Which objects of the cluster it is for.
#[derive(Debug, Args)]
pub(crate) struct ScopeFlags {
    /// Only objects of these namespaces, separated by commas: Roles in them suffice then, and nothing of the cluster is read, neither
    /// ClusterTenantCredentials nor labels of namespaces [default: all].
    #[arg(long, env = "AVNM_WATCH_NAMESPACES", value_delimiter = ',', value_parser = namespace)]
    watch_namespaces: Vec<String>,
    /// Only connections, members and credentials with these labels, e.g. shard=a or shard in (a,b): what belongs together has to carry
    /// them all. Each operator of a cluster needs a --lease-name of its own, and no label may be in two of them [default: all].
    #[arg(long, env = "AVNM_OBJECT_SELECTOR", value_parser = selector)]
    object_selector: Option<String>,
}

impl ScopeFlags {
    /// The scope.
    pub(crate) fn scope(&self) -> Scope {
        let mut namespaces = self.watch_namespaces.clone();
        namespaces.sort();
        namespaces.dedup();
        Scope { namespaces, selector: self.object_selector.clone() }
    }
}

/// A namespace's name, as Kubernetes takes it.
fn namespace(text: &str) -> Result<String, String> {
    let text = text.trim();
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = text.len() <= 63
        && text.starts_with(letter)
        && text.ends_with(letter)
        && text.chars().all(|c| letter(c) || c == '-');
    if fits {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no namespace; write their names with commas between, e.g. team-a,team-b"))
}

/// A label selector: what it means is for the API server to say.
fn selector(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("write a label selector, e.g. shard=a, or leave the flag out for all objects".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        flags: ScopeFlags,
    }

    fn scope(args: &[&str]) -> Result<Scope, String> {
        let line = Line::try_parse_from([&["x"], args].concat()).map_err(|error| error.to_string())?;
        Ok(line.flags.scope())
    }

    #[test]
    fn everything_is_the_default() {
        assert_eq!(scope(&[]), Ok(Scope::default()));
    }

    #[test]
    fn namespaces_are_named_once_each() {
        let named = scope(&["--watch-namespaces=team-b, team-a,team-b"]).expect("names");
        assert_eq!(named.namespaces, ["team-a", "team-b"]);
        for wrong in ["Team", "a,,b", "-a", "a/b", ""] {
            let error = scope(&[&format!("--watch-namespaces={wrong}")]).expect_err(wrong);
            assert!(error.contains("is no namespace"), "{error}");
        }
    }

    #[test]
    fn an_empty_selector_is_not_all() {
        let all = scope(&["--object-selector", "shard in (a,b)"]).expect("a selector");
        assert_eq!(all.selector.as_deref(), Some("shard in (a,b)"));
        let error = scope(&["--object-selector= "]).expect_err("it selects nothing");
        assert!(error.contains("leave the flag out"), "{error}");
    }
}
