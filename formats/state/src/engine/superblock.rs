//! The superblock: a page that names everything else. Each epoch has one, written twice; the next epoch's lie elsewhere.

use alloc::vec::Vec;

use super::codec::{Reader, Writer};
use super::layout::Shape;
use super::lookup::Root;
use super::node::MAX_LEVEL;
use super::pages::Ptr;
use super::{Damage, Error, OLDEST, PAGE, VERSION, checksum};

/// Most snapshots at a time.
pub const MAX_SNAPSHOTS: usize = 4;

/// Longest name of a snapshot, in bytes.
pub const MAX_SNAPSHOT_NAME: usize = 32;

/// Most commits and checkpoints of a store: more than any medium lives to see.
pub const MAX_COUNT: u64 = 1 << 62;

const MAGIC: [u8; 8] = *b"NXSTATE\0";

/// A named point that the first tree can be taken back to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Its name.
    pub name: Vec<u8>,
    /// Who is charged for it.
    pub owner: u64,
    /// Pages that the tree had: what it may come to hold alone.
    pub pages: u32,
    /// The generation that it shows.
    pub generation: u64,
    pub(crate) root: Root,
}

/// What a superblock says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Superblock {
    /// Of what is on the medium.
    pub version: u32,
    pub store: [u8; 16],
    pub shape: Shape,
    /// Counts checkpoints.
    pub epoch: u64,
    /// Counts commits: how many are in the trees.
    pub generation: u64,
    pub maps: u64,
    pub roots: [Root; 2],
    pub snapshots: [Option<Snapshot>; MAX_SNAPSHOTS],
}

fn write_root(root: Root, out: &mut Writer) {
    let (ptr, level) = root.top.map_or((Ptr { page: 0, checksum: 0 }, u8::MAX), |top| top);
    out.u8(level);
    ptr.write(out);
    out.u64(root.keys);
}

fn read_root(from: &mut Reader<'_>) -> Result<Root, Damage> {
    let (level, ptr, keys) = (from.u8()?, Ptr::read(from)?, from.u64()?);
    match level {
        u8::MAX => Ok(Root::default()),
        level if level <= MAX_LEVEL => Ok(Root { top: Some((ptr, level)), keys }),
        _ => Err(Damage::Content),
    }
}

impl Superblock {
    /// A whole page.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.bytes(&MAGIC);
        out.u32(self.version);
        out.bytes(&self.store);
        out.u32(self.shape.pages);
        out.u32(self.shape.log_pages);
        out.u64(self.epoch);
        out.u64(self.generation);
        out.u64(self.maps);
        self.roots.iter().for_each(|root| write_root(*root, &mut out));
        for snapshot in &self.snapshots {
            let Some(snapshot) = snapshot else {
                out.u8(0);
                continue;
            };
            out.u8(snapshot.name.len() as u8);
            out.bytes(&snapshot.name);
            out.u64(snapshot.owner);
            out.u32(snapshot.pages);
            out.u64(snapshot.generation);
            write_root(snapshot.root, &mut out);
        }
        out.0.resize(PAGE - 8, 0);
        let sum = checksum(&out.0);
        out.u64(sum);
        out.0
    }

    /// What the page says; nothing if it is no superblock, or a damaged one.
    pub fn decode(page: &[u8]) -> Result<Option<Superblock>, Error> {
        let Some((body, sum)) = page.split_last_chunk::<8>() else { return Ok(None) };
        let mut from = Reader(body);
        if checksum(body) != u64::from_le_bytes(*sum) || from.array()? != MAGIC {
            return Ok(None);
        }
        let version = from.u32()?;
        if !(OLDEST..=VERSION).contains(&version) {
            return Err(Error::Version(version));
        }
        let store = from.array()?;
        let shape = Shape { pages: from.u32()?, log_pages: from.u32()? }.checked()?;
        let (epoch, generation, maps) = (from.u64()?, from.u64()?, from.u64()?);
        if epoch.max(generation) > MAX_COUNT {
            return Err(Damage::Content.into());
        }
        let roots = [read_root(&mut from)?, read_root(&mut from)?];
        let mut snapshots = [const { None }; MAX_SNAPSHOTS];
        for place in &mut snapshots {
            let length = usize::from(from.u8()?);
            if length > MAX_SNAPSHOT_NAME {
                return Err(Damage::Content.into());
            }
            if length > 0 {
                let name = from.bytes(length)?.to_vec();
                let (owner, pages, generation) = (from.u64()?, from.u32()?, from.u64()?);
                let root = read_root(&mut from)?;
                *place = Some(Snapshot { name, owner, pages, generation, root });
            }
        }
        Ok(Some(Superblock { version, store, shape, epoch, generation, maps, roots, snapshots }))
    }
}
