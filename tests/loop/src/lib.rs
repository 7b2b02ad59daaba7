//! The loop in one process: what surrounds the operator, made here so that a run can be played again from its seed.

pub mod api_server;
mod aside;
pub mod same_answers;
pub mod simulation;
