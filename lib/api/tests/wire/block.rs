//! Wire tests of `block`.
//!
//! Generated from `idl/block.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::block::*;
use nexus_wire::{CallError, Fault, Outcome, Sender};

#[test]
fn info_request_has_one_spelling() {
    support::spelled!(InfoRequest, "0100000072090a32", InfoRequest {});
    support::spelled!(InfoRequest, "0100000072090a32", InfoRequest {});
    support::spelled!(InfoRequest, "0100000072090a32", InfoRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(InfoRequest, "0100000072090a32", handles);
}

#[test]
fn info_reply_has_one_spelling() {
    support::spelled!(InfoReply, "0100000072090a32 00*9", InfoReply { sectors: 0x0, read_only: false });
    support::spelled!(
        InfoReply,
        "0100000072090a32904840fab16921d901",
        InfoReply { sectors: 0xd92169b1fa404890, read_only: true }
    );
    support::spelled!(
        InfoReply,
        "0100000072090a32ffffffffffffffff01",
        InfoReply { sectors: 0xffffffffffffffff, read_only: true }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(InfoReply, "0100000072090a32904840fab16921d901", handles);
    support::flawed!(
        InfoReply,
        "0100000072090a32904840fab16921d901",
        handles,
        16,
        &[2],
        "read_only is neither 0 nor 1"
    );
}

#[test]
fn share_request_has_one_spelling() {
    support::spelled!(ShareRequest, "0200000072090a3200000000", ShareRequest { bytes: 0x0 });
    support::spelled!(ShareRequest, "0200000072090a32a3016dcb", ShareRequest { bytes: 0xcb6d01a3 });
    support::spelled!(ShareRequest, "0200000072090a32ffffffff", ShareRequest { bytes: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ShareRequest, "0200000072090a32a3016dcb", handles);
}

#[test]
fn share_reply_has_one_spelling() {
    support::spelled!(
        ShareReply<FakeHandle>,
        "0200000072090a32",
        ShareReply { memory: support::handle(Kind::Vmo, 0xc00) }
    );
    support::spelled!(
        ShareReply<FakeHandle>,
        "0200000072090a32",
        ShareReply { memory: support::handle(Kind::Vmo, 0xc00) }
    );
    support::spelled!(
        ShareReply<FakeHandle>,
        "0200000072090a32",
        ShareReply { memory: support::handle(Kind::Vmo, 0xc00) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Vmo, 0xc00)];
    support::bounded!(ShareReply<FakeHandle>, "0200000072090a32", handles);
}

#[test]
fn read_request_has_one_spelling() {
    support::spelled!(
        ReadRequest,
        "0300000072090a32 00*16",
        ReadRequest { transfer: Transfer { sector: 0x0, offset: 0x0, count: 0x0 } }
    );
    support::spelled!(
        ReadRequest,
        "0300000072090a32966432905f2dfbc839d168408bb2d9c0",
        ReadRequest {
            transfer: Transfer { sector: 0xc8fb2d5f90326496, offset: 0x4068d139, count: 0xc0d9b28b },
        }
    );
    support::spelled!(
        ReadRequest,
        "0300000072090a32 ff*16",
        ReadRequest {
            transfer: Transfer { sector: 0xffffffffffffffff, offset: 0xffffffff, count: 0xffffffff },
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ReadRequest, "0300000072090a32966432905f2dfbc839d168408bb2d9c0", handles);
}

#[test]
fn write_request_has_one_spelling() {
    support::spelled!(
        WriteRequest,
        "0400000072090a32 00*16",
        WriteRequest { transfer: Transfer { sector: 0x0, offset: 0x0, count: 0x0 } }
    );
    support::spelled!(
        WriteRequest,
        "0400000072090a32966432905f2dfbc839d168408bb2d9c0",
        WriteRequest {
            transfer: Transfer { sector: 0xc8fb2d5f90326496, offset: 0x4068d139, count: 0xc0d9b28b },
        }
    );
    support::spelled!(
        WriteRequest,
        "0400000072090a32 ff*16",
        WriteRequest {
            transfer: Transfer { sector: 0xffffffffffffffff, offset: 0xffffffff, count: 0xffffffff },
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(WriteRequest, "0400000072090a32966432905f2dfbc839d168408bb2d9c0", handles);
}

#[test]
fn flush_request_has_one_spelling() {
    support::spelled!(FlushRequest, "0500000072090a32", FlushRequest {});
    support::spelled!(FlushRequest, "0500000072090a32", FlushRequest {});
    support::spelled!(FlushRequest, "0500000072090a32", FlushRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(FlushRequest, "0500000072090a32", handles);
}

#[test]
fn batch_request_has_one_spelling() {
    support::spelled!(
        BatchRequest,
        "0600000072090a3201 00*519",
        BatchRequest {
            direction: Direction::Read,
            flush: false,
            count: 0x0,
            transfers: [Transfer { sector: 0x0, offset: 0x0, count: 0x0 }; 32],
        }
    );
    support::spelled!(
        BatchRequest,
        "0600000072090a32010062b900000000e48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ac",
        BatchRequest {
            direction: Direction::Read,
            flush: false,
            count: 0xb962,
            transfers: [Transfer { sector: 0x45a70869ca0182e4, offset: 0x75032608, count: 0xac068c92 }; 32],
        }
    );
    support::spelled!(
        BatchRequest,
        "0600000072090a320201ffff00000000 ff*512",
        BatchRequest {
            direction: Direction::Write,
            flush: true,
            count: 0xffff,
            transfers: [Transfer { sector: 0xffffffffffffffff, offset: 0xffffffff, count: 0xffffffff }; 32],
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        BatchRequest,
        "0600000072090a32010062b900000000e48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ac",
        handles
    );
    support::flawed!(
        BatchRequest,
        "0600000072090a32010062b900000000e48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ac",
        handles,
        12,
        &[1],
        "padding"
    );
    support::flawed!(
        BatchRequest,
        "0600000072090a32010062b900000000e48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ac",
        handles,
        15,
        &[1],
        "padding"
    );
    support::flawed!(
        BatchRequest,
        "0600000072090a32010062b900000000e48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ac",
        handles,
        8,
        &[0],
        "direction has no value 0"
    );
    support::flawed!(
        BatchRequest,
        "0600000072090a32010062b900000000e48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ac",
        handles,
        9,
        &[2],
        "flush is neither 0 nor 1"
    );
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
    read_later: Option<Option<ReadPromise>>,
    write_later: Option<Option<WritePromise>>,
    flush_later: Option<Option<FlushPromise>>,
    batch_later: Option<Option<BatchPromise>>,
}

impl Server<FakeHandle> for Fixture {
    fn info(&mut self, sender: Sender) -> Result<InfoReply, Error> {
        self.calls += 1;
        let request = InfoRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, InfoRequest {});
        }
        self.error.map_or(Ok(InfoReply { sectors: 0xffffffffffffffff, read_only: true }), Err)
    }

    fn share(&mut self, sender: Sender, bytes: u32) -> Result<ShareReply<FakeHandle>, Error> {
        self.calls += 1;
        let request = ShareRequest { bytes };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ShareRequest { bytes: 0xcb6d01a3 });
        }
        self.error.map_or(Ok(ShareReply { memory: support::handle(Kind::Vmo, 0xc00) }), Err)
    }

    fn read(
        &mut self,
        sender: Sender,
        promise: ReadPromise,
        transfer: Transfer,
    ) -> Result<Option<()>, Error> {
        self.calls += 1;
        let request = ReadRequest { transfer };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                ReadRequest {
                    transfer: Transfer { sector: 0xc8fb2d5f90326496, offset: 0x4068d139, count: 0xc0d9b28b },
                }
            );
        }
        if let Some(kept) = &mut self.read_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(())), Err)
    }

    fn write(
        &mut self,
        sender: Sender,
        promise: WritePromise,
        transfer: Transfer,
    ) -> Result<Option<()>, Error> {
        self.calls += 1;
        let request = WriteRequest { transfer };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                WriteRequest {
                    transfer: Transfer { sector: 0xc8fb2d5f90326496, offset: 0x4068d139, count: 0xc0d9b28b },
                }
            );
        }
        if let Some(kept) = &mut self.write_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(())), Err)
    }

    fn flush(&mut self, sender: Sender, promise: FlushPromise) -> Result<Option<()>, Error> {
        self.calls += 1;
        let request = FlushRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, FlushRequest {});
        }
        if let Some(kept) = &mut self.flush_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(())), Err)
    }

    fn batch(
        &mut self,
        sender: Sender,
        promise: BatchPromise,
        direction: Direction,
        flush: bool,
        count: u16,
        transfers: [Transfer; 32],
    ) -> Result<Option<()>, Error> {
        self.calls += 1;
        let request = BatchRequest { direction, flush, count, transfers };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                BatchRequest {
                    direction: Direction::Read,
                    flush: false,
                    count: 0xb962,
                    transfers: [Transfer {
                        sector: 0x45a70869ca0182e4,
                        offset: 0x75032608,
                        count: 0xac068c92
                    }; 32],
                }
            );
        }
        if let Some(kept) = &mut self.batch_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(())), Err)
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(client.info(), Ok(InfoReply { sectors: 0xffffffffffffffff, read_only: true }));
    assert_eq!(client.share(0xcb6d01a3), Ok(ShareReply { memory: support::handle(Kind::Vmo, 0xc00) }));
    assert_eq!(
        client.read(Transfer { sector: 0xc8fb2d5f90326496, offset: 0x4068d139, count: 0xc0d9b28b }),
        Ok(())
    );
    assert_eq!(
        client.write(Transfer { sector: 0xc8fb2d5f90326496, offset: 0x4068d139, count: 0xc0d9b28b }),
        Ok(())
    );
    assert_eq!(client.flush(), Ok(()));
    assert_eq!(
        client.batch(
            Direction::Read,
            false,
            0xb962,
            [Transfer { sector: 0x45a70869ca0182e4, offset: 0x75032608, count: 0xac068c92 }; 32]
        ),
        Ok(())
    );
    assert_eq!(server.calls, 6);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn read_can_be_answered_later() {
    let asked: support::Seed = ("0300000072090a32966432905f2dfbc839d168408bb2d9c0", &[]);
    let mut server = Fixture { read_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.read_later.take().flatten().unwrap();
    support::kept(|replier| promise.keep(replier, Ok(())), ("0300000072090a32", &[]));
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn write_can_be_answered_later() {
    let asked: support::Seed = ("0400000072090a32966432905f2dfbc839d168408bb2d9c0", &[]);
    let mut server = Fixture { write_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.write_later.take().flatten().unwrap();
    support::kept(|replier| promise.keep(replier, Ok(())), ("0400000072090a32", &[]));
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn flush_can_be_answered_later() {
    let asked: support::Seed = ("0500000072090a32", &[]);
    let mut server = Fixture { flush_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.flush_later.take().flatten().unwrap();
    support::kept(|replier| promise.keep(replier, Ok(())), ("0500000072090a32", &[]));
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn batch_can_be_answered_later() {
    let asked: support::Seed = (
        "0600000072090a32010062b900000000e48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ac",
        &[],
    );
    let mut server = Fixture { batch_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.batch_later.take().flatten().unwrap();
    support::kept(|replier| promise.keep(replier, Ok(())), ("0600000072090a32", &[]));
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn every_error_returns_from_every_call() {
    for &error in Error::ALL {
        let fixture = Fixture { error: Some(error), ..Fixture::default() };
        let mut server = fixture;
        let mut client =
            Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
        assert_eq!(client.info().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.share(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client.read(Transfer { sector: 0x0, offset: 0x0, count: 0x0 }).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(
            client.write(Transfer { sector: 0x0, offset: 0x0, count: 0x0 }).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.flush().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client
                .batch(Direction::Read, false, 0x0, [Transfer { sector: 0x0, offset: 0x0, count: 0x0 }; 32])
                .map(|_| ()),
            Err(CallError::Service(error))
        );
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn info_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.info().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn share_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.share(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn read_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.read(Transfer { sector: 0x0, offset: 0x0, count: 0x0 }).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn write_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.write(Transfer { sector: 0x0, offset: 0x0, count: 0x0 }).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn flush_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.flush().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn batch_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client
            .batch(Direction::Read, false, 0x0, [Transfer { sector: 0x0, offset: 0x0, count: 0x0 }; 32])
            .map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("0100000072090a32", &[]),
        ("0100000072090a32", &[]),
        ("0200000072090a3200000000", &[]),
        ("0200000072090a32a3016dcb", &[]),
        ("0300000072090a32 00*16", &[]),
        ("0300000072090a32966432905f2dfbc839d168408bb2d9c0", &[]),
        ("0400000072090a32 00*16", &[]),
        ("0400000072090a32966432905f2dfbc839d168408bb2d9c0", &[]),
        ("0500000072090a32", &[]),
        ("0500000072090a32", &[]),
        ("0600000072090a3201 00*519", &[]),
        (
            "0600000072090a32010062b900000000e48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ace48201ca6908a74508260375928c06ac",
            &[],
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
    support::answer_storm(("0100000072090a32904840fab16921d901", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.info() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0200000072090a32", &[(Kind::Vmo, 0xc00)]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.share(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0300000072090a32", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.read(Transfer { sector: 0x0, offset: 0x0, count: 0x0 }) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0400000072090a32", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.write(Transfer { sector: 0x0, offset: 0x0, count: 0x0 }) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0500000072090a32", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.flush() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0600000072090a32", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.batch(
            Direction::Read,
            false,
            0x0,
            [Transfer { sector: 0x0, offset: 0x0, count: 0x0 }; 32],
        ) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
