//! Handles, object kinds, rights, signals and identities.

use bitflags::bitflags;

/// A process's name for one of its capabilities: index (low 16 bits) and generation (high 16 bits).
/// 0 is never a handle. Meaningful only in the process that holds it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Handle(pub u32);

impl Handle {
    /// The value that is never a handle.
    pub const NONE: Handle = Handle(0);
}

/// What kind of object a handle is for. Numbers are stable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// An address space with its handle table.
    Process = 1,
    /// A flow of control in a process.
    Thread = 2,
    /// One end of a channel.
    Channel = 3,
    /// Where threads wait for many things.
    Port = 4,
    /// Memory: a fixed number of pages.
    Vmo = 5,
    /// Signals a port when its time has come.
    Timer = 6,
    /// An account of pages and processor share that kernel objects are charged to.
    Quota = 7,
    /// The right to bear a service id.
    Identity = 8,
    /// The root resource: what is left of the machine that is not memory or time.
    Resource = 9,
    /// A window of device registers: an exact range of physical addresses.
    Mmio = 10,
    /// One interrupt source.
    Irq = 11,
    /// Physically contiguous memory for a device, of which vmos are taken.
    Pool = 12,
}

impl Kind {
    /// Every kind, in the order of its number.
    pub const ALL: &'static [Kind] = &[
        Kind::Process,
        Kind::Thread,
        Kind::Channel,
        Kind::Port,
        Kind::Vmo,
        Kind::Timer,
        Kind::Quota,
        Kind::Identity,
        Kind::Resource,
        Kind::Mmio,
        Kind::Irq,
        Kind::Pool,
    ];

    /// The kind with this number.
    pub const fn from_raw(number: u8) -> Option<Kind> {
        if number >= 1 && number <= 12 { Some(Self::ALL[number as usize - 1]) } else { None }
    }

    /// Every right that means something on this kind; a new handle from its `create` call has them all (but DMA, which
    /// only vmos of a pool have; these in turn have neither EXECUTE nor SEAL).
    pub const fn all_rights(self) -> Rights {
        let common = Rights::TRANSFER.union(Rights::INSPECT);
        let dup = common.union(Rights::DUPLICATE);
        match self {
            Kind::Process => {
                dup.union(Rights::MANAGE).union(Rights::WAIT).union(Rights::MAP).union(Rights::OBSERVE)
            }
            Kind::Thread => dup.union(Rights::MANAGE),
            // An endpoint is held by exactly one process: it moves, and is never duplicated.
            Kind::Channel => common.union(Rights::SEND).union(Rights::RECEIVE).union(Rights::WAIT),
            Kind::Port => dup.union(Rights::WAIT).union(Rights::SIGNAL).union(Rights::BIND),
            Kind::Vmo => {
                let access = Rights::READ.union(Rights::WRITE).union(Rights::EXECUTE);
                dup.union(access).union(Rights::SEAL).union(Rights::DMA)
            }
            Kind::Timer => dup.union(Rights::WAIT).union(Rights::MANAGE),
            Kind::Quota => dup.union(Rights::CHARGE).union(Rights::SPLIT).union(Rights::MANAGE),
            Kind::Identity => dup.union(Rights::USE).union(Rights::MINT),
            Kind::Resource => {
                dup.union(Rights::CONSOLE).union(Rights::RESET).union(Rights::MINT).union(Rights::WAIT)
            }
            Kind::Mmio => dup.union(Rights::READ).union(Rights::WRITE),
            Kind::Irq => dup.union(Rights::WAIT).union(Rights::MANAGE),
            Kind::Pool => dup.union(Rights::DMA),
        }
    }

    /// The kind's name.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Process => "process",
            Kind::Thread => "thread",
            Kind::Channel => "channel",
            Kind::Port => "port",
            Kind::Vmo => "vmo",
            Kind::Timer => "timer",
            Kind::Quota => "quota",
            Kind::Identity => "identity",
            Kind::Resource => "resource",
            Kind::Mmio => "mmio",
            Kind::Irq => "irq",
            Kind::Pool => "pool",
        }
    }
}

bitflags! {
    /// What the holder of a handle may do with its object. Rights only ever shrink.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Rights: u32 {
        /// Make another handle with the same or fewer rights.
        const DUPLICATE = 1 << 0;
        /// Send the handle in a message, or hand it to a new process.
        const TRANSFER = 1 << 1;
        /// Ask for information about the object.
        const INSPECT = 1 << 2;
        /// Bind the object to a port; on a port, wait on it. Resource: learn of kernel records.
        const WAIT = 1 << 3;
        /// Process: create threads, start, kill. Thread: start. Timer: set. Quota: destroy. Irq: acknowledge.
        const MANAGE = 1 << 4;
        /// Process: map and unmap memory in it.
        const MAP = 1 << 5;
        /// Channel: send, call.
        const SEND = 1 << 6;
        /// Channel: receive, and so reply.
        const RECEIVE = 1 << 7;
        /// Port: raise its user signal bits.
        const SIGNAL = 1 << 8;
        /// Port: bind objects to it.
        const BIND = 1 << 9;
        /// Vmo, mmio: map readable.
        const READ = 1 << 10;
        /// Vmo, mmio: map writable.
        const WRITE = 1 << 11;
        /// Vmo: map executable (once sealed).
        const EXECUTE = 1 << 12;
        /// Vmo: make it immutable.
        const SEAL = 1 << 13;
        /// Quota: charge new objects to it.
        const CHARGE = 1 << 14;
        /// Quota: split a smaller quota off it.
        const SPLIT = 1 << 15;
        /// Identity: create processes that bear it.
        const USE = 1 << 16;
        /// Identity: mint other identities. Resource: mint windows, interrupts and pools.
        const MINT = 1 << 17;
        /// Resource: write to the kernel's console.
        const CONSOLE = 1 << 18;
        /// Resource: end or restart the machine.
        const RESET = 1 << 19;
        /// Pool: take memory out of it. Vmo of a pool: learn its physical address.
        const DMA = 1 << 20;
        /// Process: see which handles it holds.
        const OBSERVE = 1 << 21;
    }
}

bitflags! {
    /// What a port can be told about a bound object. A binding names those it wants; each is level-triggered
    /// unless its text says otherwise.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Signals: u32 {
        /// Channel: a message or a call is waiting. Waiting on the port delivers the message itself.
        const READABLE = 1 << 0;
        /// Channel: the queue towards the peer has room again (edge: after a send that found it full).
        const WRITABLE = 1 << 1;
        /// Channel: the peer is closed. Told once for each binding.
        const PEER_CLOSED = 1 << 2;
        /// Timer: its deadline has passed (edge: told once for each setting).
        const EXPIRED = 1 << 3;
        /// Process: it has ended and gave back what it held; its exit record can be read.
        const TERMINATED = 1 << 4;
        /// Irq: it has fired, and is off until it is acknowledged (edge: told once for each firing).
        const INTERRUPT = 1 << 5;
        /// Resource: the kernel has a new record (edge).
        const RECORD = 1 << 6;
        /// Process: it has faulted or was told to end (edge); its exit record can be read, and what it held is given back from now on.
        const ENDING = 1 << 7;
        /// Port: the 16 bits that `port_signal` raises, in the high half of the word.
        const USER = 0xffff_0000;
    }
}

/// Who sent a message, stamped by the kernel: never taken from payload bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(C)]
pub struct Identity {
    /// The service id of the identity object that the sending process was created with; 0 is the kernel.
    pub service: u32,
    /// The process's own number, never used again until the machine restarts.
    pub generation: u32,
}

impl Identity {
    /// As the kernel passes it in a register: service in the low half.
    pub const fn to_raw(self) -> u64 {
        self.service as u64 | (self.generation as u64) << 32
    }

    /// Back from a register.
    pub const fn from_raw(raw: u64) -> Identity {
        Identity { service: raw as u32, generation: (raw >> 32) as u32 }
    }
}
