//! A workload that does everything the engine can, small enough to be cut at every write.

use super::{Disk, History, Random};
use nexus_state::engine::{Error, Mounted, Op, PAGE, Shape, Stage, Store, Tree};

/// Pages that are kept in memory: few, so that pages are read from the medium.
pub const CACHE: usize = 8;

/// A store of so many pages, empty.
pub fn fresh(pages: u32, log_pages: u32) -> Store<Disk> {
    let disk = Disk::new(pages as usize * PAGE);
    Store::format(disk, Shape { pages, log_pages }, [9; 16], CACHE).expect("formatted")
}

/// What is on a medium, mounted.
pub fn mount(bytes: &[u8]) -> Result<(Store<Disk>, Mounted), Error> {
    Store::mount(Disk::of(bytes.to_vec()), CACHE).map_err(|(_, error)| error)
}

fn no_room<T>(outcome: Result<T, Error>) {
    if let Err(error) = outcome {
        assert!(matches!(error, Error::NoSpace | Error::Snapshot), "{error:?}");
    }
}

/// Commits, batches, page splits, values on pages, staged values, snapshots, until there is hardly any room.
pub fn work(store: &mut Store<Disk>, history: &mut History, seed: u64, steps: usize) {
    let mut random = Random(seed);
    history.mark(store);
    for step in 0..steps {
        let name = [b'a' + random.below(3) as u8];
        match random.below(24) {
            0 => no_room(store.take_snapshot(&name, 1)),
            1 => no_room(store.drop_snapshot(&name)),
            2 => {
                let op = Op::put(Tree::Kept, b"restored", vec![step as u8]);
                no_room(store.restore_snapshot(&name, vec![op]));
            }
            3 => no_room(store.checkpoint()),
            4 => {
                let mut stage = Stage::default();
                let bytes = random.bytes(100 + step * 97 % 80_000);
                match store.stage(&mut stage, &bytes) {
                    Err(_) => store.give_up(stage),
                    Ok(()) => {
                        if let Ok(value) = store.staged(stage) {
                            let op = Op::staged(Tree::Main, b"long", value.clone());
                            if store.commit(vec![op], false).is_err() {
                                store.abandon(&value).expect("abandoned");
                            }
                        }
                    }
                }
            }
            _ => {
                for _ in 0..1 + random.below(3) {
                    let mut ops = Vec::new();
                    for _ in 0..1 + random.below(4) {
                        let tree = if random.below(4) == 0 { Tree::Kept } else { Tree::Main };
                        let key = format!("key/{:03}", random.below(90));
                        let length = if random.below(12) == 0 { 900 } else { random.below(300) } as usize;
                        ops.push(match random.below(4) {
                            0 => Op::delete(tree, key.as_bytes()),
                            _ => Op::put(tree, key.as_bytes(), random.bytes(length)),
                        });
                    }
                    no_room(store.commit(ops, false));
                    history.mark(store);
                }
            }
        }
        history.mark(store);
        no_room(store.sync());
        history.mark(store);
    }
}
