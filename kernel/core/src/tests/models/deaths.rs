//! A process that is killed on one hart while another one hands the processor to it, answers it, wakes it, switches away from it, kills
//! another, or has its name from before.

use super::explore;
use crate::context::reg;
use crate::hart::Hart;
use crate::process::life;
use crate::sync::{Cell32, Ordering, fence};
use crate::tests::world::World;
use crate::thread::{Thread, state};
use nexus_abi::{Error, Handle, Kind, NEVER, Signals, Sysno, Tag};

/// Processes, and threads of theirs. The first and the last of each are of one priority.
const CLIENTS: usize = 1;
const SERVERS: usize = 2;
const KILLERS: usize = 3;
const CLIENT: usize = 0;
const CLIENT_TOO: usize = 2;
const SERVER: usize = 3;
const KILLER: usize = 6;
const KILLER_TOO: usize = 8;

struct Deaths {
    world: World,
    port: Handle,
    end: Handle,
    /// The killers' handles to the clients' and the servers' process, and to the port.
    clients: Handle,
    servers: Handle,
    signal: Handle,
    token: u64,
    /// Where the client stands whose call the server has: a node of the channel.
    place: u32,
    /// A thread that was made when others were gone.
    fresh: Cell32,
}

impl Deaths {
    fn wait(&self, token: u64) {
        let port = self.port.0 as u64;
        let tag = Tag::new(0, 0).0;
        let wait = [(reg::A0, port), (reg::A0 + 1, tag), (reg::T[3], NEVER), (reg::T[4], token)];
        self.world.ask(Sysno::reply_and_wait, &wait);
    }

    fn call(&self) {
        let call = [(reg::A0, self.end.0 as u64), (reg::A0 + 1, Tag::new(8, 0).0), (reg::T[3], NEVER)];
        self.world.ask(Sysno::channel_call, &call);
    }

    fn kill(&self, victims: Handle) {
        self.world.ask(Sysno::process_kill, &[(reg::A0, victims.0 as u64)]);
        self.world.kernel.clear_graves(self.world.hart());
    }

    fn kill_servers(&self) {
        self.kill(self.servers);
    }

    fn kill_clients(&self) {
        self.kill(self.clients);
    }

    /// A server waits at its port; client and server know each other from a call before. The killer runs on hart 1.
    fn build() -> Deaths {
        let world = World::on_harts(2, true, 3, 3);
        let port = world.give(SERVERS, Kind::Port);
        let (end, far) = world.connect(CLIENTS, SERVERS, [0, 48, 0]);
        let give = |process: usize| {
            let kind = Kind::Process.all_rights();
            world.kernel.publish(world.processes[KILLERS], world.processes[process], kind).expect("room")
        };
        let (clients, servers) = (give(CLIENTS), give(SERVERS));
        let known = world.process(SERVERS).lookup(&world.kernel.memory, port.0 as u64).expect("the port");
        world.kernel.keep(known).expect("alive");
        let signal = world.process(KILLERS).insert(&world.kernel.memory, known).expect("room");
        let fresh = Cell32::new(0);
        let mut model = Deaths { world, port, end, clients, servers, signal, token: 0, place: 0, fresh };
        model.world.put_on(SERVER);
        let signals = (Signals::READABLE | Signals::PEER_CLOSED).bits() as u64;
        let bind = [(10, port.0 as u64), (11, far.0 as u64), (12, 7), (13, signals)];
        model.world.ask(Sysno::port_bind, &bind);
        model.wait(0);
        for _ in 0..2 {
            model.world.put_on(CLIENT);
            model.call();
            model.world.settle();
            model.world.put_on(SERVER);
            let context = &model.world.kernel.thread(model.world.threads[SERVER].frame).context;
            model.token = context.get(reg::T[3]);
            assert_ne!(model.token, 0, "the call was not received");
            model.wait(model.token);
            model.world.settle();
        }
        model.world.go_to(1);
        model.world.put_on(KILLER);
        model.world.go_to(0);
        model
    }

    /// The client runs on hart 0.
    fn with_client() -> Deaths {
        let model = Deaths::build();
        model.world.put_on(CLIENT);
        model
    }

    /// The server runs on hart 0 and has the client's call.
    fn with_server() -> Deaths {
        let mut model = Deaths::with_client();
        model.call();
        let context = &model.world.kernel.thread(model.world.threads[SERVER].frame).context;
        assert_eq!(model.world.hart().running(), model.world.threads[SERVER].frame, "the fast path");
        model.token = context.get(reg::T[3]);
        model.place = model.world.kernel.thread(model.world.threads[CLIENT].frame).doing().1;
        model
    }

    /// The server answers the client's call, and stays.
    fn reply(&self) {
        let answer = [(reg::A0 + 1, Tag::new(8, 0).0), (reg::A0 + 2, 99), (reg::T[4], self.token)];
        self.world.ask(Sysno::channel_reply, &answer);
    }

    /// The server's answer was in time, or its caller is gone.
    fn replied_or_learned(&self) {
        let server = &self.world.kernel.thread(self.world.threads[SERVER].frame).context;
        let said = Error::from_raw(server.get(reg::A0));
        assert!(matches!(said, None | Some(Error::CallerGone)), "{said:?}");
    }

    /// The clients end, and the first one's frame becomes memory of a program, which writes there what a thread has that stands at `place`
    /// and waits for an answer to the call that the server has.
    fn forge(&self, place: u32) {
        self.kill_clients();
        let (memory, was) = (&self.world.kernel.memory, self.world.threads[CLIENT].frame);
        while memory.allocate().expect("the frame is free") != was {}
        // Between the kernel's last lock and a program's first store the machine has a fence, which a lock of Loom's is not.
        fence(Ordering::Release);
        let forged = memory.page::<Thread>(was);
        forged.token.set(self.token);
        forged.set_doing(state::OPEN, place);
    }

    /// The process and its threads are gone, and nobody is left dying.
    fn is_gone(&self, process: usize) {
        let first = (process - 1) * 3;
        assert!((first..first + 3).all(|n| !self.world.is_alive(n)), "a thread outlived its process");
        assert_eq!(self.world.process(process).life.get(), life::ENDED);
        assert_eq!(self.world.kernel.dying.get(), 0);
    }
}

#[test]
fn a_client_whose_server_is_killed_while_it_calls_learns_it() {
    explore(2, Deaths::with_client, &[Deaths::call, Deaths::kill_servers], |model| {
        model.world.settle_all();
        model.is_gone(SERVERS);
        assert_eq!(model.world.answer(CLIENT), Some(Err(Error::PeerClosed)));
    });
}

#[test]
fn a_server_whose_client_is_killed_while_it_answers_goes_on() {
    fn answer(model: &Deaths) {
        model.wait(model.token);
    }
    explore(2, Deaths::with_server, &[answer, Deaths::kill_clients], |model| {
        model.world.settle_all();
        model.is_gone(CLIENTS);
        // It waits, or was told that the client's end is closed, or that its answer came too late.
        let waits = model.world.kernel.thread(model.world.threads[SERVER].frame).doing().0 == state::PORT;
        let told = model.world.answer(SERVER);
        assert!(waits || matches!(told, Some(Ok(_) | Err(Error::CallerGone))), "{told:?}");
    });
}

#[test]
fn a_waiter_that_is_killed_while_it_is_woken_is_freed_once() {
    fn signal(model: &Deaths) {
        model.world.ask(Sysno::port_signal, &[(reg::A0, model.signal.0 as u64), (reg::A0 + 1, 1 << 16)]);
    }
    fn build() -> Deaths {
        let model = Deaths::build();
        model.world.put_on(KILLER_TOO);
        model
    }
    explore(2, build, &[signal, Deaths::kill_servers], |model| {
        model.world.settle_all();
        model.is_gone(SERVERS);
        assert!(model.world.is_alive(KILLER) && model.world.is_alive(KILLER_TOO));
    });
}

#[test]
fn two_processes_that_are_killed_at_once_both_leave_the_list_of_the_dying() {
    fn build() -> Deaths {
        let model = Deaths::build();
        model.world.put_on(KILLER_TOO);
        model
    }
    explore(2, build, &[Deaths::kill_clients, Deaths::kill_servers], |model| {
        model.world.settle_all();
        model.is_gone(CLIENTS);
        model.is_gone(SERVERS);
    });
}

/// By a yield to its equal, which is of the same process.
fn switch(model: &Deaths) {
    let hart = model.world.hart();
    hart.resched.set(Hart::YIELD);
    model.world.kernel.switch_at_once(hart);
}

#[test]
fn of_two_equals_that_change_places_another_hart_takes_one_and_each_runs_once() {
    fn steal(model: &Deaths) {
        model.world.kernel.dispatch(model.world.hart());
    }
    fn build() -> Deaths {
        let model = Deaths::with_client();
        model.world.go_to(1);
        model.world.take_off();
        // What is left to be found: the client's equal alone.
        for n in [1, 4, 5, KILLER, 7, KILLER_TOO] {
            assert!(model.world.kernel.detach_ready(model.world.threads[n].frame));
        }
        model.world.go_to(0);
        model
    }
    explore(3, build, &[switch, steal], |model| {
        let kernel = model.world.kernel;
        let running = [0, 1].map(|hart| kernel.hart(hart).running());
        assert!(running[0].exists() && running[0] != running[1], "{running:?}");
        for n in [CLIENT, CLIENT_TOO] {
            let frame = model.world.threads[n].frame;
            let expected = match running.iter().position(|other| *other == frame) {
                Some(hart) => (state::RUNNING, hart as u32),
                None => (state::READY, kernel.thread(frame).doing().1),
            };
            assert_eq!(kernel.thread(frame).doing(), expected, "thread {n}");
        }
    });
}

#[test]
fn a_thread_that_is_killed_while_it_makes_way_for_its_equal_is_freed_once() {
    explore(2, Deaths::with_client, &[switch, Deaths::kill_clients], |model| {
        // What runs on is ended by its hart, which has to be told.
        let hart = model.world.kernel.hart(0);
        let called = model.world.kernel.platform.called[0].load(Ordering::Relaxed) != 0;
        assert!(
            called || !hart.running().exists(),
            "nobody calls the hart that runs a thread of a dead process"
        );
        model.world.settle_all();
        model.is_gone(CLIENTS);
    });
}

#[test]
fn two_threads_of_one_process_that_end_at_once_both_leave_its_list() {
    fn exit(model: &Deaths) {
        model.world.ask(Sysno::thread_exit, &[(reg::A0, 0), (reg::A0 + 1, 0)]);
        model.world.kernel.clear_graves(model.world.hart());
    }
    fn build() -> Deaths {
        let model = Deaths::with_client();
        model.world.go_to(1);
        model.world.put_on(CLIENT_TOO);
        model.world.go_to(0);
        model
    }
    explore(2, build, &[exit, exit], |model| {
        let process = model.world.process(CLIENTS);
        let left = model.world.threads[CLIENT + 1].frame;
        assert_eq!((process.threads.get(), process.live_threads.get()), (left.0, 1));
        let left = model.world.kernel.thread(left);
        assert_eq!((left.family_next.get(), left.family_prev.get()), (0, 0));
        assert!(!model.world.is_alive(CLIENT) && !model.world.is_alive(CLIENT_TOO));
    });
}

#[test]
fn a_token_of_a_thread_that_is_gone_does_not_reach_the_next_one_in_its_frame() {
    fn replace(model: &Deaths) {
        model.kill_clients();
        let (kernel, world) = (model.world.kernel, &model.world);
        let home = kernel.reference(world.processes[KILLERS]);
        let fresh = kernel.make_thread(home, world.quota, 5).expect("a thread");
        model.fresh.set(fresh.0);
    }
    explore(2, Deaths::with_server, &[Deaths::reply, replace], |model| {
        let kernel = model.world.kernel;
        let fresh = kernel.thread(crate::memory::Frame(model.fresh.get()));
        assert_eq!(fresh.doing(), (state::NEW, 0));
        assert!((0..32).all(|n| fresh.context.get(n) == 0), "an answer came to a thread that never asked");
        model.replied_or_learned();
    });
}

#[test]
fn memory_in_the_frame_of_a_thread_that_is_gone_is_not_believed_to_be_a_thread() {
    fn like_the_caller(model: &Deaths) {
        model.forge(model.place);
    }
    // Whatever is locked there is none of the server's business, if it is anything at all.
    fn elsewhere(model: &Deaths) {
        model.forge(u32::MAX);
    }
    for forge in [like_the_caller, elsewhere as fn(&Deaths)] {
        let work: &'static [fn(&Deaths)] = Box::leak(Box::new([Deaths::reply, forge]));
        explore(2, Deaths::with_server, work, |model| {
            let forged = model.world.kernel.thread(model.world.threads[CLIENT].frame);
            assert!((0..32).all(|n| forged.context.get(n) == 0), "an answer came into somebody's memory");
            assert_eq!((forged.doing().0, forged.token.get()), (state::OPEN, model.token));
            model.replied_or_learned();
        });
    }
}
