//! Answers as the interface `state` has them: the same as those of the rules, number for number.

use alloc::format;
use alloc::string::String;

use nexus_rt::api::state::{self, CheckedReply, Error as Told, HealthReply, MAX_FINDINGS};
use nexus_rt::wire::Text;
use nexus_state::engine::Medium;
use nexus_state::rules::{self, Error, Receipt};

use crate::looking::Looked;
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
                lost: state.lost() as u32,
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
            lost: 0,
            fault: error.number(),
            store: [0; 16],
            flushes: 0,
            written: 0,
        },
    }
}

/// What a check found, a line each, as far as there is room.
pub fn findings(looked: &Looked) -> String {
    let damage = looked.checked.damage.iter().map(|damage| format!("{damage:?}"));
    let mut all = String::new();
    for line in damage.chain(looked.missing.iter().cloned()) {
        if all.len() + line.len() < MAX_FINDINGS {
            all.push_str(&line);
            all.push('\n');
        }
    }
    all
}

/// What a check came to.
pub fn checked<'a>(looked: &Looked, findings: &'a str) -> CheckedReply<'a> {
    let checked = &looked.checked;
    CheckedReply {
        keys: checked.keys,
        pages: checked.pages,
        lost: checked.lost,
        unmapped: checked.unmapped,
        damaged: (checked.damage.len() + looked.missing.len()) as u32,
        mended: looked.mended,
        findings: Text::cut(findings),
    }
}

/// What is told when a sealed prefix is opened.
pub fn opened(prefix: &str, sequence: u64) -> [String; 2] {
    [String::from("write hardening on (auth-envelope)"), format!("`{prefix}` is open, sequence {sequence}")]
}

/// What is told when what lies under a sealed prefix is not what was put there.
pub fn unsound(prefix: &str, error: Told) -> String {
    format!("what is stored under `{prefix}` is refused: {error:?}")
}

/// What is told of a refusal: who may not do what, or would store more than it may. Nothing of any other.
pub fn denial<M: Medium>(
    error: Error,
    mounted: &mut Mounted<M>,
    service: u32,
    what: &str,
    path: &str,
) -> Option<String> {
    match error {
        Error::PermissionDenied => Some(format!("service {service} may not {what} `{path}`")),
        // That is no quota of bytes.
        Error::QuotaExceeded if what == "watch" => Some(format!(
            "service {service} does not watch `{path}`: there are as many watches as there may be"
        )),
        Error::QuotaExceeded => {
            let state = mounted.state().ok()?;
            let (used, hard) = (state.used(service), state.access().limit(service).hard);
            Some(format!("statefs: quota deny subject={service} used={used} hard={hard}"))
        }
        _ => None,
    }
}
