//! Who may open which partition: the arguments of the process, as the registry has them.
//!
//! A list of `SERVICE=PARTITION`, separated by spaces: the number of a service, and the name of a partition or `*` for the whole disk. What is not
//! listed is refused, and so is a list that cannot be read, or that names more services than there are sessions for.

use crate::service::{MAX_OPEN, MAX_SESSIONS};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

/// The rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules(Vec<(u32, String)>);

impl Rules {
    /// Reads the arguments; `None` when they are no such list.
    pub fn read(arguments: &str) -> Option<Rules> {
        let rule = |text: &str| {
            let (service, partition) = text.split_once('=')?;
            let named = !partition.is_empty();
            Some((service.parse().ok()?, String::from(partition))).filter(|_| named)
        };
        let rules = arguments.split_whitespace().map(rule).collect::<Option<Vec<_>>>().map(Rules)?;
        // Each has its sessions, whatever the others open.
        Some(rules).filter(|rules| rules.services().len() * MAX_OPEN <= MAX_SESSIONS)
    }

    /// Every service that may open something.
    pub fn services(&self) -> BTreeSet<u32> {
        self.0.iter().map(|(who, _)| *who).collect()
    }

    /// Whether the service may open that partition. The whole disk is a partition of its own here: who may open it may open nothing else
    /// unless that is listed too.
    pub fn permit(&self, service: u32, partition: &str) -> bool {
        self.0.iter().any(|(who, what)| *who == service && what == partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn what_is_listed_is_permitted_and_nothing_else() {
        let rules = Rules::read("7=state 65541=* 7=other").unwrap();
        assert!(rules.permit(7, "state") && rules.permit(7, "other") && rules.permit(65541, "*"));
        for (service, partition) in
            [(7, "*"), (65541, "state"), (8, "state"), (7, ""), (7, "stat"), (0, "state")]
        {
            assert!(!rules.permit(service, partition), "{service} {partition}");
        }
        assert!(!Rules::read("").unwrap().permit(7, "state"));
    }

    #[test]
    fn every_service_that_is_listed_has_its_sessions() {
        let list =
            |services: usize| (0..services).fold(String::new(), |text, n| text + &format!("{n}=* {n}=a "));
        let most = MAX_SESSIONS / MAX_OPEN;
        assert_eq!(Rules::read(&list(most)).unwrap().services().len(), most);
        assert_eq!(Rules::read(&list(most + 1)), None);
    }

    #[test]
    fn what_cannot_be_read_is_no_list() {
        for text in ["7", "7=", "=state", "seven=state", "-1=state", "7=state 8", "4294967296=state"] {
            assert_eq!(Rules::read(text), None, "{text}");
        }
    }
}
