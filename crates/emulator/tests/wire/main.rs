//! The emulator over real TLS, seen by a client that knows only HTTP and JSON.

mod access;
mod connections;
mod control;
mod entra;
mod faults;
mod groups;
mod lists;
mod managers;
mod members;
mod program;
mod support;
mod watch;
