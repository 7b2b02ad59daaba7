//! Reads `/metrics` without a runtime, so that it can be done at the last moment, also by a destructor.

use std::io::{Error, Read as _, Result, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A process that answers at all answers well within this time; a frozen one must not hold up who ends it.
const LONGEST: Duration = Duration::from_millis(500);

/// The text of `/metrics` on this port of loopback.
pub(crate) fn metrics(port: u16) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), LONGEST)?;
    stream.set_read_timeout(Some(LONGEST))?;
    // HTTP/1.0: the answer ends with the connection, and is not in chunks.
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.split(' ').nth(1) == Some("200") => Ok(body.to_owned()),
        _ => Err(Error::other("no answer of HTTP 200")),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn answered(answer: &'static str) -> Result<String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let _ = stream.read(&mut asked).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let read = metrics(port);
        server.join().unwrap();
        read
    }

    #[test]
    fn only_what_was_answered_well_is_metrics() {
        assert_eq!(answered("HTTP/1.0 200 OK\r\nx: y\r\n\r\na 1\n").unwrap(), "a 1\n");
        assert!(answered("HTTP/1.0 404 Not Found\r\n\r\na 1\n").is_err());
        assert!(answered("").is_err());
    }
}
