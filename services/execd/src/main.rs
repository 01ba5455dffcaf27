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
use nexus_rt::server::Message;
use nexus_rt::{
    Channel, Handles, IdentityKind, Incoming, Limits, Owned, ProcessKind, QuotaKind, Server, Startup, Vmo,
    audit, error,
};
use nexus_spawn::wire::{self, Failure};
use nexus_spawn::{Plan, spawn};

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
    match serve(&spawner, quota, control, &startup) {
        Ok(()) => 0,
        Err(_) => REFUSED,
    }
}

fn serve(
    spawner: &Spawner<'_>,
    quota: &Owned<QuotaKind>,
    control: Owned<Channel>,
    startup: &Startup,
) -> Result<(), Error> {
    let mut server = Server::new(quota)?;
    server.attach(control)?;
    startup.ready();
    loop {
        match server.next(NEVER)? {
            Incoming::Call(message) => {
                let token = message.token;
                let (status, handles) = match spawner.answer(&server, message) {
                    Ok(process) => (0, Handles::one(process)),
                    Err(failure) => (failure as u64, Handles::new()),
                };
                server.reply(token, &status.to_le_bytes(), handles)?;
            }
            Incoming::Gone { .. } => return Ok(()),
            Incoming::Message(_) | Incoming::Event { .. } | Incoming::TimedOut => {}
        }
    }
}

impl Spawner<'_> {
    fn answer(&self, server: &Server, mut message: Message) -> Result<Owned<ProcessKind>, Failure> {
        if message.sender.service != self.supervisor {
            audit!("spawn denied to service {}", message.sender.service);
            return Err(Failure::PermissionDenied);
        }
        let (limits, name) = wire::decode(server.bytes(&message)).ok_or(Failure::Invalid)?;
        let handles = &mut message.handles;
        let quota = handles.take_typed(0).map_err(|_| Failure::Invalid)?;
        let identity = handles.take_typed(1).map_err(|_| Failure::Invalid)?;
        let bootstrap = handles.take_typed(2).map_err(|_| Failure::Invalid)?;
        self.make(name, limits, &quota, &identity, bootstrap)
    }

    fn make(
        &self,
        name: &str,
        limits: Limits,
        quota: &Owned<QuotaKind>,
        identity: &Owned<IdentityKind>,
        bootstrap: Owned<Channel>,
    ) -> Result<Owned<ProcessKind>, Failure> {
        let program = self.image.program(name).ok_or(Failure::NotFound)?;
        let plan = Plan { image: self.vmo, program, quota, identity, limits };
        match spawn(&plan, self.own, bootstrap) {
            Ok(child) => Ok(child.into_process()),
            Err(failed) => {
                error!("{name}: {failed:?}");
                Err(failed.into())
            }
        }
    }
}
