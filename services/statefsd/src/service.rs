//! The interface `state` over a store. Who asks is who the kernel says.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use nexus_rt::api::state::{
    self, AnchorReply, BatchReply, ChargeReply, CheckReply, DeleteReply, Error as Told, EventReply, GetReply,
    HealthReply, KEY, MAX_BATCH, MAX_DATA, MAX_PATH, MAX_SNAPSHOT, NextReply, PointReply, PublishReply,
    PutReply, RenameReply, SALT, StatReply, UnlockReply, UploadReply, UsageReply, WatchReply,
};
use nexus_rt::wire::{Bytes, Held, Sender, Text, kinds};
use nexus_rt::{Any, Channel, Owned};
use nexus_state::engine::Medium;
use nexus_state::rules::{Allow, Change, Error, Path, Receipt, State, Unlock, Upload, Warning};

use crate::answers::{checked, denial, findings, health, opened, receipt, stat, told, unsound};
use crate::changes;
use crate::late::{self, Late};
use crate::mounted::{Mounted, Settled};
use crate::watching::{Watching, happened};

/// The service.
pub struct Service<M> {
    mounted: Mounted<M>,
    /// Uploads by number, each with the key of the client that began it.
    uploads: BTreeMap<u32, (u64, Upload)>,
    last_upload: u32,
    watching: Watching,
    /// The answer that is on its way.
    data: Vec<u8>,
    path: String,
    /// Denials since they were last taken: who was denied what.
    denials: Vec<String>,
    /// Sealed prefixes that were opened since this was last taken.
    opened: Vec<String>,
    /// Whether the store was mounted again, or emptied, since the last request.
    anew: bool,
    watch: late::Watch,
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
        }
    }

    /// The same, with a clock in milliseconds by which puts are in time or late.
    pub fn timed(self, clock: fn() -> u64) -> Service<M> {
        Service { watch: late::Watch::new(clock), ..self }
    }

    /// A put that took longer than it may, the first since one was in time.
    pub fn late(&mut self) -> Option<Late> {
        self.watch.take()
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
    fn give_up(&mut self, key: u64) {
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
            (true, _) => Settled::Failed,
            (false, true) => Settled::Anew,
            (false, false) => Settled::Nothing,
        };
        if settled != Settled::Nothing {
            // They belong to the run that ended.
            self.uploads.clear();
        }
        settled
    }

    /// Whether the service may do this to the store as a whole, also to one that is out of order; a denial is noted.
    fn may_with_all(&mut self, sender: Sender, what: Allow, word: &str) -> Result<(), Told> {
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
    fn act<T>(
        &mut self,
        sender: Sender,
        what: &str,
        path: &str,
        act: impl FnOnce(&mut State<M>, u32) -> Result<T, Error>,
    ) -> Result<T, Told> {
        let service = sender.identity.service;
        let done = self.mounted.state().and_then(|state| act(state, service));
        if let Err(error) = done {
            self.denials.extend(denial(error, &mut self.mounted, service, what, path));
        }
        done.map_err(told)
    }

    fn change(
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
        done
    }

    /// Takes an upload that the client began.
    fn take(&mut self, sender: Sender, number: u32) -> Result<Upload, Told> {
        if self.uploads.get(&number).is_none_or(|(key, _)| *key != sender.key) {
            return Err(Told::NotFound);
        }
        self.uploads.remove(&number).map(|(_, upload)| upload).ok_or(Told::NotFound)
    }
}

fn path(text: &str) -> Result<Path, Told> {
    Path::new(text).map_err(told)
}

impl<M: Medium> state::Server<Owned<Any>> for Service<M> {
    fn get(&mut self, sender: Sender, from: u64, text: Text<'_, MAX_PATH>) -> Result<GetReply<'_>, Told> {
        let path = path(text.get())?;
        let from = usize::try_from(from).map_err(|_| Told::Invalid)?;
        let (data, known) = self
            .act(sender, "read", path.as_str(), |state, service| state.get(service, &path, from, MAX_DATA))?;
        self.data = data;
        let data = Bytes::new(&self.data).map_err(|_| Told::TooLarge)?;
        Ok(GetReply { stat: stat(known), data })
    }

    fn stat(&mut self, sender: Sender, text: Text<'_, MAX_PATH>) -> Result<StatReply, Told> {
        let path = path(text.get())?;
        let known = self.act(sender, "read", path.as_str(), |state, service| state.stat(service, &path))?;
        Ok(StatReply { stat: stat(known) })
    }

    fn put(
        &mut self,
        sender: Sender,
        durable: bool,
        text: Text<'_, MAX_PATH>,
        data: Bytes<'_, MAX_DATA>,
    ) -> Result<PutReply, Told> {
        let change = Change::Put(path(text.get())?, data.get().to_vec());
        Ok(PutReply { receipt: self.change(sender, "put", text.get(), durable, &[change])? })
    }

    fn delete(&mut self, sender: Sender, text: Text<'_, MAX_PATH>) -> Result<DeleteReply, Told> {
        let change = Change::Delete(path(text.get())?);
        Ok(DeleteReply { receipt: self.change(sender, "delete", text.get(), false, &[change])? })
    }

    fn rename(
        &mut self,
        sender: Sender,
        from: Text<'_, MAX_PATH>,
        to: Text<'_, MAX_PATH>,
    ) -> Result<RenameReply, Told> {
        let change = Change::Rename(path(from.get())?, path(to.get())?);
        Ok(RenameReply { receipt: self.change(sender, "move", from.get(), false, &[change])? })
    }

    fn batch(
        &mut self,
        sender: Sender,
        durable: bool,
        bytes: Bytes<'_, MAX_BATCH>,
    ) -> Result<BatchReply, Told> {
        let changes = changes::read(bytes.get()).map_err(told)?;
        let first = match changes.first() {
            Some(Change::Put(path, _) | Change::Delete(path) | Change::Rename(path, _)) => path.clone(),
            None => return Err(Told::Invalid),
        };
        Ok(BatchReply { receipt: self.change(sender, "change", first.as_str(), durable, &changes)? })
    }

    fn sync(&mut self, sender: Sender, given: state::Receipt) -> Result<(), Told> {
        let given = Receipt { run: given.run, generation: given.generation };
        self.act(sender, "sync", "", |state, _| state.sync(Some(given)))
    }

    fn next(
        &mut self,
        sender: Sender,
        prefix: Text<'_, MAX_PATH>,
        after: Text<'_, MAX_PATH>,
    ) -> Result<NextReply<'_>, Told> {
        let after = if after.get().is_empty() { None } else { Some(path(after.get())?) };
        let (entries, more) = self.act(sender, "list", prefix.get(), |state, service| {
            state.list(service, prefix.get(), after.as_ref(), 1)
        })?;
        let found = entries.first();
        let known = found.map_or(state::Stat { length: 0, version: 0, owner: 0 }, |entry| stat(entry.stat));
        let is_found = found.is_some();
        let path = entries.into_iter().next().map(|entry| entry.path).or(more);
        self.path = path.map_or(String::new(), |path| String::from(path.as_str()));
        Ok(NextReply { stat: known, found: is_found, path: Text::cut(&self.path) })
    }

    fn usage(&mut self, sender: Sender) -> Result<UsageReply, Told> {
        self.act(sender, "ask", "", |state, service| {
            let limit = state.access().limit(service);
            Ok(UsageReply { used: state.used(service), soft: limit.soft, hard: limit.hard })
        })
    }

    fn snapshot(&mut self, sender: Sender, name: Text<'_, MAX_SNAPSHOT>) -> Result<(), Told> {
        let name = name.get();
        self.act(sender, "keep a snapshot", name, |state, service| state.snapshot(service, name).map(drop))
    }

    fn restore(&mut self, sender: Sender, name: Text<'_, MAX_SNAPSHOT>) -> Result<(), Told> {
        let name = name.get();
        self.act(sender, "restore", name, |state, service| state.restore(service, name).map(drop))
    }

    fn forget(&mut self, sender: Sender, name: Text<'_, MAX_SNAPSHOT>) -> Result<(), Told> {
        let name = name.get();
        self.act(sender, "drop", name, |state, service| state.drop_snapshot(service, name).map(drop))
    }

    fn health(&mut self, _sender: Sender) -> Result<HealthReply, Told> {
        Ok(health(&mut self.mounted))
    }

    fn upload(&mut self, sender: Sender, length: u64, text: Text<'_, MAX_PATH>) -> Result<UploadReply, Told> {
        let path = path(text.get())?;
        let length = usize::try_from(length).map_err(|_| Told::TooLarge)?;
        // A client has one at a time: one that it begins and forgets keeps nobody out for good.
        self.give_up(sender.key);
        let upload =
            self.act(sender, "put", path.as_str(), |state, service| state.upload(service, &path, length))?;
        self.last_upload = self.last_upload.wrapping_add(1);
        self.uploads.insert(self.last_upload, (sender.key, upload));
        Ok(UploadReply { upload: self.last_upload })
    }

    fn more(&mut self, sender: Sender, number: u32, data: Bytes<'_, MAX_DATA>) -> Result<(), Told> {
        let mut upload = self.take(sender, number)?;
        let done = self.act(sender, "put", "", |state, _| state.upload_more(&mut upload, data.get()));
        self.uploads.insert(number, (sender.key, upload));
        done
    }

    fn publish(&mut self, sender: Sender, number: u32) -> Result<PublishReply, Told> {
        let upload = self.take(sender, number)?;
        let done = self.act(sender, "put", "", |state, _| state.publish(upload).map(receipt));
        Ok(PublishReply { receipt: done? })
    }

    fn unlock(
        &mut self,
        sender: Sender,
        least: u64,
        key: [u8; KEY],
        salt: [u8; SALT],
        prefix: Text<'_, MAX_PATH>,
    ) -> Result<UnlockReply, Told> {
        let text = prefix.get();
        let unlock = Unlock { prefix: text.into(), key: key.into(), salt, least, used: 0 };
        let done = self.act(sender, "unlock", text, |state, service| state.unlock(service, &unlock));
        match &done {
            Ok(sequence) => self.opened.extend(opened(text, *sequence)),
            Err(error @ (Told::Integrity | Told::Rollback)) => self.denials.push(unsound(text, *error)),
            Err(_) => {}
        }
        done.map(|sequence| UnlockReply { sequence })
    }

    fn anchor(&mut self, sender: Sender, prefix: Text<'_, MAX_PATH>) -> Result<AnchorReply, Told> {
        let text = prefix.get();
        let sequence = self.act(sender, "anchor", text, |state, service| state.anchor(service, text))?;
        Ok(AnchorReply { sequence })
    }

    fn charge(&mut self, sender: Sender, from: u32) -> Result<ChargeReply, Told> {
        self.may_with_all(sender, Allow::Check, "look at all of")?;
        self.act(sender, "ask", "", |state, _| {
            let (service, used, limit) = state.charge_from(from).ok_or(Error::NotFound)?;
            Ok(ChargeReply { service, used, soft: limit.soft, hard: limit.hard })
        })
    }

    fn point(&mut self, sender: Sender, index: u8) -> Result<PointReply<'_>, Told> {
        self.path = self.act(sender, "ask", "", |state, _| {
            state.snapshots().into_iter().nth(index.into()).ok_or(Error::NotFound)
        })?;
        Ok(PointReply { name: Text::cut(&self.path) })
    }

    fn check(&mut self, sender: Sender, mend: bool) -> Result<CheckReply<'_>, Told> {
        let before = self.mounted.mended();
        self.may_with_all(sender, Allow::Check, "look at all of")?;
        if mend {
            self.may_with_all(sender, Allow::Mend, "mend")?;
            self.anew = true;
            self.mounted.mount_again();
        }
        let looked = self.act(sender, "check", "", |state, _| Ok(state.store_mut().check()?))?;
        self.path = findings(&looked);
        Ok(checked(&looked, self.mounted.mended() - before, &self.path))
    }

    fn reset(&mut self, sender: Sender) -> Result<(), Told> {
        self.may_with_all(sender, Allow::Mend, "empty")?;
        self.anew = true;
        self.mounted.reset().map_err(told)
    }

    fn watch(
        &mut self,
        sender: Sender,
        news: Held<Owned<Any>, kinds::Channel>,
        prefix: Text<'_, MAX_PATH>,
    ) -> Result<WatchReply, Told> {
        let watch =
            self.act(sender, "watch", prefix.get(), |state, service| state.watch(service, prefix.get()))?;
        self.watching.begin(watch, sender, news.into());
        Ok(WatchReply { watch })
    }

    fn event(&mut self, sender: Sender, watch: u64) -> Result<EventReply<'_>, Told> {
        let next = self.act(sender, "watch", "", |state, service| state.event(service, watch));
        let (event, path) = happened(next?);
        self.path = path;
        Ok(EventReply { event, path: Text::cut(&self.path) })
    }

    fn unwatch(&mut self, sender: Sender, watch: u64) -> Result<(), Told> {
        self.mounted.unwatch(sender.identity.service, watch).map_err(told)?;
        self.watching.end(watch);
        Ok(())
    }
}
