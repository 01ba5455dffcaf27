//! Histories that are written down, because chance comes to them too seldom, or because they once found a defect.

use neuron_model::{
    Answer, BOOT_PROCESS, BOOT_THREAD, Bounds, Buffers, Deadline, Draft, Id, Op, Room, Script, Slot, Slots,
    Step,
};
use nexus_abi::{Error, Kind, Rights, Signals};

/// Each goes on from a populated world, in model and kernel.
pub const CORNERS: [fn(&mut Script); 10] = [
    page_tables_need_quota,
    a_loaded_end_is_no_gift,
    an_expiry_outlives_its_port,
    an_end_in_flight_is_told_to_nobody,
    who_destroys_its_own_quota,
    a_process_that_nobody_can_use,
    the_dead_pass_on_what_woke_them,
    what_a_thread_remembers_is_asked_again,
    a_short_call_overtakes_nothing,
    two_signals_for_two_waiters,
];

const ROOT: Slot = 2;
const IDENTITY: Slot = 3;

fn error(answer: Option<Answer>) -> Option<Error> {
    match answer {
        Some(Answer::Refused { error, .. }) => Some(error),
        _ => None,
    }
}

fn process(quota: Slot) -> Op {
    Op::ProcessCreate { quota, identity: IDENTITY, handles: 4, max_priority: 1, cpu: 0 }
}

fn message(handles: &[Slot]) -> Draft {
    Draft { bytes: 8, fill: 1, handles: Slots(handles.to_vec()) }
}

fn send(end: Slot, handles: &[Slot]) -> Op {
    Op::Send { end, draft: message(handles), at: Buffers::default(), deadline: Deadline::Now }
}

fn channel(quota: Slot) -> Op {
    Op::ChannelCreate { quota, ends: [Bounds { depth: 2, bytes: 64, handles: 2 }; 2] }
}

fn page_tables_need_quota(script: &mut Script) {
    let quota = script.get(BOOT_THREAD, Op::QuotaCreate { quota: ROOT, pages: 3, cpu: 0 })[0];
    let process = script.get(BOOT_THREAD, process(quota))[0];
    let vmo = script.get(BOOT_THREAD, Op::VmoCreate { quota: ROOT, bytes: 4096 })[0];
    let map = script.by(BOOT_THREAD, Op::Map { process, vmo, page: 1, access: Rights::READ.bits() });
    assert_eq!(error(map), Some(Error::QuotaExceeded));
}

fn a_loaded_end_is_no_gift(script: &mut Script) {
    let process = script.get(BOOT_THREAD, process(ROOT))[0];
    let thread = script.get(BOOT_THREAD, Op::ThreadCreate { process, quota: ROOT, priority: 1 })[0];
    let ends = script.get(BOOT_THREAD, channel(ROOT));
    let cargo = script.get(BOOT_THREAD, Op::TimerCreate { quota: ROOT })[0];
    script.get(BOOT_THREAD, send(ends[0], &[cargo]));
    let start = script.by(BOOT_THREAD, Op::ThreadStart { thread, gift: ends[1] });
    assert_eq!(error(start), Some(Error::Busy));
    script.get(BOOT_THREAD, Op::ThreadStart { thread, gift: ends[0] });
}

/// A timer expires while it is bound to a port that is gone; the next binding tells.
fn an_expiry_outlives_its_port(script: &mut Script) {
    let timer = script.get(BOOT_THREAD, Op::TimerCreate { quota: ROOT })[0];
    for unbind in [false, true] {
        let port = script.get(BOOT_THREAD, Op::PortCreate { quota: ROOT })[0];
        let bind = |port, signals: Signals| Op::Bind { port, object: timer, key: 5, signals: signals.bits() };
        script.get(BOOT_THREAD, bind(port, Signals::EXPIRED));
        script.get(BOOT_THREAD, Op::TimerSet { timer, deadline: Deadline::After(1) });
        if unbind {
            script.make(Step::Tick);
            script.get(BOOT_THREAD, bind(port, Signals::empty()));
        } else {
            script.get(BOOT_THREAD, Op::Close { handle: port });
            script.make(Step::Tick);
        }
        let port = script.get(BOOT_THREAD, Op::PortCreate { quota: ROOT })[0];
        script.get(BOOT_THREAD, bind(port, Signals::EXPIRED));
        let room = Room::default();
        let wait = Op::Wait { port, token: 0, draft: Draft::default(), room, deadline: Deadline::Now };
        let told = script.by(BOOT_THREAD, wait);
        assert_eq!(told, Some(Answer::Event { key: 5, signals: Signals::EXPIRED.bits() }));
        script.get(BOOT_THREAD, bind(port, Signals::empty()));
    }
}

/// What comes for an end on its way is for its next holder, not for who waits at the port that it was bound to.
fn an_end_in_flight_is_told_to_nobody(script: &mut Script) {
    let link = script.handles(BOOT_PROCESS, Kind::Channel)[0];
    let ends = script.get(BOOT_THREAD, channel(ROOT));
    let port = script.get(BOOT_THREAD, Op::PortCreate { quota: ROOT })[0];
    let signals = Signals::READABLE.bits();
    script.get(BOOT_THREAD, Op::Bind { port, object: ends[0], key: 1, signals });
    script.get(BOOT_THREAD, send(link, &[ends[0]]));
    script.get(BOOT_THREAD, send(ends[1], &[]));
    let room = Room { handles: 8, ..Room::default() };
    let wait = |deadline| Op::Wait { port, token: 0, draft: Draft::default(), room, deadline };
    assert_eq!(error(script.by(BOOT_THREAD, wait(Deadline::Now))), Some(Error::WouldBlock));
    let holder = holder_of_link(script);
    let end = script.handles(script.model.thread(holder).process, Kind::Channel)[0];
    script.by(holder, Op::Recv { end, room });
    assert_eq!(error(script.by(BOOT_THREAD, wait(Deadline::Now))), Some(Error::WouldBlock));
}

/// A thread of the process that has the other end of the first link.
fn holder_of_link(script: &Script) -> Id {
    let (_, process) = script.model.processes().nth(1).expect("populated");
    process.threads[0]
}

/// A process that destroys the quota it lives in dies of it; the rest comes back with the last handle.
fn who_destroys_its_own_quota(script: &mut Script) {
    let thread = holder_of_link(script);
    let quota = script.handles(script.model.thread(thread).process, Kind::Quota)[0];
    script.get(thread, Op::VmoCreate { quota, bytes: 8192 });
    script.make(Step::Do(thread, Op::QuotaDestroy { quota }));
    assert!(!script.model.is_thread(thread), "it outlived its quota");
}

/// Without threads, and without a handle to it, a process ends.
fn a_process_that_nobody_can_use(script: &mut Script) {
    let before = script.model.quota(neuron_model::ROOT_QUOTA).used;
    let handle = script.get(BOOT_THREAD, process(ROOT))[0];
    script.get(BOOT_THREAD, Op::Close { handle });
    assert_eq!(script.model.quota(neuron_model::ROOT_QUOTA).used, before);
}

/// Two processes wait at one port. The one that is woken ends before it goes on; the other one is woken in its place.
fn the_dead_pass_on_what_woke_them(script: &mut Script) {
    let other = holder_of_link(script);
    let process = script.model.thread(other).process;
    let port = script.get(BOOT_THREAD, Op::PortCreate { quota: ROOT })[0];
    let copy = script.get(BOOT_THREAD, Op::Dup { handle: port, rights: Kind::Port.all_rights().bits() })[0];
    let link = script.handles(BOOT_PROCESS, Kind::Channel)[0];
    script.get(BOOT_THREAD, send(link, &[copy]));
    let end = script.handles(process, Kind::Channel)[0];
    let room = Room { handles: 8, ..Room::default() };
    let got = script.by(other, Op::Recv { end, room });
    let Some(Answer::Message { handles, .. }) = got else { panic!("{got:?}") };
    let wait = |port| Op::Wait { port, token: 0, draft: Draft::default(), room, deadline: Deadline::Never };
    let third = script.model.process(process).threads[1];
    script.by(BOOT_THREAD, wait(port));
    script.by(other, wait(handles.0[0]));
    script.get(third, Op::Signal { port: handles.0[0], bits: 1 << 16 });
    assert!(script.model.can_go_on(other), "the warmest was not woken");
    script.make(Step::End(process));
    assert!(script.model.can_go_on(BOOT_THREAD), "the dead kept what was for others");
    script.make(Step::GoOn(BOOT_THREAD));
}

/// The ends of the oldest channel between the first process and another.
fn oldest_link(script: &Script, other: Id) -> (Slot, Slot) {
    let ends = |process: Id| {
        let table = script.model.process(process).table.open();
        table.filter(|(_, c)| c.kind == Kind::Channel).map(|(slot, c)| (c.object, slot)).collect::<Vec<_>>()
    };
    let theirs = ends(other);
    let mut both = ends(BOOT_PROCESS);
    both.sort();
    let far = |object: Id| theirs.iter().find(|(other, _)| *other == object).map(|(_, slot)| *slot);
    both.into_iter().find_map(|(object, slot)| Some((slot, far(object)?))).expect("a link")
}

/// The `nth` thread of another process, its port, to which an end of a new channel is bound, and the first process's end.
fn server(script: &mut Script, nth: usize, bytes: usize) -> (Id, Slot, Slot) {
    let ends = [Bounds { depth: 2, bytes, handles: 2 }; 2];
    let made = script.get(BOOT_THREAD, Op::ChannelCreate { quota: ROOT, ends });
    let process = script.model.thread(holder_of_link(script)).process;
    let thread = script.model.process(process).threads[nth];
    let (link, end) = oldest_link(script, process);
    script.get(BOOT_THREAD, send(link, &[made[1]]));
    let room = Room { handles: 8, ..Room::default() };
    let got = script.by(thread, Op::Recv { end, room });
    let Some(Answer::Message { handles, .. }) = got else { panic!("{got:?}") };
    let port = script.handles(process, Kind::Port)[0];
    let (object, signals) = (handles.0[0], Signals::READABLE.bits());
    script.get(thread, Op::Bind { port, object, key: 9, signals });
    (thread, port, made[0])
}

fn call(end: Slot, bytes: usize) -> Op {
    let draft = Draft { bytes, fill: 3, handles: Slots::default() };
    Op::Call { end, draft, room: Room::default(), deadline: Deadline::Never }
}

fn serve(port: Slot, token: u32) -> Op {
    let (draft, room) = (Draft::default(), Room { bytes: 64, ..Room::default() });
    Op::Wait { port, token, draft, room, deadline: Deadline::Never }
}

/// One call and its answer, several times: by then every shortcut that there is has been found.
fn warm(script: &mut Script, thread: Id, port: Slot, end: Slot) {
    script.by(thread, serve(port, 0));
    for _ in 0..4 {
        script.by(BOOT_THREAD, call(end, 8));
        if script.model.can_go_on(thread) {
            script.make(Step::GoOn(thread));
        }
        script.by(thread, serve(port, 1));
    }
}

/// An end that a thread has used and its process has closed or sent away is not used again, and its bound goes on to hold.
fn what_a_thread_remembers_is_asked_again(script: &mut Script) {
    let (thread, port, end) = server(script, 0, 8);
    warm(script, thread, port, end);
    assert_eq!(error(script.by(BOOT_THREAD, call(end, 9))), Some(Error::TooLarge));
    script.get(BOOT_THREAD, Op::Close { handle: end });
    // The old name and guesses at the next one: which it is depends on the number of the step.
    for _ in 0..3 {
        assert_eq!(error(script.by(BOOT_THREAD, call(end, 8))), Some(Error::BadHandle));
    }

    let (thread, port, end) = server(script, 1, 64);
    warm(script, thread, port, end);
    let (link, _) = oldest_link(script, script.model.thread(thread).process);
    script.get(BOOT_THREAD, send(link, &[end]));
    // The old name and guesses at the next one: which it is depends on the number of the step.
    for _ in 0..3 {
        assert_eq!(error(script.by(BOOT_THREAD, call(end, 8))), Some(Error::BadHandle));
    }
}

/// Two threads wait. One was woken for a long call and has not gone on; a short one to the same end does not pass it.
fn a_short_call_overtakes_nothing(script: &mut Script) {
    let (thread, port, end) = server(script, 0, 64);
    warm(script, thread, port, end);
    let process = script.model.thread(thread).process;
    let second = script.model.process(process).threads[1];
    script.by(second, serve(port, 0));
    let draft = Draft { bytes: 64, fill: 5, handles: Slots::default() };
    script.get(BOOT_THREAD, Op::Send { end, draft, at: Buffers::default(), deadline: Deadline::Now });
    assert!(script.model.can_go_on(second) && !script.model.can_go_on(thread));
    script.by(BOOT_THREAD, call(end, 8));
    script.make(Step::GoOn(second));
    if script.model.can_go_on(thread) {
        script.make(Step::GoOn(thread));
    }
}

/// Two wait. One was woken for a signal and has not gone on; the other one, woken by the next signal, takes the bits of both.
fn two_signals_for_two_waiters(script: &mut Script) {
    let other = holder_of_link(script);
    let process = script.model.thread(other).process;
    let third = script.model.process(process).threads[1];
    let port = script.get(BOOT_THREAD, Op::PortCreate { quota: ROOT })[0];
    let copy = script.get(BOOT_THREAD, Op::Dup { handle: port, rights: Kind::Port.all_rights().bits() })[0];
    let link = script.handles(BOOT_PROCESS, Kind::Channel)[0];
    script.get(BOOT_THREAD, send(link, &[copy]));
    let end = script.handles(process, Kind::Channel)[0];
    let room = Room { handles: 8, ..Room::default() };
    let got = script.by(other, Op::Recv { end, room });
    let Some(Answer::Message { handles, .. }) = got else { panic!("{got:?}") };
    script.by(other, serve(handles.0[0], 0));
    script.by(BOOT_THREAD, serve(port, 0));
    for bits in [1 << 16, 1 << 17] {
        script.get(third, Op::Signal { port: handles.0[0], bits });
    }
}
