//! What each kind of object costs: a quota of exactly that makes one, and a page less makes none and changes nothing.

use alloc::format;
use alloc::string::String;
use harness::{Bench, Verdict, expect, why};
use nexus_abi::bounds::PAGE_SIZE;
use nexus_abi::{Error, Handle, QuotaInfo};
use nexus_rt::{Any, Child, Limits, Owned, QuotaKind, sys};

use crate::clean;

/// An object's handles; a second one is `NONE` where there is none.
type Made = Result<[Owned<Any>; 2], Error>;

/// A way to make an object that is charged to a quota.
struct Maker {
    kind: &'static str,
    /// Pages that `docs/kernel-objects.md` says.
    pages: u64,
    make: fn(&Bench, &Owned<QuotaKind>) -> Made,
}

fn one(handle: Result<Handle, Error>) -> Made {
    handle.map(|handle| [Owned::from_handle(handle), Owned::from_handle(Handle::NONE)])
}

fn channel(quota: &Owned<QuotaKind>, end: sys::End) -> Made {
    let (near, far) = sys::channel_create(quota.handle(), end, end)?;
    Ok([Owned::from_handle(near), Owned::from_handle(far)])
}

fn process(bench: &Bench, quota: &Owned<QuotaKind>, handles: u16) -> Made {
    let limits = Limits { handles, priority: 1, cpu: 0 };
    one(Child::create(quota, &bench.identity, limits).map(|child| child.into_process().into_handle()))
}

/// A thread of another process, which ends with it.
fn thread(bench: &Bench, quota: &Owned<QuotaKind>) -> Made {
    let [process, _] = process(bench, bench.quota, 8)?;
    let thread = sys::thread_create(process.handle(), quota.handle(), 1)?;
    Ok([Owned::from_handle(thread), process])
}

const MAKERS: &[Maker] = &[
    Maker { kind: "port", pages: 1, make: |_, quota| one(sys::port_create(quota.handle())) },
    Maker { kind: "timer", pages: 1, make: |_, quota| one(sys::timer_create(quota.handle())) },
    Maker {
        kind: "identity",
        pages: 1,
        make: |bench, quota| one(sys::identity_create(bench.minter.handle(), quota.handle(), 70_000)),
    },
    Maker {
        kind: "vmo of 1 page",
        pages: 2,
        make: |_, quota| one(sys::vmo_create(quota.handle(), PAGE_SIZE as u64)),
    },
    Maker {
        kind: "vmo of 2 pages",
        pages: 4,
        make: |_, quota| one(sys::vmo_create(quota.handle(), 2 * PAGE_SIZE as u64)),
    },
    Maker {
        kind: "channel for calls alone",
        pages: 1,
        make: |_, quota| channel(quota, sys::End { depth: 0, bytes: 4096, handles: 8 }),
    },
    Maker {
        kind: "channel with room for 16 messages of 256 bytes each way",
        pages: 5,
        make: |_, quota| channel(quota, sys::End { depth: 16, bytes: 256, handles: 0 }),
    },
    Maker { kind: "process with 256 handles", pages: 3, make: |bench, quota| process(bench, quota, 256) },
    Maker { kind: "process with 257 handles", pages: 4, make: |bench, quota| process(bench, quota, 257) },
    Maker { kind: "thread", pages: 2, make: thread },
    Maker {
        kind: "quota of 10 pages",
        pages: 11,
        make: |_, quota| one(sys::quota_create(quota.handle(), 10, 0)),
    },
];

fn info(quota: &Owned<QuotaKind>) -> Result<QuotaInfo, String> {
    why("quota", quota.info())
}

/// Each kind costs what the page says.
pub fn costs(bench: &Bench) -> Verdict {
    clean(bench, || {
        for maker in MAKERS {
            let quota = why("split", bench.quota.split(1000, 0))?;
            let made = why(maker.kind, (maker.make)(bench, &quota))?;
            let now = info(&quota)?;
            let told = format!("{}: {now:?}", maker.kind);
            expect((now.pages_used, now.objects) == (maker.pages, 1), &told)?;
            drop(made);
            why("destroy", quota.destroy())?;
        }
        Ok(())
    })
}

/// At the bound there is one; one past it `QuotaExceeded`, and nothing has changed.
pub fn bounds(bench: &Bench) -> Verdict {
    clean(bench, || {
        for maker in MAKERS {
            let exact = why("split", bench.quota.split(maker.pages, 0))?;
            let made = why(maker.kind, (maker.make)(bench, &exact))?;
            let full = info(&exact)?;
            let more = (maker.make)(bench, &exact).err();
            expect(more == Some(Error::QuotaExceeded), &format!("a second {}: {more:?}", maker.kind))?;
            expect(info(&exact)? == full, &format!("{}: a refusal changed the charges", maker.kind))?;
            drop(made);
            why("destroy", exact.destroy())?;

            let short = why("split", bench.quota.split(maker.pages - 1, 0))?;
            let before = info(&short)?;
            let refused = (maker.make)(bench, &short).err();
            expect(refused == Some(Error::QuotaExceeded), &format!("{} for less: {refused:?}", maker.kind))?;
            expect(info(&short)? == before, &format!("{}: a refusal changed the charges", maker.kind))?;
            why("destroy", short.destroy())?;
        }
        Ok(())
    })
}

/// What a quota splits off counts whole, and more than it has cannot be split off.
pub fn children(bench: &Bench) -> Verdict {
    const PAGES: u64 = 100;
    clean(bench, || {
        let parent = why("split", bench.quota.split(PAGES, 0))?;
        let child = why("split at the bound", parent.split(PAGES - 1, 0))?;
        expect(info(&parent)?.pages_used == PAGES, "a child does not count whole")?;
        let more = parent.split(0, 0).err();
        expect(more == Some(Error::QuotaExceeded), &format!("one past it: {more:?}"))?;
        let grandchild = why("split again", child.split(PAGES - 2, 0))?;
        expect(info(&child)?.pages_used == PAGES - 1, "a grandchild does not count whole")?;
        let made = why("vmo", sys::vmo_create(grandchild.handle(), 96 * PAGE_SIZE as u64))?;
        expect(info(&parent)?.pages_used == PAGES, "what is charged below counts twice")?;
        let past = parent.split(0, 1).err();
        expect(past == Some(Error::QuotaExceeded), &format!("a share that nobody has: {past:?}"))?;
        why("destroy", child.destroy())?;
        let stale = sys::handle_info(made).err();
        expect(stale == Some(Error::BadHandle), "an object of a grandchild outlived its end")?;
        why("close", sys::handle_close(made))?;
        let stale = grandchild.info().err();
        expect(stale == Some(Error::BadHandle), "a grandchild outlived its parent")?;
        expect(info(&parent)?.pages_used == 0, "something is still charged")
    })
}
