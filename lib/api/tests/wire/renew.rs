//! Wire tests of `renew`.
//!
//! Generated from `idl/renew.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::renew::*;
use nexus_wire::{Held, Outcome, Sender, Text, kinds};

#[test]
fn replace_request_has_one_spelling() {
    support::spelled!(
        ReplaceRequest<'_, FakeHandle>,
        "01000000c6d384c1",
        ReplaceRequest { channel: support::handle(Kind::Channel, 0x40), name: support::text('q', 0) }
    );
    support::spelled!(
        ReplaceRequest<'_, FakeHandle>,
        "01000000c6d384c1 71*16",
        ReplaceRequest { channel: support::handle(Kind::Channel, 0x40), name: support::text('q', 16) }
    );
    support::spelled!(
        ReplaceRequest<'_, FakeHandle>,
        "01000000c6d384c1 71*31",
        ReplaceRequest { channel: support::handle(Kind::Channel, 0x40), name: support::text('q', 31) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Channel, 0x40)];
    support::bounded!(ReplaceRequest<'_, FakeHandle>, "01000000c6d384c1 71*16", handles);
    support::flawed!(
        ReplaceRequest<'_, FakeHandle>,
        "01000000c6d384c1 71*16",
        handles,
        8,
        &[255],
        "name is not UTF-8"
    );
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
}

impl Server<FakeHandle> for Fixture {
    fn replace(&mut self, sender: Sender, channel: Held<FakeHandle, kinds::Channel>, name: Text<'_, 31>) {
        self.calls += 1;
        let request = ReplaceRequest { channel, name };
        if self.strict {
            assert_eq!(sender, support::TELLER);
            assert_eq!(
                request,
                ReplaceRequest {
                    channel: support::handle(Kind::Channel, 0x40),
                    name: support::text('q', 16),
                }
            );
        }
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(client.replace(support::handle(Kind::Channel, 0x40), support::text('q', 16)), Ok(()));
    assert_eq!(server.calls, 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("01000000c6d384c1", &[(Kind::Channel, 0x40)]),
        ("01000000c6d384c1 71*16", &[(Kind::Channel, 0x40)]),
    ];
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
