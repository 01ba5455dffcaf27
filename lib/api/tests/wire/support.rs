//! What the generated wire tests have in common: fake handles that are counted, golden byte strings, a server
//! in the same process, a dead one, and storms of damaged messages from fixed seeds.

use nexus_abi::{Identity, Kind, Rights};
use nexus_wire::{
    AnyHandle, Bytes, Connector, Failure, Fixed, Held, Outcome, Packet, Promise, Replier, Room, Sender, Text,
    Transport,
};
use std::cell::Cell;
use std::rc::Rc;

/// Where every call of the tests comes from.
pub const CALLER: Sender = Sender { identity: Identity { service: 7, generation: 9 }, key: 5, token: 11 };

/// Where every message of the tests comes from that is not answered.
pub const TELLER: Sender = Sender { token: 0, ..CALLER };

/// More than the largest message, so that one past it can be tried.
pub const BUFFER: usize = 4200;

/// Messages of one storm.
const STORM: usize = 20_000;

thread_local! {
    static OPEN: Cell<isize> = const { Cell::new(0) };
}

/// Handles of this test that are not closed.
pub fn open_handles() -> isize {
    OPEN.with(Cell::get)
}

/// A handle that is counted as long as it is open.
#[derive(PartialEq, Debug)]
pub struct FakeHandle {
    kind: Kind,
    rights: Rights,
}

impl FakeHandle {
    /// An open handle.
    pub fn new(kind: Kind, rights: u32) -> Self {
        OPEN.with(|open| open.set(open.get() + 1));
        FakeHandle { kind, rights: Rights::from_bits_truncate(rights) }
    }
}

impl Drop for FakeHandle {
    fn drop(&mut self) {
        OPEN.with(|open| open.set(open.get() - 1));
    }
}

impl AnyHandle for FakeHandle {
    fn describe(&self) -> Option<(Kind, Rights)> {
        Some((self.kind, self.rights))
    }
}

/// A handle as an argument or a part of a reply.
pub fn handle<K>(kind: Kind, rights: u32) -> Held<FakeHandle, K> {
    Held::assume(FakeHandle::new(kind, rights))
}

/// Text of one character, repeated.
#[allow(dead_code, reason = "not every set of interfaces has text")]
pub fn text<const N: usize>(character: char, len: usize) -> Text<'static, N> {
    Text::new(String::leak(character.to_string().repeat(len))).unwrap()
}

/// Bytes of one value, repeated.
#[allow(dead_code, reason = "not every set of interfaces has bytes")]
pub fn bytes<const N: usize>(byte: u8, len: usize) -> Bytes<'static, N> {
    Bytes::new(Vec::leak(vec![byte; len])).unwrap()
}

/// A golden byte string: hex, where `XX*N` is a run.
pub fn golden(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for part in text.split(' ').filter(|part| !part.is_empty()) {
        let hex = |digits: &str| u8::from_str_radix(digits, 16).unwrap();
        match part.split_once('*') {
            Some((byte, count)) => out.extend(vec![hex(byte); count.parse().unwrap()]),
            None => out.extend((0..part.len() / 2).map(|i| hex(&part[2 * i..2 * i + 2]))),
        }
    }
    out
}

/// A packet as it would arrive.
pub fn arrived<'b>(buffer: &'b mut [u8], bytes: &[u8], handles: &[(Kind, u32)]) -> Packet<'b, FakeHandle> {
    let mut packet = Packet::new(buffer);
    assert!(packet.load(bytes));
    for &(kind, rights) in handles {
        assert!(packet.handles.push(FakeHandle::new(kind, rights)).is_ok());
    }
    packet
}

/// The value and the bytes stand for each other.
macro_rules! spelled {
    ($type:ty, $golden:literal, $value:expr) => {{
        let expected = crate::support::golden($golden);
        let mut buffer = vec![0xaa; crate::support::BUFFER];
        let mut packet = nexus_wire::Packet::<crate::support::FakeHandle>::new(&mut buffer);
        assert_eq!($value.encode(&mut packet), Ok(()));
        assert_eq!(packet.message(), Some(&expected[..]));
        let (view, handles) = packet.open(<$type>::BORROWS);
        assert_eq!(<$type>::decode(view, handles), Ok($value));
        drop(packet);
        assert_eq!(crate::support::open_handles(), 0);
    }};
}

/// Whether these bytes and handles are refused, with every handle closed.
macro_rules! refused {
    ($type:ty, $bytes:expr, $handles:expr, $why:expr) => {{
        let mut buffer = vec![0xaa; crate::support::BUFFER];
        let mut packet = crate::support::arrived(&mut buffer, $bytes, $handles);
        let (view, handles) = packet.open(<$type>::BORROWS);
        assert_eq!(<$type>::decode(view, handles), Err(nexus_wire::Malformed), "{}", $why);
        drop(packet);
        assert_eq!(crate::support::open_handles(), 0, "{}", $why);
    }};
}

/// One past each bound of the message is refused: its sizes, its handles, their kinds and rights.
macro_rules! bounded {
    ($type:ty, $golden:literal, $handles:expr) => {
        crate::support::bounded!($type, $golden, $handles, any [])
    };
    ($type:ty, $golden:literal, $handles:expr, any $any:expr) => {{
        let of_any_kind: &[usize] = &$any;
        let whole = crate::support::golden($golden);
        let right: &[(nexus_abi::Kind, u32)] = $handles;
        let most = [&whole[..], &vec![b'a'; <$type>::MOST + 1 - whole.len()]].concat();
        crate::support::refused!($type, &most, right, "one byte past the most");
        crate::support::refused!($type, &whole[..<$type>::LEAST - 1], right, "one byte short of the least");
        if right.len() < nexus_abi::bounds::MAX_MESSAGE_HANDLES {
            let more = [right, &[(nexus_abi::Kind::Port, u32::MAX)]].concat();
            crate::support::refused!($type, &whole, &more, "one handle more");
        }
        for (i, &(kind, rights)) in right.iter().enumerate() {
            crate::support::refused!($type, &whole, &right[..i], "a handle missing");
            let mut other = right.to_vec();
            other[i].0 =
                if kind == nexus_abi::Kind::Port { nexus_abi::Kind::Vmo } else { nexus_abi::Kind::Port };
            other[i].1 = u32::MAX;
            if !of_any_kind.contains(&i) {
                crate::support::refused!($type, &whole, &other, "another kind");
            }
            for bit in (0..32).map(|bit| 1 << bit).filter(|bit| rights & bit != 0) {
                let mut fewer = right.to_vec();
                fewer[i].1 = !bit;
                crate::support::refused!($type, &whole, &fewer, "a right missing");
            }
        }
    }};
}

/// One misspelled part is refused.
macro_rules! flawed {
    ($type:ty, $golden:literal, $handles:expr, $at:expr, $bytes:expr, $why:expr) => {{
        let mut bytes = crate::support::golden($golden);
        let part: &[u8] = $bytes;
        bytes[$at..$at + part.len()].copy_from_slice(part);
        crate::support::refused!($type, &bytes, $handles, $why);
    }};
}

#[allow(unused_imports, reason = "not every message can be misspelled")]
pub(crate) use {bounded, flawed, refused, spelled};

/// A server in the same process.
pub struct Loopback<F>(F);

impl<F: FnMut(Sender, &mut Packet<'_, FakeHandle>) -> Outcome> Loopback<F> {
    /// The only connection to a server that is this function.
    pub fn connector(dispatch: F) -> Fixed<Self> {
        Fixed::new(Loopback(dispatch))
    }

    /// Carries the message to another buffer, has it served, and carries the answer back.
    fn exchange(&mut self, packet: &mut Packet<'_, FakeHandle>, sender: Sender, room: Room) -> Outcome {
        let mut buffer = vec![0x55; BUFFER];
        let mut other = Packet::new(&mut buffer);
        carry(packet, &mut other);
        other.room = room;
        let outcome = (self.0)(sender, &mut other);
        packet.reset();
        assert!(other.len() <= room.bytes && other.handles.len() <= room.handles);
        carry(&mut other, packet);
        outcome
    }
}

/// Moves a message from one packet to another as the kernel would: words or bytes, and the handles.
fn carry(from: &mut Packet<'_, FakeHandle>, to: &mut Packet<'_, FakeHandle>) {
    let (len, words) = (from.len(), from.words());
    if len > nexus_abi::bounds::REGISTER_BYTES {
        to.buffer()[..len].copy_from_slice(&from.buffer()[..len]);
    }
    assert!(to.arrived(len, words), "a client has room for every answer");
    for index in 0..from.handles.len() {
        if let Some(handle) = from.handles.take(index) {
            assert!(to.handles.push(handle).is_ok());
        }
    }
    from.handles.clear();
}

impl<F: FnMut(Sender, &mut Packet<'_, FakeHandle>) -> Outcome> Transport for Loopback<F> {
    type Handle = FakeHandle;

    fn call(&mut self, packet: &mut Packet<'_, FakeHandle>, room: Room, _: u32) -> Result<(), Failure> {
        assert!(self.exchange(packet, CALLER, room).has_answer());
        Ok(())
    }

    fn send(&mut self, packet: &mut Packet<'_, FakeHandle>, _: u32) -> Result<(), Failure> {
        let outcome = self.exchange(packet, TELLER, Room { bytes: 0, handles: 0 });
        assert_eq!(outcome, Outcome::Taken);
        Ok(())
    }
}

/// A server that dies whenever it is asked something, and how often it was.
pub struct Dead(Rc<Cell<usize>>);

/// A connector to such a server.
pub fn dead() -> (Dead, Rc<Cell<usize>>) {
    let tries = Rc::new(Cell::new(0));
    (Dead(tries.clone()), tries)
}

impl Connector for Dead {
    type Transport = Dead;

    fn connect(&mut self) -> Result<Dead, Failure> {
        Ok(Dead(self.0.clone()))
    }
}

impl Transport for Dead {
    type Handle = FakeHandle;

    fn call(&mut self, packet: &mut Packet<'_, FakeHandle>, _: Room, _: u32) -> Result<(), Failure> {
        self.0.set(self.0.get() + 1);
        packet.reset();
        Err(Failure::ServerDied)
    }

    fn send(&mut self, packet: &mut Packet<'_, FakeHandle>, _: u32) -> Result<(), Failure> {
        self.call(packet, Room::MAX, 0)
    }
}

/// A call that the server keeps: it has no answer, and its handles are the server's or closed.
#[allow(dead_code, reason = "not every set of interfaces has calls that are answered later")]
pub fn keeps(asked: Seed, dispatch: impl FnOnce(&mut Packet<'_, FakeHandle>) -> Outcome) {
    let mut buffer = vec![0x55; BUFFER];
    let mut packet = arrived(&mut buffer, &golden(asked.0), asked.1);
    assert_eq!(dispatch(&mut packet), Outcome::Kept);
    assert!(packet.is_empty() && packet.handles.is_empty());
}

/// What carries the one answer that comes later: token, bytes and handles.
#[derive(Default)]
pub struct Later(Option<(u64, Vec<u8>, HandleList)>);

/// Kind and rights of each handle of a message.
type HandleList = Vec<(Kind, u32)>;

impl Replier for Later {
    type Handle = FakeHandle;

    fn reply(&mut self, promise: Promise, write: impl FnOnce(&mut Packet<'_, FakeHandle>) -> Outcome) {
        let mut buffer = vec![0x55; BUFFER];
        let mut packet = Packet::new(&mut buffer);
        packet.room = promise.room;
        assert_eq!(write(&mut packet), Outcome::Answered);
        let handles = (0..packet.handles.len()).filter_map(|i| packet.handles.get(i));
        let handles = handles.map(|handle| (handle.kind, handle.rights.bits())).collect();
        let bytes = packet.message().unwrap().to_vec();
        assert!(self.0.replace((promise.token, bytes, handles)).is_none(), "one call, one answer");
    }
}

/// The promise is kept with exactly this answer, to exactly this caller.
#[allow(dead_code, reason = "not every set of interfaces has calls that are answered later")]
pub fn kept(keep: impl FnOnce(&mut Later), answer: Seed) {
    let mut later = Later::default();
    keep(&mut later);
    assert_eq!(later.0, Some((CALLER.token, golden(answer.0), answer.1.to_vec())));
}

/// A generator of numbers that are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// A whole message to damage.
pub type Seed = (&'static str, &'static [(Kind, u32)]);

/// A message made from a seed: sometimes whole, mostly damaged, sometimes nothing but noise.
fn damaged(numbers: &mut Numbers, seed: Seed, most: usize) -> (Vec<u8>, Vec<(Kind, u32)>) {
    let (mut bytes, mut handles) = (golden(seed.0), seed.1.to_vec());
    for _ in 0..numbers.below(4) {
        match numbers.below(8) {
            0 => bytes.truncate(numbers.below(bytes.len() + 1)),
            1 => bytes.resize(numbers.below(most + 1), numbers.next() as u8),
            2 => handles.truncate(numbers.below(handles.len() + 1)),
            3 if handles.len() < 8 => handles.push((Kind::ALL[numbers.below(9)], numbers.next() as u32)),
            4 => bytes = (0..numbers.below(most + 1)).map(|_| numbers.next() as u8).collect(),
            // Mostly in the header or soon after it, where it matters most.
            n => {
                let len = if n > 5 { bytes.len() } else { bytes.len().min(24) };
                let at = numbers.below(len);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = if numbers.below(2) == 0 { numbers.next() as u8 } else { *byte ^ 1 };
                }
            }
        }
    }
    (bytes, handles)
}

/// Damaged requests for a server: no panic, an answer to each call that fits the room, no handle left open.
pub fn storm(
    seeds: &[Seed],
    room: Room,
    mut dispatch: impl FnMut(Sender, &mut Packet<'_, FakeHandle>) -> Outcome,
) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut buffer = vec![0; BUFFER];
    for _ in 0..STORM {
        let seed = seeds[numbers.below(seeds.len())];
        let (bytes, handles) = damaged(&mut numbers, seed, room.bytes + 16);
        let sender = if numbers.below(4) == 0 { TELLER } else { CALLER };
        let mut packet = arrived(&mut buffer, &bytes, &handles);
        if numbers.below(4) == 0 {
            packet.room = Room { bytes: numbers.below(64), handles: numbers.below(3) };
        }
        let outcome = dispatch(sender, &mut packet);
        assert_eq!(outcome.has_answer(), sender.is_call());
        let fits = packet.len() <= packet.room.bytes && packet.handles.len() <= packet.room.handles;
        assert!(fits || !outcome.has_answer());
        drop(packet);
        assert_eq!(open_handles(), 0);
    }
}

/// A server that answers whatever it is asked with one message.
pub fn answering((bytes, handles): (Vec<u8>, Vec<(Kind, u32)>)) -> Fixed<Answering> {
    Fixed::new(Answering { bytes, handles })
}

/// See [`answering`].
pub struct Answering {
    bytes: Vec<u8>,
    handles: Vec<(Kind, u32)>,
}

impl Transport for Answering {
    type Handle = FakeHandle;

    fn call(&mut self, packet: &mut Packet<'_, FakeHandle>, room: Room, _: u32) -> Result<(), Failure> {
        // The kernel lets no larger answer through.
        self.bytes.truncate(room.bytes);
        self.handles.truncate(room.handles);
        packet.reset();
        let mut buffer = vec![0; BUFFER];
        carry(&mut arrived(&mut buffer, &self.bytes, &self.handles), packet);
        Ok(())
    }

    fn send(&mut self, _: &mut Packet<'_, FakeHandle>, _: u32) -> Result<(), Failure> {
        Ok(())
    }
}

/// Damaged answers for a client: no panic, no handle left open, and some whole ones that get through.
pub fn answer_storm(seed: Seed, mut ask: impl FnMut((Vec<u8>, Vec<(Kind, u32)>)) -> bool) {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let most = golden(seed.0).len() + 16;
    let mut whole = 0;
    for _ in 0..STORM / 10 {
        let answer = damaged(&mut numbers, seed, most);
        whole += usize::from(ask(answer));
        assert_eq!(open_handles(), 0);
    }
    assert!(whole > 0 && whole < STORM / 10, "{whole} answers were whole");
}
