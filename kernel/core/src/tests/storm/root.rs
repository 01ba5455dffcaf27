//! The first program of a history: it makes processes, connects them, kills and revokes them, and ends everything in the end.

use super::Storm;
use super::program::Wish;
use crate::context::reg;
use crate::hart::Hart;
use crate::tests::harts::below;
use crate::tests::host::DEVICES_END;
use crate::tests::world::PAGE_AT;
use crate::thread::Thread;
use nexus_abi::{Error, Handle, Kind, NOW, Rights, Sysno, Tag};
use std::collections::VecDeque;

/// An argument: a number, or what an earlier step made.
#[derive(Clone, Copy)]
enum Arg {
    Is(u64),
    Made(usize),
}

use Arg::{Is, Made};

/// A step of a plan: a call, and where its results go.
struct Step {
    number: Sysno,
    arguments: Vec<(usize, Arg)>,
    into: Option<usize>,
    /// Handles that go along.
    gifts: Vec<Arg>,
}

struct Child {
    process: u64,
    control: u64,
    quota: u64,
}

/// See the module.
pub struct Root {
    quota: u64,
    identity: u64,
    resource: u64,
    port: u64,
    children: Vec<Child>,
    plan: VecDeque<Step>,
    made: [u64; 10],
    /// A child is being made.
    expecting: bool,
    asked: Option<Option<usize>>,
}

/// Where the handle list of a message is.
const HANDLES_AT: u64 = PAGE_AT + 512;
const MOST_CHILDREN: usize = 3;

fn step(number: Sysno, arguments: &[Arg], into: Option<usize>) -> Step {
    let arguments = arguments.iter().enumerate().map(|(n, a)| (reg::A0 + n, *a)).collect();
    Step { number, arguments, into, gifts: vec![] }
}

impl Root {
    pub fn new(quota: Handle, identity: Handle, resource: Handle, _page: Handle) -> Root {
        let [quota, identity, resource] = [quota, identity, resource].map(|handle| handle.0 as u64);
        Root {
            quota,
            identity,
            resource,
            port: 0,
            children: vec![],
            plan: VecDeque::new(),
            made: [0; 10],
            expecting: false,
            asked: None,
        }
    }

    fn close(&mut self, made: Arg) {
        self.plan.push_back(step(Sysno::handle_close, &[made], None));
    }

    /// A child with a page of memory, a channel to here, and a few threads that each begin with something.
    fn plan_child(&mut self) {
        use Sysno as S;
        self.expecting = true;
        let cpu = [0, 5, 50][below(3) as usize];
        let spec = Is(2 | 200 << 16 | 2 << 32);
        let access = (Rights::READ | Rights::WRITE).bits() as u64;
        let plan = [
            step(S::quota_create, &[Is(self.quota), Is(130), Is(60)], Some(0)),
            step(S::process_create, &[Made(0), Is(self.identity), Is(26), Is(12), Is(cpu)], Some(1)),
            step(S::vmo_create, &[Made(0), Is(4096)], Some(2)),
            step(S::vm_map, &[Made(1), Made(2), Is(0), Is(4096), Is(PAGE_AT), Is(access)], None),
            step(S::handle_close, &[Made(2)], None),
            step(S::channel_create, &[Made(0), spec, spec], Some(3)),
        ];
        self.plan.extend(plan);
        for n in 0..2 + below(4) {
            let gift = match n {
                0 => Made(4),
                2 => {
                    let rights = Kind::Process.all_rights().bits() as u64;
                    self.plan.push_back(step(S::handle_dup, &[Made(1), Is(rights)], Some(6)));
                    Made(6)
                }
                _ => {
                    let rights = (Kind::Quota.all_rights() - Rights::MANAGE).bits() as u64;
                    self.plan.push_back(step(S::handle_dup, &[Made(0), Is(rights)], Some(6)));
                    Made(6)
                }
            };
            let priority = 6 + below(4);
            self.plan.push_back(step(S::thread_create, &[Made(1), Made(0), Is(priority)], Some(5)));
            let arguments = [Made(5), Is(0x4000), Is(0x8000), Is(n), gift];
            self.plan.push_back(step(S::thread_start, &arguments, None));
            self.close(Made(5));
        }
    }

    /// A channel from one child to another, and a port to serve it at.
    fn plan_service(&mut self, server: usize, client: usize) {
        let quota = Is(self.children[server].quota);
        self.plan.push_back(step(Sysno::port_create, &[quota], Some(3)));
        self.send(server, Made(3));
        let spec = Is(2 | 200 << 16 | 2 << 32);
        self.plan.push_back(step(Sysno::channel_create, &[quota, spec, spec], Some(3)));
        self.send(server, Made(3));
        self.send(client, Made(4));
    }

    fn send(&mut self, child: usize, gift: Arg) {
        let control = self.children[child].control;
        let mut send = step(Sysno::channel_send, &[Is(control), Is(Tag::new(0, 1).0)], None);
        send.arguments.extend([(reg::T[2], Is(HANDLES_AT)), (reg::T[3], Is(NOW))]);
        send.gifts = vec![gift];
        self.plan.push_back(send);
        // If it did not go, nobody needs it.
        self.close(gift);
    }

    /// Makes something and gives it to a child, or to two.
    fn plan_gift(&mut self) {
        use Sysno as S;
        let (a, b) = (below(self.children.len() as u64) as usize, below(self.children.len() as u64) as usize);
        let quota = Is(self.children[a].quota);
        let copy = |kind: Kind, from: Arg, to: usize| {
            step(S::handle_dup, &[from, Is(kind.all_rights().bits() as u64)], Some(to))
        };
        match below(12) {
            0..5 => self.plan_service(a, b),
            5 => {
                self.plan.push_back(step(S::port_create, &[quota], Some(3)));
                self.plan.push_back(copy(Kind::Port, Made(3), 4));
                self.send(a, Made(3));
                self.send(b, Made(4));
            }
            6 => {
                self.plan.push_back(step(S::vmo_create, &[quota, Is(8192)], Some(3)));
                let rights = (Kind::Vmo.all_rights() - Rights::DMA).bits() as u64;
                self.plan.push_back(step(S::handle_dup, &[Made(3), Is(rights)], Some(4)));
                self.send(a, Made(3));
                self.send(b, Made(4));
            }
            7 => {
                let source = Is(1 + below(4));
                self.plan.push_back(step(S::irq_create, &[Is(self.resource), quota, source], Some(3)));
                self.send(b, Made(3));
            }
            8 => {
                self.plan.push_back(step(S::pool_create, &[Is(self.resource), quota, Is(4 * 4096)], Some(3)));
                self.send(b, Made(3));
            }
            9 => {
                let base = Is(DEVICES_END - 0x1000 * (1 + below(3)));
                let arguments = [Is(self.resource), quota, base, Is(4096)];
                self.plan.push_back(step(S::mmio_create, &arguments, Some(3)));
                self.send(b, Made(3));
            }
            10 => {
                self.plan.push_back(copy(Kind::Process, Is(self.children[a].process), 3));
                self.send(b, Made(3));
            }
            _ => {
                let rights = (Rights::USE | Rights::TRANSFER | Rights::DUPLICATE).bits() as u64;
                self.plan.push_back(step(S::handle_dup, &[Is(self.identity), Is(rights)], Some(3)));
                self.send(b, Made(3));
            }
        }
    }

    /// Ends a child: killed and then revoked, or revoked at once.
    fn plan_end(&mut self, n: usize) {
        let child = self.children.swap_remove(n);
        if below(2) == 0 {
            self.plan.push_back(step(Sysno::process_kill, &[Is(child.process)], None));
        }
        let mut last = vec![
            step(Sysno::handle_close, &[Is(child.process)], None),
            step(Sysno::handle_close, &[Is(child.control)], None),
        ];
        last.insert(below(3) as usize, step(Sysno::quota_destroy, &[Is(child.quota)], None));
        self.plan.extend(last);
        self.close(Is(child.quota));
    }

    pub fn next(&mut self, storm: &Storm, hart: &Hart) -> Wish {
        if self.plan.is_empty() && std::mem::take(&mut self.expecting) {
            let [quota, process, _, control, ..] = self.made;
            self.children.push(Child { process, control, quota });
        }
        if let Some(step) = self.plan.pop_front() {
            let value = |arg: &Arg| match arg {
                Is(value) => *value,
                Made(n) => self.made[*n],
            };
            let registers = step.arguments.iter().map(|(register, arg)| (*register, value(arg))).collect();
            let gifts: Vec<_> = step.gifts.iter().map(|gift| Handle(value(gift) as u32)).collect();
            storm.tell_handles(hart, HANDLES_AT, &gifts);
            self.asked = Some(step.into);
            return Wish { number: step.number, registers };
        }
        self.asked = Some(None);
        if self.port == 0 {
            self.asked = Some(Some(9));
            return Wish::new(Sysno::port_create, &[self.quota]);
        }
        if storm.is_ending() {
            if self.children.is_empty() {
                return Wish::new(Sysno::thread_exit, &[0, 1]);
            }
            self.plan_end(0);
        } else {
            match below(8) {
                0 if self.children.len() == MOST_CHILDREN && below(if storm.calm { 9 } else { 3 }) == 0 => {
                    let n = below(self.children.len() as u64) as usize;
                    self.plan_end(n);
                }
                1..4 if self.children.len() < MOST_CHILDREN => self.plan_child(),
                4..8 if !self.children.is_empty() && storm.calm && below(4) != 0 => {
                    let [a, b] = [0; 2].map(|_| below(self.children.len() as u64) as usize);
                    self.plan_service(a, b);
                }
                4..8 if !self.children.is_empty() => self.plan_gift(),
                _ => {}
            }
        }
        let now = storm.world.kernel.platform.clock.load(std::sync::atomic::Ordering::Relaxed);
        let wish = Wish::new(Sysno::reply_and_wait, &[self.port, Tag::new(0, 0).0]);
        wish.with(reg::T[3], now + 100 + below(1500)).with(reg::T[4], 0)
    }

    pub fn came_back(&mut self, t: &Thread, number: Sysno, error: Option<Error>) {
        let Some(into) = self.asked.take() else { return };
        let results = [t.context.get(reg::A0 + 1), t.context.get(reg::A0 + 2)];
        match (into, error) {
            (Some(9), None) => self.port = results[0],
            (Some(n), None) => {
                self.made[n] = results[0];
                if number == Sysno::channel_create {
                    self.made[n + 1] = results[1];
                }
            }
            // What could not be made is not there for the steps after.
            (Some(n), Some(_)) => {
                self.made[n] = 0;
                if number == Sysno::channel_create {
                    self.made[n + 1] = 0;
                }
            }
            _ => {}
        }
    }
}
