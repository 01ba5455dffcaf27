//! What was true when: the contents at each generation, and what had been promised after how many events. It judges what is mounted after a cut.

use nexus_state::engine::{Error, Store, Tree};
use xxhash_rust::xxh3::Xxh3Default;

use super::Disk;

/// After so many events.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Events of the medium.
    pub events: usize,
    /// The generation that was promised to be safe.
    pub safe: u64,
    /// The generation that was committed.
    pub generation: u64,
}

/// The history of a store.
#[derive(Default)]
pub struct History {
    contents: Vec<u64>,
    marks: Vec<Mark>,
}

/// A checksum over everything that can be read of a store.
pub fn digest(store: &mut Store<Disk>) -> Result<u64, Error> {
    let mut sum = Xxh3Default::new();
    for tree in Tree::ALL {
        let mut from = Vec::new();
        while let Some((key, value)) = store.next(tree, &from)? {
            let bytes = store.read(&value, 0, value.len())?;
            for part in
                [&[tree as u8][..], &key.len().to_le_bytes(), &key, &bytes.len().to_le_bytes(), &bytes]
            {
                sum.update(part);
            }
            from = key;
            from.push(0);
        }
    }
    for snapshot in store.snapshots() {
        sum.update(&snapshot.name);
        sum.update(&snapshot.generation.to_le_bytes());
    }
    Ok(sum.digest())
}

impl History {
    /// Writes down what is true now. At least after each commit and after each sync.
    pub fn mark(&mut self, store: &mut Store<Disk>) {
        let generation = store.generation();
        let now = digest(store).expect("a sound store");
        if self.contents.len() as u64 <= generation {
            self.contents.resize(generation as usize, 0);
            self.contents.push(now);
        } else if let Some(newest) = self.contents.last_mut() {
            *newest = now;
        }
        let events = store.medium().events.as_ref().map_or(0, Vec::len);
        self.marks.push(Mark { events, safe: store.safe(), generation });
    }

    /// What is wrong with a store that was mounted after a cut behind so many events; nothing, if all is well.
    pub fn judge(&self, store: &mut Store<Disk>, events: usize) -> Option<String> {
        let safe = self.marks.iter().rfind(|mark| mark.events <= events).map_or(0, |mark| mark.safe);
        let most =
            self.marks.iter().find(|mark| mark.events >= events).map_or(u64::MAX, |mark| mark.generation);
        let found = store.generation();
        if !(safe..=most).contains(&found) {
            return Some(format!(
                "generation {found} after {events} events; {safe} was safe, {most} was the newest"
            ));
        }
        let contents = match digest(store) {
            Ok(contents) => contents,
            Err(error) => return Some(format!("after {events} events: {error:?}")),
        };
        if self.contents.get(found as usize) != Some(&contents) {
            return Some(format!("other contents at generation {found} after {events} events"));
        }
        match store.check() {
            Ok(checked) if checked.damage.is_empty() && checked.lost == 0 && checked.unmapped == 0 => None,
            other => Some(format!("after {events} events: {other:?}")),
        }
    }
}
