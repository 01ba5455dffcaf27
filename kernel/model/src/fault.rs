//! Rules that a test can break on purpose, to see that the checker notices. Outside tests there is no switch.

use crate::model::Model;

/// A rule broken on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(test), allow(dead_code, reason = "the switch exists in tests only"))]
pub(crate) enum Fault {
    /// A moved handle arrives with every right of its kind.
    TransferAddsRights,
    /// A duplicate may have rights that the first had not.
    DupAddsRights,
    /// Sent handles stay in the sender's table as well.
    SendCopiesHandles,
    /// The handles of a dropped message are forgotten, not closed.
    DropForgetsHandles,
    /// A channel's charge is not given back.
    ChargeStays,
    /// A table page too few is charged for a process.
    ChargeTooSmall,
    /// Callers that wait at an end that closes are not told.
    CloseForgetsCallers,
    /// Senders that wait at an end that closes are not told.
    CloseForgetsSenders,
    /// A call that timed out stays in the queue.
    TimeoutLeavesCall,
    /// An endpoint with handles in its queue can be sent.
    LoadedEndMoves,
    /// An endpoint in flight accepts handles.
    FlyingEndLoads,
    /// Room in a queue is not given to the sender that waits for it.
    RoomForgetsSender,
    /// An object that is still ready after a delivery is not put back.
    StillReadyForgotten,
    /// An object that is still ready after a delivery is put at the head.
    StillReadyFirst,
    /// Sealing does not look for writable handles in queues.
    SealIgnoresQueues,
    /// An answer to a call leaves the call open.
    ReplyKeepsCall,
}

#[cfg(test)]
impl Fault {
    pub(crate) const ALL: [Fault; 16] = [
        Fault::TransferAddsRights,
        Fault::DupAddsRights,
        Fault::SendCopiesHandles,
        Fault::DropForgetsHandles,
        Fault::ChargeStays,
        Fault::ChargeTooSmall,
        Fault::CloseForgetsCallers,
        Fault::CloseForgetsSenders,
        Fault::TimeoutLeavesCall,
        Fault::LoadedEndMoves,
        Fault::FlyingEndLoads,
        Fault::RoomForgetsSender,
        Fault::StillReadyForgotten,
        Fault::StillReadyFirst,
        Fault::SealIgnoresQueues,
        Fault::ReplyKeepsCall,
    ];
}

#[cfg(not(test))]
impl Model {
    pub(crate) const fn broken(&self, _rule: Fault) -> bool {
        false
    }
}

#[cfg(test)]
impl Model {
    pub(crate) fn broken(&self, rule: Fault) -> bool {
        self.fault == Some(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;
    use crate::{Generator, Model, Start};

    /// Whether the checker notices the broken rule in a history of this seed.
    fn noticed(fault: Option<Fault>, seed: u64) -> bool {
        let mut model = Model::new(Start::default());
        model.fault = fault;
        let mut generator = Generator::new(seed);
        (0..300).any(|_| {
            let (actor, op) = generator.next(&model);
            model.step(actor, &op);
            model.check().is_err()
        })
    }

    /// A checker that a broken rule gets past is no checker.
    #[test]
    fn the_checker_notices_every_broken_rule() {
        for fault in Fault::ALL {
            let seed = (0..3000).find(|seed| noticed(Some(fault), *seed));
            println!("{fault:?}: noticed with seed {seed:?}");
            assert!(seed.is_some(), "{fault:?} was never noticed");
        }
    }

    #[test]
    fn the_checker_is_content_with_unbroken_rules() {
        assert!(!(0..200).any(|seed| noticed(None, seed)));
    }
}
