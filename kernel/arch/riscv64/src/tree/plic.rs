//! The platform-level interrupt controller as the device tree describes it.

use core::ops::Range;
use nexus_abi::bounds::{MAX_HARTS, MAX_IRQ_SOURCES};
use nexus_devicetree::dtoolkit::fdt::FdtNode;
use nexus_devicetree::dtoolkit::{Node, Property};
use nexus_devicetree::{each_cell, number};

/// The supervisor external interrupt, as `interrupts-extended` names it.
const SUPERVISOR_EXTERNAL: u32 = 9;
/// Where the registers of the contexts begin, and how far apart they are (RISC-V PLIC Specification).
pub const CONTEXTS_AT: u64 = 0x20_0000;
/// See [`CONTEXTS_AT`].
pub const CONTEXT_BYTES: u64 = 0x1000;

/// An interrupt controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plic {
    /// Physical address.
    pub base: u64,
    /// The highest source.
    pub sources: u32,
    /// The context that interrupts each of the kernel's harts in supervisor mode, by the kernel's number.
    pub contexts: [u32; MAX_HARTS],
    /// How many harts there are.
    pub harts: usize,
}

impl Plic {
    /// The registers up to those of the last context in use.
    pub fn window(&self) -> Range<u64> {
        let last = self.contexts[..self.harts].iter().max().copied().unwrap_or(0);
        self.base..self.base + CONTEXTS_AT + (u64::from(last) + 1) * CONTEXT_BYTES
    }
}

/// Reads the node of a controller. `None` when it does not serve every hart that runs, or does not make sense.
pub fn read(node: &FdtNode<'_>, cpus: &FdtNode<'_>, harts: &[u64], base: u64, bytes: u64) -> Option<Plic> {
    let sources = u32::try_from(number(node, "riscv,ndev")?).ok()?;
    if sources == 0 || sources as usize >= MAX_IRQ_SOURCES || !base.is_multiple_of(4) {
        return None;
    }
    let wiring = node.property("interrupts-extended")?;
    let mut plic = Plic { base, sources, contexts: [0; MAX_HARTS], harts: harts.len() };
    for (context, hart) in plic.contexts.iter_mut().zip(harts) {
        let wire = phandle(cpus, *hart)?;
        let pairs = wiring.value().as_chunks::<8>().0;
        let at = pairs.iter().position(|pair| each_cell(pair).eq([wire, SUPERVISOR_EXTERNAL]))?;
        *context = u32::try_from(at).ok()?;
    }
    let window = plic.window();
    (window.end - window.start <= bytes).then_some(plic)
}

/// The name of a hart's own interrupt controller.
fn phandle(cpus: &FdtNode<'_>, hart: u64) -> Option<u32> {
    let cpu = cpus.children().filter(|n| n.name_without_address() == "cpu");
    let cpu = cpu.into_iter().find(|n| number(n, "reg") == Some(hart))?;
    let local = cpu.children().find(|n| n.property("interrupt-controller").is_some())?;
    u32::try_from(number(&local, "phandle")?).ok()
}
