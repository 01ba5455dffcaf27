//! Wire tests of `introduce`.
//!
//! Generated from `idl/introduce.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::introduce::*;
use nexus_wire::{Held, Outcome, Sender, Text, kinds};

#[test]
fn process_request_has_one_spelling() {
    support::spelled!(
        ProcessRequest<'_, FakeHandle>,
        "01000000dead4bab00000000",
        ProcessRequest {
            service: 0x0,
            channel: support::handle(Kind::Channel, 0x80),
            name: support::text('a', 0),
        }
    );
    support::spelled!(
        ProcessRequest<'_, FakeHandle>,
        "01000000dead4babd00d4b88 64*16",
        ProcessRequest {
            service: 0x884b0dd0,
            channel: support::handle(Kind::Channel, 0x80),
            name: support::text('d', 16),
        }
    );
    support::spelled!(
        ProcessRequest<'_, FakeHandle>,
        "01000000dead4babffffffff 61*31",
        ProcessRequest {
            service: 0xffffffff,
            channel: support::handle(Kind::Channel, 0x80),
            name: support::text('a', 31),
        }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Channel, 0x80)];
    support::bounded!(ProcessRequest<'_, FakeHandle>, "01000000dead4babd00d4b88 64*16", handles);
    support::flawed!(
        ProcessRequest<'_, FakeHandle>,
        "01000000dead4babd00d4b88 64*16",
        handles,
        12,
        &[255],
        "name is not UTF-8"
    );
}

#[test]
fn absent_request_has_one_spelling() {
    support::spelled!(AbsentRequest, "02000000dead4bab00000000", AbsentRequest { service: 0x0 });
    support::spelled!(AbsentRequest, "02000000dead4baba3016dcb", AbsentRequest { service: 0xcb6d01a3 });
    support::spelled!(AbsentRequest, "02000000dead4babffffffff", AbsentRequest { service: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(AbsentRequest, "02000000dead4baba3016dcb", handles);
}

#[test]
fn console_request_has_one_spelling() {
    support::spelled!(
        ConsoleRequest<FakeHandle>,
        "03000000dead4bab",
        ConsoleRequest { channel: support::handle(Kind::Channel, 0x40) }
    );
    support::spelled!(
        ConsoleRequest<FakeHandle>,
        "03000000dead4bab",
        ConsoleRequest { channel: support::handle(Kind::Channel, 0x40) }
    );
    support::spelled!(
        ConsoleRequest<FakeHandle>,
        "03000000dead4bab",
        ConsoleRequest { channel: support::handle(Kind::Channel, 0x40) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Channel, 0x40)];
    support::bounded!(ConsoleRequest<FakeHandle>, "03000000dead4bab", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
}

impl Server<FakeHandle> for Fixture {
    fn process(
        &mut self,
        sender: Sender,
        service: u32,
        channel: Held<FakeHandle, kinds::Channel>,
        name: Text<'_, 31>,
    ) {
        self.calls += 1;
        let request = ProcessRequest { service, channel, name };
        if self.strict {
            assert_eq!(sender, support::TELLER);
            assert_eq!(
                request,
                ProcessRequest {
                    service: 0x884b0dd0,
                    channel: support::handle(Kind::Channel, 0x80),
                    name: support::text('d', 16),
                }
            );
        }
    }

    fn absent(&mut self, sender: Sender, service: u32) {
        self.calls += 1;
        let request = AbsentRequest { service };
        if self.strict {
            assert_eq!(sender, support::TELLER);
            assert_eq!(request, AbsentRequest { service: 0xcb6d01a3 });
        }
    }

    fn console(&mut self, sender: Sender, channel: Held<FakeHandle, kinds::Channel>) {
        self.calls += 1;
        let request = ConsoleRequest { channel };
        if self.strict {
            assert_eq!(sender, support::TELLER);
            assert_eq!(request, ConsoleRequest { channel: support::handle(Kind::Channel, 0x40) });
        }
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(
        client.process(0x884b0dd0, support::handle(Kind::Channel, 0x80), support::text('d', 16)),
        Ok(())
    );
    assert_eq!(client.absent(0xcb6d01a3), Ok(()));
    assert_eq!(client.console(support::handle(Kind::Channel, 0x40)), Ok(()));
    assert_eq!(server.calls, 3);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("01000000dead4bab00000000", &[(Kind::Channel, 0x80)]),
        ("01000000dead4babd00d4b88 64*16", &[(Kind::Channel, 0x80)]),
        ("02000000dead4bab00000000", &[]),
        ("02000000dead4baba3016dcb", &[]),
        ("03000000dead4bab", &[(Kind::Channel, 0x40)]),
        ("03000000dead4bab", &[(Kind::Channel, 0x40)]),
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
