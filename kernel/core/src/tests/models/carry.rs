//! Bytes that go straight from the buffer of one thread to that of another (`carry.rs`), while another hart takes the receiver's memory
//! away and uses it for something else, brings bytes to the same process, or ends it.

use super::explore;
use crate::context::reg;
use crate::memory::Frame;
use crate::sync::{Cell32, Cell64};
use crate::tests::world::{PAGE_AT, World};
use crate::thread::state;
use nexus_abi::bounds::REGISTER_BYTES;
use nexus_abi::{Error, Handle, Kind, NEVER, Signals, Sysno, Tag};

/// Three threads of each process, the first and the last of one priority.
const CLIENTS: usize = 1;
const SERVERS: [usize; 2] = [2, 3];
const CLIENT: usize = 0;
const CLIENT_TOO: usize = 2;
const SERVER: [usize; 2] = [3, 6];
const SERVER_TOO: usize = 5;

/// One word more than registers hold.
const WORDS: usize = REGISTER_BYTES / 8 + 1;

/// Where the second client has its buffer.
const SECOND: u64 = PAGE_AT + 256;

/// A bit of a port that a program raises.
const SIGNAL: u64 = 1 << 16;

/// Frames that are free after a page of a process is gone: the page, its vmo's and two tables. So many are taken for something else.
const FREED: usize = 4;

/// One conversation: the client's end, the server's port, and the token of the call that the server has.
#[derive(Clone, Copy)]
struct Line {
    end: Handle,
    port: Handle,
    token: u64,
}

struct Carry {
    world: World,
    lines: [Line; 2],
    /// For each of the two processes of the first line: a handle of its own to itself, to unmap with.
    own: [Handle; 2],
    /// Of the second server's process, to the first server's.
    victims: Handle,
    /// What was allocated after the memory went.
    taken: [Cell32; FREED],
}

/// The word `n` of the message that a process sends.
fn word(process: usize, n: usize) -> u64 {
    0x1111_1111 * process as u64 + n as u64
}

impl Carry {
    fn words(&self, process: usize, at: u64) -> [u64; WORDS] {
        let page = self.world.kernel.memory.page::<[Cell64; 512]>(self.world.pages[process]);
        core::array::from_fn(|n| page[(at - PAGE_AT) as usize / 8 + n].get())
    }

    fn call(&self, line: usize, at: u64) {
        let tag = Tag::new(WORDS * 8, 0).with_room(WORDS * 8, 0).0;
        let end = self.lines[line].end.0 as u64;
        self.world.ask(
            Sysno::channel_call,
            &[(reg::A0, end), (reg::A0 + 1, tag), (reg::T[1], at), (reg::T[3], NEVER)],
        );
    }

    fn answer(&self, line: usize, bytes: usize) {
        self.answer_to(line, self.lines[line].token, bytes);
    }

    fn answer_to(&self, line: usize, token: u64, bytes: usize) {
        let tag = Tag::new(bytes, 0).with_room(WORDS * 8, 0).0;
        let port = self.lines[line].port;
        let wait = [(reg::A0, port.0 as u64), (reg::A0 + 1, tag), (reg::T[1], PAGE_AT), (reg::T[3], NEVER)];
        self.world.ask(Sysno::reply_and_wait, &[&wait[..], &[(reg::T[4], token)]].concat());
    }

    /// Two clients of one process, each with a server of its own that waits and knows it from a call before. Nothing but their mappings
    /// keeps the pages.
    fn build() -> Carry {
        let world = World::on_harts(2, true, 3, 3);
        let lines = SERVERS.map(|server| {
            let (end, far) = world.connect(CLIENTS, server, [0, WORDS as u64 * 8, 0]);
            let port = world.give(server, Kind::Port);
            world.put_on(SERVER[server - SERVERS[0]]);
            let signals = (Signals::READABLE | Signals::PEER_CLOSED).bits() as u64;
            let bind = [(10, port.0 as u64), (11, far.0 as u64), (12, 7), (13, signals)];
            world.ask(Sysno::port_bind, &bind);
            Line { end, port, token: 0 }
        });
        let give = |to: usize, of: usize| {
            let kind = Kind::Process.all_rights();
            world.kernel.publish(world.processes[to], world.processes[of], kind).expect("room")
        };
        let own = [CLIENTS, SERVERS[0]].map(|process| give(process, process));
        let victims = give(SERVERS[1], SERVERS[0]);
        let mut model = Carry { world, lines, own, victims, taken: Default::default() };
        for (line, (client, at)) in [(CLIENT, PAGE_AT), (CLIENT_TOO, SECOND)].into_iter().enumerate() {
            model.world.put_on(SERVER[line]);
            model.answer(line, 0);
            for _ in 0..2 {
                model.world.put_on(client);
                model.call(line, at);
                model.world.settle();
                model.world.put_on(SERVER[line]);
                model.lines[line].token = model.context(SERVER[line]).get(reg::T[3]);
                model.answer(line, 0);
                model.world.settle();
            }
        }
        let page =
            |process: usize| model.world.kernel.memory.page::<[Cell64; 512]>(model.world.pages[process]);
        (0..WORDS).for_each(|n| page(CLIENTS)[n].set(word(CLIENTS, n)));
        model
    }

    /// The first client runs on hart 0, and the other of these on hart 1.
    fn with_client(other: usize) -> Carry {
        let model = Carry::build();
        model.world.put_on(CLIENT);
        model.beside(other)
    }

    /// The first server runs on hart 0 and has the client's call, and the other of these runs on hart 1.
    fn with_server(other: usize) -> Carry {
        let mut model = Carry::build();
        model.world.put_on(CLIENT);
        model.call_is_fast(0, PAGE_AT);
        model.beside(other)
    }

    /// A call that takes the fast path. The server has words of its own to answer with after.
    fn call_is_fast(&mut self, line: usize, at: u64) {
        self.call(line, at);
        let server = self.world.threads[SERVER[line]].frame;
        assert_eq!(self.world.hart().running(), server, "the fast path");
        self.lines[line].token = self.context(SERVER[line]).get(reg::T[3]);
        let process = SERVERS[line];
        let page = self.world.kernel.memory.page::<[Cell64; 512]>(self.world.pages[process]);
        (0..WORDS).for_each(|n| page[n].set(word(process, n)));
    }

    fn beside(self, other: usize) -> Carry {
        self.world.go_to(1);
        self.world.put_on(other);
        self.world.go_to(0);
        self
    }

    fn context(&self, thread: usize) -> &crate::context::Context {
        &self.world.kernel.thread(self.world.threads[thread].frame).context
    }

    /// The frames that are free become something else's.
    fn take_frames(&self) {
        for taken in &self.taken {
            taken.set(self.world.kernel.memory.allocate().unwrap_or(Frame::NONE).0);
        }
    }

    /// Of its own process, which is the `n`th of the first line.
    fn unmap(&self, n: usize) {
        let own = self.own[n].0 as u64;
        self.world.ask(Sysno::vm_unmap, &[(reg::A0, own), (reg::A0 + 1, PAGE_AT)]);
        self.take_frames();
    }

    fn unmap_client(&self) {
        self.unmap(0);
    }

    fn unmap_server(&self) {
        self.unmap(1);
    }

    /// As `quota_destroy` does it to a vmo, whoever has mapped it.
    fn revoke(&self, process: usize) {
        let kernel = self.world.kernel;
        let mapping = &self.world.process(process).mappings[0];
        let vmo = crate::handles::ObjectRef::from_raw(mapping.vmo.get());
        if kernel.retire_live(vmo) {
            kernel.bury(vmo.frame, Kind::Vmo);
        }
        self.take_frames();
    }

    fn revoke_client(&self) {
        self.revoke(CLIENTS);
    }

    fn revoke_server(&self) {
        self.revoke(SERVERS[0]);
    }

    /// To its own port, where another thread of its process waits.
    fn signal(&self) {
        let port = self.lines[0].port.0 as u64;
        self.world.ask(Sysno::port_signal, &[(reg::A0, port), (reg::A0 + 1, SIGNAL)]);
    }

    fn kill_server(&self) {
        self.world.ask(Sysno::process_kill, &[(reg::A0, self.victims.0 as u64)]);
        self.world.take_apart();
        self.take_frames();
    }

    /// What was taken for something else has nothing of a message in it.
    fn nothing_is_in_what_was_taken(&self) {
        for frame in self.taken.iter().map(|taken| Frame(taken.get())).filter(|frame| frame.exists()) {
            let page = self.world.kernel.memory.page::<[Cell64; 512]>(frame);
            assert!((0..WORDS).all(|n| page[n].get() == 0), "bytes came into a frame that was free before");
        }
    }

    /// A message came as it was sent, or was refused because the memory for it is gone.
    fn came_or_has_nowhere_to_go(&self, thread: usize) {
        let told = self.world.answer(thread);
        let tag = self.context(thread).get(reg::A0 + 1);
        assert!(
            matches!(told, Some(Ok(_))) && Tag(tag).bytes() == WORDS * 8
                || told == Some(Err(Error::BadAddress)),
            "{told:?}"
        );
    }
}

fn call(model: &Carry) {
    model.call(0, PAGE_AT);
}

fn answer(model: &Carry) {
    model.answer(0, WORDS * 8);
}

fn answer_second(model: &Carry) {
    model.answer(1, WORDS * 8);
}

#[test]
fn a_call_whose_receiver_loses_its_buffer_leaves_nothing_in_the_next_owners_frame() {
    let build = || Carry::with_client(SERVER_TOO);
    for take in [Carry::unmap_server, Carry::revoke_server as fn(&Carry)] {
        let work: &'static [fn(&Carry)] = Box::leak(Box::new([call, take]));
        explore(3, build, work, |model| {
            model.world.settle_all();
            model.nothing_is_in_what_was_taken();
            model.came_or_has_nowhere_to_go(SERVER[0]);
        });
    }
}

#[test]
fn a_receiver_that_is_woken_for_something_else_has_one_of_the_two_and_the_other_is_left() {
    let build = || Carry::with_client(SERVER_TOO);
    explore(3, build, &[call, Carry::signal], |model| {
        model.world.settle_all();
        let told = |register: usize| model.context(SERVER[0]).get(register);
        assert!(matches!(model.world.answer(SERVER[0]), Some(Ok(_))));
        let waits = model.world.kernel.thread(model.world.threads[CLIENT].frame).doing().0;
        if told(reg::T[4]) == SIGNAL {
            assert_eq!(waits, state::CALLING, "the call is lost");
        } else {
            assert_eq!((waits, Tag(told(reg::A0 + 1)).bytes()), (state::OPEN, WORDS * 8));
            assert_eq!(model.words(SERVERS[0], PAGE_AT), core::array::from_fn(|n| word(CLIENTS, n)));
            // The next wait has the signal.
            model.world.put_on(SERVER[0]);
            model.answer_to(0, told(reg::T[3]), 0);
            model.world.settle_all();
            assert_eq!(told(reg::T[4]), SIGNAL, "the signal is lost");
        }
    });
}

#[test]
fn an_answer_whose_receiver_loses_its_buffer_leaves_nothing_in_the_next_owners_frame() {
    let build = || Carry::with_server(CLIENT_TOO);
    for take in [Carry::unmap_client, Carry::revoke_client as fn(&Carry)] {
        let work: &'static [fn(&Carry)] = Box::leak(Box::new([answer, take]));
        explore(3, build, work, |model| {
            model.world.settle_all();
            model.nothing_is_in_what_was_taken();
            model.came_or_has_nowhere_to_go(CLIENT);
        });
    }
}

#[test]
fn who_answers_and_waits_sleeps_over_no_signal_that_comes_meanwhile() {
    let build = || Carry::with_server(SERVER_TOO);
    explore(3, build, &[answer, Carry::signal], |model| {
        model.world.settle_all();
        assert_eq!(model.world.answer(CLIENT), Some(Ok(WORDS as u64 * 8)));
        assert_eq!(model.words(CLIENTS, PAGE_AT), core::array::from_fn(|n| word(SERVERS[0], n)));
        assert!(matches!(model.world.answer(SERVER[0]), Some(Ok(_))), "the signal is lost");
        assert_eq!(model.context(SERVER[0]).get(reg::T[4]), SIGNAL);
    });
}

#[test]
fn a_call_to_a_process_that_is_killed_and_taken_apart_leaves_nothing_in_its_frames() {
    let build = || Carry::with_client(SERVER[1] + 2);
    explore(2, build, &[call, Carry::kill_server], |model| {
        model.world.settle_all();
        model.nothing_is_in_what_was_taken();
        assert_eq!(model.world.answer(CLIENT), Some(Err(Error::PeerClosed)));
    });
}

#[test]
fn two_answers_that_come_to_one_process_at_once_both_come_whole() {
    fn build() -> Carry {
        let mut model = Carry::with_server(CLIENT_TOO);
        model.world.go_to(1);
        model.call_is_fast(1, SECOND);
        model.world.go_to(0);
        model
    }
    explore(3, build, &[answer, answer_second], |model| {
        model.world.settle_all();
        for (line, (client, at)) in [(CLIENT, PAGE_AT), (CLIENT_TOO, SECOND)].into_iter().enumerate() {
            assert_eq!(model.world.answer(client), Some(Ok(WORDS as u64 * 8)));
            let expected = core::array::from_fn(|n| word(SERVERS[line], n));
            assert_eq!(model.words(CLIENTS, at), expected, "of line {line}");
        }
    });
}
