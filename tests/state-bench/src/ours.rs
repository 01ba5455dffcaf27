//! The engine on a plain file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use nexus_state::engine::{Fault, Medium, Op, Shape, Store, Tree};

use super::Contender;

/// Bytes of the file: 64 MiB, as on a new disk.
const SIZE: u64 = 64 << 20;

/// Pages kept in memory, as on the device.
const CACHE: usize = 256;

struct Disk(File);

impl Medium for Disk {
    fn size(&mut self) -> Result<u64, Fault> {
        Ok(SIZE)
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        self.0.read_exact_at(out, at).map_err(|_| Fault::Io)
    }

    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        self.0.write_all_at(data, at).map_err(|_| Fault::Io)
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.0.sync_data().map_err(|_| Fault::Io)
    }
}

struct Ours(Store<Disk>);

/// A store in a new file whose blocks are all there, as those of a partition are.
pub fn make(folder: &Path) -> Box<dyn Contender> {
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(true).open(folder.join("ours"));
    let file = file.expect("a file");
    for at in (0..SIZE).step_by(1 << 20) {
        file.write_all_at(&[0; 1 << 20], at).expect("room");
    }
    file.sync_all().expect("flushed");
    let shape = Shape::for_size(SIZE).expect("a shape");
    Box::new(Ours(Store::format(Disk(file), shape, [1; 16], CACHE).expect("a store")))
}

impl Contender for Ours {
    fn put(&mut self, rows: &[(String, Vec<u8>)]) {
        let ops =
            rows.iter().map(|(key, value)| Op::put(Tree::Main, key.as_bytes(), value.clone())).collect();
        self.0.commit(ops, false).expect("committed");
        self.0.sync().expect("safe");
    }

    fn flushes(&self) -> Option<u64> {
        Some(self.0.figures().flushes)
    }
}
