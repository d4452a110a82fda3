//! A whole Whisper of a few numbers, to be damaged and to be shouted at.

use proptest::prelude::*;

use super::*;
use crate::model_file::tests::file;

const WIDTH: u32 = 4;
const VOCABULARY: &str = "!\nĠ\na\nb\nĠa\n<|endoftext|>\n<|startoftranscript|>\n<|nocaptions|>\n<|notimestamps|>\n";
const N_TOKENS: u32 = 9;

/// An f16 array of small numbers that look like chance.
fn halves(name: String, shape: &[u32]) -> (String, Vec<u32>, u8, Vec<u8>) {
    let seed = name.bytes().fold(7_u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let half = |i: u32| {
        half::f16::from_f32((seed.wrapping_add(i).wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0 - 0.5)
    };
    let bytes = (0..shape.iter().product()).flat_map(|i| half(i).to_le_bytes()).collect();
    (name, shape.to_vec(), 4, bytes)
}

fn layer(prefix: &str, name: &str, outputs: u32, inputs: u32, arrays: &mut Vec<(String, Vec<u32>, u8, Vec<u8>)>) {
    arrays.push(halves(format!("{prefix}/{name}/weight"), &[outputs, inputs]));
    arrays.push(halves(format!("{prefix}/{name}/bias"), &[outputs]));
}

fn norm(prefix: &str, arrays: &mut Vec<(String, Vec<u32>, u8, Vec<u8>)>) {
    arrays.push(halves(format!("{prefix}/layer_norm/gamma"), &[WIDTH]));
    arrays.push(halves(format!("{prefix}/layer_norm/beta"), &[WIDTH]));
}

fn model() -> Vec<u8> {
    let mut arrays = Vec::new();
    for (half, positions) in [("encoder", 1_500), ("decoder", 20)] {
        arrays.push((format!("{half}/num_heads"), vec![], 2, vec![2, 0]));
        arrays.push(halves(format!("{half}/position_encodings/encodings"), &[positions, WIDTH]));
        norm(half, &mut arrays);
        let layer_0 = format!("{half}/layer_0");
        for part in ["self_attention", "ffn"] {
            norm(&format!("{layer_0}/{part}"), &mut arrays);
        }
        layer(&layer_0, "self_attention/linear_0", 3 * WIDTH, WIDTH, &mut arrays);
        layer(&layer_0, "self_attention/linear_1", WIDTH, WIDTH, &mut arrays);
        layer(&layer_0, "ffn/linear_0", 4 * WIDTH, WIDTH, &mut arrays);
        layer(&layer_0, "ffn/linear_1", WIDTH, 4 * WIDTH, &mut arrays);
    }
    for (name, inputs) in [("conv1", 80), ("conv2", WIDTH)] {
        arrays.push(halves(format!("encoder/{name}/weight"), &[WIDTH, inputs, 3]));
        arrays.push(halves(format!("encoder/{name}/bias"), &[WIDTH]));
    }
    norm("decoder/layer_0/attention", &mut arrays);
    for (i, outputs) in [WIDTH, 2 * WIDTH, WIDTH].into_iter().enumerate() {
        layer("decoder/layer_0", &format!("attention/linear_{i}"), outputs, WIDTH, &mut arrays);
    }
    arrays.push(halves("decoder/embeddings/weight".to_owned(), &[N_TOKENS, WIDTH]));
    let arrays: Vec<_> = arrays
        .iter()
        .map(|(name, shape, kind, bytes)| (name.as_str(), shape.clone(), *kind, bytes.clone()))
        .collect();
    file(&arrays, ("decoder/projection/weight", "decoder/embeddings/weight"))
}

fn load(model: &[u8]) -> Result<Whisper, AsrError> {
    let config = br#"{"suppress_ids":[0,6,999999],"suppress_ids_begin":[5]}"#;
    Whisper::from_bytes(ModelBytes { model, config, vocabulary: VOCABULARY.as_bytes() })
}

#[test]
fn a_whisper_of_a_few_numbers_hears_something_within_its_limits() {
    let whisper = load(&model()).expect("it is well formed");
    let sound: Vec<f32> = (0..16_000).map(|i| (i as f32 * 0.3).sin() * 0.3).collect();
    for window in [Window::Cut, Window::Full] {
        let heard = whisper.transcribe(&sound, &Options { window, ..Options::to_the_end() }).expect("it hears");
        assert!(heard.tokens.expose().iter().all(|token| (1..=4).contains(token)), "{:?}", heard.tokens.expose());
        assert!(heard.avg_logprob <= 0.0 && (0.0..=1.0).contains(&heard.no_speech), "{heard:?}");
    }
}

#[test]
fn a_phrase_has_a_probability_and_a_bad_one_is_refused() {
    let whisper = load(&model()).expect("it is well formed");
    let sound: Vec<f32> = (0..16_000).map(|i| (i as f32 * 0.3).sin() * 0.3).collect();
    for bad in [&[][..], &[" "], &["c"], &["a"; 17]] {
        assert!(matches!(whisper.phrase(bad), Err(AsrError::BadPhrase(_))), "{bad:?}");
    }
    let phrase = whisper.phrase(&["a", " a "]).expect("a token");
    let spot = whisper.spot(&sound, &phrase, &|| false).expect("it is short").log_probability;
    assert!((-8.0..0.0).contains(&spot), "{spot}");
    // Two tokens are less likely than the first alone.
    let longer = whisper.phrase(&["ab"]).expect("two tokens");
    let spot_longer = whisper.spot(&sound, &longer, &|| false).expect("it is short").log_probability;
    assert!((-12.0..spot).contains(&spot_longer), "{spot_longer}");
    let silence = whisper.spot(&[0.0; 16_000], &phrase, &|| false).expect("it is short");
    assert!((silence.log_probability + 12.0).abs() < 1e-6);
    assert!(matches!(whisper.spot(&sound, &phrase, &|| true), Err(AsrError::Stopped)));
}

#[test]
fn paths_together_and_alone_have_the_same_scores() {
    let whisper = load(&model()).expect("it is well formed");
    let sound: Vec<f32> = (0..16_000).map(|i| (i as f32 * 0.3).sin() * 0.3).collect();
    let mut session = whisper.session();
    assert!(whisper.hear(&mut session, &sound, &Options::to_the_end()).expect("it is short"));
    let start = whisper.begin(&mut session, &[]).expect("there is room");
    let (mut together, mut alone, mut scores, mut few) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    whisper.extend(&mut session, &[start; 3], &[2, 3, 4], &mut together).expect("there is room");
    let mut all = Vec::new();
    for path in &together {
        whisper.scores(&mut session, *path, &mut scores).expect("a path of this request");
        whisper.scores_of(&mut session, *path, &[8, 2, 99], &mut few).expect("a path of this request");
        assert_eq!(few, [scores[8], scores[2], f32::MIN]);
        all.push(scores.clone());
    }
    assert_ne!(all[0], all[1]);
    session.keep(&together[2..]);
    for (token, expected) in [2, 3, 4].into_iter().zip(&all) {
        whisper.extend(&mut session, &[start], &[token], &mut alone).expect("there is room");
        whisper.scores(&mut session, alone[0], &mut scores).expect("a path of this request");
        assert_eq!(scores, *expected);
    }
    // A second sound makes the first one's paths worthless, and a token beyond the last is none.
    assert!(whisper.extend(&mut session, &[start], &[99], &mut alone).is_err());
    assert!(whisper.begin(&mut session, &[2]).is_err(), "this vocabulary has nothing to begin a prompt with");
    assert!(whisper.hear(&mut session, &sound, &Options::to_the_end()).expect("it is short"));
    assert!(whisper.scores(&mut session, start, &mut scores).is_err());
    assert!(whisper.extend(&mut session, &[start], &[2], &mut alone).is_err());
}

#[test]
fn too_much_sound_and_being_stopped_are_errors() {
    let whisper = load(&model()).expect("it is well formed");
    let long = vec![0.1; 30 * 16_000 + 1];
    assert!(matches!(whisper.transcribe(&long, &Options::to_the_end()), Err(AsrError::TooLong { .. })));
    assert!(whisper.transcribe(&long[1..], &Options::to_the_end()).is_ok());
    let stopped = Options { window: Window::Cut, stop: &|| true };
    assert!(matches!(whisper.transcribe(&long[..16_000], &stopped), Err(AsrError::Stopped)));
}

#[test]
fn what_is_missing_or_misshapen_is_named() {
    let bytes = model();
    let name = b"decoder/layer_0/attention/linear_1/weight";
    let at = bytes.windows(name.len()).position(|window| window == name).expect("it is there");
    let mut renamed = bytes.clone();
    renamed[at] = b'x';
    assert!(
        load(&renamed).expect_err("it is gone").to_string().contains("decoder/layer_0/attention/linear_1/weight")
    );
    let mut flat = bytes.clone();
    let shape = at + name.len() + 1 + 1;
    flat[shape] = 4;
    flat[shape + 4] = 8;
    assert!(load(&flat).expect_err("it is 4 by 8").to_string().contains("linear_1/weight\" has the wrong shape"));
    let mut infinite = bytes;
    let first_number = at + name.len() + 1 + 1 + 8 + 1 + 4;
    infinite[first_number..first_number + 2].copy_from_slice(&half::f16::INFINITY.to_le_bytes());
    assert!(load(&infinite).expect_err("it is no number").to_string().contains("not numbers"));
}

#[test]
fn nothing_and_what_is_no_number_say_nothing_or_something() {
    let whisper = load(&model()).expect("it is well formed");
    for sound in [vec![], vec![0.0; 5_000], vec![f32::NAN; 5_000]] {
        assert_eq!(whisper.transcribe(&sound, &Options::to_the_end()).expect("it hears").text.expose(), "");
    }
    for sound in [vec![f32::MAX; 5_000], vec![1e-30; 1], vec![-1.0; 159]] {
        assert!(whisper.transcribe(&sound, &Options::to_the_end()).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_damage_makes_it_panic(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..40)) {
        let mut bytes = model();
        let n_bytes = bytes.len();
        for (at, byte) in changes {
            // Half of the damage goes to the beginning, where the names and shapes of the first arrays are.
            let reach = if byte % 2 == 0 { n_bytes } else { 300 };
            bytes[at % reach] = byte;
        }
        if let Ok(whisper) = load(&bytes) {
            prop_assert!(whisper.transcribe(&[0.25; 4_000], &Options::to_the_end()).is_ok());
        }
    }
}
