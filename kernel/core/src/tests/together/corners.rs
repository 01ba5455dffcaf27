//! Calls made at once that chance comes to too seldom, each in many interleavings.

use super::calls::Call;
use super::{populated, world_after};
use neuron_model::{BOOT_THREAD, Bounds, Deadline, Draft, Id, Op, Room, Script, Slot};
use nexus_abi::Kind;

/// A populated world in which some more was done, and what is called at once there.
type Corner = fn(&mut Script) -> Vec<Call>;

/// Ways in which the harts of a corner overtake each other.
const INTERLEAVINGS: u64 = 300;

/// What chance comes to too seldom.
const CORNERS: [Corner; 3] = [two_waits_where_two_have_much, a_signal_while_one_waits, room_for_one];

fn call(bytes: usize) -> Op {
    let draft = Draft { bytes, ..Draft::default() };
    Op::Call { end: 1, draft, room: Room::default(), deadline: Deadline::Never }
}

fn wait(port: Slot) -> Op {
    let room = Room { bytes: 64, ..Room::default() };
    Op::Wait { port, token: 0, draft: Draft::default(), room, deadline: Deadline::Never }
}

/// Threads of two processes, and the port that they share with the first one under its names there.
struct Cast {
    first: [Id; 3],
    second: [Id; 3],
    ports: [Slot; 2],
}

fn cast(script: &Script) -> Cast {
    let of = |n: usize| script.model.processes().nth(n).map(|(id, process)| (id, process.threads.clone()));
    let ((boot, _), (first, a), (_, b)) =
        (of(0).expect("boot"), of(1).expect("first"), of(2).expect("second"));
    let ports = [script.handles(boot, Kind::Port)[0], script.handles(first, Kind::Port)[1]];
    Cast { first: [a[0], a[1], a[2]], second: [b[0], b[1], b[2]], ports }
}

/// Each gets the first of one client: nobody gets two things of the same while another waits.
fn two_waits_where_two_have_much(script: &mut Script) -> Vec<Call> {
    let cast = cast(script);
    for thread in [cast.first[1], cast.first[2], cast.second[1], cast.second[2]] {
        script.by(thread, call(thread as usize));
    }
    vec![(BOOT_THREAD, wait(cast.ports[0])), (cast.first[0], wait(cast.ports[1]))]
}

/// A signal is told before what was ready when it came.
fn a_signal_while_one_waits(script: &mut Script) -> Vec<Call> {
    let cast = cast(script);
    script.by(cast.first[1], call(8));
    script.by(cast.second[1], call(9));
    let signal = Op::Signal { port: cast.ports[0], bits: 1 << 16 };
    vec![(cast.first[0], wait(cast.ports[1])), (BOOT_THREAD, signal), (cast.second[2], call(10))]
}

/// Three make what there is room for once: one has it.
fn room_for_one(script: &mut Script) -> Vec<Call> {
    let cast = cast(script);
    let second = script.model.thread(cast.second[0]).process;
    let quota = script.handles(second, Kind::Quota)[0];
    while script.model.process(second).table.free().count() > 2 {
        script.by(cast.second[0], Op::TimerCreate { quota });
    }
    let ends = [Bounds { depth: 1, bytes: 8, handles: 0 }; 2];
    let make = Op::ChannelCreate { quota, ends };
    cast.second.map(|thread| (thread, make.clone())).into()
}

#[test]
fn corners_of_calls_made_at_once() {
    for corner in CORNERS {
        let mut script = populated();
        let calls = corner(&mut script);
        for (seed, fast) in (0..INTERLEAVINGS).flat_map(|seed| [(seed, false), (seed, true)]) {
            let mut twin = world_after(&script.steps, fast);
            if let Err(what) = twin.together(&calls, false, seed) {
                panic!("interleaving {seed}, fast {fast}: no order of {calls:?} comes to this:\n{what}");
            }
        }
    }
}
