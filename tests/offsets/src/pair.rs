//! A client and a server in processes of their own, made of nothing but the code and a page of data each, so that making and
//! ending the two is cheap. Everything of theirs is charged to one quota, whose charges tell what is left of them.

use alloc::format;
use alloc::string::String;
use core::cell::Cell;
use nexus_abi::bounds::{PAGE_SIZE, REGISTER_BYTES};
use nexus_abi::{Error, NEVER, NOW, QuotaInfo, Rights, Signals, Tag, Ticks};
use nexus_rt::memory::Mapping;
use nexus_rt::{
    Any, Channel, Child, End, Handles, Limits, Owned, PortKind, ProcessKind, QuotaKind, TimerKind, Vmo,
    clock, sys,
};

use crate::code::{self, at};
use harness::{Bench, expect, why};

const PAGE: u64 = PAGE_SIZE as u64;
/// Where the two find their page and their code.
const DATA: u64 = 0x10_0000_0000;
/// See [`DATA`].
pub const CODE: u64 = 0x10_0010_0000;
/// Keys at the driver's port.
const TIMER: u64 = 1;
/// See [`TIMER`].
const ENDED: [u64; 2] = [2, 3];
/// Below the driver's, so that the driver's wake-up is what interrupts them; the server's is at least the client's.
const PRIORITY: [u8; 2] = [8, 9];
/// Pages and processor share that the two have together.
const PAGES: u64 = 120;
const CPU: u64 = 0;
/// Handle table of each.
const HANDLES: u16 = 16;
/// Handles that each has for itself: its bootstrap endpoint, its endpoint, the quota and its port.
pub const OWN_HANDLES: u32 = 4;
/// Calls before the measured one: the first takes what the later ones find.
pub const WARM: u64 = 3;
/// Ticks from arming to the interrupt: enough for both to begin and to warm up.
const AHEAD: u64 = 600;
/// Instructions in a tick: 100 nanoseconds, of which each takes one.
pub const TICK: u64 = 100;
/// A `lead` with which the interrupt surely comes before the measured call begins: how long it takes the timer to be set
/// makes it late by less than a tick.
pub const EARLIEST: u64 = (AHEAD + 1) * TICK + 20;
/// How long an end may take before it counts as a hang.
const PATIENCE_MS: u64 = 2000;
/// How long somebody is given at a time to come to rest: long enough for the driver not to run in the middle of a call.
const REST: Ticks = 3 * AHEAD;
/// Most such times.
const RESTS: usize = 20;
/// Most times that a round is done until nobody disturbs it.
const MOST_TRIES: usize = 5;
/// A driver that rests so many times as long as it worked is far from using up its share of 100 thousandths.
const REST_FACTOR: u64 = 20;

/// The longest deadline that any interface declares (that of `start`).
const LONGEST_DEADLINE_MS: u64 = 60_000;

/// What a call carries each way.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What it is called.
    pub name: &'static str,
    /// The longest that it may take, in instructions, there and back.
    pub longest: u64,
    /// Bytes.
    pub bytes: usize,
    /// Handles.
    pub handles: usize,
    /// Whether the server answers and waits in two system calls.
    pub apart: bool,
}

/// One of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The one that calls.
    Client = 0,
    /// The one that answers.
    Server = 1,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

/// What pairs are made with.
pub struct Stage<'a> {
    pub bench: &'a Bench,
    quota: Owned<QuotaKind>,
    code: Owned<Vmo>,
    pages: [(Owned<Vmo>, Mapping); 2],
    port: Owned<PortKind>,
    timer: Owned<TimerKind>,
    /// Processor time that had been used when the driver last rested.
    rested_at: Cell<Ticks>,
    /// How long it takes to set the timer while nobody else waits for a time.
    setting: Cell<u64>,
    /// Rounds that were disturbed.
    disturbed: Cell<u64>,
}

/// A running pair.
pub struct Pair {
    processes: [Owned<ProcessKind>; 2],
}

impl Pair {
    /// The process of a side.
    pub fn process(&self, side: Side) -> &Owned<ProcessKind> {
        &self.processes[side as usize]
    }
}

impl<'a> Stage<'a> {
    /// Everything that outlives a pair.
    pub fn new(bench: &'a Bench) -> Result<Stage<'a>, String> {
        let size = (code::bytes().len() as u64).next_multiple_of(PAGE);
        let draft = why("code", Owned::<Vmo>::create(bench.quota, size))?;
        why("map", draft.map(bench.own, 0, size, Rights::READ | Rights::WRITE))
            .and_then(|mapping| why("write", mapping.write(0, code::bytes())))?;
        let page = || -> Result<(Owned<Vmo>, Mapping), String> {
            let vmo = why("page", Owned::<Vmo>::create(bench.quota, PAGE))?;
            let mapping = why("map", vmo.map(bench.own, 0, PAGE, Rights::READ | Rights::WRITE))?;
            Ok((vmo, mapping))
        };
        let stage = Stage {
            bench,
            quota: why("quota", bench.quota.split(PAGES, CPU))?,
            code: why("seal", draft.into_sealed())?,
            pages: [page()?, page()?],
            port: why("port", Owned::<PortKind>::create(bench.quota))?,
            timer: why("timer", Owned::<TimerKind>::create(bench.quota))?,
            rested_at: Cell::new(0),
            setting: Cell::new(0),
            disturbed: Cell::new(0),
        };
        why("bind", stage.port.bind(&stage.timer, TIMER, Signals::EXPIRED))?;
        stage.calm()?;
        Ok(stage)
    }

    /// Deadlines of calls that ended in time stay in the kernel's heap until they have passed, and setting a timer takes longer or
    /// shorter with each: lets all of them pass.
    fn calm(&self) -> Result<(), String> {
        let nothing = self.wait(clock::in_millis(LONGEST_DEADLINE_MS + 1000))?;
        expect(nothing.is_none(), "something came while nobody was there")?;
        self.rest()
    }

    /// Does a round, and again if it was disturbed: somebody else ran where each instruction counts, or waits for a time meanwhile. A host
    /// that is busy lets devices be late, so that happens when it likes.
    pub fn undisturbed<T>(&self, round: impl Fn() -> Result<Option<T>, String>) -> Result<T, String> {
        for _ in 0..MOST_TRIES {
            if let Some(outcome) = round()? {
                return Ok(outcome);
            }
            self.disturbed.set(self.disturbed.get() + 1);
            self.calm()?;
        }
        Err(format!("disturbed {MOST_TRIES} times in a row"))
    }

    /// Rounds that had to be done again until now.
    pub fn disturbed(&self) -> u64 {
        self.disturbed.get()
    }

    /// Whether the client began the measured call when it was to, if it has begun.
    pub fn began_in_time(&self) -> Result<bool, String> {
        let start = self.get(Side::Client, at::START)?;
        Ok(start == 0 || start == self.get(Side::Client, at::TARGET)?)
    }

    /// What is charged now.
    pub fn charges(&self) -> Result<QuotaInfo, String> {
        why("quota", self.quota.info())
    }

    /// A word of a side's page.
    pub fn get(&self, side: Side, place: usize) -> Result<u64, String> {
        let mut word = [0; 8];
        why("read", self.pages[side as usize].1.read(place, &mut word))?;
        Ok(u64::from_le_bytes(word))
    }

    fn set(&self, side: Side, place: usize, value: u64) -> Result<(), String> {
        why("write", self.pages[side as usize].1.write(place, &value.to_le_bytes()))
    }

    /// Makes a pair that begins to run when the driver waits.
    pub fn start(&self, shape: Shape) -> Result<Pair, String> {
        expect(
            shape.bytes <= code::MAX_BYTES && shape.handles <= code::MAX_CARRIED,
            "the shape has no room",
        )?;
        self.rest()?;
        let tag = Tag::new(shape.bytes, shape.handles).with_room(shape.bytes, shape.handles);
        for side in [Side::Client, Side::Server] {
            why("clear", self.pages[side as usize].1.write(0, &[0; at::BYTES + 8]))?;
            self.set(side, at::FIRST_ROOM, Tag::default().with_room(0, 8).0)?;
            self.set(side, at::HELD, code::NOT_NOTED)?;
        }
        self.set(Side::Client, at::TAG, tag.0)?;
        self.set(Side::Client, at::DEADLINE, NEVER)?;
        self.set(Side::Client, at::WARM, WARM)?;
        let in_memory = if shape.bytes > REGISTER_BYTES { u64::MAX } else { 0 };
        self.set(Side::Client, at::IN_MEMORY, in_memory)?;
        self.set(Side::Server, at::TAG, Tag::default().with_room(shape.bytes, shape.handles).0)?;

        let receives = End { depth: 0, bytes: shape.bytes as u16, handles: shape.handles as u16 };
        let ends = Owned::<Channel>::create(&self.quota, End::default(), receives);
        let (near, far) = why("channel", ends)?;
        // The server first: it has its endpoint, which takes no handles while it is on its way, before the client calls.
        let server = self.launch(
            Side::Server,
            if shape.apart { code::apart() } else { code::server() },
            self.gifts(far, 0)?,
        )?;
        let client = self.launch(Side::Client, code::client(), self.gifts(near, shape.handles)?)?;
        Ok(Pair { processes: [client, server] })
    }

    /// What a side finds at its bootstrap endpoint.
    fn gifts(&self, end: Owned<Channel>, carried: usize) -> Result<Handles, String> {
        let mut gifts = Handles::one(end);
        let mut give = |gift: Owned<Any>| gifts.push(gift).map_err(|_| String::from("too many handles"));
        give(why("quota", self.quota.duplicate(Rights::CHARGE | Rights::TRANSFER))?.any())?;
        for _ in 0..carried {
            give(why("vmo", Owned::<Vmo>::create(&self.quota, PAGE))?.any())?;
        }
        Ok(gifts)
    }

    fn launch(&self, side: Side, entry: u64, mut gifts: Handles) -> Result<Owned<ProcessKind>, String> {
        let limits = Limits { handles: HANDLES, priority: PRIORITY[side as usize], cpu: CPU as u16 };
        let child = why("process", Child::create(&self.quota, &self.bench.identity, limits))?;
        let size = why("size", self.code.info())?.size;
        why("map", child.map(&self.code, 0, size, CODE, Rights::READ | Rights::EXECUTE))?;
        let page = &self.pages[side as usize].0;
        why("map", child.map(page, 0, PAGE, DATA, Rights::READ | Rights::WRITE))?;
        let first = End { depth: 1, bytes: 0, handles: 8 };
        let (mine, its) = why("channel", Owned::<Channel>::create(&self.quota, End::default(), first))?;
        let process = child.process().handle();
        why("watch", sys::port_bind(self.port.handle(), process, ENDED[side as usize], Signals::TERMINATED))?;
        why("start", child.start(&self.quota, PRIORITY[side as usize], CODE + entry, 0, DATA, its))?;
        // It does not run before the driver waits.
        why("gifts", mine.send(&[], &mut gifts, NOW))?;
        Ok(child.into_process())
    }

    /// Lets the pair run until the timer's interrupt, which comes a fixed number of instructions after a tick; the client
    /// begins the measured call `lead` instructions after it. False: it was disturbed.
    pub fn strike(&self, lead: u64) -> Result<bool, String> {
        let page = self.pages[Side::Client as usize].1.address();
        let struck = code::strike(page, lead, AHEAD, self.timer.handle(), self.port.handle());
        match why("strike", struck)? {
            (TIMER, setting) => {
                // The interrupt comes as much after its tick as the timer was set after one.
                if self.setting.get() == 0 {
                    self.setting.set(setting);
                }
                if setting != self.setting.get() {
                    let usual = self.setting.get();
                    self.bench.say(&format!("offsets: set in {setting} instructions, not in {usual}"));
                }
                Ok(setting == self.setting.get() && self.began_in_time()?)
            }
            (key, _) => {
                let statuses = [self.get(Side::Client, at::STATUS)?, self.get(Side::Server, at::STATUS)?];
                Err(format!("key {key} came before the timer; the two ended with {statuses:?}"))
            }
        }
    }

    /// Gives the client a deadline, a fixed number of instructions after a tick; it begins the measured call `lead` instructions after
    /// that tick.
    pub fn set_deadline(&self, lead: u64) {
        code::at_a_tick(self.pages[Side::Client as usize].1.address(), at::DEADLINE, lead, AHEAD);
    }

    /// Waits for something at the port; `None` when nothing comes in time.
    fn wait(&self, deadline: Ticks) -> Result<Option<u64>, String> {
        match sys::reply_and_wait_words(self.port.handle(), 0, 0, [0; 6], deadline) {
            Ok(out) => Ok(Some(out.key)),
            Err(refusal) if refusal.error == Error::TimedOut => Ok(None),
            Err(refusal) => Err(format!("wait: {:?}", refusal.error)),
        }
    }

    /// Waits for a side's end.
    pub fn wait_end(&self, side: Side) -> Result<(), String> {
        match self.wait(clock::in_millis(PATIENCE_MS))? {
            Some(key) if key == ENDED[side as usize] => Ok(()),
            other => {
                let statuses = [self.get(Side::Client, at::STATUS)?, self.get(Side::Server, at::STATUS)?];
                Err(format!(
                    "waited for the end of the {side:?}, {other:?} came; the two ended with {statuses:?}"
                ))
            }
        }
    }

    /// Lets a side run until it waits for nothing more.
    pub fn settle(&self, side: Side) -> Result<(), String> {
        for _ in 0..RESTS {
            if self.get(side, at::ENDED)? == 1 {
                return Ok(());
            }
            let nothing = self.wait(clock::now() + REST)?;
            expect(nothing.is_none(), "somebody ended who was not killed")?;
        }
        Err(format!("the {side:?} does not come to rest"))
    }

    /// Rests until the driver's processor share has made up for what it used, so that its priority counts. While nobody
    /// runs, this machine's clock jumps: a rest costs nothing.
    fn rest(&self) -> Result<(), String> {
        let worked = why("process", self.bench.own.info())?.cpu_ticks;
        let since = worked - self.rested_at.replace(worked);
        let nothing = self.wait(clock::now() + since * REST_FACTOR)?;
        expect(nothing.is_none(), "something came while nobody was there")
    }
}
