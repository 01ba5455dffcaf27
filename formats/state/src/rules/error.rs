//! What `/state` answers when it does not do what was asked. The numbers are stable, and the same in every layer above.

use crate::engine::{Error as Engine, Fault};

/// Why not. `docs/state-errors.md` says for each when, by whom, and what to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u16)]
pub enum Error {
    /// There is no such key, snapshot, watch or upload.
    NotFound = 1,
    /// A snapshot of that name is there already.
    Exists = 2,
    /// A path that is none, or a batch of nothing or too much.
    Invalid = 3,
    /// The rules do not let this service do it.
    PermissionDenied = 4,
    /// More than the service may store, or more at a time than anybody may.
    QuotaExceeded = 5,
    /// The medium can only be read.
    ReadOnly = 9,
    /// The medium failed.
    Io = 10,
    /// Not now: the key of the sealed prefix is not there.
    Busy = 11,
    /// Keys lie under this path, so it cannot be one.
    IsDir = 14,
    /// A part of this path is a key, so nothing can lie under it.
    NotDir = 15,
    /// The medium is full.
    NoSpace = 16,
    /// A change over both databases, or a move over the border of a sealed prefix.
    CrossDevice = 17,
    /// What is stored is not what was put.
    Integrity = 18,
    /// What is stored was put, and then replaced or deleted.
    Rollback = 19,
    /// A value over its bound.
    TooLarge = 20,
    /// The receipt is from before the server started: what it stands for may be lost.
    ServerDied = 21,
}

impl Error {
    /// All of them.
    pub const ALL: [Error; 16] = [
        Error::NotFound,
        Error::Exists,
        Error::Invalid,
        Error::PermissionDenied,
        Error::QuotaExceeded,
        Error::ReadOnly,
        Error::Io,
        Error::Busy,
        Error::IsDir,
        Error::NotDir,
        Error::NoSpace,
        Error::CrossDevice,
        Error::Integrity,
        Error::Rollback,
        Error::TooLarge,
        Error::ServerDied,
    ];

    /// Its number.
    pub const fn number(self) -> u16 {
        self as u16
    }
}

impl From<Engine> for Error {
    fn from(error: Engine) -> Error {
        match error {
            Engine::Medium(Fault::ReadOnly) => Error::ReadOnly,
            Engine::Medium(Fault::Io | Fault::Outside) | Engine::Failed | Engine::Size => Error::Io,
            Engine::Integrity(_) | Engine::Unformatted | Engine::Version(_) => Error::Integrity,
            Engine::NoSpace => Error::NoSpace,
            Engine::TooLarge => Error::TooLarge,
            Engine::Snapshot => Error::NotFound,
        }
    }
}
