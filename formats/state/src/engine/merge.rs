//! What changed is merged into a tree: a new tree that shares every page that did not change with the old one.
//!
//! Only the pages on the way to the changes are in memory at a time. What must never happen: a page of the old tree is
//! overwritten, or a page is released that the new one has.

use alloc::vec::Vec;
use core::mem::take;

use super::codec::Writer;
use super::lookup::{Root, node};
use super::node::{Item, MAX_ITEM, MAX_LEVEL, ROOM, encode};
use super::pages::{Pages, Ptr};
use super::value::Value;
use super::{Damage, Error, Medium, Tree};

/// A key and what becomes of it: its value as it stands in a leaf, or nothing.
pub type Edit<'a> = (&'a [u8], Option<Vec<u8>>);

/// A page with fewer bytes takes those of the next one, if its parent has one.
const MIN: usize = ROOM / 3;

/// Entries of one level on their way into pages.
struct Builder {
    level: u8,
    items: Vec<Item>,
    size: usize,
    /// Pages that are done: their first keys, and what names them.
    done: Vec<Item>,
}

impl Builder {
    fn new(level: u8) -> Builder {
        Builder { level, items: Vec::new(), size: 0, done: Vec::new() }
    }

    fn push(&mut self, item: Item) {
        self.size += item.size();
        self.items.push(item);
    }

    fn is_small(&self) -> bool {
        !self.items.is_empty() && self.size < MIN
    }

    /// Writes what is there, in as few pages as it fits, all about equally full.
    fn flush<M: Medium>(&mut self, pages: &mut Pages<M>, tree: Tree) -> Result<(), Error> {
        let (items, size) = (take(&mut self.items), take(&mut self.size));
        let target = size.div_ceil(size.div_ceil(ROOM).max(1));
        let mut page: Vec<Item> = Vec::new();
        let mut filled = 0;
        for item in items {
            if !page.is_empty() && (filled >= target || filled + item.size() > ROOM) {
                self.emit(pages, tree, &take(&mut page))?;
                filled = 0;
            }
            filled += item.size();
            page.push(item);
        }
        if page.is_empty() { Ok(()) } else { self.emit(pages, tree, &page) }
    }

    fn emit<M: Medium>(&mut self, pages: &mut Pages<M>, tree: Tree, items: &[Item]) -> Result<(), Error> {
        let ptr = pages.add(tree, &encode(self.level, items), true)?;
        self.done.push(above(items[0].key(), ptr));
        Ok(())
    }
}

/// The entry for a page in the page above it.
pub fn above(key: &[u8], ptr: Ptr) -> Item {
    let mut body = Writer::default();
    ptr.write(&mut body);
    Item::new(key, &body.0)
}

/// The merge of one tree.
struct Merge<'a, M> {
    pages: &'a mut Pages<M>,
    tree: Tree,
    keys: u64,
}

impl<M: Medium> Merge<'_, M> {
    /// Puts the entries of a page, with the edits that lie under it, into `out`; the page itself is given up.
    fn page(&mut self, ptr: Ptr, edits: &[Edit<'_>], out: &mut Builder) -> Result<(), Error> {
        let node = node(self.pages, ptr, out.level)?;
        self.pages.space.release(self.tree, ptr.page);
        if out.level == 0 {
            return self.leaf(&node, edits, out);
        }
        let mut below = Builder::new(out.level - 1);
        let mut rest = edits;
        for index in 0..node.count() {
            let ours = if index + 1 < node.count() {
                let limit = node.entry(index + 1)?.0;
                rest.partition_point(|(key, _)| *key < limit)
            } else {
                rest.len()
            };
            let (edits, later) = rest.split_at(ours);
            rest = later;
            if !below.is_small() {
                below.flush(self.pages, self.tree)?;
                if edits.is_empty() {
                    below.done.push(node.item(index)?);
                    continue;
                }
            }
            self.page(node.child(index)?, edits, &mut below)?;
        }
        below.flush(self.pages, self.tree)?;
        below.done.into_iter().for_each(|item| out.push(item));
        Ok(())
    }

    fn leaf(&mut self, node: &super::node::Node, edits: &[Edit<'_>], out: &mut Builder) -> Result<(), Error> {
        let mut edits = edits.iter().peekable();
        for index in 0..node.count() {
            let (key, body) = node.entry(index)?;
            while let Some(edit) = edits.next_if(|(edited, _)| *edited < key) {
                self.insert(edit, out);
            }
            if let Some(edit) = edits.next_if(|(edited, _)| *edited == key) {
                self.keys = self.keys.checked_sub(1).ok_or(Damage::Content)?;
                let old = Value::decode(body)?;
                for page in old.all_pages(self.pages)? {
                    self.pages.space.release(self.tree, page);
                }
                self.insert(edit, out);
            } else {
                out.push(node.item(index)?);
            }
        }
        edits.for_each(|edit| self.insert(edit, out));
        Ok(())
    }

    fn insert(&mut self, (key, body): &Edit<'_>, out: &mut Builder) {
        if let Some(body) = body {
            self.keys = self.keys.saturating_add(1);
            out.push(Item::new(key, body));
        }
    }
}

/// The tree with the edits, which are in rising order of their keys. On an error the maps of pages are as they happen to be.
pub fn merge<M: Medium>(
    pages: &mut Pages<M>,
    tree: Tree,
    root: Root,
    edits: &[Edit<'_>],
) -> Result<Root, Error> {
    let long =
        |(key, body): &Edit<'_>| body.as_ref().is_some_and(|body| key.len() + body.len() > MAX_ITEM - 8);
    if edits.iter().any(long) {
        return Err(Error::TooLarge);
    }
    let mut merge = Merge { pages, tree, keys: root.keys };
    let mut level = root.top.map_or(0, |(_, level)| level);
    let mut builder = Builder::new(level);
    match root.top {
        Some((ptr, _)) => merge.page(ptr, edits, &mut builder)?,
        None => edits.iter().for_each(|edit| merge.insert(edit, &mut builder)),
    }
    builder.flush(merge.pages, tree)?;
    while builder.done.len() > 1 {
        level += 1;
        let done = take(&mut builder.done);
        builder = Builder::new(level);
        done.into_iter().for_each(|item| builder.push(item));
        builder.flush(merge.pages, tree)?;
    }
    let keys = merge.keys;
    let Some(top) = builder.done.first() else { return Ok(Root::default()) };
    let mut ptr = Ptr::read(&mut super::codec::Reader(top.body()))?;
    // A page above the leaves with a single entry is of no use at the top.
    while level > 0 {
        let top = node(pages, ptr, level)?;
        if top.count() > 1 {
            break;
        }
        pages.space.release(tree, ptr.page);
        ptr = top.child(0)?;
        level -= 1;
    }
    if level > MAX_LEVEL {
        return Err(Error::NoSpace);
    }
    Ok(Root { top: Some((ptr, level)), keys })
}
