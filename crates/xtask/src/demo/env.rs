//! `target/demo/env`, to be sourced by another shell while the demo is kept up, and what to do with it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use avnm_launcher::{ControlPlane, Emulator, run};

use super::NAMESPACE;

/// Writes it and says where.
pub(crate) fn write(cluster: &ControlPlane, emulator: &Emulator) -> Result<PathBuf> {
    let file = run::target_dir().join("demo/env");
    let kubectl = cluster.kubectl().program().parent().unwrap_or(Path::new("."));
    let text = lines(&[
        ("KUBECONFIG", &cluster.kubeconfig().display().to_string()),
        ("AVNM_ARM_ENDPOINT", emulator.arm()),
        ("AVNM_CA_FILE", &emulator.ca_file().display().to_string()),
        ("AVNM_CONTROL", emulator.control().url()),
    ]) + &format!("export PATH={}:\"$PATH\"\n", quoted(&kubectl.display().to_string()));
    std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
    Ok(file)
}

fn lines(variables: &[(&str, &str)]) -> String {
    variables.iter().map(|(name, value)| ["export ", name, "=", &quoted(value), "\n"].concat()).collect()
}

/// A word that any shell takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Three things that show what the operator is for.
pub(crate) fn things_to_try(file: &Path, connections: &[String]) -> String {
    let half = connections.first().map_or("ID", String::as_str);
    format!(
        "\
in another terminal, first:   . {file}

a) Delete a half behind the operator's back, and see it come back with an event that names it:
     curl -X DELETE \"$AVNM_CONTROL/arm?id={half}\"
     kubectl -n {NAMESPACE} annotate ctc --all --overwrite reconcile.avnm.dev/requestedAt=\"$(date)\"
     kubectl -n {NAMESPACE} get events

b) See with which tokens Azure was called (one PUT of the member has two):
     curl \"$AVNM_CONTROL/ledger?since=0\"

c) Delete all at once, and see the members go before the connection that they need:
     kubectl -n {NAMESPACE} delete avnm --all --wait=false; kubectl -n {NAMESPACE} get avnm --watch

Ctrl-C here ends the demo.
",
        file = file.display()
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    /// Not what we think a shell makes of it, but what one makes of it.
    #[test]
    fn a_shell_reads_back_what_was_written() {
        let value = "it's $HOME and \"more\" `here`";
        let script = format!("{}printf %s \"$X\"", super::lines(&[("X", value)]));
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
    }
}
