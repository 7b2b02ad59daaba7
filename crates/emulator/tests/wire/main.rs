//! The emulator over real TLS, seen by a client that knows only HTTP and JSON.

mod access;
mod bodies;
mod certificates;
mod connections;
mod consistency;
mod control;
mod entra;
mod faults;
mod federation;
mod graph;
mod groups;
mod imds;
mod journal;
mod jwt;
mod lists;
mod locks;
mod managers;
mod members;
mod metadata;
mod program;
mod quotas;
mod roles;
mod schema;
mod stuck;
mod support;
mod watch;
