//! What the tests of the chart share: how it is rendered, and with which values.
//!
//! `tests/rendered` looks at what helm renders; the program `chart` installs it on a real API server.

pub mod matrix;
pub mod rendered;
