//! `execd`: makes processes out of programs of the boot image, on behalf of `nexus-init` and of nobody else.
//!
//! It must never hold what its products are granted: it is handed their quota, identity and bootstrap endpoint
//! for the time of one call, and keeps none of them.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use nexus_abi::{Error, NEVER, Rights};
use nexus_bootimg::Image;
use nexus_registry::Registry;
use nexus_rt::api::exec::{self, SpawnReply};
use nexus_rt::wire::{Held, Sender, Text, kinds};
use nexus_rt::{
    Any, Channel, Incoming, Limits, Owned, ProcessKind, QuotaKind, Server, Startup, Vmo, audit, error,
};
use nexus_spawn::{Plan, SpawnError, spawn};

nexus_rt::main!(run);

/// Exit code when a grant is missing or is not what it should be.
const NO_GRANT: u64 = 3;

/// Exit code when the kernel refused what `execd` cannot do without.
const REFUSED: u64 = 4;

struct Spawner<'a> {
    vmo: &'a Owned<Vmo>,
    image: Image<'a>,
    own: &'a Owned<ProcessKind>,
    supervisor: u32,
}

fn run(mut startup: Startup) -> u64 {
    let (Some(quota), Some(own)) = (startup.quota(), startup.process()) else { return NO_GRANT };
    let (Some(vmo), Some(control)) = (startup.take::<Vmo>("boot-image"), startup.take("control")) else {
        return NO_GRANT;
    };
    let mapped = vmo.info().and_then(|info| vmo.map(own, 0, info.size, Rights::READ));
    let Ok(mapping) = mapped else { return REFUSED };
    let image = mapping.sealed_bytes().and_then(|bytes| Image::parse(bytes).ok());
    let registry = image.and_then(|i| i.registry()).and_then(|entry| Registry::parse(entry.bytes).ok());
    // The supervisor is the first process of the registry, says the registry itself.
    let supervisor = registry.and_then(|registry| registry.process(0)).map(|process| process.id);
    let (Some(image), Some(supervisor)) = (image, supervisor) else { return NO_GRANT };
    let spawner = Spawner { vmo: &vmo, image, own, supervisor };
    match serve(spawner, quota, control, &startup) {
        Ok(()) => 0,
        Err(_) => REFUSED,
    }
}

fn serve(
    mut spawner: Spawner<'_>,
    quota: &Owned<QuotaKind>,
    control: Owned<Channel>,
    startup: &Startup,
) -> Result<(), Error> {
    let mut server = Server::new(quota)?;
    server.attach(control)?;
    startup.ready();
    loop {
        match server.next(NEVER)? {
            Incoming::Call(message) | Incoming::Message(message) => {
                server.serve(message, |_, sender, packet| exec::dispatch(&mut spawner, sender, packet));
            }
            Incoming::Gone { .. } => return Ok(()),
            Incoming::Event { .. } | Incoming::TimedOut => {}
        }
    }
}

impl exec::Server<Owned<Any>> for Spawner<'_> {
    fn permits(&mut self, sender: Sender, permission: &'static str) -> bool {
        let permitted = sender.identity.service == self.supervisor;
        if !permitted {
            audit!("{permission} denied to service {}", sender.identity.service);
        }
        permitted
    }

    fn spawn(
        &mut self,
        _sender: Sender,
        handles: u16,
        cpu: u16,
        priority: u8,
        quota: Held<Owned<Any>, kinds::Quota>,
        identity: Held<Owned<Any>, kinds::Identity>,
        bootstrap: Held<Owned<Any>, kinds::Channel>,
        program: Text<'_, { exec::MAX_NAME }>,
    ) -> Result<SpawnReply<Owned<Any>>, exec::Error> {
        let name = program.get();
        let program = self.image.program(name).ok_or(exec::Error::NotFound)?;
        let limits = Limits { handles, priority, cpu };
        let (quota, identity) = (quota.into(), identity.into());
        let plan = Plan { image: self.vmo, program, quota: &quota, identity: &identity, limits };
        match spawn(&plan, self.own, bootstrap.into()) {
            Ok(child) => Ok(SpawnReply { process: child.into_process().into() }),
            Err(failed) => {
                error!("{name}: {failed:?}");
                Err(told(failed))
            }
        }
    }
}

/// A failure as the caller is told.
fn told(failed: SpawnError) -> exec::Error {
    match failed {
        SpawnError::Program(_) => exec::Error::BadProgram,
        SpawnError::Kernel(Error::QuotaExceeded) => exec::Error::QuotaExceeded,
        SpawnError::Kernel(Error::Invalid) => exec::Error::Invalid,
        SpawnError::Kernel(_) => exec::Error::Kernel,
    }
}
