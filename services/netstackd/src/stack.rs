//! The stack as a whole: `smoltcp` with its addresses and its time. What clients do with it is in `sockets.rs`.
//!
//! Time is in microseconds since any moment, and comes from the caller.

use crate::setup::Setup;
use crate::wire::Wire;
use alloc::vec;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::dhcpv4;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr, Ipv4Address, Ipv4Cidr};

/// Frames that are worked on in one go, so that a flood keeps nobody waiting for long.
pub const MAX_BURST: usize = 32;

/// The stack.
pub struct Stack {
    pub(crate) interface: Interface,
    pub(crate) sockets: SocketSet<'static>,
    /// Frames in and out.
    pub wire: Wire,
    dhcp: Option<SocketHandle>,
    address: Option<Ipv4Cidr>,
    router: Option<Ipv4Address>,
    random: u64,
}

/// The moment, as `smoltcp` has it.
pub(crate) fn at(now: u64) -> Instant {
    Instant::from_micros(i64::try_from(now).unwrap_or(i64::MAX))
}

impl Stack {
    /// A stack behind a card of that address. `random` must be a number that nobody can foretell: sequence numbers and ports come from it.
    /// `None` when the address is not one of a card.
    pub fn new(card: [u8; 6], setup: Setup, random: u64, now: u64) -> Option<Stack> {
        let card = EthernetAddress(card);
        if !card.is_unicast() {
            return None;
        }
        let mut config = Config::new(HardwareAddress::Ethernet(card));
        config.random_seed = random;
        let mut wire = Wire::default();
        let interface = Interface::new(config, &mut wire, at(now));
        let mut sockets = SocketSet::new(vec![]);
        let dhcp = (setup == Setup::Dhcp).then(|| sockets.add(dhcpv4::Socket::new()));
        let mut stack = Stack {
            interface,
            sockets,
            wire,
            dhcp,
            address: None,
            router: None,
            random: random.rotate_left(32),
        };
        if let Setup::Fixed(address, router) = setup {
            stack.configure(Some(address), router);
        }
        Some(stack)
    }

    fn configure(&mut self, address: Option<Ipv4Cidr>, router: Option<Ipv4Address>) {
        (self.address, self.router) = (address, router);
        self.interface.update_ip_addrs(|addresses| {
            addresses.clear();
            // There is room for one.
            let _ = address.map(|address| addresses.push(IpCidr::Ipv4(address)));
        });
        let routes = self.interface.routes_mut();
        routes.remove_default_ipv4_route();
        // There is room for one.
        let _ = router.map(|router| routes.add_default_ipv4_route(router));
    }

    /// The address, when there is one.
    pub fn address(&self) -> Option<Ipv4Cidr> {
        self.address
    }

    /// The way to everywhere else, when there is one.
    pub fn router(&self) -> Option<Ipv4Address> {
        self.router
    }

    /// A number that nobody can foretell: the generator of `smoltcp` has its own.
    pub(crate) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Works on what came, up to a bound, and sends what can be sent. Answers whether the address changed.
    pub fn poll(&mut self, now: u64) -> bool {
        let (moment, sockets) = (at(now), &mut self.sockets);
        self.interface.poll_maintenance(moment);
        for _ in 0..MAX_BURST {
            if !self.wire.has_incoming() {
                break;
            }
            let _ = self.interface.poll_ingress_single(moment, &mut self.wire, sockets);
        }
        // One go through all sockets: each sends a segment at most, so it ends.
        for _ in 0..MAX_BURST {
            if self.interface.poll_egress(moment, &mut self.wire, sockets) == smoltcp::iface::PollResult::None
            {
                break;
            }
        }
        self.lease()
    }

    fn lease(&mut self) -> bool {
        let Some(dhcp) = self.dhcp else { return false };
        let changed = match self.sockets.get_mut::<dhcpv4::Socket>(dhcp).poll() {
            None => return false,
            Some(dhcpv4::Event::Configured(config)) => (Some(config.address), config.router),
            Some(dhcpv4::Event::Deconfigured) => (None, None),
        };
        let differs = changed != (self.address, self.router);
        self.configure(changed.0, changed.1);
        differs
    }

    /// When [`Stack::poll`] is to be called, if nothing comes before. It is never at once, unless frames wait.
    pub fn deadline(&mut self, now: u64) -> Option<u64> {
        if self.wire.has_incoming() {
            return Some(now);
        }
        let delay = self.interface.poll_delay(at(now), &self.sockets)?;
        Some(now.saturating_add(delay.total_micros()))
    }
}
