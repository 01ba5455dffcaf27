//! Every refusal that the system calls of devices declare, each asked for on purpose: (call, error) by (call, error), so that none is
//! only come by through chance.

use crate::lab::{Lab, NO_DEVICE, NO_SOURCE, Verdict, call, close, expect, must, refused};
use alloc::format;
use alloc::vec::Vec;
use nexus_abi::bounds::{MAX_MMIO_BYTES, MAX_POOL_BYTES};
use nexus_abi::{Error, Kind, Rights, Sysno};

const PAGE: u64 = 4096;
/// First address of RAM on QEMU's `virt`.
const RAM: u64 = 0x8000_0000;

/// The calls that are gone through.
const CALLS: [Sysno; 5] =
    [Sysno::mmio_create, Sysno::irq_create, Sysno::irq_ack, Sysno::pool_create, Sysno::pool_take];

/// Each declared refusal of each of them.
pub fn pairs(lab: &mut Lab) -> Verdict {
    use Error as E;
    use Sysno as S;
    let without = |handle, kind: Kind, right: Rights| {
        must("dup", call(S::handle_dup, &[handle, (kind.all_rights() - right).bits().into()]))
    };
    let [window, irq, pool] =
        [Kind::Mmio, Kind::Irq, Kind::Pool].map(|kind| lab.make(kind).map(|made| made[0]));
    let (window, irq, pool) = (window?, irq?, pool?);
    let poor = must("quota", call(S::quota_create, &[lab.spare, 0, 0]))?[0];
    // What a pool of one page costs, and nothing for a vmo of it.
    let tight = must("quota", call(S::quota_create, &[lab.spare, 2, 0]))?[0];
    let dear = must("pool", call(S::pool_create, &[lab.machine, tight, PAGE]))?[0];
    let rich = lab.make(Kind::Quota)?[0];
    let [no_charge, no_manage, no_dma] = [
        without(rich, Kind::Quota, Rights::CHARGE)?[0],
        without(irq, Kind::Irq, Rights::MANAGE)?[0],
        without(pool, Kind::Pool, Rights::DMA)?[0],
    ];
    let (machine, weak, spare, none) = (lab.machine, lab.counters, lab.spare, window ^ 1 << 31);
    let free = NO_DEVICE + PAGE;
    let cases: &[(Sysno, Error, [u64; 4])] = &[
        (S::mmio_create, E::BadHandle, [none, spare, free, PAGE]),
        (S::mmio_create, E::BadHandle, [machine, none, free, PAGE]),
        (S::mmio_create, E::WrongType, [spare, spare, free, PAGE]),
        (S::mmio_create, E::WrongType, [machine, machine, free, PAGE]),
        (S::mmio_create, E::AccessDenied, [weak, spare, free, PAGE]),
        (S::mmio_create, E::AccessDenied, [machine, no_charge, free, PAGE]),
        (S::mmio_create, E::AccessDenied, [machine, spare, RAM, PAGE]),
        (S::mmio_create, E::AccessDenied, [machine, spare, RAM - PAGE, 2 * PAGE]),
        (S::mmio_create, E::Invalid, [machine, spare, free, PAGE + 1]),
        (S::mmio_create, E::Invalid, [machine, spare, free + 1, PAGE]),
        (S::mmio_create, E::Invalid, [machine, spare, free, MAX_MMIO_BYTES + PAGE]),
        (S::mmio_create, E::Invalid, [machine, spare, u64::MAX - PAGE + 1, 2 * PAGE]),
        (S::mmio_create, E::Exists, [machine, spare, NO_DEVICE, PAGE]),
        (S::mmio_create, E::Exists, [machine, spare, NO_DEVICE - PAGE, 3 * PAGE]),
        (S::mmio_create, E::QuotaExceeded, [machine, poor, free, PAGE]),
        (S::irq_create, E::BadHandle, [none, spare, NO_SOURCE + 1, 0]),
        (S::irq_create, E::BadHandle, [machine, none, NO_SOURCE + 1, 0]),
        (S::irq_create, E::WrongType, [irq, spare, NO_SOURCE + 1, 0]),
        (S::irq_create, E::WrongType, [machine, irq, NO_SOURCE + 1, 0]),
        (S::irq_create, E::AccessDenied, [weak, spare, NO_SOURCE + 1, 0]),
        (S::irq_create, E::AccessDenied, [machine, no_charge, NO_SOURCE + 1, 0]),
        (S::irq_create, E::Invalid, [machine, spare, 0, 0]),
        (S::irq_create, E::Invalid, [machine, spare, 1 << 32 | NO_SOURCE, 0]),
        (S::irq_create, E::Exists, [machine, spare, NO_SOURCE, 0]),
        (S::irq_create, E::QuotaExceeded, [machine, poor, NO_SOURCE + 1, 0]),
        (S::irq_ack, E::BadHandle, [none, 0, 0, 0]),
        (S::irq_ack, E::WrongType, [window, 0, 0, 0]),
        (S::irq_ack, E::AccessDenied, [no_manage, 0, 0, 0]),
        (S::pool_create, E::BadHandle, [none, spare, PAGE, 0]),
        (S::pool_create, E::BadHandle, [machine, none, PAGE, 0]),
        (S::pool_create, E::WrongType, [pool, spare, PAGE, 0]),
        (S::pool_create, E::WrongType, [machine, pool, PAGE, 0]),
        (S::pool_create, E::AccessDenied, [weak, spare, PAGE, 0]),
        (S::pool_create, E::AccessDenied, [machine, no_charge, PAGE, 0]),
        (S::pool_create, E::Invalid, [machine, spare, 0, 0]),
        (S::pool_create, E::Invalid, [machine, spare, MAX_POOL_BYTES + 1, 0]),
        (S::pool_create, E::QuotaExceeded, [machine, poor, PAGE, 0]),
        (S::pool_take, E::BadHandle, [none, PAGE, 0, 0]),
        (S::pool_take, E::WrongType, [irq, PAGE, 0, 0]),
        (S::pool_take, E::AccessDenied, [no_dma, PAGE, 0, 0]),
        (S::pool_take, E::Invalid, [pool, 0, 0, 0]),
        (S::pool_take, E::Invalid, [pool, MAX_POOL_BYTES + 1, 0, 0]),
        // More than the pool has, and a vmo that its quota has no page for.
        (S::pool_take, E::QuotaExceeded, [pool, PAGE + 1, 0, 0]),
        (S::pool_take, E::QuotaExceeded, [dear, PAGE, 0, 0]),
    ];
    // With no room for a handle more.
    let full: &[(Sysno, Error, [u64; 4])] = &[
        (S::mmio_create, E::NoSpace, [machine, spare, free, PAGE]),
        (S::irq_create, E::NoSpace, [machine, spare, NO_SOURCE + 1, 0]),
        (S::pool_create, E::NoSpace, [machine, spare, PAGE, 0]),
        (S::pool_take, E::NoSpace, [pool, PAGE, 0, 0]),
    ];
    let ask = |cases: &[(Sysno, Error, [u64; 4])]| {
        cases.iter().enumerate().try_for_each(|(n, (number, error, arguments))| {
            refused(&format!("{number:?}, case {n}"), call(*number, arguments), *error)
        })
    };
    ask(cases)?;
    let mut filler = Vec::with_capacity(crate::lab::OWN_HANDLES);
    while let Ok(made) = call(S::handle_dup, &[lab.identity, 0]) {
        filler.push(made[0]);
    }
    let outcome = ask(full);
    filler.into_iter().try_for_each(close)?;
    outcome?;
    for info in Sysno::TABLE.iter().filter(|info| CALLS.contains(&info.number)) {
        for error in info.errors {
            let asked = |case: &&(Sysno, Error, [u64; 4])| (case.0, case.1) == (info.number, *error);
            let what = format!("{}:{} is not asked for", info.name, error.name());
            expect(cases.iter().chain(full).any(|case| asked(&case)), &what)?;
        }
    }
    // None of it took what it was refused.
    let again = must("a window", call(S::mmio_create, &[machine, spare, free, PAGE]))?[0];
    [again, no_dma, no_manage, no_charge, rich, dear, tight, poor, pool, irq, window]
        .into_iter()
        .try_for_each(close)
}
