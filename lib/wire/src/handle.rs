//! Handles in messages: owned, typed by kind, closed when nobody takes them.
//!
//! The kernel moves a handle as it is; that it is of the declared kind with the declared rights is checked
//! here, on arrival, before a server or a client can see it.

use crate::codec::Malformed;
use core::fmt;
use core::marker::PhantomData;
use nexus_abi::bounds::MAX_MESSAGE_HANDLES;
use nexus_abi::{Kind, Rights};

/// An owned handle of any kind, which closes when it is dropped.
pub trait AnyHandle: Sized {
    /// What it is for, and what it allows; `None` when its object has been destroyed.
    fn describe(&self) -> Option<(Kind, Rights)>;
}

/// The handle of a line that carries none. There is no value of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoHandle {}

impl AnyHandle for NoHandle {
    fn describe(&self) -> Option<(Kind, Rights)> {
        match *self {}
    }
}

/// A kind of kernel object, as a type.
pub trait HandleKind {
    /// The kind; `None` stands for any.
    const KIND: Option<Kind>;
}

/// The kinds of kernel objects, as types.
pub mod kinds {
    use super::{HandleKind, Kind};

    macro_rules! kinds {
        ($($(#[$doc:meta])+ $name:ident: $kind:expr;)+) => {$(
            $(#[$doc])+
            #[derive(Debug)]
            pub enum $name {}

            impl HandleKind for $name {
                const KIND: Option<Kind> = $kind;
            }
        )+};
    }

    kinds! {
        /// An object of any kind: who takes it looks what it is.
        Any: None;
        /// A process.
        Process: Some(Kind::Process);
        /// A thread.
        Thread: Some(Kind::Thread);
        /// One end of a channel.
        Channel: Some(Kind::Channel);
        /// A port.
        Port: Some(Kind::Port);
        /// Memory.
        Vmo: Some(Kind::Vmo);
        /// A timer.
        Timer: Some(Kind::Timer);
        /// An account of memory and processor share.
        Quota: Some(Kind::Quota);
        /// The right to bear a service id.
        Identity: Some(Kind::Identity);
        /// The root resource.
        Resource: Some(Kind::Resource);
        /// A window of device registers.
        Mmio: Some(Kind::Mmio);
        /// One interrupt source.
        Irq: Some(Kind::Irq);
        /// Contiguous memory for a device.
        Pool: Some(Kind::Pool);
    }
}

/// An owned handle of the kind `K`. Who receives one can rely on the kind and on the rights that the
/// interface declares; who makes one to send it promises them, and the receiver checks.
pub struct Held<H, K> {
    handle: H,
    kind: PhantomData<fn() -> K>,
}

impl<H, K> Held<H, K> {
    /// A handle that the caller says is of the kind `K`. If it is not, its receiver refuses it.
    pub fn assume(handle: H) -> Self {
        Held { handle, kind: PhantomData }
    }

    /// The handle itself.
    pub fn into_inner(self) -> H {
        self.handle
    }

    /// The handle itself, lent.
    pub fn inner(&self) -> &H {
        &self.handle
    }
}

impl<H: AnyHandle, K: HandleKind> Held<H, K> {
    /// Checks kind and rights; a handle that does not do is closed.
    pub fn check(handle: H, rights: Rights) -> Result<Self, Malformed> {
        match handle.describe() {
            Some((kind, held)) if K::KIND.is_none_or(|k| k == kind) && held.contains(rights) => {
                Ok(Held::assume(handle))
            }
            _ => Err(Malformed),
        }
    }
}

impl<H: fmt::Debug, K> fmt::Debug for Held<H, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.handle).finish()
    }
}

impl<H: PartialEq, K> PartialEq for Held<H, K> {
    fn eq(&self, other: &Self) -> bool {
        self.handle == other.handle
    }
}

/// The handles of one message, in order. Those left in it are closed when it is dropped.
#[derive(Debug)]
pub struct Handles<H> {
    slots: [Option<H>; MAX_MESSAGE_HANDLES],
    len: usize,
}

impl<H> Default for Handles<H> {
    fn default() -> Self {
        Handles { slots: [const { None }; MAX_MESSAGE_HANDLES], len: 0 }
    }
}

impl<H> Handles<H> {
    /// Handles that the message carries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it carries none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds one at the end. A ninth comes back.
    pub fn push(&mut self, handle: H) -> Result<(), H> {
        match self.slots.get_mut(self.len) {
            Some(slot) => {
                *slot = Some(handle);
                self.len += 1;
                Ok(())
            }
            None => Err(handle),
        }
    }

    /// Takes the handle at `index` if it is still there.
    pub fn take(&mut self, index: usize) -> Option<H> {
        self.slots.get_mut(index)?.take()
    }

    /// Lends the handle at `index` if it is still there.
    pub fn get(&self, index: usize) -> Option<&H> {
        self.slots.get(index)?.as_ref()
    }

    /// Closes what is left and forgets how many there were.
    pub fn clear(&mut self) {
        *self = Handles::default();
    }
}

impl<H: AnyHandle> Handles<H> {
    /// Takes the handle at `index`, which must be of the kind `K` and have `rights`.
    pub fn receive<K: HandleKind>(&mut self, index: usize, rights: Rights) -> Result<Held<H, K>, Malformed> {
        Held::check(self.take(index).ok_or(Malformed)?, rights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Fake(Kind, Rights);

    impl AnyHandle for Fake {
        fn describe(&self) -> Option<(Kind, Rights)> {
            Some((self.0, self.1))
        }
    }

    #[test]
    fn the_ninth_handle_comes_back() {
        let mut handles = Handles::default();
        for _ in 0..MAX_MESSAGE_HANDLES {
            assert_eq!(handles.push(Fake(Kind::Vmo, Rights::READ)), Ok(()));
        }
        assert!(handles.push(Fake(Kind::Port, Rights::WAIT)).is_err());
        assert_eq!(handles.len(), MAX_MESSAGE_HANDLES);
    }

    #[test]
    fn a_wrong_kind_a_missing_right_and_a_missing_handle_are_refused() {
        let received = |rights| {
            let mut handles = Handles::default();
            assert!(handles.push(Fake(Kind::Vmo, Rights::READ | Rights::MAP)).is_ok());
            (handles.receive::<kinds::Vmo>(0, rights).is_ok(), handles.receive::<kinds::Vmo>(0, rights))
        };
        assert_eq!(received(Rights::READ), (true, Err(Malformed)));
        assert_eq!(received(Rights::READ | Rights::WRITE), (false, Err(Malformed)));
        let mut handles = Handles::default();
        assert!(handles.push(Fake(Kind::Port, Rights::all())).is_ok());
        assert_eq!(handles.receive::<kinds::Vmo>(0, Rights::empty()).map(|_| ()), Err(Malformed));
        assert_eq!(handles.receive::<kinds::Port>(8, Rights::empty()).map(|_| ()), Err(Malformed));
        assert!(handles.push(Fake(Kind::Port, Rights::WAIT)).is_ok());
        assert!(handles.receive::<kinds::Any>(1, Rights::WAIT).is_ok(), "any kind will do, with the rights");
        assert!(handles.push(Fake(Kind::Port, Rights::WAIT)).is_ok());
        assert!(handles.receive::<kinds::Any>(2, Rights::SIGNAL).is_err());
    }
}
