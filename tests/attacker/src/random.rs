//! System calls at random, from a fixed seed: every number, half of the handles live ones, other arguments from sets of
//! bounds. Whatever they answer, it is something that they may answer, and when all they made is destroyed nothing is left.
//!
//! What must never happen here: a live handle among the arguments with which this program could end itself. So its own
//! process and quota are in the game with few rights, and a guessed handle has a generation that none will have.

use crate::lab::{END, Lab, NO_DEVICE, NO_SOURCE, Verdict, call, must};
use crate::places::Places;
use crate::record;
use alloc::string::String;
use alloc::vec::Vec;
use nexus_abi::bounds::{DEVICE_START, MAX_MESSAGE_BYTES, MAX_VMO_BYTES, USER_END};
use nexus_abi::{Error, Handle, Kind, NOW, Rights, Sysno, Tag};
use nexus_rt::sys;
use nexus_rt::sys::raw::MessageIn;

/// Calls between two reckonings.
const BATCH: usize = 2000;
const SEED: u64 = 0x2545_f491_4f6c_dd1d;
/// Pages that the game can use.
const PAGES: u64 = 600;
/// Live handles in the game: now and then more than the table of 64 has room for.
const MOST: usize = 48;
const PAGE: u64 = 4096;

/// xorshift64*: the same numbers for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        ((self.next() >> 33) % bound as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A batch of calls with everything that they use.
struct Game<'a> {
    lab: &'a Lab,
    random: Random,
    places: &'a Places,
    pond: u64,
    live: Vec<(Kind, u64)>,
    token: u64,
}

/// One batch; the seed goes on from one to the next.
pub fn calls(lab: &mut Lab) -> Verdict {
    lab.batches += 1;
    let seed = SEED.wrapping_mul(lab.batches);
    let places = Places::make(lab)?;
    let pond = must("quota", call(Sysno::quota_create, &[lab.spare, PAGES, 0]))?[0];
    let mut game =
        Game { lab, random: Random(seed), places: &places, pond, live: Vec::with_capacity(64), token: 0 };
    game.deal()?;
    for _ in 0..BATCH {
        game.turn();
    }
    let live = core::mem::take(&mut game.live);
    must("destroy", call(Sysno::quota_destroy, &[pond]))?;
    for (_, handle) in live {
        // Some have been sent away, or were closed.
        let _ = call(Sysno::handle_close, &[handle]);
    }
    crate::lab::close(pond)?;
    places.end(lab)
}

impl Game<'_> {
    /// The handles to begin with: of this program's own only what cannot hurt it.
    fn deal(&mut self) -> Result<(), String> {
        let lab = self.lab;
        let weak = Rights::INSPECT | Rights::WAIT | Rights::TRANSFER;
        let maker = Rights::CHARGE | Rights::SPLIT | Rights::INSPECT | Rights::DUPLICATE;
        let bearer = Rights::USE | Rights::INSPECT | Rights::DUPLICATE;
        let mint = Rights::MINT | Rights::INSPECT;
        for (kind, handle, rights) in [
            (Kind::Process, lab.own, weak),
            (Kind::Quota, self.pond, maker),
            (Kind::Quota, self.pond, maker),
            (Kind::Identity, lab.identity, bearer),
            (Kind::Identity, lab.minter, mint),
            (Kind::Resource, lab.machine, mint),
            (Kind::Resource, lab.counters, Rights::INSPECT),
        ] {
            let dup = must("dup", call(Sysno::handle_dup, &[handle, rights.bits().into()]))?[0];
            self.live.push((kind, dup));
        }
        Ok(())
    }

    fn turn(&mut self) {
        let number = loop {
            let number = self.random.below(Sysno::TABLE.len() + 1);
            match Sysno::from_raw(number as u64) {
                // It ends this thread, whatever it is told.
                Some(Sysno::thread_exit) => {}
                Some(number) => break number,
                None => {
                    let number = self.random.pick(&[number as u64, 63, 64, 1 << 32, u64::MAX, 1 << 63 | 1]);
                    record::any(number, [self.handle(Kind::Port); 7]);
                }
            }
        };
        match number {
            Sysno::channel_send
            | Sysno::channel_recv
            | Sysno::channel_call
            | Sysno::channel_reply
            | Sysno::reply_and_wait => self.message(number),
            _ => self.plain(number),
        }
        if self.live.len() > MOST && !self.random.one_in(8) {
            let (_, handle) = self.live.swap_remove(self.random.below(self.live.len()));
            let _ = call(Sysno::handle_close, &[handle]);
        }
        if self.live.len() < 8 {
            // Too much was closed or sent away.
            let _ = self.deal();
        }
    }

    /// A handle that is live half of the time, and mostly of the kind that is wanted.
    fn handle(&mut self, wanted: Kind) -> u64 {
        let any = self.live[self.random.below(self.live.len())].1;
        if self.random.one_in(2) {
            return self.random.pick(&[
                0,
                1 << 16,
                0xffff,
                u32::MAX.into(),
                any | 0xf000_0000,
                any | 0xff00,
                0xf001_0001,
            ]);
        }
        let of_kind = self.live.iter().filter(|(kind, _)| *kind == wanted).count();
        if of_kind == 0 || self.random.one_in(5) {
            return any;
        }
        let nth = self.random.below(of_kind);
        self.live.iter().filter(|(kind, _)| *kind == wanted).nth(nth).map_or(any, |(_, handle)| *handle)
    }

    fn address(&mut self) -> u64 {
        if self.random.one_in(2) { self.no_address() } else { self.places.good() }
    }

    /// Where nothing can be received.
    fn no_address(&mut self) -> u64 {
        match self.random.below(2) {
            0 => self.random.pick(&Places::unreadable(8)),
            _ => self.random.pick(&Places::unwritable(8)),
        }
    }

    fn number(&mut self) -> u64 {
        let near = self.random.pick(&[0, 1, 2, 7, 8, 31, 32, 48, 63, 64, 255, 256, 257, 1000, 1001]);
        let pages = self.random.pick(&[PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE, 1 << 21, MAX_VMO_BYTES]);
        let far = self.random.pick(&[
            MAX_VMO_BYTES + 1,
            u32::MAX as u64,
            1 << 32,
            1 << 63,
            u64::MAX,
            u64::MAX - PAGE + 1,
        ]);
        let kind = self.random.below(8);
        if kind < 4 {
            near
        } else if kind < 7 {
            pages
        } else {
            far
        }
    }

    fn rights(&mut self) -> u64 {
        let some = self.random.next() & Rights::all().bits() as u64;
        let all = self.random.pick(&[
            0,
            0x400,
            0xc00,
            0x1400,
            0x7,
            Rights::all().bits() as u64,
            1 << 30,
            1 << 32,
            u64::MAX,
        ]);
        if self.random.one_in(2) { some } else { all }
    }

    /// An argument by its name in the table.
    fn argument(&mut self, number: Sysno, name: &str) -> u64 {
        let any = self.live[self.random.below(self.live.len())].0;
        match name {
            "handle" | "object" => {
                let kind = if number == Sysno::port_bind {
                    self.random.pick(&[Kind::Channel, Kind::Timer, Kind::Process, Kind::Irq])
                } else {
                    any
                };
                self.handle(kind)
            }
            "quota" => self.handle(Kind::Quota),
            "port" => self.handle(Kind::Port),
            "process" => self.handle(Kind::Process),
            "vmo" => self.handle(Kind::Vmo),
            "memory" => {
                let kind = self.random.pick(&[Kind::Vmo, Kind::Vmo, Kind::Mmio]);
                self.handle(kind)
            }
            "identity" | "minter" => self.handle(Kind::Identity),
            "thread" => self.handle(Kind::Thread),
            "timer" => self.handle(Kind::Timer),
            "resource" => self.handle(Kind::Resource),
            "irq" => self.handle(Kind::Irq),
            "pool" => self.handle(Kind::Pool),
            "rights" | "access" => self.rights(),
            "address" if number == Sysno::vm_map || number == Sysno::vm_unmap => self.random.pick(&[
                0,
                0x10000,
                0x11000,
                0x10001,
                PAGE,
                DEVICE_START,
                DEVICE_START - PAGE,
                USER_END,
                0xffff_ffc0_0000_0000,
            ]),
            "address" => self.address(),
            "end0" | "end1" => self.random.pick(&[
                0,
                END,
                1,
                2 | 8 << 16,
                3 | 4096 << 16,
                256 | 8 << 16,
                257,
                1 << 48,
                4097 << 16,
                9 << 32,
            ]),
            "signals" => self.random.pick(&[0, 1, 4, 5, 7, 8, 16, 32, 1 << 16, 1 << 32, u64::MAX]),
            "bits" => self.random.pick(&[0, 1 << 16, 0xffff_0000, 1, 1 << 32, u64::MAX]),
            // The last topic that there is, and one that there is not.
            "topic" => match self.random.below(12) {
                11 => 11 + self.live.len() as u64 % 2,
                topic => topic as u64,
            },
            "from" => self.live.len() as u64,
            "cpu" => self.random.pick(&[0, 0, 0, 1, 1000, 1001, u64::MAX]),
            "pages" => {
                self.random.pick(&[0, 1, 3, 10, 600, 601, u32::MAX as u64 - 1, u32::MAX as u64, u64::MAX])
            }
            "handles" => self.random.pick(&[0, 1, 2, 8, 256, 257, 4096, 4097, u64::MAX]),
            "max_priority" | "priority" => self.random.pick(&[0, 1, 5, 9, 10, 11, 31, 32, u64::MAX]),
            "entry" => self.random.pick(&[PAGE, 0x10000, 0x10001, 0, USER_END - 4, USER_END, u64::MAX]),
            "stack" => self.random.pick(&[0, 16, 8, 0x20000, u64::MAX - 15]),
            "deadline" => self.deadline(),
            "base" => self.random.pick(&[
                NO_DEVICE,
                NO_DEVICE + PAGE,
                NO_DEVICE + 1,
                0x8000_0000,
                u64::MAX,
                1 << 55,
            ]),
            "source" => self.random.pick(&[NO_SOURCE, NO_SOURCE + 1, 0, 1 << 10, u64::MAX]),
            "code" => self.random.pick(&[0, 1, 0x8000, 0x8001, u64::MAX]),
            "service" => self.random.pick(&[0, 1, 77, u32::MAX as u64, 1 << 32]),
            _ => self.number(),
        }
    }

    fn deadline(&mut self) -> u64 {
        let now = nexus_rt::clock::now();
        self.random.pick(&[NOW, NOW, 1, now - 1, now + 20])
    }

    fn plain(&mut self, number: Sysno) {
        let info = &Sysno::TABLE[number as usize];
        let mut arguments = [0; 7];
        for (slot, name) in arguments.iter_mut().zip(info.arguments) {
            *slot = self.argument(number, name);
        }
        let outcome = record::any(number as u64, arguments);
        if outcome.status != 0 {
            return;
        }
        let kind = match number {
            Sysno::handle_dup | Sysno::channel_create => None,
            Sysno::port_create => Some(Kind::Port),
            Sysno::vmo_create | Sysno::pool_take => Some(Kind::Vmo),
            Sysno::process_create => Some(Kind::Process),
            Sysno::thread_create => Some(Kind::Thread),
            Sysno::timer_create => Some(Kind::Timer),
            Sysno::quota_create => Some(Kind::Quota),
            Sysno::identity_create => Some(Kind::Identity),
            Sysno::mmio_create => Some(Kind::Mmio),
            Sysno::irq_create => Some(Kind::Irq),
            Sysno::pool_create => Some(Kind::Pool),
            _ => return,
        };
        match (number, kind) {
            (Sysno::channel_create, _) => {
                outcome.results.into_iter().for_each(|end| self.live.push((Kind::Channel, end)));
            }
            (_, Some(kind)) => self.live.push((kind, outcome.results[0])),
            _ => self.arrived(outcome.results[0]),
        }
    }

    /// A handle of a kind that is to be asked for.
    fn arrived(&mut self, handle: u64) {
        // One whose object was destroyed on the way is a handle too, until it is closed.
        let kind = sys::handle_info(Handle(handle as u32)).map(|info| Kind::from_raw(info.kind as u8));
        self.live.push((kind.ok().flatten().unwrap_or(Kind::Vmo), handle));
    }

    fn message(&mut self, number: Sysno) {
        let kind = if number == Sysno::reply_and_wait { Kind::Port } else { Kind::Channel };
        let bytes = self.random.pick(&[0, 1, 8, 48, 49, 64, 65, MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES + 1]);
        let handles = self.random.pick(&[0, 0, 0, 1, 1, 2, 8, 9]);
        let room = (self.random.pick(&[0, 64, MAX_MESSAGE_BYTES]), self.random.pick(&[0, 1, 8]));
        let mut tag = Tag::new(bytes, handles).with_room(room.0, room.1);
        if self.random.one_in(16) {
            tag.0 |= 1 << self.random.below(64);
        }
        let list = self.places.good() + 2048;
        for n in 0..8 {
            let any = self.live[self.random.below(self.live.len())].0;
            let handle = self.handle(any) as u32;
            // SAFETY: memory that is mapped for this alone.
            unsafe { core::ptr::write_volatile((list as *mut u32).add(n), handle) };
        }
        let m = MessageIn {
            handle: self.handle(kind),
            tag,
            words: [self.random.next(); 6],
            bytes: self.address(),
            // What arrives elsewhere would be found by nobody, and never be closed.
            handles: if self.random.one_in(8) { self.no_address() } else { list },
            deadline: self.deadline(),
            token: self.random.pick(&[0, 0, self.token, self.token ^ 1 << 32, self.token + 1, u64::MAX, 1]),
        };
        let out = record::message(number, m);
        if out.token != 0 {
            self.token = out.token;
        }
        let received = out.status == 0 && matches!(number, Sysno::channel_recv | Sysno::reply_and_wait);
        if received && m.handles == list && Error::from_raw(out.status).is_none() {
            for n in 0..out.tag.handles() {
                // SAFETY: as above.
                let handle = unsafe { core::ptr::read_volatile((list as *const u32).add(n)) };
                self.arrived(handle.into());
            }
        }
    }
}
