//! Where the address comes from: the arguments of the process. Empty: from a server of the network (DHCP). Else
//! `ADDRESS/PREFIX` or `ADDRESS/PREFIX ROUTER`.

use smoltcp::wire::{Ipv4Address, Ipv4Cidr};

/// Where the address comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setup {
    /// A server of the network.
    Dhcp,
    /// It is given, and so is the router, if there is one.
    Fixed(Ipv4Cidr, Option<Ipv4Address>),
}

impl Setup {
    /// Reads the arguments; `None` when they are neither.
    pub fn read(arguments: &str) -> Option<Setup> {
        let mut words = arguments.split_whitespace();
        let Some(address) = words.next() else { return Some(Setup::Dhcp) };
        let (address, prefix) = address.split_once('/')?;
        let (address, prefix): (Ipv4Address, u8) = (address.parse().ok()?, prefix.parse().ok()?);
        let router = words.next().map(|word| word.parse().ok());
        let good = prefix <= 32 && words.next().is_none() && router != Some(None) && is_host(address);
        good.then(|| Setup::Fixed(Ipv4Cidr::new(address, prefix), router.flatten()))
    }
}

/// Whether it can be the address of one host.
pub fn is_host(address: Ipv4Address) -> bool {
    !address.is_unspecified() && !address.is_broadcast() && !address.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_whole_or_not_at_all() {
        assert_eq!(Setup::read(" "), Some(Setup::Dhcp));
        let address = Ipv4Cidr::new(Ipv4Address::new(10, 0, 0, 2), 24);
        assert_eq!(Setup::read("10.0.0.2/24"), Some(Setup::Fixed(address, None)));
        let router = Some(Ipv4Address::new(10, 0, 0, 1));
        assert_eq!(Setup::read("10.0.0.2/24 10.0.0.1"), Some(Setup::Fixed(address, router)));
        for text in [
            "dhcp",
            "10.0.0.2",
            "10.0.0.2/33",
            "10.0.0/24",
            "0.0.0.0/24",
            "224.0.0.1/24",
            "10.0.0.2/24 x",
            "10.0.0.2/24 10.0.0.1 y",
        ] {
            assert_eq!(Setup::read(text), None, "{text}");
        }
    }
}
