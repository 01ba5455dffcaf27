//! A channel: two ends, each with the FIFO of what it is to receive. The rules are in `docs/ipc.md`.
//!
//! One lock, the header's, guards both ends. What must never happen: a message cut short, a handle that is
//! in two places or in none, an endpoint in flight that takes in handles.

use crate::binding::{Binding, NodeRef};
use crate::latch::Known;
use crate::list::{ThreadList, ThreadStack};
use crate::memory::{Frame, Header, Memory, PageType};
use crate::objects::Port;
use crate::sync::{Cell32, Cell64};
use crate::thread::state;
use nexus_abi::bounds::{
    MAX_MESSAGE_BYTES, MAX_MESSAGE_HANDLES, MAX_QUEUE_DEPTH, MAX_QUEUE_PAGES, PAGE_SIZE, REGISTER_BYTES,
};

/// What one end can receive, as `channel_create` is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EndSpec {
    /// Messages that can queue.
    pub depth: usize,
    /// Largest message in bytes.
    pub bytes: usize,
    /// Largest message in handles.
    pub handles: usize,
}

impl EndSpec {
    /// From the argument register; `None` if a field is out of its bound or the queue would be too large.
    pub fn from_raw(raw: u64) -> Option<EndSpec> {
        let spec = EndSpec {
            depth: (raw & 0xffff) as usize,
            bytes: (raw >> 16 & 0xffff) as usize,
            handles: (raw >> 32 & 0xffff) as usize,
        };
        (raw >> 48 == 0
            && spec.depth <= MAX_QUEUE_DEPTH
            && spec.bytes <= MAX_MESSAGE_BYTES
            && spec.handles <= MAX_MESSAGE_HANDLES
            && spec.pages() <= MAX_QUEUE_PAGES)
            .then_some(spec)
    }

    /// Bytes of one queued message: header, handles, bytes.
    pub fn entry_bytes(&self) -> usize {
        QUEUE_HEADER + self.handles * 16 + self.bytes.next_multiple_of(8)
    }

    /// Pages of the whole queue.
    pub fn pages(&self) -> usize {
        (self.depth * self.entry_bytes()).div_ceil(PAGE_SIZE)
    }
}

/// Bytes before the handles of a queued message: tag, identity, sequence, reserved.
const QUEUE_HEADER: usize = 32;

/// One end: what it receives, and who waits for it to. Aligned so that a node reference shifted is its address.
#[repr(C, align(2048))]
pub struct End {
    /// Sizes below this can be handed straight to a thread that waits at `port`; 0: none can. See [`Self::regauge`].
    pub limit: Cell64,
    /// Where a call goes, while that is a live port of its holder's alone and READABLE is told there.
    pub port: Known<Port>,
    /// Threads whose call is open.
    pub answering: ThreadStack,
    /// What a thread does whose call was received here and is open: `state::OPEN` and the node reference of this end.
    pub open_state: Cell64,
    /// Where its signals go.
    pub binding: Binding,
    /// 1 until it is closed.
    pub open: Cell32,
    /// 1 once it is closed and everything in its FIFO is dropped: the channel goes when both ends are.
    pub drained: Cell32,
    /// The process that holds it; 0 while it is in flight.
    pub holder: Cell32,
    /// 1 while it is in flight (set and cleared by who moves it).
    pub flight: Cell32,
    /// While it is in flight: the signals that its binding wants. The binding itself then wants none, so that nothing of what
    /// comes meanwhile reaches the port of the process that it leaves.
    pub parked: Cell32,
    /// Messages queued plus calls waiting.
    waiting: Cell32,
    /// Handles among them.
    pub handles_inside: Cell32,
    /// Threads whose call waits in the FIFO.
    pub callers: ThreadList,
    /// Threads whose message waits for room.
    pub senders: ThreadList,
    /// Order of the next message or call.
    pub sequence: Cell64,
    /// Queue bounds and state.
    pub depth: Cell32,
    /// Largest message in bytes.
    pub max_bytes: Cell32,
    /// Largest message in handles.
    pub max_handles: Cell32,
    /// Bytes of a queue entry.
    pub entry_bytes: Cell32,
    /// Index of the first queued message.
    pub first: Cell32,
    /// Queued messages.
    pub queued: Cell32,
    /// A send found the queue full: WRITABLE is owed to the other end.
    pub owes_writable: Cell32,
    /// Frames of the queue.
    pub page_count: Cell32,
    /// See `page_count`.
    pub pages: [Cell32; MAX_QUEUE_PAGES],
}

/// A channel.
#[repr(C)]
pub struct Channel {
    /// Its ends.
    pub ends: [End; 2],
}

// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for Channel {}
// SAFETY: a repr(C) structure of atomic cells only.
unsafe impl PageType for End {}

/// A place in an end's queue.
#[derive(Clone, Copy)]
pub struct QueueEntry(usize);

impl End {
    /// Opens a fresh end for a process.
    pub fn init(&self, spec: EndSpec, holder: Frame, node: NodeRef, header: &Header) {
        self.port.init(header);
        self.open_state.set((state::OPEN as u64) << 32 | node as u64);
        self.open.set(1);
        self.holder.set(holder.0);
        self.depth.set(spec.depth as u32);
        self.max_bytes.set(spec.bytes as u32);
        self.max_handles.set(spec.handles as u32);
        self.entry_bytes.set(spec.entry_bytes() as u32);
    }

    /// Messages and calls that wait here.
    pub fn waiting(&self) -> u32 {
        self.waiting.get()
    }

    /// One more waits.
    pub fn add_waiting(&self) {
        self.waiting.add(1);
        self.limit.set(0);
    }

    /// One less waits.
    pub fn sub_waiting(&self) {
        self.waiting.sub(1);
        self.regauge();
    }

    /// Says what may come by the fast path: nothing that would overtake, and nothing before it is known where to.
    pub fn regauge(&self) {
        let largest = (self.max_bytes.get() as usize).min(REGISTER_BYTES) as u64;
        let ready = self.waiting.get() == 0 && self.port.is_known();
        self.limit.set(if ready { largest + 1 } else { 0 });
    }

    /// Where calls go is not known any more, or not to be relied on.
    pub fn forget_port(&self) {
        self.port.forget();
        self.limit.set(0);
    }

    /// The entry of the `n`th queued message.
    pub fn entry(&self, n: u32) -> QueueEntry {
        let slot = (self.first.get() + n) % self.depth.get().max(1);
        QueueEntry(slot as usize * self.entry_bytes.get() as usize)
    }

    /// A word of an entry.
    fn cell<'m>(&self, memory: &'m Memory, at: usize) -> &'m Cell64 {
        let frame = Frame(self.pages[at / PAGE_SIZE].get());
        &memory.page::<[Cell64; 512]>(frame)[at % PAGE_SIZE / 8]
    }

    /// Tag of a queued message.
    pub fn entry_tag<'m>(&self, memory: &'m Memory, entry: QueueEntry) -> &'m Cell64 {
        self.cell(memory, entry.0)
    }

    /// Sender of a queued message.
    pub fn entry_identity<'m>(&self, memory: &'m Memory, entry: QueueEntry) -> &'m Cell64 {
        self.cell(memory, entry.0 + 8)
    }

    /// Order of a queued message.
    pub fn entry_sequence<'m>(&self, memory: &'m Memory, entry: QueueEntry) -> &'m Cell64 {
        self.cell(memory, entry.0 + 16)
    }

    /// The two words of its `n`th handle.
    pub fn entry_handle<'m>(
        &self,
        memory: &'m Memory,
        entry: QueueEntry,
        n: usize,
    ) -> (&'m Cell64, &'m Cell64) {
        let at = entry.0 + QUEUE_HEADER + n * 16;
        (self.cell(memory, at), self.cell(memory, at + 8))
    }

    /// The `n`th word of its bytes.
    pub fn entry_word<'m>(&self, memory: &'m Memory, entry: QueueEntry, n: usize) -> &'m Cell64 {
        self.cell(memory, entry.0 + QUEUE_HEADER + self.max_handles.get() as usize * 16 + n * 8)
    }

    /// The runs of frames that hold the first `len` bytes of a message: frame, offset in it, length.
    pub fn entry_runs(
        &self,
        entry: QueueEntry,
        len: usize,
    ) -> impl Iterator<Item = (Frame, usize, usize)> + '_ {
        let start = entry.0 + QUEUE_HEADER + self.max_handles.get() as usize * 16;
        let mut done = 0;
        core::iter::from_fn(move || {
            let at = start + done;
            let run = (PAGE_SIZE - at % PAGE_SIZE).min(len - done);
            (run != 0).then(|| {
                done += run;
                (Frame(self.pages[at / PAGE_SIZE].get()), at % PAGE_SIZE, run)
            })
        })
    }

    /// Drops the first queued message from the ring.
    pub fn advance(&self) {
        self.first.set((self.first.get() + 1) % self.depth.get().max(1));
        self.queued.sub(1);
        self.sub_waiting();
    }
}
