//! Wire tests of `exec`.
//!
//! Generated from `idl/exec.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::exec::*;
use nexus_wire::{CallError, Fault, Held, Outcome, Sender, Text, kinds};

#[test]
fn spawn_request_has_one_spelling() {
    support::spelled!(
        SpawnRequest<'_, FakeHandle>,
        "0100000028a102b30000000000",
        SpawnRequest {
            handles: 0x0,
            cpu: 0x0,
            priority: 0x0,
            quota: support::handle(Kind::Quota, 0x4000),
            identity: support::handle(Kind::Identity, 0x10000),
            bootstrap: support::handle(Kind::Channel, 0xc0),
            program: support::text('d', 0),
        }
    );
    support::spelled!(
        SpawnRequest<'_, FakeHandle>,
        "0100000028a102b3419cc5390d 64*16",
        SpawnRequest {
            handles: 0x9c41,
            cpu: 0x39c5,
            priority: 0xd,
            quota: support::handle(Kind::Quota, 0x4000),
            identity: support::handle(Kind::Identity, 0x10000),
            bootstrap: support::handle(Kind::Channel, 0xc0),
            program: support::text('d', 16),
        }
    );
    support::spelled!(
        SpawnRequest<'_, FakeHandle>,
        "0100000028a102b3ffffffffff 64*31",
        SpawnRequest {
            handles: 0xffff,
            cpu: 0xffff,
            priority: 0xff,
            quota: support::handle(Kind::Quota, 0x4000),
            identity: support::handle(Kind::Identity, 0x10000),
            bootstrap: support::handle(Kind::Channel, 0xc0),
            program: support::text('d', 31),
        }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Quota, 0x4000), (Kind::Identity, 0x10000), (Kind::Channel, 0xc0)];
    support::bounded!(SpawnRequest<'_, FakeHandle>, "0100000028a102b3419cc5390d 64*16", handles);
    support::flawed!(
        SpawnRequest<'_, FakeHandle>,
        "0100000028a102b3419cc5390d 64*16",
        handles,
        13,
        &[255],
        "program is not UTF-8"
    );
}

#[test]
fn spawn_reply_has_one_spelling() {
    support::spelled!(
        SpawnReply<FakeHandle>,
        "0100000028a102b3",
        SpawnReply { process: support::handle(Kind::Process, 0x3c) }
    );
    support::spelled!(
        SpawnReply<FakeHandle>,
        "0100000028a102b3",
        SpawnReply { process: support::handle(Kind::Process, 0x3c) }
    );
    support::spelled!(
        SpawnReply<FakeHandle>,
        "0100000028a102b3",
        SpawnReply { process: support::handle(Kind::Process, 0x3c) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Process, 0x3c)];
    support::bounded!(SpawnReply<FakeHandle>, "0100000028a102b3", handles);
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

    fn spawn(
        &mut self,
        sender: Sender,
        handles: u16,
        cpu: u16,
        priority: u8,
        quota: Held<FakeHandle, kinds::Quota>,
        identity: Held<FakeHandle, kinds::Identity>,
        bootstrap: Held<FakeHandle, kinds::Channel>,
        program: Text<'_, 31>,
    ) -> Result<SpawnReply<FakeHandle>, Error> {
        self.calls += 1;
        let request = SpawnRequest { handles, cpu, priority, quota, identity, bootstrap, program };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                SpawnRequest {
                    handles: 0x9c41,
                    cpu: 0x39c5,
                    priority: 0xd,
                    quota: support::handle(Kind::Quota, 0x4000),
                    identity: support::handle(Kind::Identity, 0x10000),
                    bootstrap: support::handle(Kind::Channel, 0xc0),
                    program: support::text('d', 16),
                }
            );
        }
        self.error.map_or(Ok(SpawnReply { process: support::handle(Kind::Process, 0x3c) }), Err)
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(
        client.spawn(
            0x9c41,
            0x39c5,
            0xd,
            support::handle(Kind::Quota, 0x4000),
            support::handle(Kind::Identity, 0x10000),
            support::handle(Kind::Channel, 0xc0),
            support::text('d', 16)
        ),
        Ok(SpawnReply { process: support::handle(Kind::Process, 0x3c) })
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
        assert_eq!(
            client
                .spawn(
                    0x0,
                    0x0,
                    0x0,
                    support::handle(Kind::Quota, 0x4000),
                    support::handle(Kind::Identity, 0x10000),
                    support::handle(Kind::Channel, 0xc0),
                    support::text('d', 0)
                )
                .map(|_| ()),
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
    assert_eq!(
        client
            .spawn(
                0x0,
                0x0,
                0x0,
                support::handle(Kind::Quota, 0x4000),
                support::handle(Kind::Identity, 0x10000),
                support::handle(Kind::Channel, 0xc0),
                support::text('d', 0)
            )
            .map(|_| ()),
        Err(CallError::Service(Error::PermissionDenied))
    );
    assert_eq!(server.calls, 0);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn spawn_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client
            .spawn(
                0x0,
                0x0,
                0x0,
                support::handle(Kind::Quota, 0x4000),
                support::handle(Kind::Identity, 0x10000),
                support::handle(Kind::Channel, 0xc0),
                support::text('d', 0)
            )
            .map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        (
            "0100000028a102b30000000000",
            &[(Kind::Quota, 0x4000), (Kind::Identity, 0x10000), (Kind::Channel, 0xc0)],
        ),
        (
            "0100000028a102b3419cc5390d 64*16",
            &[(Kind::Quota, 0x4000), (Kind::Identity, 0x10000), (Kind::Channel, 0xc0)],
        ),
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
    support::answer_storm(("0100000028a102b3", &[(Kind::Process, 0x3c)]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.spawn(
            0x0,
            0x0,
            0x0,
            support::handle(Kind::Quota, 0x4000),
            support::handle(Kind::Identity, 0x10000),
            support::handle(Kind::Channel, 0xc0),
            support::text('d', 0),
        ) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
