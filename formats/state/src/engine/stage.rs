//! Long values, written piece by piece to pages that nobody has until a commit names them. What is never committed is
//! free again when it is given up, and in any case when the store is mounted: nothing on the medium says that it is in use.

use alloc::vec::Vec;

use super::pages::Ptr;
use super::{Error, MAX_INLINE, MAX_VALUE, Medium, PAGE, Store, Value};

/// A value that is being written. It belongs to the store that it was begun on, as it is mounted now.
#[derive(Default)]
pub struct Stage {
    length: usize,
    /// Bytes of the page that is not full yet.
    part: Vec<u8>,
    pages: Vec<Ptr>,
}

impl Stage {
    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl<M: Medium> Store<M> {
    /// Adds bytes to a value. After an error it can only be given up.
    pub fn stage(&mut self, stage: &mut Stage, mut bytes: &[u8]) -> Result<(), Error> {
        self.usable()?;
        if stage.length + bytes.len() > MAX_VALUE {
            return Err(Error::TooLarge);
        }
        stage.length += bytes.len();
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PAGE - stage.part.len()));
            stage.part.extend_from_slice(now);
            bytes = later;
            if stage.part.len() == PAGE {
                self.stage_page(stage)?;
            }
        }
        Ok(())
    }

    fn stage_page(&mut self, stage: &mut Stage) -> Result<(), Error> {
        let part = core::mem::take(&mut stage.part);
        let ptr = self.write_staged(&part)?;
        stage.pages.push(ptr);
        Ok(())
    }

    fn write_staged(&mut self, bytes: &[u8]) -> Result<Ptr, Error> {
        if self.pages.space.free() <= self.need + self.reserve() {
            // What other values left behind may be enough.
            self.checkpoint()?;
            if self.pages.space.free() <= self.reserve() {
                return Err(Error::NoSpace);
            }
        }
        let page = self.pages.space.take_staged()?;
        self.pages.write(page, bytes, false).map_err(|error| self.fail(error))
    }

    /// The value, to be committed under a key.
    pub fn staged(&mut self, mut stage: Stage) -> Result<Value, Error> {
        // What fits into a leaf takes no page, however it came.
        if stage.length <= MAX_INLINE {
            return Ok(Value::Inline(stage.part));
        }
        if !stage.part.is_empty()
            && let Err(error) = self.stage_page(&mut stage)
        {
            self.give_up(stage);
            return Err(error);
        }
        let mut names = Vec::new();
        let pages = stage.pages.clone();
        let value = Value::close(stage.length, pages, |page| {
            let ptr = self.write_staged(page)?;
            names.push(ptr);
            Ok(ptr)
        });
        if value.is_err() {
            stage.pages.append(&mut names);
            self.give_up(stage);
        }
        value
    }

    /// Gives up a value that is complete and was not committed.
    pub fn abandon(&mut self, value: &Value) -> Result<(), Error> {
        for page in value.all_pages(&mut self.pages)? {
            self.pages.space.discard(page);
        }
        Ok(())
    }

    /// Gives up a value that was not completed.
    pub fn give_up(&mut self, stage: Stage) {
        stage.pages.iter().for_each(|ptr| self.pages.space.discard(ptr.page));
    }
}
