//! Which pages are in use, by whom. A page is free when neither a tree nor a snapshot has it, and neither has what is still on
//! the medium as the last checkpoint.

use alloc::vec;
use alloc::vec::Vec;

use super::layout::{MAPS, Shape};
use super::{Error, Tree};

/// A bit a page.
#[derive(Clone, PartialEq, Eq)]
pub struct Bits(pub Vec<u64>);

impl Bits {
    pub fn none(shape: Shape) -> Bits {
        Bits(vec![0; shape.map_bytes() / 8])
    }

    pub fn has(&self, page: u32) -> bool {
        self.0.get(page as usize / 64).is_some_and(|word| word & (1 << (page % 64)) != 0)
    }

    pub fn set(&mut self, page: u32) {
        if let Some(word) = self.0.get_mut(page as usize / 64) {
            *word |= 1 << (page % 64);
        }
    }

    pub fn clear(&mut self, page: u32) {
        if let Some(word) = self.0.get_mut(page as usize / 64) {
            *word &= !(1 << (page % 64));
        }
    }

    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub fn add(&mut self, other: &Bits) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }
}

/// The pages of a store.
#[derive(Clone)]
pub struct Space {
    shape: Shape,
    /// Of each tree, then of each snapshot.
    pub maps: [Bits; MAPS],
    /// Written for values that no tree has yet.
    pub staged: Bits,
    /// Everything that must not be overwritten now.
    busy: Bits,
    free: u32,
    next: u32,
}

impl Space {
    pub fn new(shape: Shape, maps: [Bits; MAPS]) -> Space {
        let none = Bits::none(shape);
        let mut space =
            Space { shape, maps, staged: none.clone(), busy: none, free: 0, next: shape.first_data() };
        space.settle();
        space
    }

    pub fn empty(shape: Shape) -> Space {
        Space::new(shape, core::array::from_fn(|_| Bits::none(shape)))
    }

    /// After a checkpoint is safe: what nobody has any more is free.
    pub fn settle(&mut self) {
        self.busy = self.staged.clone();
        for map in &self.maps {
            self.busy.add(map);
        }
        self.free = (self.shape.pages - self.shape.first_data()).saturating_sub(self.busy.count());
    }

    /// These must not be overwritten either, until the next checkpoint is safe.
    pub fn occupy(&mut self, pages: &Bits) {
        self.busy.add(pages);
        self.free = (self.shape.pages - self.shape.first_data()).saturating_sub(self.busy.count());
    }

    /// Pages that can be written now.
    pub fn free(&self) -> u32 {
        self.free
    }

    /// Whether a tree may have the page at all.
    pub fn is_data(&self, page: u32) -> bool {
        (self.shape.first_data()..self.shape.pages).contains(&page)
    }

    /// A free page, from now on busy. They are given in rising order as far as possible, so that writes are long.
    pub fn take(&mut self) -> Result<u32, Error> {
        let first = self.shape.first_data();
        for _ in 0..2 {
            while self.next < self.shape.pages {
                let page = self.next;
                let word = self.busy.0[page as usize / 64] >> (page % 64);
                if word & 1 == 0 {
                    self.next += 1;
                    self.busy.set(page);
                    self.free -= 1;
                    return Ok(page);
                }
                self.next += word.trailing_ones();
            }
            self.next = first;
        }
        Err(Error::NoSpace)
    }

    /// A page for a tree.
    pub fn take_for(&mut self, tree: Tree) -> Result<u32, Error> {
        let page = self.take()?;
        self.maps[tree as usize].set(page);
        Ok(page)
    }

    /// A page for a value that no tree has yet.
    pub fn take_staged(&mut self) -> Result<u32, Error> {
        let page = self.take()?;
        self.staged.set(page);
        Ok(page)
    }

    /// A page that the log says is written for a value that no tree has yet.
    pub fn mark_staged(&mut self, page: u32) {
        self.staged.set(page);
        if !self.busy.has(page) {
            self.busy.set(page);
            self.free -= 1;
        }
    }

    /// A value that no tree has yet comes into one.
    pub fn adopt(&mut self, tree: Tree, page: u32) {
        self.staged.clear(page);
        self.maps[tree as usize].set(page);
    }

    /// A tree has the page no longer. It stays busy until the next checkpoint is safe.
    pub fn release(&mut self, tree: Tree, page: u32) {
        self.maps[tree as usize].clear(page);
    }

    /// A value that was never in the log is given up: its page is free at once.
    pub fn discard(&mut self, page: u32) {
        if self.staged.has(page) {
            self.staged.clear(page);
            self.busy.clear(page);
            self.free += 1;
        }
    }
}
