//! A vault that is open: its secret, its counters, and how they are raised.

use zeroize::Zeroizing;

use super::flash::{Fault, Flash};
use super::header::{COPIES, COUNTERS, Found, HEADER, Header, LOG, RECORD, SECRET, read_record, record};
use super::{BLOCKS, USED, is_blank};

/// Why there is no vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The flash failed.
    Flash(Fault),
    /// It is erased, or was on the way to a first vault: one can be made.
    Blank,
    /// Something else is on it.
    Foreign,
    /// A vault was there, and cannot be read any more. It is left as it is.
    Damaged,
    /// A vault of another version.
    Version(u32),
    /// Its blocks are too small.
    Size,
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error::Flash(fault)
    }
}

/// An open vault.
pub struct Vault<F> {
    flash: F,
    block: usize,
    header: Header,
    counters: [u64; COUNTERS],
    /// Where the next record is programmed.
    next: usize,
    /// Something failed: what the flash has is not known any more.
    broken: bool,
}

/// What a block has.
struct Block {
    header: Option<Header>,
    /// Whether both copies of the header are whole.
    both: bool,
    version: Option<u32>,
    /// Whether there is, or was, the beginning of a header.
    begun: bool,
    /// Whether nothing is there but what may be of one.
    unmade: bool,
}

fn look<F: Flash>(flash: &mut F, block: usize) -> Result<Block, Fault> {
    let mut found = Block { header: None, both: true, version: None, begun: false, unmade: true };
    let mut bytes = Zeroizing::new([0; HEADER]);
    for at in COPIES {
        flash.read(block, at, &mut *bytes)?;
        match Header::read(&bytes) {
            Found::Header(header) => {
                found.header.get_or_insert(header);
                continue;
            }
            Found::Other(version) => found.version = Some(version),
            Found::Begun => found.begun = true,
            Found::Blank => {}
            Found::Nothing => found.unmade = false,
        }
        found.both = false;
    }
    Ok(found)
}

/// Whether nothing is in a block but perhaps the beginning of headers.
fn has_no_log<F: Flash>(flash: &mut F, block: usize) -> Result<bool, Fault> {
    let mut bytes = [0; HEADER];
    for at in (HEADER..USED).step_by(HEADER).filter(|at| !COPIES.contains(at)) {
        flash.read(block, at, &mut bytes)?;
        if !is_blank(&bytes) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl<F: Flash> Vault<F> {
    /// Opens the vault that is on a flash; the flash comes back with the reason why there is none.
    pub fn open(mut flash: F) -> Result<Vault<F>, (F, Error)> {
        match Vault::<F>::find(&mut flash) {
            Ok((block, header, whole)) => {
                let counters = header.counters;
                let mut vault = Vault { flash, block, header, counters, next: LOG, broken: false };
                match vault.replay(whole) {
                    Ok(()) => Ok(vault),
                    Err(fault) => Err((vault.flash, fault.into())),
                }
            }
            Err(error) => Err((flash, error)),
        }
    }

    fn find(flash: &mut F) -> Result<(usize, Header, bool), Error> {
        if flash.block() < USED {
            return Err(Error::Size);
        }
        let blocks = [look(flash, 0)?, look(flash, 1)?];
        if let Some(version) = blocks.iter().find_map(|block| block.version) {
            return Err(Error::Version(version));
        }
        let begun = blocks.iter().any(|block| block.begun);
        let unmade = blocks.iter().all(|block| block.unmade);
        let found =
            blocks.into_iter().enumerate().filter_map(|(n, block)| Some((n, block.header?, block.both)));
        match found.max_by_key(|(_, header, _)| header.epoch) {
            Some(found) => Ok(found),
            None if unmade && has_no_log(flash, 0)? && has_no_log(flash, 1)? => Err(Error::Blank),
            None if begun => Err(Error::Damaged),
            None => Err(Error::Foreign),
        }
    }

    /// Reads the log. What was cut, or is damaged, is mended by beginning the next epoch.
    fn replay(&mut self, whole: bool) -> Result<(), Fault> {
        let mut mend = !whole;
        let mut bytes = [0; RECORD];
        self.next = USED;
        for at in (LOG..USED).step_by(RECORD) {
            self.flash.read(self.block, at, &mut bytes)?;
            if is_blank(&bytes) {
                self.next = at;
                break;
            }
            match read_record(self.header.epoch, &bytes) {
                Some((counter, value)) => self.counters[counter] = self.counters[counter].max(value),
                None => mend = true,
            }
        }
        // Without a single record it was not finished; with half a pair, the other half was cut.
        if mend || self.next == LOG || !(self.next - LOG).is_multiple_of(2 * RECORD) {
            self.begin()?;
        }
        Ok(())
    }

    /// Makes a vault on a flash that `open` called blank, with this secret.
    pub fn make(mut flash: F, secret: Zeroizing<[u8; SECRET]>) -> Result<Vault<F>, (F, Error)> {
        match Vault::<F>::find(&mut flash) {
            Err(Error::Blank) => {}
            Err(error) => return Err((flash, error)),
            Ok(_) => return Err((flash, Error::Foreign)),
        }
        let header = Header { epoch: 0, secret, counters: [0; COUNTERS] };
        let (counters, next) = (header.counters, LOG);
        let mut vault = Vault { flash, block: BLOCKS - 1, header, counters, next, broken: false };
        match vault.begin() {
            Ok(()) => Ok(vault),
            Err(fault) => Err((vault.flash, fault.into())),
        }
    }

    fn program(&mut self, block: usize, at: usize, bytes: &[u8]) -> Result<(), Fault> {
        self.flash.program(block, at, bytes)?;
        let mut back = Zeroizing::new([0; HEADER]);
        let back = &mut back[..bytes.len()];
        self.flash.read(block, at, back)?;
        if back == bytes { Ok(()) } else { Err(Fault::Wrong) }
    }

    /// Begins the next epoch in the other block: what counts until its header is whole is this one.
    fn begin(&mut self) -> Result<(), Fault> {
        let other = (self.block + 1) % BLOCKS;
        let header = Header {
            epoch: self.header.epoch + 1,
            secret: self.header.secret.clone(),
            counters: self.counters,
        };
        let bytes = header.encode();
        self.flash.erase(other)?;
        for at in COPIES {
            self.program(other, at, &*bytes)?;
        }
        (self.block, self.header, self.next) = (other, header, LOG);
        self.note(0)
    }

    /// Programs the value of a counter, twice.
    fn note(&mut self, counter: usize) -> Result<(), Fault> {
        let bytes = record(self.header.epoch, counter as u8, self.counters[counter]);
        for _ in 0..2 {
            let at = self.next;
            self.next += RECORD;
            self.program(self.block, at, &bytes)?;
        }
        Ok(())
    }

    /// The root secret.
    pub fn secret(&self) -> &[u8; SECRET] {
        &self.header.secret
    }

    /// The value of a counter; one that there is not is 0.
    pub fn counter(&self, counter: usize) -> u64 {
        self.counters.get(counter).copied().unwrap_or(0)
    }

    /// Raises a counter to a value; when this answers, it is never less again. One that is higher stays. After a failure the vault is to be opened again.
    pub fn raise(&mut self, counter: usize, value: u64) -> Result<(), Fault> {
        if self.broken {
            return Err(Fault::Refused);
        }
        if counter >= COUNTERS {
            return Err(Fault::Outside);
        }
        if value <= self.counters[counter] {
            return Ok(());
        }
        self.counters[counter] = value;
        let room = self.next + 2 * RECORD <= USED;
        // A place that does not take the record is left with its block.
        let noted = if room { self.note(counter) } else { Err(Fault::Wrong) };
        let done = if noted == Err(Fault::Wrong) { self.begin() } else { noted };
        self.broken = done.is_err();
        done
    }

    /// The flash.
    pub fn into_flash(self) -> F {
        self.flash
    }
}
