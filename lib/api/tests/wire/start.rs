//! Wire tests of `start`.
//!
//! Generated from `idl/start.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::start::*;
use nexus_wire::{CallError, Fault, Outcome, Sender};

#[test]
fn grant_request_has_one_spelling() {
    support::spelled!(GrantRequest, "010000003381dfb9", GrantRequest {});
    support::spelled!(GrantRequest, "010000003381dfb9", GrantRequest {});
    support::spelled!(GrantRequest, "010000003381dfb9", GrantRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(GrantRequest, "010000003381dfb9", handles);
}

#[test]
fn grant_reply_has_one_spelling() {
    support::spelled!(
        GrantReply<'_, FakeHandle>,
        "010000003381dfb9",
        GrantReply { handle: support::handle(Kind::Vmo, 0x0), name: support::text('q', 0) }
    );
    support::spelled!(
        GrantReply<'_, FakeHandle>,
        "010000003381dfb9 71*16",
        GrantReply { handle: support::handle(Kind::Vmo, 0x0), name: support::text('q', 16) }
    );
    support::spelled!(
        GrantReply<'_, FakeHandle>,
        "010000003381dfb9 71*31",
        GrantReply { handle: support::handle(Kind::Vmo, 0x0), name: support::text('q', 31) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Vmo, 0x0)];
    support::bounded!(GrantReply<'_, FakeHandle>, "010000003381dfb9 71*16", handles, any[0]);
    support::flawed!(
        GrantReply<'_, FakeHandle>,
        "010000003381dfb9 71*16",
        handles,
        8,
        &[255],
        "name is not UTF-8"
    );
}

#[test]
fn arguments_request_has_one_spelling() {
    support::spelled!(ArgumentsRequest, "020000003381dfb9", ArgumentsRequest {});
    support::spelled!(ArgumentsRequest, "020000003381dfb9", ArgumentsRequest {});
    support::spelled!(ArgumentsRequest, "020000003381dfb9", ArgumentsRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ArgumentsRequest, "020000003381dfb9", handles);
}

#[test]
fn arguments_reply_has_one_spelling() {
    support::spelled!(ArgumentsReply<'_>, "020000003381dfb9", ArgumentsReply { text: support::text('k', 0) });
    support::spelled!(
        ArgumentsReply<'_>,
        "020000003381dfb9 6b*128",
        ArgumentsReply { text: support::text('k', 128) }
    );
    support::spelled!(
        ArgumentsReply<'_>,
        "020000003381dfb9 6b*255",
        ArgumentsReply { text: support::text('k', 255) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ArgumentsReply<'_>, "020000003381dfb9 6b*128", handles);
    support::flawed!(ArgumentsReply<'_>, "020000003381dfb9 6b*128", handles, 8, &[255], "text is not UTF-8");
}

#[test]
fn ready_request_has_one_spelling() {
    support::spelled!(ReadyRequest, "030000003381dfb9", ReadyRequest {});
    support::spelled!(ReadyRequest, "030000003381dfb9", ReadyRequest {});
    support::spelled!(ReadyRequest, "030000003381dfb9", ReadyRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ReadyRequest, "030000003381dfb9", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
}

impl Server<FakeHandle> for Fixture {
    fn grant(&mut self, sender: Sender) -> Result<GrantReply<'_, FakeHandle>, Error> {
        self.calls += 1;
        let request = GrantRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, GrantRequest {});
        }
        self.error.map_or(
            Ok(GrantReply { handle: support::handle(Kind::Vmo, 0x0), name: support::text('q', 31) }),
            Err,
        )
    }

    fn arguments(&mut self, sender: Sender) -> Result<ArgumentsReply<'_>, Error> {
        self.calls += 1;
        let request = ArgumentsRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ArgumentsRequest {});
        }
        self.error.map_or(Ok(ArgumentsReply { text: support::text('k', 255) }), Err)
    }

    fn ready(&mut self, sender: Sender) -> Result<(), Error> {
        self.calls += 1;
        let request = ReadyRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ReadyRequest {});
        }
        self.error.map_or(Ok(()), Err)
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(
        client.grant(),
        Ok(GrantReply { handle: support::handle(Kind::Vmo, 0x0), name: support::text('q', 31) })
    );
    assert_eq!(client.arguments(), Ok(ArgumentsReply { text: support::text('k', 255) }));
    assert_eq!(client.ready(), Ok(()));
    assert_eq!(server.calls, 3);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn every_error_returns_from_every_call() {
    for &error in Error::ALL {
        let fixture = Fixture { error: Some(error), ..Fixture::default() };
        let mut server = fixture;
        let mut client =
            Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
        assert_eq!(client.grant().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.arguments().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.ready().map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn grant_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.grant().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn arguments_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.arguments().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn ready_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.ready().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("010000003381dfb9", &[]),
        ("010000003381dfb9", &[]),
        ("020000003381dfb9", &[]),
        ("020000003381dfb9", &[]),
        ("030000003381dfb9", &[]),
        ("030000003381dfb9", &[]),
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

#[test]
fn damaged_answers_are_faults() {
    support::answer_storm(("010000003381dfb9 71*16", &[(Kind::Vmo, 0x0)]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.grant() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("020000003381dfb9 6b*128", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.arguments() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("030000003381dfb9", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.ready() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
