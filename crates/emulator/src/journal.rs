//! What is told of each call outside: a line in the log and, where asked for, the call's entry in a file.
//!
//! Both are written before the caller has its answer, so that who made a call finds it. A container that is gone has
//! no control endpoint to ask any more; its log and the file are still there.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;

use crate::azure::Azure;
use crate::ledger::{CallKind, Entry};

/// What the log's lines stand under, for AVNM_EMULATOR_LOG.
const CALLS: &str = "avnm_emulator::calls";

/// Tells of calls.
#[derive(Debug)]
pub struct Journal {
    file: Option<Mutex<File>>,
    logs: bool,
    turn: Mutex<()>,
}

impl Journal {
    /// One that writes to this file, too. What an earlier run left in it goes.
    pub fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let file = path
            .map(|path| empty(path).with_context(|| format!("write the ledger to {}", path.display())))
            .transpose()?;
        Ok(Self {
            file: file.map(Mutex::new),
            logs: tracing::enabled!(target: CALLS, tracing::Level::INFO),
            turn: Mutex::new(()),
        })
    }

    /// Whether anyone is told.
    pub fn is_kept(&self) -> bool {
        self.logs || self.file.is_some()
    }

    /// Tells of the calls that were answered, cut off or had their late effect since it last did.
    pub fn tell(&self, azure: &Azure) {
        if !self.is_kept() {
            return;
        }
        // Taking and writing are one turn: whoever comes next finds its own call written, even if another took it.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in azure.told() {
            tracing::info!(target: CALLS, "{}", line(&entry));
            if let Some(file) = &self.file
                && let Err(error) = append(file, &entry)
            {
                tracing::error!(%error, "write to the ledger's file");
            }
        }
    }
}

/// An empty file to append to: should somebody else empty it, the next line is its first, and not behind a gap.
fn empty(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    // A pipe has no length.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(file)
}

fn append(file: &Mutex<File>, entry: &Entry) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)?;
    Ok(())
}

/// A call in one line: method, id, status, code, and who called. The query and the body stay out: what a client puts
/// there by mistake may be a secret.
fn line(entry: &Entry) -> String {
    let mut line = format!("#{} {} {} ", entry.seq, entry.method.escape_debug(), entry.path.escape_debug());
    match entry.status {
        Some(status) => {
            let _ = write!(line, "{status}");
        }
        None => line.push_str("cut off"),
    }
    if let Some(code) = &entry.code {
        let _ = write!(line, " {}", code.escape_debug());
    }
    if let Some(effect) = entry.effect {
        let _ = write!(line, " (took effect: {effect})");
    }
    let (who, tenant) = match entry.kind {
        CallKind::Arm => (&entry.principal, &entry.bearer_tenant),
        CallKind::Token | CallKind::Imds => (&entry.client_id, &entry.tenant),
    };
    let _ = write!(line, ", {}", who.as_deref().unwrap_or("nobody").escape_debug());
    let tenants: Vec<&str> = tenant.iter().chain(&entry.auxiliary_tenants).map(String::as_str).collect();
    if !tenants.is_empty() {
        let _ = write!(line, " of {}", tenants.join(" + ").escape_debug());
    }
    if let Some(fault) = entry.fault {
        let _ = write!(line, ", fault {fault}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::entry;

    #[test]
    fn a_line_says_what_was_asked_by_whom_and_what_came_of_it() {
        let (app, central, target) =
            (Some("app".to_owned()), Some("central".to_owned()), "target".to_owned());
        let call = Entry {
            seq: 7,
            method: "PUT".into(),
            path: "/subscriptions/s".into(),
            query: "api-version=x&code=secret".into(),
            status: Some(429),
            code: Some("TooManyRequests".into()),
            principal: app.clone(),
            bearer_tenant: central.clone(),
            auxiliary_tenants: vec![target],
            fault: Some(2),
            ..entry()
        };
        assert_eq!(
            line(&call),
            "#7 PUT /subscriptions/s 429 TooManyRequests, app of central + target, fault 2"
        );
        let cut = Entry { status: None, code: None, effect: Some(200), fault: None, ..call };
        assert_eq!(line(&cut), "#7 PUT /subscriptions/s cut off (took effect: 200), app of central + target");
        let token =
            Entry { kind: CallKind::Token, client_id: app, tenant: central, status: Some(200), ..entry() };
        assert_eq!(line(&token), "#0 GET / 200, app of central");
        assert_eq!(line(&Entry { status: Some(401), ..entry() }), "#0 GET / 401, nobody");
    }

    #[test]
    fn nobody_writes_a_line_of_its_own_by_a_path() {
        let call = Entry { path: "/a\n#2 GET /b".into(), ..entry() };
        assert!(!line(&call).contains('\n'));
    }
}
