//! The system calls, one row each: the kernel's dispatch table, the user stubs, the reference page and the
//! hostile tests come from [`with_syscalls!`](crate::with_syscalls).
//!
//! Calling convention: number in `t0`, arguments in `a0` to `a6`; back in `a0` comes 0 or an [`Error`] number,
//! in `a1` and `a2` the results. Callee-saved registers survive; every other register comes back 0. The message
//! calls carry more; `tag.rs` has their plan.

use crate::Error;

/// Hands the table of system calls to another macro, as rows
/// `number name (arguments) -> (results) [errors] "doc"`.
#[macro_export]
macro_rules! with_syscalls {
    ($callback:ident) => {
        $callback! {
            0 channel_call (endpoint, tag, words, bytes_address, handles_address, deadline) -> (message) [BadHandle WrongType AccessDenied Invalid BadAddress TooLarge WouldBlock TimedOut PeerClosed Busy NoSpace]
                "Sends a message and waits for its answer.";
            1 reply_and_wait (port, tag, words, bytes_address, handles_address, deadline, token) -> (message) [BadHandle WrongType AccessDenied Invalid BadAddress CallerGone BufferTooSmall WouldBlock TimedOut Busy NoSpace]
                "Answers a call (unless `token` is 0), then waits on a port for the next message or event. When the answer is refused, that error comes back at once and nothing was waited for.";
            2 handle_dup (handle, rights) -> (handle) [BadHandle AccessDenied WrongType Invalid NoSpace]
                "Makes a second handle with `rights`, all of which the first must have. Endpoints (`WrongType`) cannot be duplicated.";
            3 object_info (handle, topic, address, bytes, from) -> (written) [BadHandle WrongType AccessDenied Invalid BadAddress BadState]
                "Writes the structure of `topic` to `address`, cut to `bytes`; answers how many were written. Needs INSPECT (the topic Dma: DMA; Holdings: OBSERVE; Handle: nothing). `from` means something to Holdings alone.";
            4 channel_create (quota, end0, end1) -> (endpoint0, endpoint1) [BadHandle WrongType AccessDenied Invalid QuotaExceeded NoSpace]
                "Makes a channel. `end0` and `end1` say what each end can receive: queue depth (bits 0-15), largest message in bytes (16-31) and in handles (32-47). The queues are charged now.";
            5 channel_send (endpoint, tag, words, bytes_address, handles_address, deadline) -> () [BadHandle WrongType AccessDenied Invalid BadAddress TooLarge WouldBlock TimedOut PeerClosed Busy]
                "Queues a message at the other end. A full queue answers `WouldBlock`, or waits until `deadline`.";
            6 channel_recv (endpoint, tag, words, bytes_address, handles_address) -> (message) [BadHandle WrongType Invalid BadAddress BufferTooSmall WouldBlock PeerClosed NoSpace]
                "Takes the message at the head of this end's queue, a waiting call included, or discards it. Never waits.";
            7 null () -> () []
                "Does nothing: what entering and leaving the kernel costs.";
            8 channel_reply (unused, tag, words, bytes_address, handles_address, token) -> () [CallerGone BadHandle AccessDenied Invalid BadAddress BufferTooSmall Busy]
                "Answers the call that `token` stands for. `CallerGone` when there is no such open call on an endpoint of this process; handles then stay here.";
            9 handle_close (handle) -> () [BadHandle]
                "Closes a handle. Closing a handle whose object was destroyed succeeds.";
            10 port_create (quota) -> (port) [BadHandle WrongType AccessDenied QuotaExceeded NoSpace]
                "Makes a port.";
            11 port_bind (port, object, key, signals) -> () [BadHandle WrongType AccessDenied Invalid Busy NotFound]
                "Binds an endpoint, timer, process, irq or the resource to a port: its signals arrive there under `key`. An object is bound to one port (`Busy`); `signals` 0 unbinds.";
            12 port_signal (port, bits) -> () [BadHandle WrongType AccessDenied Invalid]
                "Raises user bits (16 to 31) on the port itself; they arrive as one event with key 0. Bits raised again before they are taken merge.";
            13 vmo_create (quota, bytes) -> (vmo) [BadHandle WrongType AccessDenied Invalid QuotaExceeded NoSpace]
                "Makes zeroed memory of a fixed size, a whole number of pages.";
            14 vmo_seal (vmo) -> () [BadHandle WrongType AccessDenied Sealed]
                "Makes a vmo immutable for ever. `Sealed` when it is, or when a handle with WRITE or a writable mapping exists anywhere.";
            15 vm_map (process, memory, offset, bytes, address, access) -> (address) [BadHandle WrongType AccessDenied Invalid Exists NoSpace QuotaExceeded BadState]
                "Maps part of a vmo or of a device window; `address` 0 lets the kernel choose. `access` is READ, READ+WRITE or READ+EXECUTE as rights bits; EXECUTE needs a sealed vmo. Windows lie in a range of their own.";
            16 vm_unmap (process, address) -> () [BadHandle WrongType AccessDenied NotFound BadState]
                "Removes the mapping that begins at `address`, whole.";
            17 process_create (quota, identity, handles, max_priority, cpu) -> (process) [BadHandle WrongType AccessDenied Invalid QuotaExceeded NoSpace]
                "Makes an empty process that bears the identity, has room for `handles` handles, threads of at most `max_priority` (at most the caller's own) and `cpu` thousandths of a hart.";
            18 thread_create (process, quota, priority) -> (thread) [BadHandle WrongType AccessDenied Invalid QuotaExceeded NoSpace BadState]
                "Makes a thread that has not started.";
            19 thread_start (thread, entry, stack, argument, handle) -> () [BadHandle WrongType AccessDenied Invalid BadState Busy NoSpace]
                "Starts a thread at `entry` with `sp` = `stack` and `a0` = `argument`. When `handle` is not 0, it moves to the thread's process, which finds its own name for it in `a1`.";
            20 process_kill (process) -> () [BadHandle WrongType AccessDenied]
                "Ends a process. TERMINATED is signalled when it has given everything back. Killing one that has ended succeeds.";
            21 thread_exit (code, whole_process) -> () []
                "Ends this thread, or with `whole_process` 1 this process, and does not return. The last thread ends its process.";
            22 thread_yield () -> () []
                "Lets another thread of the same priority run.";
            23 timer_create (quota) -> (timer) [BadHandle WrongType AccessDenied QuotaExceeded NoSpace]
                "Makes a timer that is not set.";
            24 timer_set (timer, deadline) -> () [BadHandle WrongType AccessDenied]
                "Sets when the timer signals EXPIRED, replacing any earlier setting; `NEVER` clears it.";
            25 quota_create (quota, pages, cpu) -> (quota) [BadHandle WrongType AccessDenied Invalid QuotaExceeded NoSpace]
                "Splits `pages` pages and `cpu` thousandths of a hart off a quota, plus one page for the new quota itself.";
            26 quota_destroy (quota) -> () [BadHandle WrongType AccessDenied]
                "Destroys every object that belongs to the quota or to one split off it, wherever their handles are, and gives what it held back. This is revocation.";
            27 identity_create (minter, quota, service) -> (identity) [BadHandle WrongType AccessDenied Invalid QuotaExceeded NoSpace]
                "Mints the identity of a service id; only an identity with MINT can, and the new one cannot.";
            28 console_write (resource, address, bytes) -> () [BadHandle WrongType AccessDenied Invalid BadAddress BadState]
                "Writes to the kernel's console; `BadState` as long as a driver has taken it over.";
            29 machine_reset (resource, code) -> () [BadHandle WrongType AccessDenied Invalid]
                "Ends the machine: `code` 0 is a good end, 1 to 0x7fff a failure, 0x8000 a restart. Does not return.";
            30 mmio_create (resource, quota, base, bytes) -> (mmio) [BadHandle WrongType AccessDenied Invalid Exists QuotaExceeded NoSpace]
                "Mints the window of device registers at physical address `base`, whole pages. RAM and the kernel's own devices are `AccessDenied` (the console's serial port without CONSOLE), what overlaps another live window `Exists`.";
            31 irq_create (resource, quota, source) -> (irq) [BadHandle WrongType AccessDenied Invalid Exists QuotaExceeded NoSpace]
                "Mints the interrupt of a source of the machine's controller; it is off until it is acknowledged. A source has one at a time (`Exists`).";
            32 irq_ack (irq) -> () [BadHandle WrongType AccessDenied]
                "Lets the source interrupt again. Nothing happens when it already can.";
            33 pool_create (resource, quota, bytes) -> (pool) [BadHandle WrongType AccessDenied Invalid QuotaExceeded NoSpace]
                "Makes a pool of physically contiguous memory, all charged now; its frames go nowhere else until the pool is destroyed.";
            34 pool_take (pool, bytes) -> (vmo) [BadHandle WrongType AccessDenied Invalid QuotaExceeded NoSpace]
                "Takes a zeroed, physically contiguous vmo out of a pool. One page is charged to the pool's quota for the vmo itself; its memory goes back to the pool, and nowhere else.";
        }
    };
}

macro_rules! table {
    ($($number:literal $name:ident ($($arg:ident),*) -> ($($result:ident),*) [$($error:ident)*] $doc:literal;)+) => {
        /// The number of a system call.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u16)]
        #[allow(non_camel_case_types, reason = "a system call is written the same in source, docs and traces")]
        pub enum Sysno {
            $(#[doc = $doc] $name = $number,)+
        }

        impl Sysno {
            /// Every system call with what the reference page says of it, in the order of its number.
            pub const TABLE: &'static [SyscallInfo] = &[$(SyscallInfo {
                number: Sysno::$name,
                name: stringify!($name),
                arguments: &[$(stringify!($arg)),*],
                results: &[$(stringify!($result)),*],
                errors: &[$(Error::$error),*],
                doc: $doc,
            }),+];

            /// The system call with this number.
            #[inline]
            pub const fn from_raw(number: u64) -> Option<Sysno> {
                match number {
                    $($number => Some(Sysno::$name),)+
                    _ => None,
                }
            }
        }
    };
}

with_syscalls!(table);

/// One row of the table of system calls.
#[derive(Clone, Copy, Debug)]
pub struct SyscallInfo {
    /// Its number.
    pub number: Sysno,
    /// Its name.
    pub name: &'static str,
    /// Names of its arguments, in register order.
    pub arguments: &'static [&'static str],
    /// Names of its results, from `a1` on (`message`: the whole register plan of `tag.rs`).
    pub results: &'static [&'static str],
    /// Every error it can answer.
    pub errors: &'static [Error],
    /// What it does.
    pub doc: &'static str,
}
