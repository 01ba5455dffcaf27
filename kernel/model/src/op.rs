//! What a history is made of: operations at the level of the system calls, and the names they use.
//!
//! A history must mean the same to the model and to a kernel, so nothing here is a number that only one of them
//! knows. A handle is named by the order in which its process was given handles; a thread, a process and a quota
//! by the order of their creation; a reply token by the order in which tokens were told.

use nexus_abi::bounds::REGISTER_BYTES;
use nexus_abi::{Rights, Signals, Ticks};

/// A thread, by order of creation. Thread 0 is the first thread of process 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ThreadName(pub u32);

/// Who makes a step of a history.
pub type ActorId = ThreadName;

/// A process, by order of creation. Process 0 is there from the start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProcessName(pub u32);

/// A quota, by order of creation. Quota 0 pays for what was there before the history; 1 is the one the history has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QuotaName(pub u32);

/// The n-th handle that its process was given, counting from 0; never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HandleName(pub u32);

/// The n-th reply token that was told to anyone, counting from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TokenName(pub u32);

/// The bytes of a message, told by their number and what they were made from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Payload {
    /// How many bytes.
    pub bytes: usize,
    /// What the bytes were made from; cut to what so many bytes can show.
    pub seed: u32,
}

impl Payload {
    /// A message of `bytes` bytes made from `seed`.
    pub fn new(bytes: usize, seed: u32) -> Payload {
        let mask = if bytes >= 4 { u32::MAX } else { (1 << (8 * bytes)) - 1 };
        Payload { bytes, seed: seed & mask }
    }

    /// The bytes themselves: the seed, then a sequence in which no two places are alike for long.
    pub fn contents(&self) -> Vec<u8> {
        let seed = self.seed.to_le_bytes();
        (0..self.bytes).map(|at| if at < 4 { seed[at] } else { Self::filler(self.seed, at) }).collect()
    }

    /// Back from bytes that arrived; `None` when any byte is not as it was sent.
    pub fn from_contents(contents: &[u8]) -> Option<Payload> {
        let mut seed = [0; 4];
        let shown = contents.len().min(4);
        seed[..shown].copy_from_slice(&contents[..shown]);
        let payload = Payload { bytes: contents.len(), seed: u32::from_le_bytes(seed) };
        (payload.contents() == contents).then_some(payload)
    }

    /// Whether it needs the byte buffer; otherwise it travels in registers.
    pub fn needs_buffer(&self) -> bool {
        self.bytes > REGISTER_BYTES
    }

    fn filler(seed: u32, at: usize) -> u8 {
        (seed.wrapping_mul(31).wrapping_add(at as u32).wrapping_mul(0x9e37_79b9) >> 24) as u8
    }
}

/// What memory a buffer address points at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Memory {
    /// Memory that can be read and written.
    #[default]
    Writable,
    /// Memory that can only be read.
    ReadOnly,
    /// Nothing.
    Unmapped,
}

impl Memory {
    /// Whether the kernel can read it for the user.
    pub fn readable(self) -> bool {
        self != Memory::Unmapped
    }

    /// Whether the kernel can write it for the user.
    pub fn writable(self) -> bool {
        self == Memory::Writable
    }
}

/// The two buffers of a message call: they serve the message out and the message in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Buffers {
    /// The byte buffer.
    pub bytes: Memory,
    /// The handle buffer.
    pub handles: Memory,
}

/// A message as its sender names it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Outgoing {
    /// Its bytes.
    pub payload: Payload,
    /// Its handles, by the sender's names.
    pub handles: Vec<HandleName>,
}

/// Sizes of a message, or room for one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Sizes {
    /// Bytes.
    pub bytes: usize,
    /// Handles.
    pub handles: usize,
}

/// What one end of a channel can receive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct EndBounds {
    /// Queue depth, in messages.
    pub depth: usize,
    /// The largest message.
    pub largest: Sizes,
}

/// One operation. Each but the last is a system call; what is not told here (stacks, priorities, buffer
/// addresses) is for the subject to choose well.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "fields are the arguments of the system call of the same name in `abi`")]
pub enum Op {
    HandleClose { handle: HandleName },
    HandleDup { handle: HandleName, rights: Rights },
    ChannelCreate { quota: HandleName, ends: [EndBounds; 2] },
    ChannelSend { endpoint: HandleName, message: Outgoing, buffers: Buffers, deadline: Ticks },
    ChannelRecv { endpoint: HandleName, room: Sizes, buffers: Buffers, discard: bool },
    ChannelCall { endpoint: HandleName, message: Outgoing, room: Sizes, buffers: Buffers, deadline: Ticks },
    ChannelReply { token: TokenName, message: Outgoing, buffers: Buffers },
    ReplyAndWait { port: HandleName, reply: Option<(TokenName, Outgoing)>, room: Sizes, buffers: Buffers, deadline: Ticks },
    PortCreate { quota: HandleName },
    PortBind { port: HandleName, object: HandleName, key: u64, signals: Signals },
    PortSignal { port: HandleName, bits: Signals },
    VmoCreate { quota: HandleName, pages: u64 },
    VmoSeal { vmo: HandleName },
    /// `page` is the page number of the address, not 0.
    VmMap { process: HandleName, vmo: HandleName, offset: u64, pages: u64, page: u64, access: Rights },
    VmUnmap { process: HandleName, page: u64 },
    ProcessCreate { quota: HandleName, identity: HandleName, handles: usize, cpu: u64 },
    ThreadCreate { process: HandleName, quota: HandleName },
    ThreadStart { thread: HandleName, handle: Option<HandleName> },
    ProcessKill { process: HandleName },
    ThreadExit { code: u64, whole_process: bool },
    TimerCreate { quota: HandleName },
    TimerSet { timer: HandleName, deadline: Ticks },
    QuotaCreate { quota: HandleName, pages: u64, cpu: u64 },
    QuotaDestroy { quota: HandleName },
    IdentityCreate { minter: HandleName, quota: HandleName, service: u32 },
    /// Time goes on to this point, and everything due by then happens. Whose step it is does not matter.
    Advance { to: Ticks },
}
