//! How `nx` ends. Scripts rely on these numbers: none may ever change its meaning, and every failure carries
//! what to do next.

use std::fmt;
use std::process::ExitCode;

/// An exit code of `nx`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Done, and what was asked for is true.
    Good = 0,
    /// A test, a proof or a figure failed.
    Failed = 1,
    /// The command line is not understood.
    Usage = 2,
    /// Something is missing on this host; the message has the command that mends it.
    Missing = 3,
    /// The system cannot be built: a refusal of the registry, a compile error, a program that cannot be loaded.
    Build = 4,
    /// The machine was not ready in time, or hangs.
    Timeout = 5,
    /// The kernel panicked.
    Panic = 6,
    /// QEMU could not start, or crashed.
    Qemu = 7,
    /// The machine ended before it was ready, or with a failure.
    Ended = 8,
    /// A file of the host could not be read or written.
    Host = 9,
    /// No system runs here, or the one that does gives no answer.
    NoSystem = 10,
    /// Interrupted (Ctrl-C, TERM, HUP). Nothing was left behind.
    Interrupted = 130,
}

impl Exit {
    /// Every exit code with what it means, as the help prints it.
    pub const ALL: &'static [(Exit, &'static str)] = &[
        (Exit::Good, "done, and what was asked for is true"),
        (Exit::Failed, "a test, a proof or a figure failed"),
        (Exit::Usage, "the command line is not understood"),
        (Exit::Missing, "something is missing on this host; the message has the command that mends it"),
        (Exit::Build, "the system cannot be built"),
        (Exit::Timeout, "the machine was not ready in time, or hangs"),
        (Exit::Panic, "the kernel panicked"),
        (Exit::Qemu, "QEMU could not start, or crashed"),
        (Exit::Ended, "the machine ended before it was ready, or with a failure"),
        (Exit::Host, "a file of the host could not be read or written"),
        (Exit::NoSystem, "no system runs here, or the one that does gives no answer"),
        (Exit::Interrupted, "interrupted; nothing was left behind"),
    ];

    /// The word that stands for it in JSON output.
    pub fn word(self) -> &'static str {
        match self {
            Exit::Good => "good",
            Exit::Failed => "failed",
            Exit::Usage => "usage",
            Exit::Missing => "missing",
            Exit::Build => "build",
            Exit::Timeout => "timeout",
            Exit::Panic => "panic",
            Exit::Qemu => "qemu",
            Exit::Ended => "ended",
            Exit::Host => "host",
            Exit::NoSystem => "no-system",
            Exit::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command did not do what was asked.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What `nx` exits with.
    pub exit: Exit,
    /// What happened.
    pub what: String,
    /// What to do about it; empty when the message says it all.
    pub mend: String,
}

/// What every command answers.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure with the next step.
    pub fn new(exit: Exit, what: impl Into<String>, mend: impl Into<String>) -> Failure {
        Failure { exit, what: what.into(), mend: mend.into() }
    }

    /// A file operation that failed.
    pub fn host(what: impl fmt::Display, error: &std::io::Error) -> Failure {
        Failure::new(Exit::Host, format!("{what}: {error}"), "check the path, the rights and the free space")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if self.mend.is_empty() { Ok(()) } else { write!(f, "\n  next: {}", self.mend) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_told() {
        let mut numbers: Vec<_> = Exit::ALL.iter().map(|(exit, _)| *exit as u8).collect();
        numbers.dedup();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130]);
    }
}
