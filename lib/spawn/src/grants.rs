//! What a new process will be handed: names and handles, given out one by one as it asks for them.

use alloc::collections::VecDeque;
use alloc::string::String;
use nexus_abi::Error;
use nexus_rt::api::start::{self, ArgumentsReply, GrantReply};
use nexus_rt::owned::ObjectKind;
use nexus_rt::startup::{MAX_ARGS, MAX_GRANTS, MAX_NAME};
use nexus_rt::wire::{Sender, Text};
use nexus_rt::{Any, Owned};

/// Grants that wait to be asked for: a program's starter as the program sees it.
#[derive(Debug, Default)]
pub struct Grants {
    waiting: VecDeque<(String, Owned<Any>)>,
    /// The name of the one that was given out last.
    last: String,
    args: String,
    ready: bool,
}

impl Grants {
    /// None yet, and these arguments.
    pub fn new(args: &str) -> Grants {
        Grants { args: String::from(args), ..Grants::default() }
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

    /// Whether the program has said that it does its job.
    pub fn is_ready(&self) -> bool {
        self.ready
    }
}

impl start::Server<Owned<Any>> for Grants {
    fn grant(&mut self, _sender: Sender) -> Result<GrantReply<'_, Owned<Any>>, start::Error> {
        let (name, handle) = self.waiting.pop_front().ok_or(start::Error::NotFound)?;
        self.last = name;
        // `add` took no longer name.
        Ok(GrantReply { handle: handle.into(), name: Text::<MAX_NAME>::cut(&self.last) })
    }

    fn arguments(&mut self, _sender: Sender) -> Result<ArgumentsReply<'_>, start::Error> {
        Ok(ArgumentsReply { text: Text::<MAX_ARGS>::cut(&self.args) })
    }

    fn ready(&mut self, _sender: Sender) -> Result<(), start::Error> {
        self.ready = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_abi::{Handle, Identity};
    use nexus_rt::PortKind;
    use nexus_rt::api::start::Server;

    const SENDER: Sender = Sender { identity: Identity { service: 1, generation: 1 }, key: 1, token: 1 };

    fn port(number: u32) -> Owned<PortKind> {
        Owned::from_handle(Handle(number))
    }

    #[test]
    fn grants_come_in_order_and_then_no_more() {
        let mut grants = Grants::new("seed=1");
        for (number, name) in [(1, "log"), (2, "quota")] {
            grants.add(name, port(number)).unwrap();
        }
        for (number, name) in [(1, "log"), (2, "quota")] {
            let given = grants.grant(SENDER).unwrap();
            assert_eq!((given.name.get(), given.handle.into_inner().handle()), (name, Handle(number)));
        }
        assert!(grants.grant(SENDER).is_err_and(|error| error == start::Error::NotFound));
        assert_eq!(grants.arguments(SENDER).unwrap().text.get(), "seed=1");
        assert!(!grants.is_ready());
        grants.ready(SENDER).unwrap();
        assert!(grants.is_ready());
    }

    #[test]
    fn no_more_grants_than_a_program_can_take() {
        let mut grants = Grants::default();
        for number in 0..MAX_GRANTS as u32 {
            grants.add("g", port(number + 1)).unwrap();
        }
        assert_eq!(grants.add("g", port(99)), Err(Error::NoSpace));
        assert_eq!(Grants::default().add(&"n".repeat(MAX_NAME), port(1)), Ok(()));
        assert_eq!(Grants::default().add(&"n".repeat(MAX_NAME + 1), port(1)), Err(Error::Invalid));
    }

    #[test]
    fn arguments_that_are_too_long_are_cut_between_characters() {
        let mut grants = Grants::new(&("x".repeat(MAX_ARGS - 1) + "é"));
        assert_eq!(grants.arguments(SENDER).unwrap().text.get(), "x".repeat(MAX_ARGS - 1));
    }
}
