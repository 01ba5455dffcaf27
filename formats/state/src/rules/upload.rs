//! Values that come piece by piece, because they are too long for one message. Nothing is seen of them until they are complete.

use super::plan::Plan;
use super::row::{HEAD, Head, Row, version};
use super::{Allow, Error, Path, Receipt, State};
use crate::engine::{Medium, Stage};

/// Longest value, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// Most uploads at a time.
pub const MAX_UPLOADS: usize = 4;

/// A value on its way. It is to be published or given up: until then it counts, and its pages are taken.
pub struct Upload {
    service: u32,
    path: Path,
    head: Head,
    length: usize,
    stage: Stage,
}

impl<M: Medium> State<M> {
    /// Begins to give a path a value of so many bytes.
    pub fn upload(&mut self, service: u32, path: &Path, length: usize) -> Result<Upload, Error> {
        self.may(service, Allow::Write, path)?;
        // A sealed value is closed as one piece, and so it comes as one.
        if length > MAX_BYTES || self.seals.of(&path.key()).is_some() {
            return Err(Error::TooLarge);
        }
        // Their pages are charged to nobody yet, so as much as the service may store is the most that can be on its way.
        let others = self.uploads.iter().filter(|(whose, _)| *whose == service);
        let staged = length + others.map(|(_, length)| length).sum::<usize>();
        if self.uploads.len() == MAX_UPLOADS || staged as u64 > self.access.limit(service).hard {
            return Err(Error::QuotaExceeded);
        }
        self.serial = self.serial % u8::MAX + 1;
        let head = Head { sealed: false, owner: service, version: version(&self.store, self.serial) };
        let mut stage = Stage::default();
        self.store.stage(&mut stage, &head.encode())?;
        self.uploads.push((service, length));
        Ok(Upload { service, path: path.clone(), head, length, stage })
    }

    /// Adds bytes. After an error it can only be given up.
    pub fn upload_more(&mut self, upload: &mut Upload, bytes: &[u8]) -> Result<(), Error> {
        if upload.stage.len() - HEAD + bytes.len() > upload.length {
            return Err(Error::Invalid);
        }
        Ok(self.store.stage(&mut upload.stage, bytes)?)
    }

    /// The path has the value from now on, if all of it has come.
    pub fn publish(&mut self, upload: Upload) -> Result<Receipt, Error> {
        if upload.stage.len() - HEAD != upload.length {
            self.give_up(upload);
            return Err(Error::Invalid);
        }
        self.ended(&upload);
        let value = self.store.staged(upload.stage)?;
        let mut plan =
            Plan::new(&mut self.store, &self.access, &mut self.seals, &self.losses, upload.service);
        let row = Row { head: upload.head, mark: None, value: value.clone() };
        let put = plan.put(&upload.path, row).and_then(|()| plan.afford(&self.charges));
        match put.and_then(|()| plan.commit(&mut self.charges)) {
            Ok(done) => Ok(self.done(done)),
            Err(error) => {
                self.store.abandon(&value)?;
                Err(error)
            }
        }
    }

    /// Gives a value up that was not published.
    pub fn give_up(&mut self, upload: Upload) {
        self.ended(&upload);
        self.store.give_up(upload.stage);
    }

    fn ended(&mut self, upload: &Upload) {
        let known = (upload.service, upload.length);
        if let Some(place) = self.uploads.iter().position(|one| *one == known) {
            self.uploads.swap_remove(place);
        }
    }
}
