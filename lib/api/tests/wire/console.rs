//! Wire tests of `console`.
//!
//! Generated from `idl/console.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, Loopback};
use nexus_abi::Kind;
use nexus_api::console::*;
use nexus_wire::{Bytes, CallError, Fault, Outcome, Sender};

#[test]
fn write_request_has_one_spelling() {
    support::spelled!(WriteRequest<'_>, "01000000aa0eac13", WriteRequest { data: support::bytes(0x23, 0) });
    support::spelled!(
        WriteRequest<'_>,
        "01000000aa0eac13 23*512",
        WriteRequest { data: support::bytes(0x23, 512) }
    );
    support::spelled!(
        WriteRequest<'_>,
        "01000000aa0eac13 23*1024",
        WriteRequest { data: support::bytes(0x23, 1024) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(WriteRequest<'_>, "01000000aa0eac13 23*512", handles);
}

#[test]
fn write_reply_has_one_spelling() {
    support::spelled!(WriteReply, "01000000aa0eac1300000000", WriteReply { waiting: 0x0 });
    support::spelled!(WriteReply, "01000000aa0eac13a3016dcb", WriteReply { waiting: 0xcb6d01a3 });
    support::spelled!(WriteReply, "01000000aa0eac13ffffffff", WriteReply { waiting: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(WriteReply, "01000000aa0eac13a3016dcb", handles);
}

#[test]
fn drain_request_has_one_spelling() {
    support::spelled!(DrainRequest, "02000000aa0eac13", DrainRequest {});
    support::spelled!(DrainRequest, "02000000aa0eac13", DrainRequest {});
    support::spelled!(DrainRequest, "02000000aa0eac13", DrainRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(DrainRequest, "02000000aa0eac13", handles);
}

#[test]
fn read_request_has_one_spelling() {
    support::spelled!(ReadRequest, "03000000aa0eac13", ReadRequest {});
    support::spelled!(ReadRequest, "03000000aa0eac13", ReadRequest {});
    support::spelled!(ReadRequest, "03000000aa0eac13", ReadRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ReadRequest, "03000000aa0eac13", handles);
}

#[test]
fn read_reply_has_one_spelling() {
    support::spelled!(ReadReply<'_>, "03000000aa0eac13", ReadReply { data: support::bytes(0x17, 0) });
    support::spelled!(
        ReadReply<'_>,
        "03000000aa0eac13 17*128",
        ReadReply { data: support::bytes(0x17, 128) }
    );
    support::spelled!(
        ReadReply<'_>,
        "03000000aa0eac13 17*256",
        ReadReply { data: support::bytes(0x17, 256) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ReadReply<'_>, "03000000aa0eac13 17*128", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
    drain_later: Option<Option<DrainPromise>>,
    read_later: Option<Option<ReadPromise>>,
}

impl Server for Fixture {
    fn write(&mut self, sender: Sender, data: Bytes<'_, 1024>) -> Result<WriteReply, Error> {
        self.calls += 1;
        let request = WriteRequest { data };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, WriteRequest { data: support::bytes(0x23, 512) });
        }
        self.error.map_or(Ok(WriteReply { waiting: 0xffffffff }), Err)
    }

    fn drain(&mut self, sender: Sender, promise: DrainPromise) -> Result<Option<()>, Error> {
        self.calls += 1;
        let request = DrainRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, DrainRequest {});
        }
        if let Some(kept) = &mut self.drain_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(())), Err)
    }

    fn read(&mut self, sender: Sender, promise: ReadPromise) -> Result<Option<ReadReply<'_>>, Error> {
        self.calls += 1;
        let request = ReadRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ReadRequest {});
        }
        if let Some(kept) = &mut self.read_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(ReadReply { data: support::bytes(0x17, 256) })), Err)
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(client.write(support::bytes(0x23, 512)), Ok(WriteReply { waiting: 0xffffffff }));
    assert_eq!(client.drain(), Ok(()));
    assert_eq!(client.read(), Ok(ReadReply { data: support::bytes(0x17, 256) }));
    assert_eq!(server.calls, 3);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn drain_can_be_answered_later() {
    let asked: support::Seed = ("02000000aa0eac13", &[]);
    let mut server = Fixture { drain_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.drain_later.take().flatten().unwrap();
    support::kept(|replier| promise.keep(replier, Ok(())), ("02000000aa0eac13", &[]));
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn read_can_be_answered_later() {
    let asked: support::Seed = ("03000000aa0eac13", &[]);
    let mut server = Fixture { read_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.read_later.take().flatten().unwrap();
    support::kept(
        |replier| promise.keep(replier, Ok(ReadReply { data: support::bytes(0x17, 256) })),
        ("03000000aa0eac13 17*256", &[]),
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
        assert_eq!(client.write(support::bytes(0x23, 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.drain().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.read().map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn write_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.write(support::bytes(0x23, 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn drain_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.drain().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn read_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.read().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("01000000aa0eac13", &[]),
        ("01000000aa0eac13 23*512", &[]),
        ("02000000aa0eac13", &[]),
        ("02000000aa0eac13", &[]),
        ("03000000aa0eac13", &[]),
        ("03000000aa0eac13", &[]),
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
    support::answer_storm(("01000000aa0eac13a3016dcb", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.write(support::bytes(0x23, 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("02000000aa0eac13", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.drain() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("03000000aa0eac13 17*128", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.read() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
