//! What is held to the model: something that takes the same steps, and how its difference is told.

use crate::history::{Generator, History};
use crate::model::{Model, Start};
use crate::op::{ActorId, Op};
use crate::outcome::{Observation, Outcome};
use std::fmt;

/// A kernel that histories can be run against.
pub trait Subject {
    /// Lets a thread do one operation; answers everything that is seen to happen until nothing happens any more.
    fn step(&mut self, actor: ActorId, op: &Op) -> Outcome;

    /// What can be seen of the whole.
    fn observe(&self) -> Observation;
}

impl Subject for Model {
    fn step(&mut self, actor: ActorId, op: &Op) -> Outcome {
        Model::step(self, actor, op)
    }

    fn observe(&self) -> Observation {
        Model::observe(self)
    }
}

/// Where two part.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// The seed, when the history came from one.
    pub seed: Option<u64>,
    /// The steps up to the one where they part.
    pub history: History,
    /// What the model does.
    pub expected: String,
    /// What the subject does.
    pub found: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(seed) = self.seed {
            writeln!(out, "seed {seed}:")?;
        }
        for (at, (actor, op)) in self.history.iter().enumerate() {
            writeln!(out, "  {at:4}  thread {}  {op:?}", actor.0)?;
        }
        writeln!(out, "model:   {}", self.expected)?;
        write!(out, "subject: {}", self.found)
    }
}

/// One after the other the steps of `history` that the model can take. Compares outcome and observation.
pub fn replay(start: Start, history: &[(ActorId, Op)], subject: &mut dyn Subject) -> Result<(), Divergence> {
    let mut run = Run::new(start, subject);
    history.iter().try_for_each(|(actor, op)| run.step(*actor, op))
}

/// Makes up a history of `len` steps from `seed`, as it goes, and runs it on both. A new [`Subject`] must be as
/// [`Model::new`] with `start` is.
pub fn run_history(start: Start, seed: u64, len: usize, subject: &mut dyn Subject) -> Result<(), Divergence> {
    let mut generator = Generator::new(seed);
    let mut run = Run::new(start, subject);
    for _ in 0..len {
        let (actor, op) = generator.next(&run.model);
        run.step(actor, &op).map_err(|divergence| Divergence { seed: Some(seed), ..divergence })?;
    }
    Ok(())
}

struct Run<'a> {
    model: Model,
    subject: &'a mut dyn Subject,
    history: History,
}

impl<'a> Run<'a> {
    fn new(start: Start, subject: &'a mut dyn Subject) -> Self {
        Run { model: Model::new(start), subject, history: Vec::new() }
    }

    fn step(&mut self, actor: ActorId, op: &Op) -> Result<(), Divergence> {
        if !self.model.can_act(actor, op) {
            return Ok(());
        }
        self.history.push((actor, op.clone()));
        let expected = self.model.step(actor, op);
        let found = self.subject.step(actor, op);
        self.same(&expected, &found)?;
        self.model.check().map_err(|violation| self.parted(format!("breaks its own rule: {violation}"), String::new()))?;
        let (expected, found) = (self.model.observe(), self.subject.observe());
        self.same(&expected, &found)
    }

    fn same<T: PartialEq + fmt::Debug>(&self, expected: &T, found: &T) -> Result<(), Divergence> {
        if expected == found {
            return Ok(());
        }
        Err(self.parted(format!("{expected:?}"), format!("{found:?}")))
    }

    fn parted(&self, expected: String, found: String) -> Divergence {
        Divergence { seed: None, history: self.history.clone(), expected, found }
    }
}
