//! Wire tests of `news`.
//!
//! Generated from `idl/news.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, Loopback};
use nexus_abi::Kind;
use nexus_api::news::*;
use nexus_wire::{Outcome, Sender};

#[test]
fn added_request_has_one_spelling() {
    support::spelled!(AddedRequest, "010000000e9b8882", AddedRequest {});
    support::spelled!(AddedRequest, "010000000e9b8882", AddedRequest {});
    support::spelled!(AddedRequest, "010000000e9b8882", AddedRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(AddedRequest, "010000000e9b8882", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
}

impl Server for Fixture {
    fn added(&mut self, sender: Sender) {
        self.calls += 1;
        let request = AddedRequest {};
        if self.strict {
            assert_eq!(sender, support::TELLER);
            assert_eq!(request, AddedRequest {});
        }
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(client.added(), Ok(()));
    assert_eq!(server.calls, 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[("010000000e9b8882", &[]), ("010000000e9b8882", &[])];
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
