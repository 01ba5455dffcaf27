//! The card: its driver, who may die and come back.

use nexus_rt::api::{frames, net};
use nexus_rt::channel::end;
use nexus_rt::samgr::Service;
use nexus_rt::wire::{Bytes, CallError, SendError};
use nexus_rt::{Channel, End, Owned, QuotaKind, Server};

/// What this end of the channel for frames can receive.
const RECEIVES: End = end(64, frames::REQUEST_ROOM);

/// Why there is no card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoCard {
    /// This machine has none, or this process may not have it.
    Never,
    /// Its driver is not there now.
    NotNow,
}

/// The card.
pub struct Card {
    quota: &'static Owned<QuotaKind>,
    driver: net::Client<Service>,
    key: Option<u64>,
}

impl Card {
    /// A card that is not attached yet.
    pub fn new(quota: &'static Owned<QuotaKind>) -> Card {
        Card { quota, driver: net::Client::new(Service("net")), key: None }
    }

    /// Attaches; answers the card's address.
    pub fn attach(&mut self, server: &mut Server) -> Result<[u8; 6], NoCard> {
        // An end that is on its way to the driver takes no handles: this waits until it has arrived.
        self.driver.counters().map_err(reason)?;
        let made = Owned::<Channel>::create(self.quota, RECEIVES, End::default());
        let (mine, theirs) = made.map_err(|_| NoCard::NotNow)?;
        let address = self.driver.attach(theirs.into()).map_err(reason)?.address;
        self.key = Some(server.attach(mine).map_err(|_| NoCard::NotNow)?);
        Ok(address)
    }

    /// Whether frames come under this key.
    pub fn is(&self, key: u64) -> bool {
        self.key == Some(key)
    }

    /// The driver is gone.
    pub fn lost(&mut self) {
        self.key = None;
    }

    /// Sends a frame. One that finds no room, or no driver, is lost, as frames are.
    pub fn transmit(&mut self, frame: &[u8]) {
        if self.key.is_none() {
            return;
        }
        let Ok(frame) = Bytes::new(frame) else { return };
        match self.driver.transmit(frame) {
            Ok(()) | Err(SendError::QueueFull | SendError::Protocol(_)) => {}
            // Its end of the other channel is closed too, which says so.
            Err(SendError::ServerDied) => {}
        }
    }
}

fn reason(error: CallError<net::Error>) -> NoCard {
    match error {
        CallError::Protocol(_) => NoCard::Never,
        CallError::Service(_) | CallError::ServerDied | CallError::TimedOut => NoCard::NotNow,
    }
}
