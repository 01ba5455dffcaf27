//! Wire tests of `net`.
//!
//! Generated from `idl/net.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::net::*;
use nexus_wire::{Bytes, CallError, Fault, Held, Outcome, Sender, kinds};

#[test]
fn attach_request_has_one_spelling() {
    support::spelled!(
        AttachRequest<FakeHandle>,
        "010000006c773d77",
        AttachRequest { frames: support::handle(Kind::Channel, 0x40) }
    );
    support::spelled!(
        AttachRequest<FakeHandle>,
        "010000006c773d77",
        AttachRequest { frames: support::handle(Kind::Channel, 0x40) }
    );
    support::spelled!(
        AttachRequest<FakeHandle>,
        "010000006c773d77",
        AttachRequest { frames: support::handle(Kind::Channel, 0x40) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Channel, 0x40)];
    support::bounded!(AttachRequest<FakeHandle>, "010000006c773d77", handles);
}

#[test]
fn attach_reply_has_one_spelling() {
    support::spelled!(AttachReply, "010000006c773d77000000000000", AttachReply { address: [0x0; 6] });
    support::spelled!(
        AttachReply,
        "010000006c773d778f2044903183",
        AttachReply { address: [0x8f, 0x20, 0x44, 0x90, 0x31, 0x83] }
    );
    support::spelled!(AttachReply, "010000006c773d77ffffffffffff", AttachReply { address: [0xff; 6] });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(AttachReply, "010000006c773d778f2044903183", handles);
}

#[test]
fn transmit_request_has_one_spelling() {
    support::spelled!(
        TransmitRequest<'_>,
        "020000006c773d77",
        TransmitRequest { frame: support::bytes(0xdf, 0) }
    );
    support::spelled!(
        TransmitRequest<'_>,
        "020000006c773d77 df*757",
        TransmitRequest { frame: support::bytes(0xdf, 757) }
    );
    support::spelled!(
        TransmitRequest<'_>,
        "020000006c773d77 df*1514",
        TransmitRequest { frame: support::bytes(0xdf, 1514) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TransmitRequest<'_>, "020000006c773d77 df*757", handles);
}

#[test]
fn counters_request_has_one_spelling() {
    support::spelled!(CountersRequest, "030000006c773d77", CountersRequest {});
    support::spelled!(CountersRequest, "030000006c773d77", CountersRequest {});
    support::spelled!(CountersRequest, "030000006c773d77", CountersRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(CountersRequest, "030000006c773d77", handles);
}

#[test]
fn counters_reply_has_one_spelling() {
    support::spelled!(
        CountersReply,
        "030000006c773d77 00*48",
        CountersReply {
            link: false,
            received: 0x0,
            received_dropped: 0x0,
            sent: 0x0,
            sent_dropped: 0x0,
            resets: 0x0,
        }
    );
    support::spelled!(
        CountersReply,
        "030000006c773d7701000000000000005f768da4bbd2e940f61c43698fb5dbc15e9ad6124f8bc7039df54da6fe56af07fc6cdd4dbe2e9f0f",
        CountersReply {
            link: true,
            received: 0x40e9d2bba48d765f,
            received_dropped: 0xc1dbb58f69431cf6,
            sent: 0x3c78b4f12d69a5e,
            sent_dropped: 0x7af56fea64df59d,
            resets: 0xf9f2ebe4ddd6cfc,
        }
    );
    support::spelled!(
        CountersReply,
        "030000006c773d770100000000000000 ff*40",
        CountersReply {
            link: true,
            received: 0xffffffffffffffff,
            received_dropped: 0xffffffffffffffff,
            sent: 0xffffffffffffffff,
            sent_dropped: 0xffffffffffffffff,
            resets: 0xffffffffffffffff,
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        CountersReply,
        "030000006c773d7701000000000000005f768da4bbd2e940f61c43698fb5dbc15e9ad6124f8bc7039df54da6fe56af07fc6cdd4dbe2e9f0f",
        handles
    );
    support::flawed!(
        CountersReply,
        "030000006c773d7701000000000000005f768da4bbd2e940f61c43698fb5dbc15e9ad6124f8bc7039df54da6fe56af07fc6cdd4dbe2e9f0f",
        handles,
        9,
        &[1],
        "padding"
    );
    support::flawed!(
        CountersReply,
        "030000006c773d7701000000000000005f768da4bbd2e940f61c43698fb5dbc15e9ad6124f8bc7039df54da6fe56af07fc6cdd4dbe2e9f0f",
        handles,
        15,
        &[1],
        "padding"
    );
    support::flawed!(
        CountersReply,
        "030000006c773d7701000000000000005f768da4bbd2e940f61c43698fb5dbc15e9ad6124f8bc7039df54da6fe56af07fc6cdd4dbe2e9f0f",
        handles,
        8,
        &[2],
        "link is neither 0 nor 1"
    );
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
}

impl Server<FakeHandle> for Fixture {
    fn attach(
        &mut self,
        sender: Sender,
        frames: Held<FakeHandle, kinds::Channel>,
    ) -> Result<AttachReply, Error> {
        self.calls += 1;
        let request = AttachRequest { frames };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, AttachRequest { frames: support::handle(Kind::Channel, 0x40) });
        }
        self.error.map_or(Ok(AttachReply { address: [0xff; 6] }), Err)
    }

    fn transmit(&mut self, sender: Sender, frame: Bytes<'_, 1514>) {
        self.calls += 1;
        let request = TransmitRequest { frame };
        if self.strict {
            assert_eq!(sender, support::TELLER);
            assert_eq!(request, TransmitRequest { frame: support::bytes(0xdf, 757) });
        }
    }

    fn counters(&mut self, sender: Sender) -> Result<CountersReply, Error> {
        self.calls += 1;
        let request = CountersRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, CountersRequest {});
        }
        self.error.map_or(
            Ok(CountersReply {
                link: true,
                received: 0xffffffffffffffff,
                received_dropped: 0xffffffffffffffff,
                sent: 0xffffffffffffffff,
                sent_dropped: 0xffffffffffffffff,
                resets: 0xffffffffffffffff,
            }),
            Err,
        )
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(client.attach(support::handle(Kind::Channel, 0x40)), Ok(AttachReply { address: [0xff; 6] }));
    assert_eq!(client.transmit(support::bytes(0xdf, 757)), Ok(()));
    assert_eq!(
        client.counters(),
        Ok(CountersReply {
            link: true,
            received: 0xffffffffffffffff,
            received_dropped: 0xffffffffffffffff,
            sent: 0xffffffffffffffff,
            sent_dropped: 0xffffffffffffffff,
            resets: 0xffffffffffffffff,
        })
    );
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
        assert_eq!(
            client.attach(support::handle(Kind::Channel, 0x40)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.counters().map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn attach_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.attach(support::handle(Kind::Channel, 0x40)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn counters_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.counters().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("010000006c773d77", &[(Kind::Channel, 0x40)]),
        ("010000006c773d77", &[(Kind::Channel, 0x40)]),
        ("020000006c773d77", &[]),
        ("020000006c773d77 df*757", &[]),
        ("030000006c773d77", &[]),
        ("030000006c773d77", &[]),
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
    support::answer_storm(("010000006c773d778f2044903183", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.attach(support::handle(Kind::Channel, 0x40)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(
        (
            "030000006c773d7701000000000000005f768da4bbd2e940f61c43698fb5dbc15e9ad6124f8bc7039df54da6fe56af07fc6cdd4dbe2e9f0f",
            &[],
        ),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.counters() {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
}
