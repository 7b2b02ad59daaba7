//! The client (`avnm-arm`) against the emulated Azure (`avnm-emulator`), in one process, over TLS.
//!
//! The client's own tests know what it sends, the emulator's own tests know what it answers, and the two share no
//! code: a field misspelt in one of them passes there and fails here. Nothing is mocked. What was called, with whose
//! token, is read from the emulator's ledger.
//!
//! `world` sets it up; each other module is one subject.

#[cfg(test)]
mod absence;
#[cfg(test)]
mod assertions;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod members;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod world;
