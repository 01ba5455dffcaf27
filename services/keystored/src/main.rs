//! `keystored`: keeps the root secret in the vault, opens sealed prefixes of `/state` with keys made of it, and uses the device's key for whoever is
//! declared.
//!
//! It asks the state authority, never the other way round. Without a vault it says so and goes on: sealed prefixes stay closed then. What must never
//! happen: a secret is answered, logged or put anywhere but under a sealed prefix.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

use keystored::flash::Chips;
use keystored::keeper::{self, Keeper, Life, Sealed, Store, Turn};
use keystored::secrets::SECRET;
use keystored::service::Service;
use keystored::watch::{Events, Watch};
use nexus_rt::abi::{Error as Refused, NEVER, Ticks};
use nexus_rt::api::state::{self, Error, SALT};
use nexus_rt::api::{keys, news, random};
use nexus_rt::channel::end;
use nexus_rt::samgr::{self, Service as Named};
use nexus_rt::wire::{Bytes, CallError, Text};
use nexus_rt::{
    Channel, End, Incoming, MmioKind, Owned, PortKind, QuotaKind, Server, Startup, clock, error, info, sys,
    warn,
};
use nexus_vault::{Error as NoVault, Flash};
use zeroize::Zeroizing;

nexus_rt::main!(run);

/// Exit codes: there is no window, the kernel refused something, the arguments are no list of prefixes.
const NO_DEVICE: u64 = 3;
const REFUSED: u64 = 4;
const BAD_ARGUMENTS: u64 = 5;

/// How long the state authority, or entropy, is waited for before it is asked again: the first time, and at most.
const AGAIN_MS: u64 = 200;
const MAX_AGAIN_MS: u64 = 60_000;

/// How long after a change of what is sealed it is written down how far that has come: until then a disk can be taken back behind it.
const ANCHOR_MS: u64 = 1000;

/// How long a chip that is not done is left alone.
const REST_MS: u64 = 1;

fn run(mut startup: Startup) -> u64 {
    let Some(prefixes) = keeper::prefixes(startup.args()) else {
        error!("the arguments are no list of prefixes");
        return BAD_ARGUMENTS;
    };
    let (Some(window), Some(process)) = (startup.take::<MmioKind>("mmio"), startup.process()) else {
        warn!("there is no flash");
        return NO_DEVICE;
    };
    let Some(quota) = startup.quota() else { return REFUSED };
    let (Ok(window), Ok(port)) = (window.map(process), Owned::<PortKind>::create(quota)) else {
        return REFUSED;
    };
    let flash = match Chips::find(&window, window.len(), || rest(&port)) {
        Ok(Some(chips)) => Ok(chips),
        Ok(None) => Err(NoVault::Foreign),
        Err(fault) => Err(NoVault::Flash(fault)),
    };
    let mut keeper = Keeper::new(flash, prefixes);
    if let Err(why) = serve(&startup, quota, &mut keeper) {
        error!("cannot go on: {why:?}");
    }
    REFUSED
}

fn rest(port: &Owned<PortKind>) {
    // It can only end by the time: nothing is bound to the port.
    let _ = sys::reply_and_wait_words(port.handle(), 0, 0, [0; 6], clock::in_millis(REST_MS));
}

fn serve<F: Flash>(
    startup: &Startup,
    quota: &'static Owned<QuotaKind>,
    keeper: &mut Keeper<F>,
) -> Result<(), Refused> {
    let mut server = Server::new(quota)?;
    if let Err(why) = server.provide(quota, "keys", end(0, keys::REQUEST_ROOM)) {
        error!("cannot provide `keys`: {why:?}");
        return Ok(());
    }
    let mut state = State(state::Client::new(Named("state")));
    let mut entropy = random::Client::new(Named("random"));
    // The endpoint that says when the state authority is gone, when to try again, and how long to wait then.
    let (mut bond, mut again, mut pause): (Option<u64>, Ticks, u64) = (None, 0, AGAIN_MS);
    let mut is_ready = false;
    let mut watch = Watch::new(clock::in_millis(ANCHOR_MS).saturating_sub(clock::now()));
    loop {
        if watch.take(&mut Watched { server: &mut server, quota, state: &mut state }, clock::now())
            && keeper.anchor(&mut state) == Turn::Later
        {
            again = clock::now();
        }
        if clock::now() >= again {
            if bond.is_none() {
                // Before anything is opened, so that no death afterwards is missed.
                bond = samgr::connect("state").ok().and_then(|end| server.attach(end).ok());
            }
            let mut random = |out: &mut [u8]| fill(&mut entropy, out);
            let turn = if bond.is_some() { keeper.turn(&mut state, &mut random) } else { Turn::Later };
            (again, pause) = match turn {
                Turn::Done => (NEVER, AGAIN_MS),
                Turn::Later => (clock::in_millis(pause), (2 * pause).min(MAX_AGAIN_MS)),
            };
            if turn == Turn::Done || !is_ready {
                tell(keeper);
            }
            if turn == Turn::Done && watch.is_empty() {
                let open: Vec<String> = keeper.open().map(String::from).collect();
                let mut watched = Watched { server: &mut server, quota, state: &mut state };
                watch.begin(open.iter().map(String::as_str), &mut watched, clock::now());
            }
            if !is_ready {
                startup.ready();
                is_ready = true;
            }
        }
        match server.next(watch.due().map_or(again, |due| due.min(again)))? {
            // A word says that something happened and no more, so it need not be read.
            Incoming::Message(message) | Incoming::Call(message) if watch.is_mine(message.key) => {
                watch.told(clock::now());
            }
            Incoming::Message(message) | Incoming::Call(message) => {
                let pending = watch.due().is_some();
                let mut service = Service { keeper, store: &mut state, pending };
                server.serve(message, |_, sender, packet| keys::dispatch(&mut service, sender, packet));
            }
            Incoming::Gone { key } if bond == Some(key) => {
                warn!("the state authority begins anew");
                bond = None;
                keeper.lost();
                watch.lost(&mut Watched { server: &mut server, quota, state: &mut state });
                again = clock::now();
            }
            Incoming::Gone { .. } | Incoming::Event { .. } | Incoming::TimedOut => {}
        }
    }
}

/// Says what there is.
fn tell<F: Flash>(keeper: &Keeper<F>) {
    match keeper.life() {
        Life::Open(_) => {}
        Life::Blank(_) => info!("the vault is blank; it is made as soon as there is entropy"),
        Life::None(why) => warn!(
            "there is no vault ({why:?}): sealed prefixes stay closed, and there is no key of the device"
        ),
        Life::Failed(why) => error!("the vault failed: {why:?}"),
    }
    for (prefix, sealed) in keeper.sealed() {
        match sealed {
            Sealed::Open => info!("`{prefix}` is open"),
            Sealed::Locked => {}
            Sealed::Refused(why) => error!("`{prefix}` is refused: {why:?}"),
        }
    }
    if keeper.device().is_some() {
        info!("the key of the device is there");
    }
}

fn fill(random: &mut random::Client<Named>, out: &mut [u8]) -> bool {
    let Ok(reply) = random.fill(out.len() as u16) else { return false };
    let bytes = reply.data.get();
    if bytes.len() == out.len() {
        out.copy_from_slice(bytes);
    }
    bytes.len() == out.len()
}

/// The state authority, as what is sealed is watched there: over a channel for each prefix.
struct Watched<'a> {
    server: &'a mut Server,
    quota: &'static Owned<QuotaKind>,
    state: &'a mut State,
}

impl Events for Watched<'_> {
    fn watch(&mut self, prefix: &str) -> Option<(u64, u64)> {
        let channel = Owned::<Channel>::create(self.quota, end(1, news::REQUEST_ROOM), End::default());
        let (mine, theirs) = channel.ok()?;
        match self.state.0.watch(theirs.into(), Text::cut(prefix)) {
            Ok(reply) => Some((self.server.attach(mine).ok()?, reply.watch)),
            Err(why) => {
                warn!("`{prefix}` is not watched: {why:?}");
                None
            }
        }
    }

    fn event(&mut self, watch: u64) -> Option<bool> {
        self.state.0.event(watch).ok().map(|reply| reply.event != state::Event::None)
    }

    fn end(&mut self, key: u64) {
        self.server.detach(key);
    }
}

/// The state authority.
struct State(state::Client<Named>);

impl Store for State {
    fn unlock(
        &mut self,
        prefix: &str,
        least: u64,
        key: &[u8; SECRET],
        salt: [u8; SALT],
    ) -> Result<u64, CallError<Error>> {
        self.0.unlock(least, *key, salt, Text::cut(prefix)).map(|reply| reply.sequence)
    }

    fn anchor(&mut self, prefix: &str) -> Result<u64, CallError<Error>> {
        self.0.anchor(Text::cut(prefix)).map(|reply| reply.sequence)
    }

    fn get(&mut self, path: &str) -> Result<Zeroizing<Vec<u8>>, CallError<Error>> {
        self.0.get(0, Text::cut(path)).map(|reply| Zeroizing::new(reply.data.get().to_vec()))
    }

    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), CallError<Error>> {
        let data = Bytes::new(bytes).map_err(|_| CallError::Service(Error::TooLarge))?;
        self.0.put(true, Text::cut(path), data).map(drop)
    }
}
