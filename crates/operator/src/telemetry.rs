//! Logs: JSON by default, one line an event, level by flag, and changed while the process runs. Traces beside them, where
//! somebody asks for them; the level of the log is not theirs.

use avnm_controller::LogLevel;
use clap::ValueEnum;
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, fmt, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

use crate::traces::Traces;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Starts logging, and tracing if there is a collector. A bad level is taken as "info", and said. What comes back changes the
/// level.
pub(crate) fn start(level: &str, format: LogFormat, traces: Option<&Traces>) -> Level {
    let (parsed, bad) = match filter(level) {
        Ok(parsed) => (parsed, false),
        Err(_) => (quieted(EnvFilter::new(DEFAULT)), true),
    };
    let (parsed, handle) = reload::Layer::new(parsed);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        LogFormat::Text => lines.boxed(),
    };
    let traces = traces.map(Traces::layer);
    tracing_subscriber::registry().with(lines.with_filter(parsed)).with(traces).init();
    if bad {
        tracing::warn!(level, "--log-level is no level or filter: info is used");
    }
    Level(handle)
}

const DEFAULT: &str = "info";

/// Longest filter that is taken, in bytes.
const LONGEST: usize = 1_024;

fn filter(level: &str) -> Result<EnvFilter, String> {
    if level.trim().is_empty() || level.len() > LONGEST {
        return Err(format!("write a level or a filter, of at most {LONGEST} bytes"));
    }
    EnvFilter::try_new(level.trim()).map(quieted).map_err(|error| error.to_string())
}

/// Where an answer of the API server does not decode, kube logs all of it: it may be a Secret or a token.
fn quieted(filter: EnvFilter) -> EnvFilter {
    match "kube_client::client=error".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    }
}

/// The level of the log.
#[derive(Debug)]
pub(crate) struct Level(reload::Handle<EnvFilter, Registry>);

impl LogLevel for Level {
    fn get(&self) -> String {
        self.0.with_current(ToString::to_string).unwrap_or_default()
    }

    fn set(&self, level: &str) -> Result<(), String> {
        let new = filter(level)?;
        let old = self.get();
        let told = new.to_string();
        self.0.reload(new).map_err(|error| error.to_string())?;
        tracing::warn!(from = old, to = told, "the log level was changed");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_never_lets_out_what_kube_logs_of_answers() {
        for level in ["trace", "info,avnm_arm=debug", " debug\n"] {
            let filter = filter(level).unwrap().to_string();
            assert!(filter.contains("kube_client::client=error"), "{filter}");
        }
        // The more specific one would win, were it not added last.
        let asked = filter("kube_client::client=trace").unwrap().to_string();
        assert_eq!(asked, "kube_client::client=error");
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for bad in ["", " ", "info,avnm_arm=loud", &"a".repeat(LONGEST + 1)] {
            assert!(filter(bad).is_err(), "{bad:?}");
        }
    }
}
