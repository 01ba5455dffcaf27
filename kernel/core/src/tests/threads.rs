//! Several harts under Miri: each is a thread of the host, Miri takes the processor away from it where its seed says and
//! lets it read old values, and any access that Rust does not define ends the test.

use std::cell::Cell;

thread_local! {
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The hart whose code runs, while several run.
pub fn current() -> Option<usize> {
    CURRENT.get()
}

/// Runs a model once: `build` makes it, each of `work` is what a hart does (0, 1, …), `check` looks at the end, when every
/// hart is done. The bound is Loom's.
pub fn explore<M: Sync>(_bound: usize, build: fn() -> M, work: &[fn(&M)], check: fn(&M)) {
    let model = build();
    std::thread::scope(|scope| {
        for (n, work) in work.iter().enumerate() {
            let model = &model;
            scope.spawn(move || {
                CURRENT.set(Some(n));
                work(model);
            });
        }
    });
    check(&model);
}
