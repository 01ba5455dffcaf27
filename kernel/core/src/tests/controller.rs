//! A simulated interrupt controller as strict as real ones: a completion from a hart that the source is not sent to is forgotten,
//! and the source then never interrupts again.

use std::sync::Mutex;

/// The highest source of the simulated machine.
pub const IRQ_SOURCES: u32 = 95;

#[derive(Default, Clone, Copy)]
struct Source {
    /// The device asks for attention.
    line: bool,
    on: bool,
    hart: Option<u32>,
    claimed_by: Option<u32>,
}

impl Source {
    fn is_due(&self, hart: u32) -> bool {
        self.line && self.on && self.claimed_by.is_none() && self.hart == Some(hart)
    }
}

/// The controller.
pub struct Controller(Mutex<[Source; IRQ_SOURCES as usize + 1]>);

impl Default for Controller {
    fn default() -> Self {
        Controller(Mutex::new([Source::default(); IRQ_SOURCES as usize + 1]))
    }
}

impl Controller {
    fn with<T>(&self, source: u32, act: impl FnOnce(&mut Source) -> T) -> T {
        act(&mut self.0.lock().expect("lock")[source as usize])
    }

    /// The device raises or lowers its line.
    pub fn set_line(&self, source: u32, up: bool) {
        self.with(source, |s| s.line = up);
    }

    /// Whether the source's priority is above 0.
    pub fn is_on(&self, source: u32) -> bool {
        self.with(source, |s| s.on)
    }

    /// Where the source is sent.
    pub fn hart_of(&self, source: u32) -> Option<u32> {
        self.with(source, |s| s.hart)
    }

    /// Whether a claim was never completed.
    pub fn is_stuck(&self, source: u32) -> bool {
        self.with(source, |s| s.claimed_by.is_some())
    }

    /// Whether it interrupts a hart.
    pub fn interrupts(&self, hart: u32) -> bool {
        self.0.lock().expect("lock").iter().any(|s| s.is_due(hart))
    }

    /// See `Platform::irq_claim`.
    pub fn claim(&self, hart: u32) -> u32 {
        let mut sources = self.0.lock().expect("lock");
        match sources.iter().position(|s| s.is_due(hart)) {
            Some(source) => {
                sources[source].claimed_by = Some(hart);
                source as u32
            }
            None => 0,
        }
    }

    /// See `Platform::irq_complete`.
    pub fn complete(&self, hart: u32, source: u32) {
        self.with(source, |s| {
            // It would interrupt again at once, without end as long as its device asks.
            assert!(!s.on, "source {source} is completed while it can fire");
            if s.hart == Some(hart) && s.claimed_by == Some(hart) {
                s.claimed_by = None;
            }
        });
    }

    /// See `Platform::irq_enable`.
    pub fn set_priority(&self, source: u32, on: bool) {
        self.with(source, |s| s.on = on);
    }

    /// See `Platform::irq_route`.
    pub fn route(&self, source: u32, from: Option<u32>, to: u32) {
        self.with(source, |s| {
            assert_eq!(s.hart, from, "the kernel does not know where source {source} is sent");
            assert!(!s.on, "source {source} is moved while it is on");
            s.hart = Some(to);
        });
    }
}
