//! The store as it is at the moment: served, or out of order with the reason that everything else answers. A store whose medium failed is mounted
//! again; nothing that was promised before is promised by the new run. Sealed prefixes that were open are opened again with it. A store that is damaged is
//! repaired as far as what is lost can be named; one that would have to fall back to an older commit waits for a person, and stops nothing.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nexus_state::engine::{self, Fault, Medium, OLDEST, Overlay, Shape, Store, VERSION};
use nexus_state::rules::{
    Access, Error, REPAIR_PAGES, Salvaged, State, Unlock, Watches, repair, salvage, told,
};

/// Pages of the store that are kept in memory.
pub const CACHE: usize = 128;

/// What became of the store under a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settled {
    /// Nothing.
    Nothing,
    /// Its medium failed, and it was mounted again.
    Failed,
    /// It was mounted again, repaired or emptied.
    Anew,
}

/// Why there is no state, and the medium, if there is one.
type Refused<M> = (Option<M>, Error);

/// What it is.
enum Life<M> {
    Served(Box<State<Overlay<M>>>),
    /// Out of order, with what is sound of it to be read, and what is not there any more, a line each.
    Degraded(Error, Box<State<Overlay<M>>>, Vec<String>),
    /// Out of order: why, and the medium if there is one.
    Down(Error, Option<M>),
}

/// Whether damage keeps something from being stored. What it only keeps from being read is left as it is, and is answered for what it is.
fn stands_in_the_way<M: Medium>(state: &State<Overlay<M>>, refused: bool) -> bool {
    state.store().is_stuck() || refused && state.store().is_damaged()
}

/// The store, and what is needed to mount it.
pub struct Mounted<M> {
    life: Life<M>,
    /// What is watched, while there is no state.
    watches: Watches,
    access: Access,
    /// What a store that is made now is called: never the same twice, or what is left of an older store would be taken for its own.
    name: fn() -> [u8; 16],
    run: u64,
    mended: u32,
    /// Whether a repair of what is served was tried, and could not be made.
    in_vain: bool,
    /// Whether a change was refused because of what is stored.
    refused: bool,
    /// What there is to say of the store since this was last asked, a line each.
    told: Vec<String>,
    /// What opened the sealed prefixes, by keeper, while the store is out of order.
    held: Vec<(u32, Unlock)>,
}

impl<M: Medium> Mounted<M> {
    /// Mounts what is on the medium, and makes a store where there is none. `run` is that of this process; its low half is 0.
    pub fn new(medium: M, access: Access, name: fn() -> [u8; 16], run: u64) -> Mounted<M> {
        let (life, held) = (Life::Down(Error::Io, None), Vec::new());
        let watches = Watches::default();
        let mut mounted = Mounted {
            life,
            watches,
            access,
            name,
            run,
            mended: 0,
            in_vain: false,
            refused: false,
            told: Vec::new(),
            held,
        };
        mounted.mount(medium);
        mounted
    }

    fn mount(&mut self, medium: M) {
        self.run += 1;
        self.in_vain = false;
        let served = match self.served(medium) {
            // What can be named and cut out without falling back is mended at once, and told.
            Err((Some(medium), Error::Integrity)) => self.repaired(medium, false),
            other => other,
        };
        self.serve(served);
    }

    /// What is sound of a store that cannot be served, to be read and nothing else.
    fn degraded(&mut self, medium: M, error: Error) -> Life<M> {
        match salvage(medium, CACHE / 4, REPAIR_PAGES) {
            Ok(Salvaged { store, repaired }) => match State::serve(store, self.access.clone(), self.run) {
                Ok(state) => Life::Degraded(error, Box::new(state), told(&repaired)),
                Err((overlay, _)) => Life::Down(error, Some(overlay.into_under())),
            },
            Err((medium, _)) => Life::Down(error, Some(medium)),
        }
    }

    /// What is on the medium, served.
    fn served(&mut self, medium: M) -> Result<State<Overlay<M>>, Refused<M>> {
        let store = match Store::mount(Overlay::through(medium), CACHE) {
            Ok((store, mounted)) => {
                self.mended += mounted.notices.len() as u32;
                self.told.extend(mounted.notices.iter().map(|notice| format!("mended: {notice:?}")));
                store
            }
            Err((medium, engine::Error::Unformatted)) => self.make(medium.into_under())?,
            Err((medium, engine::Error::Version(version))) => {
                let line = format!("the store is of version {version}; {OLDEST} to {VERSION} are known here");
                // It is tried again after the repair that could not be made.
                if self.told.last() != Some(&line) {
                    self.told.push(line);
                }
                return Err((Some(medium.into_under()), Error::Integrity));
            }
            Err((medium, error)) => return Err((Some(medium.into_under()), error.into())),
        };
        let refused = |(medium, error): (Overlay<M>, Error)| (Some(medium.into_under()), error);
        State::serve(store, self.access.clone(), self.run).map_err(refused)
    }

    /// The same after a repair. A store that cannot be repaired is left as it is.
    fn repaired(&mut self, medium: M, back: bool) -> Result<State<Overlay<M>>, Refused<M>> {
        let (medium, repaired) = repair(medium, CACHE / 4, REPAIR_PAGES, back);
        match repaired {
            Ok(repaired) => {
                self.told.extend(told(&repaired).iter().map(|line| format!("repaired: {line}")));
                self.mended += u32::from(!repaired.is_nothing());
            }
            Err(engine::Error::Medium(Fault::Io)) => return Err((Some(medium), Error::Io)),
            // It may be that it can be served all the same.
            Err(_) => self.in_vain = true,
        }
        self.served(medium)
    }

    fn serve(&mut self, served: Result<State<Overlay<M>>, Refused<M>>) {
        self.life = match served {
            Ok(mut state) => {
                for (keeper, unlock) in &self.held {
                    // What is refused is refused to whoever asks for it; a medium that failed is mounted once more.
                    let _ = state.unlock(*keeper, unlock);
                }
                state.take_over(core::mem::take(&mut self.watches));
                Life::Served(Box::new(state))
            }
            Err((Some(medium), Error::Integrity)) => self.degraded(medium, Error::Integrity),
            Err((medium, error)) => Life::Down(error, medium),
        };
    }

    fn make(&mut self, mut medium: M) -> Result<Store<Overlay<M>>, Refused<M>> {
        let shape = medium.size().map_err(engine::Error::from).and_then(Shape::for_size);
        match shape {
            Ok(shape) => Store::format(Overlay::through(medium), shape, (self.name)(), CACHE)
                .map_err(|error| (None, error.into())),
            Err(error) => Err((Some(medium), error.into())),
        }
    }

    /// Ends a watch, whether or not there is a state.
    pub fn unwatch(&mut self, service: u32, watch: u64) -> Result<(), Error> {
        match &mut self.life {
            Life::Served(state) => state.unwatch(service, watch),
            Life::Down(..) | Life::Degraded(..) => self.watches.remove(service, watch),
        }
    }

    /// The state, if it is served.
    pub fn state(&mut self) -> Result<&mut State<Overlay<M>>, Error> {
        match &mut self.life {
            Life::Served(state) => Ok(state),
            Life::Down(error, _) | Life::Degraded(error, ..) => Err(*error),
        }
    }

    /// What can be read: the state, or what is sound of one that is out of order.
    pub fn sound(&mut self) -> Result<&mut State<Overlay<M>>, Error> {
        match &mut self.life {
            Life::Served(state) | Life::Degraded(_, state, _) => Ok(state),
            Life::Down(error, _) => Err(*error),
        }
    }

    /// What is not there any more of a store that is out of order and can be read in part, a line each.
    pub fn missing(&self) -> Option<&[String]> {
        match &self.life {
            Life::Degraded(.., missing) => Some(missing),
            Life::Served(_) | Life::Down(..) => None,
        }
    }

    /// To be called after each request: a store that failed under it is mounted again, as often as it takes requests to succeed, and one that damage
    /// keeps from storing anything is repaired, once.
    pub fn revive(&mut self) -> Settled {
        let refused = core::mem::take(&mut self.refused);
        match &mut self.life {
            Life::Served(state) if state.store().is_failed() => {}
            Life::Served(state) if stands_in_the_way(state, refused) && !self.in_vain => {
                // As long as the log has room, nothing that was acknowledged is lost.
                let _ = state.sync(None);
                self.mend(false);
                return Settled::Anew;
            }
            Life::Down(Error::Io, Some(_)) => {}
            _ => return Settled::Nothing,
        }
        self.mount_again();
        Settled::Failed
    }

    /// A change was refused because of what is stored.
    pub fn refused(&mut self) {
        self.refused = true;
    }

    /// Repairs what is damaged and mounts it again; what was not synced is lost. `back` lets the store fall back to an older commit, where a newer one
    /// cannot be had.
    pub fn mend(&mut self, back: bool) {
        if let Some(medium) = self.take() {
            self.run += 1;
            let served = self.repaired(medium, back);
            self.serve(served);
        }
    }

    /// What there is to say of the store since this was last asked, a line each: what was mended and repaired, and what is not known here.
    pub fn told(&mut self) -> Vec<String> {
        core::mem::take(&mut self.told)
    }

    /// The medium of a store that is out of order, to be mended.
    pub fn medium_mut(&mut self) -> Option<&mut M> {
        match &mut self.life {
            Life::Served(_) | Life::Degraded(..) => None,
            Life::Down(_, medium) => medium.as_mut(),
        }
    }

    /// Takes the medium of the store, and keeps what opens its sealed prefixes.
    fn take(&mut self) -> Option<M> {
        match core::mem::replace(&mut self.life, Life::Down(Error::Io, None)) {
            Life::Served(state) => {
                let held = state.held();
                let is_old = |(_, old): &(u32, Unlock)| !held.iter().any(|(_, new)| new.prefix == old.prefix);
                self.held.retain(is_old);
                self.held.extend(held);
                let (store, watches) = state.into_parts();
                self.watches = watches;
                Some(store.into_medium().into_under())
            }
            Life::Degraded(_, state, _) => Some(state.into_store().into_medium().into_under()),
            Life::Down(_, medium) => medium,
        }
    }

    /// Mounts what is on the medium again; what was not synced is lost.
    pub fn mount_again(&mut self) {
        if let Some(medium) = self.take() {
            self.mount(medium);
        }
    }

    /// Makes an empty store, whatever is there.
    pub fn reset(&mut self) -> Result<(), Error> {
        let medium = self.take().ok_or(Error::Io)?;
        let held = core::mem::take(&mut self.held);
        self.run += 1;
        let refused = |(medium, error): (Overlay<M>, Error)| (Some(medium.into_under()), error);
        let made = self
            .make(medium)
            .and_then(|store| State::serve(store, self.access.clone(), self.run).map_err(refused));
        self.serve(made);
        let state = self.state()?;
        // Sealed prefixes that were open are open in the new store, and empty: their keeper knows a sequence that it must not fall behind.
        for (keeper, unlock) in &held {
            state.go_on(*keeper, unlock)?;
        }
        state.sync(None)
    }

    /// The rules.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The medium, when the store is not served any more.
    pub fn into_medium(mut self) -> Option<M> {
        self.take()
    }

    /// Repairs so far.
    pub fn mended(&self) -> u32 {
        self.mended
    }
}
