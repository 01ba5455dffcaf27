//! What a system call can answer besides success. Numbers are stable for ever.

macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal,)+) => {
        /// A system call's refusal. `0` in the result register means success and is not an error.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u16)]
        pub enum Error {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Error {
            /// Every error, in the order of its number.
            pub const ALL: &'static [Error] = &[$(Error::$name),+];

            /// The error with this number; `None` for 0 (success) and for numbers never assigned.
            pub const fn from_raw(number: u64) -> Option<Error> {
                match number {
                    $($number => Some(Error::$name),)+
                    _ => None,
                }
            }

            /// The error's name, as written in source and in documentation.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Error::$name => stringify!($name),)+
                }
            }

            /// What it means, in one line.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Error::$name => concat!($($doc),+),)+
                }
            }
        }
    };
}

errors! {
    /// The number is not that of a system call.
    BadSyscall = 1,
    /// The handle is not open in this process, or its object has been destroyed.
    BadHandle = 2,
    /// The handle is for an object of another kind.
    WrongType = 3,
    /// The handle lacks a right that the operation needs.
    AccessDenied = 4,
    /// A user pointer is null, outside user space, unmapped, or not accessible as needed.
    BadAddress = 5,
    /// An argument is outside its declared range, or two arguments contradict each other.
    Invalid = 6,
    /// The receiver's buffer is smaller than the message, which stays where it is; the tag tells its sizes.
    BufferTooSmall = 7,
    /// The message is larger than the channel's bound for that end.
    TooLarge = 8,
    /// The operation would have to wait, and the caller asked not to.
    WouldBlock = 9,
    /// The deadline passed first.
    TimedOut = 10,
    /// The other end of the channel is closed.
    PeerClosed = 11,
    /// The reply token is not that of an open call on an endpoint of this process.
    CallerGone = 12,
    /// The object is in a state that excludes the operation: an endpoint with open calls or queued handles
    /// cannot move, an endpoint in flight accepts no handles, a bound object cannot be bound again.
    Busy = 13,
    /// The quota has not enough left; nothing was changed.
    QuotaExceeded = 14,
    /// The address range overlaps a mapping.
    Exists = 15,
    /// There is nothing at that address or of that name.
    NotFound = 16,
    /// The process's handle table or mapping table is full.
    NoSpace = 17,
    /// The vmo is sealed, or has a writable handle or mapping that excludes sealing it.
    Sealed = 18,
    /// The process has exited, or the thread has already been started.
    BadState = 19,
}
