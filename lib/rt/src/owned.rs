//! Handles that close themselves. A handle value is in exactly one [`Owned`]; what moves it out of the process
//! takes it out of there first, and puts it back when the kernel refused.

use crate::sys;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use nexus_abi::bounds::MAX_MESSAGE_HANDLES;
use nexus_abi::{Error, Handle, Rights};

pub use nexus_wire::HandleKind as ObjectKind;
pub use nexus_wire::kinds::*;

/// A handle that this program holds. Dropping it closes it.
pub struct Owned<K> {
    handle: Handle,
    kind: PhantomData<fn() -> K>,
}

impl<K: ObjectKind> Owned<K> {
    /// Takes charge of a handle. A wrong kind shows as `WrongType` at its first use.
    pub const fn from_handle(handle: Handle) -> Self {
        Owned { handle, kind: PhantomData }
    }

    /// The handle, which stays owned.
    pub const fn handle(&self) -> Handle {
        self.handle
    }

    /// The handle, which nobody closes any more.
    pub fn into_handle(self) -> Handle {
        let handle = self.handle;
        mem::forget(self);
        handle
    }

    /// The same, its kind forgotten.
    pub fn any(self) -> Owned<Any> {
        Owned::from_handle(self.into_handle())
    }

    /// A second handle with these rights, all of which this one must have.
    pub fn duplicate(&self, rights: Rights) -> Result<Owned<K>, Error> {
        sys::handle_dup(self.handle, rights).map(Owned::from_handle)
    }

    /// The rights of this handle.
    pub fn rights(&self) -> Result<Rights, Error> {
        Ok(Rights::from_bits_truncate(sys::handle_info(self.handle)?.rights))
    }
}

impl Owned<Any> {
    /// The same as a handle of kind `K`; the kernel is asked whether it is one.
    pub fn typed<K: ObjectKind>(self) -> Result<Owned<K>, Error> {
        let kind = sys::handle_info(self.handle)?.kind;
        match K::KIND {
            Some(expected) if expected as u32 != kind => Err(Error::WrongType),
            _ => Ok(Owned::from_handle(self.into_handle())),
        }
    }
}

impl<K> Drop for Owned<K> {
    fn drop(&mut self) {
        close(self.handle);
    }
}

/// Out of line: a system call at each place where a handle may be dropped would be most of a small program.
#[inline(never)]
fn close(handle: Handle) {
    if handle != Handle::NONE {
        // The only refusal is `BadHandle`: then there is nothing to close.
        let _ = sys::handle_close(handle);
    }
}

impl<K> fmt::Debug for Owned<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.handle.0)
    }
}

/// The handles of one message, at most [`MAX_MESSAGE_HANDLES`]. Dropping the list closes what is left in it.
#[derive(Debug, Default)]
pub struct Handles {
    raw: [Handle; MAX_MESSAGE_HANDLES],
    count: usize,
}

impl Handles {
    /// No handles.
    pub const fn new() -> Handles {
        Handles { raw: [Handle::NONE; MAX_MESSAGE_HANDLES], count: 0 }
    }

    /// One handle.
    pub fn one<K: ObjectKind>(handle: Owned<K>) -> Handles {
        let mut handles = Handles::new();
        handles.raw[0] = handle.into_handle();
        handles.count = 1;
        handles
    }

    /// Adds a handle; gives it back when the list is full.
    pub fn push<K: ObjectKind>(&mut self, handle: Owned<K>) -> Result<(), Owned<K>> {
        match self.raw.get_mut(self.count) {
            Some(slot) => {
                *slot = handle.into_handle();
                self.count += 1;
                Ok(())
            }
            None => Err(handle),
        }
    }

    /// Takes the handle at `index` out, once.
    pub fn take(&mut self, index: usize) -> Option<Owned<Any>> {
        let slot = self.raw[..self.count].get_mut(index)?;
        let handle = mem::take(slot);
        (handle != Handle::NONE).then(|| Owned::from_handle(handle))
    }

    /// Takes the handle at `index` out, once, if it is of kind `K`.
    pub fn take_typed<K: ObjectKind>(&mut self, index: usize) -> Result<Owned<K>, Error> {
        self.take(index).ok_or(Error::BadHandle)?.typed()
    }

    /// How many handles the message had.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether it had none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The kernel has taken them: forgets them all.
    pub(crate) fn gone(&mut self) {
        self.raw = [Handle::NONE; MAX_MESSAGE_HANDLES];
        self.count = 0;
    }

    /// Where the kernel reads or writes them.
    pub(crate) fn raw(&mut self) -> &mut [Handle; MAX_MESSAGE_HANDLES] {
        &mut self.raw
    }

    /// The kernel has written `count` handles.
    pub(crate) fn filled(&mut self, count: usize) {
        self.count = count.min(MAX_MESSAGE_HANDLES);
    }
}

impl Drop for Handles {
    fn drop(&mut self) {
        for index in 0..self.count {
            drop(self.take(index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_as_many_handles_as_a_message_and_no_more() {
        let mut list = Handles::new();
        for number in 0..MAX_MESSAGE_HANDLES as u32 {
            assert!(list.push(Owned::<Port>::from_handle(Handle(number + 1))).is_ok());
        }
        let back = list.push(Owned::<Port>::from_handle(Handle(99)));
        assert_eq!(back.map_err(|h| h.handle()), Err(Handle(99)));
        assert_eq!(list.take(7).map(|h| h.handle()), Some(Handle(8)));
        assert!(list.take(7).is_none(), "a handle is taken once");
        assert!(list.take(8).is_none());
    }
}
