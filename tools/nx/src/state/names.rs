//! What the owners of values are called. The store knows numbers; the registry of this tree has the names.

use std::collections::BTreeMap;

use crate::build;
use crate::house::House;

/// Names by service id.
pub struct Names(BTreeMap<u32, String>);

impl Names {
    /// Those of the production system. A tree whose registry is refused has none: then numbers are shown, and nothing fails.
    pub fn known() -> Names {
        let known = House::find().and_then(|house| build::services(&house)).unwrap_or_default();
        Names(known.into_iter().collect())
    }

    /// The name of this one; who is not in the registry, as a program of a test image, is told by its number.
    pub fn of(&self, owner: u32) -> String {
        match self.0.get(&owner) {
            Some(name) => name.clone(),
            None if owner == 0 => String::from("the host"),
            None => format!("service {owner}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_the_registry_has_a_name_and_anybody_else_a_number() {
        let names = Names::known();
        assert_eq!(names.of(1), "nexus-init");
        assert_eq!(names.of(13), "statefsd");
        assert_eq!(names.of(65_630), "service 65630");
        assert_eq!(names.of(0), "the host");
    }
}
