//! The console as a client has it: whole lines, in their order, and none lost while its driver lives.

use crate::samgr::Service;
use nexus_api::console::{Client, Error, MAX_WRITE};
use nexus_wire::{Bytes, CallError};
use spin::Mutex;

/// A client of the console. Threads of the program can share it.
pub struct Console(Mutex<Client<Service>>);

impl Default for Console {
    fn default() -> Console {
        Console(Mutex::new(Client::new(Service("console"))))
    }
}

impl Console {
    /// Writes text, and waits for room if there is none. After the driver died it is written to the next one; whether the dead one
    /// had shown it is not known, so it may be seen twice.
    pub fn write(&self, text: &str) -> Result<(), CallError<Error>> {
        let mut console = self.0.lock();
        for piece in text.as_bytes().chunks(MAX_WRITE) {
            // A piece is as long as a write can be.
            let Ok(piece) = Bytes::new(piece) else { continue };
            loop {
                match console.write(piece) {
                    Ok(_) => break,
                    Err(CallError::Service(Error::NotReady)) => console.drain()?,
                    Err(CallError::ServerDied) => {
                        console.write(piece)?;
                        break;
                    }
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(())
    }

    /// Waits until everything that was written has been sent.
    pub fn drain(&self) -> Result<(), CallError<Error>> {
        self.0.lock().drain()
    }

    /// Waits for what is typed, for up to a minute; gives it to `take`.
    pub fn read<T>(&self, take: impl FnOnce(&[u8]) -> T) -> Result<T, CallError<Error>> {
        self.0.lock().read().map(|reply| take(reply.data.get()))
    }
}
