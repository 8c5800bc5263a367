//! Why a command did not do what it was asked: one line, and an exit code.

use super::client::ClientError;

/// The exit code when something was refused, or errors were found.
pub const EXIT_REFUSED: u8 = 1;

/// The exit code when a command cannot run at all.
pub const EXIT_CANNOT_RUN: u8 = 2;

/// Why a command did not do what it was asked: one line for standard error, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The line.
    pub line: String,
    /// The code.
    pub code: u8,
}

impl Failure {
    /// It cannot run.
    pub fn cannot_run(line: impl Into<String>) -> Failure {
        Failure { line: line.into(), code: EXIT_CANNOT_RUN }
    }

    /// It was refused.
    pub fn refused(line: impl Into<String>) -> Failure {
        Failure { line: line.into(), code: EXIT_REFUSED }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        match error {
            ClientError::Refused(_) => Failure::refused(error.to_string()),
            ClientError::Unreachable { .. }
            | ClientError::Distrust(_)
            | ClientError::Strange(_) => Failure::cannot_run(error.to_string()),
        }
    }
}
