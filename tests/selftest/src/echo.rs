//! A generated client and a generated server in two processes: answers, errors, deadlines, the server's death in
//! the middle of a call, and the new connection after it.

use nexus_abi::Rights;
use nexus_rt::api::echo::{Client, Error, MAX_DATA, Manner, Stamp};
use nexus_rt::samgr::{self, Service};
use nexus_rt::wire::{Bytes, CallError, Fault, SendError, Text};
use nexus_rt::{Owned, Vmo};

use crate::{Bench, Verdict, expect, why};

/// What a client of the echo service sees in its life.
pub fn calls(bench: &Bench) -> Verdict {
    let mut echo = Client::new(Service("echo"));
    let words = why("words", echo.words(1, 2, 3, u64::MAX))?;
    expect((words.a, words.b, words.c, words.d) == (1, 2, 3, u64::MAX), "other words came back")?;

    let largest = [0x5a; MAX_DATA];
    for length in [0, 1, 40, 41, MAX_DATA] {
        let data = Bytes::new(&largest[..length]).map_err(|_| "too long")?;
        let back = why("data", echo.data(data))?;
        expect(back.data == data, "other bytes came back")?;
    }

    let stamps = [7, 8, 9].map(|ticks| Stamp { ticks, mark: 1, last: ticks == 9 });
    let loud = why("text", echo.text(Manner::Loud, stamps, Text::cut("abc é")))?;
    expect(loud.text.get() == "ABC É" && loud.stamps == stamps, "the text is not as asked")?;
    let empty = echo.text(Manner::Plain, stamps, Text::cut("")).map(|_| ());
    expect(empty == Err(CallError::Service(Error::Invalid)), "an error did not arrive as itself")?;

    let vmo = why("vmo", Owned::<Vmo>::create(bench.quota, 4096))?;
    let less = why("dup", vmo.duplicate(Rights::READ | Rights::TRANSFER | Rights::INSPECT))?;
    let back = why("pass", echo.pass(3, less.into()))?;
    let memory: Owned<Vmo> = back.memory.into();
    expect(why("size", memory.info())?.size == 4096, "the memory is not the one that was passed")?;
    let unreadable = why("dup", vmo.duplicate(Rights::TRANSFER))?;
    let refused = echo.pass(3, unreadable.into()).map(|_| ());
    expect(refused == Err(CallError::Protocol(Fault::Refused)), "a handle without READ was taken")?;

    let before = why("count", echo.count(0))?.total;
    why("note", echo.note(5))?;
    let after = why("count", echo.count(1))?.total;
    expect(after == before + 6, "a note before a call was not counted before it")
}

/// Calls that the server keeps: their deadline passes, and nobody else waits.
pub fn deadline(_bench: &Bench) -> Verdict {
    let mut echo = Client::new(Service("echo"));
    let waited = echo.wait(1).map(|_| ());
    expect(waited == Err(CallError::TimedOut), "a call that nobody answers did not time out")?;
    let mut other = Client::new(Service("echo"));
    expect(other.words(1, 2, 3, 4).is_ok(), "a kept call holds up another client")?;
    // The promise is still there; its caller is not. The server survives keeping it.
    let released = why("release", other.release(1))?.released;
    expect(released == 1, "the kept call was forgotten")?;
    expect(echo.words(1, 2, 3, 4).is_ok(), "the server did not survive a caller that is gone")
}

/// The server dies in the middle of calls. Nothing hides it, and the next call finds the new server.
pub fn death(_bench: &Bench) -> Verdict {
    let mut echo = Client::new(Service("echo"));
    let before = why("count", echo.count(10))?.total;
    expect(before >= 10, "the counter does not count")?;

    let crashed = echo.crash();
    expect(crashed == Err(CallError::ServerDied), "the death in the middle of a call was not seen")?;
    let words = why("words after the death", echo.words(4, 3, 2, 1))?;
    expect(words.a == 4, "the new server answers otherwise")?;
    expect(why("count", echo.count(1))?.total == 1, "something of the old server is left in the new one")?;

    // An operation that is not idempotent is not tried again: it was asked once, of a server that died of it.
    why("doom", echo.doom())?;
    let counted = echo.count(100).map(|_| ());
    expect(
        counted == Err(CallError::ServerDied),
        "a call that is made once was tried again, or did not end",
    )?;
    expect(why("count", echo.count(0))?.total == 0, "the new server had counted")?;

    // One that is idempotent is: the caller sees nothing of the death.
    why("doom", echo.doom())?;
    let words = why("words across the death", echo.words(9, 8, 7, 6))?;
    expect(words.d == 6, "the answer after the death is another")?;
    expect(why("count", echo.count(0))?.total == 0, "the server had not died at all")
}

/// A service that this process may not use looks like one that does not exist.
pub fn undeclared(_bench: &Bench) -> Verdict {
    use nexus_rt::api::samgr::Error as Denial;
    for name in ["services", "spawn", "no-such-service"] {
        let refused = samgr::connect(name).err();
        expect(
            refused == Some(CallError::Service(Denial::PermissionDenied)),
            "an undeclared edge was connected",
        )?;
    }
    let mut echo = Client::new(Service("spawn"));
    let denied = Err(CallError::Protocol(Fault::Denied));
    expect(echo.words(1, 2, 3, 4).map(|_| ()) == denied, "a client does not tell that it may not connect")?;
    expect(echo.note(1) == Err(SendError::Protocol(Fault::Denied)), "a sender does not tell it")
}
