//! Two stacks on one wire that loses, doubles and turns round frames, and one that is sent anything at all.

use netstackd::answer::{Answer, Error, Finished};
use netstackd::look::MAX_DATA;
use netstackd::ping::{MAX_PINGS, PING_US};
use netstackd::setup::Setup;
use netstackd::sockets::{BACKLOG, MAX_DATAGRAM, MAX_OWN, MAX_SOCKETS, Sockets};
use netstackd::stack::Stack;
use netstackd::wire::{LONGEST, MAX_FRAMES};
use smoltcp::wire::Ipv4Address;

const A: Ipv4Address = Ipv4Address::new(10, 0, 0, 1);
const B: Ipv4Address = Ipv4Address::new(10, 0, 0, 2);
const NOBODY: Ipv4Address = Ipv4Address::new(10, 0, 0, 3);

/// The session that most tests use.
const ME: u64 = 1;

struct Side {
    stack: Stack,
    sockets: Sockets<u32>,
    finished: Vec<Finished<u32>>,
}

impl Side {
    fn new(host: u8) -> Side {
        let setup = Setup::read(&format!("10.0.0.{host}/24")).unwrap();
        let mut stack = Stack::new([2, 0, 0, 0, 0, host], setup, 77 + u64::from(host), 0).unwrap();
        let sockets = Sockets::new(&mut stack);
        Side { stack, sockets, finished: Vec::new() }
    }

    fn turn(&mut self, now: u64) {
        for _ in 0..2 {
            self.stack.poll(now);
            self.sockets.look(&mut self.stack, now);
            self.finished.extend(self.sockets.take_finished());
        }
    }

    fn answer(&mut self, promise: u32) -> Option<Result<Answer, Error>> {
        let index = self.finished.iter().position(|(owed, _)| *owed == promise)?;
        Some(self.finished.remove(index).1)
    }
}

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

struct Pair {
    a: Side,
    b: Side,
    now: u64,
    random: Random,
    /// How many of 100 frames are lost, doubled or late.
    trouble: u64,
}

impl Pair {
    fn new(trouble: u64, seed: u64) -> Pair {
        Pair { a: Side::new(1), b: Side::new(2), now: 0, random: Random(seed), trouble }
    }

    /// Time goes on and frames go over.
    fn step(&mut self) {
        self.a.turn(self.now);
        self.b.turn(self.now);
        for direction in 0..2 {
            let Pair { a, b, random, trouble, .. } = self;
            let (from, to) =
                if direction == 0 { (&mut a.stack, &mut b.stack) } else { (&mut b.stack, &mut a.stack) };
            let mut held = None;
            while let Some(frame) = from.wire.leave() {
                assert!(frame.len() <= LONGEST);
                match random.below(300) {
                    draw if draw < *trouble => continue,
                    draw if draw < 2 * *trouble => to.wire.arrive(&frame),
                    draw if draw < 3 * *trouble => {
                        held = Some(frame);
                        continue;
                    }
                    _ => {}
                }
                to.wire.arrive(&frame);
            }
            held.into_iter().for_each(|frame| to.wire.arrive(&frame));
        }
        self.now += 5_000;
    }

    fn until<T>(&mut self, mut done: impl FnMut(&mut Pair) -> Option<T>) -> T {
        for _ in 0..20_000 {
            if let Some(result) = done(self) {
                return result;
            }
            self.step();
        }
        panic!("it does not come to an end");
    }

    /// A connection from A to a listener on B: both ends, and the listener.
    fn connect(&mut self, port: u16) -> (u32, u32, u32) {
        let listener = self.b.sockets.tcp_listen(&mut self.b.stack, ME, port).unwrap();
        self.b.sockets.tcp_accept(ME, listener, 902).unwrap();
        self.a.sockets.tcp_connect(&mut self.a.stack, ME, (B, port), 901).unwrap();
        let Ok(Answer::Connection(from, B, _)) = self.until(|pair| pair.a.answer(901)) else {
            panic!("not connected")
        };
        let Ok(Answer::Connection(to, A, _)) = self.until(|pair| pair.b.answer(902)) else {
            panic!("not accepted")
        };
        (from, to, listener)
    }
}

#[test]
fn an_echo_comes_back_or_is_given_up() {
    let mut pair = Pair::new(0, 1);
    pair.a.sockets.ping(&mut pair.a.stack, ME, B, 1, 0).unwrap();
    assert!(matches!(pair.until(|pair| pair.a.answer(1)), Ok(Answer::Echo(us)) if us < 100_000));
    let began = pair.now;
    pair.a.sockets.ping(&mut pair.a.stack, ME, NOBODY, 2, began).unwrap();
    assert_eq!(pair.until(|pair| pair.a.answer(2)), Err(Error::Unreachable));
    assert!(pair.now >= began + PING_US);
    for bad in [Ipv4Address::UNSPECIFIED, Ipv4Address::BROADCAST, Ipv4Address::new(224, 0, 0, 1)] {
        assert_eq!(pair.a.sockets.ping(&mut pair.a.stack, ME, bad, 3, 0), Err(Error::Invalid));
    }
    for _ in 0..MAX_PINGS {
        pair.a.sockets.ping(&mut pair.a.stack, ME, B, 4, pair.now).unwrap();
    }
    assert_eq!(pair.a.sockets.ping(&mut pair.a.stack, ME, B, 5, pair.now), Err(Error::NotReady));
    for _ in 0..MAX_PINGS {
        assert!(pair.until(|pair| pair.a.answer(4)).is_ok());
    }
}

#[test]
fn datagrams_arrive_whole_and_with_their_sender() {
    let mut pair = Pair::new(0, 2);
    let (from, port) = pair.a.sockets.udp_open(&mut pair.a.stack, ME, 0).unwrap();
    let (to, bound) = pair.b.sockets.udp_open(&mut pair.b.stack, ME, 7).unwrap();
    assert!(port >= 49152 && bound == 7);
    for length in [0, 1, MAX_DATAGRAM] {
        let data: Vec<u8> = (0..length).map(|index| index as u8).collect();
        pair.b.sockets.udp_receive(ME, to, 1).unwrap();
        pair.a.sockets.udp_send(&mut pair.a.stack, ME, from, (B, 7), &data).unwrap();
        assert_eq!(pair.until(|pair| pair.b.answer(1)), Ok(Answer::Datagram(A, port, data)));
    }
    let send =
        |pair: &mut Pair, to, data: &[u8]| pair.a.sockets.udp_send(&mut pair.a.stack, ME, from, to, data);
    assert_eq!(send(&mut pair, (B, 7), &[0; MAX_DATAGRAM + 1]), Err(Error::Invalid));
    assert_eq!(send(&mut pair, (B, 0), &[]), Err(Error::Invalid));
    assert_eq!(send(&mut pair, (Ipv4Address::UNSPECIFIED, 7), &[]), Err(Error::Invalid));
    // One waits at a time, the last one, and closing answers it.
    pair.b.sockets.udp_receive(ME, to, 3).unwrap();
    pair.b.sockets.udp_receive(ME, to, 2).unwrap();
    assert_eq!(pair.until(|pair| pair.b.answer(3)), Err(Error::NotReady));
    pair.b.sockets.close(&mut pair.b.stack, ME, to, 0).unwrap();
    assert_eq!(pair.until(|pair| pair.b.answer(2)), Err(Error::Closed));
    assert_eq!(pair.b.sockets.udp_receive(ME, to, 3), Err(Error::NotFound));
}

/// Moves so many bytes from A to B and the same back, over a wire with that much trouble.
fn echo(trouble: u64, seed: u64, bytes: usize) {
    let mut pair = Pair::new(trouble, seed);
    let (from, to, _) = pair.connect(80);
    let data: Vec<u8> = (0..bytes).map(|index| (index * 7 + index / 251) as u8).collect();
    let (mut sent, mut echoed, mut back) = (0, Vec::new(), Vec::new());
    let mut owed: Vec<u8> = Vec::new();
    pair.a.sockets.tcp_receive(ME, from, 3).unwrap();
    pair.b.sockets.tcp_receive(ME, to, 2).unwrap();
    let (mut sending, mut answering) = (false, false);
    for _ in 0..200_000 {
        if !sending && sent < bytes {
            let end = bytes.min(sent + MAX_DATA);
            pair.a.sockets.tcp_send(ME, from, &data[sent..end], 1).unwrap();
            sending = true;
        }
        if !answering && !owed.is_empty() {
            let end = owed.len().min(MAX_DATA);
            pair.b.sockets.tcp_send(ME, to, &owed[..end], 4).unwrap();
            answering = true;
        }
        pair.step();
        if let Some(Ok(Answer::Sent(count))) = pair.a.answer(1) {
            sent += count;
            sending = false;
        }
        if let Some(Ok(Answer::Data(part))) = pair.b.answer(2) {
            echoed.extend_from_slice(&part);
            owed.extend(part);
            pair.b.sockets.tcp_receive(ME, to, 2).unwrap();
        }
        if let Some(Ok(Answer::Sent(count))) = pair.b.answer(4) {
            owed.drain(..count);
            answering = false;
        }
        if let Some(Ok(Answer::Data(part))) = pair.a.answer(3) {
            back.extend(part);
            if back.len() == bytes {
                break;
            }
            pair.a.sockets.tcp_receive(ME, from, 3).unwrap();
        }
    }
    assert!(
        echoed == data && back == data,
        "trouble {trouble}, seed {seed}: {} and {} bytes of {bytes}",
        echoed.len(),
        back.len()
    );
    // The end of the stream.
    pair.a.sockets.close(&mut pair.a.stack, ME, from, pair.now).unwrap();
    assert_eq!(pair.until(|pair| pair.b.answer(2)), Ok(Answer::Data(Vec::new())));
}

#[test]
fn a_stream_is_echoed_byte_for_byte() {
    echo(0, 1, 300_000);
}

#[test]
fn a_stream_survives_a_wire_that_loses_doubles_and_turns_round() {
    for seed in 0..4 {
        echo(5, seed, 20_000);
    }
}

#[test]
fn where_nobody_listens_a_connection_is_refused() {
    let mut pair = Pair::new(0, 3);
    pair.a.sockets.tcp_connect(&mut pair.a.stack, ME, (B, 81), 1).unwrap();
    assert_eq!(pair.until(|pair| pair.a.answer(1)), Err(Error::Closed));
    pair.a.sockets.tcp_connect(&mut pair.a.stack, ME, (NOBODY, 81), 2).unwrap();
    assert_eq!(pair.until(|pair| pair.a.answer(2)), Err(Error::Closed), "where nobody is, it ends too");
    for bad in [(B, 0), (Ipv4Address::UNSPECIFIED, 1), (Ipv4Address::BROADCAST, 1)] {
        assert_eq!(pair.a.sockets.tcp_connect(&mut pair.a.stack, ME, bad, 3), Err(Error::Invalid));
    }
}

#[test]
fn one_session_has_nothing_of_another() {
    let mut pair = Pair::new(0, 4);
    let (from, _, _) = pair.connect(80);
    let (datagrams, _) = pair.a.sockets.udp_open(&mut pair.a.stack, ME, 0).unwrap();
    let other = 2;
    let Pair { a, .. } = &mut pair;
    assert_eq!(a.sockets.tcp_send(other, from, &[1], 1), Err(Error::NotFound));
    assert_eq!(a.sockets.tcp_receive(other, from, 1), Err(Error::NotFound));
    assert_eq!(a.sockets.close(&mut a.stack, other, from, 0), Err(Error::NotFound));
    assert_eq!(a.sockets.udp_receive(other, datagrams, 1), Err(Error::NotFound));
    assert_eq!(a.sockets.udp_send(&mut a.stack, other, datagrams, (B, 1), &[]), Err(Error::NotFound));
    // And a socket of one kind is none of another.
    assert_eq!(a.sockets.tcp_send(ME, datagrams, &[1], 1), Err(Error::NotFound));
    assert_eq!(a.sockets.udp_receive(ME, from, 1), Err(Error::NotFound));
    assert_eq!(a.sockets.tcp_accept(ME, from, 1), Err(Error::NotFound));
}

#[test]
fn each_has_its_share_and_all_have_theirs() {
    let mut side = Side::new(1);
    let Side { stack, sockets, .. } = &mut side;
    let mut open = 0;
    for owner in 0.. {
        for _ in 0..MAX_OWN {
            if open == MAX_SOCKETS {
                break;
            }
            sockets.udp_open(stack, owner, 0).unwrap();
            open += 1;
        }
        if open == MAX_SOCKETS {
            assert_eq!(sockets.udp_open(stack, owner + 1, 0), Err(Error::QuotaExceeded));
            break;
        }
        assert_eq!(sockets.udp_open(stack, owner, 0), Err(Error::QuotaExceeded));
    }
    assert_eq!(sockets.count(), MAX_SOCKETS);
    assert_eq!(sockets.tcp_listen(stack, 99, 80), Err(Error::QuotaExceeded));
    sockets.leave(stack, 0, 0);
    let listener = sockets.tcp_listen(stack, 99, 80).unwrap();
    assert_eq!(sockets.count(), MAX_SOCKETS - MAX_OWN + BACKLOG);
    assert_eq!(sockets.tcp_listen(stack, 99, 80), Err(Error::Exists));
    assert_eq!(sockets.tcp_listen(stack, 99, 0), Err(Error::Invalid));
    sockets.tcp_accept(99, listener, 1).unwrap();
    sockets.tcp_accept(99, listener, 2).unwrap();
    assert_eq!(sockets.take_finished(), vec![(1, Err(Error::NotReady))]);
    let (_, port) = sockets.udp_open(stack, 99, 53).unwrap();
    assert_eq!(sockets.udp_open(stack, 98, port), Err(Error::Exists));
}

#[test]
fn nothing_is_left_of_a_session_that_is_gone() {
    let mut pair = Pair::new(0, 5);
    for round in 0..60 {
        let (from, to, listener) = pair.connect(80);
        pair.a.sockets.tcp_receive(ME, from, 1).unwrap();
        pair.b.sockets.tcp_accept(ME, listener, 2).unwrap();
        pair.b.sockets.tcp_receive(ME, to, 3).unwrap();
        pair.b.sockets.udp_open(&mut pair.b.stack, ME, 0).unwrap();
        pair.a.sockets.ping(&mut pair.a.stack, ME, NOBODY, 4, pair.now).unwrap();
        pair.a.sockets.leave(&mut pair.a.stack, ME, pair.now);
        pair.b.sockets.leave(&mut pair.b.stack, ME, pair.now);
        pair.until(|pair| (pair.a.sockets.count() + pair.b.sockets.count() == 0).then_some(()));
        pair.a.finished.clear();
        pair.b.finished.clear();
        assert_eq!((pair.a.sockets.deadline(), pair.b.sockets.deadline()), (None, None), "round {round}");
    }
}

#[test]
fn without_an_address_nothing_is_sent_but_the_request_for_one() {
    let mut stack = Stack::new([2, 0, 0, 0, 0, 9], Setup::Dhcp, 1, 0).unwrap();
    let mut sockets: Sockets<u32> = Sockets::new(&mut stack);
    assert_eq!(sockets.ping(&mut stack, ME, B, 1, 0), Err(Error::NotReady));
    assert_eq!(sockets.tcp_connect(&mut stack, ME, (B, 1), 1), Err(Error::NotReady));
    let (socket, _) = sockets.udp_open(&mut stack, ME, 0).unwrap();
    assert_eq!(sockets.udp_send(&mut stack, ME, socket, (B, 1), &[]), Err(Error::NotReady));
    stack.poll(0);
    let request = stack.wire.leave().expect("an address is asked for");
    assert_eq!(request[..6], [0xff; 6]);
    assert!(stack.wire.leave().is_none());
    let later = stack.deadline(0).expect("it is asked again");
    assert!(later > 0, "it is asked at once");
    for card in [[1, 0, 0, 0, 0, 0], [0xff; 6]] {
        assert!(Stack::new(card, Setup::Dhcp, 1, 0).is_none());
    }
}

#[test]
fn anything_at_all_may_come_over_the_wire() {
    let mut pair = Pair::new(0, 6);
    let (from, _, _) = pair.connect(80);
    let mut random = Random(9);
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for round in 0..4000u64 {
        // Frames that are nearly right: those that went over, with bytes changed, cut or made longer.
        if round % 50 == 0 {
            let _ = pair.a.sockets.tcp_send(ME, from, &[7; 100], 1);
            let _ = pair.a.sockets.ping(&mut pair.a.stack, ME, B, 2, pair.now);
            pair.a.turn(pair.now);
            while let Some(frame) = pair.a.stack.wire.leave() {
                pair.b.stack.wire.arrive(&frame);
                frames.push(frame);
            }
        }
        for _ in 0..4 {
            let mut frame = match frames.len() {
                0 => vec![0; random.below(200) as usize],
                count => frames[random.below(count as u64) as usize].clone(),
            };
            for _ in 0..1 + random.below(4) {
                if !frame.is_empty() {
                    let at = random.below(frame.len() as u64) as usize;
                    frame[at] = random.below(256) as u8;
                }
            }
            match random.below(6) {
                0 => frame.truncate(random.below(frame.len() as u64 + 1) as usize),
                1 => frame.resize(frame.len() + random.below(1400) as usize, 0xee),
                2 => frame = (0..random.below(1600)).map(|_| random.below(256) as u8).collect(),
                _ => {}
            }
            pair.b.stack.wire.arrive(&frame);
        }
        pair.b.turn(pair.now);
        let mut left = 0;
        while pair.b.stack.wire.leave().is_some() {
            left += 1;
        }
        assert!(left <= MAX_FRAMES);
        pair.now += 1_000;
    }
    assert!(pair.b.sockets.count() <= MAX_SOCKETS);
    // It still answers.
    pair.now += PING_US;
    pair.a.turn(pair.now);
    pair.a.sockets.ping(&mut pair.a.stack, ME, B, 3, pair.now).unwrap();
    assert!(pair.until(|pair| pair.a.answer(3)).is_ok());
}

#[test]
fn a_flood_is_dropped_beyond_its_bound() {
    let mut side = Side::new(1);
    for _ in 0..MAX_FRAMES + 10 {
        side.stack.wire.arrive(&[0; 60]);
    }
    side.stack.wire.arrive(&[0; LONGEST + 1]);
    assert_eq!(side.stack.wire.dropped, 11);
    side.stack.poll(0);
    assert!(
        side.stack.wire.has_incoming() && side.stack.deadline(5) == Some(5),
        "a flood is worked on in one go"
    );
}
