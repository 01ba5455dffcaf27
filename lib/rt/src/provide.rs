//! A server as the provider of a service: registers its name with `samgrd`, lets in the clients that come, and
//! registers again with a new `samgrd`. A program that provides nothing has none of this going on.

use crate::owned::{Any, Channel, Owned, Quota};
use crate::samgr::{self, ConnectError};
use crate::server::{FIRST_CLIENT_KEY, Incoming, Message, Server};
use crate::startup::{self, Startup};
use crate::sys::End;
use nexus_abi::NEVER;
use nexus_api::intake;
use nexus_wire::{CallError, Fault, Held, Outcome, Packet, Sender, kinds};

/// Key under which the bootstrap endpoint is bound, when a service is provided.
const BOOTSTRAP_KEY: u64 = FIRST_CLIENT_KEY - 1;

/// A service that this process provides, and the key of the channel on which `samgrd` hands it clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provided {
    name: &'static str,
    receives: End,
    intake: Option<u64>,
}

/// Lets in the clients that `samgrd` brings.
struct Door<'a>(&'a mut Server);

impl intake::Server<Owned<Any>> for Door<'_> {
    fn admit(&mut self, _sender: Sender, channel: Held<Owned<Any>, kinds::Channel>) {
        if let Err(error) = self.0.attach(channel.into()) {
            log::warn!("a new client could not be attached: {error:?}");
        }
    }
}

const fn kernel(error: nexus_abi::Error) -> ConnectError {
    CallError::Protocol(Fault::Kernel(error))
}

impl Server {
    /// Takes the channels to a new `logd` or `samgrd` as they come, from now on. A program that provides nothing and says little needs
    /// it: they would fill the queue that they come through.
    pub fn keep_up(&self) -> Result<(), nexus_abi::Error> {
        startup::bind_bootstrap(self.port(), BOOTSTRAP_KEY)
    }

    /// Provides the service `name`: registers it with `samgrd`, and from then on attaches the clients that come, over
    /// channels whose end here can receive what `receives` says. When `samgrd` is restarted, or comes up only later,
    /// registers then.
    pub fn provide(
        &mut self,
        quota: &'static Owned<Quota>,
        name: &'static str,
        receives: End,
    ) -> Result<(), ConnectError> {
        startup::bind_bootstrap(self.port(), BOOTSTRAP_KEY).map_err(kernel)?;
        self.provided = Some(Provided { name, receives, intake: None });
        match self.register(quota) {
            Err(CallError::ServerDied) => Ok(()),
            other => other,
        }
    }

    fn register(&mut self, quota: &Owned<Quota>) -> Result<(), ConnectError> {
        let Some(Provided { name, receives, .. }) = self.provided else { return Ok(()) };
        let made = Owned::<Channel>::create(quota, samgr::INTAKE_END, End::default());
        let (mine, theirs) = made.map_err(kernel)?;
        samgr::register(name, receives, theirs)?;
        let key = self.attach(mine).map_err(kernel)?;
        self.provided = Some(Provided { name, receives, intake: Some(key) });
        Ok(())
    }

    /// Keeps for the server what is its own business, and gives the rest to the program.
    pub(crate) fn sort(&mut self, incoming: Incoming) -> Option<Incoming> {
        match incoming {
            Incoming::Message(message) if self.is_intake(message.key) => {
                // What is no such message is dropped.
                self.serve(message, |server, sender, packet| {
                    intake::dispatch(&mut Door(server), sender, packet)
                });
                None
            }
            Incoming::Message(message) if message.key == BOOTSTRAP_KEY => {
                self.reconnected(message);
                None
            }
            other => Some(other),
        }
    }

    pub(crate) fn is_intake(&self, key: u64) -> bool {
        self.provided.as_ref().is_some_and(|provided| provided.intake == Some(key))
    }

    /// A channel came over the bootstrap endpoint: the one to a new `samgrd` is reason to register again.
    fn reconnected(&mut self, message: Message) {
        let mut again = false;
        self.serve(message, |_, sender, packet| {
            let (outcome, samgrd) = startup::renewed(sender, packet);
            again = samgrd;
            outcome
        });
        if again {
            // What the old `samgrd` had made went with it.
            self.close_revoked();
        }
        if again
            && let Some(quota) = startup::own_quota()
            && let Err(error) = self.register(quota)
        {
            log::error!("could not register again: {error:?}");
        }
    }
}

/// Exit code of a service that was granted no quota.
const NO_QUOTA: u64 = 3;

/// Exit code of a service that could not begin, or not go on.
const REFUSED: u64 = 4;

/// The whole life of a service that has nothing to do but to answer: provides `name`, says that it is ready, and has
/// `dispatch` handle whatever comes. Answers the program's exit code.
pub fn serve(
    startup: &Startup,
    name: &'static str,
    receives: End,
    mut dispatch: impl FnMut(&mut Server, Sender, &mut Packet<'_, Owned<Any>>) -> Outcome,
) -> u64 {
    let Some(quota) = startup.quota() else { return NO_QUOTA };
    let Ok(mut server) = Server::new(quota) else { return REFUSED };
    if let Err(why) = server.provide(quota, name, receives) {
        log::error!("cannot provide `{name}`: {why:?}");
        return REFUSED;
    }
    startup.ready();
    loop {
        match server.next(NEVER) {
            Ok(Incoming::Call(message) | Incoming::Message(message)) => {
                server.serve(message, &mut dispatch);
            }
            Ok(Incoming::Event { .. } | Incoming::Gone { .. } | Incoming::TimedOut) => {}
            Err(why) => {
                log::error!("cannot serve `{name}` any more: {why:?}");
                return REFUSED;
            }
        }
    }
}
