//! A watch on the API server: changes as they come, without a process in between that would take its time.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// How long a watch may last. The API server ends it sooner by itself, after 30 minutes at the earliest.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// An open watch.
#[derive(Debug)]
pub struct Watch {
    answer: reqwest::Response,
    begun: Vec<u8>,
    lines: VecDeque<String>,
}

impl Watch {
    pub(crate) async fn open(request: reqwest::RequestBuilder) -> Result<Self> {
        let answer = request.timeout(LONGEST).send().await.context("open a watch")?;
        let status = answer.status();
        if !status.is_success() {
            let text = answer.text().await.unwrap_or_default();
            bail!("a watch was answered {status}: {text}");
        }
        Ok(Self { answer, begun: Vec::new(), lines: VecDeque::new() })
    }

    /// The next event, as the text that came: `{"type":"MODIFIED","object":{…}}`. To parse each of thousands would
    /// take the time away from what is watched; who waits for a word looks for it first.
    pub async fn next(&mut self) -> Result<String> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Ok(line);
            }
            match self.answer.chunk().await.context("read a watch")? {
                Some(bytes) => take_lines(&mut self.begun, &bytes, &mut self.lines),
                None => bail!("the API server has ended a watch"),
            }
        }
    }
}

/// Adds bytes, and moves out the lines that are whole now.
fn take_lines(begun: &mut Vec<u8>, bytes: &[u8], lines: &mut VecDeque<String>) {
    for part in bytes.split_inclusive(|byte| *byte == b'\n') {
        begun.extend_from_slice(part);
        if begun.ends_with(b"\n") {
            let line = String::from_utf8_lossy(begun).trim().to_owned();
            begun.clear();
            if !line.is_empty() {
                lines.push_back(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_however_they_are_cut() {
        let mut begun = Vec::new();
        let mut lines = VecDeque::new();
        for bytes in ["{\"a\":", "1}\n{\"b\":2}\n{\"\u{e4}", "\":3}", "\n\n"] {
            take_lines(&mut begun, bytes.as_bytes(), &mut lines);
        }
        assert_eq!(lines, ["{\"a\":1}", "{\"b\":2}", "{\"\u{e4}\":3}"]);
        assert!(begun.is_empty());
    }
}
