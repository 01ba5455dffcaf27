//! Which order of calls made at once comes to what the kernel came to.

use super::calls::{Call, makes};
use crate::context::reg;
use crate::tests::twin::Twin;
use crate::thread::resume;
use neuron_model::{Answer, Doing, Id, Model, Op, Step};
use nexus_abi::{Error, Kind, Rights};

/// What an order of calls consists of.
#[derive(Clone, Debug)]
pub enum Move {
    /// A step of the model.
    Step(Step),
    /// Who waits at this port sees that its first node has nothing any more, before it is told something else.
    Sees(Id),
    /// Who waited at this port leaves it, sees what has become ready since, and wakes the next one for it once more.
    Wakes(Id),
    /// A call is refused because another one, which is refused as well, had for a moment what this one then lacks.
    Lacks(Id, Error),
}

impl Move {
    /// False if it cannot be now.
    pub fn make(&self, model: &mut Model) -> bool {
        match self {
            Move::Step(step) => model.step(step),
            Move::Sees(port) => model.drop_stale(*port),
            Move::Wakes(port) => model.wake_next(*port),
            Move::Lacks(thread, error) => {
                model.refuse(*thread, *error);
                true
            }
        }
    }
}

/// What has not been done yet in an order.
#[derive(Clone)]
pub struct Left {
    /// These calls.
    pub calls: Vec<Call>,
    /// A tick passes.
    pub tick: bool,
}

/// What may have been, told by what is.
pub struct Search<'t> {
    /// Where the kernel came to.
    pub twin: &'t mut Twin,
    /// The calls that were made at once.
    pub calls: &'t [Call],
    /// Where both were before.
    pub before: Model,
    /// Why each order that was tried cannot have been.
    pub refuted: Vec<String>,
}

impl Search<'_> {
    /// Whether the kernel let this thread, which was woken, go on at once.
    fn went_on(&self, id: Id) -> bool {
        self.twin.links.get(&id).is_some_and(|object| self.twin.resumes(*object) == Some(resume::NONE))
    }

    /// What a call that makes something was refused for, if that may be because another such call had it for a moment, which is refused
    /// as well, and by the model.
    fn lacked(&self, thread: Id, path: &[Move]) -> Option<Error> {
        let refused = |(thread, op): &Call| {
            let object = self.twin.links.get(thread).filter(|_| makes(op))?;
            let context = &self.twin.world.kernel.thread(object.frame).context;
            Error::from_raw(context.get(reg::A0)).map(|error| (*thread, error))
        };
        let refused: Vec<_> = self.calls.iter().filter_map(refused).collect();
        let lacking = path.iter().filter(|made| matches!(made, Move::Lacks(..))).count();
        let lacks = |(other, error): &&(Id, Error)| {
            *other == thread && matches!(error, Error::QuotaExceeded | Error::NoSpace)
        };
        let (_, error) = refused.iter().find(lacks)?;
        (lacking + 1 < refused.len()).then_some(*error)
    }

    /// Ports where somebody waited who is done, once for each.
    fn wakes(&self, path: &[Move]) -> Vec<Id> {
        let done = |made: &Move| match made {
            Move::Step(Step::Do(thread, Op::Wait { port, .. })) => {
                let me = self.before.thread(*thread).process;
                let port = self.before.look_up_as(me, *port, Kind::Port, Rights::WAIT);
                port.ok().map(|capability| capability.object)
            }
            _ => None,
        };
        let woke = path.iter().filter(|made| matches!(made, Move::Wakes(_))).count();
        path.iter().filter_map(done).skip(woke).collect()
    }

    /// Whether `model`, after the calls that are left in some order, is what the kernel came to; `path` then has the steps.
    pub fn explain(&mut self, model: &Model, left: &Left, path: &mut Vec<Move>) -> bool {
        let mut options: Vec<(Move, Left)> = vec![];
        let mut seen = vec![];
        for (n, (thread, op)) in left.calls.iter().enumerate() {
            let mut others = left.clone();
            others.calls.remove(n);
            if !model.can_run(*thread) {
                // Its process was ended before it came to this.
                return self.explain(model, &others, path);
            }
            if let Op::Wait { port, token, draft, room, deadline } = op
                && *token != 0
            {
                // It answers, and then it waits: another may come between.
                let reply = Op::Reply { token: *token, draft: draft.clone(), at: room.at };
                let (port, draft, room, deadline) = (*port, draft.clone(), *room, *deadline);
                let wait = Op::Wait { port, token: 0, draft, room, deadline };
                let mut rest = others.clone();
                rest.calls.push((*thread, wait));
                options.push((Move::Step(Step::Do(*thread, reply)), rest));
            }
            if matches!(op, Op::Call { .. }) {
                options.push((Move::Step(Step::Straight(*thread, op.clone())), others.clone()));
            }
            if let Op::Wait { port, .. } = op
                && let me = model.thread(*thread).process
                && let Ok(port) = model.look_up_as(me, *port, Kind::Port, Rights::WAIT)
            {
                seen.push((Move::Sees(port.object), left.clone()));
            }
            if let Some(error) = self.lacked(*thread, path) {
                seen.push((Move::Lacks(*thread, error), others.clone()));
            }
            options.push((Move::Step(Step::Do(*thread, op.clone())), others));
        }
        seen.extend(self.wakes(path).into_iter().map(|port| (Move::Wakes(port), left.clone())));
        let woken: Vec<Id> = model.threads().map(|(id, _)| id).filter(|id| model.can_go_on(*id)).collect();
        for id in woken.into_iter().filter(|id| self.went_on(*id)) {
            options.push((Move::Step(Step::GoOn(id)), left.clone()));
        }
        if left.tick {
            options.push((Move::Step(Step::Tick), Left { tick: false, ..left.clone() }));
        }
        if options.is_empty() {
            match self.agrees(model) {
                Ok(()) => return true,
                Err(what) => self.refuted.push(format!("{path:?}: {what}")),
            }
        }
        options.into_iter().chain(seen).any(|(made, mut rest)| {
            let mut after = model.clone();
            if !made.make(&mut after) {
                return false;
            }
            let refused = |thread: Id| match after.is_thread(thread).then(|| &after.thread(thread).doing) {
                Some(Doing::Running(answer)) => matches!(answer.0, Answer::Refused { .. }),
                _ => false,
            };
            if let Move::Step(Step::Do(thread, Op::Reply { .. })) = made
                && refused(thread)
            {
                rest.calls.retain(|(other, _)| *other != thread);
            }
            path.push(made);
            let found = self.explain(&after, &rest, path);
            if !found {
                path.pop();
            }
            found
        })
    }

    /// Compares everything, as if the model had come here.
    fn agrees(&mut self, model: &Model) -> Result<(), String> {
        let twin = &mut *self.twin;
        let kept = (twin.links.clone(), twin.tokens.clone(), twin.spent.clone(), twin.world.threads.clone());
        twin.model = model.clone();
        let result = self.compare();
        if result.is_err() {
            let twin = &mut *self.twin;
            (twin.links, twin.tokens, twin.spent, twin.world.threads) = kept;
            twin.model = self.before.clone();
        }
        result
    }

    fn compare(&mut self) -> Result<(), String> {
        self.twin.link()?;
        for (thread, _) in self.calls.iter().filter(|(_, op)| matches!(op, Op::Map { .. })) {
            if self.twin.model.can_run(*thread) {
                self.twin.forget_address(*thread);
            }
        }
        let threads: Vec<Id> = self.twin.model.threads().map(|(id, _)| id).collect();
        for id in threads {
            let called = self.calls.iter().any(|(thread, _)| *thread == id);
            if self.twin.model.can_run(id) && (called || !self.before.can_run(id)) {
                self.twin.compare_answer(id).map_err(|what| format!("thread {id}: {what}"))?;
            }
        }
        self.twin.compare()
    }
}
