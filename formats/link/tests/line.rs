//! Frames over a line that does what lines do, and what an enemy would.

use nexus_link::{BORDER, Frame, Kind, MAX_PAYLOAD, MAX_STUFFED, Receiver, Refusal};
use proptest::prelude::*;

/// A frame that owns its payload.
type Owned = (Kind, u16, u32, Vec<u8>);

fn written(frame: &Owned) -> Vec<u8> {
    let mut out = Vec::new();
    let (kind, terminal, number, payload) = frame;
    assert!(Frame { kind: *kind, terminal: *terminal, number: *number, payload }.write(&mut out));
    out
}

fn received(receiver: &mut Receiver, bytes: &[u8]) -> Vec<Owned> {
    let mut frames = Vec::new();
    for byte in bytes {
        if let Some(frame) = receiver.push(*byte) {
            frames.push((frame.kind, frame.terminal, frame.number, frame.payload.to_vec()));
        }
    }
    frames
}

fn any_frame() -> impl Strategy<Value = Owned> {
    let kind = prop_oneof![Just(Kind::Request), Just(Kind::Answer), Just(Kind::Refused)];
    let bytes = prop_oneof![Just(0u8), Just(255), any::<u8>()];
    (kind, any::<u16>(), any::<u32>(), proptest::collection::vec(bytes, 0..600))
}

#[test]
fn the_largest_payload_passes_and_one_byte_more_does_not() {
    for fill in [0, 1, 255] {
        let frame = (Kind::Answer, 1, 2, vec![fill; MAX_PAYLOAD]);
        let bytes = written(&frame);
        assert!(bytes.len() <= MAX_STUFFED + 2);
        assert_eq!(received(&mut Receiver::default(), &bytes), [frame]);
    }
    let mut out = Vec::new();
    let payload = &[1; MAX_PAYLOAD + 1];
    assert!(!Frame { kind: Kind::Answer, terminal: 1, number: 2, payload }.write(&mut out));
    assert!(out.is_empty());
}

#[test]
fn a_flood_without_a_border_is_dropped_and_the_next_frame_is_found() {
    let frame = (Kind::Request, 3, 4, b"after the flood".to_vec());
    // One byte less than the bound is kept until its border shows that it is no frame; from the bound on it is dropped at once.
    for length in [MAX_STUFFED - 1, MAX_STUFFED, MAX_STUFFED + 1, 10 * MAX_STUFFED] {
        let mut receiver = Receiver::default();
        assert!(received(&mut receiver, &vec![7; length]).is_empty());
        assert_eq!(receiver.kept(), length.min(MAX_STUFFED));
        assert_eq!(received(&mut receiver, &written(&frame)), std::slice::from_ref(&frame));
        assert_eq!(receiver.damaged(), 1);
    }
}

#[test]
fn every_single_bit_that_flips_is_noticed() {
    let frame = (Kind::Request, 0x0102, 0x0304_0506, b"a\0b".to_vec());
    let bytes = written(&frame);
    for bit in 8..(bytes.len() - 1) * 8 {
        let mut spoiled = bytes.clone();
        spoiled[bit / 8] ^= 1 << (bit % 8);
        let mut receiver = Receiver::default();
        assert!(received(&mut receiver, &spoiled).is_empty(), "bit {bit}");
        assert_eq!(received(&mut receiver, &bytes), std::slice::from_ref(&frame), "after bit {bit}");
        assert!(receiver.damaged() > 0);
    }
}

#[test]
fn a_line_that_is_cut_anywhere_goes_on_with_the_next_frame() {
    let frame = (Kind::Answer, 9, 9, vec![0; 300]);
    let bytes = written(&frame);
    for length in 0..bytes.len() {
        let mut receiver = Receiver::default();
        received(&mut receiver, &bytes[..length]);
        receiver.cut();
        assert_eq!(
            received(&mut receiver, &bytes),
            std::slice::from_ref(&frame),
            "told of the cut after {length}"
        );
        let mut receiver = Receiver::default();
        received(&mut receiver, &bytes[..length]);
        let last = received(&mut receiver, &bytes).pop();
        assert_eq!(last.as_ref(), Some(&frame), "not told of the cut after {length}");
    }
}

#[test]
fn numbers_that_stand_for_nothing_are_nothing() {
    assert_eq!((0..=255).filter_map(Kind::from_raw).count(), 3);
    assert_eq!((0..=255).filter_map(Refusal::from_raw).count(), 3);
}

proptest! {
    #[test]
    fn frames_arrive_as_they_were_sent_in_their_order(frames in proptest::collection::vec(any_frame(), 0..8)) {
        let bytes: Vec<u8> = frames.iter().flat_map(written).collect();
        let mut receiver = Receiver::default();
        prop_assert_eq!(received(&mut receiver, &bytes), frames);
        prop_assert_eq!(receiver.damaged(), 0);
    }

    #[test]
    fn whatever_comes_is_no_frame_or_one_that_was_sent(
        noise in proptest::collection::vec(any::<u8>(), 0..6000),
        frame in any_frame(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut receiver = Receiver::default();
        // 32 bits of checksum: noise this short is no frame by chance.
        prop_assert!(received(&mut receiver, &noise).is_empty());
        let bytes = written(&frame);
        let (head, tail) = bytes.split_at(cut.index(bytes.len()));
        let mixed = [head, &noise, &[BORDER], tail, &[BORDER], &bytes].concat();
        let frames = received(&mut receiver, &mixed);
        prop_assert!(!frames.is_empty());
        prop_assert!(frames.iter().all(|got| *got == frame));
    }
}
