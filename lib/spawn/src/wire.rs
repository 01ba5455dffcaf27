//! What `nexus-init` asks `execd`: a request of 48 bytes, which travels in registers, and an answer of 8.
//! With a request come quota, identity and the program's bootstrap endpoint, with a good answer the process.

use crate::SpawnError;
use nexus_rt::Limits;

/// Call: make a process and start it.
pub const OP_SPAWN: u16 = 1;

/// Bytes of a request: operation, handles, cpu (`u16` each), priority (`u8`), nine bytes of 0, then the program's
/// name padded with 0.
pub const REQUEST_BYTES: usize = 48;

const NAME_AT: usize = 16;

/// Why `execd` made no process, as its answer says it. 0 is success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Failure {
    /// The request is malformed, or its handles are not the right ones.
    Invalid = 1,
    /// Only the supervisor may ask.
    PermissionDenied = 2,
    /// The boot image has no such program.
    NotFound = 3,
    /// The program's file is not one that can be started.
    Program = 4,
    /// The quota has not enough.
    QuotaExceeded = 5,
    /// The kernel refused for another reason.
    Kernel = 6,
}

impl Failure {
    /// The failure with this number.
    pub const fn from_raw(number: u64) -> Option<Failure> {
        match number {
            1 => Some(Failure::Invalid),
            2 => Some(Failure::PermissionDenied),
            3 => Some(Failure::NotFound),
            4 => Some(Failure::Program),
            5 => Some(Failure::QuotaExceeded),
            6 => Some(Failure::Kernel),
            _ => None,
        }
    }
}

impl From<SpawnError> for Failure {
    fn from(error: SpawnError) -> Failure {
        match error {
            SpawnError::Program(_) => Failure::Program,
            SpawnError::Kernel(nexus_abi::Error::QuotaExceeded) => Failure::QuotaExceeded,
            SpawnError::Kernel(_) => Failure::Kernel,
        }
    }
}

/// A request's bytes; `None` for a name that is empty or too long.
pub fn encode(limits: Limits, program: &str) -> Option<[u8; REQUEST_BYTES]> {
    if program.is_empty() || program.len() > nexus_bootimg::MAX_NAME {
        return None;
    }
    let mut request = [0; REQUEST_BYTES];
    request[..2].copy_from_slice(&OP_SPAWN.to_le_bytes());
    request[2..4].copy_from_slice(&limits.handles.to_le_bytes());
    request[4..6].copy_from_slice(&limits.cpu.to_le_bytes());
    request[6] = limits.priority;
    request[NAME_AT..NAME_AT + program.len()].copy_from_slice(program.as_bytes());
    Some(request)
}

/// Limits and program of a request; `None` for anything that [`encode`] does not make.
pub fn decode(request: &[u8]) -> Option<(Limits, &str)> {
    let request: &[u8; REQUEST_BYTES] = request.try_into().ok()?;
    let number = |at: usize| u16::from_le_bytes([request[at], request[at + 1]]);
    if number(0) != OP_SPAWN || request[7..NAME_AT].iter().any(|byte| *byte != 0) {
        return None;
    }
    let name = &request[NAME_AT..];
    let length = name.iter().position(|byte| *byte == 0)?;
    let (name, padding) = name.split_at(length);
    if name.is_empty() || padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    let limits = Limits { handles: number(2), cpu: number(4), priority: request[6] };
    Some((limits, core::str::from_utf8(name).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { handles: 512, cpu: 50, priority: 24 };

    #[test]
    fn a_request_comes_back_as_it_was() {
        let longest = "n".repeat(nexus_bootimg::MAX_NAME);
        for name in ["logd", &longest] {
            assert_eq!(decode(&encode(LIMITS, name).unwrap()), Some((LIMITS, name)));
        }
        assert_eq!(encode(LIMITS, ""), None);
        assert_eq!(encode(LIMITS, &"n".repeat(nexus_bootimg::MAX_NAME + 1)), None);
    }

    #[test]
    fn only_the_one_spelling_is_accepted() {
        let good = encode(LIMITS, "logd").unwrap();
        assert_eq!(decode(&good[..47]), None);
        for (at, value) in [(0, 2), (7, 1), (15, 1), (16, 0), (47, 1), (16, 0xff)] {
            let mut bad = good;
            bad[at] = value;
            assert_eq!(decode(&bad), None, "byte {at}");
        }
    }

    #[test]
    fn failures_keep_their_numbers() {
        for number in 1..=6 {
            assert_eq!(Failure::from_raw(number).map(|f| f as u64), Some(number));
        }
        assert_eq!(Failure::from_raw(0), None);
        assert_eq!(Failure::from_raw(7), None);
    }
}
