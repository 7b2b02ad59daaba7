//! The same scripted requests to the server in this process and to the real one, and their answers compared.
//!
//! A [`Sequence`](script::Sequence) is a list of requests that refer to each other's answers. [`play`] sends it to a
//! server; [`normalise`] takes out of the answers what must differ: uids, times, versions. What else may differ has its
//! reason in [`differences`], and stands nowhere else.
//!
//! The answers of the real server are recorded in `tests/answers/`, so that the server in this process is held to them
//! where no real one is at hand.

pub mod differences;
pub mod normalise;
pub mod play;
pub mod script;
pub mod sequences;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Where the answers of the real server are kept.
pub fn recorded(sequence: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers").join(format!("{sequence}.json"))
}

/// The recorded answers of a sequence.
pub fn read(sequence: &str) -> Result<Vec<Value>> {
    let path = recorded(sequence);
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))
}

/// Records the answers of a sequence.
pub fn write(sequence: &str, answers: &[Value]) -> Result<()> {
    let path = recorded(sequence);
    let text = serde_json::to_string_pretty(answers).context("write answers as text")?;
    std::fs::write(&path, text + "\n").with_context(|| format!("write {}", path.display()))
}

/// Where two lists of answers differ, one line a place; empty if they do not.
pub fn compare(real: &[Value], ours: &[Value]) -> Vec<String> {
    let mut told = Vec::new();
    for index in 0..real.len().max(ours.len()) {
        let (Some(real), Some(ours)) = (real.get(index), ours.get(index)) else {
            told.push(format!("the real server gave {} answers, ours {}", real.len(), ours.len()));
            break;
        };
        let step = real["step"].as_str().unwrap_or_default();
        differ(real, ours, step, &mut told);
    }
    told
}

fn differ(real: &Value, ours: &Value, path: &str, told: &mut Vec<String>) {
    match (real, ours) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                match right.get(name) {
                    Some(other) => differ(value, other, &format!("{path} / {name}"), told),
                    None => told.push(format!("{path} / {name}\n    real: {value}\n    ours: absent")),
                }
            }
            for (name, value) in right.iter().filter(|(name, _)| !left.contains_key(*name)) {
                told.push(format!("{path} / {name}\n    real: absent\n    ours: {value}"));
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differ(left, right, &format!("{path} / {index}"), told);
            }
        }
        (left, right) if left != right => {
            told.push(format!("{path}\n    real: {left}\n    ours: {right}"));
        }
        _ => {}
    }
}
