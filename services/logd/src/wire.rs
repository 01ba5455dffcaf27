//! Messages of `logd` besides records: the supervisor's introductions, and reading records back.

use crate::record::Record;
use alloc::vec::Vec;
use nexus_abi::bounds::MAX_MESSAGE_BYTES;

/// Call: the records from a number on. Request: operation, number (`u64` each).
pub const OP_READ: u64 = 1;

/// Bytes of a record before its text.
pub const RECORD_HEADER: usize = 28;

/// An introduction: whose log channel comes along. A service id and its name.
pub fn introduction(message: &[u8]) -> Option<(u32, &str)> {
    let (service, name) = message.split_first_chunk::<4>()?;
    let name = core::str::from_utf8(name).ok()?;
    if name.is_empty() { None } else { Some((u32::from_le_bytes(*service), name)) }
}

/// The number from which a request wants records; `None` when it is no such request.
pub fn read_request(message: &[u8]) -> Option<u64> {
    let (operation, number) = message.split_first_chunk::<8>()?;
    if u64::from_le_bytes(*operation) != OP_READ {
        return None;
    }
    Some(u64::from_le_bytes(number.try_into().ok()?))
}

/// As many records as one answer takes, each whole: number, time (`u64` each), service, generation (`u32` each),
/// level, kind (`u8` each), length (`u16`), text.
pub fn pack<'a>(records: impl Iterator<Item = &'a Record>, room: usize) -> Vec<u8> {
    let mut answer = Vec::new();
    for record in records {
        let end = answer.len() + RECORD_HEADER + record.text.len();
        let Ok(length) = u16::try_from(record.text.len()) else { break };
        if end > room.min(MAX_MESSAGE_BYTES) {
            break;
        }
        answer.extend_from_slice(&record.sequence.to_le_bytes());
        answer.extend_from_slice(&record.time.to_le_bytes());
        answer.extend_from_slice(&record.source.service.to_le_bytes());
        answer.extend_from_slice(&record.source.generation.to_le_bytes());
        answer.extend_from_slice(&[record.level as u8, record.kind as u8]);
        answer.extend_from_slice(&length.to_le_bytes());
        answer.extend_from_slice(record.text.as_bytes());
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Kind, Level};
    use nexus_abi::Identity;

    #[test]
    fn introductions_need_an_id_and_a_name() {
        assert_eq!(introduction(b"\x02\0\0\0logd"), Some((2, "logd")));
        assert_eq!(introduction(b"\x02\0\0\0"), None);
        assert_eq!(introduction(b"\x02\0\0"), None);
        assert_eq!(introduction(b"\x02\0\0\0\xff"), None);
    }

    #[test]
    fn records_are_packed_whole_or_not_at_all() {
        let record = Record {
            sequence: 7,
            time: 9,
            source: Identity { service: 3, generation: 4 },
            level: Level::Warn,
            kind: Kind::Audit,
            text: "abc".into(),
        };
        let one = RECORD_HEADER + 3;
        assert_eq!(pack([&record, &record].into_iter(), 2 * one).len(), 2 * one);
        assert_eq!(pack([&record, &record].into_iter(), 2 * one - 1).len(), one);
        let bytes = pack([&record].into_iter(), one);
        assert_eq!(bytes[..8], 7u64.to_le_bytes());
        assert_eq!(bytes[16..20], 3u32.to_le_bytes());
        assert_eq!(&bytes[24..], b"\x02\x01\x03\0abc");
    }

    #[test]
    fn a_request_has_exactly_two_words() {
        let request = [OP_READ.to_le_bytes(), 5u64.to_le_bytes()].concat();
        assert_eq!(read_request(&request), Some(5));
        assert_eq!(read_request(&request[..15]), None);
        assert_eq!(read_request(&[request, alloc::vec![0]].concat()), None);
    }
}
