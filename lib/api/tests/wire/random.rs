//! Wire tests of `random`.
//!
//! Generated from `idl/random.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, Loopback};
use nexus_abi::Kind;
use nexus_api::random::*;
use nexus_wire::{CallError, Fault, Outcome, Sender};

#[test]
fn fill_request_has_one_spelling() {
    support::spelled!(FillRequest, "010000007270e2550000", FillRequest { count: 0x0 });
    support::spelled!(FillRequest, "010000007270e25558c0", FillRequest { count: 0xc058 });
    support::spelled!(FillRequest, "010000007270e255ffff", FillRequest { count: 0xffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(FillRequest, "010000007270e25558c0", handles);
}

#[test]
fn fill_reply_has_one_spelling() {
    support::spelled!(FillReply<'_>, "010000007270e255", FillReply { data: support::bytes(0x23, 0) });
    support::spelled!(
        FillReply<'_>,
        "010000007270e255 23*512",
        FillReply { data: support::bytes(0x23, 512) }
    );
    support::spelled!(
        FillReply<'_>,
        "010000007270e255 23*1024",
        FillReply { data: support::bytes(0x23, 1024) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(FillReply<'_>, "010000007270e255 23*512", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
}

impl Server for Fixture {
    fn fill(&mut self, sender: Sender, count: u16) -> Result<FillReply<'_>, Error> {
        self.calls += 1;
        let request = FillRequest { count };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, FillRequest { count: 0xc058 });
        }
        self.error.map_or(Ok(FillReply { data: support::bytes(0x23, 1024) }), Err)
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(client.fill(0xc058), Ok(FillReply { data: support::bytes(0x23, 1024) }));
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
        assert_eq!(client.fill(0x0).map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn fill_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.fill(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[("010000007270e2550000", &[]), ("010000007270e25558c0", &[])];
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
    support::answer_storm(("010000007270e255 23*512", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.fill(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
