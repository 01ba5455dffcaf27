//! `/state` as the place where records are kept.

use alloc::string::String;
use alloc::vec::Vec;

use nexus_rt::api::state::{Client, Error};
use nexus_rt::samgr::Service;
use nexus_rt::wire::{Bytes, CallError, Text};
use recordd::keeper::Shelf;

/// The state.
pub struct State(Client<Service>);

impl Default for State {
    fn default() -> State {
        State(Client::new(Service("state")))
    }
}

type Failure = CallError<Error>;

impl Shelf for State {
    type Error = Failure;

    fn list(&mut self, prefix: &str) -> Result<Vec<String>, Failure> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let reply = self.0.next(Text::cut(prefix), Text::cut(&after))?;
            if reply.path.is_empty() {
                return Ok(all);
            }
            after = String::from(reply.path.get());
            if reply.found {
                all.push(after.clone());
            }
        }
    }

    fn get(&mut self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self.0.get(0, Text::cut(path)) {
            Ok(reply) => Ok(Some(reply.data.get().to_vec())),
            Err(CallError::Service(Error::NotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let bytes = Bytes::new(bytes).map_err(|_| CallError::Service(Error::TooLarge))?;
        self.0.put(true, Text::cut(path), bytes).map(drop)
    }

    fn delete(&mut self, path: &str) -> Result<(), Failure> {
        match self.0.delete(Text::cut(path)) {
            Ok(_) | Err(CallError::Service(Error::NotFound)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
