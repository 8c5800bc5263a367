//! Why a look came to nothing: the endpoint's fault, or ours. Only the first is worth a report: a vantage that has run
//! out of sockets, or has no way to a network, knows nothing of what is there.

use std::io;

/// Why there is no good answer. The words are the same for the same cause, so that a repetition is seen as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The endpoint did not do what it should.
    Theirs(String),
    /// We could not look.
    Ours(String),
}

impl Fault {
    /// A fault of the endpoint.
    pub fn theirs(words: impl Into<String>) -> Fault {
        Fault::Theirs(words.into())
    }

    /// A fault of this machine.
    pub fn ours(words: impl Into<String>) -> Fault {
        Fault::Ours(words.into())
    }

    /// Whose fault an error of a socket is.
    pub fn of(error: &io::Error) -> Fault {
        // What the kernel says without having asked the endpoint: no descriptors, no memory, no ports, no route, no leave.
        const OURS: [i32; 8] = [
            libc::EMFILE,
            libc::ENFILE,
            libc::ENOBUFS,
            libc::ENOMEM,
            libc::EADDRNOTAVAIL,
            libc::ENETUNREACH,
            libc::EAFNOSUPPORT,
            libc::EPERM,
        ];
        if error.raw_os_error().is_some_and(|code| OURS.contains(&code)) {
            return Fault::Ours(error.to_string());
        }
        Fault::Theirs(match error.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
            io::ErrorKind::UnexpectedEof => "connection closed too early".to_owned(),
            io::ErrorKind::HostUnreachable => "host unreachable".to_owned(),
            _ => error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vantage_without_sockets_or_routes_blames_nobody() {
        let of = |code| Fault::of(&io::Error::from_raw_os_error(code));
        for code in [libc::EMFILE, libc::ENETUNREACH, libc::EADDRNOTAVAIL] {
            assert!(matches!(of(code), Fault::Ours(_)), "{code}");
        }
        for code in [libc::ECONNREFUSED, libc::EHOSTUNREACH, libc::ECONNRESET, libc::ETIMEDOUT] {
            assert!(matches!(of(code), Fault::Theirs(_)), "{code}");
        }
        assert_eq!(of(libc::ECONNREFUSED), Fault::theirs("connection refused"));
    }
}
