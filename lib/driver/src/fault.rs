//! What can go wrong between a driver and its device. A fault is never a panic: the driver resets the device, tells
//! its clients, and begins anew.

/// Why a driver cannot go on as it was.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// An offset or length outside the window or a piece of memory: a mistake of the driver, caught before it was made.
    Outside,
    /// The window shows no device, one of another kind, or one of another generation of the standard.
    Absent,
    /// The device does not offer what the driver needs, or withdraws what it offered.
    Features,
    /// The queue does not exist, is too short or too long, or is in use.
    NoQueue,
    /// The device cannot be brought back to where it began.
    NotReset,
    /// The configuration changed each time that it was read.
    Unsteady,
    /// The device says itself that it can go on no more.
    NeedsReset,
    /// More was given back than was handed over.
    UsedTooMany,
    /// Something was given back that was not handed over, or twice.
    UsedUnknown,
    /// More bytes were written, says the device, than there was room for.
    UsedTooLong,
    /// Fewer bytes were written than the answer must have, or they say what no device may say.
    Malformed,
    /// The pool has no more memory.
    Exhausted,
    /// The queue has no room for that much now.
    Full,
    /// The device did not answer in time.
    Late,
}
