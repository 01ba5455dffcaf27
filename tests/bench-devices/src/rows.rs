//! The rows of devices. Each checks that what it counted was done.

use crate::bare::Bare;
use crate::spin::Spin;
use crate::{Report, Step, why};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nexus_driver::Grants;
use nexus_rt::api::block::{self, MAX_BUFFER, Transfer};
use nexus_rt::api::supervise::{self, State};
use nexus_rt::api::{disk, random};
use nexus_rt::memory::Mapping;
use nexus_rt::samgr::Service;
use nexus_rt::wire::{Fixed, Text};
use nexus_rt::{Channel, Owned, READ_WRITE, Startup, Vmo, clock, thread};

/// Times before counting begins, and times that count.
pub const WARM: usize = 8;
const COUNTED: usize = 100;
/// Interrupts that count, and tries until so many came while they were waited for.
const INTERRUPTS: usize = 20;
const TRIES: usize = 5000;
/// Bytes of the read that an interrupt ends: so many that it is waited for.
const WAITED_FOR: u64 = 1 << 20;
/// Kills and restarts.
const RESTARTS: usize = 20;

/// What is read in sequence, and in how many passes by each side in turn.
const SEQUENCE: u64 = 16 << 20;
const PASSES: usize = 41;
/// Requests on their way at once, on both sides.
const AT_ONCE: usize = 2;

/// Priority of a reader's thread.
const PRIORITY: u8 = 10;

const SECTOR: u64 = 512;
/// Sectors of a transfer of 4 KiB.
const SECTORS_4K: u32 = 8;

/// Every row.
pub fn all(startup: &Startup, mut grants: Grants, supervisor: &Owned<Channel>, report: &mut Report) -> Step {
    let quota = startup.quota().ok_or("no quota")?;
    let mut pool = grants.pool.take().ok_or("no pool")?;
    let mut bare = Bare::begin(&grants, &mut pool, quota, AT_ONCE, MAX_BUFFER)?;
    let spin = Spin::begin()?;
    sequential(&mut bare, startup, report)?;
    interrupts(&mut bare, &spin, report)?;
    small_reads(startup, &spin, report)?;
    restarts(supervisor, &spin, report)?;
    Ok(())
}

/// The disk through its driver, with memory that is shared.
struct Session {
    block: block::Client<Fixed<Owned<Channel>>>,
    memory: Mapping,
}

impl Session {
    fn open(startup: &Startup, bytes: usize) -> Result<Session, String> {
        let name = why("name", Text::new("*"))?;
        let opened = why("open", disk::Client::new(Service("disk")).open(name))?;
        let mut block = block::Client::new(Fixed::new(Owned::from(opened.channel)));
        let memory: Owned<Vmo> = why("share", block.share(bytes as u32))?.memory.into();
        let own = startup.process().ok_or("no process")?;
        let memory = why("map", memory.map(own, 0, bytes as u64, READ_WRITE))?;
        Ok(Session { block, memory })
    }

    fn read(&mut self, sector: u64, count: u32) -> Step {
        why("read", self.block.read(Transfer { sector, offset: 0, count }))
    }

    /// Whether there is at `offset` what this disk has there (`tools/nx/src/bench/devices.rs`), when it was read from `sector` on.
    fn is_read(&self, sector: u64, offset: usize) -> Step {
        let (word, due) = (why("look", self.memory.load::<u64>(offset))?, sector * SECTOR + offset as u64);
        if word == due { Ok(()) } else { Err(format!("{word:#x} was read in place of {due:#x}")) }
    }
}

/// MB a second.
fn rate(ticks: u64) -> u64 {
    (SEQUENCE * clock::timebase()).checked_div(ticks.max(1) * 1_000_000).unwrap_or(0)
}

/// The same sectors through the driver and in a bare loop, one after the other and again: two requests of the largest size are on
/// their way at a time, on one side of two clients, on the other of one loop. The host takes its time now and then, so each
/// pass is compared with the bare one right before it.
fn sequential(bare: &mut Bare<'_>, startup: &Startup, report: &mut Report) -> Step {
    let (mut through, mut alone, mut share) = (Vec::new(), Vec::new(), Vec::new());
    let mut sessions = Vec::new();
    for _ in 0..AT_ONCE {
        sessions.push(Session::open(startup, MAX_BUFFER)?);
    }
    let each = MAX_BUFFER as u64 / SECTOR;
    for pass in 0..=PASSES {
        let begun = clock::now();
        bare.sequential(SEQUENCE, MAX_BUFFER as u64)?;
        let bare_ticks = clock::now() - begun;
        // From the first reader's first request to the last one's last answer: what it takes to make threads is none of it.
        let (mut first, mut last) = (u64::MAX, 0);
        let readers: Vec<_> = sessions
            .drain(..)
            .enumerate()
            .map(|(n, mut session)| {
                thread::spawn(PRIORITY, move || {
                    let begun = clock::now();
                    let own = (n as u64 * each..SEQUENCE / SECTOR).step_by(AT_ONCE * each as usize);
                    for sector in own {
                        session.read(sector, each as u32)?;
                        session.is_read(sector, MAX_BUFFER - 8)?;
                    }
                    Ok::<_, String>((session, begun, clock::now()))
                })
            })
            .collect();
        for reader in readers {
            let (session, begun, ended) =
                why("a thread", reader)?.join().ok_or("a reader ended otherwise")??;
            sessions.push(session);
            (first, last) = (first.min(begun), last.max(ended));
        }
        let ticks = last.saturating_sub(first);
        // The first pass warms what lies below.
        if pass > 0 {
            through.push(rate(ticks));
            alone.push(rate(bare_ticks));
            share.push(bare_ticks * 100 / ticks.max(1));
        }
    }
    report.figure("blk.read_seq", "MB/s", &mut through);
    report.figure("blk.read_seq.bare", "MB/s", &mut alone);
    // One pass against another says what the host did: the middle one of all counts.
    share.sort_unstable();
    let middle = share.get(share.len() / 2).copied().unwrap_or(0);
    report.figure("blk.read_seq.share", "percent", &mut [middle]);
    Ok(())
}

fn repeat(mut row: impl FnMut(usize) -> Result<u64, String>) -> Result<Vec<u64>, String> {
    for n in 0..WARM {
        row(n)?;
    }
    (0..COUNTED).map(row).collect()
}

fn interrupts(bare: &mut Bare<'_>, spin: &Spin, report: &mut Report) -> Step {
    let mut counts = Vec::new();
    for _ in 0..TRIES {
        counts.extend(bare.interrupt(spin, WAITED_FOR)?);
        if counts.len() == INTERRUPTS {
            report.figure("irq.deliver", "instructions", &mut counts);
            return Ok(());
        }
    }
    Err(format!("{} of {TRIES} interrupts came while they were waited for", counts.len()))
}

/// Read into memory that is shared, 4 KiB at a time: client, driver, kernel and interrupt, and not what the device took.
fn small_reads(startup: &Startup, spin: &Spin, report: &mut Report) -> Step {
    let mut session = Session::open(startup, 4096)?;
    let mut counts = repeat(|n| {
        why("spoil", session.memory.store::<u64>(4088, u64::MAX))?;
        let sector = 2048 + 8 * n as u64;
        let (count, done) = spin.count(|| session.read(sector, SECTORS_4K));
        done?;
        session.is_read(sector, 4088).map(|()| count)
    })?;
    report.figure("blk.read_4k", "instructions", &mut counts);
    Ok(())
}

/// What the supervisor says of a process.
pub struct Known {
    /// How often it was started.
    pub starts: u32,
    /// Pages that it is charged for.
    pub pages: u64,
}

/// That, once it does its job.
pub fn process(supervisor: &Owned<Channel>, name: &str) -> Result<Known, String> {
    let mut init = supervise::Client::new(Fixed::new(supervisor));
    for index in 0.. {
        let stat = why(name, init.stat(index))?;
        if stat.name.get() == name {
            let ready = matches!(stat.state, State::Ready);
            let known = Known { starts: stat.starts, pages: stat.pages };
            return if ready { Ok(known) } else { Err(format!("{name} is not ready")) };
        }
    }
    Err(format!("there is no {name}"))
}

/// From the kill of a driver to the first answer of the next one to a client that had a connection to the old.
fn restarts(supervisor: &Owned<Channel>, spin: &Spin, report: &mut Report) -> Step {
    let mut rng = random::Client::new(Service("random"));
    let mut counts = Vec::new();
    for _ in 0..RESTARTS {
        why("fill", rng.fill(8))?;
        let before = process(supervisor, "rngd")?.starts;
        let name = why("name", Text::new("rngd"))?;
        let (count, done) = spin.count(|| {
            why("kill", supervise::Client::new(Fixed::new(supervisor)).kill(name))?;
            why("fill after the kill", rng.fill(8)).map(|reply| reply.data.get().len())
        });
        if done? != 8 || process(supervisor, "rngd")?.starts != before + 1 {
            return Err(String::from("it was not restarted, or did not answer"));
        }
        counts.push(count);
    }
    report.figure("driver.restart", "instructions", &mut counts);
    Ok(())
}
