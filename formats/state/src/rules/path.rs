//! Paths: what names a value, and how it is written as a key of the engine.

use alloc::string::String;
use alloc::vec::Vec;

use super::Error;
use crate::engine::Tree;
use unicode_normalization::is_nfc;

/// Longest path, in bytes.
pub const MAX_PATH: usize = 255;

/// Most components of a path.
pub const MAX_COMPONENTS: usize = 16;

/// What the keys of values begin with.
pub(super) const VALUES: u8 = b'v';

/// Stands for `/` in a key. It is below every byte that a path may have, so that what lies under a path follows it at once.
const SLASH: u8 = 1;

/// First components of the paths that snapshots never take back.
const KEPT: [&str; 7] = ["boot", "crash", "keystore", "log", "policy", "sequence", "trust"];

/// A path that is one: components without `.` and `..`, none empty, separated by `/`, nothing before the first, in Unicode's composed form (NFC,
/// [UAX 15](https://www.unicode.org/reports/tr15/)): so what reads the same is the same path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Path(String);

impl Path {
    /// The path that this text is, if it is one.
    pub fn new(text: &str) -> Result<Path, Error> {
        match text.is_ascii() || is_nfc(text) {
            true => Path::stored(text),
            false => Err(Error::Invalid),
        }
    }

    /// The same of what a store has: in whatever form it got there, it can be read.
    fn stored(text: &str) -> Result<Path, Error> {
        let parts = || text.split('/');
        let bad = |part: &str| part.is_empty() || part == "." || part == "..";
        let is_path = text.len() <= MAX_PATH
            && parts().count() <= MAX_COMPONENTS
            && !parts().any(bad)
            && !text.chars().any(char::is_control);
        if is_path { Ok(Path(String::from(text))) } else { Err(Error::Invalid) }
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `prefix` or lies under it. Everything lies under the empty one.
    pub fn is_under(&self, prefix: &str) -> bool {
        let rest = self.0.strip_prefix(prefix);
        prefix.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether its first component is one of these.
    pub(super) fn is_apart(&self, firsts: &[&str]) -> bool {
        firsts.iter().any(|first| self.is_under(first))
    }

    /// The database that it belongs to.
    pub fn tree(&self) -> Tree {
        tree_of(&self.0)
    }

    pub(super) fn key(&self) -> Vec<u8> {
        key(&self.0)
    }

    /// Whether a key of the engine is that of this path, or of one that lies under it.
    pub(super) fn covers(&self, key: &[u8]) -> bool {
        let rest = key.strip_prefix(self.key().as_slice());
        rest.is_some_and(|rest| rest.first().is_none_or(|first| *first == SLASH))
    }

    /// The paths that it lies under, from the top.
    pub(super) fn above(&self) -> impl Iterator<Item = Path> + '_ {
        self.0.match_indices('/').map(|(at, _)| Path(String::from(&self.0[..at])))
    }

    /// The path that a key of the engine stands for.
    pub(super) fn from_key(key: &[u8]) -> Result<Path, Error> {
        let rest = key.strip_prefix(&[VALUES]).ok_or(Error::Integrity)?;
        let text = rest.iter().map(|byte| if *byte == SLASH { b'/' } else { *byte }).collect();
        Path::stored(&String::from_utf8(text).map_err(|_| Error::Integrity)?).map_err(|_| Error::Integrity)
    }
}

/// The database that what begins like this belongs to.
pub(super) fn tree_of(text: &str) -> Tree {
    let first = text.split('/').next().unwrap_or_default();
    if KEPT.contains(&first) { Tree::Kept } else { Tree::Main }
}

fn key(text: &str) -> Vec<u8> {
    let slashed = text.bytes().map(|byte| if byte == b'/' { SLASH } else { byte });
    core::iter::once(VALUES).chain(slashed).collect()
}

/// The first key that can lie under this path, which may be empty.
pub(super) fn first_under(prefix: &str) -> Vec<u8> {
    let mut first = key(prefix);
    if !prefix.is_empty() {
        first.push(SLASH);
    }
    first
}

/// Whether the key is that of a value.
pub(super) fn is_value(key: &[u8]) -> bool {
    key.first() == Some(&VALUES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_path() {
        let long = "a".repeat(MAX_PATH);
        let deep = ["a"; MAX_COMPONENTS].join("/");
        for text in ["a", "a/b", "app/net/address", "größe/…", "..a/.b", &long, &deep] {
            let path = Path::new(text).unwrap();
            assert_eq!(Path::from_key(&path.key()).unwrap().as_str(), text);
        }
        let (long, deep) = (long + "a", deep + "/a");
        for text in [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/..", "a\0b", "a\nb", "a\u{1}b", "a\u{7f}",
            &long, &deep,
        ] {
            assert_eq!(Path::new(text), Err(Error::Invalid), "{text:?}");
        }
    }

    #[test]
    fn what_reads_the_same_is_the_same_path_or_none() {
        for (composed, spelled) in
            [("größe", "gro\u{308}ße"), ("a/\u{e9}", "a/e\u{301}"), ("각", "\u{1100}\u{1161}\u{11a8}")]
        {
            assert!(Path::new(composed).is_ok(), "{composed}");
            assert_eq!(Path::new(spelled), Err(Error::Invalid), "{spelled}");
            // A store that has it all the same is read.
            assert_eq!(Path::from_key(&key(spelled)).unwrap().as_str(), spelled);
        }
        // Marks in another order, a sign that stands for another, and marks that nothing composes, in order.
        assert_eq!(Path::new("a\u{301}\u{323}"), Err(Error::Invalid));
        assert_eq!(Path::new("\u{212b}"), Err(Error::Invalid));
        assert!(Path::new("q\u{323}\u{307}").is_ok());
    }

    #[test]
    fn what_lies_under_a_path_follows_it() {
        let mut paths: Vec<_> =
            ["a", "a/b", "a/b/c", "a/c", "a!", "a-b", "ab"].map(|text| Path::new(text).unwrap()).into();
        paths.sort_by_key(Path::key);
        assert_eq!(
            paths.iter().map(Path::as_str).collect::<Vec<_>>(),
            ["a", "a/b", "a/b/c", "a/c", "a!", "a-b", "ab"]
        );
        let under = |text: &str, prefix| Path::new(text).unwrap().is_under(prefix);
        assert!(
            under("a/b", "a") && under("a", "a") && under("a", "") && !under("ab", "a") && !under("a", "a/b")
        );
    }

    #[test]
    fn two_databases() {
        for (text, tree) in [
            ("boot", Tree::Kept),
            ("keystore/a", Tree::Kept),
            ("boots", Tree::Main),
            ("app/boot", Tree::Main),
        ] {
            assert_eq!(Path::new(text).unwrap().tree(), tree);
        }
    }
}
