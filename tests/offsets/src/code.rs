//! The two programs whose deaths are tried, where their data lies, and the one call that needs exact instructions. What must
//! never happen: an instruction more or less between the timer's setting and its interrupt from one round to the next.

use core::arch::global_asm;
use nexus_abi::{Error, Handle, Signals, Sysno};

/// Places in the page of data that a program shares with its driver, in bytes.
pub mod at {
    /// Value of the counter when the client is to begin the measured call.
    pub const TARGET: usize = 0x00;
    /// Client: tag of its calls. Server: room of its waits.
    pub const TAG: usize = 0x08;
    /// Deadline of each call.
    pub const DEADLINE: usize = 0x10;
    /// Calls before the measured one.
    pub const WARM: usize = 0x18;
    /// Instructions of the last call before it, from loop to loop.
    pub const LENGTH: usize = 0x20;
    /// The counter when it did begin, or 0.
    pub const START: usize = 0x28;
    /// Calls that were answered, as this side knows.
    pub const DONE: usize = 0x30;
    /// The error that ended it.
    pub const STATUS: usize = 0x38;
    /// Whether the first handle in the buffer was open then: 0, or the error; before, [`NOT_NOTED`](super::NOT_NOTED).
    pub const HELD: usize = 0x40;
    /// Calls received.
    pub const RECEIVED: usize = 0x48;
    /// Answers that found no caller.
    pub const GONE: usize = 0x50;
    /// Signals of the event that ended the server.
    pub const EVENT: usize = 0x58;
    /// 1 once it waits for nothing more.
    pub const ENDED: usize = 0x60;
    /// All ones: the message is in the byte buffer. 0: in registers.
    pub const IN_MEMORY: usize = 0x68;
    /// The tick of the timer.
    pub const TICK: usize = 0x78;
    /// Room for the first message.
    pub const FIRST_ROOM: usize = 0x70;
    /// Buffer of handles.
    pub const HANDLES: usize = 0x80;
    /// Where an answer about a handle goes.
    pub const SCRATCH: usize = 0xa0;
    /// Buffer of bytes.
    pub const BYTES: usize = 0x100;
}

/// Bytes that the buffer has.
pub const MAX_BYTES: usize = nexus_abi::bounds::PAGE_SIZE - at::BYTES;

/// Handles that a call can carry: what the first message has besides the endpoint and the quota.
pub const MAX_CARRIED: usize = 6;

/// What is neither 0 nor an error.
pub const NOT_NOTED: u64 = 98;

/// Status of a client that was answered with something else.
pub const NOT_THE_ANSWER: u64 = 99;

global_asm!(
    include_str!("pair.S"),
    target = const at::TARGET,
    tag = const at::TAG,
    deadline = const at::DEADLINE,
    warm = const at::WARM,
    length = const at::LENGTH,
    start = const at::START,
    done = const at::DONE,
    status = const at::STATUS,
    held = const at::HELD,
    received = const at::RECEIVED,
    gone = const at::GONE,
    event = const at::EVENT,
    ended = const at::ENDED,
    in_memory = const at::IN_MEMORY,
    first_room = const at::FIRST_ROOM,
    handles = const at::HANDLES,
    scratch = const at::SCRATCH,
    bytes = const at::BYTES,
    not_the_answer = const NOT_THE_ANSWER,
    caller_gone = const Error::CallerGone as u64,
    wanted = const Signals::READABLE.bits() | Signals::PEER_CLOSED.bits(),
    channel_recv = const Sysno::channel_recv as u64,
    channel_call = const Sysno::channel_call as u64,
    channel_reply = const Sysno::channel_reply as u64,
    object_info = const Sysno::object_info as u64,
    port_create = const Sysno::port_create as u64,
    port_bind = const Sysno::port_bind as u64,
    reply_and_wait = const Sysno::reply_and_wait as u64,
    timer_set = const Sysno::timer_set as u64,
);

macro_rules! places {
    ($($(#[$doc:meta])* $name:ident $symbol:ident;)+) => {
        unsafe extern "C" {
            safe static offsets_code: u8;
            safe static offsets_code_end: u8;
            $(safe static $symbol: u8;)+
        }

        $($(#[$doc])* pub fn $name() -> u64 {
            &raw const $symbol as u64 - &raw const offsets_code as u64
        })+
    };
}

places! {
    /// Where in the code the client begins.
    client offsets_client;
    /// The first instruction of its loop.
    client_loop offsets_client_loop;
    /// The last instruction of its loop.
    client_last offsets_client_last;
    /// Where in the code the server begins.
    server offsets_server;
    /// The first instruction of its loop.
    server_loop offsets_server_loop;
    /// The last one.
    server_last offsets_server_last;
    /// Where in the code the server begins that answers and waits apart.
    apart offsets_apart;
    /// The first instruction of its loop.
    apart_loop offsets_apart_loop;
    /// The last one.
    apart_last offsets_apart_last;
}

/// The code of both programs.
pub fn bytes() -> &'static [u8] {
    let (begin, end) = (&raw const offsets_code, &raw const offsets_code_end);
    // SAFETY: between the two symbols lies code of this program, which nothing writes.
    unsafe { core::slice::from_raw_parts(begin, end as usize - begin as usize) }
}

unsafe extern "C" {
    fn offsets_at_a_tick(
        target: *mut u64,
        tick: *mut u64,
        lead: u64,
        ticks: u64,
        timer: u64,
        port: u64,
        out: *mut u64,
    );
}

/// Has the client whose page is mapped at `page` begin `lead` instructions after the next tick, and writes the tick that is `ticks`
/// later to the word at `place` of that page.
pub fn at_a_tick(page: u64, place: usize, lead: u64, ticks: u64) {
    let [target, tick] = [at::TARGET, place].map(|place| (page + place as u64) as *mut u64);
    // SAFETY: both are words of a mapping that the caller keeps; without a timer nothing else is touched.
    unsafe { offsets_at_a_tick(target, tick, lead, ticks, 0, 0, core::ptr::null_mut()) }
}

/// The same, and sets `timer` to that tick and waits on `port`. Answers the key of what came, and how many instructions after the tick
/// the timer was set.
pub fn strike(page: u64, lead: u64, ticks: u64, timer: Handle, port: Handle) -> Result<(u64, u64), Error> {
    let [target, tick] = [at::TARGET, at::TICK].map(|place| (page + place as u64) as *mut u64);
    let mut out = [0; 3];
    // SAFETY: as above; `out` has room for the three words.
    unsafe { offsets_at_a_tick(target, tick, lead, ticks, timer.0.into(), port.0.into(), out.as_mut_ptr()) };
    match Error::from_raw(out[0]) {
        None => Ok((out[1], out[2])),
        Some(error) => Err(error),
    }
}

/// Takes the code away from a process that was made here as another one.
pub fn unmap(process: Handle, address: u64) -> Result<(), Error> {
    // SAFETY: the process is not this one.
    unsafe { nexus_rt::sys::vm_unmap(process, address) }
}
