//! What is served: the store, and what its clients have begun. Who asks is who the kernel says. The calls themselves are in `calls`.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use nexus_rt::api::state::{self, Error as Told};
use nexus_rt::wire::Sender;
use nexus_rt::{Channel, Owned};
use nexus_state::engine::{Medium, Overlay};
use nexus_state::rules::{Allow, Change, Error, State, Upload, Warning};

use crate::answers::{denial, receipt, told};
use crate::handed::{Hands, NoHands};
use crate::late::{self, Late};
use crate::looking::Looking;
use crate::mounted::{Mounted, Settled};
use crate::watching::Watching;

/// The service.
pub struct Service<M> {
    pub(crate) mounted: Mounted<M>,
    /// Uploads by number, each with the key of the client that began it.
    pub(crate) uploads: BTreeMap<u32, (u64, Upload)>,
    pub(crate) last_upload: u32,
    pub(crate) watching: Watching,
    /// The answer that is on its way.
    pub(crate) data: Vec<u8>,
    pub(crate) path: String,
    /// Denials since they were last taken: who was denied what.
    pub(crate) denials: Vec<String>,
    /// Sealed prefixes that were opened since this was last taken.
    pub(crate) opened: Vec<String>,
    /// Whether the store was mounted again, or emptied, since the last request.
    pub(crate) anew: bool,
    pub(crate) watch: late::Watch,
    pub(crate) looking: Looking,
    /// What copies memory that comes with messages.
    pub(crate) hands: Box<dyn Hands>,
}

impl<M: Medium> Service<M> {
    /// Serves this store.
    pub fn new(mounted: Mounted<M>) -> Service<M> {
        Service {
            mounted,
            uploads: BTreeMap::new(),
            last_upload: 0,
            watching: Watching::default(),
            data: Vec::new(),
            path: String::new(),
            denials: Vec::new(),
            opened: Vec::new(),
            anew: false,
            watch: late::Watch::new(|| 0),
            looking: Looking::Never,
            hands: Box::new(NoHands),
        }
    }

    /// The same, taking memory that comes with messages.
    pub fn handed(self, hands: impl Hands + 'static) -> Service<M> {
        Service { hands: Box::new(hands), ..self }
    }

    /// The same, with a clock in milliseconds by which puts are in time or late.
    pub fn timed(self, clock: fn() -> u64) -> Service<M> {
        Service { watch: late::Watch::new(clock), ..self }
    }

    /// A put that took longer than it may, the first since one was in time.
    pub fn late(&mut self) -> Option<Late> {
        self.watch.take()
    }

    /// Whether every page is being looked at: [`Service::look`] is to be called then whenever nobody asks for anything, and after each request.
    pub fn is_looking(&self) -> bool {
        self.looking.is_on()
    }

    /// Looks at a piece more of the store.
    pub fn look(&mut self) {
        self.looking.go_on(self.mounted.state());
    }

    /// Nothing is asked of the store while every page of it is looked at.
    pub(crate) fn free(&self) -> Result<(), Told> {
        if self.looking.is_on() { Err(Told::Busy) } else { Ok(()) }
    }

    /// A client is gone, and what it did not finish and what it watched with it.
    pub fn gone(&mut self, key: u64) {
        self.give_up(key);
        self.watching.of(key).into_iter().for_each(|watch| self.deaf(watch));
    }

    /// Where it is to be told that there are events now, with what each watch is called.
    pub fn rung(&mut self) -> Vec<(u64, &Owned<Channel>)> {
        self.watching.places(self.mounted.state().map(State::rung).unwrap_or_default())
    }

    /// Nobody is behind that channel any more.
    pub fn deaf(&mut self, watch: u64) {
        // It is one of that service's.
        let _ = self.watching.end(watch).map(|service| self.mounted.unwatch(service, watch));
    }

    /// Gives up what a client has begun to put.
    pub(crate) fn give_up(&mut self, key: u64) {
        let left: Vec<u32> =
            self.uploads.iter().filter(|(_, (whose, _))| *whose == key).map(|(number, _)| *number).collect();
        for number in left {
            if let (Some((_, upload)), Ok(state)) = (self.uploads.remove(&number), self.mounted.state()) {
                state.give_up(upload);
            }
        }
    }

    /// To be called after each request.
    pub fn settle(&mut self) -> Settled {
        let anew = core::mem::take(&mut self.anew);
        let settled = match (self.mounted.revive(), anew) {
            (Settled::Nothing, true) => Settled::Anew,
            (settled, _) => settled,
        };
        if settled != Settled::Nothing {
            // They belong to the run that ended.
            self.uploads.clear();
        }
        settled
    }

    /// Whether the service may do this to the store as a whole, also to one that is out of order; a denial is noted.
    pub(crate) fn may_with_all(&mut self, sender: Sender, what: Allow, word: &str) -> Result<(), Told> {
        let service = sender.identity.service;
        if self.mounted.access().permits_all(service, what) {
            return Ok(());
        }
        self.denials.push(alloc::format!("service {service} may not {word} the store"));
        Err(Told::PermissionDenied)
    }

    /// The store.
    pub fn mounted(&mut self) -> &mut Mounted<M> {
        &mut self.mounted
    }

    /// The store, when nobody is served any more.
    pub fn into_mounted(self) -> Mounted<M> {
        self.mounted
    }

    /// Who went over a soft limit since this was last asked.
    pub fn warnings(&mut self) -> Vec<Warning> {
        self.mounted.state().map(State::warnings).unwrap_or_default()
    }

    /// Who was denied what since this was last asked.
    pub fn denials(&mut self) -> Vec<String> {
        core::mem::take(&mut self.denials)
    }

    /// Which sealed prefixes were opened since this was last asked.
    pub fn opened(&mut self) -> Vec<String> {
        core::mem::take(&mut self.opened)
    }

    /// Does something with the state for a service; a denial is noted.
    pub(crate) fn act<T>(
        &mut self,
        sender: Sender,
        what: &str,
        path: &str,
        act: impl FnOnce(&mut State<Overlay<M>>, u32) -> Result<T, Error>,
    ) -> Result<T, Told> {
        self.free()?;
        let service = sender.identity.service;
        let done = self.mounted.state().and_then(|state| act(state, service));
        if let Err(error) = done {
            self.denials.extend(denial(error, &mut self.mounted, service, what, path));
        }
        done.map_err(told)
    }

    pub(crate) fn change(
        &mut self,
        sender: Sender,
        what: &str,
        path: &str,
        durable: bool,
        changes: &[Change],
    ) -> Result<state::Receipt, Told> {
        let begun = self.watch.now();
        let done = self.act(sender, what, path, |state, service| {
            let done = state.batch(service, changes)?;
            if durable {
                state.sync(Some(done))?;
            }
            Ok(receipt(done))
        });
        self.watch.done(sender.identity.service, begun);
        if done.as_ref().err() == Some(&Told::Integrity) {
            self.mounted.refused();
        }
        done
    }

    /// Takes an upload that the client began.
    pub(crate) fn take(&mut self, sender: Sender, number: u32) -> Result<Upload, Told> {
        self.free()?;
        if self.uploads.get(&number).is_none_or(|(key, _)| *key != sender.key) {
            return Err(Told::NotFound);
        }
        self.uploads.remove(&number).map(|(_, upload)| upload).ok_or(Told::NotFound)
    }
}
