//! Number 8 of issue 17: Ogg Opus as recorders and joiners of files leave it.

use sound::{SoundReader, decode_bytes};

use crate::made::{OPUS, ogg_page, seal};

/// 1.44 s.
const SAMPLES: usize = 23_041;

fn heard(bytes: &[u8]) -> (Vec<i16>, bool) {
    let mut reader = SoundReader::from_bytes("x.opus", bytes.to_vec()).expect("a good file");
    let mut samples = Vec::new();
    while reader.read(&mut samples).expect("a good file") {}
    (samples, reader.is_cut())
}

/// The file's pages.
fn pages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"OggS")).collect();
    let ends = starts.iter().copied().skip(1).chain([bytes.len()]);
    starts.iter().zip(ends).map(|(start, end)| bytes[*start..end].to_vec()).collect()
}

#[test]
fn a_voice_is_heard() {
    let (samples, is_cut) = heard(OPUS);
    assert_eq!((samples.len(), is_cut), (SAMPLES, false));
    assert!(samples.iter().any(|sample| sample.unsigned_abs() > 3_000));
}

#[test]
fn streams_one_after_the_other_are_all_heard() {
    let (once, _) = heard(OPUS);
    // With the same number, as a file joined to itself; with another; and the second in stereo.
    let renumbered = |is_stereo: bool| -> Vec<u8> {
        let pages = pages(OPUS).into_iter().map(|mut page| {
            page[14..18].copy_from_slice(&77_u32.to_le_bytes());
            if is_stereo && page[28..].starts_with(b"OpusHead") {
                page[28 + 9] = 2;
            }
            seal(&mut page);
            page
        });
        pages.collect::<Vec<_>>().concat()
    };
    for second in [OPUS.to_vec(), renumbered(false), renumbered(true)] {
        let (twice, is_cut) = heard(&[OPUS, &second].concat());
        assert!(twice.len().abs_diff(2 * SAMPLES) <= 1 && !is_cut, "{}", twice.len());
        let later = &twice[SAMPLES + 100..2 * SAMPLES - 100];
        let difference = later.iter().zip(&once[100..]).map(|(one, two)| one.abs_diff(*two)).max();
        assert!(difference < Some(40), "the same again: {difference:?}");
    }
}

#[test]
fn a_stream_without_its_end_is_heard_as_far_as_it_goes() {
    let mut unended = pages(OPUS);
    let last = unended.last_mut().expect("a page");
    last[5] &= !4;
    seal(last);
    let (samples, is_cut) = heard(&unended.concat());
    assert!(samples.len() >= SAMPLES && samples.len() < SAMPLES + 1_000 && !is_cut, "{}", samples.len());
    // And another file behind it.
    let (samples, _) = heard(&[&unended.concat(), OPUS].concat());
    assert!(samples.len() > 2 * SAMPLES - 10, "{}", samples.len());
    // Within a page, which is then missing as a whole.
    let pages = pages(OPUS);
    let whole: usize = pages[..pages.len() - 1].iter().map(Vec::len).sum();
    let (samples, is_cut) = heard(&OPUS[..OPUS.len() - 9]);
    assert!(is_cut && samples.len() > 8_000, "{} of {whole} bytes", samples.len());
    for bytes in [40, 100] {
        let error = decode_bytes("x.opus", OPUS[..bytes].to_vec()).expect_err("no sound").to_string();
        assert_eq!(error, "x.opus: cut short, it ends before its header says");
    }
}

#[test]
fn what_lies_behind_the_end_is_passed_over() {
    for behind in [vec![0; 128], b"TAG and so on".to_vec(), vec![b'O'; 100_000]] {
        assert_eq!(heard(&[OPUS, &behind].concat()).0.len(), SAMPLES);
    }
}

#[test]
fn other_streams_beside_it_are_not_heard() {
    let pages = pages(OPUS);
    let skeleton = ogg_page(2, 0, 5, 0, &[b"fishead\0"]);
    let beside = ogg_page(0, 0, 5, 1, &[b"whatever", b""]);
    let mixed = [skeleton, pages[0].clone(), beside, pages[1..].concat()].concat();
    assert_eq!(heard(&mixed).0.len(), SAMPLES);
}

#[test]
fn a_page_that_was_changed_is_damage() {
    let mut changed = OPUS.to_vec();
    let at = changed.len() / 2;
    changed[at] ^= 1;
    let error = decode_bytes("x.opus", changed).expect_err("damaged").to_string();
    assert_eq!(error, "x.opus: damaged: a page's checksum is another");
}
