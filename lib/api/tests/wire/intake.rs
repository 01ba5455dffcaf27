//! Wire tests of `intake`.
//!
//! Generated from `idl/intake.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::intake::*;
use nexus_wire::{Held, Outcome, Sender, kinds};

#[test]
fn admit_request_has_one_spelling() {
    support::spelled!(
        AdmitRequest<FakeHandle>,
        "01000000cdb45e62",
        AdmitRequest { channel: support::handle(Kind::Channel, 0x80) }
    );
    support::spelled!(
        AdmitRequest<FakeHandle>,
        "01000000cdb45e62",
        AdmitRequest { channel: support::handle(Kind::Channel, 0x80) }
    );
    support::spelled!(
        AdmitRequest<FakeHandle>,
        "01000000cdb45e62",
        AdmitRequest { channel: support::handle(Kind::Channel, 0x80) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Channel, 0x80)];
    support::bounded!(AdmitRequest<FakeHandle>, "01000000cdb45e62", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
}

impl Server<FakeHandle> for Fixture {
    fn admit(&mut self, sender: Sender, channel: Held<FakeHandle, kinds::Channel>) {
        self.calls += 1;
        let request = AdmitRequest { channel };
        if self.strict {
            assert_eq!(sender, support::TELLER);
            assert_eq!(request, AdmitRequest { channel: support::handle(Kind::Channel, 0x80) });
        }
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(client.admit(support::handle(Kind::Channel, 0x80)), Ok(()));
    assert_eq!(server.calls, 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] =
        &[("01000000cdb45e62", &[(Kind::Channel, 0x80)]), ("01000000cdb45e62", &[(Kind::Channel, 0x80)])];
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
