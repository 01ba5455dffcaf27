//! The platform-level interrupt controller (RISC-V PLIC Specification 1.0). Core holds one lock over everything here but the
//! beginning, and decides what is called when.

use crate::cell::Once;
use crate::mmio::Window;
use crate::tree;
use crate::tree::plic::{CONTEXT_BYTES, CONTEXTS_AT};

const ENABLES_AT: usize = 0x2000;
const ENABLE_BYTES: usize = 0x80;
const THRESHOLD: usize = 0;
const CLAIM: usize = 4;

struct Plic {
    window: Window,
    about: tree::Plic,
}

static PLIC: Once<Plic> = Once::new();

impl Plic {
    fn context(&self, hart: usize) -> usize {
        CONTEXTS_AT as usize + self.about.contexts[hart] as usize * CONTEXT_BYTES as usize
    }

    fn enable(&self, hart: usize, source: u32, on: bool) {
        let word = ENABLES_AT + self.about.contexts[hart] as usize * ENABLE_BYTES + source as usize / 32 * 4;
        let before = self.window.read32(word);
        let bit = 1 << (source % 32);
        self.window.write32(word, if on { before | bit } else { before & !bit });
    }
}

/// Uses this controller from now on, with every source off and sent nowhere. Only the boot hart calls it, once.
pub fn use_controller(window: Window, about: &tree::Plic) {
    let plic = Plic { window, about: *about };
    for source in 1..=about.sources {
        plic.window.write32(source as usize * 4, 0);
    }
    for hart in 0..about.harts {
        for word in 0..=about.sources as usize / 32 {
            plic.window.write32(ENABLES_AT + about.contexts[hart] as usize * ENABLE_BYTES + word * 4, 0);
        }
    }
    PLIC.set(plic);
}

/// Lets every priority reach a hart. Each hart calls this once for itself: firmware shuts a hart's context when it starts
/// it, so what the boot hart wrote there before would be lost.
pub fn open(hart: usize) {
    if let Some(plic) = PLIC.get() {
        plic.window.write32(plic.context(hart) + THRESHOLD, 0);
    }
}

/// The highest source; 0 without a controller.
pub fn sources() -> u32 {
    PLIC.get().map_or(0, |plic| plic.about.sources)
}

/// Takes the next interrupt for a hart; 0: none.
pub fn claim(hart: usize) -> u32 {
    PLIC.get().map_or(0, |plic| plic.window.read32(plic.context(hart) + CLAIM))
}

/// Ends what the same hart's claim began.
pub fn complete(hart: usize, source: u32) {
    if let Some(plic) = PLIC.get() {
        plic.window.write32(plic.context(hart) + CLAIM, source);
    }
}

/// Lets a source interrupt, or not.
pub fn set_priority(source: u32, on: bool) {
    if let Some(plic) = PLIC.get() {
        plic.window.write32(source as usize * 4, on.into());
    }
}

/// Sends a source to another hart.
pub fn route(source: u32, from: Option<u32>, to: u32) {
    if let Some(plic) = PLIC.get() {
        if let Some(from) = from {
            plic.enable(from as usize, source, false);
        }
        plic.enable(to as usize, source, true);
    }
}
