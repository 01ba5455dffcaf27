//! Rules that can be broken on purpose, to see that the properties notice.

use crate::Model;

/// A rule that is broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// A duplicate may have rights that its original has not.
    DuplicateGainsRights,
    /// What an ended object cost is not given back.
    ChargeStays,
    /// A sent handle can still be used by its sender.
    SenderKeepsHandles,
    /// A message that waits in vain loses its handles.
    TimeoutLosesHandles,
    /// A wait goes on after its deadline.
    TimeoutIsForgotten,
    /// The handles of messages that are dropped with an end are not closed.
    DroppedHandlesAreLost,
    /// The last message is received first.
    LastComeFirstServed,
    /// A queue that has room again leaves its senders waiting.
    RoomForgetsSenders,
    /// Senders that wait at an end that closes are left waiting.
    CloseForgetsSenders,
    /// An end on its way accepts handles.
    EndInFlightAcceptsHandles,
    /// An end with handles in its queue can move.
    LoadedEndMoves,
    /// Both: an end with handles in its queue can move, and one on its way accepts them.
    QueuesHoldEachOther,
    /// A token answers a second time.
    TokenAnswersTwice,
    /// After a delivery a port begins with the same object again.
    StillReadyGoesFirst,
    /// A woken thread does not look whether there is more for others.
    WokenKeepsTheRest,
    /// Sealing does not look for writable handles that are on their way.
    SealOverlooksFlight,
}

impl Fault {
    /// Every one.
    pub const ALL: [Fault; 16] = [
        Fault::DuplicateGainsRights,
        Fault::ChargeStays,
        Fault::SenderKeepsHandles,
        Fault::TimeoutLosesHandles,
        Fault::TimeoutIsForgotten,
        Fault::DroppedHandlesAreLost,
        Fault::LastComeFirstServed,
        Fault::RoomForgetsSenders,
        Fault::CloseForgetsSenders,
        Fault::EndInFlightAcceptsHandles,
        Fault::LoadedEndMoves,
        Fault::QueuesHoldEachOther,
        Fault::TokenAnswersTwice,
        Fault::StillReadyGoesFirst,
        Fault::WokenKeepsTheRest,
        Fault::SealOverlooksFlight,
    ];
}

impl Model {
    pub(crate) fn breaks(&self, rule: Fault) -> bool {
        self.fault == Some(rule)
    }
}
