//! Wire tests of `keys`.
//!
//! Generated from `idl/keys.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, Loopback};
use nexus_abi::Kind;
use nexus_api::keys::*;
use nexus_wire::{Bytes, CallError, Fault, Outcome, Sender, Text};

#[test]
fn status_request_has_one_spelling() {
    support::spelled!(StatusRequest, "01000000d5a55d56", StatusRequest {});
    support::spelled!(StatusRequest, "01000000d5a55d56", StatusRequest {});
    support::spelled!(StatusRequest, "01000000d5a55d56", StatusRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(StatusRequest, "01000000d5a55d56", handles);
}

#[test]
fn status_reply_has_one_spelling() {
    support::spelled!(
        StatusReply,
        "01000000d5a55d56010000000000",
        StatusReply {
            vault: Vault::Open,
            has_key: false,
            open: 0x0,
            locked: 0x0,
            refused: 0x0,
            pending: false,
        }
    );
    support::spelled!(
        StatusReply,
        "01000000d5a55d56010044903101",
        StatusReply {
            vault: Vault::Open,
            has_key: false,
            open: 0x44,
            locked: 0x90,
            refused: 0x31,
            pending: true,
        }
    );
    support::spelled!(
        StatusReply,
        "01000000d5a55d560501ffffff01",
        StatusReply {
            vault: Vault::Failed,
            has_key: true,
            open: 0xff,
            locked: 0xff,
            refused: 0xff,
            pending: true,
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(StatusReply, "01000000d5a55d56010044903101", handles);
    support::flawed!(StatusReply, "01000000d5a55d56010044903101", handles, 8, &[0], "vault has no value 0");
    support::flawed!(
        StatusReply,
        "01000000d5a55d56010044903101",
        handles,
        9,
        &[2],
        "has_key is neither 0 nor 1"
    );
    support::flawed!(
        StatusReply,
        "01000000d5a55d56010044903101",
        handles,
        13,
        &[2],
        "pending is neither 0 nor 1"
    );
}

#[test]
fn identity_request_has_one_spelling() {
    support::spelled!(IdentityRequest, "02000000d5a55d56", IdentityRequest {});
    support::spelled!(IdentityRequest, "02000000d5a55d56", IdentityRequest {});
    support::spelled!(IdentityRequest, "02000000d5a55d56", IdentityRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(IdentityRequest, "02000000d5a55d56", handles);
}

#[test]
fn identity_reply_has_one_spelling() {
    support::spelled!(IdentityReply, "02000000d5a55d56 00*32", IdentityReply { key: [0x0; 32] });
    support::spelled!(IdentityReply, "02000000d5a55d56 9b*32", IdentityReply { key: [0x9b; 32] });
    support::spelled!(IdentityReply, "02000000d5a55d56 ff*32", IdentityReply { key: [0xff; 32] });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(IdentityReply, "02000000d5a55d56 9b*32", handles);
}

#[test]
fn sign_request_has_one_spelling() {
    support::spelled!(
        SignRequest<'_>,
        "03000000d5a55d56 00*66",
        SignRequest { label: support::text('x', 0), message: support::bytes(0x4b, 0) }
    );
    support::spelled!(
        SignRequest<'_>,
        "03000000d5a55d562000 78*32  00*32  4b*1536",
        SignRequest { label: support::text('x', 32), message: support::bytes(0x4b, 1536) }
    );
    support::spelled!(
        SignRequest<'_>,
        "03000000d5a55d564000 78*64  4b*3072",
        SignRequest { label: support::text('x', 64), message: support::bytes(0x4b, 3072) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(SignRequest<'_>, "03000000d5a55d562000 78*32  00*32  4b*1536", handles);
    support::flawed!(
        SignRequest<'_>,
        "03000000d5a55d562000 78*32  00*32  4b*1536",
        handles,
        8,
        &[65, 0],
        "label is one past its bound"
    );
    support::flawed!(
        SignRequest<'_>,
        "03000000d5a55d562000 78*32  00*32  4b*1536",
        handles,
        73,
        &[1],
        "label has bytes past its length"
    );
    support::flawed!(
        SignRequest<'_>,
        "03000000d5a55d562000 78*32  00*32  4b*1536",
        handles,
        10,
        &[255],
        "label is not UTF-8"
    );
}

#[test]
fn sign_reply_has_one_spelling() {
    support::spelled!(SignReply, "03000000d5a55d56 00*64", SignReply { signature: [0x0; 64] });
    support::spelled!(SignReply, "03000000d5a55d56 93*64", SignReply { signature: [0x93; 64] });
    support::spelled!(SignReply, "03000000d5a55d56 ff*64", SignReply { signature: [0xff; 64] });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(SignReply, "03000000d5a55d56 93*64", handles);
}

#[test]
fn derive_request_has_one_spelling() {
    support::spelled!(DeriveRequest<'_>, "04000000d5a55d56", DeriveRequest { label: support::text('z', 0) });
    support::spelled!(
        DeriveRequest<'_>,
        "04000000d5a55d56 7a*32",
        DeriveRequest { label: support::text('z', 32) }
    );
    support::spelled!(
        DeriveRequest<'_>,
        "04000000d5a55d56 7a*64",
        DeriveRequest { label: support::text('z', 64) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(DeriveRequest<'_>, "04000000d5a55d56 7a*32", handles);
    support::flawed!(DeriveRequest<'_>, "04000000d5a55d56 7a*32", handles, 8, &[255], "label is not UTF-8");
}

#[test]
fn derive_reply_has_one_spelling() {
    support::spelled!(DeriveReply, "04000000d5a55d56 00*32", DeriveReply { key: [0x0; 32] });
    support::spelled!(DeriveReply, "04000000d5a55d56 9b*32", DeriveReply { key: [0x9b; 32] });
    support::spelled!(DeriveReply, "04000000d5a55d56 ff*32", DeriveReply { key: [0xff; 32] });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(DeriveReply, "04000000d5a55d56 9b*32", handles);
}

#[test]
fn anchor_request_has_one_spelling() {
    support::spelled!(AnchorRequest, "05000000d5a55d56", AnchorRequest {});
    support::spelled!(AnchorRequest, "05000000d5a55d56", AnchorRequest {});
    support::spelled!(AnchorRequest, "05000000d5a55d56", AnchorRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(AnchorRequest, "05000000d5a55d56", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
}

impl Server for Fixture {
    fn status(&mut self, sender: Sender) -> Result<StatusReply, Error> {
        self.calls += 1;
        let request = StatusRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, StatusRequest {});
        }
        self.error.map_or(
            Ok(StatusReply {
                vault: Vault::Failed,
                has_key: true,
                open: 0xff,
                locked: 0xff,
                refused: 0xff,
                pending: true,
            }),
            Err,
        )
    }

    fn identity(&mut self, sender: Sender) -> Result<IdentityReply, Error> {
        self.calls += 1;
        let request = IdentityRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, IdentityRequest {});
        }
        self.error.map_or(Ok(IdentityReply { key: [0xff; 32] }), Err)
    }

    fn sign(
        &mut self,
        sender: Sender,
        label: Text<'_, 64>,
        message: Bytes<'_, 3072>,
    ) -> Result<SignReply, Error> {
        self.calls += 1;
        let request = SignRequest { label, message };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                SignRequest { label: support::text('x', 32), message: support::bytes(0x4b, 1536) }
            );
        }
        self.error.map_or(Ok(SignReply { signature: [0xff; 64] }), Err)
    }

    fn derive(&mut self, sender: Sender, label: Text<'_, 64>) -> Result<DeriveReply, Error> {
        self.calls += 1;
        let request = DeriveRequest { label };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, DeriveRequest { label: support::text('z', 32) });
        }
        self.error.map_or(Ok(DeriveReply { key: [0xff; 32] }), Err)
    }

    fn anchor(&mut self, sender: Sender) -> Result<(), Error> {
        self.calls += 1;
        let request = AnchorRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, AnchorRequest {});
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
        client.status(),
        Ok(StatusReply {
            vault: Vault::Failed,
            has_key: true,
            open: 0xff,
            locked: 0xff,
            refused: 0xff,
            pending: true,
        })
    );
    assert_eq!(client.identity(), Ok(IdentityReply { key: [0xff; 32] }));
    assert_eq!(
        client.sign(support::text('x', 32), support::bytes(0x4b, 1536)),
        Ok(SignReply { signature: [0xff; 64] })
    );
    assert_eq!(client.derive(support::text('z', 32)), Ok(DeriveReply { key: [0xff; 32] }));
    assert_eq!(client.anchor(), Ok(()));
    assert_eq!(server.calls, 5);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn every_error_returns_from_every_call() {
    for &error in Error::ALL {
        let fixture = Fixture { error: Some(error), ..Fixture::default() };
        let mut server = fixture;
        let mut client =
            Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
        assert_eq!(client.status().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.identity().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client.sign(support::text('x', 0), support::bytes(0x4b, 0)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.derive(support::text('z', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.anchor().map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn status_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.status().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn identity_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.identity().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn sign_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.sign(support::text('x', 0), support::bytes(0x4b, 0)).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn derive_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.derive(support::text('z', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn anchor_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.anchor().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("01000000d5a55d56", &[]),
        ("01000000d5a55d56", &[]),
        ("02000000d5a55d56", &[]),
        ("02000000d5a55d56", &[]),
        ("03000000d5a55d56 00*66", &[]),
        ("03000000d5a55d562000 78*32  00*32  4b*1536", &[]),
        ("04000000d5a55d56", &[]),
        ("04000000d5a55d56 7a*32", &[]),
        ("05000000d5a55d56", &[]),
        ("05000000d5a55d56", &[]),
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
    support::answer_storm(("01000000d5a55d56010044903101", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.status() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("02000000d5a55d56 9b*32", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.identity() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("03000000d5a55d56 93*64", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.sign(support::text('x', 0), support::bytes(0x4b, 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("04000000d5a55d56 9b*32", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.derive(support::text('z', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("05000000d5a55d56", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.anchor() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
