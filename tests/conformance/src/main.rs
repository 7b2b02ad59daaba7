//! `make conformance`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Holds recorded traffic of the real Azure against the client's wire types and the emulator.
///
/// Each exchange is decoded with the types that the client uses, and nothing that is used may be lost. Then the file
/// is played in order against the emulator: status, shape of the body and the headers that matter must be the same.
/// What differs and is right has a rule with its reason; anything else is printed, and the exit code is 1.
///
/// A file is a JSON array of exchanges (method, uri, request_headers, request_body, status, response_headers,
/// response_body), or an object with `source` and `exchanges`. Its name tells who recorded it (`cli-` drops some
/// headers) and, where no body has a time, when (`…@2024-05-30.json`).
#[derive(Debug, Parser)]
#[command(name = "conformance")]
struct Arguments {
    /// A directory of recordings to play instead of the fixtures of this crate.
    #[arg(env = "AVNM_RECORDINGS", value_name = "DIR")]
    directory: Option<OsString>,
    /// Print what must have been there before, and every difference with the rule that explains it.
    #[arg(long)]
    verbose: bool,
    /// Print every rule, with its reason and what it is built on, and play nothing.
    #[arg(long)]
    list_rules: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.list_rules {
        print!("{}", avnm_conformance::report::rules());
        return Ok(ExitCode::SUCCESS);
    }
    // An empty variable is none.
    let directory = arguments.directory.filter(|it| !it.is_empty()).map(PathBuf::from);
    let played = avnm_conformance::run(&directory.unwrap_or_else(avnm_conformance::fixtures))?;
    let (text, good) = avnm_conformance::report::report(&played, arguments.verbose);
    print!("{text}");
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
