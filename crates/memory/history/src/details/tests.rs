use proptest::prelude::*;

use super::*;

fn details() -> impl Strategy<Value = Details> {
    let cause = prop_oneof![
        ("[a-z]{1,9}", 0f32..1.0, any::<u64>()).prop_map(|(word, score, onset)| Cause::Wake {
            word,
            score,
            onset: SampleIndex(onset)
        }),
        Just(Cause::Button),
        Just(Cause::Answer),
        Just(Cause::FollowUp),
        Just(Cause::Enrolment),
    ];
    let slots = proptest::collection::btree_map(".{0,20}", ".{0,40}".prop_map(Redacted::new), 0..5);
    let intent =
        proptest::option::of((".{0,20}", slots).prop_map(|(name, slots)| Intent { name: name.into(), slots }));
    let timings = proptest::collection::btree_map("[a-z_]{1,12}", 0f64..1e6, 0..6);
    (cause, any::<(u64, u64, u64)>(), ".{0,200}", ".{0,400}", intent, timings).prop_map(
        |(cause, (start, preroll, length), transcript, reply, intent, timings_ms)| Details {
            cause,
            start: SampleIndex(start),
            preroll: SampleCount(preroll),
            length: SampleCount(length),
            transcript: transcript.into(),
            intent,
            reply: reply.into(),
            timings_ms,
        },
    )
}

proptest! {
    #[test]
    fn details_read_back_as_they_were_written(details in details()) {
        let bytes = encode(&details).expect("within the limits");
        prop_assert_eq!(bytes.len() % PADDED_TO, 0);
        prop_assert_eq!(decode(&bytes).expect("own bytes"), details);
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn changed_or_cut_bytes_never_panic(details in details(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&details).expect("within the limits");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode(&bytes);
        let _ = decode(&bytes[..at]);
    }
}

#[test]
fn what_is_too_long_is_cut_or_refused() {
    let mut details = Details {
        cause: Cause::Button,
        start: SampleIndex(0),
        preroll: SampleCount(0),
        length: SampleCount(0),
        transcript: "ä".repeat(TRANSCRIPT_CHARS_MAX + 1).into(),
        intent: None,
        reply: "é".repeat(REPLY_CHARS_MAX + 1).into(),
        timings_ms: BTreeMap::new(),
    };
    let kept = decode(&encode(&details).expect("cut")).expect("own bytes");
    assert_eq!(kept.transcript.expose().chars().count(), TRANSCRIPT_CHARS_MAX);
    assert_eq!(kept.reply.expose().chars().count(), REPLY_CHARS_MAX);
    details.timings_ms = (0..=ENTRIES_MAX).map(|n| (n.to_string(), 0.0)).collect();
    assert!(matches!(encode(&details), Err(HistoryError::TooMany { .. })));
}
