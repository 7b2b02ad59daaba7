//! The client against the emulated Azure on tokio's paused clock: what it reads and writes, what goes wrong, how long that
//! takes in simulated time, and that a seed gives the same run again.

mod faults;
mod kinds;
mod repeatable;
mod same_as_tls;
mod speed;
mod stage;
mod time;
