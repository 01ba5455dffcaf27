//! Wire tests of `supervise`.
//!
//! Generated from `idl/supervise.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::supervise::*;
use nexus_wire::{CallError, Fault, Outcome, Sender, Text};

#[test]
fn stat_request_has_one_spelling() {
    support::spelled!(StatRequest, "01000000e525baa90000", StatRequest { index: 0x0 });
    support::spelled!(StatRequest, "01000000e525baa958c0", StatRequest { index: 0xc058 });
    support::spelled!(StatRequest, "01000000e525baa9ffff", StatRequest { index: 0xffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(StatRequest, "01000000e525baa958c0", handles);
}

#[test]
fn stat_reply_has_one_spelling() {
    support::spelled!(
        StatReply<'_>,
        "01000000e525baa9 00*41",
        StatReply {
            service: 0x0,
            generation: 0x0,
            pages: 0x0,
            pages_most: 0x0,
            cpu_ticks: 0x0,
            handles: 0x0,
            starts: 0x0,
            state: State::Idle,
            name: support::text('f', 0),
        }
    );
    support::spelled!(
        StatReply<'_>,
        "01000000e525baa945a31073934a4102379dc23ca2076dd28f4a05eaa45f1ad560b50ab50a60b50a40ab152c83d72bdc03 65*16",
        StatReply {
            service: 0x7310a345,
            generation: 0x2414a93,
            pages: 0xd26d07a23cc29d37,
            pages_most: 0xd51a5fa4ea054a8f,
            cpu_ticks: 0xab5600ab50ab560,
            handles: 0x2c15ab40,
            starts: 0xdc2bd783,
            state: State::Pausing,
            name: support::text('e', 16),
        }
    );
    support::spelled!(
        StatReply<'_>,
        "01000000e525baa9 ff*40 05 66*31",
        StatReply {
            service: 0xffffffff,
            generation: 0xffffffff,
            pages: 0xffffffffffffffff,
            pages_most: 0xffffffffffffffff,
            cpu_ticks: 0xffffffffffffffff,
            handles: 0xffffffff,
            starts: 0xffffffff,
            state: State::Absent,
            name: support::text('f', 31),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        StatReply<'_>,
        "01000000e525baa945a31073934a4102379dc23ca2076dd28f4a05eaa45f1ad560b50ab50a60b50a40ab152c83d72bdc03 65*16",
        handles
    );
    support::flawed!(
        StatReply<'_>,
        "01000000e525baa945a31073934a4102379dc23ca2076dd28f4a05eaa45f1ad560b50ab50a60b50a40ab152c83d72bdc03 65*16",
        handles,
        48,
        &[6],
        "state has no value 6"
    );
    support::flawed!(
        StatReply<'_>,
        "01000000e525baa945a31073934a4102379dc23ca2076dd28f4a05eaa45f1ad560b50ab50a60b50a40ab152c83d72bdc03 65*16",
        handles,
        49,
        &[255],
        "name is not UTF-8"
    );
}

#[test]
fn kill_request_has_one_spelling() {
    support::spelled!(KillRequest<'_>, "02000000e525baa9", KillRequest { name: support::text('q', 0) });
    support::spelled!(
        KillRequest<'_>,
        "02000000e525baa9 71*16",
        KillRequest { name: support::text('q', 16) }
    );
    support::spelled!(
        KillRequest<'_>,
        "02000000e525baa9 71*31",
        KillRequest { name: support::text('q', 31) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(KillRequest<'_>, "02000000e525baa9 71*16", handles);
    support::flawed!(KillRequest<'_>, "02000000e525baa9 71*16", handles, 8, &[255], "name is not UTF-8");
}

#[test]
fn look_request_has_one_spelling() {
    support::spelled!(LookRequest, "03000000e525baa90000", LookRequest { index: 0x0 });
    support::spelled!(LookRequest, "03000000e525baa958c0", LookRequest { index: 0xc058 });
    support::spelled!(LookRequest, "03000000e525baa9ffff", LookRequest { index: 0xffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(LookRequest, "03000000e525baa958c0", handles);
}

#[test]
fn look_reply_has_one_spelling() {
    support::spelled!(
        LookReply<FakeHandle>,
        "03000000e525baa9",
        LookReply { process: support::handle(Kind::Process, 0x200000) }
    );
    support::spelled!(
        LookReply<FakeHandle>,
        "03000000e525baa9",
        LookReply { process: support::handle(Kind::Process, 0x200000) }
    );
    support::spelled!(
        LookReply<FakeHandle>,
        "03000000e525baa9",
        LookReply { process: support::handle(Kind::Process, 0x200000) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Process, 0x200000)];
    support::bounded!(LookReply<FakeHandle>, "03000000e525baa9", handles);
}

#[test]
fn fault_request_has_one_spelling() {
    support::spelled!(FaultRequest, "04000000e525baa900000000", FaultRequest { from: 0x0 });
    support::spelled!(FaultRequest, "04000000e525baa9a3016dcb", FaultRequest { from: 0xcb6d01a3 });
    support::spelled!(FaultRequest, "04000000e525baa9ffffffff", FaultRequest { from: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(FaultRequest, "04000000e525baa9a3016dcb", handles);
}

#[test]
fn fault_reply_has_one_spelling() {
    support::spelled!(
        FaultReply<'_>,
        "04000000e525baa9 00*346",
        FaultReply {
            number: 0x0,
            service: 0x0,
            generation: 0x0,
            time: 0x0,
            code: 0x0,
            pc: 0x0,
            address: 0x0,
            registers: [0x0; 31],
            image: [0x0; 16],
            name: support::text('c', 0),
            program: support::text('i', 0),
        }
    );
    support::spelled!(
        FaultReply<'_>,
        "04000000e525baa942685a4cc408e5c008822ad20000000011e5154574a3d201228cadcbe9072644459c5e1ad6914d098b40c43ab1279e14189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d3470f1034811244da255ccd83265cea21000 68*16  00*16  6a*16",
        FaultReply {
            number: 0x4c5a6842,
            service: 0xc0e508c4,
            generation: 0xd22a8208,
            time: 0x1d2a3744515e511,
            code: 0x442607e9cbad8c22,
            pc: 0x94d91d61a5e9c45,
            address: 0x149e27b13ac4408b,
            registers: [0x2d42576c81969118; 31],
            image: [
                0x34, 0x70, 0xf1, 0x3, 0x48, 0x11, 0x24, 0x4d, 0xa2, 0x55, 0xcc, 0xd8, 0x32, 0x65, 0xce, 0xa2
            ],
            name: support::text('h', 16),
            program: support::text('j', 16),
        }
    );
    support::spelled!(
        FaultReply<'_>,
        "04000000e525baa9 ff*12 00000000 ff*296 1f00 63*31 00 69*31",
        FaultReply {
            number: 0xffffffff,
            service: 0xffffffff,
            generation: 0xffffffff,
            time: 0xffffffffffffffff,
            code: 0xffffffffffffffff,
            pc: 0xffffffffffffffff,
            address: 0xffffffffffffffff,
            registers: [0xffffffffffffffff; 31],
            image: [0xff; 16],
            name: support::text('c', 31),
            program: support::text('i', 31),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        FaultReply<'_>,
        "04000000e525baa942685a4cc408e5c008822ad20000000011e5154574a3d201228cadcbe9072644459c5e1ad6914d098b40c43ab1279e14189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d3470f1034811244da255ccd83265cea21000 68*16  00*16  6a*16",
        handles
    );
    support::flawed!(
        FaultReply<'_>,
        "04000000e525baa942685a4cc408e5c008822ad20000000011e5154574a3d201228cadcbe9072644459c5e1ad6914d098b40c43ab1279e14189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d3470f1034811244da255ccd83265cea21000 68*16  00*16  6a*16",
        handles,
        20,
        &[1],
        "padding"
    );
    support::flawed!(
        FaultReply<'_>,
        "04000000e525baa942685a4cc408e5c008822ad20000000011e5154574a3d201228cadcbe9072644459c5e1ad6914d098b40c43ab1279e14189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d3470f1034811244da255ccd83265cea21000 68*16  00*16  6a*16",
        handles,
        23,
        &[1],
        "padding"
    );
    support::flawed!(
        FaultReply<'_>,
        "04000000e525baa942685a4cc408e5c008822ad20000000011e5154574a3d201228cadcbe9072644459c5e1ad6914d098b40c43ab1279e14189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d3470f1034811244da255ccd83265cea21000 68*16  00*16  6a*16",
        handles,
        320,
        &[32, 0],
        "name is one past its bound"
    );
    support::flawed!(
        FaultReply<'_>,
        "04000000e525baa942685a4cc408e5c008822ad20000000011e5154574a3d201228cadcbe9072644459c5e1ad6914d098b40c43ab1279e14189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d3470f1034811244da255ccd83265cea21000 68*16  00*16  6a*16",
        handles,
        352,
        &[1],
        "name has bytes past its length"
    );
    support::flawed!(
        FaultReply<'_>,
        "04000000e525baa942685a4cc408e5c008822ad20000000011e5154574a3d201228cadcbe9072644459c5e1ad6914d098b40c43ab1279e14189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d3470f1034811244da255ccd83265cea21000 68*16  00*16  6a*16",
        handles,
        322,
        &[255],
        "name is not UTF-8"
    );
    support::flawed!(
        FaultReply<'_>,
        "04000000e525baa942685a4cc408e5c008822ad20000000011e5154574a3d201228cadcbe9072644459c5e1ad6914d098b40c43ab1279e14189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d3470f1034811244da255ccd83265cea21000 68*16  00*16  6a*16",
        handles,
        354,
        &[255],
        "program is not UTF-8"
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
    fn stat(&mut self, sender: Sender, index: u16) -> Result<StatReply<'_>, Error> {
        self.calls += 1;
        let request = StatRequest { index };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, StatRequest { index: 0xc058 });
        }
        self.error.map_or(
            Ok(StatReply {
                service: 0xffffffff,
                generation: 0xffffffff,
                pages: 0xffffffffffffffff,
                pages_most: 0xffffffffffffffff,
                cpu_ticks: 0xffffffffffffffff,
                handles: 0xffffffff,
                starts: 0xffffffff,
                state: State::Absent,
                name: support::text('f', 31),
            }),
            Err,
        )
    }

    fn kill(&mut self, sender: Sender, name: Text<'_, 31>) -> Result<(), Error> {
        self.calls += 1;
        let request = KillRequest { name };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, KillRequest { name: support::text('q', 16) });
        }
        self.error.map_or(Ok(()), Err)
    }

    fn look(&mut self, sender: Sender, index: u16) -> Result<LookReply<FakeHandle>, Error> {
        self.calls += 1;
        let request = LookRequest { index };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, LookRequest { index: 0xc058 });
        }
        self.error.map_or(Ok(LookReply { process: support::handle(Kind::Process, 0x200000) }), Err)
    }

    fn fault(&mut self, sender: Sender, from: u32) -> Result<FaultReply<'_>, Error> {
        self.calls += 1;
        let request = FaultRequest { from };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, FaultRequest { from: 0xcb6d01a3 });
        }
        self.error.map_or(
            Ok(FaultReply {
                number: 0xffffffff,
                service: 0xffffffff,
                generation: 0xffffffff,
                time: 0xffffffffffffffff,
                code: 0xffffffffffffffff,
                pc: 0xffffffffffffffff,
                address: 0xffffffffffffffff,
                registers: [0xffffffffffffffff; 31],
                image: [0xff; 16],
                name: support::text('c', 31),
                program: support::text('i', 31),
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
        client.stat(0xc058),
        Ok(StatReply {
            service: 0xffffffff,
            generation: 0xffffffff,
            pages: 0xffffffffffffffff,
            pages_most: 0xffffffffffffffff,
            cpu_ticks: 0xffffffffffffffff,
            handles: 0xffffffff,
            starts: 0xffffffff,
            state: State::Absent,
            name: support::text('f', 31),
        })
    );
    assert_eq!(client.kill(support::text('q', 16)), Ok(()));
    assert_eq!(client.look(0xc058), Ok(LookReply { process: support::handle(Kind::Process, 0x200000) }));
    assert_eq!(
        client.fault(0xcb6d01a3),
        Ok(FaultReply {
            number: 0xffffffff,
            service: 0xffffffff,
            generation: 0xffffffff,
            time: 0xffffffffffffffff,
            code: 0xffffffffffffffff,
            pc: 0xffffffffffffffff,
            address: 0xffffffffffffffff,
            registers: [0xffffffffffffffff; 31],
            image: [0xff; 16],
            name: support::text('c', 31),
            program: support::text('i', 31),
        })
    );
    assert_eq!(server.calls, 4);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn every_error_returns_from_every_call() {
    for &error in Error::ALL {
        let fixture = Fixture { error: Some(error), ..Fixture::default() };
        let mut server = fixture;
        let mut client =
            Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
        assert_eq!(client.stat(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.kill(support::text('q', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.look(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.fault(0x0).map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn stat_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.stat(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn kill_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.kill(support::text('q', 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn look_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.look(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn fault_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.fault(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("01000000e525baa90000", &[]),
        ("01000000e525baa958c0", &[]),
        ("02000000e525baa9", &[]),
        ("02000000e525baa9 71*16", &[]),
        ("03000000e525baa90000", &[]),
        ("03000000e525baa958c0", &[]),
        ("04000000e525baa900000000", &[]),
        ("04000000e525baa9a3016dcb", &[]),
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
        (
            "01000000e525baa945a31073934a4102379dc23ca2076dd28f4a05eaa45f1ad560b50ab50a60b50a40ab152c83d72bdc03 65*16",
            &[],
        ),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.stat(0x0) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("02000000e525baa9", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.kill(support::text('q', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("03000000e525baa9", &[(Kind::Process, 0x200000)]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.look(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(
        (
            "04000000e525baa942685a4cc408e5c008822ad20000000011e5154574a3d201228cadcbe9072644459c5e1ad6914d098b40c43ab1279e14189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d189196816c57422d3470f1034811244da255ccd83265cea21000 68*16  00*16  6a*16",
            &[],
        ),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.fault(0x0) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
}
