//! The interface `keys` over a keeper. Who asks is who the kernel says.

use nexus_rt::api::keys::{
    self, DeriveReply, Error, IdentityReply, MAX_LABEL, MAX_SIGNED, SignReply, StatusReply,
};
use nexus_rt::wire::{Bytes, Sender, Text};
use nexus_vault::{Error as NoVault, Flash};

use crate::keeper::{Keeper, Life, Sealed, Store, Turn};
use crate::secrets::Device;

/// A keeper that is asked, and the store that it keeps.
pub struct Service<'a, F, S> {
    /// The keeper.
    pub keeper: &'a mut Keeper<F>,
    /// The state authority.
    pub store: &'a mut S,
    /// Whether a change waits to be written down.
    pub pending: bool,
}

impl<F: Flash, S: Store> Service<'_, F, S> {
    fn vault(&self) -> keys::Vault {
        match self.keeper.life() {
            Life::Open(_) => keys::Vault::Open,
            Life::Blank(_) => keys::Vault::Blank,
            Life::None(NoVault::Blank | NoVault::Foreign | NoVault::Size) => keys::Vault::Absent,
            Life::None(NoVault::Damaged | NoVault::Version(_)) => keys::Vault::Damaged,
            Life::None(NoVault::Flash(_)) | Life::Failed(_) => keys::Vault::Failed,
        }
    }

    /// The device's key, or why there is none.
    fn device(&self) -> Result<&Device, Error> {
        if let Some(device) = self.keeper.device() {
            return Ok(device);
        }
        let refused = self.keeper.sealed().find_map(|(_, sealed)| match sealed {
            Sealed::Refused(why) => Some(why),
            Sealed::Locked | Sealed::Open => None,
        });
        use nexus_rt::api::state::Error as State;
        match (self.vault(), refused) {
            (keys::Vault::Open, Some(State::Rollback)) => Err(Error::Rollback),
            (keys::Vault::Open, Some(_)) => Err(Error::Integrity),
            (keys::Vault::Open | keys::Vault::Blank, None) => Err(Error::NotReady),
            _ => Err(Error::NotFound),
        }
    }
}

impl<F: Flash, S: Store> keys::Server for Service<'_, F, S> {
    fn status(&mut self, _sender: Sender) -> Result<StatusReply, Error> {
        let count =
            |wanted: fn(Sealed) -> bool| self.keeper.sealed().filter(|(_, is)| wanted(*is)).count() as u8;
        Ok(StatusReply {
            vault: self.vault(),
            has_key: self.keeper.device().is_some(),
            open: count(|sealed| sealed == Sealed::Open),
            locked: count(|sealed| sealed == Sealed::Locked),
            refused: count(|sealed| matches!(sealed, Sealed::Refused(_))),
            pending: self.pending,
        })
    }

    fn identity(&mut self, _sender: Sender) -> Result<IdentityReply, Error> {
        Ok(IdentityReply { key: self.device()?.identity() })
    }

    fn sign(
        &mut self,
        sender: Sender,
        label: Text<'_, MAX_LABEL>,
        message: Bytes<'_, MAX_SIGNED>,
    ) -> Result<SignReply, Error> {
        let signature = self.device()?.sign(sender.identity.service, label.get(), message.get());
        Ok(SignReply { signature })
    }

    fn derive(&mut self, sender: Sender, label: Text<'_, MAX_LABEL>) -> Result<DeriveReply, Error> {
        Ok(DeriveReply { key: *self.device()?.derive(sender.identity.service, label.get()) })
    }

    fn anchor(&mut self, _sender: Sender) -> Result<(), Error> {
        self.device()?;
        let turn = self.keeper.anchor(self.store);
        match (turn, self.vault()) {
            (Turn::Done, keys::Vault::Open) => Ok(()),
            (Turn::Later, _) => Err(Error::NotReady),
            (Turn::Done, _) => Err(Error::Io),
        }
    }
}
