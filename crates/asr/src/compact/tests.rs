use proptest::prelude::*;

use super::*;
use crate::model_file::tests::file;

fn halves_of(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| f16::from_f32(*number).to_le_bytes()).collect()
}

/// A matrix of 18 rows of 5, a convolution, a vector and a number.
fn small() -> Vec<u8> {
    let matrix: Vec<f32> = (0..90).map(|i| (i as f32 - 45.0) * if i < 5 { 0.0 } else { 0.25 }).collect();
    let arrays = [
        ("a/weight", vec![18, 5], 4, halves_of(&matrix)),
        ("b/weight", vec![2, 2, 3], 4, halves_of(&[1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12.])),
        ("c", vec![3], 4, halves_of(&[0.5, -0.5, 2.0])),
        ("d", vec![], 2, vec![4, 1]),
    ];
    let model = file(&arrays, ("e", "a"));
    compact(ModelBytes { model: &model, config: b"{}", vocabulary: b"words" }).expect("it is well formed")
}

fn read(bytes: &[u8]) -> Result<CompactFile, AsrError> {
    CompactFile::read(&mut &*bytes)
}

#[test]
fn what_is_written_is_read_again() {
    let file = read(&small()).expect("it is whole");
    assert_eq!(
        (file.text(CONFIG).expect("there"), file.text(VOCABULARY).expect("there")),
        (&b"{}"[..], &b"words"[..])
    );
    assert!(file.text("c").is_err());
    let Some(Entry::Matrix { shape: [18, 5], scales, panels }) = file.entries.get("a/weight") else {
        panic!("{:?}", file.entries)
    };
    assert_eq!((scales.len(), panels.clone()), (2 * LANES * 4, 0..2 * 2 * LANES * DEPTH));
    for row in 0..18 {
        let scale: [u8; 4] = file.head[scales.clone()][row * 4..][..4].try_into().expect("four bytes");
        for column in 0..5 {
            let group = row / LANES * 2 + column / DEPTH;
            let byte = file.panels.as_slice()[group * 64 + row % LANES * DEPTH + column % DEPTH];
            let weight = f32::from(byte.cast_signed()) * f32::from_le_bytes(scale);
            let i = row * 5 + column;
            let exact = (i as f32 - 45.0) * if i < 5 { 0.0 } else { 0.25 };
            assert!((weight - exact).abs() <= f32::from_le_bytes(scale) * 0.501, "{row} {column}: {weight} {exact}");
        }
    }
    let Some(Entry::Numbers { shape: [2, 6], data }) = file.entries.get("b/weight") else { panic!("a convolution") };
    let numbers: Vec<f32> =
        file.head[data.clone()].as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert_eq!(numbers, [1., 4., 2., 5., 3., 6., 7., 10., 8., 11., 9., 12.]);
    let Some(Entry::Numbers { shape: [1, 1], data }) = file.entries.get("d") else { panic!("a number") };
    assert_eq!(file.head[data.clone()], 260.0_f32.to_le_bytes());
}

#[test]
fn a_file_cut_anywhere_or_with_a_tail_is_refused() {
    let bytes = small();
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    assert!(read(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn a_weight_out_of_range_and_sizes_beyond_all_reason_are_refused() {
    let mut bytes = small();
    let last = bytes.len() - 1;
    bytes[last] = 0x80;
    assert!(read(&bytes).err().expect("128").to_string().contains("out of range"));
    let mut bytes = small();
    bytes[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(read(&bytes).err().expect("a large file").to_string().contains("too large"));
    let mut bytes = small();
    bytes[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(read(&bytes).err().expect("a large head").to_string().contains("too large"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_changed_bytes_make_it_panic(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        let mut bytes = small();
        let n_bytes = bytes.len();
        for (at, byte) in changes {
            // The panels' stated size is left alone: most changes of it would only ask for a gigabyte of zeros.
            let at = at % n_bytes;
            if !(16..24).contains(&at) {
                bytes[at] = byte;
            }
        }
        let _ = read(&bytes);
    }
}
