//! The rules for devices at run time: what the registry declares, and nothing else. Who asks is the kernel's word.

use alloc::collections::BTreeMap;
use nexus_abi::Identity;
use nexus_registry::{Device, Registry};
use nexus_rt::api::policy::Error as Denial;

/// Who holds what of it.
#[derive(Debug)]
pub struct Rules<'a> {
    registry: Registry<'a>,
    /// The last process that was given each device, by the device's place in the registry.
    holders: BTreeMap<usize, Identity>,
}

impl<'a> Rules<'a> {
    /// Nobody has been given anything.
    pub fn new(registry: Registry<'a>) -> Rules<'a> {
        Rules { registry, holders: BTreeMap::new() }
    }

    /// The name of a service id, for records.
    pub fn name_of(&self, service: u32) -> &'a str {
        self.registry.by_id(service).map_or("an undeclared process", |process| process.name)
    }

    /// The device, if the process may have it. A device that does not exist and one that is not declared for it get the same
    /// answer.
    pub fn declared(&self, who: Identity, device: &str) -> Result<Device<'a>, Denial> {
        let device = self.registry.device_named(device).ok_or(Denial::PermissionDenied)?;
        if self.registry.may_request(who.service, &device) {
            Ok(device)
        } else {
            Err(Denial::PermissionDenied)
        }
    }

    /// Whether the process may be given the device's window; `in_use` tells whether anybody has something of the device.
    pub fn window(&mut self, who: Identity, device: &Device<'_>, in_use: bool) -> Result<(), Denial> {
        if in_use {
            return Err(Denial::Busy);
        }
        self.holders.insert(device.index, who);
        Ok(())
    }

    /// Whether the process may be given the device's interrupt: it holds the window.
    pub fn interrupt(&self, who: Identity, device: &Device<'_>, in_use: bool) -> Result<(), Denial> {
        match self.holders.get(&device.index) {
            Some(holder) if *holder == who && in_use => Ok(()),
            _ if in_use => Err(Denial::Busy),
            _ => Err(Denial::PermissionDenied),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_registry::compile::{Source, TEST_IDS, compile};

    const ADDED: &str = r#"
        [[device]]
        name = "spare"
        compatible = "acme,spare"

        [[device]]
        name = "other"
        compatible = "acme,other"

        [[process]]
        name = "asker"
        id = 65546
        authority = "test"
        priority = 10
        cpu = 10
        pages = 64
        handles = 64
        may_request = ["spare"]

        [[process]]
        name = "stranger"
        id = 65547
        authority = "test"
        priority = 10
        cpu = 10
        pages = 64
        handles = 64
        device = "other"
    "#;

    const ASKER: Identity = Identity { service: TEST_IDS + 10, generation: 7 };
    const STRANGER: Identity = Identity { service: TEST_IDS + 11, generation: 8 };

    fn with_rules(check: impl FnOnce(Rules<'_>)) {
        let system = include_str!("../../../system.toml");
        let additions = [Source { name: "added.toml", text: ADDED }];
        let table = compile(Source { name: "system.toml", text: system }, &additions).unwrap();
        check(Rules::new(Registry::parse(&table).unwrap()));
    }

    #[test]
    fn what_is_not_declared_is_denied_whatever_it_is() {
        with_rules(|rules| {
            assert_eq!(rules.declared(ASKER, "spare").map(|device| device.name), Ok("spare"));
            for (who, device) in [
                (ASKER, "other"),
                (ASKER, "nothing"),
                (STRANGER, "spare"),
                (STRANGER, "other"),
                (Identity { service: 1, generation: 1 }, "spare"),
                (Identity::default(), "spare"),
                (Identity { service: 99, generation: 1 }, "spare"),
            ] {
                assert_eq!(rules.declared(who, device), Err(Denial::PermissionDenied), "{who:?} {device}");
            }
        });
    }

    #[test]
    fn one_at_a_time_and_the_interrupt_goes_with_the_window() {
        with_rules(|mut rules| {
            let spare = rules.declared(ASKER, "spare").unwrap();
            assert_eq!(rules.interrupt(ASKER, &spare, false), Err(Denial::PermissionDenied), "no window yet");
            assert_eq!(rules.window(ASKER, &spare, false), Ok(()));
            assert_eq!(rules.window(ASKER, &spare, true), Err(Denial::Busy));
            assert_eq!(rules.interrupt(ASKER, &spare, true), Ok(()));
            let later = Identity { generation: 9, ..ASKER };
            assert_eq!(rules.interrupt(later, &spare, true), Err(Denial::Busy), "another instance");
            assert_eq!(rules.interrupt(ASKER, &spare, false), Err(Denial::PermissionDenied), "given up");
            assert_eq!(rules.window(later, &spare, false), Ok(()));
            assert_eq!(rules.interrupt(ASKER, &spare, true), Err(Denial::Busy), "the earlier one");
        });
    }
}
