//! Structures that the kernel writes into user memory. Layout is pinned by golden tests: little-endian, no
//! padding, only fields at the end may be added.

use crate::bounds::{KERNEL_RECORDS, MAX_HOLDINGS};
use crate::{Identity, Ticks};

/// What `object_info` is asked about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u64)]
pub enum Topic {
    /// [`HandleInfo`] of any handle; needs no right.
    Handle = 0,
    /// [`ProcessInfo`] of a process.
    Process = 1,
    /// [`ExitRecord`] of a process that has ended or was told to (`BadState` before).
    Exit = 2,
    /// [`VmoInfo`] of a vmo.
    Vmo = 3,
    /// [`QuotaInfo`] of a quota.
    Quota = 4,
    /// [`KernelStats`], from the root resource.
    Kernel = 5,
    /// [`MmioInfo`] of a window of device registers.
    Mmio = 6,
    /// [`PoolInfo`] of a pool.
    Pool = 7,
    /// [`DmaInfo`] of a vmo that was taken out of a pool; needs DMA instead of INSPECT.
    Dma = 8,
    /// [`KernelRecords`], from the root resource; needs WAIT instead of INSPECT.
    Records = 9,
    /// [`IrqInfo`] of an interrupt.
    Irq = 10,
    /// [`Holdings`] of a process, from the entry `from` of its handle table on; needs OBSERVE instead of INSPECT.
    Holdings = 11,
}

impl Topic {
    /// The topic with this number.
    pub const fn from_raw(number: u64) -> Option<Topic> {
        match number {
            0 => Some(Topic::Handle),
            1 => Some(Topic::Process),
            2 => Some(Topic::Exit),
            3 => Some(Topic::Vmo),
            4 => Some(Topic::Quota),
            5 => Some(Topic::Kernel),
            6 => Some(Topic::Mmio),
            7 => Some(Topic::Pool),
            8 => Some(Topic::Dma),
            9 => Some(Topic::Records),
            10 => Some(Topic::Irq),
            11 => Some(Topic::Holdings),
            _ => None,
        }
    }
}

/// What a handle is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct HandleInfo {
    /// [`Kind`](crate::Kind) number.
    pub kind: u32,
    /// [`Rights`](crate::Rights) bits.
    pub rights: u32,
}

/// What a process is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct ProcessInfo {
    /// Who it is.
    pub identity: Identity,
    /// 1 once it has ended.
    pub ended: u32,
    /// Threads that have been created and have not ended.
    pub threads: u32,
    /// Handles in its table.
    pub handles: u32,
    /// Mappings in its address space.
    pub mappings: u32,
    /// Processor time its threads used, and that servers used on its behalf, in ticks.
    pub cpu_ticks: Ticks,
}

/// Why a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u32)]
pub enum ExitCause {
    /// It said so; `code` is what it said.
    Exited = 1,
    /// A thread did what it may not; `code` is the RISC-V `scause`, `address` its `stval`.
    Faulted = 2,
    /// Another process killed it.
    Killed = 3,
    /// Its quota was destroyed.
    Revoked = 4,
}

impl ExitCause {
    /// The cause with this number.
    pub const fn from_raw(number: u32) -> Option<ExitCause> {
        match number {
            1 => Some(ExitCause::Exited),
            2 => Some(ExitCause::Faulted),
            3 => Some(ExitCause::Killed),
            4 => Some(ExitCause::Revoked),
            _ => None,
        }
    }
}

/// The one record that a process leaves to its supervisor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct ExitRecord {
    /// [`ExitCause`] number.
    pub cause: u32,
    /// Who it was.
    pub identity: Identity,
    /// 0.
    pub reserved: u32,
    /// Exit code, or `scause`.
    pub code: u64,
    /// Program counter of the thread that ended it (0 when killed).
    pub pc: u64,
    /// The address that a faulting thread touched (`stval`).
    pub address: u64,
    /// Registers `x1` to `x31` of a faulting thread.
    pub registers: [u64; 31],
}

/// What a vmo is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct VmoInfo {
    /// Its size in bytes, a multiple of the page size.
    pub size: u64,
    /// 1 once sealed.
    pub sealed: u32,
    /// Mappings of it, in all processes.
    pub mappings: u32,
    /// Handles to it, in all processes and on their way.
    pub handles: u32,
    /// 0.
    pub reserved: u32,
}

/// What a window of device registers is. Where it is, is not told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct MmioInfo {
    /// Its size in bytes, a multiple of the page size.
    pub size: u64,
    /// Mappings of it, in all processes.
    pub mappings: u32,
    /// Handles to it, in all processes and on their way.
    pub handles: u32,
}

/// What an interrupt is. Which source it is, is not told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct IrqInfo {
    /// 1 while it can fire.
    pub on: u32,
    /// Handles to it, in all processes and on their way.
    pub handles: u32,
}

/// The state of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct PoolInfo {
    /// Its size in pages.
    pub pages: u32,
    /// Pages that no vmo has.
    pub pages_free: u32,
    /// Vmos that were taken and still are.
    pub vmos: u32,
    /// 0.
    pub reserved: u32,
}

/// Where a device finds a vmo.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct DmaInfo {
    /// Physical address of its first byte.
    pub address: u64,
    /// Its size in bytes: all of it is contiguous.
    pub size: u64,
}

/// What a kernel record is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u32)]
pub enum RecordKind {
    /// A process read or wrote an address of the device range where it has no window, or where the device refused.
    MmioOutside = 1,
    /// A process tried to execute an address of the device range.
    MmioExecute = 2,
}

impl RecordKind {
    /// The kind with this number.
    pub const fn from_raw(number: u32) -> Option<RecordKind> {
        match number {
            1 => Some(RecordKind::MmioOutside),
            2 => Some(RecordKind::MmioExecute),
            _ => None,
        }
    }
}

/// Something that the kernel saw and that nobody asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct KernelRecord {
    /// [`RecordKind`] number; 0: none yet.
    pub kind: u32,
    /// Who did it.
    pub identity: Identity,
    /// 0.
    pub reserved: u32,
    /// The address concerned.
    pub address: u64,
    /// When.
    pub at: Ticks,
}

/// One handle of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Holding {
    /// Its object: equal for handles of one object, and for both ends of one channel; of no use but to compare.
    pub object: u64,
    /// [`Rights`](crate::Rights) bits.
    pub rights: u32,
    /// [`Kind`](crate::Kind) number; 0: no handle.
    pub kind: u16,
    /// Which end, of a channel: 0 or 1.
    pub end: u16,
}

/// Some of the handles of a process, in the order of its table. Nothing stands still while one looks: what is told was so at one
/// moment for each handle, not for all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Holdings {
    /// From where to ask for more; 0: there is no more.
    pub next: u32,
    /// How many there are here.
    pub count: u32,
    /// They, and then nothing.
    pub holdings: [Holding; MAX_HOLDINGS],
}

/// The last records of the kernel. Record number `n`, counted from 0, is `records[n % KERNEL_RECORDS]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct KernelRecords {
    /// Records made since boot.
    pub total: u64,
    /// The last of them.
    pub records: [KernelRecord; KERNEL_RECORDS],
}

/// The state of a quota.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct QuotaInfo {
    /// Pages it can charge.
    pub pages: u64,
    /// Pages charged, smaller quotas split off included.
    pub pages_used: u64,
    /// Processor share it can give, in thousandths of a hart.
    pub cpu: u64,
    /// Processor share given.
    pub cpu_used: u64,
    /// Objects that belong to it.
    pub objects: u64,
}

/// Counters of the whole kernel since boot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct KernelStats {
    /// Page frames that nobody holds.
    pub frames_free: u64,
    /// Page frames the kernel manages.
    pub frames_total: u64,
    /// Bytes the kernel copied from or to user memory for messages.
    pub bytes_copied: u64,
    /// Messages delivered on the slow path; the fast one keeps no count.
    pub slow_transfers: u64,
    /// Thread switches, but for those on the fast path.
    pub switches: u64,
    /// Harts that run.
    pub harts: u64,
}

/// What the kernel tells the first process: the payload of the first message on its bootstrap endpoint.
/// The handles that come with it are, in this order: its own process, the root quota, the identity that mints
/// all others, the root resource, the boot image (sealed vmo), the device tree (sealed vmo).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct StartInfo {
    /// Ticks of the time counter a second.
    pub timebase_hz: u64,
    /// Harts that run.
    pub harts: u64,
    /// Bytes of the boot image in its vmo.
    pub boot_image_bytes: u64,
    /// Bytes of the device tree in its vmo.
    pub device_tree_bytes: u64,
    /// Time counter when the kernel was entered.
    pub boot_ticks: Ticks,
}
