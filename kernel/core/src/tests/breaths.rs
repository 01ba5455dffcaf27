//! What tests do at each breath of a long operation (`breath.rs`): they see that no lock is held, and may let something happen there.

use super::harts;
use nexus_abi::bounds::MAX_HARTS;
use std::cell::{Cell, RefCell};

/// Told the number of each breath from 0 on.
type Hook = Box<dyn FnMut(usize)>;

thread_local! {
    /// Locks that each hart holds; the last entry is of whoever is no coroutine.
    static HELD: [Cell<i32>; MAX_HARTS + 1] = const { [const { Cell::new(0) }; MAX_HARTS + 1] };
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    static BREATHS: Cell<usize> = const { Cell::new(0) };
}

fn mine<T>(act: impl FnOnce(&Cell<i32>) -> T) -> T {
    HELD.with(|held| act(&held[harts::current().unwrap_or(MAX_HARTS)]))
}

/// The hart has taken so many locks, or let go of one.
pub fn held(more: i32) {
    mine(|held| held.set(held.get() + more));
}

/// The harts begin anew, with no lock: those of a history that was given up are gone with it.
pub fn forget_held() {
    HELD.with(|held| held[..MAX_HARTS].iter().for_each(|held| held.set(0)));
}

/// A breath.
pub fn taken() {
    assert_eq!(mine(Cell::get), 0, "a long operation lets interrupts in while it holds a lock");
    let number = BREATHS.get();
    BREATHS.set(number + 1);
    // What happens there may be a long operation itself.
    let hook = HOOK.take();
    if let Some(mut hook) = hook {
        hook(number);
        HOOK.set(Some(hook));
    }
}

/// Calls `hook` at each breath that `work` takes; answers what that answers, and how many there were.
pub fn at_each<T>(hook: impl FnMut(usize) + 'static, work: impl FnOnce() -> T) -> (T, usize) {
    /// Also when the work panics.
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            HOOK.set(None);
        }
    }
    let _off = Off;
    BREATHS.set(0);
    HOOK.set(Some(Box::new(hook)));
    let done = work();
    (done, BREATHS.get())
}

#[test]
#[should_panic(expected = "while it holds a lock")]
fn a_breath_under_a_lock_is_noticed() {
    let world = super::world::World::new(false, 1, 1);
    let _held = world.kernel.memory.lock(world.processes[1]);
    world.kernel.breathe();
}
