//! Every history of a small world up to a length: each state is reached once, and every step is tried from each.

use crate::check::Summary;
use crate::{Model, Step};
use std::collections::HashSet;

/// What an exploration has seen.
#[derive(Clone, Debug, Default)]
pub struct Explored {
    /// Different states, the first included.
    pub states: usize,
    /// Steps that were made.
    pub steps: usize,
    /// States that no step leads out of, or only back.
    pub ends: usize,
}

/// Makes every step that `alphabet` names from every state that `depth` steps lead to; states that differ in nothing a rule looks
/// at count as one. `check` is told the history too. The first history after which a property does not hold, and which.
pub fn explore(
    start: Model,
    alphabet: impl Fn(&Model) -> Vec<Step>,
    depth: usize,
    check: impl Fn(&Model, &Summary, &[Step]) -> Result<Summary, String>,
) -> Result<Explored, (Vec<Step>, String)> {
    let mut seen = HashSet::from([start.clone()]);
    let mut explored = Explored { states: 1, ..Explored::default() };
    let first = start.summary().map_err(|what| (vec![], what))?;
    // Each state with the history that first led to it.
    let mut layer = vec![(start, first, vec![])];
    for _ in 0..depth {
        let mut next = vec![];
        for (model, summary, history) in layer {
            let before = next.len();
            for step in alphabet(&model) {
                let mut after = model.clone();
                if !after.step(&step) {
                    continue;
                }
                explored.steps += 1;
                let mut history = history.clone();
                history.push(step);
                let summary = match check(&after, &summary, &history) {
                    Ok(summary) => summary,
                    Err(what) => return Err((history, what)),
                };
                if seen.insert(after.clone()) {
                    next.push((after, summary, history));
                }
            }
            explored.ends += (next.len() == before) as usize;
        }
        explored.states += next.len();
        layer = next;
    }
    Ok(explored)
}
