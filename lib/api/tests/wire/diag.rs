//! Wire tests of `diag`.
//!
//! Generated from `idl/diag.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, Loopback};
use nexus_abi::Kind;
use nexus_api::diag::*;
use nexus_wire::{CallError, Fault, Outcome, Sender, Text};

#[test]
fn machine_request_has_one_spelling() {
    support::spelled!(MachineRequest, "010000006639cb2d", MachineRequest {});
    support::spelled!(MachineRequest, "010000006639cb2d", MachineRequest {});
    support::spelled!(MachineRequest, "010000006639cb2d", MachineRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(MachineRequest, "010000006639cb2d", handles);
}

#[test]
fn machine_reply_has_one_spelling() {
    support::spelled!(
        MachineReply,
        "010000006639cb2d 00*24",
        MachineReply { now: 0x0, hz: 0x0, damaged: 0x0 }
    );
    support::spelled!(
        MachineReply,
        "010000006639cb2d09c7844210d08d4b229a118940bc33ab654c331ac1b0977e",
        MachineReply { now: 0x4b8dd0104284c709, hz: 0xab33bc4089119a22, damaged: 0x7e97b0c11a334c65 }
    );
    support::spelled!(
        MachineReply,
        "010000006639cb2d ff*24",
        MachineReply { now: 0xffffffffffffffff, hz: 0xffffffffffffffff, damaged: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        MachineReply,
        "010000006639cb2d09c7844210d08d4b229a118940bc33ab654c331ac1b0977e",
        handles
    );
}

#[test]
fn process_request_has_one_spelling() {
    support::spelled!(ProcessRequest, "020000006639cb2d0000", ProcessRequest { index: 0x0 });
    support::spelled!(ProcessRequest, "020000006639cb2d58c0", ProcessRequest { index: 0xc058 });
    support::spelled!(ProcessRequest, "020000006639cb2dffff", ProcessRequest { index: 0xffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ProcessRequest, "020000006639cb2d58c0", handles);
}

#[test]
fn process_reply_has_one_spelling() {
    support::spelled!(
        ProcessReply<'_>,
        "020000006639cb2d 00*41",
        ProcessReply {
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
        ProcessReply<'_>,
        "020000006639cb2d45a31073934a4102379dc23ca2076dd28f4a05eaa45f1ad560b50ab50a60b50a40ab152c83d72bdc03 65*16",
        ProcessReply {
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
        ProcessReply<'_>,
        "020000006639cb2d ff*40 05 66*31",
        ProcessReply {
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
        ProcessReply<'_>,
        "020000006639cb2d45a31073934a4102379dc23ca2076dd28f4a05eaa45f1ad560b50ab50a60b50a40ab152c83d72bdc03 65*16",
        handles
    );
    support::flawed!(
        ProcessReply<'_>,
        "020000006639cb2d45a31073934a4102379dc23ca2076dd28f4a05eaa45f1ad560b50ab50a60b50a40ab152c83d72bdc03 65*16",
        handles,
        48,
        &[6],
        "state has no value 6"
    );
    support::flawed!(
        ProcessReply<'_>,
        "020000006639cb2d45a31073934a4102379dc23ca2076dd28f4a05eaa45f1ad560b50ab50a60b50a40ab152c83d72bdc03 65*16",
        handles,
        49,
        &[255],
        "name is not UTF-8"
    );
}

#[test]
fn log_request_has_one_spelling() {
    support::spelled!(LogRequest, "030000006639cb2d 00*9", LogRequest { from: 0x0, wait: false });
    support::spelled!(
        LogRequest,
        "030000006639cb2d904840fab16921d901",
        LogRequest { from: 0xd92169b1fa404890, wait: true }
    );
    support::spelled!(
        LogRequest,
        "030000006639cb2dffffffffffffffff01",
        LogRequest { from: 0xffffffffffffffff, wait: true }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(LogRequest, "030000006639cb2d904840fab16921d901", handles);
    support::flawed!(
        LogRequest,
        "030000006639cb2d904840fab16921d901",
        handles,
        16,
        &[2],
        "wait is neither 0 nor 1"
    );
}

#[test]
fn log_reply_has_one_spelling() {
    support::spelled!(
        LogReply<'_>,
        "030000006639cb2d 00*26",
        LogReply {
            sequence: 0x0,
            time: 0x0,
            service: 0x0,
            generation: 0x0,
            level: 0x0,
            purpose: 0x0,
            text: support::text('k', 0),
        }
    );
    support::spelled!(
        LogReply<'_>,
        "030000006639cb2dc02801d9b088603800c26202a241e180016586a5028c8e8c050c 73*240",
        LogReply {
            sequence: 0x386088b0d90128c0,
            time: 0x80e141a20262c200,
            service: 0xa5866501,
            generation: 0x8c8e8c02,
            level: 0x5,
            purpose: 0xc,
            text: support::text('s', 240),
        }
    );
    support::spelled!(
        LogReply<'_>,
        "030000006639cb2d ff*26  6b*480",
        LogReply {
            sequence: 0xffffffffffffffff,
            time: 0xffffffffffffffff,
            service: 0xffffffff,
            generation: 0xffffffff,
            level: 0xff,
            purpose: 0xff,
            text: support::text('k', 480),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        LogReply<'_>,
        "030000006639cb2dc02801d9b088603800c26202a241e180016586a5028c8e8c050c 73*240",
        handles
    );
    support::flawed!(
        LogReply<'_>,
        "030000006639cb2dc02801d9b088603800c26202a241e180016586a5028c8e8c050c 73*240",
        handles,
        34,
        &[255],
        "text is not UTF-8"
    );
}

#[test]
fn kill_request_has_one_spelling() {
    support::spelled!(KillRequest<'_>, "040000006639cb2d", KillRequest { name: support::text('q', 0) });
    support::spelled!(
        KillRequest<'_>,
        "040000006639cb2d 71*16",
        KillRequest { name: support::text('q', 16) }
    );
    support::spelled!(
        KillRequest<'_>,
        "040000006639cb2d 71*31",
        KillRequest { name: support::text('q', 31) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(KillRequest<'_>, "040000006639cb2d 71*16", handles);
    support::flawed!(KillRequest<'_>, "040000006639cb2d 71*16", handles, 8, &[255], "name is not UTF-8");
}

#[test]
fn network_request_has_one_spelling() {
    support::spelled!(NetworkRequest, "050000006639cb2d", NetworkRequest {});
    support::spelled!(NetworkRequest, "050000006639cb2d", NetworkRequest {});
    support::spelled!(NetworkRequest, "050000006639cb2d", NetworkRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(NetworkRequest, "050000006639cb2d", handles);
}

#[test]
fn network_reply_has_one_spelling() {
    support::spelled!(
        NetworkReply,
        "050000006639cb2d 00*28",
        NetworkReply {
            configured: false,
            prefix: 0x0,
            address: [0x0; 4],
            router: [0x0; 4],
            dropped: 0x0,
            sockets: 0x0,
        }
    );
    support::spelled!(
        NetworkReply,
        "050000006639cb2d012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090",
        NetworkReply {
            configured: true,
            prefix: 0x2f,
            address: [0x61, 0xc8, 0x9b, 0x4b],
            router: [0xc0, 0xd0, 0x41, 0xc5],
            dropped: 0xa53c17af46de760d,
            sockets: 0x90c0f121,
        }
    );
    support::spelled!(
        NetworkReply,
        "050000006639cb2d01 ff*9 000000000000 ff*12",
        NetworkReply {
            configured: true,
            prefix: 0xff,
            address: [0xff; 4],
            router: [0xff; 4],
            dropped: 0xffffffffffffffff,
            sockets: 0xffffffff,
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        NetworkReply,
        "050000006639cb2d012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090",
        handles
    );
    support::flawed!(
        NetworkReply,
        "050000006639cb2d012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090",
        handles,
        18,
        &[1],
        "padding"
    );
    support::flawed!(
        NetworkReply,
        "050000006639cb2d012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090",
        handles,
        23,
        &[1],
        "padding"
    );
    support::flawed!(
        NetworkReply,
        "050000006639cb2d012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090",
        handles,
        8,
        &[2],
        "configured is neither 0 nor 1"
    );
}

#[test]
fn holdings_request_has_one_spelling() {
    support::spelled!(
        HoldingsRequest,
        "060000006639cb2d0000000000000000",
        HoldingsRequest { index: 0x0, from: 0x0 }
    );
    support::spelled!(
        HoldingsRequest,
        "060000006639cb2d44220000904840fa",
        HoldingsRequest { index: 0x2244, from: 0xfa404890 }
    );
    support::spelled!(
        HoldingsRequest,
        "060000006639cb2dffff0000ffffffff",
        HoldingsRequest { index: 0xffff, from: 0xffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(HoldingsRequest, "060000006639cb2d44220000904840fa", handles);
    support::flawed!(HoldingsRequest, "060000006639cb2d44220000904840fa", handles, 10, &[1], "padding");
    support::flawed!(HoldingsRequest, "060000006639cb2d44220000904840fa", handles, 11, &[1], "padding");
}

#[test]
fn holdings_reply_has_one_spelling() {
    support::spelled!(
        HoldingsReply,
        "060000006639cb2d 00*184",
        HoldingsReply {
            next: 0x0,
            count: 0x0,
            holdings: [Holding { object: 0x0, rights: 0x0, kind: 0x0, end: 0x0 }; 11],
        }
    );
    support::spelled!(
        HoldingsReply,
        "060000006639cb2d119a16934350453ac6d8ba9c7e6042240c22d6891825310c649cbbd7f30f2c48c9407eb595912e4364c69a3cde7f21c3d90ca6d9d319e7335068bcd7ef072038a2d180b648a5994e43a5c65cbe1f81e2a75a0d2a90d5a1eb44586cdcf3071c308bb2d9c01c6945daa3c4e5c61e40618277a9db0d4f935fa740506070fc0f203084a3c2e1104d31a683644526c7e0c1a247f9aa5c0f53206744505c68741c2c388da4bbd224515eb2e48425c666c7a243184a7bacd214e62a",
        HoldingsReply {
            next: 0x93169a11,
            count: 0x3a455043,
            holdings: [
                Holding { object: 0x2442607e9cbad8c6, rights: 0x89d6220c, kind: 0x2518, end: 0xc31 },
                Holding { object: 0x482c0ff3d7bb9c64, rights: 0xb57e40c9, kind: 0x9195, end: 0x432e },
                Holding { object: 0xc3217fde3c9ac664, rights: 0xd9a60cd9, kind: 0x19d3, end: 0x33e7 },
                Holding { object: 0x382007efd7bc6850, rights: 0xb680d1a2, kind: 0xa548, end: 0x4e99 },
                Holding { object: 0xe2811fbe5cc6a543, rights: 0x2a0d5aa7, kind: 0xd590, end: 0xeba1 },
                Holding { object: 0x301c07f3dc6c5844, rights: 0xc0d9b28b, kind: 0x691c, end: 0xda45 },
                Holding { object: 0x8261401ec6e5c4a3, rights: 0xddba977, kind: 0x934f, end: 0xa75f },
                Holding { object: 0x30200ffc70605040, rights: 0xe1c2a384, kind: 0x4d10, end: 0xa631 },
                Holding { object: 0xa2c1e0c726456483, rights: 0x5caaf947, kind: 0x530f, end: 0x6720 },
                Holding { object: 0x382c1c74685c5044, rights: 0xd2bba48d, kind: 0x5124, end: 0xb25e },
                Holding { object: 0x43a2c766c62584e4, rights: 0xac7b4a18, kind: 0x14d2, end: 0x2ae6 }
            ],
        }
    );
    support::spelled!(
        HoldingsReply,
        "060000006639cb2d ff*184",
        HoldingsReply {
            next: 0xffffffff,
            count: 0xffffffff,
            holdings: [Holding { object: 0xffffffffffffffff, rights: 0xffffffff, kind: 0xffff, end: 0xffff };
                11],
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        HoldingsReply,
        "060000006639cb2d119a16934350453ac6d8ba9c7e6042240c22d6891825310c649cbbd7f30f2c48c9407eb595912e4364c69a3cde7f21c3d90ca6d9d319e7335068bcd7ef072038a2d180b648a5994e43a5c65cbe1f81e2a75a0d2a90d5a1eb44586cdcf3071c308bb2d9c01c6945daa3c4e5c61e40618277a9db0d4f935fa740506070fc0f203084a3c2e1104d31a683644526c7e0c1a247f9aa5c0f53206744505c68741c2c388da4bbd224515eb2e48425c666c7a243184a7bacd214e62a",
        handles
    );
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
    log_later: Option<Option<LogPromise>>,
}

impl Server for Fixture {
    fn machine(&mut self, sender: Sender) -> Result<MachineReply, Error> {
        self.calls += 1;
        let request = MachineRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, MachineRequest {});
        }
        self.error.map_or(
            Ok(MachineReply { now: 0xffffffffffffffff, hz: 0xffffffffffffffff, damaged: 0xffffffffffffffff }),
            Err,
        )
    }

    fn process(&mut self, sender: Sender, index: u16) -> Result<ProcessReply<'_>, Error> {
        self.calls += 1;
        let request = ProcessRequest { index };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ProcessRequest { index: 0xc058 });
        }
        self.error.map_or(
            Ok(ProcessReply {
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

    fn log(
        &mut self,
        sender: Sender,
        promise: LogPromise,
        from: u64,
        wait: bool,
    ) -> Result<Option<LogReply<'_>>, Error> {
        self.calls += 1;
        let request = LogRequest { from, wait };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, LogRequest { from: 0xd92169b1fa404890, wait: true });
        }
        if let Some(kept) = &mut self.log_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(
            Ok(Some(LogReply {
                sequence: 0xffffffffffffffff,
                time: 0xffffffffffffffff,
                service: 0xffffffff,
                generation: 0xffffffff,
                level: 0xff,
                purpose: 0xff,
                text: support::text('k', 480),
            })),
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

    fn network(&mut self, sender: Sender) -> Result<NetworkReply, Error> {
        self.calls += 1;
        let request = NetworkRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, NetworkRequest {});
        }
        self.error.map_or(
            Ok(NetworkReply {
                configured: true,
                prefix: 0xff,
                address: [0xff; 4],
                router: [0xff; 4],
                dropped: 0xffffffffffffffff,
                sockets: 0xffffffff,
            }),
            Err,
        )
    }

    fn holdings(&mut self, sender: Sender, index: u16, from: u32) -> Result<HoldingsReply, Error> {
        self.calls += 1;
        let request = HoldingsRequest { index, from };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, HoldingsRequest { index: 0x2244, from: 0xfa404890 });
        }
        self.error.map_or(
            Ok(HoldingsReply {
                next: 0xffffffff,
                count: 0xffffffff,
                holdings: [Holding {
                    object: 0xffffffffffffffff,
                    rights: 0xffffffff,
                    kind: 0xffff,
                    end: 0xffff,
                }; 11],
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
        client.machine(),
        Ok(MachineReply { now: 0xffffffffffffffff, hz: 0xffffffffffffffff, damaged: 0xffffffffffffffff })
    );
    assert_eq!(
        client.process(0xc058),
        Ok(ProcessReply {
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
    assert_eq!(
        client.log(0xd92169b1fa404890, true),
        Ok(LogReply {
            sequence: 0xffffffffffffffff,
            time: 0xffffffffffffffff,
            service: 0xffffffff,
            generation: 0xffffffff,
            level: 0xff,
            purpose: 0xff,
            text: support::text('k', 480),
        })
    );
    assert_eq!(client.kill(support::text('q', 16)), Ok(()));
    assert_eq!(
        client.network(),
        Ok(NetworkReply {
            configured: true,
            prefix: 0xff,
            address: [0xff; 4],
            router: [0xff; 4],
            dropped: 0xffffffffffffffff,
            sockets: 0xffffffff,
        })
    );
    assert_eq!(
        client.holdings(0x2244, 0xfa404890),
        Ok(HoldingsReply {
            next: 0xffffffff,
            count: 0xffffffff,
            holdings: [Holding { object: 0xffffffffffffffff, rights: 0xffffffff, kind: 0xffff, end: 0xffff };
                11],
        })
    );
    assert_eq!(server.calls, 6);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn log_can_be_answered_later() {
    let asked: support::Seed = ("030000006639cb2d904840fab16921d901", &[]);
    let mut server = Fixture { log_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.log_later.take().flatten().unwrap();
    support::kept(
        |replier| {
            promise.keep(
                replier,
                Ok(LogReply {
                    sequence: 0xffffffffffffffff,
                    time: 0xffffffffffffffff,
                    service: 0xffffffff,
                    generation: 0xffffffff,
                    level: 0xff,
                    purpose: 0xff,
                    text: support::text('k', 480),
                }),
            )
        },
        ("030000006639cb2d ff*26  6b*480", &[]),
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
        assert_eq!(client.machine().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.process(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.log(0x0, false).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.kill(support::text('q', 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.network().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.holdings(0x0, 0x0).map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn machine_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.machine().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn process_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.process(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn log_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.log(0x0, false).map(|_| ()), Err(CallError::ServerDied));
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
fn network_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.network().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn holdings_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.holdings(0x0, 0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("010000006639cb2d", &[]),
        ("010000006639cb2d", &[]),
        ("020000006639cb2d0000", &[]),
        ("020000006639cb2d58c0", &[]),
        ("030000006639cb2d 00*9", &[]),
        ("030000006639cb2d904840fab16921d901", &[]),
        ("040000006639cb2d", &[]),
        ("040000006639cb2d 71*16", &[]),
        ("050000006639cb2d", &[]),
        ("050000006639cb2d", &[]),
        ("060000006639cb2d0000000000000000", &[]),
        ("060000006639cb2d44220000904840fa", &[]),
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
        ("010000006639cb2d09c7844210d08d4b229a118940bc33ab654c331ac1b0977e", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.machine() {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(
        (
            "020000006639cb2d45a31073934a4102379dc23ca2076dd28f4a05eaa45f1ad560b50ab50a60b50a40ab152c83d72bdc03 65*16",
            &[],
        ),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.process(0x0) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(
        ("030000006639cb2dc02801d9b088603800c26202a241e180016586a5028c8e8c050c 73*240", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.log(0x0, false) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("040000006639cb2d", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.kill(support::text('q', 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(
        ("050000006639cb2d012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.network() {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(
        (
            "060000006639cb2d119a16934350453ac6d8ba9c7e6042240c22d6891825310c649cbbd7f30f2c48c9407eb595912e4364c69a3cde7f21c3d90ca6d9d319e7335068bcd7ef072038a2d180b648a5994e43a5c65cbe1f81e2a75a0d2a90d5a1eb44586cdcf3071c308bb2d9c01c6945daa3c4e5c61e40618277a9db0d4f935fa740506070fc0f203084a3c2e1104d31a683644526c7e0c1a247f9aa5c0f53206744505c68741c2c388da4bbd224515eb2e48425c666c7a243184a7bacd214e62a",
            &[],
        ),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.holdings(0x0, 0x0) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
}
