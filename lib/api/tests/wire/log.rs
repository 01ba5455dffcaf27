//! Wire tests of `log`.
//!
//! Generated from `idl/log.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::log::*;
use nexus_wire::{CallError, Fault, Held, Outcome, Sender, Text, kinds};

#[test]
fn record_request_has_one_spelling() {
    support::spelled!(
        RecordRequest<'_>,
        "0100000071932c2101000000",
        RecordRequest {
            level: Level::Error,
            purpose: Purpose::Text,
            dropped: 0x0,
            text: support::text('p', 0),
        }
    );
    support::spelled!(
        RecordRequest<'_>,
        "0100000071932c2102007c80 69*120",
        RecordRequest {
            level: Level::Warn,
            purpose: Purpose::Text,
            dropped: 0x807c,
            text: support::text('i', 120),
        }
    );
    support::spelled!(
        RecordRequest<'_>,
        "0100000071932c210502ffff 70*240",
        RecordRequest {
            level: Level::Trace,
            purpose: Purpose::Ready,
            dropped: 0xffff,
            text: support::text('p', 240),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(RecordRequest<'_>, "0100000071932c2102007c80 69*120", handles);
    support::flawed!(
        RecordRequest<'_>,
        "0100000071932c2102007c80 69*120",
        handles,
        8,
        &[0],
        "level has no value 0"
    );
    support::flawed!(
        RecordRequest<'_>,
        "0100000071932c2102007c80 69*120",
        handles,
        9,
        &[3],
        "purpose has no value 3"
    );
    support::flawed!(
        RecordRequest<'_>,
        "0100000071932c2102007c80 69*120",
        handles,
        12,
        &[255],
        "text is not UTF-8"
    );
}

#[test]
fn read_request_has_one_spelling() {
    support::spelled!(ReadRequest, "0200000071932c210000000000000000", ReadRequest { from: 0x0 });
    support::spelled!(
        ReadRequest,
        "0200000071932c21442210efccaa8866",
        ReadRequest { from: 0x6688aaccef102244 }
    );
    support::spelled!(
        ReadRequest,
        "0200000071932c21ffffffffffffffff",
        ReadRequest { from: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ReadRequest, "0200000071932c21442210efccaa8866", handles);
}

#[test]
fn read_reply_has_one_spelling() {
    support::spelled!(
        ReadReply<'_>,
        "0200000071932c21 00*24 0100",
        ReadReply {
            sequence: 0x0,
            time: 0x0,
            service: 0x0,
            generation: 0x0,
            level: Level::Error,
            purpose: Purpose::Text,
            text: support::text('k', 0),
        }
    );
    support::spelled!(
        ReadReply<'_>,
        "0200000071932c21c02801d9b088603800c26202a241e180016586a5028c8e8c0201 73*240",
        ReadReply {
            sequence: 0x386088b0d90128c0,
            time: 0x80e141a20262c200,
            service: 0xa5866501,
            generation: 0x8c8e8c02,
            level: Level::Warn,
            purpose: Purpose::Audit,
            text: support::text('s', 240),
        }
    );
    support::spelled!(
        ReadReply<'_>,
        "0200000071932c21 ff*24 0502 6b*480",
        ReadReply {
            sequence: 0xffffffffffffffff,
            time: 0xffffffffffffffff,
            service: 0xffffffff,
            generation: 0xffffffff,
            level: Level::Trace,
            purpose: Purpose::Ready,
            text: support::text('k', 480),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        ReadReply<'_>,
        "0200000071932c21c02801d9b088603800c26202a241e180016586a5028c8e8c0201 73*240",
        handles
    );
    support::flawed!(
        ReadReply<'_>,
        "0200000071932c21c02801d9b088603800c26202a241e180016586a5028c8e8c0201 73*240",
        handles,
        32,
        &[0],
        "level has no value 0"
    );
    support::flawed!(
        ReadReply<'_>,
        "0200000071932c21c02801d9b088603800c26202a241e180016586a5028c8e8c0201 73*240",
        handles,
        33,
        &[3],
        "purpose has no value 3"
    );
    support::flawed!(
        ReadReply<'_>,
        "0200000071932c21c02801d9b088603800c26202a241e180016586a5028c8e8c0201 73*240",
        handles,
        34,
        &[255],
        "text is not UTF-8"
    );
}

#[test]
fn watch_request_has_one_spelling() {
    support::spelled!(
        WatchRequest<FakeHandle>,
        "0300000071932c21",
        WatchRequest { news: support::handle(Kind::Channel, 0x40) }
    );
    support::spelled!(
        WatchRequest<FakeHandle>,
        "0300000071932c21",
        WatchRequest { news: support::handle(Kind::Channel, 0x40) }
    );
    support::spelled!(
        WatchRequest<FakeHandle>,
        "0300000071932c21",
        WatchRequest { news: support::handle(Kind::Channel, 0x40) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Channel, 0x40)];
    support::bounded!(WatchRequest<FakeHandle>, "0300000071932c21", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
    denies: bool,
}

impl Server<FakeHandle> for Fixture {
    fn permits(&mut self, _: Sender, _: &'static str) -> bool {
        !self.denies
    }

    fn record(&mut self, sender: Sender, level: Level, purpose: Purpose, dropped: u16, text: Text<'_, 240>) {
        self.calls += 1;
        let request = RecordRequest { level, purpose, dropped, text };
        if self.strict {
            assert_eq!(sender, support::TELLER);
            assert_eq!(
                request,
                RecordRequest {
                    level: Level::Warn,
                    purpose: Purpose::Text,
                    dropped: 0x807c,
                    text: support::text('i', 120),
                }
            );
        }
    }

    fn read(&mut self, sender: Sender, from: u64) -> Result<ReadReply<'_>, Error> {
        self.calls += 1;
        let request = ReadRequest { from };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ReadRequest { from: 0x6688aaccef102244 });
        }
        self.error.map_or(
            Ok(ReadReply {
                sequence: 0xffffffffffffffff,
                time: 0xffffffffffffffff,
                service: 0xffffffff,
                generation: 0xffffffff,
                level: Level::Trace,
                purpose: Purpose::Ready,
                text: support::text('k', 480),
            }),
            Err,
        )
    }

    fn watch(&mut self, sender: Sender, news: Held<FakeHandle, kinds::Channel>) -> Result<(), Error> {
        self.calls += 1;
        let request = WatchRequest { news };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, WatchRequest { news: support::handle(Kind::Channel, 0x40) });
        }
        self.error.map_or(Ok(()), Err)
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(client.record(Level::Warn, Purpose::Text, 0x807c, support::text('i', 120)), Ok(()));
    assert_eq!(
        client.read(0x6688aaccef102244),
        Ok(ReadReply {
            sequence: 0xffffffffffffffff,
            time: 0xffffffffffffffff,
            service: 0xffffffff,
            generation: 0xffffffff,
            level: Level::Trace,
            purpose: Purpose::Ready,
            text: support::text('k', 480),
        })
    );
    assert_eq!(client.watch(support::handle(Kind::Channel, 0x40)), Ok(()));
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
        assert_eq!(client.read(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client.watch(support::handle(Kind::Channel, 0x40)).map(|_| ()),
            Err(CallError::Service(error))
        );
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn what_is_not_permitted_does_not_reach_the_server() {
    let fixture = Fixture { denies: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(client.read(0x0).map(|_| ()), Err(CallError::Service(Error::PermissionDenied)));
    assert_eq!(
        client.watch(support::handle(Kind::Channel, 0x40)).map(|_| ()),
        Err(CallError::Service(Error::PermissionDenied))
    );
    assert_eq!(server.calls, 0);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn read_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.read(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn watch_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.watch(support::handle(Kind::Channel, 0x40)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("0100000071932c2101000000", &[]),
        ("0100000071932c2102007c80 69*120", &[]),
        ("0200000071932c210000000000000000", &[]),
        ("0200000071932c21442210efccaa8866", &[]),
        ("0300000071932c21", &[(Kind::Channel, 0x40)]),
        ("0300000071932c21", &[(Kind::Channel, 0x40)]),
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
    support::answer_storm(
        ("0200000071932c21c02801d9b088603800c26202a241e180016586a5028c8e8c0201 73*240", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.read(0x0) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("0300000071932c21", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.watch(support::handle(Kind::Channel, 0x40)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
