//! Pages by what names them: number and checksum together. A page is checked when it comes from the medium.

use alloc::rc::Rc;

use super::cache::{Bytes, Cache};
use super::codec::{Reader, Writer};
use super::layout::Shape;
use super::space::Space;
use super::{Damage, Error, Medium, PAGE, Tree, checksum};

/// What names a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ptr {
    pub page: u32,
    pub checksum: u64,
}

impl Ptr {
    /// Bytes of it on the medium.
    pub const BYTES: usize = 12;

    pub fn write(self, out: &mut Writer) {
        out.u32(self.page);
        out.u64(self.checksum);
    }

    pub fn read(from: &mut Reader<'_>) -> Result<Ptr, Damage> {
        Ok(Ptr { page: from.u32()?, checksum: from.u64()? })
    }
}

/// The medium, what is known of it, and what is free on it.
pub struct Pages<M> {
    pub medium: M,
    pub shape: Shape,
    pub cache: Cache,
    pub space: Space,
    /// Pages written since the store was mounted.
    pub written: u64,
    /// Whether a page was met that is not what was written.
    pub damaged: bool,
}

impl<M: Medium> Pages<M> {
    /// The page, checked. Those of trees are kept in memory, those of values only if asked for.
    pub fn load(&mut self, ptr: Ptr, keep: bool) -> Result<Bytes, Error> {
        if let Some(bytes) = self.cache.get(ptr.page, ptr.checksum) {
            return Ok(bytes);
        }
        let bytes = self.read(ptr)?;
        if keep {
            self.cache.put(ptr.page, ptr.checksum, bytes.clone());
        }
        Ok(bytes)
    }

    /// The page as it is on the medium, checked.
    pub fn read(&mut self, ptr: Ptr) -> Result<Bytes, Error> {
        if !self.space.is_data(ptr.page) {
            return Err(Damage::Content.into());
        }
        let mut bytes = Rc::new([0; PAGE]);
        if let Some(room) = Rc::get_mut(&mut bytes) {
            self.medium.read(u64::from(ptr.page) * PAGE as u64, room)?;
        }
        if checksum(&bytes[..]) != ptr.checksum {
            self.damaged = true;
            return Err(Damage::Page(ptr.page).into());
        }
        Ok(bytes)
    }

    /// Writes at most a page of bytes, the rest of the page zero, and says what names it.
    pub fn write(&mut self, page: u32, data: &[u8], keep: bool) -> Result<Ptr, Error> {
        let mut bytes = [0; PAGE];
        let room = bytes.get_mut(..data.len()).ok_or(Error::TooLarge)?;
        room.copy_from_slice(data);
        let ptr = Ptr { page, checksum: checksum(&bytes) };
        self.medium.write(u64::from(page) * PAGE as u64, &bytes)?;
        self.written += 1;
        if keep {
            self.cache.put(page, ptr.checksum, Rc::new(bytes));
        }
        Ok(ptr)
    }

    /// Writes a new page of a tree.
    pub fn add(&mut self, tree: Tree, data: &[u8], keep: bool) -> Result<Ptr, Error> {
        let page = self.space.take_for(tree)?;
        self.write(page, data, keep)
    }
}
