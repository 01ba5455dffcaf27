//! Wire tests of `frames`.
//!
//! Generated from `idl/frames.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, Loopback};
use nexus_abi::Kind;
use nexus_api::frames::*;
use nexus_wire::{Bytes, Outcome, Sender};

#[test]
fn frame_request_has_one_spelling() {
    support::spelled!(FrameRequest<'_>, "01000000c3512f29", FrameRequest { frame: support::bytes(0xdf, 0) });
    support::spelled!(
        FrameRequest<'_>,
        "01000000c3512f29 df*757",
        FrameRequest { frame: support::bytes(0xdf, 757) }
    );
    support::spelled!(
        FrameRequest<'_>,
        "01000000c3512f29 df*1514",
        FrameRequest { frame: support::bytes(0xdf, 1514) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(FrameRequest<'_>, "01000000c3512f29 df*757", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
}

impl Server for Fixture {
    fn frame(&mut self, sender: Sender, frame: Bytes<'_, 1514>) {
        self.calls += 1;
        let request = FrameRequest { frame };
        if self.strict {
            assert_eq!(sender, support::TELLER);
            assert_eq!(request, FrameRequest { frame: support::bytes(0xdf, 757) });
        }
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(client.frame(support::bytes(0xdf, 757)), Ok(()));
    assert_eq!(server.calls, 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[("01000000c3512f29", &[]), ("01000000c3512f29 df*757", &[])];
    let mut server = Fixture::default();
    let mut handled = 0;
    support::storm(seeds, REQUEST_ROOM, |sender, packet| {
        let before = server.calls;
        let outcome = dispatch(&mut server, sender, packet);
        let reached = server.calls - before;
        match outcome {
            Outcome::Taken => assert_eq!(reached, 1),
            Outcome::Answered => assert!(reached <= 1),
            Outcome::Kept => panic!("nothing was promised"),
            Outcome::Dropped => assert_eq!(reached, 0),
            Outcome::Refused => assert!(reached <= 1),
        }
        handled += reached;
        outcome
    });
    assert!(handled > 0, "the storm holds whole messages too");
}
