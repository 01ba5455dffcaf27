//! Wire tests of `disk`.
//!
//! Generated from `idl/disk.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::disk::*;
use nexus_wire::{CallError, Fault, Outcome, Sender, Text};

#[test]
fn open_request_has_one_spelling() {
    support::spelled!(OpenRequest<'_>, "01000000a0ce5285", OpenRequest { partition: support::text('e', 0) });
    support::spelled!(
        OpenRequest<'_>,
        "01000000a0ce5285 65*54",
        OpenRequest { partition: support::text('e', 54) }
    );
    support::spelled!(
        OpenRequest<'_>,
        "01000000a0ce5285 65*108",
        OpenRequest { partition: support::text('e', 108) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(OpenRequest<'_>, "01000000a0ce5285 65*54", handles);
    support::flawed!(OpenRequest<'_>, "01000000a0ce5285 65*54", handles, 8, &[255], "partition is not UTF-8");
}

#[test]
fn open_reply_has_one_spelling() {
    support::spelled!(
        OpenReply<FakeHandle>,
        "01000000a0ce5285",
        OpenReply { channel: support::handle(Kind::Channel, 0x40) }
    );
    support::spelled!(
        OpenReply<FakeHandle>,
        "01000000a0ce5285",
        OpenReply { channel: support::handle(Kind::Channel, 0x40) }
    );
    support::spelled!(
        OpenReply<FakeHandle>,
        "01000000a0ce5285",
        OpenReply { channel: support::handle(Kind::Channel, 0x40) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Channel, 0x40)];
    support::bounded!(OpenReply<FakeHandle>, "01000000a0ce5285", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
}

impl Server<FakeHandle> for Fixture {
    fn open(&mut self, sender: Sender, partition: Text<'_, 108>) -> Result<OpenReply<FakeHandle>, Error> {
        self.calls += 1;
        let request = OpenRequest { partition };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, OpenRequest { partition: support::text('e', 54) });
        }
        self.error.map_or(Ok(OpenReply { channel: support::handle(Kind::Channel, 0x40) }), Err)
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(
        client.open(support::text('e', 54)),
        Ok(OpenReply { channel: support::handle(Kind::Channel, 0x40) })
    );
    assert_eq!(server.calls, 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn every_error_returns_from_every_call() {
    for &error in Error::ALL {
        let fixture = Fixture { error: Some(error), ..Fixture::default() };
        let mut server = fixture;
        let mut client =
            Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
        assert_eq!(client.open(support::text('e', 0)).map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn open_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.open(support::text('e', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[("01000000a0ce5285", &[]), ("01000000a0ce5285 65*54", &[])];
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

#[test]
fn damaged_answers_are_faults() {
    support::answer_storm(("01000000a0ce5285", &[(Kind::Channel, 0x40)]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.open(support::text('e', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
