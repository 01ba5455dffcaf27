//! Wire tests of `echo`.
//!
//! Generated from `idl/echo.idl` by `nexus-idlc`: change that file, then run the generator.

use crate::support::{self, FakeHandle, Loopback};
use nexus_abi::Kind;
use nexus_api::echo::*;
use nexus_wire::{Bytes, CallError, Fault, Held, Outcome, Sender, Text, kinds};

#[test]
fn words_request_has_one_spelling() {
    support::spelled!(
        WordsRequest,
        "01000000006b6b46 00*32",
        WordsRequest { a: 0x0, b: 0x0, c: 0x0, d: 0x0 }
    );
    support::spelled!(
        WordsRequest,
        "01000000006b6b469b49f7a4529040ee4ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693",
        WordsRequest {
            a: 0xee409052a4f7499b,
            b: 0xf49d40a951faa34b,
            c: 0x1972c15ab40d66c0,
            d: 0x935602c5884b0dd0,
        }
    );
    support::spelled!(
        WordsRequest,
        "01000000006b6b46 ff*32",
        WordsRequest {
            a: 0xffffffffffffffff,
            b: 0xffffffffffffffff,
            c: 0xffffffffffffffff,
            d: 0xffffffffffffffff,
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        WordsRequest,
        "01000000006b6b469b49f7a4529040ee4ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693",
        handles
    );
}

#[test]
fn words_reply_has_one_spelling() {
    support::spelled!(WordsReply, "01000000006b6b46 00*32", WordsReply { a: 0x0, b: 0x0, c: 0x0, d: 0x0 });
    support::spelled!(
        WordsReply,
        "01000000006b6b469b49f7a4529040ee4ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693",
        WordsReply {
            a: 0xee409052a4f7499b,
            b: 0xf49d40a951faa34b,
            c: 0x1972c15ab40d66c0,
            d: 0x935602c5884b0dd0,
        }
    );
    support::spelled!(
        WordsReply,
        "01000000006b6b46 ff*32",
        WordsReply {
            a: 0xffffffffffffffff,
            b: 0xffffffffffffffff,
            c: 0xffffffffffffffff,
            d: 0xffffffffffffffff,
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        WordsReply,
        "01000000006b6b469b49f7a4529040ee4ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693",
        handles
    );
}

#[test]
fn data_request_has_one_spelling() {
    support::spelled!(DataRequest<'_>, "02000000006b6b46", DataRequest { data: support::bytes(0x11, 0) });
    support::spelled!(
        DataRequest<'_>,
        "02000000006b6b46 11*2044",
        DataRequest { data: support::bytes(0x11, 2044) }
    );
    support::spelled!(
        DataRequest<'_>,
        "02000000006b6b46 11*4088",
        DataRequest { data: support::bytes(0x11, 4088) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(DataRequest<'_>, "02000000006b6b46 11*2044", handles);
}

#[test]
fn data_reply_has_one_spelling() {
    support::spelled!(DataReply<'_>, "02000000006b6b46", DataReply { data: support::bytes(0x11, 0) });
    support::spelled!(
        DataReply<'_>,
        "02000000006b6b46 11*2044",
        DataReply { data: support::bytes(0x11, 2044) }
    );
    support::spelled!(
        DataReply<'_>,
        "02000000006b6b46 11*4088",
        DataReply { data: support::bytes(0x11, 4088) }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(DataReply<'_>, "02000000006b6b46 11*2044", handles);
}

#[test]
fn text_request_has_one_spelling() {
    support::spelled!(
        TextRequest<'_>,
        "03000000006b6b46 00*56",
        TextRequest {
            manner: Manner::Plain,
            stamps: [Stamp { ticks: 0x0, mark: 0x0, last: false }; 3],
            text: support::text('m', 0),
        }
    );
    support::spelled!(
        TextRequest<'_>,
        "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
        TextRequest {
            manner: Manner::Plain,
            stamps: [
                Stamp { ticks: 0x5c88b4e10d394030, mark: 0xc068, last: true },
                Stamp { ticks: 0xa56728eaac6d01e3, mark: 0x407, last: false },
                Stamp { ticks: 0x3445566778801223, mark: 0x264a, last: false }
            ],
            text: support::text('b', 100),
        }
    );
    support::spelled!(
        TextRequest<'_>,
        "03000000006b6b460100000000000000 ff*10 010000000000 ff*10 010000000000 ff*10 010000000000 6d*200",
        TextRequest {
            manner: Manner::Loud,
            stamps: [Stamp { ticks: 0xffffffffffffffff, mark: 0xffff, last: true }; 3],
            text: support::text('m', 200),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        TextRequest<'_>,
        "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
        handles
    );
    support::flawed!(
        TextRequest<'_>,
        "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
        handles,
        9,
        &[1],
        "padding"
    );
    support::flawed!(
        TextRequest<'_>,
        "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
        handles,
        15,
        &[1],
        "padding"
    );
    support::flawed!(
        TextRequest<'_>,
        "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
        handles,
        8,
        &[2],
        "manner has no value 2"
    );
    support::flawed!(
        TextRequest<'_>,
        "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
        handles,
        27,
        &[1],
        "padding in stamps[0]"
    );
    support::flawed!(
        TextRequest<'_>,
        "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
        handles,
        26,
        &[2],
        "last is neither 0 nor 1"
    );
    support::flawed!(
        TextRequest<'_>,
        "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
        handles,
        59,
        &[1],
        "padding in stamps[2]"
    );
    support::flawed!(
        TextRequest<'_>,
        "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
        handles,
        58,
        &[2],
        "last is neither 0 nor 1"
    );
    support::flawed!(
        TextRequest<'_>,
        "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
        handles,
        64,
        &[255],
        "text is not UTF-8"
    );
}

#[test]
fn text_reply_has_one_spelling() {
    support::spelled!(
        TextReply<'_>,
        "03000000006b6b46 00*48",
        TextReply { stamps: [Stamp { ticks: 0x0, mark: 0x0, last: false }; 3], text: support::text('r', 0) }
    );
    support::spelled!(
        TextReply<'_>,
        "03000000006b6b4699911a85ef59c42e3643000000000000f90c264a6d90b3d6131a0000000000005169bc5bf38a22baa5d3000000000000 74*200",
        TextReply {
            stamps: [
                Stamp { ticks: 0x2ec459ef851a9199, mark: 0x4336, last: false },
                Stamp { ticks: 0xd6b3906d4a260cf9, mark: 0x1a13, last: false },
                Stamp { ticks: 0xba228af35bbc6951, mark: 0xd3a5, last: false }
            ],
            text: support::text('t', 200),
        }
    );
    support::spelled!(
        TextReply<'_>,
        "03000000006b6b46 ff*10 010000000000 ff*10 010000000000 ff*10 010000000000 72*400",
        TextReply {
            stamps: [Stamp { ticks: 0xffffffffffffffff, mark: 0xffff, last: true }; 3],
            text: support::text('r', 400),
        }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(
        TextReply<'_>,
        "03000000006b6b4699911a85ef59c42e3643000000000000f90c264a6d90b3d6131a0000000000005169bc5bf38a22baa5d3000000000000 74*200",
        handles
    );
    support::flawed!(
        TextReply<'_>,
        "03000000006b6b4699911a85ef59c42e3643000000000000f90c264a6d90b3d6131a0000000000005169bc5bf38a22baa5d3000000000000 74*200",
        handles,
        19,
        &[1],
        "padding in stamps[0]"
    );
    support::flawed!(
        TextReply<'_>,
        "03000000006b6b4699911a85ef59c42e3643000000000000f90c264a6d90b3d6131a0000000000005169bc5bf38a22baa5d3000000000000 74*200",
        handles,
        18,
        &[2],
        "last is neither 0 nor 1"
    );
    support::flawed!(
        TextReply<'_>,
        "03000000006b6b4699911a85ef59c42e3643000000000000f90c264a6d90b3d6131a0000000000005169bc5bf38a22baa5d3000000000000 74*200",
        handles,
        51,
        &[1],
        "padding in stamps[2]"
    );
    support::flawed!(
        TextReply<'_>,
        "03000000006b6b4699911a85ef59c42e3643000000000000f90c264a6d90b3d6131a0000000000005169bc5bf38a22baa5d3000000000000 74*200",
        handles,
        50,
        &[2],
        "last is neither 0 nor 1"
    );
    support::flawed!(
        TextReply<'_>,
        "03000000006b6b4699911a85ef59c42e3643000000000000f90c264a6d90b3d6131a0000000000005169bc5bf38a22baa5d3000000000000 74*200",
        handles,
        56,
        &[255],
        "text is not UTF-8"
    );
}

#[test]
fn pass_request_has_one_spelling() {
    support::spelled!(
        PassRequest<FakeHandle>,
        "04000000006b6b4600000000",
        PassRequest { mark: 0x0, memory: support::handle(Kind::Vmo, 0x402) }
    );
    support::spelled!(
        PassRequest<FakeHandle>,
        "04000000006b6b46a3016dcb",
        PassRequest { mark: 0xcb6d01a3, memory: support::handle(Kind::Vmo, 0x402) }
    );
    support::spelled!(
        PassRequest<FakeHandle>,
        "04000000006b6b46ffffffff",
        PassRequest { mark: 0xffffffff, memory: support::handle(Kind::Vmo, 0x402) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Vmo, 0x402)];
    support::bounded!(PassRequest<FakeHandle>, "04000000006b6b46a3016dcb", handles);
}

#[test]
fn pass_reply_has_one_spelling() {
    support::spelled!(
        PassReply<FakeHandle>,
        "04000000006b6b4600000000",
        PassReply { mark: 0x0, memory: support::handle(Kind::Vmo, 0x400) }
    );
    support::spelled!(
        PassReply<FakeHandle>,
        "04000000006b6b46a3016dcb",
        PassReply { mark: 0xcb6d01a3, memory: support::handle(Kind::Vmo, 0x400) }
    );
    support::spelled!(
        PassReply<FakeHandle>,
        "04000000006b6b46ffffffff",
        PassReply { mark: 0xffffffff, memory: support::handle(Kind::Vmo, 0x400) }
    );
    let handles: &[(Kind, u32)] = &[(Kind::Vmo, 0x400)];
    support::bounded!(PassReply<FakeHandle>, "04000000006b6b46a3016dcb", handles);
}

#[test]
fn count_request_has_one_spelling() {
    support::spelled!(CountRequest, "05000000006b6b460000000000000000", CountRequest { by: 0x0 });
    support::spelled!(
        CountRequest,
        "05000000006b6b46442210efccaa8866",
        CountRequest { by: 0x6688aaccef102244 }
    );
    support::spelled!(
        CountRequest,
        "05000000006b6b46ffffffffffffffff",
        CountRequest { by: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(CountRequest, "05000000006b6b46442210efccaa8866", handles);
}

#[test]
fn count_reply_has_one_spelling() {
    support::spelled!(CountReply, "05000000006b6b460000000000000000", CountReply { total: 0x0 });
    support::spelled!(
        CountReply,
        "05000000006b6b46442210efccaa8866",
        CountReply { total: 0x6688aaccef102244 }
    );
    support::spelled!(
        CountReply,
        "05000000006b6b46ffffffffffffffff",
        CountReply { total: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(CountReply, "05000000006b6b46442210efccaa8866", handles);
}

#[test]
fn crash_request_has_one_spelling() {
    support::spelled!(CrashRequest, "06000000006b6b46", CrashRequest {});
    support::spelled!(CrashRequest, "06000000006b6b46", CrashRequest {});
    support::spelled!(CrashRequest, "06000000006b6b46", CrashRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(CrashRequest, "06000000006b6b46", handles);
}

#[test]
fn note_request_has_one_spelling() {
    support::spelled!(NoteRequest, "07000000006b6b460000000000000000", NoteRequest { by: 0x0 });
    support::spelled!(
        NoteRequest,
        "07000000006b6b46442210efccaa8866",
        NoteRequest { by: 0x6688aaccef102244 }
    );
    support::spelled!(
        NoteRequest,
        "07000000006b6b46ffffffffffffffff",
        NoteRequest { by: 0xffffffffffffffff }
    );
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(NoteRequest, "07000000006b6b46442210efccaa8866", handles);
}

#[test]
fn doom_request_has_one_spelling() {
    support::spelled!(DoomRequest, "08000000006b6b46", DoomRequest {});
    support::spelled!(DoomRequest, "08000000006b6b46", DoomRequest {});
    support::spelled!(DoomRequest, "08000000006b6b46", DoomRequest {});
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(DoomRequest, "08000000006b6b46", handles);
}

#[test]
fn wait_request_has_one_spelling() {
    support::spelled!(WaitRequest, "09000000006b6b4600000000", WaitRequest { mark: 0x0 });
    support::spelled!(WaitRequest, "09000000006b6b46a3016dcb", WaitRequest { mark: 0xcb6d01a3 });
    support::spelled!(WaitRequest, "09000000006b6b46ffffffff", WaitRequest { mark: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(WaitRequest, "09000000006b6b46a3016dcb", handles);
}

#[test]
fn wait_reply_has_one_spelling() {
    support::spelled!(WaitReply, "09000000006b6b4600000000", WaitReply { released: 0x0 });
    support::spelled!(WaitReply, "09000000006b6b46a3016dcb", WaitReply { released: 0xcb6d01a3 });
    support::spelled!(WaitReply, "09000000006b6b46ffffffff", WaitReply { released: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(WaitReply, "09000000006b6b46a3016dcb", handles);
}

#[test]
fn release_request_has_one_spelling() {
    support::spelled!(ReleaseRequest, "0a000000006b6b4600000000", ReleaseRequest { mark: 0x0 });
    support::spelled!(ReleaseRequest, "0a000000006b6b46a3016dcb", ReleaseRequest { mark: 0xcb6d01a3 });
    support::spelled!(ReleaseRequest, "0a000000006b6b46ffffffff", ReleaseRequest { mark: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ReleaseRequest, "0a000000006b6b46a3016dcb", handles);
}

#[test]
fn release_reply_has_one_spelling() {
    support::spelled!(ReleaseReply, "0a000000006b6b4600000000", ReleaseReply { released: 0x0 });
    support::spelled!(ReleaseReply, "0a000000006b6b46a3016dcb", ReleaseReply { released: 0xcb6d01a3 });
    support::spelled!(ReleaseReply, "0a000000006b6b46ffffffff", ReleaseReply { released: 0xffffffff });
    let handles: &[(Kind, u32)] = &[];
    support::bounded!(ReleaseReply, "0a000000006b6b46a3016dcb", handles);
}

/// Answers each operation with a fixed reply, or with an error; checks arguments when it is strict.
#[derive(Default)]
struct Fixture {
    strict: bool,
    calls: usize,
    error: Option<Error>,
    wait_later: Option<Option<WaitPromise>>,
}

impl Server<FakeHandle> for Fixture {
    fn words(&mut self, sender: Sender, a: u64, b: u64, c: u64, d: u64) -> Result<WordsReply, Error> {
        self.calls += 1;
        let request = WordsRequest { a, b, c, d };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                WordsRequest {
                    a: 0xee409052a4f7499b,
                    b: 0xf49d40a951faa34b,
                    c: 0x1972c15ab40d66c0,
                    d: 0x935602c5884b0dd0,
                }
            );
        }
        self.error.map_or(
            Ok(WordsReply {
                a: 0xffffffffffffffff,
                b: 0xffffffffffffffff,
                c: 0xffffffffffffffff,
                d: 0xffffffffffffffff,
            }),
            Err,
        )
    }

    fn data(&mut self, sender: Sender, data: Bytes<'_, 4088>) -> Result<DataReply<'_>, Error> {
        self.calls += 1;
        let request = DataRequest { data };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, DataRequest { data: support::bytes(0x11, 2044) });
        }
        self.error.map_or(Ok(DataReply { data: support::bytes(0x11, 4088) }), Err)
    }

    fn text(
        &mut self,
        sender: Sender,
        manner: Manner,
        stamps: [Stamp; 3],
        text: Text<'_, 200>,
    ) -> Result<TextReply<'_>, Error> {
        self.calls += 1;
        let request = TextRequest { manner, stamps, text };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(
                request,
                TextRequest {
                    manner: Manner::Plain,
                    stamps: [
                        Stamp { ticks: 0x5c88b4e10d394030, mark: 0xc068, last: true },
                        Stamp { ticks: 0xa56728eaac6d01e3, mark: 0x407, last: false },
                        Stamp { ticks: 0x3445566778801223, mark: 0x264a, last: false }
                    ],
                    text: support::text('b', 100),
                }
            );
        }
        self.error.map_or(
            Ok(TextReply {
                stamps: [Stamp { ticks: 0xffffffffffffffff, mark: 0xffff, last: true }; 3],
                text: support::text('r', 400),
            }),
            Err,
        )
    }

    fn pass(
        &mut self,
        sender: Sender,
        mark: u32,
        memory: Held<FakeHandle, kinds::Vmo>,
    ) -> Result<PassReply<FakeHandle>, Error> {
        self.calls += 1;
        let request = PassRequest { mark, memory };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, PassRequest { mark: 0xcb6d01a3, memory: support::handle(Kind::Vmo, 0x402) });
        }
        self.error.map_or(Ok(PassReply { mark: 0xffffffff, memory: support::handle(Kind::Vmo, 0x400) }), Err)
    }

    fn count(&mut self, sender: Sender, by: u64) -> Result<CountReply, Error> {
        self.calls += 1;
        let request = CountRequest { by };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, CountRequest { by: 0x6688aaccef102244 });
        }
        self.error.map_or(Ok(CountReply { total: 0xffffffffffffffff }), Err)
    }

    fn crash(&mut self, sender: Sender) -> Result<(), Error> {
        self.calls += 1;
        let request = CrashRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, CrashRequest {});
        }
        self.error.map_or(Ok(()), Err)
    }

    fn note(&mut self, sender: Sender, by: u64) {
        self.calls += 1;
        let request = NoteRequest { by };
        if self.strict {
            assert_eq!(sender, support::TELLER);
            assert_eq!(request, NoteRequest { by: 0x6688aaccef102244 });
        }
    }

    fn doom(&mut self, sender: Sender) -> Result<(), Error> {
        self.calls += 1;
        let request = DoomRequest {};
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, DoomRequest {});
        }
        self.error.map_or(Ok(()), Err)
    }

    fn wait(&mut self, sender: Sender, promise: WaitPromise, mark: u32) -> Result<Option<WaitReply>, Error> {
        self.calls += 1;
        let request = WaitRequest { mark };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, WaitRequest { mark: 0xcb6d01a3 });
        }
        if let Some(kept) = &mut self.wait_later {
            *kept = Some(promise);
            return Ok(None);
        }
        self.error.map_or(Ok(Some(WaitReply { released: 0xffffffff })), Err)
    }

    fn release(&mut self, sender: Sender, mark: u32) -> Result<ReleaseReply, Error> {
        self.calls += 1;
        let request = ReleaseRequest { mark };
        if self.strict {
            assert_eq!(sender, support::CALLER);
            assert_eq!(request, ReleaseRequest { mark: 0xcb6d01a3 });
        }
        self.error.map_or(Ok(ReleaseReply { released: 0xffffffff }), Err)
    }
}

#[test]
fn every_operation_arrives_and_its_answer_returns() {
    let fixture = Fixture { strict: true, ..Fixture::default() };
    let mut server = fixture;
    let mut client = Client::new(Loopback::connector(|sender, packet| dispatch(&mut server, sender, packet)));
    assert_eq!(
        client.words(0xee409052a4f7499b, 0xf49d40a951faa34b, 0x1972c15ab40d66c0, 0x935602c5884b0dd0),
        Ok(WordsReply {
            a: 0xffffffffffffffff,
            b: 0xffffffffffffffff,
            c: 0xffffffffffffffff,
            d: 0xffffffffffffffff,
        })
    );
    assert_eq!(client.data(support::bytes(0x11, 2044)), Ok(DataReply { data: support::bytes(0x11, 4088) }));
    assert_eq!(
        client.text(
            Manner::Plain,
            [
                Stamp { ticks: 0x5c88b4e10d394030, mark: 0xc068, last: true },
                Stamp { ticks: 0xa56728eaac6d01e3, mark: 0x407, last: false },
                Stamp { ticks: 0x3445566778801223, mark: 0x264a, last: false }
            ],
            support::text('b', 100)
        ),
        Ok(TextReply {
            stamps: [Stamp { ticks: 0xffffffffffffffff, mark: 0xffff, last: true }; 3],
            text: support::text('r', 400),
        })
    );
    assert_eq!(
        client.pass(0xcb6d01a3, support::handle(Kind::Vmo, 0x402)),
        Ok(PassReply { mark: 0xffffffff, memory: support::handle(Kind::Vmo, 0x400) })
    );
    assert_eq!(client.count(0x6688aaccef102244), Ok(CountReply { total: 0xffffffffffffffff }));
    assert_eq!(client.crash(), Ok(()));
    assert_eq!(client.note(0x6688aaccef102244), Ok(()));
    assert_eq!(client.doom(), Ok(()));
    assert_eq!(client.wait(0xcb6d01a3), Ok(WaitReply { released: 0xffffffff }));
    assert_eq!(client.release(0xcb6d01a3), Ok(ReleaseReply { released: 0xffffffff }));
    assert_eq!(server.calls, 10);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn wait_can_be_answered_later() {
    let asked: support::Seed = ("09000000006b6b46a3016dcb", &[]);
    let mut server = Fixture { wait_later: Some(None), ..Fixture::default() };
    support::keeps(asked, |packet| dispatch(&mut server, support::CALLER, packet));
    let promise = server.wait_later.take().flatten().unwrap();
    support::kept(
        |replier| promise.keep(replier, Ok(WaitReply { released: 0xffffffff })),
        ("09000000006b6b46ffffffff", &[]),
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
        assert_eq!(client.words(0x0, 0x0, 0x0, 0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.data(support::bytes(0x11, 0)).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(
            client
                .text(Manner::Plain, [Stamp { ticks: 0x0, mark: 0x0, last: false }; 3], support::text('m', 0))
                .map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(
            client.pass(0x0, support::handle(Kind::Vmo, 0x402)).map(|_| ()),
            Err(CallError::Service(error))
        );
        assert_eq!(client.count(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.crash().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.doom().map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.wait(0x0).map(|_| ()), Err(CallError::Service(error)));
        assert_eq!(client.release(0x0).map(|_| ()), Err(CallError::Service(error)));
    }
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn words_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.words(0x0, 0x0, 0x0, 0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn data_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.data(support::bytes(0x11, 0)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn text_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(
        client
            .text(Manner::Plain, [Stamp { ticks: 0x0, mark: 0x0, last: false }; 3], support::text('m', 0))
            .map(|_| ()),
        Err(CallError::ServerDied)
    );
    assert_eq!(tries.get(), nexus_wire::link::MAX_TRIES);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn pass_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.pass(0x0, support::handle(Kind::Vmo, 0x402)).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn count_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.count(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn crash_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.crash().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn doom_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.doom().map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn wait_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.wait(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn release_tells_of_the_servers_death() {
    let (connector, tries) = support::dead();
    let mut client = Client::new(connector);
    assert_eq!(client.release(0x0).map(|_| ()), Err(CallError::ServerDied));
    assert_eq!(tries.get(), 1);
    assert_eq!(support::open_handles(), 0);
}

#[test]
fn damaged_messages_never_panic_and_leave_no_handle_open() {
    let seeds: &[support::Seed] = &[
        ("01000000006b6b46 00*32", &[]),
        ("01000000006b6b469b49f7a4529040ee4ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693", &[]),
        ("02000000006b6b46", &[]),
        ("02000000006b6b46 11*2044", &[]),
        ("03000000006b6b46 00*56", &[]),
        (
            "03000000006b6b4600000000000000003040390de1b4885c68c0010000000000e3016dacea2867a5070400000000000023128078675645344a26000000000000 62*100",
            &[],
        ),
        ("04000000006b6b4600000000", &[(Kind::Vmo, 0x402)]),
        ("04000000006b6b46a3016dcb", &[(Kind::Vmo, 0x402)]),
        ("05000000006b6b460000000000000000", &[]),
        ("05000000006b6b46442210efccaa8866", &[]),
        ("06000000006b6b46", &[]),
        ("06000000006b6b46", &[]),
        ("07000000006b6b460000000000000000", &[]),
        ("07000000006b6b46442210efccaa8866", &[]),
        ("08000000006b6b46", &[]),
        ("08000000006b6b46", &[]),
        ("09000000006b6b4600000000", &[]),
        ("09000000006b6b46a3016dcb", &[]),
        ("0a000000006b6b4600000000", &[]),
        ("0a000000006b6b46a3016dcb", &[]),
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
        ("01000000006b6b469b49f7a4529040ee4ba3fa51a9409df4c0660db45ac17219d00d4b88c5025693", &[]),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.words(0x0, 0x0, 0x0, 0x0) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("02000000006b6b46 11*2044", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.data(support::bytes(0x11, 0)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(
        (
            "03000000006b6b4699911a85ef59c42e3643000000000000f90c264a6d90b3d6131a0000000000005169bc5bf38a22baa5d3000000000000 74*200",
            &[],
        ),
        |answer| {
            let mut client = Client::new(support::answering(answer));
            match client.text(
                Manner::Plain,
                [Stamp { ticks: 0x0, mark: 0x0, last: false }; 3],
                support::text('m', 0),
            ) {
                Ok(_) => true,
                Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
                Err(other) => panic!("{other:?}"),
            }
        },
    );
    support::answer_storm(("04000000006b6b46a3016dcb", &[(Kind::Vmo, 0x400)]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.pass(0x0, support::handle(Kind::Vmo, 0x402)) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("05000000006b6b46442210efccaa8866", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.count(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("06000000006b6b46", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.crash() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("08000000006b6b46", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.doom() {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("09000000006b6b46a3016dcb", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.wait(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
    support::answer_storm(("0a000000006b6b46a3016dcb", &[]), |answer| {
        let mut client = Client::new(support::answering(answer));
        match client.release(0x0) {
            Ok(_) => true,
            Err(CallError::Service(_) | CallError::Protocol(Fault::Malformed | Fault::Refused)) => false,
            Err(other) => panic!("{other:?}"),
        }
    });
}
