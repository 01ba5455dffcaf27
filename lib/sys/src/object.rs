//! Every system call that is not about a message, with typed arguments. A call that could pull memory from
//! under this program is `unsafe`; the others cannot harm more than their own objects.

use crate::raw;
use core::mem::{MaybeUninit, size_of};
use nexus_abi::{
    DmaInfo, Error, ExitRecord, Handle, HandleInfo, Holdings, IrqInfo, KernelRecords, KernelStats, MmioInfo,
    PoolInfo, ProcessInfo, QuotaInfo, Rights, Signals, Ticks, Topic, VmoInfo,
};

/// What one end of a channel can receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct End {
    /// Messages its queue holds; 0 receives calls only.
    pub depth: u16,
    /// Largest message in bytes.
    pub bytes: u16,
    /// Largest message in handles.
    pub handles: u16,
}

impl End {
    const fn to_raw(self) -> u64 {
        self.depth as u64 | (self.bytes as u64) << 16 | (self.handles as u64) << 32
    }
}

const fn named(raw: u64) -> Handle {
    Handle(raw as u32)
}

fn raw_of(handle: Handle) -> u64 {
    handle.0 as u64
}

macro_rules! safe {
    ($call:ident($($arg:expr),*)) => {
        // SAFETY: no address of this program's memory is among the arguments.
        unsafe { raw::$call($($arg),*) }
    };
}

/// Enters and leaves the kernel.
#[inline(always)]
pub fn null() -> Result<(), Error> {
    safe!(null())
}

/// Closes a handle.
pub fn handle_close(handle: Handle) -> Result<(), Error> {
    safe!(handle_close(raw_of(handle)))
}

/// Some of the handles that a process holds, from an entry of its table on.
pub fn holdings(process: Handle, from: u32) -> Result<Holdings, Error> {
    let mut info = MaybeUninit::<Holdings>::zeroed();
    let (at, size) = (info.as_mut_ptr() as u64, size_of::<Holdings>() as u64);
    // SAFETY: the kernel writes at most `size` bytes there.
    let told = unsafe { raw::object_info(raw_of(process), Topic::Holdings as u64, at, size, from.into()) };
    told?;
    // SAFETY: the structure is made of integers only, for which every pattern (0 too) is a value.
    Ok(unsafe { info.assume_init() })
}

/// Makes a second handle with the same or fewer rights.
pub fn handle_dup(handle: Handle, rights: Rights) -> Result<Handle, Error> {
    safe!(handle_dup(raw_of(handle), rights.bits() as u64)).map(named)
}

macro_rules! info {
    ($($(#[$doc:meta])+ $name:ident: $topic:ident -> $type:ty;)+) => {
        $($(#[$doc])+
        pub fn $name(handle: Handle) -> Result<$type, Error> {
            let mut info = MaybeUninit::<$type>::zeroed();
            let size = size_of::<$type>() as u64;
            // SAFETY: the kernel writes at most `size` bytes there.
            let written = unsafe {
                raw::object_info(raw_of(handle), Topic::$topic as u64, info.as_mut_ptr() as u64, size, 0)
            }?;
            // An older kernel knows fewer fields; those it did not write stay 0.
            debug_assert!(written <= size);
            // SAFETY: the structure is made of integers only, for which every pattern (0 too) is a value.
            Ok(unsafe { info.assume_init() })
        })+
    };
}

info! {
    /// Kind and rights of any handle.
    handle_info: Handle -> HandleInfo;
    /// Who a process is and what it holds.
    process_info: Process -> ProcessInfo;
    /// Why a process ended, or ends; `BadState` before it was told to.
    exit_record: Exit -> ExitRecord;
    /// Size and state of a vmo.
    vmo_info: Vmo -> VmoInfo;
    /// Charges of a quota.
    quota_info: Quota -> QuotaInfo;
    /// Counters of the kernel, from the root resource.
    kernel_stats: Kernel -> KernelStats;
    /// Size and use of a window.
    mmio_info: Mmio -> MmioInfo;
    /// State and use of an interrupt.
    irq_info: Irq -> IrqInfo;
    /// Size and use of a pool.
    pool_info: Pool -> PoolInfo;
    /// Where a device finds a vmo of a pool.
    dma_info: Dma -> DmaInfo;
    /// The last records of the kernel, from the root resource.
    kernel_records: Records -> KernelRecords;
}

/// Makes a channel.
pub fn channel_create(quota: Handle, end0: End, end1: End) -> Result<(Handle, Handle), Error> {
    safe!(channel_create(raw_of(quota), end0.to_raw(), end1.to_raw())).map(|(a, b)| (named(a), named(b)))
}

/// Makes a port.
pub fn port_create(quota: Handle) -> Result<Handle, Error> {
    safe!(port_create(raw_of(quota))).map(named)
}

/// Binds an endpoint, timer, process, irq or the resource to a port; no signals unbinds.
pub fn port_bind(port: Handle, object: Handle, key: u64, signals: Signals) -> Result<(), Error> {
    safe!(port_bind(raw_of(port), raw_of(object), key, signals.bits() as u64))
}

/// Raises user bits (16 to 31) on a port.
#[inline(always)]
pub fn port_signal(port: Handle, bits: u32) -> Result<(), Error> {
    safe!(port_signal(raw_of(port), bits as u64))
}

/// Makes zeroed memory of a whole number of pages.
pub fn vmo_create(quota: Handle, bytes: u64) -> Result<Handle, Error> {
    safe!(vmo_create(raw_of(quota), bytes)).map(named)
}

/// Makes a vmo immutable.
pub fn vmo_seal(vmo: Handle) -> Result<(), Error> {
    safe!(vmo_seal(raw_of(vmo)))
}

/// Maps part of a vmo or window at `address` (0: the kernel chooses), which cannot overlap what is mapped. The memory is
/// reached through the address alone, so making the mapping is harmless.
pub fn vm_map(
    process: Handle,
    memory: Handle,
    offset: u64,
    bytes: u64,
    address: u64,
    access: Rights,
) -> Result<u64, Error> {
    safe!(vm_map(raw_of(process), raw_of(memory), offset, bytes, address, access.bits() as u64))
}

/// Removes a mapping.
///
/// # Safety
/// If the process is this one, nothing may refer to the mapping's memory any more.
pub unsafe fn vm_unmap(process: Handle, address: u64) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    unsafe { raw::vm_unmap(raw_of(process), address) }
}

/// Makes an empty process.
pub fn process_create(
    quota: Handle,
    identity: Handle,
    handles: u64,
    max_priority: u64,
    cpu: u64,
) -> Result<Handle, Error> {
    safe!(process_create(raw_of(quota), raw_of(identity), handles, max_priority, cpu)).map(named)
}

/// Makes a thread that has not started.
pub fn thread_create(process: Handle, quota: Handle, priority: u64) -> Result<Handle, Error> {
    safe!(thread_create(raw_of(process), raw_of(quota), priority)).map(named)
}

/// Starts a thread; `handle` (or none) moves to its process.
///
/// # Safety
/// If the thread's process is this one, `entry` and `stack` must be those of a function that never returns
/// and of memory that nothing else uses.
pub unsafe fn thread_start(
    thread: Handle,
    entry: u64,
    stack: u64,
    argument: u64,
    handle: Handle,
) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    unsafe { raw::thread_start(raw_of(thread), entry, stack, argument, raw_of(handle)) }
}

/// Ends a process.
pub fn process_kill(process: Handle) -> Result<(), Error> {
    safe!(process_kill(raw_of(process)))
}

fn exit(code: u64, whole_process: u64) -> ! {
    loop {
        // Does not return. Should a kernel return all the same, ask again: there is nothing else to do.
        let _ = safe!(thread_exit(code, whole_process));
        core::hint::spin_loop();
    }
}

/// Ends this thread.
pub fn thread_exit(code: u64) -> ! {
    exit(code, 0)
}

/// Signals a port, then ends this thread. Between the two nothing is read from or written to memory, so whoever sees
/// the signal may take the thread's stack away.
pub fn thread_exit_after(port: Handle, bits: u32) -> ! {
    raw::signal_and_exit(raw_of(port), bits as u64)
}

/// Ends this process.
pub fn process_exit(code: u64) -> ! {
    exit(code, 1)
}

/// Lets another thread of the same priority run.
#[inline(always)]
pub fn thread_yield() {
    let _ = safe!(thread_yield());
}

/// Makes a timer that is not set.
pub fn timer_create(quota: Handle) -> Result<Handle, Error> {
    safe!(timer_create(raw_of(quota))).map(named)
}

/// Sets when a timer signals EXPIRED.
pub fn timer_set(timer: Handle, deadline: Ticks) -> Result<(), Error> {
    safe!(timer_set(raw_of(timer), deadline))
}

/// Splits a smaller quota off a quota.
pub fn quota_create(quota: Handle, pages: u64, cpu: u64) -> Result<Handle, Error> {
    safe!(quota_create(raw_of(quota), pages, cpu)).map(named)
}

/// Destroys every object of a quota.
///
/// # Safety
/// If vmos of the quota are mapped in this process, nothing may refer to their memory any more. (A touch
/// faults: it ends the process, and never reaches other memory.)
pub unsafe fn quota_destroy(quota: Handle) -> Result<(), Error> {
    // SAFETY: the caller's promise.
    unsafe { raw::quota_destroy(raw_of(quota)) }
}

/// Mints the identity of a service id.
pub fn identity_create(minter: Handle, quota: Handle, service: u32) -> Result<Handle, Error> {
    safe!(identity_create(raw_of(minter), raw_of(quota), service as u64)).map(named)
}

/// Writes to the kernel's console.
pub fn console_write(resource: Handle, text: &[u8]) -> Result<(), Error> {
    // SAFETY: the kernel only reads the slice.
    unsafe { raw::console_write(raw_of(resource), text.as_ptr() as u64, text.len() as u64) }
}

/// Ends or restarts the machine.
pub fn machine_reset(resource: Handle, code: u64) -> Result<(), Error> {
    safe!(machine_reset(raw_of(resource), code))
}

/// Mints a window of device registers.
pub fn mmio_create(resource: Handle, quota: Handle, base: u64, bytes: u64) -> Result<Handle, Error> {
    safe!(mmio_create(raw_of(resource), raw_of(quota), base, bytes)).map(named)
}

/// Mints the interrupt of a source.
pub fn irq_create(resource: Handle, quota: Handle, source: u32) -> Result<Handle, Error> {
    safe!(irq_create(raw_of(resource), raw_of(quota), source as u64)).map(named)
}

/// Lets an interrupt fire again.
pub fn irq_ack(irq: Handle) -> Result<(), Error> {
    safe!(irq_ack(raw_of(irq)))
}

/// Makes a pool of contiguous memory.
pub fn pool_create(resource: Handle, quota: Handle, bytes: u64) -> Result<Handle, Error> {
    safe!(pool_create(raw_of(resource), raw_of(quota), bytes)).map(named)
}

/// Takes a contiguous vmo out of a pool.
pub fn pool_take(pool: Handle, bytes: u64) -> Result<Handle, Error> {
    safe!(pool_take(raw_of(pool), bytes)).map(named)
}
