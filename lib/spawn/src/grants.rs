//! What a new process will be handed: names and handles, in the pieces in which it asks for them.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use nexus_abi::Error;
use nexus_rt::owned::ObjectKind;
use nexus_rt::startup::{MAX_ARGS, MAX_GRANTS, MAX_NAME, write_name};
use nexus_rt::{Any, Handles, Owned};

/// Grants that wait to be asked for.
#[derive(Debug, Default)]
pub struct Grants {
    waiting: VecDeque<(String, Owned<Any>)>,
    args: String,
}

impl Grants {
    /// None yet, and these arguments.
    pub fn new(args: &str) -> Grants {
        Grants { waiting: VecDeque::new(), args: String::from(args) }
    }

    /// Adds one.
    pub fn add<K: ObjectKind>(&mut self, name: &str, handle: Owned<K>) -> Result<(), Error> {
        if name.len() > MAX_NAME {
            return Err(Error::Invalid);
        }
        if self.waiting.len() == MAX_GRANTS {
            return Err(Error::NoSpace);
        }
        self.waiting.push_back((String::from(name), handle.any()));
        Ok(())
    }

    /// How many are still to be handed over.
    pub fn remaining(&self) -> usize {
        self.waiting.len()
    }

    /// The next answer to START: names and handles of up to eight grants, or the arguments after the last.
    pub fn answer(&mut self) -> (Vec<u8>, Handles) {
        let mut handles = Handles::new();
        let mut bytes = Vec::new();
        if self.waiting.is_empty() {
            let mut end = self.args.len().min(MAX_ARGS);
            while !self.args.is_char_boundary(end) {
                end -= 1;
            }
            bytes.extend_from_slice(&self.args.as_bytes()[..end]);
            return (bytes, handles);
        }
        while let Some((name, handle)) = self.waiting.pop_front() {
            let mut entry = [0; MAX_NAME + 1];
            let length = write_name(&name, &mut entry).unwrap_or(0);
            match handles.push(handle) {
                Ok(()) => bytes.extend_from_slice(&entry[..length]),
                Err(handle) => {
                    self.waiting.push_front((name, handle));
                    break;
                }
            }
        }
        (bytes, handles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use nexus_abi::Handle;
    use nexus_rt::PortKind;

    fn port(number: u32) -> Owned<PortKind> {
        Owned::from_handle(Handle(number))
    }

    #[test]
    fn nine_grants_take_two_answers_and_the_last_brings_the_arguments() {
        let mut grants = Grants::new("seed=1");
        for number in 1..=9 {
            grants.add(&format!("g{number}"), port(number)).unwrap();
        }
        let (bytes, mut handles) = grants.answer();
        assert_eq!((handles.len(), &bytes[..6]), (8, &b"\x02g1\x02g2"[..]));
        assert_eq!(handles.take(7).map(|h| h.handle()), Some(Handle(8)));
        let (bytes, mut handles) = grants.answer();
        assert_eq!((handles.len(), &bytes[..]), (1, &b"\x02g9"[..]));
        assert_eq!(handles.take(0).map(|h| h.handle()), Some(Handle(9)));
        let (bytes, handles) = grants.answer();
        assert!(handles.is_empty());
        assert_eq!(bytes, b"seed=1");
    }

    #[test]
    fn no_more_grants_than_a_program_can_take() {
        let mut grants = Grants::default();
        for number in 0..MAX_GRANTS as u32 {
            grants.add("g", port(number + 1)).unwrap();
        }
        assert_eq!(grants.add("g", port(99)), Err(Error::NoSpace));
        assert_eq!(Grants::default().add(&"n".repeat(MAX_NAME + 1), port(1)), Err(Error::Invalid));
    }
}
