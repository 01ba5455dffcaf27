//! Requests that come over the line, and their answers, at once or later. Any bytes may come; what goes out is whole frames.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use nexus_abi::Identity;
use nexus_abi::bounds::MAX_MESSAGE_BYTES;
use nexus_link::{Frame, Kind, Receiver, Refusal};
use nexus_rt::wire::{NoHandle, Outcome, Packet, Promise, Replier, Sender};

/// While more than so many bytes wait to be sent, nothing more is taken from the line: whoever does not read its answers waits.
pub const MAX_WAITING: usize = 16 << 10;

/// The line.
#[derive(Debug)]
pub struct Line {
    receiver: Receiver,
    out: Vec<u8>,
    buffer: Box<[u8; MAX_MESSAGE_BYTES]>,
    /// Terminal and number of each request that is to be answered later, by its token.
    owed: BTreeMap<u64, (u16, u32)>,
    last_token: u64,
}

impl Default for Line {
    fn default() -> Line {
        Line {
            receiver: Receiver::default(),
            out: Vec::new(),
            buffer: Box::new([0; MAX_MESSAGE_BYTES]),
            owed: BTreeMap::new(),
            last_token: 0,
        }
    }
}

impl Line {
    /// Takes a byte that came. If it completes a request of one of the interfaces, `dispatch` has it answered: the key of its sender is the
    /// terminal. A request that it drops is refused: who is to answer it is away.
    pub fn feed(
        &mut self,
        byte: u8,
        interfaces: &[u32],
        dispatch: impl FnOnce(u32, Sender, &mut Packet<'_, NoHandle>) -> Outcome,
    ) {
        let Some(frame) = self.receiver.push(byte) else { return };
        let Frame { kind: Kind::Request, terminal, number, payload } = frame else { return };
        let mut packet = Packet::new(&mut self.buffer[..]);
        let loaded = packet.load(payload);
        let is_of = |interface: &&u32| loaded && packet.operation(**interface).is_some();
        let Some(interface) = interfaces.iter().find(is_of) else {
            return refuse(&mut self.out, terminal, number, Refusal::Unknown);
        };
        self.last_token += 1;
        let token = self.last_token;
        let sender = Sender { identity: Identity::default(), key: terminal.into(), token };
        match dispatch(*interface, sender, &mut packet) {
            Outcome::Answered | Outcome::Refused => {
                write(&mut self.out, terminal, number, &mut packet);
            }
            Outcome::Kept => {
                self.owed.insert(token, (terminal, number));
            }
            Outcome::Dropped => refuse(&mut self.out, terminal, number, Refusal::Away),
            Outcome::Taken => {}
        }
    }

    /// Whether more may be taken from the line.
    pub fn has_room(&self) -> bool {
        self.out.len() <= MAX_WAITING
    }

    /// What waits to be sent.
    pub fn waiting(&self) -> &[u8] {
        &self.out
    }

    /// So much of it was sent.
    pub fn sent(&mut self, bytes: usize) {
        self.out.drain(..bytes.min(self.out.len()));
    }

    /// Pieces that came and were no frames.
    pub fn damaged(&self) -> u64 {
        self.receiver.damaged()
    }

    /// The device was reset: what was half said, on both ways, is lost, and so are the requests that wait.
    pub fn cut(&mut self) {
        self.receiver.cut();
        self.out.clear();
        self.owed.clear();
    }
}

fn refuse(out: &mut Vec<u8>, terminal: u16, number: u32, why: Refusal) {
    // One byte fits.
    let _ = Frame { kind: Kind::Refused, terminal, number, payload: &[why as u8] }.write(out);
}

fn write(out: &mut Vec<u8>, terminal: u16, number: u32, packet: &mut Packet<'_, NoHandle>) {
    if let Some(payload) = packet.message() {
        // No message is larger than a payload may be.
        let _ = Frame { kind: Kind::Answer, terminal, number, payload }.write(out);
    }
}

impl Replier for Line {
    type Handle = NoHandle;

    fn reply(&mut self, promise: Promise, write_to: impl FnOnce(&mut Packet<'_, NoHandle>) -> Outcome) {
        let Some((terminal, number)) = self.owed.remove(&promise.token) else { return };
        let mut packet = Packet::new(&mut self.buffer[..]);
        packet.room = promise.room;
        if write_to(&mut packet).has_answer() {
            write(&mut self.out, terminal, number, &mut packet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use nexus_rt::api::diag::{self, MachineReply};
    use nexus_rt::wire::{Header, Text};

    /// An interface whose server is not there.
    const AWAY: u32 = 7;

    /// Answers each machine with how many came before; keeps every log.
    #[derive(Default)]
    struct Desk {
        asked: u64,
        kept: Vec<diag::LogPromise>,
    }

    impl diag::Server for Desk {
        fn machine(&mut self, _: Sender) -> Result<MachineReply, diag::Error> {
            self.asked += 1;
            Ok(MachineReply { now: self.asked, hz: 2, damaged: 3 })
        }
        fn process(&mut self, _: Sender, _: u16) -> Result<diag::ProcessReply<'_>, diag::Error> {
            Err(diag::Error::NotFound)
        }
        fn log(
            &mut self,
            _: Sender,
            promise: diag::LogPromise,
            _: u64,
            _: bool,
        ) -> Result<Option<diag::LogReply<'_>>, diag::Error> {
            self.kept.push(promise);
            Ok(None)
        }
        fn kill(&mut self, _: Sender, _: Text<'_, 31>) -> Result<(), diag::Error> {
            Err(diag::Error::PermissionDenied)
        }
        fn holdings(&mut self, _: Sender, _: u16, _: u32) -> Result<diag::HoldingsReply, diag::Error> {
            Err(diag::Error::NotFound)
        }
        fn network(&mut self, _: Sender) -> Result<diag::NetworkReply, diag::Error> {
            Err(diag::Error::NotReady)
        }
    }

    fn request(terminal: u16, number: u32, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(Frame { kind: Kind::Request, terminal, number, payload }.write(&mut out));
        out
    }

    fn message(fill: impl FnOnce(&mut Packet<'_, NoHandle>)) -> Vec<u8> {
        let mut buffer = [0; 512];
        let mut packet = Packet::<NoHandle>::new(&mut buffer);
        fill(&mut packet);
        packet.message().unwrap().to_vec()
    }

    fn machine() -> Vec<u8> {
        message(|packet| diag::MachineRequest {}.encode(packet).unwrap())
    }

    fn log() -> Vec<u8> {
        message(|packet| diag::LogRequest { from: 0, wait: true }.encode(packet).unwrap())
    }

    fn feed(line: &mut Line, desk: &mut Desk, bytes: &[u8]) {
        for byte in bytes {
            line.feed(*byte, &[AWAY, diag::ID], |interface, sender, packet| match interface {
                AWAY => Outcome::Dropped,
                _ => diag::dispatch(desk, sender, packet),
            });
        }
    }

    fn answers(line: &mut Line) -> Vec<(Kind, u16, u32, Vec<u8>)> {
        let (mut receiver, mut found) = (Receiver::default(), Vec::new());
        for byte in line.waiting().to_vec() {
            if let Some(frame) = receiver.push(byte) {
                found.push((frame.kind, frame.terminal, frame.number, frame.payload.to_vec()));
            }
        }
        line.sent(usize::MAX);
        found
    }

    #[test]
    fn answers_go_to_who_asked_whatever_comes_between() {
        let (mut line, mut desk) = (Line::default(), Desk::default());
        feed(&mut line, &mut desk, &request(7, 70, &machine()));
        feed(&mut line, &mut desk, b"garbage\0 and more");
        let cut = request(8, 80, &machine());
        feed(&mut line, &mut desk, &cut[..cut.len() / 2]);
        feed(&mut line, &mut desk, &request(9, 90, &machine()));
        let got = answers(&mut line);
        let who: Vec<_> = got.iter().map(|(kind, terminal, number, _)| (*kind, *terminal, *number)).collect();
        assert_eq!(who, [(Kind::Answer, 7, 70), (Kind::Answer, 9, 90)]);
        assert_eq!(desk.asked, 2);
        assert_eq!(line.damaged(), 3);
    }

    #[test]
    fn what_is_no_request_of_the_interface_is_refused() {
        let (mut line, mut desk) = (Line::default(), Desk::default());
        for payload in [vec![], vec![1; 8], vec![0; 4096]] {
            feed(&mut line, &mut desk, &request(1, 2, &payload));
            let refused = (Kind::Refused, 1, 2, vec![Refusal::Unknown as u8]);
            assert_eq!(answers(&mut line), [refused]);
        }
        // Of the interface, but malformed: the answer says so.
        let mut long = machine();
        long.extend([0; 100]);
        feed(&mut line, &mut desk, &request(1, 3, &long));
        assert!(
            matches!(&answers(&mut line)[..], [(Kind::Answer, 1, 3, payload)] if payload[2..4] == [0xff; 2])
        );
        // An answer is no request.
        let mut out = Vec::new();
        assert!(Frame { kind: Kind::Answer, terminal: 1, number: 4, payload: &machine() }.write(&mut out));
        feed(&mut line, &mut desk, &out);
        assert!(answers(&mut line).is_empty());
        assert_eq!(desk.asked, 0);
    }

    #[test]
    fn what_nobody_can_answer_now_is_told_so() {
        let (mut line, mut desk) = (Line::default(), Desk::default());
        let asked = message(|packet| packet.write_words(Header::new(AWAY, 1), 16, |_| {}));
        feed(&mut line, &mut desk, &request(3, 4, &asked));
        assert_eq!(answers(&mut line), [(Kind::Refused, 3, 4, vec![Refusal::Away as u8])]);
        assert_eq!(desk.asked, 0);
    }

    #[test]
    fn a_later_answer_finds_its_way_once() {
        let (mut line, mut desk) = (Line::default(), Desk::default());
        for number in 0..3 {
            feed(&mut line, &mut desk, &request(5, number, &log()));
        }
        assert!(answers(&mut line).is_empty());
        for promise in desk.kept.drain(1..) {
            promise.keep(&mut line, Err(diag::Error::NotFound));
        }
        let who: Vec<_> =
            answers(&mut line).iter().map(|(_, terminal, number, _)| (*terminal, *number)).collect();
        assert_eq!(who, [(5, 1), (5, 2)]);
        feed(&mut line, &mut desk, &request(5, 3, &log()));
        line.cut();
        for promise in desk.kept.drain(..) {
            // Whoever asked was on the line that was cut.
            promise.keep(&mut line, Err(diag::Error::NotFound));
        }
        assert!(answers(&mut line).is_empty());
    }

    #[test]
    fn a_line_that_is_not_read_fills_up_to_its_bound() {
        let (mut line, mut desk) = (Line::default(), Desk::default());
        let one = request(1, 1, &machine());
        feed(&mut line, &mut desk, &one);
        let each = line.waiting().len();
        while line.has_room() {
            feed(&mut line, &mut desk, &one);
        }
        assert!(line.waiting().len() > MAX_WAITING && line.waiting().len() <= MAX_WAITING + each);
        line.sent(each);
        assert!(line.has_room());
        line.cut();
        assert!(line.waiting().is_empty());
    }
}
