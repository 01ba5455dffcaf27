//! The interface `state`, call by call.

use alloc::string::String;
use alloc::vec::Vec;

use nexus_rt::api::state::{
    self, AnchorReply, BatchFromReply, BatchReply, ChargeReply, CheckedReply, DeleteReply, Error as Told,
    EventReply, GetIntoReply, GetReply, HealthReply, KEY, MAX_BATCH, MAX_DATA, MAX_PATH, MAX_SNAPSHOT,
    NextReply, PointReply, PublishReply, PutFromReply, PutReply, RenameReply, SALT, SalvageReply,
    SalvagedReply, StatReply, UnlockReply, UploadReply, UsageReply, WatchReply,
};
use nexus_rt::wire::{Bytes, Held, Sender, Text, kinds};
use nexus_rt::{Any, Owned};
use nexus_state::engine::Medium;
use nexus_state::rules::{Allow, Change, Entry, Error, Path, Receipt, Unlock};

use crate::answers::{checked, findings, health, opened, receipt, stat, told, unsound};
use crate::service::Service;
use crate::watching::happened;
use crate::{changes, handed};

/// The first of a list, if there is one, and where it is, or where to go on.
fn next_of(entries: Vec<Entry>, more: Option<Path>) -> (Option<state::Stat>, String) {
    let first = entries.into_iter().next();
    let found = first.as_ref().map(|entry| stat(entry.stat));
    let path = first.map(|entry| entry.path).or(more);
    (found, path.map_or(String::new(), |path| String::from(path.as_str())))
}

fn path(text: &str) -> Result<Path, Told> {
    Path::new(text).map_err(told)
}

impl<M: Medium> Service<M> {
    /// Makes the changes that these bytes are.
    fn changes(&mut self, sender: Sender, durable: bool, bytes: &[u8]) -> Result<state::Receipt, Told> {
        let changes = changes::read(bytes).map_err(told)?;
        let first = match changes.first() {
            Some(Change::Put(path, _) | Change::Delete(path) | Change::Rename(path, _)) => path.clone(),
            None => return Err(Told::Invalid),
        };
        self.change(sender, "change", first.as_str(), durable, &changes)
    }
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
        Ok(BatchReply { receipt: self.changes(sender, durable, bytes.get())? })
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
        let (found, path) = next_of(entries, more);
        self.path = path;
        let known = found.unwrap_or(state::Stat { length: 0, version: 0, owner: 0 });
        Ok(NextReply { stat: known, found: found.is_some(), path: Text::cut(&self.path) })
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
        self.free()?;
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

    fn put_from(
        &mut self,
        sender: Sender,
        durable: bool,
        length: u32,
        memory: Held<Owned<Any>, kinds::Vmo>,
        text: Text<'_, MAX_PATH>,
    ) -> Result<PutFromReply, Told> {
        let path = path(text.get())?;
        self.free()?;
        let change = Change::Put(path, handed::taken(&mut *self.hands, &memory.into(), length)?);
        Ok(PutFromReply { receipt: self.change(sender, "put", text.get(), durable, &[change])? })
    }

    fn get_into(
        &mut self,
        sender: Sender,
        from: u64,
        room: u32,
        memory: Held<Owned<Any>, kinds::Vmo>,
        text: Text<'_, MAX_PATH>,
    ) -> Result<GetIntoReply, Told> {
        let path = path(text.get())?;
        let (from, room) = (usize::try_from(from).map_err(|_| Told::Invalid)?, handed::bounded(room)?);
        let (data, known) =
            self.act(sender, "read", path.as_str(), |state, service| state.get(service, &path, from, room))?;
        let length = handed::given(&mut *self.hands, &memory.into(), room, data)?;
        Ok(GetIntoReply { stat: stat(known), length })
    }

    fn batch_from(
        &mut self,
        sender: Sender,
        durable: bool,
        length: u32,
        memory: Held<Owned<Any>, kinds::Vmo>,
    ) -> Result<BatchFromReply, Told> {
        self.free()?;
        let bytes = handed::taken(&mut *self.hands, &memory.into(), length)?;
        Ok(BatchFromReply { receipt: self.changes(sender, durable, &bytes)? })
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

    fn check(&mut self, sender: Sender, mend: bool) -> Result<(), Told> {
        self.may_with_all(sender, Allow::Check, "look at all of")?;
        if mend {
            self.may_with_all(sender, Allow::Mend, "mend")?;
        }
        self.free()?;
        let before = self.mounted.mended();
        if mend {
            self.anew = true;
            self.mounted.mend(true);
        }
        let mended = self.mounted.mended() - before;
        if let Some(missing) = self.mounted.missing().map(<[String]>::to_vec) {
            let figures = self.mounted.sound().map_err(told)?.store().figures();
            self.looking.known(figures.keys, figures.pages - figures.free, &missing);
            return Ok(());
        }
        self.looking.begin(self.mounted.state(), mended).map_err(told)
    }

    fn checked(&mut self, sender: Sender) -> Result<CheckedReply<'_>, Told> {
        self.may_with_all(sender, Allow::Check, "look at all of")?;
        let looked = self.looking.ended().map_err(told)?;
        self.path = findings(looked);
        Ok(checked(looked, &self.path))
    }

    fn salvage(&mut self, sender: Sender, after: Text<'_, MAX_PATH>) -> Result<SalvageReply<'_>, Told> {
        self.may_with_all(sender, Allow::Check, "look at all of")?;
        self.free()?;
        let after = if after.get().is_empty() { None } else { Some(path(after.get())?) };
        let state = self.mounted.sound().map_err(told)?;
        let (entries, more) = state.list(sender.identity.service, "", after.as_ref(), 1).map_err(told)?;
        let (found, path) = next_of(entries, more);
        self.path = path;
        let known = found.unwrap_or(state::Stat { length: 0, version: 0, owner: 0 });
        Ok(SalvageReply { stat: known, found: found.is_some(), path: Text::cut(&self.path) })
    }

    fn salvaged(
        &mut self,
        sender: Sender,
        from: u64,
        text: Text<'_, MAX_PATH>,
    ) -> Result<SalvagedReply<'_>, Told> {
        self.may_with_all(sender, Allow::Check, "look at all of")?;
        self.free()?;
        let path = path(text.get())?;
        let from = usize::try_from(from).map_err(|_| Told::Invalid)?;
        let state = self.mounted.sound().map_err(told)?;
        let (data, known) = state.get(sender.identity.service, &path, from, MAX_DATA).map_err(told)?;
        self.data = data;
        let data = Bytes::new(&self.data).map_err(|_| Told::TooLarge)?;
        Ok(SalvagedReply { stat: stat(known), data })
    }

    fn dismiss(&mut self, sender: Sender) -> Result<(), Told> {
        self.may_with_all(sender, Allow::Mend, "mend")?;
        self.act(sender, "mend", "", |state, _| {
            let receipt = state.forget_lost()?;
            state.sync(Some(receipt))
        })
    }

    fn reset(&mut self, sender: Sender) -> Result<(), Told> {
        self.may_with_all(sender, Allow::Mend, "empty")?;
        self.free()?;
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
