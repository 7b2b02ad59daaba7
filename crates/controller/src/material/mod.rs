//! The material that credentials sign in with: where it comes from, and what is kept of it.

mod account;
mod held;
mod materials;
mod source;
mod unread;

pub(crate) use materials::{AGAIN, Look, Materials, Use};
