//! From `system.toml` to the compiled table, on the build host. What comes out has passed every check; there
//! is no way to get a table without them.

mod budget;
mod devices;
mod emit;
mod graph;
mod naming;
mod partitions;
mod room;
mod source;
mod state;

use std::string::String;
use std::vec::Vec;
use std::{fmt, format};

use source::Model;
pub use source::Source;

/// Service ids from here on belong to test programs, below are those of the production image.
pub const TEST_IDS: u32 = 0x1_0000;

/// Something in the source that cannot be built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The file, as given in [`Source::name`].
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.file, self.line, self.what, self.mend)
    }
}

/// Checks the system in `base` together with what the test files in `additions` add to it, and compiles it.
/// Every refusal is told, in the order of the lines.
pub fn compile(base: Source<'_>, additions: &[Source<'_>]) -> Result<Vec<u8>, Vec<Refusal>> {
    let model = source::read(base, additions).map_err(|refusal| Vec::from([refusal]))?;
    let mut refusals = Refusals { model: &model, list: Vec::new() };
    naming::check(&mut refusals);
    graph::check(&mut refusals);
    devices::check(&mut refusals);
    partitions::check(&mut refusals);
    state::check(&mut refusals);
    room::check(&mut refusals);
    budget::check(&mut refusals);
    let mut list = refusals.list;
    if list.is_empty() {
        return emit::table(&model).map_err(|why| {
            let mend = String::from("split the system, or raise the bound in formats/registry");
            Vec::from([Refusal {
                file: base.name.into(),
                line: 1,
                what: format!("the compiled table is refused: {why:?}"),
                mend,
            }])
        });
    }
    list.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    list.dedup();
    Err(list)
}

struct Refusals<'m> {
    model: &'m Model,
    list: Vec<Refusal>,
}

impl Refusals<'_> {
    fn add(&mut self, at: source::Place, what: String, mend: String) {
        let file = self.model.files[at.file].clone();
        self.list.push(Refusal { file, line: at.line, what, mend });
    }
}
