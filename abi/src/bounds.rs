//! Every bound of the kernel interface, by name. Each has a test at the bound and one past it.

/// Bytes in a page, the unit of memory, of mappings and of quota charges.
pub const PAGE_SIZE: usize = 4096;

/// Largest message, in bytes. Bulk data goes by vmo.
pub const MAX_MESSAGE_BYTES: usize = 4096;

/// Most handles in one message.
pub const MAX_MESSAGE_HANDLES: usize = 8;

/// Message words that travel in registers (`a2` to `a7`).
pub const REGISTER_WORDS: usize = 6;

/// Largest message that travels in registers alone, in bytes.
pub const REGISTER_BYTES: usize = REGISTER_WORDS * 8;

/// Deepest queue of a channel end, in messages.
pub const MAX_QUEUE_DEPTH: usize = 256;

/// Largest queue storage of one channel end, in pages: bytes and handle records of all its messages.
pub const MAX_QUEUE_PAGES: usize = 288;

/// Handles in one page of a process's handle table.
pub const HANDLES_PER_PAGE: usize = 256;

/// Largest handle table of a process, in handles.
pub const MAX_HANDLES: usize = 16 * HANDLES_PER_PAGE;

/// Most mappings that one process can hold at a time.
pub const MAX_MAPPINGS: usize = 64;

/// Largest vmo, in bytes (1 GiB).
pub const MAX_VMO_BYTES: u64 = 1 << 30;

/// Number of thread priorities; 0 is the background level, also for threads whose budget is used up.
pub const PRIORITIES: usize = 32;

/// Highest priority a thread can have.
pub const MAX_PRIORITY: u64 = PRIORITIES as u64 - 1;

/// Period over which a processor share is counted, in milliseconds.
pub const BUDGET_PERIOD_MS: u64 = 100;

/// Length of a round-robin slice, in milliseconds.
pub const SLICE_MS: u64 = 10;

/// Processor share that all quotas together can hold, in thousandths of one hart. The rest is
/// never promised to anyone, so that threads whose budget is used up still advance.
pub const CPU_PERMILLE_TOTAL: u64 = 900;

/// Room in the handle table of the first process, which nobody else makes.
pub const FIRST_HANDLES: u64 = 1024;

/// Processor share of the first process, in thousandths of one hart.
pub const FIRST_CPU_PERMILLE: u64 = 100;

/// Priority of its first thread.
pub const FIRST_PRIORITY: u64 = 16;

/// First user address that can be mapped: page 0 stays empty so that a null pointer always faults.
pub const USER_START: u64 = PAGE_SIZE as u64;

/// First address past user space (Sv39: half of the 39-bit space).
pub const USER_END: u64 = 1 << 38;

/// First user address of device windows: these are mapped from here to [`USER_END`] and nothing else is. No pointer given to
/// the kernel may lie there, so that the kernel never touches a device on a program's behalf.
pub const DEVICE_START: u64 = 0x3c_0000_0000;

/// Largest window of device registers, in bytes (64 MiB).
pub const MAX_MMIO_BYTES: u64 = 64 << 20;

/// Most windows at a time.
pub const MAX_WINDOWS: usize = 64;

/// Interrupt sources of the machine; source 0 is none.
pub const MAX_IRQ_SOURCES: usize = 1024;

/// Largest pool of device memory, in bytes (16 MiB).
pub const MAX_POOL_BYTES: u64 = 16 << 20;

/// Kernel records that are kept; older ones are lost.
pub const KERNEL_RECORDS: usize = 8;

/// Most handles of a process that one `object_info` tells of.
pub const MAX_HOLDINGS: usize = 11;

/// Most bytes one `console_write` takes.
pub const MAX_CONSOLE_WRITE: usize = 256;

/// Most harts the kernel runs on.
pub const MAX_HARTS: usize = 8;
