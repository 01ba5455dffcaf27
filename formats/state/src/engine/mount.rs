//! Making a store on a medium, and mounting it: the newest superblock, the maps, then what the log says since.
//!
//! What it costs is bounded by the shape and not by what the store holds: four pages, the maps, one half of the log. What must never happen: an older
//! state is mounted although something on the medium proves that there was a newer one.

use alloc::vec;
use alloc::vec::Vec;

use super::cache::Cache;
use super::check::reachable;
use super::checkpoint::{decode_maps, encode_maps};
use super::codec::Writer;
use super::layout::{MAPS, Shape};
use super::pages::Pages;
use super::prune::{Lost, lose};
use super::space::{Bits, Space};
use super::store::{Figures, Store};
use super::superblock::Superblock;
use super::value::Value;
use super::{Damage, Error, Fault, Medium, PAGE, SECTOR, VERSION, checksum, frame};

/// What was found and mended while mounting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// One of the two superblocks was damaged, or not written before a power cut.
    Superblock,
    /// One of the two copies of the frame with this generation was damaged, or not written before a power cut.
    Frame(u64),
    /// The maps were damaged and have been counted anew.
    Maps,
    /// It was of this older version, and is of the present one.
    Migrated {
        /// That.
        from: u32,
    },
    /// Something that was not safe yet when the power went is gone: what came after this generation.
    Dropped(u64),
}

/// What mounting came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mounted {
    /// The generation that was reached.
    pub generation: u64,
    /// What was mended.
    pub notices: Vec<Notice>,
}

impl<M: Medium> Store<M> {
    /// Makes an empty store, whatever was there before.
    pub fn format(mut medium: M, shape: Shape, store: [u8; 16], cache: usize) -> Result<Store<M>, Error> {
        let shape = shape.checked().map_err(|_| Error::Size)?;
        if medium.size()? < u64::from(shape.pages) * PAGE as u64 {
            return Err(Error::Size);
        }
        for epoch in 0..2 {
            for copy in 0..2 {
                medium.write(Shape::superblock(epoch, copy), &[0; PAGE])?;
            }
        }
        medium.flush()?;
        let space = Space::empty(shape);
        let maps = encode_maps(&space, shape);
        let superblock = Superblock {
            version: VERSION,
            store,
            shape,
            epoch: 1,
            generation: 0,
            maps: checksum(&maps),
            roots: Default::default(),
            snapshots: Default::default(),
        };
        let mut made = Store::new(medium, superblock, space, cache);
        made.write(shape.maps(1), &maps)?;
        made.flush()?;
        // One after the other: as long as the second is not begun, a cut leaves no store, and not a damaged one.
        let page = made.superblock.encode();
        for copy in 0..2 {
            made.write(Shape::superblock(1, copy), &page)?;
            made.flush()?;
        }
        Ok(made)
    }

    pub(super) fn new(medium: M, superblock: Superblock, space: Space, cache: usize) -> Store<M> {
        let shape = superblock.shape;
        let generation = superblock.generation;
        Store {
            pages: Pages { medium, shape, cache: Cache::new(cache), space, written: 0, damaged: false },
            superblock,
            memory: Default::default(),
            replaced: Vec::new(),
            bytes: 0,
            need: 0,
            pending: Writer::default(),
            unflushed: false,
            generation,
            safe: generation,
            log_at: 0,
            broken: None,
            stuck: false,
            figures: Figures::default(),
        }
    }

    /// Mounts what is there, with so many pages kept in memory, and mends what can be mended without doubt.
    pub fn mount(mut medium: M, cache: usize) -> Result<(Store<M>, Mounted), (M, Error)> {
        let mut notices = Vec::new();
        let superblock = match newest(&mut medium, &mut notices) {
            Ok((superblock, None)) => superblock,
            Ok((_, Some(damage))) => return Err((medium, damage.into())),
            Err(error) => return Err((medium, error)),
        };
        let space = Space::empty(superblock.shape);
        let mut store = Store::new(medium, superblock, space, cache);
        match store.recover(&mut notices) {
            Ok(()) => {
                let generation = store.generation;
                Ok((store, Mounted { generation, notices }))
            }
            Err(error) => Err((store.pages.medium, error)),
        }
    }

    fn recover(&mut self, notices: &mut Vec<Notice>) -> Result<(), Error> {
        self.read_maps(notices)?;
        self.replay(notices, None)?;
        notices.extend(self.migrate()?);
        // What is read may still be in a cache of the medium. It is safe before anybody is told.
        let safe = self.flush().and_then(|()| if notices.is_empty() { Ok(()) } else { self.checkpoint() });
        match safe {
            Err(Error::Medium(Fault::ReadOnly)) => {
                self.broken = Some(Error::Medium(Fault::ReadOnly));
                Ok(())
            }
            other => other,
        }
    }

    /// The maps as they are on the medium, unless they are damaged.
    pub(super) fn maps_on_medium(
        &mut self,
        notices: &mut Vec<Notice>,
    ) -> Result<Option<[Bits; MAPS]>, Error> {
        let (shape, epoch) = (self.superblock.shape, self.superblock.epoch);
        let mut bytes = vec![0; shape.maps_bytes()];
        self.pages.medium.read(shape.maps(epoch), &mut bytes)?;
        let maps =
            if checksum(&bytes) == self.superblock.maps { decode_maps(&bytes, shape).ok() } else { None };
        if maps.is_none() {
            notices.push(Notice::Maps);
        }
        Ok(maps)
    }

    fn read_maps(&mut self, notices: &mut Vec<Notice>) -> Result<(), Error> {
        let maps = match self.maps_on_medium(notices)? {
            Some(maps) => maps,
            None => reachable(&mut self.pages, &self.superblock)?,
        };
        self.pages.space = Space::new(self.superblock.shape, maps);
        Ok(())
    }

    /// Does again what the log says. With `lost`, a value whose pages cannot be read is named there, and is gone; without it that is the error.
    pub(super) fn replay(
        &mut self,
        notices: &mut Vec<Notice>,
        mut lost: Option<&mut [Vec<Lost>; MAPS]>,
    ) -> Result<(), Error> {
        let Superblock { shape, epoch, store, .. } = self.superblock.clone();
        let mut half = vec![0; shape.log_bytes() as usize];
        self.pages.medium.read(shape.log(epoch), &mut half)?;
        let mut at = 0;
        while at < half.len() {
            let left = self.generation;
            let whole = |at: usize| frame::decode(half.get(at..)?, &store, epoch);
            let first = whole(at).filter(|(head, _)| head.before == left);
            let (head, changes) = match first {
                Some((head, changes)) => {
                    if whole(at + head.room()).is_none_or(|(second, _)| second != head) {
                        notices.push(Notice::Frame(head.after));
                    }
                    (head, changes)
                }
                None => {
                    let later =
                        (at + SECTOR..half.len()).step_by(SECTOR).find_map(|at| Some((at, whole(at)?)));
                    match later {
                        Some((second, (head, changes)))
                            if head.before == left && second == at + head.room() =>
                        {
                            notices.push(Notice::Frame(head.after));
                            (head, changes)
                        }
                        Some((_, (head, _))) => {
                            return Err(Damage::Log { reached: head.after, left }.into());
                        }
                        None => {
                            // What a cut left of the next frame, and not of one that was overwritten since.
                            let next = frame::head(&half[at..], &store, epoch);
                            if next.is_some_and(|head| head.before == left) {
                                notices.push(Notice::Dropped(left));
                            }
                            break;
                        }
                    }
                }
            };
            for (tree, key, mut value) in frame::changes(changes)? {
                if let Some(pages @ Value::Pages { .. }) = &value {
                    match (self.stage_again(pages), &mut lost) {
                        (Err(Error::Integrity(damage)), Some(lost)) => {
                            lose(&mut lost[tree as usize], Lost::one(&key, damage));
                            value = None;
                        }
                        (staged, _) => staged?,
                    }
                }
                self.remember(tree, key, value);
            }
            self.generation = head.after;
            at += 2 * head.room();
        }
        (self.safe, self.log_at) = (self.generation, at as u64);
        Ok(())
    }

    fn stage_again(&mut self, value: &Value) -> Result<(), Error> {
        for page in value.all_pages(&mut self.pages)? {
            if !self.pages.space.is_data(page) {
                return Err(Damage::Content.into());
            }
            self.pages.space.mark_staged(page);
        }
        Ok(())
    }
}

/// The newest superblock that can be read, and what proves that there was a newer one, if anything does.
pub(super) fn newest<M: Medium>(
    medium: &mut M,
    notices: &mut Vec<Notice>,
) -> Result<(Superblock, Option<Damage>), Error> {
    let size = medium.size()?;
    if size < 4 * PAGE as u64 {
        return Err(Error::Size);
    }
    let (mut found, mut traces) = (Vec::new(), Vec::new());
    let mut page = vec![0; PAGE];
    for epoch in 0..2u64 {
        for copy in 0..2 {
            medium.read(Shape::superblock(epoch, copy), &mut page)?;
            traces.push(page.iter().any(|byte| *byte != 0));
            let valid = Superblock::decode(&page)?.filter(|superblock| superblock.epoch & 1 == epoch);
            found.push(valid);
        }
    }
    let Some(best) = found.iter().flatten().max_by_key(|superblock| superblock.epoch).cloned() else {
        // The third is the first one that is ever written. While it stands alone, nothing was stored yet.
        let is_damaged = traces[0] || traces[1] || traces[3];
        return Err(if is_damaged {
            Damage::Superblock { reached: 0, left: 0 }.into()
        } else {
            Error::Unformatted
        });
    };
    if size < u64::from(best.shape.pages) * PAGE as u64 {
        return Err(Error::Size);
    }
    let pair = |epoch: u64| &found[(epoch & 1) as usize * 2..][..2];
    if pair(best.epoch).iter().any(|copy| copy.as_ref() != Some(&best)) {
        notices.push(Notice::Superblock);
    }
    // A checkpoint that was cut off leaves the other pair damaged, and so does damage to a newer one. In the latter
    // case what was logged since proves it.
    if pair(best.epoch + 1).iter().any(Option::is_none)
        && let Some(reached) = logged(medium, &best)?
    {
        let left = best.generation;
        return Ok((best, Some(Damage::Superblock { reached, left })));
    }
    Ok((best, None))
}

/// The newest generation in the log of the epoch after this one, if there is any.
fn logged<M: Medium>(medium: &mut M, superblock: &Superblock) -> Result<Option<u64>, Error> {
    let (shape, epoch) = (superblock.shape, superblock.epoch + 1);
    let mut half = vec![0; shape.log_bytes() as usize];
    medium.read(shape.log(epoch), &mut half)?;
    let frames = (0..half.len()).step_by(SECTOR);
    Ok(frames.filter_map(|at| Some(frame::decode(&half[at..], &superblock.store, epoch)?.0.after)).max())
}
