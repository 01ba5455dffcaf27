//! A process of its own, made from a program of the boot image, with a quota of its own and one channel to this one.
//! Dropping it destroys its quota, and so everything that it had.

use alloc::format;
use alloc::string::String;

use nexus_abi::{Error, ExitRecord, Kind, Rights, Signals};
use nexus_bootimg::Image;
use nexus_rt::api::start;
use nexus_rt::startup::{PROCESS, QUOTA};
use nexus_rt::{
    CallError, Channel, End, Handles, Incoming, Limits, Owned, ProcessKind, QuotaKind, Server, clock,
};
use nexus_spawn::{Grants, Plan};

use crate::{Bench, why};

/// Key under which its end is watched.
const ENDED: u64 = 0x5000;
/// How long anything here may take before it counts as a hang: far longer than it does.
const PATIENCE_MS: u64 = 20_000;
/// What each end of the test channel can receive.
const BOTH: End = End { depth: 4, bytes: 4096, handles: 8 };

/// What a process is made of.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Its program.
    pub program: &'a str,
    /// Pages that it can charge.
    pub pages: u64,
    /// Its processor share in thousandths; with 0 it runs when nobody else wants to, or on its callers' time.
    pub cpu: u16,
    /// Priority of its threads.
    pub priority: u8,
    /// Whether it holds its own process and quota with every right, and the means to mint
    /// and to count.
    pub armed: bool,
}

impl<'a> Wish<'a> {
    /// A program that only talks.
    pub const fn plain(program: &'a str, pages: u64) -> Wish<'a> {
        Wish { program, pages, cpu: 0, priority: 10, armed: false }
    }
}

/// A running process.
pub struct Program {
    /// The channel to it.
    pub channel: Owned<Channel>,
    /// The process.
    pub process: Owned<ProcessKind>,
    quota: Option<Owned<QuotaKind>>,
    server: Server,
}

impl Program {
    /// Makes one and waits until it is ready.
    pub fn start(bench: &Bench, wish: &Wish<'_>) -> Result<Program, String> {
        let quota = why("split a quota", bench.quota.split(wish.pages, wish.cpu.into()))?;
        let started = Program::furnish(bench, wish, &quota);
        match started {
            Ok((channel, process, server)) => Ok(Program { channel, process, quota: Some(quota), server }),
            Err(reason) => {
                why("destroy the quota", quota.destroy())?;
                Err(reason)
            }
        }
    }

    fn furnish(
        bench: &Bench,
        wish: &Wish<'_>,
        quota: &Owned<QuotaKind>,
    ) -> Result<(Owned<Channel>, Owned<ProcessKind>, Server), String> {
        let (channel, theirs) = why("make a channel", Owned::<Channel>::create(bench.quota, BOTH, BOTH))?;
        let (starter, bootstrap) = why("make a channel", nexus_spawn::bootstrap(bench.quota))?;
        let info = why("size of the image", bench.image.info())?;
        let mapping = why("map the image", bench.image.map(bench.own, 0, info.size, Rights::READ))?;
        let bytes = mapping.sealed_bytes().ok_or("the image is not sealed")?;
        let image = why("read the image", Image::parse(bytes))?;
        let program = image.program(wish.program).ok_or("no such program in the image")?;
        let limits = Limits { handles: 64, priority: wish.priority, cpu: wish.cpu };
        let plan = Plan { image: &bench.image, program, quota, identity: &bench.identity, limits };
        let child = why("spawn", nexus_spawn::spawn(&plan, bench.own, bootstrap))?;
        let process = child.into_process();
        let mut grants = why("grants", grants(bench, wish, theirs, &process, quota))?;
        let mut server = why("make a server", Server::new(bench.quota))?;
        why("watch", server.watch(&process, ENDED, Signals::ENDING | Signals::TERMINATED))?;
        why("attach", server.attach(starter))?;
        loop {
            let next = why("wait for the program", server.next(clock::in_millis(PATIENCE_MS)))?;
            let Incoming::Call(message) = next else {
                return Err(format!("start of {}: {next:?}", wish.program));
            };
            server.serve(message, |_, sender, packet| start::dispatch(&mut grants, sender, packet));
            if grants.is_ready() {
                server.flush();
                return Ok((channel, process, server));
            }
        }
    }

    /// Calls it; answers the length and handles of what is in `room`.
    pub fn call(
        &self,
        request: &[u8],
        handles: &mut Handles,
        room: &mut [u8],
    ) -> Result<(usize, Handles), CallError> {
        let answer = self.channel.call(request, handles, room, 8, clock::in_millis(PATIENCE_MS))?;
        Ok((answer.bytes.len(), answer.handles))
    }

    /// Destroys its quota, and so everything that it had; its process can still be asked why it ended.
    pub fn revoke(&mut self) -> Result<(), String> {
        match self.quota.take() {
            Some(quota) => why("destroy the quota", quota.destroy()),
            None => Ok(()),
        }
    }

    /// Waits until it has ended; answers why. That it ends is told first, and then the same can be read.
    pub fn wait_end(&mut self) -> Result<ExitRecord, String> {
        let mut ending = None;
        loop {
            match why("wait for the end", self.server.next(clock::in_millis(PATIENCE_MS)))? {
                Incoming::Event { key: ENDED, signals } => {
                    let record = why("exit record", self.process.exit_record())?;
                    if signals.contains(Signals::ENDING) {
                        ending = Some(record);
                    }
                    if signals.contains(Signals::TERMINATED) {
                        let told = format!("{signals:?} with {record:?} after {ending:?}");
                        return if ending == Some(record) { Ok(record) } else { Err(told) };
                    }
                }
                Incoming::TimedOut => return Err("the program did not end".into()),
                _ => {}
            }
        }
    }
}

fn grants(
    bench: &Bench,
    wish: &Wish<'_>,
    theirs: Owned<Channel>,
    process: &Owned<ProcessKind>,
    quota: &Owned<QuotaKind>,
) -> Result<Grants, Error> {
    let mut grants = Grants::new("");
    grants.add("test", theirs)?;
    if wish.armed {
        grants.add(PROCESS, process.duplicate(Kind::Process.all_rights())?)?;
        grants.add(QUOTA, quota.duplicate(Kind::Quota.all_rights())?)?;
        grants.add("identity", bench.identity.duplicate(bench.identity.rights()?)?)?;
        grants.add("minter", bench.minter.duplicate(bench.minter.rights()?)?)?;
        grants.add("machine", bench.machine.duplicate(bench.machine.rights()?)?)?;
        grants.add("counters", bench.stats.duplicate(bench.stats.rights()?)?)?;
    } else {
        let rights = Rights::MAP | Rights::DUPLICATE | Rights::TRANSFER | Rights::INSPECT;
        grants.add(PROCESS, process.duplicate(rights)?)?;
        grants.add(QUOTA, quota.duplicate(Rights::CHARGE | Rights::TRANSFER | Rights::INSPECT)?)?;
    }
    Ok(grants)
}

impl Drop for Program {
    fn drop(&mut self) {
        // Everything the program had goes with its quota.
        if let Some(quota) = self.quota.take() {
            let _ = quota.destroy();
        }
    }
}
