//! Who may do what under which prefix, and how much a service may store. What is not listed is denied.
//!
//! A list of `SERVICE:PREFIX:OPERATIONS`, `SERVICE#SOFT/HARD` and `SERVICE=PREFIX`, separated by spaces; where no service stands it is the one of the item
//! before. Operations are letters: `r` reads and lists,
//! `w` puts and deletes, `s` makes, restores and drops snapshots, `c` looks at every page and at what others store, `m` mends and empties the store.
//! An empty prefix is everything but what is set apart: `boot` and `keystore` belong to one service each, what is sealed to who has its key, and only a rule that
//! names them reaches them.
//! A service without a limit may store nothing.
//! The last kind is a sealed prefix and who pushes its key: a prefix of the database that snapshots never take back, in none other.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Limit, Path};
use crate::engine::Tree;

/// Most sealed prefixes.
pub const MAX_SEALS: usize = 8;

/// An operation that is allowed or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allow {
    /// To read, list and watch.
    Read,
    /// To put, delete and rename.
    Write,
    /// To make, restore and drop snapshots.
    Snapshot,
    /// To have every page looked at, and to see what others store.
    Check,
    /// To have the store mended, or emptied.
    Mend,
}

/// First components that an empty prefix does not reach.
const APART: [&str; 2] = ["boot", "keystore"];

impl Allow {
    const fn letter(self) -> char {
        match self {
            Allow::Read => 'r',
            Allow::Write => 'w',
            Allow::Snapshot => 's',
            Allow::Check => 'c',
            Allow::Mend => 'm',
        }
    }
}

/// The list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Access {
    rules: Vec<(u32, String, String)>,
    limits: Vec<(u32, Limit)>,
    seals: Vec<(u32, Path)>,
}

impl Access {
    /// Reads a list; `None` when it is none.
    pub fn read(text: &str) -> Option<Access> {
        let (mut access, mut last) = (Access::default(), None);
        let mut service = |text: &str| {
            last = if text.is_empty() { last } else { Some(text.parse().ok()?) };
            last
        };
        for item in text.split_whitespace() {
            if let Some((who, limit)) = item.split_once('#') {
                let (soft, hard) = limit.split_once('/')?;
                let limit = Limit { soft: soft.parse().ok()?, hard: hard.parse().ok()? };
                let service = service(who)?;
                if limit.soft > limit.hard || access.limits.iter().any(|(known, _)| *known == service) {
                    return None;
                }
                access.limits.push((service, limit));
            } else if let (Some((who, prefix)), false) = (item.split_once('='), item.contains(':')) {
                let prefix = Path::new(prefix).ok().filter(|prefix| prefix.tree() == Tree::Kept)?;
                let touches = |(_, other): &(u32, Path)| {
                    other.is_under(prefix.as_str()) || prefix.is_under(other.as_str())
                };
                if access.seals.len() == MAX_SEALS || access.seals.iter().any(touches) {
                    return None;
                }
                access.seals.push((service(who)?, prefix));
            } else {
                let (who, rest) = item.split_once(':')?;
                let (prefix, letters) = rest.rsplit_once(':')?;
                let known = !letters.is_empty() && letters.chars().all(|letter| "rwscm".contains(letter));
                if !known || !(prefix.is_empty() || Path::new(prefix).is_ok()) {
                    return None;
                }
                access.rules.push((service(who)?, prefix.into(), letters.into()));
            }
        }
        Some(access)
    }

    /// Whether the service may do this to the path.
    pub fn permits(&self, service: u32, what: Allow, path: &Path) -> bool {
        let allows = |(who, prefix, letters): &(u32, String, String)| {
            let reaches = if prefix.is_empty() { !self.is_apart(path) } else { path.is_under(prefix) };
            *who == service && letters.contains(what.letter()) && reaches
        };
        self.rules.iter().any(allows)
    }

    /// Whether an empty prefix does not reach it.
    fn is_apart(&self, path: &Path) -> bool {
        path.is_apart(&APART) || self.seals.iter().any(|(_, sealed)| path.is_under(sealed.as_str()))
    }

    /// Whether the service may do this to the store as a whole.
    pub fn permits_all(&self, service: u32, what: Allow) -> bool {
        let allows = |(who, prefix, letters): &(u32, String, String)| {
            *who == service && prefix.is_empty() && letters.contains(what.letter())
        };
        self.rules.iter().any(allows)
    }

    /// The sealed prefixes, each with the service that pushes its key.
    pub(super) fn seals(&self) -> impl Iterator<Item = (u32, Path)> + '_ {
        self.seals.iter().cloned()
    }

    /// The first service from this number on that may store something, with how much.
    pub fn next_limit(&self, from: u32) -> Option<(u32, Limit)> {
        self.limits.iter().filter(|(who, _)| *who >= from).min_by_key(|(who, _)| *who).copied()
    }

    /// How much the service may store.
    pub fn limit(&self, service: u32) -> Limit {
        let limit = self.limits.iter().find(|(who, _)| *who == service);
        limit.map_or(Limit { soft: 0, hard: 0 }, |(_, limit)| *limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_permitted_and_nothing_else() {
        let access = Access::read("7:app/net:rw 8::r 7#100/200 9::s 7:app/net:r 6:boot:r 5::m").unwrap();
        let path = |text| Path::new(text).unwrap();
        assert!(
            access.permits(7, Allow::Read, &path("app/net/a"))
                && access.permits(7, Allow::Write, &path("app/net"))
        );
        assert!(access.permits(8, Allow::Read, &path("any")) && access.permits_all(9, Allow::Snapshot));
        assert!(
            access.permits(6, Allow::Read, &path("boot/slot"))
                && access.permits(8, Allow::Read, &path("booth"))
        );
        assert!(access.permits_all(5, Allow::Mend) && !access.permits_all(5, Allow::Check));
        assert_eq!(access.next_limit(0), Some((7, Limit { soft: 100, hard: 200 })));
        assert_eq!(access.next_limit(8), None);
        for (service, what, text) in [
            (7, Allow::Read, "app/network"),
            (7, Allow::Read, "app"),
            (7, Allow::Snapshot, "app/net/a"),
            (8, Allow::Write, "app/net/a"),
            (6, Allow::Read, "app/net/a"),
            (6, Allow::Write, "boot/slot"),
            (8, Allow::Read, "boot/slot"),
            (8, Allow::Read, "keystore"),
        ] {
            assert!(!access.permits(service, what, &path(text)), "{service} {what:?} {text}");
        }
        assert!(!access.permits_all(7, Allow::Snapshot));
        assert_eq!(access.limit(7), Limit { soft: 100, hard: 200 });
        assert_eq!(access.limit(8), Limit { soft: 0, hard: 0 });
    }

    #[test]
    fn an_empty_prefix_does_not_reach_what_is_sealed() {
        let access = Access::read("7::rw 8::r 8:trust/a:r 9=trust").unwrap();
        let path = |text| Path::new(text).unwrap();
        assert!(!access.permits(7, Allow::Read, &path("trust/a")));
        assert!(access.permits(8, Allow::Read, &path("trust/a")));
        assert!(!access.permits(8, Allow::Read, &path("trust/b")));
        assert!(access.permits(7, Allow::Read, &path("trusted")));
    }

    #[test]
    fn sealed_prefixes_are_kept_apart_and_few() {
        let seals = |text: &str| Access::read(text).map(|access| access.seals().collect::<Vec<_>>());
        let path = |text| Path::new(text).unwrap();
        assert_eq!(
            seals("7=keystore/a 8=keystore/ab"),
            Some([(7, path("keystore/a")), (8, path("keystore/ab"))].to_vec())
        );
        let many = |count: usize| (0..count).map(|n| alloc::format!("7=trust/{n} ")).collect::<String>();
        assert_eq!(seals(&many(MAX_SEALS)).unwrap().len(), MAX_SEALS);
        assert_eq!(seals(&many(MAX_SEALS + 1)), None);
        assert_eq!(seals("7:a=b:r"), Some([].to_vec()), "a path may have the sign");
    }

    #[test]
    fn where_no_service_stands_it_is_the_one_before() {
        let short = Access::read("7:app:rw ::r #100/200 =keystore 8:a:r #1/2").unwrap();
        assert_eq!(Access::read("7:app:rw 7::r 7#100/200 7=keystore 8:a:r 8#1/2"), Some(short));
    }

    #[test]
    fn what_cannot_be_read_is_no_list() {
        for text in [
            ":app:r",
            "#1/2",
            "=keystore",
            "7",
            "7:a",
            "7:a:",
            "7:a:x",
            "x:a:r",
            "7:/a:r",
            "7#1",
            "7#2/1",
            "7#1/x",
            "7#1/2 7#1/2",
            "4294967296:a:r",
            "7=",
            "7=app",
            "x=keystore",
            "7=keystore 8=keystore",
            "7=keystore 8=keystore/a",
            "7=keystore/a 8=keystore",
            "7=/keystore",
        ] {
            assert_eq!(Access::read(text), None, "{text}");
        }
    }
}
