//! A disk image whose partition `state` holds a store. What is only looked at is not changed: repairs are made in memory then.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use nexus_gpt::{SECTOR, Scan, Step};
use nexus_state::engine::{Checked, Error, Fault, Medium, OLDEST, Shape, Store, VERSION};

use crate::exit::{Exit, Failure, Outcome};
use crate::machine::disk::STATE;

/// Pages kept in memory.
pub const CACHE: usize = 4096;

/// The partition of a file, with what was written to it in memory unless it may be changed.
pub struct Partition {
    file: File,
    first: u64,
    bytes: u64,
    /// Sectors that were written, while the file stays as it is.
    overlay: Option<BTreeMap<u64, [u8; SECTOR]>>,
}

impl Partition {
    /// The partition `state` of a disk image; `change` whether it may be written.
    pub fn open(path: &Path, change: bool) -> Outcome<Partition> {
        let failed = |error: std::io::Error| Failure::host(path.display(), &error);
        let file = File::options().read(true).write(change).open(path).map_err(failed)?;
        let sectors = file.metadata().map_err(failed)?.len() / SECTOR as u64;
        let (mut scan, mut step) = Scan::begin(sectors);
        while let Step::Read(need) = step {
            let mut bytes = vec![0; need.count as usize * SECTOR];
            file.read_exact_at(&mut bytes, need.sector * SECTOR as u64).map_err(failed)?;
            step = scan.feed(&bytes);
        }
        let found = match step {
            Step::Found(found, _) => found.into_iter().find(|partition| partition.name == STATE),
            Step::Read(_) | Step::Nothing(_) => None,
        };
        let Some(found) = found else {
            let what = format!("{} has no partition `{STATE}`", path.display());
            return Err(Failure::new(Exit::Host, what, "a new disk has one: nx run --disk FILE --fresh"));
        };
        let overlay = (!change).then(BTreeMap::new);
        let (first, bytes) = (found.first * SECTOR as u64, found.sectors * SECTOR as u64);
        Ok(Partition { file, first, bytes, overlay })
    }
}

impl Partition {
    /// Where it begins on the disk, and its bytes.
    pub fn place(&self) -> (u64, u64) {
        (self.first, self.bytes)
    }
}

impl Medium for Partition {
    fn size(&mut self) -> Result<u64, Fault> {
        Ok(self.bytes)
    }

    fn read(&mut self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        self.file.read_exact_at(out, self.first + at).map_err(|_| Fault::Io)?;
        for (index, part) in out.chunks_mut(SECTOR).enumerate() {
            let sector = at / SECTOR as u64 + index as u64;
            if let Some(written) = self.overlay.as_ref().and_then(|overlay| overlay.get(&sector)) {
                part.copy_from_slice(written);
            }
        }
        Ok(())
    }

    fn write(&mut self, at: u64, data: &[u8]) -> Result<(), Fault> {
        if at + data.len() as u64 > self.bytes {
            return Err(Fault::Outside);
        }
        let Some(overlay) = &mut self.overlay else {
            return self.file.write_all_at(data, self.first + at).map_err(|_| Fault::Io);
        };
        for (index, part) in data.as_chunks::<SECTOR>().0.iter().enumerate() {
            overlay.insert(at / SECTOR as u64 + index as u64, *part);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Fault> {
        match self.overlay {
            Some(_) => Ok(()),
            None => self.file.sync_data().map_err(|_| Fault::Io),
        }
    }
}

/// Why a store cannot be used, as a failure.
pub fn refused(path: &Path, error: Error) -> Failure {
    let what = match error {
        Error::Unformatted => format!("there is no store on {}", path.display()),
        Error::Version(version) => {
            format!(
                "the store on {} is of version {version}; {OLDEST} to {VERSION} are known here",
                path.display()
            )
        }
        other => format!("the store on {}: {other:?}", path.display()),
    };
    Failure::new(Exit::Failed, what, "look at it: nx state --disk FILE fsck")
}

/// A store on a disk image, mounted.
pub struct Image {
    store: Store<Partition>,
    path: std::path::PathBuf,
    /// What mounting mended.
    pub notices: Vec<String>,
}

impl Image {
    /// Mounts the store on a disk image.
    pub fn open(path: &Path, change: bool) -> Outcome<Image> {
        let partition = Partition::open(path, change)?;
        let (store, mounted) = Store::mount(partition, CACHE).map_err(|(_, error)| refused(path, error))?;
        let notices = mounted.notices.iter().map(|notice| format!("{notice:?}")).collect();
        Ok(Image { store, path: path.to_path_buf(), notices })
    }

    /// Makes an empty store on a disk image, whatever was there.
    pub fn reset(path: &Path, id: [u8; 16]) -> Outcome {
        let mut partition = Partition::open(path, true)?;
        let shape = partition.size().map_err(Error::from).and_then(Shape::for_size);
        let made = shape.and_then(|shape| Store::format(partition, shape, id, CACHE));
        made.map(drop).map_err(|error| refused(path, error))
    }

    /// Looks at every page.
    pub fn check(&mut self) -> Outcome<Checked> {
        self.store.check().map_err(|error| refused(&self.path, error))
    }

    /// The store.
    pub fn into_store(self) -> Store<Partition> {
        self.store
    }
}
