//! Wire tests of `samgr`.
//!
//! Generated from `idl/samgr.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::samgr::*;
use nexus_wire::{CallError, Fault, Held, Outcome, Sender, Text, kinds};

#[test]
fn connect_request_has_one_spelling() {
    support::spelled!(ConnectRequest<'_>, "0100000039d739ba", ConnectRequest { name: support::text('q', 0) });
    support::spelled!(
        ConnectRequest<'_>,
        "0100000039d739ba 71*16",
        ConnectRequest { name: support::text('q', 16) }
    );
    support::spelled!(
        ConnectRequest<'_>,
        "0100000039d739ba 71*31",
        ConnectRequest { name: support::text('q', 31) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ConnectRequest<'_>, "0100000039d739ba 71*16", handles);
    support::flawed!(ConnectRequest<'_>, "0100000039d739ba 71*16", handles, 8, &[255], "name is not UTF-8");
}

#[test]
fn connect_reply_has_one_spelling() {
    support::spelled!(
        ConnectReply<FakeHandle>,
        "0100000039d739ba",
        ConnectReply { channel: support::handle(Kind::Channel, 0x40) }
    );
    support::spelled!(
        ConnectReply<FakeHandle>,
        "0100000039d739ba",
        ConnectReply { channel: support::handle(Kind::Channel, 0x40) }
    );
    support::spelled!(
        ConnectReply<FakeHandle>,
        "0100000039d739ba",
        ConnectReply { channel: support::handle(Kind::Channel, 0x40) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Channel, 0x40)];
    support::bounded!(ConnectReply<FakeHandle>, "0100000039d739ba", handles);
}

#[test]
fn register_request_has_one_spelling() {
    support::spelled!(
        RegisterRequest<'_, FakeHandle>,
        "0200000039d739ba000000000000",
        RegisterRequest {
            depth: 0x0,
            bytes: 0x0,
            handles: 0x0,
            intake: support::handle(Kind::Channel, 0x40),
            name: support::text('x', 0),
        }
    );
    support::spelled!(
        RegisterRequest<'_, FakeHandle>,
        "0200000039d739bac5390d7621f1 6b*16",
        RegisterRequest {
            depth: 0x39c5,
            bytes: 0x760d,
            handles: 0xf121,
            intake: support::handle(Kind::Channel, 0x40),
            name: support::text('k', 16),
        }
    );
    support::spelled!(
        RegisterRequest<'_, FakeHandle>,
        "0200000039d739baffffffffffff 78*31",
        RegisterRequest {
            depth: 0xffff,
            bytes: 0xffff,
            handles: 0xffff,
            intake: support::handle(Kind::Channel, 0x40),
            name: support::text('x', 31),
        }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Channel, 0x40)];
    support::bounded!(RegisterRequest<'_, FakeHandle>, "0200000039d739bac5390d7621f1 6b*16", handles);
    support::flawed!(
        RegisterRequest<'_, FakeHandle>,
        "0200000039d739bac5390d7621f1 6b*16",
        handles,
        14,
        &[255],
        "name is not UTF-8"
    );
}

#[test]
fn hello_request_has_one_spelling() {
    support::spelled!(HelloRequest, "0300000039d739ba", HelloRequest {});
    support::spelled!(HelloRequest, "0300000039d739ba", HelloRequest {});
    support::spelled!(HelloRequest, "0300000039d739ba", HelloRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(HelloRequest, "0300000039d739ba", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
    connect_later: Option<Option<ConnectPromise>>,
}

impl Server<FakeHandle> for Fixture {
    fn connect(
        &mut self,
        sender: Sender,
        promise: ConnectPromise,
        name: Text<'_, 31>,
    ) -> Result<Option<ConnectReply<FakeHandle>>, Error> {
        self.calls += 1;
        let request = ConnectRequest { name };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ConnectRequest { name: support::text('q', 16) });
        }
        if let Some(kept) = &mut self.connect_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(ConnectReply { channel: support::handle(Kind::Channel, 0x40) })), Err)
    }

    fn register(
        &mut self,
        sender: Sender,
        depth: u16,
        bytes: u16,
        handles: u16,
        intake: Held<FakeHandle, kinds::Channel>,
        name: Text<'_, 31>,
    ) -> Result<(), Error> {
        self.calls += 1;
        let request = RegisterRequest { depth, bytes, handles, intake, name };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                RegisterRequest {
                    depth: 0x39c5,
                    bytes: 0x760d,
                    handles: 0xf121,
                    intake: support::handle(Kind::Channel, 0x40),
                    name: support::text('k', 16),
                }
            );
        }
        self.error.map_or(Ok(()), Err)
    }

    fn hello(&mut self, sender: Sender) -> Result<(), Error> {
        self.calls += 1;
        let request = HelloRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, HelloRequest {});
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
        client.connect(support::text('q', 16)),
        Ok(ConnectReply { channel: support::handle(Kind::Channel, 0x40) })
    );
    assert_eq!(
        client.register(0x39c5, 0x760d, 0xf121, support::handle(Kind::Channel, 0x40), support::text('k', 16)),
        Ok(())
    );
    assert_eq!(client.hello(), Ok(()));
    assert_eq!(server.calls, 3);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn connect_can_be_answered_later() {
    let asked: support::Seed = ("0100000039d739ba 71*16", &[]);
    let mut server = Fixture { connect_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.connect_later.take().flatten().unwrap();
    support::kept(
        |replier| promise.keep(replier, Ok(ConnectReply { channel: support::handle(Kind::Channel, 0x40) })),
        ("0100000039d739ba", &[(Kind::Channel, 0x40)]),
    );
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn every_error_returns_from_every_call() {
    for &error in Error::ALL {
        let fixture = Fixture { error: Some(error), ..Fixture::default() };
        let mut server = fixture;
        let mut client =
            Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
        assert_eq!(client.connect(support::text('q', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client
                .register(0x0, 0x0, 0x0, support::handle(Kind::Channel, 0x40), support::text('x', 0))
                .map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.hello().map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn connect_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.connect(support::text('q', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn register_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client
            .register(0x0, 0x0, 0x0, support::handle(Kind::Channel, 0x40), support::text('x', 0))
            .map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn hello_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.hello().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("0100000039d739ba", &[]),
        ("0100000039d739ba 71*16", &[]),
        ("0200000039d739ba000000000000", &[(Kind::Channel, 0x40)]),
        ("0200000039d739bac5390d7621f1 6b*16", &[(Kind::Channel, 0x40)]),
        ("0300000039d739ba", &[]),
        ("0300000039d739ba", &[]),
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
    support::answer_storm(("0100000039d739ba", &[(Kind::Channel, 0x40)]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.connect(support::text('q', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0200000039d739ba", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.register(0x0, 0x0, 0x0, support::handle(Kind::Channel, 0x40), support::text('x', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0300000039d739ba", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.hello() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
