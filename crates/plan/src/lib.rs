//! Every decision of the operator: from what was declared and what was read to the next steps and the status.
//!
//! Pure: no clock, no await, no client. Time comes in as a value. What is decided here is done by
//! `avnm-controller`, which decides nothing. The tables in `docs/decisions` are asked of this crate.

// A new word of an enum is a new row of each table that asks it. Tests may say what they do not expect in one arm.
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod aadsts;
pub mod arbitration;
pub mod credential;
pub mod cross_tenant_connection;
pub mod event;
pub mod fault;
pub mod finding;
pub mod freshness;
pub mod item;
pub mod lifecycle;
pub mod meta;
pub mod pace;
pub mod reason;
pub mod side;
pub mod static_member;
pub mod status;
pub mod undecoded;
