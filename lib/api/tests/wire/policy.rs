//! Wire tests of `policy`.
//!
//! Generated from `idl/policy.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::policy::*;
use nexus_wire::{CallError, Fault, Outcome, Sender, Text};

#[test]
fn window_request_has_one_spelling() {
    support::spelled!(WindowRequest<'_>, "01000000d380106a", WindowRequest { device: support::text('d', 0) });
    support::spelled!(
        WindowRequest<'_>,
        "01000000d380106a 64*13",
        WindowRequest { device: support::text('d', 13) }
    );
    support::spelled!(
        WindowRequest<'_>,
        "01000000d380106a 64*26",
        WindowRequest { device: support::text('d', 26) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(WindowRequest<'_>, "01000000d380106a 64*13", handles);
    support::flawed!(WindowRequest<'_>, "01000000d380106a 64*13", handles, 8, &[255], "device is not UTF-8");
}

#[test]
fn window_reply_has_one_spelling() {
    support::spelled!(
        WindowReply<FakeHandle>,
        "01000000d380106a",
        WindowReply { mmio: support::handle(Kind::Mmio, 0xc00) }
    );
    support::spelled!(
        WindowReply<FakeHandle>,
        "01000000d380106a",
        WindowReply { mmio: support::handle(Kind::Mmio, 0xc00) }
    );
    support::spelled!(
        WindowReply<FakeHandle>,
        "01000000d380106a",
        WindowReply { mmio: support::handle(Kind::Mmio, 0xc00) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Mmio, 0xc00)];
    support::bounded!(WindowReply<FakeHandle>, "01000000d380106a", handles);
}

#[test]
fn interrupt_request_has_one_spelling() {
    support::spelled!(
        InterruptRequest<'_>,
        "02000000d380106a",
        InterruptRequest { device: support::text('d', 0) }
    );
    support::spelled!(
        InterruptRequest<'_>,
        "02000000d380106a 64*13",
        InterruptRequest { device: support::text('d', 13) }
    );
    support::spelled!(
        InterruptRequest<'_>,
        "02000000d380106a 64*26",
        InterruptRequest { device: support::text('d', 26) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(InterruptRequest<'_>, "02000000d380106a 64*13", handles);
    support::flawed!(
        InterruptRequest<'_>,
        "02000000d380106a 64*13",
        handles,
        8,
        &[255],
        "device is not UTF-8"
    );
}

#[test]
fn interrupt_reply_has_one_spelling() {
    support::spelled!(
        InterruptReply<FakeHandle>,
        "02000000d380106a",
        InterruptReply { irq: support::handle(Kind::Irq, 0x18) }
    );
    support::spelled!(
        InterruptReply<FakeHandle>,
        "02000000d380106a",
        InterruptReply { irq: support::handle(Kind::Irq, 0x18) }
    );
    support::spelled!(
        InterruptReply<FakeHandle>,
        "02000000d380106a",
        InterruptReply { irq: support::handle(Kind::Irq, 0x18) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Irq, 0x18)];
    support::bounded!(InterruptReply<FakeHandle>, "02000000d380106a", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
}

impl Server<FakeHandle> for Fixture {
    fn window(&mut self, sender: Sender, device: Text<'_, 26>) -> Result<WindowReply<FakeHandle>, Error> {
        self.calls += 1;
        let request = WindowRequest { device };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, WindowRequest { device: support::text('d', 13) });
        }
        self.error.map_or(Ok(WindowReply { mmio: support::handle(Kind::Mmio, 0xc00) }), Err)
    }

    fn interrupt(
        &mut self,
        sender: Sender,
        device: Text<'_, 26>,
    ) -> Result<InterruptReply<FakeHandle>, Error> {
        self.calls += 1;
        let request = InterruptRequest { device };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, InterruptRequest { device: support::text('d', 13) });
        }
        self.error.map_or(Ok(InterruptReply { irq: support::handle(Kind::Irq, 0x18) }), Err)
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(
        client.window(support::text('d', 13)),
        Ok(WindowReply { mmio: support::handle(Kind::Mmio, 0xc00) })
    );
    assert_eq!(
        client.interrupt(support::text('d', 13)),
        Ok(InterruptReply { irq: support::handle(Kind::Irq, 0x18) })
    );
    assert_eq!(server.calls, 2);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn every_error_returns_from_every_call() {
    for &error in Error::ALL {
        let fixture = Fixture { error: Some(error), ..Fixture::default() };
        let mut server = fixture;
        let mut client =
            Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
        assert_eq!(client.window(support::text('d', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.interrupt(support::text('d', 0)).map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn window_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.window(support::text('d', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn interrupt_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.interrupt(support::text('d', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("01000000d380106a", &[]),
        ("01000000d380106a 64*13", &[]),
        ("02000000d380106a", &[]),
        ("02000000d380106a 64*13", &[]),
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
    support::answer_storm(("01000000d380106a", &[(Kind::Mmio, 0xc00)]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.window(support::text('d', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("02000000d380106a", &[(Kind::Irq, 0x18)]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.interrupt(support::text('d', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
