//! The two things that a block has: its header, and the records of its log.

use xxhash_rust::xxh3::xxh3_64;
use zeroize::Zeroizing;

/// Version of what is on the flash.
pub const VERSION: u32 = 1;

/// Bytes of the root secret.
pub const SECRET: usize = 32;

/// Counters of a vault.
pub const COUNTERS: usize = 8;

pub const MAGIC: [u8; 8] = *b"NXVAULT\0";

/// Bytes of a header, and where its two copies are.
pub const HEADER: usize = 128;
pub const COPIES: [usize; 2] = [0, 4096];

/// Where the log begins, and bytes of a record.
pub const LOG: usize = 8192;
pub const RECORD: usize = 16;

const MARK: u8 = 0xa5;

/// What a header says.
#[derive(Clone)]
pub struct Header {
    pub epoch: u64,
    pub secret: Zeroizing<[u8; SECRET]>,
    pub counters: [u64; COUNTERS],
}

/// What stands where a header may be.
pub enum Found {
    Header(Header),
    /// A header of another version.
    Other(u32),
    /// The beginning of one.
    Begun,
    /// Nothing, or what a cut leaves of the first words: bits that are still erased.
    Blank,
    /// Something else.
    Nothing,
}

impl Header {
    pub fn encode(&self) -> Zeroizing<[u8; HEADER]> {
        let mut out = Zeroizing::new([0; HEADER]);
        out[..8].copy_from_slice(&MAGIC);
        out[8..12].copy_from_slice(&VERSION.to_le_bytes());
        out[16..24].copy_from_slice(&self.epoch.to_le_bytes());
        out[24..56].copy_from_slice(&*self.secret);
        for (place, counter) in out[56..120].chunks_exact_mut(8).zip(self.counters) {
            place.copy_from_slice(&counter.to_le_bytes());
        }
        let sum = xxh3_64(&out[..120]);
        out[120..].copy_from_slice(&sum.to_le_bytes());
        out
    }

    pub fn read(bytes: &[u8; HEADER]) -> Found {
        let number = |at: usize| u64::from_le_bytes(core::array::from_fn(|n| bytes[at + n]));
        if bytes[..8] != MAGIC {
            // A cut, of programming or of erasing, leaves ones where zeros were to be or had been; it makes no zero.
            let is_cut = bytes.iter().zip(&MAGIC).all(|(found, magic)| found & magic == *magic);
            return if is_cut { Found::Blank } else { Found::Nothing };
        }
        if number(120) != xxh3_64(&bytes[..120]) {
            return Found::Begun;
        }
        let version = number(8) as u32;
        if version != VERSION {
            return Found::Other(version);
        }
        let mut secret = Zeroizing::new([0; SECRET]);
        secret.copy_from_slice(&bytes[24..56]);
        let counters = core::array::from_fn(|n| number(56 + 8 * n));
        Found::Header(Header { epoch: number(16), secret, counters })
    }
}

fn sum(epoch: u64, counter: u8, value: u64) -> u32 {
    let mut bytes = [counter; 17];
    bytes[1..9].copy_from_slice(&epoch.to_le_bytes());
    bytes[9..].copy_from_slice(&value.to_le_bytes());
    xxh3_64(&bytes) as u32
}

/// A counter has this value.
pub fn record(epoch: u64, counter: u8, value: u64) -> [u8; RECORD] {
    let mut out = [0; RECORD];
    (out[0], out[1]) = (counter, MARK);
    out[4..8].copy_from_slice(&sum(epoch, counter, value).to_le_bytes());
    out[8..].copy_from_slice(&value.to_le_bytes());
    out
}

/// The counter and value of a record that is whole.
pub fn read_record(epoch: u64, bytes: &[u8; RECORD]) -> Option<(usize, u64)> {
    let value = u64::from_le_bytes(core::array::from_fn(|n| bytes[8 + n]));
    let whole = usize::from(bytes[0]) < COUNTERS && *bytes == record(epoch, bytes[0], value);
    whole.then(|| (bytes[0].into(), value))
}
