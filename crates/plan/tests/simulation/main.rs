//! The decisions, played: a tiny Azure, a tiny Kubernetes, one player that does with the product's own decisions and
//! bookkeeping what the controller does, and passes over advancing time. Every step is checked against the rules as it is done, every report as it is made, and
//! every run for where it comes to rest. No clock, no network, no async: whole products of situations in seconds.

mod azure;
mod connection;
mod connection_crashes;
mod connection_products;
mod connection_reasons;
mod connection_troubles;
mod fixture;
mod group;
mod handing_over;
mod member;
mod member_products;
mod member_reasons;
mod play;
