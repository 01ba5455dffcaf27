//! Finding a key in a tree, and the next one.

use alloc::vec::Vec;

use super::node::{MAX_LEVEL, Node};
use super::pages::{Pages, Ptr};
use super::value::Value;
use super::{Damage, Error, Medium};

/// A tree: its topmost page and the level of that, and how many keys it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Root {
    pub top: Option<(Ptr, u8)>,
    pub keys: u64,
}

/// The page of a tree at this level.
pub fn node<M: Medium>(pages: &mut Pages<M>, ptr: Ptr, level: u8) -> Result<Node, Error> {
    if level > MAX_LEVEL {
        return Err(Damage::Content.into());
    }
    Node::new(pages.load(ptr, true)?, level)
}

/// The value of a key.
pub fn get<M: Medium>(pages: &mut Pages<M>, root: Root, key: &[u8]) -> Result<Option<Value>, Error> {
    let Some((mut ptr, mut level)) = root.top else { return Ok(None) };
    loop {
        let node = node(pages, ptr, level)?;
        if level == 0 {
            let (index, equal) = node.find(key)?;
            return if equal { Ok(Some(Value::decode(node.entry(index)?.1)?)) } else { Ok(None) };
        }
        ptr = node.child(node.under(key)?)?;
        level -= 1;
    }
}

/// The first key that is not less, with its value.
pub fn next<M: Medium>(
    pages: &mut Pages<M>,
    root: Root,
    key: &[u8],
) -> Result<Option<(Vec<u8>, Value)>, Error> {
    let Some((top, top_level)) = root.top else { return Ok(None) };
    let mut from = key.to_vec();
    // Each turn looks into one leaf; when it has nothing left, the next turn begins where the next leaf does.
    loop {
        let (mut ptr, mut level, mut beyond) = (top, top_level, None);
        loop {
            let node = node(pages, ptr, level)?;
            if level == 0 {
                let (index, _) = node.find(&from)?;
                if index < node.count() {
                    let (key, body) = node.entry(index)?;
                    return Ok(Some((key.to_vec(), Value::decode(body)?)));
                }
                break;
            }
            let index = node.under(&from)?;
            if index + 1 < node.count() {
                beyond = Some(node.entry(index + 1)?.0.to_vec());
            }
            ptr = node.child(index)?;
            level -= 1;
        }
        match beyond {
            Some(beyond) if beyond > from => from = beyond,
            Some(_) => return Err(Damage::Content.into()),
            None => return Ok(None),
        }
    }
}
