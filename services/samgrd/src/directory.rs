//! Which process provides which service now, and which clients wait for one that is not there. What may be at
//! all is the compiled registry's word; a caller's word is its kernel identity and nothing else.

use alloc::vec::Vec;
use nexus_abi::Identity;
use nexus_registry::{EdgeKind, Registry};
use nexus_rt::End;
use nexus_rt::api::samgr::Error as Denial;

/// Most calls of one client that wait for services at a time; one more, and the oldest is told `NotReady`.
pub const MAX_WAITING: usize = 4;

/// A service that is registered now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Provider {
    service: usize,
    intake: Intake,
    identity: Identity,
}

/// How a provider takes its clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Intake {
    /// Key of the channel on which it does.
    pub key: u64,
    /// What its end of each client's channel can receive.
    pub receives: End,
}

/// A call that waits for a service.
#[derive(PartialEq, Eq, Debug)]
pub struct Waiting<P> {
    /// Place of the service in the registry.
    pub service: usize,
    /// Key of the client.
    pub client: u64,
    /// The answer that it waits for.
    pub promise: P,
    /// How it reaches the service.
    pub kind: EdgeKind,
}

/// How a declared client stands towards a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Place of the service in the registry.
    pub service: usize,
    /// How its provider takes clients; `None` when nobody provides it now.
    pub intake: Option<Intake>,
    /// How the client may reach it.
    pub kind: EdgeKind,
}

/// The state of the service registry.
#[derive(Debug)]
pub struct Directory<'a, P> {
    registry: Registry<'a>,
    providers: Vec<Provider>,
    waiting: Vec<Waiting<P>>,
    /// Service ids of processes that will not come.
    absent: Vec<u32>,
}

impl<'a, P> Directory<'a, P> {
    /// Nobody registered, nobody waiting.
    pub fn new(registry: Registry<'a>) -> Directory<'a, P> {
        Directory { registry, providers: Vec::new(), waiting: Vec::new(), absent: Vec::new() }
    }

    /// The name of a service id, for records.
    pub fn name_of(&self, service: u32) -> &'a str {
        self.registry.by_id(service).map_or("an undeclared process", |process| process.name)
    }

    /// Whether a process may connect to any service at all.
    pub fn is_client(&self, service: u32) -> bool {
        self.registry.by_id(service).is_some_and(|process| self.registry.is_client(process.index))
    }

    /// Whether a process may connect to a service, and how the service stands now. A name that does not exist
    /// and one that is not declared for it get the same answer.
    pub fn connect(&self, client: Identity, name: &str) -> Result<Standing, Denial> {
        let edge = self.registry.edge(client.service, name).ok_or(Denial::PermissionDenied)?;
        let service = edge.service.index;
        let provider = self.providers.iter().find(|provider| provider.service == service);
        if provider.is_none() && self.absent.contains(&edge.service.owner.id) {
            return Err(Denial::NotFound);
        }
        Ok(Standing { service, intake: provider.map(|provider| provider.intake), kind: edge.kind })
    }

    /// Whether a process may register a service now; its place in the registry.
    pub fn may_register(&self, claimant: Identity, name: &str) -> Result<usize, Denial> {
        let service = self.registry.service(name).ok_or(Denial::PermissionDenied)?;
        if service.owner.id != claimant.service {
            return Err(Denial::PermissionDenied);
        }
        if self.providers.iter().any(|provider| provider.service == service.index) {
            return Err(Denial::Exists);
        }
        Ok(service.index)
    }

    /// Keys of the channels on which providers take their clients.
    pub fn intakes(&self) -> impl Iterator<Item = u64> + '_ {
        self.providers.iter().map(|provider| provider.intake.key)
    }

    /// Notes a provider that [`may_register`](Self::may_register) allowed; answers who waited for it.
    pub fn register(&mut self, service: usize, identity: Identity, intake: Intake) -> Vec<Waiting<P>> {
        self.providers.push(Provider { service, intake, identity });
        self.waiting.extract_if(.., |waiting| waiting.service == service).collect()
    }

    /// Notes that a process will not come; answers who waits for a service of it. Ids that the registry does not have are ignored.
    pub fn absent(&mut self, process: u32) -> Vec<Waiting<P>> {
        if self.registry.by_id(process).is_none() || self.absent.contains(&process) {
            return Vec::new();
        }
        self.absent.push(process);
        let registry = self.registry;
        let lost = |service: usize| registry.service_at(service).is_some_and(|s| s.owner.id == process);
        self.waiting.extract_if(.., |waiting| lost(waiting.service)).collect()
    }

    /// Lets a call wait; answers one that must give way.
    pub fn wait(&mut self, call: Waiting<P>) -> Option<Waiting<P>> {
        let of_client = self.waiting.iter().filter(|waiting| waiting.client == call.client).count();
        let oldest = (of_client >= MAX_WAITING)
            .then(|| self.waiting.iter().position(|waiting| waiting.client == call.client))
            .flatten()
            .map(|index| self.waiting.remove(index));
        self.waiting.push(call);
        oldest
    }

    /// A channel's peer is gone: if it was a provider's intake its name is free again, which is answered; if it was
    /// a client its waiting calls are forgotten.
    pub fn gone(&mut self, key: u64) -> Option<(&'a str, Identity)> {
        self.waiting.retain(|waiting| waiting.client != key);
        let index = self.providers.iter().position(|provider| provider.intake.key == key)?;
        let provider = self.providers.remove(index);
        self.registry.service_at(provider.service).map(|service| (service.name, provider.identity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_registry::compile::{Source, TEST_IDS, compile};

    const SYSTEM: &str = include_str!("../../../system.toml");

    const ADDED: &str = r#"
        [[process]]
        name = "provider-a"
        id = 65546
        authority = "test"
        priority = 20
        cpu = 10
        pages = 64
        handles = 64
        provides = ["echo"]

        [[process]]
        name = "client-a"
        id = 65547
        authority = "test"
        priority = 10
        cpu = 10
        pages = 64
        handles = 64
        uses = ["echo"]

        [[process]]
        name = "stranger-a"
        id = 65548
        authority = "test"
        priority = 10
        cpu = 10
        pages = 64
        handles = 64
    "#;

    fn id(service: u32) -> Identity {
        Identity {
            service: if service < 90 { TEST_IDS + service } else { service },
            generation: service * 100,
        }
    }

    fn intake(key: u64) -> Intake {
        Intake { key, receives: End { depth: 1, bytes: 64, handles: 2 } }
    }

    fn with_directory(check: impl FnOnce(Directory<'_, u64>)) {
        let table = compile(
            Source { name: "system.toml", text: SYSTEM },
            &[Source { name: "added.toml", text: ADDED }],
        )
        .unwrap();
        check(Directory::new(Registry::parse(&table).unwrap()));
    }

    #[test]
    fn only_declared_edges_connect_and_the_unknown_looks_like_the_forbidden() {
        with_directory(|mut directory| {
            assert_eq!([11, 10, 99].map(|n| directory.is_client(id(n).service)), [true, false, false]);
            let before = directory.connect(id(11), "echo");
            assert_eq!(before.map(|standing| (standing.intake, standing.kind)), Ok((None, EdgeKind::Call)));
            for (client, name) in [(12, "echo"), (10, "echo"), (11, "nothing"), (99, "echo"), (0, "echo")] {
                assert_eq!(directory.connect(id(client), name), Err(Denial::PermissionDenied));
            }
            let service = directory.may_register(id(10), "echo").unwrap();
            directory.register(service, id(10), intake(7));
            let there = directory.connect(id(11), "echo").unwrap();
            assert_eq!((there.service, there.intake), (service, Some(intake(7))));
        });
    }

    #[test]
    fn a_second_claimant_is_refused_until_the_first_is_gone() {
        with_directory(|mut directory| {
            assert_eq!(directory.may_register(id(12), "echo"), Err(Denial::PermissionDenied));
            assert_eq!(directory.may_register(id(10), "nothing"), Err(Denial::PermissionDenied));
            let service = directory.may_register(id(10), "echo").unwrap();
            directory.register(service, id(10), intake(7));
            assert_eq!(directory.may_register(id(10), "echo"), Err(Denial::Exists));
            assert_eq!(directory.gone(8), None);
            assert_eq!(directory.gone(7), Some(("echo", id(10))));
            assert_eq!(directory.may_register(id(10), "echo"), Ok(service));
        });
    }

    #[test]
    fn who_waited_is_served_at_registration_unless_it_left() {
        with_directory(|mut directory| {
            let call = |client, promise| Waiting { service: 0, client, promise, kind: EdgeKind::Call };
            assert_eq!(directory.wait(call(20, 1)), None);
            assert_eq!(directory.wait(call(21, 2)), None);
            directory.gone(20);
            assert_eq!(directory.register(0, id(10), intake(7)), [call(21, 2)]);
            directory.gone(7);
            assert!(directory.register(0, id(10), intake(8)).is_empty(), "served once");
        });
    }

    #[test]
    fn a_process_that_will_not_come_is_waited_for_by_nobody() {
        with_directory(|mut directory| {
            let service = directory.connect(id(11), "echo").unwrap().service;
            let call = |service, promise| Waiting { service, client: 20, promise, kind: EdgeKind::Call };
            assert_eq!(directory.wait(call(service, 1)), None);
            assert_eq!(directory.wait(call(service + 1, 2)), None);
            assert_eq!(directory.absent(99), [], "nobody");
            assert_eq!(directory.absent(id(10).service), [call(service, 1)]);
            assert_eq!(directory.absent(id(10).service), []);
            assert_eq!(directory.connect(id(11), "echo"), Err(Denial::NotFound));
            assert_eq!(directory.connect(id(12), "echo"), Err(Denial::PermissionDenied), "not for strangers");
        });
    }

    #[test]
    fn one_client_cannot_fill_the_waiting_list() {
        with_directory(|mut directory| {
            let call = |client, promise| Waiting { service: 0, client, promise, kind: EdgeKind::Call };
            assert_eq!(directory.wait(call(30, 99)), None);
            for token in 0..MAX_WAITING as u64 {
                assert_eq!(directory.wait(call(20, token)), None);
            }
            assert_eq!(directory.wait(call(20, 50)), Some(call(20, 0)));
            assert_eq!(directory.register(0, id(10), intake(7)).len(), MAX_WAITING + 1);
        });
    }
}
