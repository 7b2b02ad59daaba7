//! Every decision of the operator: from what was declared and what was read to the next steps and the status.
//!
//! Pure: no clock, no await, no client. Time comes in as a value. What is decided here is done by
//! `avnm-controller`, which decides nothing. The tables in `docs/decisions` are generated from this crate.

pub mod aadsts;
pub mod body;
pub mod conditions;
pub mod contend;
pub mod credential;
pub mod cross_tenant_connection;
pub mod fault;
pub mod inputs;
pub mod memory;
pub mod ownership;
pub mod pace;
pub mod reason;
pub mod static_member;
pub mod tables;
pub mod verdict;
