//! A peer: a process of its own, made from `selftest-peer`, with a quota of its own and one channel to this one.

use alloc::string::String;

use nexus_abi::{Error, Rights, Signals};
use nexus_bootimg::Image;
use nexus_rt::api::start;
use nexus_rt::startup::{PROCESS, QUOTA};
use nexus_rt::{
    CallError, Channel, End, Handles, Incoming, Limits, Owned, ProcessKind, QuotaKind, Server, clock,
};
use nexus_spawn::{Grants, Plan};

use crate::{Bench, why};

/// Key under which a peer's end is watched.
const ENDED: u64 = 0x5000;
/// How long anything here may take before it counts as a hang: far longer than it does.
const PATIENCE_MS: u64 = 20_000;
/// What each end of the test channel can receive.
const BOTH: End = End { depth: 4, bytes: 4096, handles: 8 };

/// A running peer.
pub struct Peer {
    /// The channel to it.
    pub channel: Owned<Channel>,
    /// The process.
    pub process: Owned<ProcessKind>,
    quota: Option<Owned<QuotaKind>>,
    server: Server,
}

impl Peer {
    /// Makes one with `pages` pages and waits until it is ready. It has no processor share of its own: it runs when
    /// nobody else wants to, or on its callers' time.
    pub fn start(bench: &Bench, pages: u64) -> Result<Peer, String> {
        let quota = why("split a quota", bench.quota.split(pages, 0))?;
        let (channel, theirs) = why("make a channel", Owned::<Channel>::create(bench.quota, BOTH, BOTH))?;
        let (starter, bootstrap) = why("make a channel", nexus_spawn::bootstrap(bench.quota))?;
        let info = why("size of the image", bench.image.info())?;
        let mapping = why("map the image", bench.image.map(bench.own, 0, info.size, Rights::READ))?;
        let bytes = mapping.sealed_bytes().ok_or("the image is not sealed")?;
        let image = why("read the image", Image::parse(bytes))?;
        let program = image.program("selftest-peer").ok_or("no peer in the image")?;
        let limits = Limits { handles: 64, priority: 10, cpu: 0 };
        let plan = Plan { image: &bench.image, program, quota: &quota, identity: &bench.identity, limits };
        let child = why("spawn", nexus_spawn::spawn(&plan, bench.own, bootstrap))?;
        let process = child.into_process();
        let mut grants = Grants::new("");
        let add = |grants: &mut Grants| -> Result<(), Error> {
            grants.add("test", theirs)?;
            grants.add(
                PROCESS,
                process.duplicate(Rights::MAP | Rights::DUPLICATE | Rights::TRANSFER | Rights::INSPECT)?,
            )?;
            grants.add(QUOTA, quota.duplicate(Rights::CHARGE | Rights::TRANSFER | Rights::INSPECT)?)
        };
        why("grants", add(&mut grants))?;
        let mut server = why("make a server", Server::new(bench.quota))?;
        why("watch", server.watch(&process, ENDED, Signals::TERMINATED))?;
        why("attach", server.attach(starter))?;
        loop {
            let next = why("wait for the peer", server.next(clock::in_millis(PATIENCE_MS)))?;
            let Incoming::Call(message) = next else { return Err(alloc::format!("peer start: {next:?}")) };
            server.serve(message, |_, sender, packet| start::dispatch(&mut grants, sender, packet));
            if grants.is_ready() {
                server.flush();
                return Ok(Peer { channel, process, quota: Some(quota), server });
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

    /// Waits until it has ended.
    pub fn wait_end(&mut self) -> Result<(), String> {
        loop {
            match why("wait for the end", self.server.next(clock::in_millis(PATIENCE_MS)))? {
                Incoming::Event { key: ENDED, .. } => return Ok(()),
                Incoming::TimedOut => return Err("the peer did not end".into()),
                _ => {}
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Everything the peer had goes with its quota.
        if let Some(quota) = self.quota.take() {
            let _ = quota.destroy();
        }
    }
}
