//! Answers as the interface `state` has them: the same as those of the rules, number for number.

use nexus_rt::api::state::{self, Error as Told, HealthReply};
use nexus_state::engine::Medium;
use nexus_state::rules::{self, Error, Receipt};

use crate::mounted::Mounted;

/// As the interface has it: the same numbers.
pub fn told(error: Error) -> Told {
    match error {
        Error::NotFound => Told::NotFound,
        Error::Exists => Told::Exists,
        Error::Invalid => Told::Invalid,
        Error::PermissionDenied => Told::PermissionDenied,
        Error::QuotaExceeded => Told::QuotaExceeded,
        Error::ReadOnly => Told::ReadOnly,
        Error::Io => Told::Io,
        Error::Busy => Told::Busy,
        Error::IsDir => Told::IsDir,
        Error::NotDir => Told::NotDir,
        Error::NoSpace => Told::NoSpace,
        Error::CrossDevice => Told::CrossDevice,
        Error::Integrity => Told::Integrity,
        Error::Rollback => Told::Rollback,
        Error::TooLarge => Told::TooLarge,
        Error::ServerDied => Told::ServerDied,
    }
}

/// What is known of a value.
pub fn stat(stat: rules::Stat) -> state::Stat {
    state::Stat { length: stat.length as u64, version: stat.version, owner: stat.owner }
}

/// What a change is acknowledged with.
pub fn receipt(receipt: Receipt) -> state::Receipt {
    state::Receipt { run: receipt.run, generation: receipt.generation }
}

/// How the store is.
pub fn health<M: Medium>(mounted: &mut Mounted<M>) -> HealthReply {
    let mended = mounted.mended();
    match mounted.state() {
        Ok(state) => {
            let (store, figures) = (state.store(), state.store().figures());
            HealthReply {
                generation: store.generation(),
                safe: store.safe(),
                keys: figures.keys,
                pages: figures.pages,
                free: figures.free,
                mended,
                fault: 0,
                store: store.id(),
                flushes: figures.flushes,
                written: figures.written,
            }
        }
        Err(error) => HealthReply {
            generation: 0,
            safe: 0,
            keys: 0,
            pages: 0,
            free: 0,
            mended,
            fault: error.number(),
            store: [0; 16],
            flushes: 0,
            written: 0,
        },
    }
}
