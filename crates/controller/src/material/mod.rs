//! The material that credentials sign in with: where it comes from, and what is kept of it.

mod materials;
mod source;

pub(crate) use materials::{AGAIN, Look, Materials, Use};
