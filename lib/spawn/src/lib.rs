//! Making a process out of a program of the boot image. `nexus-init` uses it for the two processes that must
//! exist before `execd`, `execd` for all others, and a test's driver for the programs it watches.
//!
//! Code and constants are mapped straight from the sealed image; only data and stack are memory of the new
//! process's own. Nothing here decides who may be started, or with what.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod grants;

pub use grants::Grants;

use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{Error, Rights};
use nexus_bootimg::{Access, Entry, Program, ProgramError, Segment};
use nexus_rt::startup::{PROGRAM_END, STARTER_END};
use nexus_rt::{Channel, Child, End, IdentityKind, Limits, Owned, ProcessKind, QuotaKind, Vmo};

/// Where the stack of a first thread ends.
pub const STACK_TOP: u64 = 0x30_0000_0000;

/// Bytes of a first thread's stack. The page below it is never mapped by the starter.
pub const STACK_BYTES: u64 = 16 * PAGE_SIZE as u64;

/// Why there is no process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpawnError {
    /// The file is not a program.
    Program(ProgramError),
    /// The kernel refused.
    Kernel(Error),
}

impl From<Error> for SpawnError {
    fn from(error: Error) -> Self {
        SpawnError::Kernel(error)
    }
}

/// What a new process is made of.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The boot image.
    pub image: &'a Owned<Vmo>,
    /// The program in it.
    pub program: Entry<'a>,
    /// What everything is charged to.
    pub quota: &'a Owned<QuotaKind>,
    /// Who it is.
    pub identity: &'a Owned<IdentityKind>,
    /// What it may have at most.
    pub limits: Limits,
}

/// The channel over which a new process gets its grants: the starter's end, then the program's.
pub fn bootstrap(quota: &Owned<QuotaKind>) -> Result<(Owned<Channel>, Owned<Channel>), Error> {
    Owned::<Channel>::create(quota, starter_end(), PROGRAM_END)
}

const fn starter_end() -> End {
    STARTER_END
}

/// Makes the process and starts it. When something is refused, nothing of it is left.
pub fn spawn(
    plan: &Plan<'_>,
    own: &Owned<ProcessKind>,
    bootstrap: Owned<Channel>,
) -> Result<Child, SpawnError> {
    let program = Program::parse(plan.program.bytes).map_err(SpawnError::Program)?;
    let child = Child::create(plan.quota, plan.identity, plan.limits)?;
    match furnish(plan, own, &program, &child, bootstrap) {
        Ok(()) => Ok(child),
        Err(error) => {
            // It has no thread, so nothing would ever end it.
            let _ = child.process().kill();
            Err(error.into())
        }
    }
}

fn furnish(
    plan: &Plan<'_>,
    own: &Owned<ProcessKind>,
    program: &Program,
    child: &Child,
    bootstrap: Owned<Channel>,
) -> Result<(), Error> {
    for segment in program.segments() {
        match segment.access {
            Access::ReadWrite => place_data(plan, own, segment, child)?,
            Access::Read | Access::ReadExecute => {
                let offset = plan.program.offset as u64 + segment.file_offset;
                let rights = segment.access.rights();
                child.map(plan.image, offset, segment.mapped_size(), segment.vaddr, rights)?;
            }
        }
    }
    let stack = Owned::<Vmo>::create(plan.quota, STACK_BYTES)?;
    child.map(&stack, 0, STACK_BYTES, STACK_TOP - STACK_BYTES, read_write())?;
    let priority = plan.limits.priority;
    let timebase = nexus_rt::clock::timebase();
    child.start(plan.quota, priority, program.entry, STACK_TOP, timebase, bootstrap)
}

fn place_data(
    plan: &Plan<'_>,
    own: &Owned<ProcessKind>,
    segment: &Segment,
    child: &Child,
) -> Result<(), Error> {
    let data = Owned::<Vmo>::create(plan.quota, segment.mapped_size())?;
    if segment.file_size > 0 {
        let start = segment.file_offset as usize;
        let bytes = plan.program.bytes.get(start..start + segment.file_size as usize);
        let bytes = bytes.ok_or(Error::Invalid)?;
        data.map(own, 0, segment.mapped_size(), read_write())?.write(0, bytes)?;
    }
    child.map(&data, 0, segment.mapped_size(), segment.vaddr, read_write())?;
    Ok(())
}

const fn read_write() -> Rights {
    Rights::READ.union(Rights::WRITE)
}
