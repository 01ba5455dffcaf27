//! A handle that leaves its table while another thread of its process has looked it up and not yet done what it wants.

use super::explore;
use crate::binding::node_object;
use crate::context::reg;
use crate::objects::Port;
use crate::sync::Cell64;
use crate::tests::world::{PAGE_AT, World};
use nexus_abi::{Handle, Kind, NOW, Signals, Sysno, Tag};

/// Two threads of one process, and one of each of two others.
const USER: usize = 0;
const MOVER: usize = 1;
const NEXT_HOLDER: usize = 2;
const CLIENT: usize = 4;

struct Moving {
    world: World,
    port: Handle,
    end: Handle,
    client: Handle,
    link: [Handle; 2],
}

fn build() -> Moving {
    let world = World::on_harts(2, false, 3, 2);
    let port = world.give(1, Kind::Port);
    let (client, end) = world.connect(3, 1, [2, 64, 0]);
    let (near, far) = world.connect(1, 2, [1, 64, 1]);
    // Its list of handles, which is read as bytes.
    world.kernel.memory.page::<[Cell64; 512]>(world.pages[1])[0].set(end.0 as u64);
    world.put_on(USER);
    world.go_to(1);
    world.put_on(MOVER);
    world.go_to(0);
    Moving { world, port, end, client, link: [near, far] }
}

impl Moving {
    fn close(&self) {
        self.world.ask(Sysno::handle_close, &[(reg::A0, self.end.0 as u64)]);
    }

    fn bind(&self) {
        let signals = (Signals::READABLE | Signals::PEER_CLOSED).bits() as u64;
        let arguments = [self.port.0 as u64, self.end.0 as u64, 7, signals];
        let registers: Vec<_> = arguments.iter().enumerate().map(|(n, a)| (reg::A0 + n, *a)).collect();
        self.world.ask(Sysno::port_bind, &registers);
    }

    /// The end goes to another process, and then a message for that one comes.
    fn give_away(&self) {
        let world = &self.world;
        let link = self.link[0].0 as u64;
        let send = [(reg::A0, link), (reg::A0 + 1, Tag::new(0, 1).0), (reg::T[2], PAGE_AT), (reg::T[3], NOW)];
        world.ask(Sysno::channel_send, &send);
        world.put_on(NEXT_HOLDER);
        let room = Tag::new(0, 0).with_room(0, 1).0;
        let receive = [(reg::A0, self.link[1].0 as u64), (reg::A0 + 1, room), (reg::T[2], PAGE_AT)];
        world.ask(Sysno::channel_recv, &receive);
        world.put_on(CLIENT);
        let client = self.client.0 as u64;
        let message =
            [(reg::A0, client), (reg::A0 + 1, Tag::new(8, 0).0), (reg::A0 + 2, 77), (reg::T[3], NOW)];
        world.ask(Sysno::channel_send, &message);
    }

    /// As `quota_destroy` does it, wherever the handles are.
    fn revoke(&self) {
        let table = self.world.process(3);
        let Ok(client) = table.lookup(&self.world.kernel.memory, self.client.0 as u64) else { return };
        [0, 1].into_iter().for_each(|end| self.world.kernel.close_end(client.object, end));
    }

    fn receive(&self) {
        self.world.ask(Sysno::channel_recv, &[(reg::A0, self.end.0 as u64), (reg::A0 + 1, 0)]);
    }
}

#[test]
fn an_end_that_goes_while_it_is_bound_leaves_no_node_behind() {
    let bind = Moving::bind as fn(&Moving);
    for work in [[bind, Moving::close], [bind, Moving::give_away], [bind, Moving::revoke]] {
        let work: &'static [fn(&Moving)] = Box::leak(Box::new(work));
        explore(2, build, work, |moving| {
            let world = &moving.world;
            world.settle_all();
            // The client goes too: now whoever is bound would be told.
            world.put_on(CLIENT);
            world.ask(Sysno::handle_close, &[(reg::A0, moving.client.0 as u64)]);
            world.settle_all();
            let memory = &world.kernel.memory;
            let found = world.process(1).lookup(memory, moving.port.0 as u64).expect("the port");
            let port = memory.page::<Port>(found.object.frame);
            // What stands in the list is an end that this process has and that is bound here.
            if port.first() != 0 {
                let (frame, at) = node_object(port.first());
                let end = &memory.page::<crate::channel::Channel>(frame).ends[at];
                assert!(end.open.get() != 0 && end.holder.get() == world.processes[1].0, "of nobody's end");
                assert_eq!(end.binding.port(), Some(found.object));
            }
        });
    }
}

#[test]
fn a_message_for_who_has_an_end_next_does_not_go_to_who_had_it_before() {
    explore(2, build, &[Moving::receive, Moving::give_away], |moving| {
        let world = &moving.world;
        let link = world.process(1).lookup(&world.kernel.memory, moving.end.0 as u64);
        assert!(link.is_err(), "the end was not given away");
        let context = &world.kernel.thread(world.threads[USER].frame).context;
        assert_ne!(context.get(reg::A0), 0, "a message came for the process that has given the end away");
    });
}
