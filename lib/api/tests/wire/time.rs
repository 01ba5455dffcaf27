//! Wire tests of `time`.
//!
//! Generated from `idl/time.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, Loopback};
use nexus_abi::Kind;
use nexus_api::time::*;
use nexus_wire::{CallError, Fault, Outcome, Sender};

#[test]
fn now_request_has_one_spelling() {
    support::spelled!(NowRequest, "01000000e0bbb088", NowRequest {});
    support::spelled!(NowRequest, "01000000e0bbb088", NowRequest {});
    support::spelled!(NowRequest, "01000000e0bbb088", NowRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(NowRequest, "01000000e0bbb088", handles);
}

#[test]
fn now_reply_has_one_spelling() {
    support::spelled!(
        NowReply,
        "01000000e0bbb088 00*28",
        NowReply { unix_ns: 0x0, ticks: 0x0, hz: 0x0, steps: 0x0 }
    );
    support::spelled!(
        NowReply,
        "01000000e0bbb08897f24da90485e03b2fa61c9309cc42b961ce3aa7131c89f5c8a07850",
        NowReply {
            unix_ns: 0x3be08504a94df297,
            ticks: 0xb942cc09931ca62f,
            hz: 0xf5891c13a73ace61,
            steps: 0x5078a0c8,
        }
    );
    support::spelled!(
        NowReply,
        "01000000e0bbb088 ff*28",
        NowReply {
            unix_ns: 0xffffffffffffffff,
            ticks: 0xffffffffffffffff,
            hz: 0xffffffffffffffff,
            steps: 0xffffffff,
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        NowReply,
        "01000000e0bbb08897f24da90485e03b2fa61c9309cc42b961ce3aa7131c89f5c8a07850",
        handles
    );
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
}

impl Server for Fixture {
    fn now(&mut self, sender: Sender) -> Result<NowReply, Error> {
        self.calls += 1;
        let request = NowRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, NowRequest {});
        }
        self.error.map_or(
            Ok(NowReply {
                unix_ns: 0xffffffffffffffff,
                ticks: 0xffffffffffffffff,
                hz: 0xffffffffffffffff,
                steps: 0xffffffff,
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
    assert_eq!(
        client.now(),
        Ok(NowReply {
            unix_ns: 0xffffffffffffffff,
            ticks: 0xffffffffffffffff,
            hz: 0xffffffffffffffff,
            steps: 0xffffffff,
        })
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
        assert_eq!(client.now().map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn now_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.now().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[("01000000e0bbb088", &[]), ("01000000e0bbb088", &[])];
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
        ("01000000e0bbb08897f24da90485e03b2fa61c9309cc42b961ce3aa7131c89f5c8a07850", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.now() {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
}
