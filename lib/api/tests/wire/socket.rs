//! Wire tests of `socket`.
//!
//! Generated from `idl/socket.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, Loopback};
use nexus_abi::Kind;
use nexus_api::socket::*;
use nexus_wire::{Bytes, CallError, Fault, Outcome, Sender};

#[test]
fn status_request_has_one_spelling() {
    support::spelled!(StatusRequest, "0100000058227491", StatusRequest {});
    support::spelled!(StatusRequest, "0100000058227491", StatusRequest {});
    support::spelled!(StatusRequest, "0100000058227491", StatusRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(StatusRequest, "0100000058227491", handles);
}

#[test]
fn status_reply_has_one_spelling() {
    support::spelled!(
        StatusReply,
        "0100000058227491 00*28",
        StatusReply {
            configured: false,
            prefix: 0x0,
            address: [0x0; 4],
            router: [0x0; 4],
            dropped: 0x0,
            sockets: 0x0,
        }
    );
    support::spelled!(
        StatusReply,
        "0100000058227491012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090",
        StatusReply {
            configured: true,
            prefix: 0x2f,
            address: [0x61, 0xc8, 0x9b, 0x4b],
            router: [0xc0, 0xd0, 0x41, 0xc5],
            dropped: 0xa53c17af46de760d,
            sockets: 0x90c0f121,
        }
    );
    support::spelled!(
        StatusReply,
        "010000005822749101 ff*9 000000000000 ff*12",
        StatusReply {
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
        StatusReply,
        "0100000058227491012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090",
        handles
    );
    support::flawed!(
        StatusReply,
        "0100000058227491012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090",
        handles,
        18,
        &[1],
        "padding"
    );
    support::flawed!(
        StatusReply,
        "0100000058227491012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090",
        handles,
        23,
        &[1],
        "padding"
    );
    support::flawed!(
        StatusReply,
        "0100000058227491012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090",
        handles,
        8,
        &[2],
        "configured is neither 0 nor 1"
    );
}

#[test]
fn ping_request_has_one_spelling() {
    support::spelled!(PingRequest, "020000005822749100000000", PingRequest { address: [0x0; 4] });
    support::spelled!(
        PingRequest,
        "0200000058227491a3878f20",
        PingRequest { address: [0xa3, 0x87, 0x8f, 0x20] }
    );
    support::spelled!(PingRequest, "0200000058227491ffffffff", PingRequest { address: [0xff; 4] });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(PingRequest, "0200000058227491a3878f20", handles);
}

#[test]
fn ping_reply_has_one_spelling() {
    support::spelled!(PingReply, "02000000582274910000000000000000", PingReply { micros: 0x0 });
    support::spelled!(
        PingReply,
        "0200000058227491442210efccaa8866",
        PingReply { micros: 0x6688aaccef102244 }
    );
    support::spelled!(
        PingReply,
        "0200000058227491ffffffffffffffff",
        PingReply { micros: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(PingReply, "0200000058227491442210efccaa8866", handles);
}

#[test]
fn udp_open_request_has_one_spelling() {
    support::spelled!(UdpOpenRequest, "03000000582274910000", UdpOpenRequest { port: 0x0 });
    support::spelled!(UdpOpenRequest, "030000005822749158c0", UdpOpenRequest { port: 0xc058 });
    support::spelled!(UdpOpenRequest, "0300000058227491ffff", UdpOpenRequest { port: 0xffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(UdpOpenRequest, "030000005822749158c0", handles);
}

#[test]
fn udp_open_reply_has_one_spelling() {
    support::spelled!(UdpOpenReply, "0300000058227491000000000000", UdpOpenReply { socket: 0x0, port: 0x0 });
    support::spelled!(
        UdpOpenReply,
        "03000000582274918f07bc342010",
        UdpOpenReply { socket: 0x34bc078f, port: 0x1020 }
    );
    support::spelled!(
        UdpOpenReply,
        "0300000058227491ffffffffffff",
        UdpOpenReply { socket: 0xffffffff, port: 0xffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(UdpOpenReply, "03000000582274918f07bc342010", handles);
}

#[test]
fn udp_send_request_has_one_spelling() {
    support::spelled!(
        UdpSendRequest<'_>,
        "0400000058227491 00*10",
        UdpSendRequest { socket: 0x0, address: [0x0; 4], port: 0x0, data: support::bytes(0xbd, 0) }
    );
    support::spelled!(
        UdpSendRequest<'_>,
        "0400000058227491bcf5c69c997266ce9fc1 45*736",
        UdpSendRequest {
            socket: 0x9cc6f5bc,
            address: [0x99, 0x72, 0x66, 0xce],
            port: 0xc19f,
            data: support::bytes(0x45, 736),
        }
    );
    support::spelled!(
        UdpSendRequest<'_>,
        "0400000058227491 ff*10  bd*1472",
        UdpSendRequest {
            socket: 0xffffffff,
            address: [0xff; 4],
            port: 0xffff,
            data: support::bytes(0xbd, 1472),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(UdpSendRequest<'_>, "0400000058227491bcf5c69c997266ce9fc1 45*736", handles);
}

#[test]
fn udp_receive_request_has_one_spelling() {
    support::spelled!(UdpReceiveRequest, "050000005822749100000000", UdpReceiveRequest { socket: 0x0 });
    support::spelled!(
        UdpReceiveRequest,
        "0500000058227491a3016dcb",
        UdpReceiveRequest { socket: 0xcb6d01a3 }
    );
    support::spelled!(
        UdpReceiveRequest,
        "0500000058227491ffffffff",
        UdpReceiveRequest { socket: 0xffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(UdpReceiveRequest, "0500000058227491a3016dcb", handles);
}

#[test]
fn udp_receive_reply_has_one_spelling() {
    support::spelled!(
        UdpReceiveReply<'_>,
        "0500000058227491000000000000",
        UdpReceiveReply { address: [0x0; 4], port: 0x0, data: support::bytes(0x57, 0) }
    );
    support::spelled!(
        UdpReceiveReply<'_>,
        "050000005822749157b167d6bcf5 99*736",
        UdpReceiveReply { address: [0x57, 0xb1, 0x67, 0xd6], port: 0xf5bc, data: support::bytes(0x99, 736) }
    );
    support::spelled!(
        UdpReceiveReply<'_>,
        "0500000058227491ffffffffffff 57*1472",
        UdpReceiveReply { address: [0xff; 4], port: 0xffff, data: support::bytes(0x57, 1472) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(UdpReceiveReply<'_>, "050000005822749157b167d6bcf5 99*736", handles);
}

#[test]
fn tcp_connect_request_has_one_spelling() {
    support::spelled!(
        TcpConnectRequest,
        "0600000058227491000000000000",
        TcpConnectRequest { address: [0x0; 4], port: 0x0 }
    );
    support::spelled!(
        TcpConnectRequest,
        "06000000582274918f2044903199",
        TcpConnectRequest { address: [0x8f, 0x20, 0x44, 0x90], port: 0x9931 }
    );
    support::spelled!(
        TcpConnectRequest,
        "0600000058227491ffffffffffff",
        TcpConnectRequest { address: [0xff; 4], port: 0xffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TcpConnectRequest, "06000000582274918f2044903199", handles);
}

#[test]
fn tcp_connect_reply_has_one_spelling() {
    support::spelled!(TcpConnectReply, "060000005822749100000000", TcpConnectReply { socket: 0x0 });
    support::spelled!(TcpConnectReply, "0600000058227491a3016dcb", TcpConnectReply { socket: 0xcb6d01a3 });
    support::spelled!(TcpConnectReply, "0600000058227491ffffffff", TcpConnectReply { socket: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TcpConnectReply, "0600000058227491a3016dcb", handles);
}

#[test]
fn tcp_listen_request_has_one_spelling() {
    support::spelled!(TcpListenRequest, "07000000582274910000", TcpListenRequest { port: 0x0 });
    support::spelled!(TcpListenRequest, "070000005822749158c0", TcpListenRequest { port: 0xc058 });
    support::spelled!(TcpListenRequest, "0700000058227491ffff", TcpListenRequest { port: 0xffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TcpListenRequest, "070000005822749158c0", handles);
}

#[test]
fn tcp_listen_reply_has_one_spelling() {
    support::spelled!(TcpListenReply, "070000005822749100000000", TcpListenReply { socket: 0x0 });
    support::spelled!(TcpListenReply, "0700000058227491a3016dcb", TcpListenReply { socket: 0xcb6d01a3 });
    support::spelled!(TcpListenReply, "0700000058227491ffffffff", TcpListenReply { socket: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TcpListenReply, "0700000058227491a3016dcb", handles);
}

#[test]
fn tcp_accept_request_has_one_spelling() {
    support::spelled!(TcpAcceptRequest, "080000005822749100000000", TcpAcceptRequest { socket: 0x0 });
    support::spelled!(TcpAcceptRequest, "0800000058227491a3016dcb", TcpAcceptRequest { socket: 0xcb6d01a3 });
    support::spelled!(TcpAcceptRequest, "0800000058227491ffffffff", TcpAcceptRequest { socket: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TcpAcceptRequest, "0800000058227491a3016dcb", handles);
}

#[test]
fn tcp_accept_reply_has_one_spelling() {
    support::spelled!(
        TcpAcceptReply,
        "0800000058227491 00*10",
        TcpAcceptReply { connection: 0x0, address: [0x0; 4], port: 0x0 }
    );
    support::spelled!(
        TcpAcceptReply,
        "08000000582274913199c02c834710224830",
        TcpAcceptReply { connection: 0x2cc09931, address: [0x83, 0x47, 0x10, 0x22], port: 0x3048 }
    );
    support::spelled!(
        TcpAcceptReply,
        "0800000058227491 ff*10",
        TcpAcceptReply { connection: 0xffffffff, address: [0xff; 4], port: 0xffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TcpAcceptReply, "08000000582274913199c02c834710224830", handles);
}

#[test]
fn tcp_send_request_has_one_spelling() {
    support::spelled!(
        TcpSendRequest<'_>,
        "090000005822749100000000",
        TcpSendRequest { socket: 0x0, data: support::bytes(0xa7, 0) }
    );
    support::spelled!(
        TcpSendRequest<'_>,
        "0900000058227491a6036dd3 8d*1024",
        TcpSendRequest { socket: 0xd36d03a6, data: support::bytes(0x8d, 1024) }
    );
    support::spelled!(
        TcpSendRequest<'_>,
        "0900000058227491ffffffff a7*2048",
        TcpSendRequest { socket: 0xffffffff, data: support::bytes(0xa7, 2048) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TcpSendRequest<'_>, "0900000058227491a6036dd3 8d*1024", handles);
}

#[test]
fn tcp_send_reply_has_one_spelling() {
    support::spelled!(TcpSendReply, "09000000582274910000", TcpSendReply { count: 0x0 });
    support::spelled!(TcpSendReply, "090000005822749158c0", TcpSendReply { count: 0xc058 });
    support::spelled!(TcpSendReply, "0900000058227491ffff", TcpSendReply { count: 0xffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TcpSendReply, "090000005822749158c0", handles);
}

#[test]
fn tcp_receive_request_has_one_spelling() {
    support::spelled!(TcpReceiveRequest, "0a0000005822749100000000", TcpReceiveRequest { socket: 0x0 });
    support::spelled!(
        TcpReceiveRequest,
        "0a00000058227491a3016dcb",
        TcpReceiveRequest { socket: 0xcb6d01a3 }
    );
    support::spelled!(
        TcpReceiveRequest,
        "0a00000058227491ffffffff",
        TcpReceiveRequest { socket: 0xffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TcpReceiveRequest, "0a00000058227491a3016dcb", handles);
}

#[test]
fn tcp_receive_reply_has_one_spelling() {
    support::spelled!(
        TcpReceiveReply<'_>,
        "0a00000058227491",
        TcpReceiveReply { data: support::bytes(0x33, 0) }
    );
    support::spelled!(
        TcpReceiveReply<'_>,
        "0a00000058227491 33*1024",
        TcpReceiveReply { data: support::bytes(0x33, 1024) }
    );
    support::spelled!(
        TcpReceiveReply<'_>,
        "0a00000058227491 33*2048",
        TcpReceiveReply { data: support::bytes(0x33, 2048) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(TcpReceiveReply<'_>, "0a00000058227491 33*1024", handles);
}

#[test]
fn close_request_has_one_spelling() {
    support::spelled!(CloseRequest, "0b0000005822749100000000", CloseRequest { socket: 0x0 });
    support::spelled!(CloseRequest, "0b00000058227491a3016dcb", CloseRequest { socket: 0xcb6d01a3 });
    support::spelled!(CloseRequest, "0b00000058227491ffffffff", CloseRequest { socket: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(CloseRequest, "0b00000058227491a3016dcb", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
    ping_later: Option<Option<PingPromise>>,
    udp_receive_later: Option<Option<UdpReceivePromise>>,
    tcp_connect_later: Option<Option<TcpConnectPromise>>,
    tcp_accept_later: Option<Option<TcpAcceptPromise>>,
    tcp_send_later: Option<Option<TcpSendPromise>>,
    tcp_receive_later: Option<Option<TcpReceivePromise>>,
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

    fn ping(
        &mut self,
        sender: Sender,
        promise: PingPromise,
        address: [u8; 4],
    ) -> Result<Option<PingReply>, Error> {
        self.calls += 1;
        let request = PingRequest { address };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, PingRequest { address: [0xa3, 0x87, 0x8f, 0x20] });
        }
        if let Some(kept) = &mut self.ping_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(PingReply { micros: 0xffffffffffffffff })), Err)
    }

    fn udp_open(&mut self, sender: Sender, port: u16) -> Result<UdpOpenReply, Error> {
        self.calls += 1;
        let request = UdpOpenRequest { port };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, UdpOpenRequest { port: 0xc058 });
        }
        self.error.map_or(Ok(UdpOpenReply { socket: 0xffffffff, port: 0xffff }), Err)
    }

    fn udp_send(
        &mut self,
        sender: Sender,
        socket: u32,
        address: [u8; 4],
        port: u16,
        data: Bytes<'_, 1472>,
    ) -> Result<(), Error> {
        self.calls += 1;
        let request = UdpSendRequest { socket, address, port, data };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                UdpSendRequest {
                    socket: 0x9cc6f5bc,
                    address: [0x99, 0x72, 0x66, 0xce],
                    port: 0xc19f,
                    data: support::bytes(0x45, 736),
                }
            );
        }
        self.error.map_or(Ok(()), Err)
    }

    fn udp_receive(
        &mut self,
        sender: Sender,
        promise: UdpReceivePromise,
        socket: u32,
    ) -> Result<Option<UdpReceiveReply<'_>>, Error> {
        self.calls += 1;
        let request = UdpReceiveRequest { socket };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, UdpReceiveRequest { socket: 0xcb6d01a3 });
        }
        if let Some(kept) = &mut self.udp_receive_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(
            Ok(Some(UdpReceiveReply { address: [0xff; 4], port: 0xffff, data: support::bytes(0x57, 1472) })),
            Err,
        )
    }

    fn tcp_connect(
        &mut self,
        sender: Sender,
        promise: TcpConnectPromise,
        address: [u8; 4],
        port: u16,
    ) -> Result<Option<TcpConnectReply>, Error> {
        self.calls += 1;
        let request = TcpConnectRequest { address, port };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, TcpConnectRequest { address: [0x8f, 0x20, 0x44, 0x90], port: 0x9931 });
        }
        if let Some(kept) = &mut self.tcp_connect_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(TcpConnectReply { socket: 0xffffffff })), Err)
    }

    fn tcp_listen(&mut self, sender: Sender, port: u16) -> Result<TcpListenReply, Error> {
        self.calls += 1;
        let request = TcpListenRequest { port };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, TcpListenRequest { port: 0xc058 });
        }
        self.error.map_or(Ok(TcpListenReply { socket: 0xffffffff }), Err)
    }

    fn tcp_accept(
        &mut self,
        sender: Sender,
        promise: TcpAcceptPromise,
        socket: u32,
    ) -> Result<Option<TcpAcceptReply>, Error> {
        self.calls += 1;
        let request = TcpAcceptRequest { socket };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, TcpAcceptRequest { socket: 0xcb6d01a3 });
        }
        if let Some(kept) = &mut self.tcp_accept_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(
            Ok(Some(TcpAcceptReply { connection: 0xffffffff, address: [0xff; 4], port: 0xffff })),
            Err,
        )
    }

    fn tcp_send(
        &mut self,
        sender: Sender,
        promise: TcpSendPromise,
        socket: u32,
        data: Bytes<'_, 2048>,
    ) -> Result<Option<TcpSendReply>, Error> {
        self.calls += 1;
        let request = TcpSendRequest { socket, data };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, TcpSendRequest { socket: 0xd36d03a6, data: support::bytes(0x8d, 1024) });
        }
        if let Some(kept) = &mut self.tcp_send_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(TcpSendReply { count: 0xffff })), Err)
    }

    fn tcp_receive(
        &mut self,
        sender: Sender,
        promise: TcpReceivePromise,
        socket: u32,
    ) -> Result<Option<TcpReceiveReply<'_>>, Error> {
        self.calls += 1;
        let request = TcpReceiveRequest { socket };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, TcpReceiveRequest { socket: 0xcb6d01a3 });
        }
        if let Some(kept) = &mut self.tcp_receive_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(TcpReceiveReply { data: support::bytes(0x33, 2048) })), Err)
    }

    fn close(&mut self, sender: Sender, socket: u32) -> Result<(), Error> {
        self.calls += 1;
        let request = CloseRequest { socket };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, CloseRequest { socket: 0xcb6d01a3 });
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
            configured: true,
            prefix: 0xff,
            address: [0xff; 4],
            router: [0xff; 4],
            dropped: 0xffffffffffffffff,
            sockets: 0xffffffff,
        })
    );
    assert_eq!(client.ping([0xa3, 0x87, 0x8f, 0x20]), Ok(PingReply { micros: 0xffffffffffffffff }));
    assert_eq!(client.udp_open(0xc058), Ok(UdpOpenReply { socket: 0xffffffff, port: 0xffff }));
    assert_eq!(
        client.udp_send(0x9cc6f5bc, [0x99, 0x72, 0x66, 0xce], 0xc19f, support::bytes(0x45, 736)),
        Ok(())
    );
    assert_eq!(
        client.udp_receive(0xcb6d01a3),
        Ok(UdpReceiveReply { address: [0xff; 4], port: 0xffff, data: support::bytes(0x57, 1472) })
    );
    assert_eq!(
        client.tcp_connect([0x8f, 0x20, 0x44, 0x90], 0x9931),
        Ok(TcpConnectReply { socket: 0xffffffff })
    );
    assert_eq!(client.tcp_listen(0xc058), Ok(TcpListenReply { socket: 0xffffffff }));
    assert_eq!(
        client.tcp_accept(0xcb6d01a3),
        Ok(TcpAcceptReply { connection: 0xffffffff, address: [0xff; 4], port: 0xffff })
    );
    assert_eq!(client.tcp_send(0xd36d03a6, support::bytes(0x8d, 1024)), Ok(TcpSendReply { count: 0xffff }));
    assert_eq!(client.tcp_receive(0xcb6d01a3), Ok(TcpReceiveReply { data: support::bytes(0x33, 2048) }));
    assert_eq!(client.close(0xcb6d01a3), Ok(()));
    assert_eq!(server.calls, 11);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn ping_can_be_answered_later() {
    let asked: support::Seed = ("0200000058227491a3878f20", &[]);
    let mut server = Fixture { ping_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.ping_later.take().flatten().unwrap();
    support::kept(
        |replier| promise.keep(replier, Ok(PingReply { micros: 0xffffffffffffffff })),
        ("0200000058227491ffffffffffffffff", &[]),
    );
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn udp_receive_can_be_answered_later() {
    let asked: support::Seed = ("0500000058227491a3016dcb", &[]);
    let mut server = Fixture { udp_receive_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.udp_receive_later.take().flatten().unwrap();
    support::kept(
        |replier| {
            promise.keep(
                replier,
                Ok(UdpReceiveReply { address: [0xff; 4], port: 0xffff, data: support::bytes(0x57, 1472) }),
            )
        },
        ("0500000058227491ffffffffffff 57*1472", &[]),
    );
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn tcp_connect_can_be_answered_later() {
    let asked: support::Seed = ("06000000582274918f2044903199", &[]);
    let mut server = Fixture { tcp_connect_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.tcp_connect_later.take().flatten().unwrap();
    support::kept(
        |replier| promise.keep(replier, Ok(TcpConnectReply { socket: 0xffffffff })),
        ("0600000058227491ffffffff", &[]),
    );
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn tcp_accept_can_be_answered_later() {
    let asked: support::Seed = ("0800000058227491a3016dcb", &[]);
    let mut server = Fixture { tcp_accept_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.tcp_accept_later.take().flatten().unwrap();
    support::kept(
        |replier| {
            promise.keep(
                replier,
                Ok(TcpAcceptReply { connection: 0xffffffff, address: [0xff; 4], port: 0xffff }),
            )
        },
        ("0800000058227491 ff*10", &[]),
    );
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn tcp_send_can_be_answered_later() {
    let asked: support::Seed = ("0900000058227491a6036dd3 8d*1024", &[]);
    let mut server = Fixture { tcp_send_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.tcp_send_later.take().flatten().unwrap();
    support::kept(
        |replier| promise.keep(replier, Ok(TcpSendReply { count: 0xffff })),
        ("0900000058227491ffff", &[]),
    );
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn tcp_receive_can_be_answered_later() {
    let asked: support::Seed = ("0a00000058227491a3016dcb", &[]);
    let mut server = Fixture { tcp_receive_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.tcp_receive_later.take().flatten().unwrap();
    support::kept(
        |replier| promise.keep(replier, Ok(TcpReceiveReply { data: support::bytes(0x33, 2048) })),
        ("0a00000058227491 33*2048", &[]),
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
        assert_eq!(client.status().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.ping([0x0; 4]).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.udp_open(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client.udp_send(0x0, [0x0; 4], 0x0, support::bytes(0xbd, 0)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.udp_receive(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.tcp_connect([0x0; 4], 0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.tcp_listen(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.tcp_accept(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.tcp_send(0x0, support::bytes(0xa7, 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.tcp_receive(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.close(0x0).map(|_| ()), Err(CallError::Service(error)));
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
fn ping_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.ping([0x0; 4]).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn udp_open_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.udp_open(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn udp_send_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client.udp_send(0x0, [0x0; 4], 0x0, support::bytes(0xbd, 0)).map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn udp_receive_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.udp_receive(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn tcp_connect_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.tcp_connect([0x0; 4], 0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn tcp_listen_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.tcp_listen(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn tcp_accept_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.tcp_accept(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn tcp_send_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.tcp_send(0x0, support::bytes(0xa7, 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn tcp_receive_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.tcp_receive(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn close_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.close(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("0100000058227491", &[]),
        ("0100000058227491", &[]),
        ("020000005822749100000000", &[]),
        ("0200000058227491a3878f20", &[]),
        ("03000000582274910000", &[]),
        ("030000005822749158c0", &[]),
        ("0400000058227491 00*10", &[]),
        ("0400000058227491bcf5c69c997266ce9fc1 45*736", &[]),
        ("050000005822749100000000", &[]),
        ("0500000058227491a3016dcb", &[]),
        ("0600000058227491000000000000", &[]),
        ("06000000582274918f2044903199", &[]),
        ("07000000582274910000", &[]),
        ("070000005822749158c0", &[]),
        ("080000005822749100000000", &[]),
        ("0800000058227491a3016dcb", &[]),
        ("090000005822749100000000", &[]),
        ("0900000058227491a6036dd3 8d*1024", &[]),
        ("0a0000005822749100000000", &[]),
        ("0a00000058227491a3016dcb", &[]),
        ("0b0000005822749100000000", &[]),
        ("0b00000058227491a3016dcb", &[]),
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
        ("0100000058227491012f61c89b4bc0d041c50000000000000d76de46af173ca521f1c090", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.status() {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("0200000058227491442210efccaa8866", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.ping([0x0; 4]) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("03000000582274918f07bc342010", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.udp_open(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0400000058227491", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.udp_send(0x0, [0x0; 4], 0x0, support::bytes(0xbd, 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("050000005822749157b167d6bcf5 99*736", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.udp_receive(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0600000058227491a3016dcb", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.tcp_connect([0x0; 4], 0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0700000058227491a3016dcb", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.tcp_listen(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("08000000582274913199c02c834710224830", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.tcp_accept(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("090000005822749158c0", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.tcp_send(0x0, support::bytes(0xa7, 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0a00000058227491 33*1024", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.tcp_receive(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0b00000058227491", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.close(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
