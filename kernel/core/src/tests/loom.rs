//! The kernel under Loom: its own functions, on its own data structures, in every interleaving of several harts and with
//! every value that Rust's memory model lets a load read.
//!
//! A model is built once, outside of Loom, as plain memory. Then each run starts from that memory: a cell that any run
//! writes is an atomic of Loom's, under the cell's address; all others stay as they were. Which are written is found by
//! running: a write to a cell that is not known yet starts the exploration again. After the harts have ended, the last
//! values lie in a table beside the memory, where the model's checks go on to read and write.
//!
//! Two things are simpler than in the machine: a sequentially consistent load or store counts as acquire and release
//! (fences are what they should be), and a frame that is zeroed for its next object is zeroed at once.

use super::atomics::Change;
use crate::memory::{Frame, KernelBytes, Memory};
use crate::sync::Cell64;
use ::loom::model::Builder;
use ::loom::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering;
use nexus_abi::bounds::PAGE_SIZE;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Which part of a run it is.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Plain memory.
    Build,
    /// The harts run.
    Harts,
    /// They have ended.
    After,
}

/// A cell that some run writes.
pub struct Atom {
    value: AtomicU64,
    /// What the last step that wrote it wrote: what the next one finds, but for what Loom reorders.
    last: Cell<u64>,
}

/// A value that no cell has, to read the newest one without storing.
const IMPOSSIBLE: u64 = 0x5ee5_0bad_5ee5_0bad;

/// What is known beside the plain memory.
struct Steer {
    phase: Phase,
    /// Cells that some run writes, with the value that each begins with.
    known: BTreeMap<usize, u64>,
    atoms: BTreeMap<usize, Rc<Atom>>,
    after: BTreeMap<usize, u64>,
    /// Words that were zeroed and had no cell written in them.
    zeroed: BTreeSet<usize>,
    /// Harts that wait for the lock at an address.
    waiting: Vec<(usize, ::loom::thread::Thread)>,
}

impl Steer {
    const NEW: Steer = Steer {
        phase: Phase::Build,
        known: BTreeMap::new(),
        atoms: BTreeMap::new(),
        after: BTreeMap::new(),
        zeroed: BTreeSet::new(),
        waiting: Vec::new(),
    };
}

thread_local! {
    static STEER: RefCell<Steer> = const { RefCell::new(Steer::NEW) };
}

::loom::thread_local! {
    static HART: Cell<usize> = Cell::new(0);
}

/// Thrown when a run writes a cell that was not known to be written.
struct Again;

/// Where an access goes.
pub enum Place {
    /// To plain memory.
    Memory,
    /// To Loom.
    Atom(Rc<Atom>),
    /// To a cell that is not known to be written, reads as this, and was that when the run began.
    Unknown(usize, u64, u64),
    /// To the table of last values.
    After(usize, u64),
}

pub fn place(address: usize, memory: impl FnOnce() -> u64) -> Place {
    STEER.with_borrow(|steer| match steer.phase {
        Phase::Build => Place::Memory,
        // What unwinds does not go on as a hart.
        Phase::Harts if std::thread::panicking() => Place::After(address, 0),
        Phase::Harts => match steer.atoms.get(&address) {
            Some(atom) => Place::Atom(atom.clone()),
            None => {
                let first = memory();
                let now = if steer.zeroed.contains(&(address & !7)) { 0 } else { first };
                Place::Unknown(address, now, first)
            }
        },
        Phase::After => Place::After(
            address,
            steer
                .after
                .get(&address)
                .copied()
                .unwrap_or_else(|| if steer.zeroed.contains(&(address & !7)) { 0 } else { memory() }),
        ),
    })
}

fn learn(address: usize, value: u64) -> ! {
    STEER.with_borrow_mut(|steer| steer.known.insert(address, value));
    std::panic::resume_unwind(Box::new(Again))
}

impl Place {
    pub fn load(&self, order: Ordering) -> Option<u64> {
        match self {
            Place::Memory => None,
            Place::Atom(atom) => Some(atom.value.load(order)),
            Place::Unknown(_, value, _) | Place::After(_, value) => Some(*value),
        }
    }

    pub fn store(&self, value: u64, order: Ordering) -> Option<()> {
        match self {
            Place::Memory => return None,
            Place::Atom(atom) => {
                atom.value.store(value, order);
                atom.last.set(value);
            }
            Place::Unknown(address, _, first) => learn(*address, *first),
            Place::After(address, _) => STEER.with_borrow_mut(|steer| {
                steer.after.insert(*address, value);
            }),
        }
        Some(())
    }

    pub fn change(&self, change: Change, order: Ordering) -> Option<u64> {
        let apply = |old: u64| match change {
            Change::Swap(value) => value,
            Change::Or(value) => old | value,
            Change::And(value) => old & value,
            Change::Add(value) => old + value,
            Change::Sub(value) => old - value,
        };
        let Place::Atom(atom) = self else {
            let old = self.load(Ordering::Relaxed)?;
            self.store(apply(old), order);
            return Some(old);
        };
        // What changes nothing stores nothing: Loom does not keep such a store next to what it read.
        let mut old = atom.last.get();
        loop {
            let new = apply(old);
            let expected = if new == old { IMPOSSIBLE } else { old };
            match atom.value.compare_exchange(expected, new, order, Ordering::Relaxed) {
                Err(now) if apply(now) != now => old = now,
                Err(now) => return Some(now),
                Ok(now) => {
                    atom.last.set(new);
                    return Some(now);
                }
            }
        }
    }
}

/// Zeroes a word of a frame that was free; false while a model is being built: its memory is what it seems.
pub fn zero(address: usize) -> bool {
    let written: Vec<usize> = STEER.with_borrow_mut(|steer| {
        if steer.phase != Phase::Build {
            steer.zeroed.insert(address);
        }
        [address, address + 4].into_iter().filter(|at| steer.known.contains_key(at)).collect()
    });
    for at in written {
        place(at, || 0).store(0, Ordering::Relaxed);
    }
    STEER.with_borrow(|steer| steer.phase != Phase::Build)
}

/// The words that some bytes of the bank are, if they are whole ones in one frame.
fn words<'m>(memory: &'m Memory, bytes: KernelBytes<'_>) -> Option<&'m [Cell64]> {
    let first = memory.bytes(Frame(1), 0, PAGE_SIZE).start().addr();
    let offset = bytes.start().addr().checked_sub(first)?;
    let frame = memory.frame_from_raw(u32::try_from(offset / PAGE_SIZE + 1).ok()?)?;
    let (at, end) = (offset % PAGE_SIZE, offset % PAGE_SIZE + bytes.len());
    if (at | end) % size_of::<u64>() != 0 {
        return None;
    }
    memory.page::<[Cell64; 512]>(frame).get(at / size_of::<u64>()..end / size_of::<u64>())
}

/// Copies bytes of the bank word by word, so that others see each and may come between. False: they are no such words.
pub fn copied_as_words(memory: &Memory, to: KernelBytes<'_>, from: KernelBytes<'_>) -> bool {
    let (Some(to), Some(from)) = (words(memory, to), words(memory, from)) else { return false };
    to.iter().zip(from).for_each(|(to, from)| to.set(from.get()));
    true
}

pub fn pause() {
    match STEER.with_borrow(|steer| steer.phase) {
        Phase::Harts => ::loom::thread::yield_now(),
        _ => panic!("nobody is there to wait for"),
    }
}

/// A hart found the lock at `address` taken, and waits until it is free: harts that spin would be explored for ever.
pub fn wait_for(address: usize) {
    let me = ::loom::thread::current();
    STEER.with_borrow_mut(|steer| steer.waiting.push((address, me)));
    ::loom::thread::park();
}

/// The lock at `address` is free.
pub fn is_free(address: usize) {
    let woken: Vec<_> = STEER.with_borrow_mut(|steer| {
        let (woken, waiting) =
            core::mem::take(&mut steer.waiting).into_iter().partition(|(at, _)| *at == address);
        steer.waiting = waiting;
        woken
    });
    if !std::thread::panicking() {
        woken.into_iter().for_each(|(_, hart)| hart.unpark());
    }
}

pub fn fence(order: Ordering) {
    if STEER.with_borrow(|steer| steer.phase) == Phase::Harts {
        ::loom::sync::atomic::fence(order);
    }
}

/// The hart whose code runs, while the harts run.
pub fn current() -> Option<usize> {
    let running = STEER.with_borrow(|steer| steer.phase == Phase::Harts);
    running.then(|| HART.with(Cell::get))
}

/// What a hart does in a model.
type Work<M> = fn(&M);

/// Explores a model: `build` makes it, each of `work` is what a hart does (0, 1, …), `check` looks at the end of each
/// run, when every hart is done. `preemptions`: how many times a run takes the processor from a hart that could go on,
/// at most, in the quick lane; `NX_LOOM_MORE` adds to it.
pub fn explore<M: Sync>(preemptions: usize, build: fn() -> M, work: &'static [Work<M>], check: fn(&M)) {
    STEER.with_borrow_mut(|steer| *steer = Steer::NEW);
    let model: &'static M = Box::leak(Box::new(build()));
    let more: usize = std::env::var("NX_LOOM_MORE").map_or(0, |text| text.parse().expect("a number"));
    let runs: &'static std::sync::atomic::AtomicUsize = Box::leak(Box::default());
    let run = move || {
        runs.fetch_add(1, Ordering::Relaxed);
        begin();
        let harts: Vec<_> = (work.iter().enumerate())
            .map(|(n, work)| {
                let body = move || {
                    HART.with(|hart| hart.set(n));
                    work(model);
                };
                let thread = ::loom::thread::Builder::new().stack_size(STACK);
                thread.spawn(body).expect("a thread of Loom's")
            })
            .collect();
        harts.into_iter().for_each(|hart| hart.join().expect("a hart"));
        end();
        check(model);
        STEER.with_borrow_mut(|steer| steer.phase = Phase::Build);
    };
    loop {
        let mut builder = Builder::new();
        builder.max_branches = 100_000;
        builder.preemption_bound = Some(preemptions + more);
        runs.store(0, Ordering::Relaxed);
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| builder.check(run)));
        STEER.with_borrow_mut(|steer| steer.phase = Phase::Build);
        match done {
            Ok(()) => break,
            Err(thrown) if thrown.is::<Again>() => continue,
            Err(thrown) => std::panic::resume_unwind(thrown),
        }
    }
    let cells = STEER.with_borrow(|steer| steer.known.len());
    println!("{} runs over {cells} cells", runs.load(Ordering::Relaxed));
}

/// Words of stack of a hart.
const STACK: usize = 0x1_0000;

/// The harts are about to run.
fn begin() {
    STEER.with_borrow_mut(|steer| {
        steer.phase = Phase::Harts;
        steer.zeroed.clear();
        steer.waiting.clear();
        steer.after.clear();
        steer.atoms = steer
            .known
            .iter()
            .map(|(at, value)| {
                (*at, Rc::new(Atom { value: AtomicU64::new(*value), last: Cell::new(*value) }))
            })
            .collect();
    });
}

/// All harts have ended: what they wrote last is what there is.
fn end() {
    let last = STEER.with_borrow(|steer| steer.atoms.clone());
    let last = last.into_iter().map(|(at, atom)| (at, atom.value.load(Ordering::Relaxed))).collect();
    STEER.with_borrow_mut(|steer| {
        steer.after = last;
        steer.atoms.clear();
        steer.phase = Phase::After;
    });
}
