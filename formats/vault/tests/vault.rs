//! The vault over a flash in memory: every cut, every bit, every bound.

use nexus_vault::{BLOCKS, COUNTERS, Error, Fault, Flash, SECRET, USED, Vault};
use powercut::Random;

/// A flash, which can be cut after so many steps: an erased block or a programmed word each.
#[derive(Clone)]
struct Memory {
    bytes: Vec<u8>,
    steps: Option<usize>,
    random: u64,
    /// A place that keeps what it has.
    stuck: Option<usize>,
}

fn blank() -> Memory {
    Memory { bytes: vec![0xff; BLOCKS * USED], steps: None, random: 1, stuck: None }
}

impl Memory {
    /// Whether this step is the one that is cut.
    fn step(&mut self) -> Result<bool, Fault> {
        match &mut self.steps {
            None => Ok(false),
            Some(0) => Err(Fault::Stuck),
            Some(steps) => {
                *steps -= 1;
                Ok(*steps == 0)
            }
        }
    }
}

impl Flash for Memory {
    fn block(&self) -> usize {
        self.bytes.len() / BLOCKS
    }

    fn read(&mut self, block: usize, at: usize, out: &mut [u8]) -> Result<(), Fault> {
        let from = block * self.block() + at;
        out.copy_from_slice(&self.bytes[from..from + out.len()]);
        Ok(())
    }

    fn erase(&mut self, block: usize) -> Result<(), Fault> {
        let cut = self.step()?;
        let mut random = Random(self.random);
        let size = self.block();
        let (keep, all) = (random.below(8), random.below(3) == 0);
        for byte in &mut self.bytes[block * size..][..size] {
            if !cut || (!all && random.below(8) > keep) {
                *byte = 0xff;
            }
        }
        if cut { Err(Fault::Stuck) } else { Ok(()) }
    }

    fn program(&mut self, block: usize, at: usize, bytes: &[u8]) -> Result<(), Fault> {
        assert!(at.is_multiple_of(4) && bytes.len().is_multiple_of(4), "whole words");
        let from = block * self.block() + at;
        for (n, word) in bytes.chunks_exact(4).enumerate() {
            let cut = self.step()?;
            let place = &mut self.bytes[from + 4 * n..][..4];
            assert!(self.steps.is_some() || place.iter().all(|byte| *byte == 0xff), "programmed twice");
            let mut random = Random(self.random ^ 7);
            for (old, new) in place.iter_mut().zip(word) {
                // Programming makes ones to zeros and nothing else; a cut leaves some of them.
                let left = if cut { random.number() as u8 } else { 0 };
                *old &= new | left;
            }
            if cut {
                return Err(Fault::Stuck);
            }
            if self.stuck.is_some_and(|stuck| (from..from + bytes.len()).contains(&stuck)) {
                place[0] = 0x5a;
            }
        }
        Ok(())
    }
}

const ROOT: [u8; SECRET] = [7; SECRET];

fn made(flash: Memory) -> Result<Vault<Memory>, (Memory, Error)> {
    Vault::make(flash, ROOT.into())
}

fn why<T>(outcome: Result<T, (Memory, Error)>) -> Error {
    outcome.map(|_| "a vault").map_err(|(_, error)| error).expect_err("none")
}

fn open(flash: Memory) -> Result<Vault<Memory>, Error> {
    Vault::open(flash).map_err(|(_, error)| error)
}

/// Steps of a life: making it, and raising counters over several logs. `told` hears each value that was answered.
fn live(flash: Memory, told: &mut [u64; COUNTERS], rounds: u64) -> Memory {
    let mut vault = match open(flash.clone()) {
        Ok(vault) => vault,
        Err(Error::Blank) => match made(flash) {
            Ok(vault) => vault,
            Err((flash, _)) => return flash,
        },
        Err(_) => return flash,
    };
    for round in 0..rounds {
        let counter = (round % 3) as usize;
        let value = vault.counter(counter) + 1 + round % 2;
        if vault.raise(counter, value).is_err() {
            break;
        }
        told[counter] = value;
    }
    vault.into_flash()
}

#[test]
fn what_was_raised_is_there_and_stays() {
    let mut vault = made(blank()).map_err(|(_, error)| error).expect("made");
    assert_eq!((vault.secret(), vault.counter(0), vault.counter(COUNTERS)), (&ROOT, 0, 0));
    vault.raise(1, 5).expect("raised");
    vault.raise(1, 3).expect("higher already");
    vault.raise(COUNTERS - 1, u64::MAX).expect("the last");
    assert_eq!(vault.raise(COUNTERS, 1), Err(Fault::Outside));
    let vault = open(vault.into_flash()).expect("opened");
    let all: Vec<u64> = (0..COUNTERS).map(|n| vault.counter(n)).collect();
    assert_eq!((all, vault.secret()), (vec![0, 5, 0, 0, 0, 0, 0, u64::MAX], &ROOT));
    assert_eq!(why(made(vault.into_flash())), Error::Foreign, "one is there");
}

#[test]
fn it_goes_on_through_many_logs() {
    let mut told = [0; COUNTERS];
    let mut flash = live(blank(), &mut told, 20_000);
    let vault = open(flash.clone()).expect("opened");
    assert!(
        told.iter().enumerate().all(|(n, told)| vault.counter(n) == *told) && told[0] > 6_667,
        "{told:?}"
    );
    // Opening it writes nothing.
    flash.steps = Some(0);
    assert!(open(flash).is_ok());
}

#[test]
fn a_cut_at_any_step_loses_nothing_that_was_answered() {
    // The first life is long enough that every kind of step is in it, a new log included.
    let most = 2 * 1_800;
    let (mut cuts, mut unmade) = (0, 0);
    let near_the_ends = |step: usize| step < 200 || (step > 14_100 && step < 14_500);
    for steps in (1..15_000).filter(|step| near_the_ends(*step) || step % 61 == 0) {
        let mut told = [0; COUNTERS];
        let flash = Memory { steps: Some(steps), random: steps as u64, ..blank() };
        let mut flash = live(flash, &mut told, most);
        let after = flash.clone();
        for again in 0..4 {
            // The recovery is cut too.
            flash = Memory {
                steps: (again > 0).then_some(3 * again + steps % 70),
                random: again as u64,
                ..after.clone()
            };
            if let Ok(vault) = open(flash.clone()) {
                flash = vault.into_flash();
            }
            flash = Memory { steps: None, ..flash };
            match Vault::open(flash.clone()) {
                Ok(vault) => {
                    assert_eq!(vault.secret(), &ROOT);
                    for (n, told) in told.iter().enumerate() {
                        let found = vault.counter(n);
                        assert!(found >= *told && found <= told + 2, "step {steps}: {found} after {told}");
                    }
                }
                Err((_, error)) => {
                    assert_eq!((error, told), (Error::Blank, [0; COUNTERS]), "step {steps}");
                    unmade += 1;
                }
            }
            let mut more = told;
            let flash = live(flash, &mut more, 5);
            let vault = open(flash).expect("it goes on");
            assert!(more.iter().enumerate().all(|(n, told)| vault.counter(n) >= *told), "step {steps}");
            cuts += 1;
        }
    }
    assert!(cuts > 2_500 && unmade > 20, "{cuts} cuts, {unmade} of a vault that was not made");
}

#[test]
fn no_bit_takes_a_counter_back_or_makes_it_a_new_vault() {
    let mut told = [0; COUNTERS];
    let flash = live(blank(), &mut told, 40);
    let used: Vec<usize> = (0..flash.bytes.len()).filter(|at| flash.bytes[*at] != 0xff).collect();
    assert!(used.len() > 500);
    for at in used {
        for bit in 0..8 {
            let mut other = flash.clone();
            other.bytes[at] ^= 1 << bit;
            let vault = open(other).expect("one copy is whole");
            assert!(told.iter().enumerate().all(|(n, told)| vault.counter(n) == *told), "byte {at}");
            assert_eq!(vault.secret(), &ROOT);
        }
    }
    // Both headers of the one block that there is.
    let mut other = flash.clone();
    for at in [30, 4096 + 30] {
        other.bytes[at] ^= 1;
    }
    assert_eq!(open(other.clone()).err(), Some(Error::Damaged));
    assert_eq!(why(made(other)), Error::Damaged, "it is not made anew");
}

#[test]
fn what_is_no_vault_is_told_for_what_it_is() {
    assert_eq!(open(blank()).err(), Some(Error::Blank));
    let zeros = Memory { bytes: vec![0; BLOCKS * USED], ..blank() };
    assert_eq!(open(zeros.clone()).err(), Some(Error::Foreign));
    assert_eq!(why(made(zeros)), Error::Foreign);
    let small = Memory { bytes: vec![0xff; BLOCKS * USED - BLOCKS], ..blank() };
    assert_eq!(open(small).err(), Some(Error::Size));
    let mut one_byte = blank();
    one_byte.bytes[USED - 1] = 0;
    assert_eq!(open(one_byte).err(), Some(Error::Foreign), "somebody's");
    let mut random = Random(3);
    for _ in 0..200 {
        let flash = Memory { bytes: random.bytes(BLOCKS * USED), ..blank() };
        assert_eq!(open(flash).err(), Some(Error::Foreign));
    }
    // Storms over a good one: anything but a panic, and no other secret.
    let good = live(blank(), &mut [0; COUNTERS], 30);
    for _ in 0..2_000 {
        let mut flash = good.clone();
        for _ in 0..1 + random.below(40) {
            let at = random.below(9_000) as usize;
            flash.bytes[at] = random.number() as u8;
        }
        if let Ok(vault) = open(flash) {
            assert_eq!(vault.secret(), &ROOT);
        }
    }
}

#[test]
fn a_place_that_does_not_take_what_is_programmed_is_left() {
    let mut told = [0; COUNTERS];
    let mut flash = live(blank(), &mut told, 4);
    flash.stuck = Some(8192 + 10 * 16);
    let flash = live(flash, &mut told, 10);
    let vault = open(flash).expect("opened");
    assert!(told[0] > 3 && told.iter().enumerate().all(|(n, told)| vault.counter(n) == *told), "{told:?}");
}

#[test]
fn another_version_is_refused() {
    let flash = live(blank(), &mut [0; COUNTERS], 1);
    let mut other = flash.clone();
    for at in [0, 4096] {
        other.bytes[at + 8] = 2;
        let sum = xxhash_rust::xxh3::xxh3_64(&other.bytes[at..at + 120]);
        other.bytes[at + 120..at + 128].copy_from_slice(&sum.to_le_bytes());
    }
    assert_eq!(open(other).err(), Some(Error::Version(2)));
}

/// Where the log begins, and bytes of a record.
const LOG: usize = 8192;
const RECORD: usize = 16;

/// A vault in its first block whose counter 1 was raised to 5: two pairs of records.
fn raised() -> Memory {
    let mut vault = made(blank()).map_err(|(_, error)| error).expect("made");
    vault.raise(1, 5).expect("raised");
    vault.into_flash()
}

/// Whether the second block has the second epoch, and all that there is without the first.
fn went_on(mut flash: Memory) -> bool {
    let is_second = flash.bytes[USED + 16..USED + 24] == 2u64.to_le_bytes();
    flash.bytes[..USED].fill(0);
    is_second && open(flash).is_ok_and(|vault| (vault.counter(1), vault.secret()) == (5, &ROOT))
}

#[test]
fn what_has_lost_a_copy_gets_it_back_when_it_is_opened() {
    assert!(!went_on(open(raised()).expect("whole").into_flash()), "nothing is to be mended");
    for at in [30, 4096 + 30, LOG, LOG + RECORD, LOG + 2 * RECORD, LOG + 3 * RECORD] {
        let mut flash = raised();
        flash.bytes[at] ^= 1;
        assert!(went_on(open(flash).expect("one copy is whole").into_flash()), "byte {at}");
    }
    let mut half = raised();
    half.bytes[LOG + 3 * RECORD..LOG + 4 * RECORD].fill(0xff);
    assert!(went_on(open(half).expect("half a pair").into_flash()));
    let mut unfinished = raised();
    unfinished.bytes[LOG..USED].fill(0xff);
    let flash = open(unfinished).expect("a header and no record").into_flash();
    assert_eq!(flash.bytes[USED + 16..USED + 24], 2u64.to_le_bytes());
}

#[test]
fn a_place_that_took_something_else_is_left_at_once() {
    let flash = Memory { stuck: Some(LOG + 4 * RECORD), ..raised() };
    let mut vault = open(flash).expect("opened");
    vault.raise(0, 1).expect("raised");
    assert!(went_on(vault.into_flash()));
}

#[test]
fn nothing_is_promised_behind_a_failure_and_nothing_written_for_what_is_there() {
    let mut vault = open(Memory { steps: Some(0), ..raised() }).expect("opened");
    assert_eq!(vault.raise(1, 5), Ok(()), "it is there already");
    assert_eq!(vault.raise(1, 6), Err(Fault::Stuck));
    assert_eq!(vault.raise(1, 6), Err(Fault::Refused), "whether it is there is not known");
}

#[test]
fn what_somebody_else_put_in_either_block_is_seen() {
    for at in [3, USED + 3, 2 * USED - 1] {
        let mut flash = blank();
        flash.bytes[at] = 0;
        assert_eq!(open(flash).err(), Some(Error::Foreign), "byte {at}");
    }
    let mut flash = raised();
    flash.bytes.copy_within(..120, USED);
    flash.bytes[USED + 8] = 2;
    let sum = xxhash_rust::xxh3::xxh3_64(&flash.bytes[USED..USED + 120]);
    flash.bytes[USED + 120..USED + 128].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(open(flash).err(), Some(Error::Version(2)), "a later version in the second block");
    // A record of a counter that there is not, with a checksum as it should be.
    let mut flash = raised();
    let (mut covered, value) = ([COUNTERS as u8; 17], 9u64.to_le_bytes());
    covered[1..9].copy_from_slice(&1u64.to_le_bytes());
    covered[9..].copy_from_slice(&value);
    let record = &mut flash.bytes[LOG + 4 * RECORD..LOG + 5 * RECORD];
    record[..4].copy_from_slice(&[COUNTERS as u8, 0xa5, 0, 0]);
    record[4..8].copy_from_slice(&(xxhash_rust::xxh3::xxh3_64(&covered) as u32).to_le_bytes());
    record[8..].copy_from_slice(&value);
    assert!(went_on(open(flash).expect("passed over").into_flash()));
}
