//! Free ports on the loopback address.

use std::net::TcpListener;

use anyhow::{Context as _, Result};

/// `N` ports that were free a moment ago, all different.
///
/// kube-apiserver cannot be asked to choose its own port, so another process may take one of these first. Whoever
/// starts a server on them looks for `CLASH` in its log and tries again with others.
pub fn free<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        // All are held until the last is chosen, or the kernel might give the same one twice.
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("find a free port")?;
        *port = listener.local_addr().context("read the free port")?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// What Go and Rust programs alike say when someone else has the port, in lower case.
pub(crate) const CLASH: &str = "address already in use";

#[cfg(test)]
mod tests {
    #[test]
    fn ports_are_different_and_free() {
        let [a, b, c] = super::free::<3>().unwrap();
        assert!(a != b && b != c && a != c);
        assert!(std::net::TcpListener::bind(("127.0.0.1", a)).is_ok());
    }

    #[test]
    fn a_clash_is_recognised_by_the_systems_own_words() {
        let held = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let error = std::net::TcpListener::bind(held.local_addr().unwrap()).unwrap_err();
        assert!(error.to_string().to_lowercase().contains(super::CLASH), "{error}");
    }
}
