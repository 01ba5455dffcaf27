//! The service registry's client: connecting to a service by its declared name, and providing one.
//!
//! `samgrd` decides from the kernel's sender identity; nothing sent here is a proof of anything.

use crate::channel::CallError;
use crate::owned::{Channel, Handles, Owned};
use crate::startup;
use nexus_abi::{Error, Ticks};
use spin::Mutex;

/// Call: a connection to the service of this name. The answer brings its endpoint.
pub const OP_CONNECT: u64 = 1;

/// Call: this process provides the service of this name; clients' endpoints go to the channel that comes along.
pub const OP_REGISTER: u64 = 2;

/// Call: nothing. It is answered once `samgrd` holds its end of this channel, which may have been on its way.
pub const OP_HELLO: u64 = 3;

/// Longest name of a service.
pub const MAX_NAME: usize = 31;

/// Bytes of a request: operation, then the name padded with 0.
pub const REQUEST_BYTES: usize = 8 + MAX_NAME + 1;

/// What a provider's end of its intake channel can receive: clients' endpoints, one a message.
pub const INTAKE_END: crate::End = crate::End { depth: 16, bytes: 8, handles: 1 };

/// Why `samgrd` refused. Numbers are stable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Denial {
    /// The registry declares no such edge for this process.
    PermissionDenied = 1,
    /// No such service is registered now; try again.
    NotReady = 2,
    /// Another process has registered the name.
    Exists = 3,
    /// This process has as many connections as it may.
    QuotaExceeded = 4,
    /// The request is malformed.
    Invalid = 5,
}

impl Denial {
    /// The denial with this number.
    pub const fn from_raw(number: u64) -> Option<Denial> {
        match number {
            1 => Some(Denial::PermissionDenied),
            2 => Some(Denial::NotReady),
            3 => Some(Denial::Exists),
            4 => Some(Denial::QuotaExceeded),
            5 => Some(Denial::Invalid),
            _ => None,
        }
    }
}

/// Why there is no connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectError {
    /// `samgrd` refused.
    Denied(Denial),
    /// The call to `samgrd` failed.
    Call(CallError),
}

impl From<CallError> for ConnectError {
    fn from(error: CallError) -> Self {
        ConnectError::Call(error)
    }
}

impl From<Error> for ConnectError {
    fn from(error: Error) -> Self {
        ConnectError::Call(error.into())
    }
}

static SAMGRD: Mutex<Option<Owned<Channel>>> = Mutex::new(None);

/// A request's bytes; `None` for a name that is empty or too long.
pub fn encode(operation: u64, name: &str) -> Option<[u8; REQUEST_BYTES]> {
    if name.is_empty() || name.len() > MAX_NAME {
        return None;
    }
    let mut request = [0; REQUEST_BYTES];
    request[..8].copy_from_slice(&operation.to_le_bytes());
    request[8..8 + name.len()].copy_from_slice(name.as_bytes());
    Some(request)
}

/// Operation and name of a request; `None` for anything that [`encode`] does not make.
pub fn decode(request: &[u8]) -> Option<(u64, &str)> {
    if request.len() != REQUEST_BYTES {
        return None;
    }
    let (operation, name) = request.split_first_chunk::<8>()?;
    let length = name.iter().position(|byte| *byte == 0)?;
    let (name, padding) = name.split_at(length);
    if name.is_empty() || padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    Some((u64::from_le_bytes(*operation), core::str::from_utf8(name).ok()?))
}

fn ask(request: &[u8], handles: &mut Handles, deadline: Ticks) -> Result<Handles, ConnectError> {
    let mut samgrd = SAMGRD.lock();
    // A channel that came later is one to a later `samgrd`: what is held may be dead already.
    if let Some(new) = startup::replacement_samgrd() {
        *samgrd = Some(new);
    }
    let endpoint = samgrd.as_ref().ok_or(CallError::ServerDied)?;
    let mut room = [0; 8];
    match endpoint.call(request, handles, &mut room, 1, deadline) {
        Ok(answer) => {
            let status = answer.bytes.try_into().map(u64::from_le_bytes);
            match status.map_err(|_| Error::Invalid)? {
                0 => Ok(answer.handles),
                status => Err(ConnectError::Denied(Denial::from_raw(status).ok_or(Error::Invalid)?)),
            }
        }
        Err(error) => {
            if error == CallError::ServerDied {
                *samgrd = None;
            }
            Err(error.into())
        }
    }
}

/// Connects to a service. While the service, or `samgrd` itself, is being restarted, it waits until the deadline.
pub fn connect(name: &str, deadline: Ticks) -> Result<Owned<Channel>, ConnectError> {
    let request = encode(OP_CONNECT, name).ok_or(Error::Invalid)?;
    loop {
        match ask(&request, &mut Handles::new(), deadline) {
            Ok(mut handles) => return Ok(handles.take_typed(0)?),
            Err(ConnectError::Call(CallError::ServerDied)) => startup::wait_for_replacement(deadline)?,
            Err(other) => return Err(other),
        }
    }
}

/// Registers this process as the provider of `name`; clients' endpoints arrive at the other end of `intake`.
pub fn register(name: &str, intake: Owned<Channel>, deadline: Ticks) -> Result<(), ConnectError> {
    let request = encode(OP_REGISTER, name).ok_or(Error::Invalid)?;
    let mut handles = Handles::one(intake);
    match ask(&request, &mut handles, deadline) {
        // A fresh channel's other end is still on its way to `samgrd`, and takes no handles there. A message
        // without one is taken along, and its answer says that the end has arrived.
        Err(ConnectError::Call(CallError::Refused(Error::Busy))) => {
            let hello = encode(OP_HELLO, name).ok_or(Error::Invalid)?;
            ask(&hello, &mut Handles::new(), deadline)?;
            ask(&request, &mut handles, deadline)
        }
        other => other,
    }
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_back_as_it_was() {
        let longest = "n".repeat(MAX_NAME);
        for name in ["a", "samgrd", &longest] {
            assert_eq!(decode(&encode(OP_CONNECT, name).unwrap()), Some((OP_CONNECT, name)));
        }
        assert_eq!(encode(OP_CONNECT, ""), None);
        assert_eq!(encode(OP_CONNECT, &"n".repeat(MAX_NAME + 1)), None);
    }

    #[test]
    fn only_the_one_spelling_is_accepted() {
        let good = encode(OP_REGISTER, "x").unwrap();
        assert_eq!(decode(&good[..REQUEST_BYTES - 1]), None);
        let mut padded = good;
        padded[REQUEST_BYTES - 1] = 1;
        assert_eq!(decode(&padded), None);
        let mut full = good;
        full[8..].fill(b'n');
        assert_eq!(decode(&full), None);
        let mut foreign = good;
        foreign[8] = 0xff;
        assert_eq!(decode(&foreign), None);
        let mut empty = good;
        empty[8] = 0;
        assert_eq!(decode(&empty), None);
    }

    #[test]
    fn denials_keep_their_numbers() {
        for number in 1..=5 {
            assert_eq!(Denial::from_raw(number).map(|d| d as u64), Some(number));
        }
        assert_eq!(Denial::from_raw(0), None);
        assert_eq!(Denial::from_raw(6), None);
    }
}
