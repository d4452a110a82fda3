//! Token by token against the oracle, in its own window of 30 s: along the tokens that it chose, ours must choose the same
//! wherever its best two lie further apart than the rounding of weights to 8 bits can matter.
//!
//! `tests/oracle.py` makes the lists of tokens and margins, with CTranslate2 in float32.

use asr::{Options, Whisper, Window};

use super::{data, model_folder, recording, say, whisper_of};

/// In logits. Where the oracle's best exceeds its next by less, either is a matter of rounding.
const NOISE: f32 = 1.0;

/// Of all positions, so many may differ at all.
const DIFFERENT_SHARE_MAX: f64 = 0.08;

/// What a model never says, by its `config.json`.
struct Suppressed {
    always: Vec<u32>,
    at_first: Vec<u32>,
}

fn suppressed(config: &[u8]) -> Suppressed {
    let config: serde_json::Value = serde_json::from_slice(config).expect("the model's own file");
    let list = |name: &str| -> Vec<u32> {
        let ids = config[name].as_array().into_iter().flatten();
        ids.filter_map(|id| u32::try_from(id.as_u64()?).ok()).collect()
    };
    Suppressed { always: list("suppress_ids"), at_first: list("suppress_ids_begin") }
}

/// The token that ours would choose.
fn choice(whisper: &Whisper, scores: &[f32], never: &Suppressed, is_first: bool, end: u32) -> u32 {
    let may_be_said = |token: &u32| {
        let is_steering = whisper.vocabulary().bytes(*token).is_empty() && *token != end;
        !(is_steering || never.always.contains(token) || is_first && never.at_first.contains(token))
    };
    let tokens = (0_u32..).zip(scores).filter(|(token, _)| may_be_said(token));
    tokens.max_by(|a, b| a.1.total_cmp(b.1)).expect("a vocabulary").0
}

fn follow(model: &str, list: &str) {
    let (Some(data), Some(whisper)) = (data(), whisper_of(model)) else { return };
    let folder = model_folder(model).expect("the model was just read");
    let never = suppressed(&std::fs::read(folder.join("config.json")).expect("the model's own file"));
    let (mut session, mut scores) = (whisper.session(), Vec::new());
    let (mut n_positions, mut different) = (0, Vec::new());
    for line in list.lines().skip(1) {
        let (file, steps) = line.split_once('\t').expect("two columns");
        let steps: Vec<(u32, f32)> = steps
            .split(' ')
            .map(|step| step.split_once(':').expect("a token and its margin"))
            .map(|(token, margin)| (token.parse().expect("a number"), margin.parse().expect("a number")))
            .collect();
        let end = steps.last().expect("the end").0;
        let options = Options { window: Window::Full, ..Options::to_the_end() };
        assert!(whisper.hear(&mut session, &recording(&data, file), &options).expect("it is short"));
        let mut path = whisper.begin(&mut session, &[]).expect("there is room");
        let mut longer = Vec::new();
        for (i, (token, margin)) in steps.into_iter().enumerate() {
            whisper.scores(&mut session, path, &mut scores).expect("a path of this request");
            let ours = choice(&whisper, &scores, &never, i == 0, end);
            n_positions += 1;
            if ours != token {
                let lead = scores[ours as usize] - scores[token as usize];
                different.push((file, i, token, margin, ours, lead));
            }
            whisper.extend(&mut session, &[path], &[token], &mut longer).expect("there is room");
            path = longer[0];
        }
    }
    say(&format!("{model}: {} of {n_positions} tokens differ from the oracle's", different.len()));
    for (file, i, token, margin, ours, lead) in &different {
        say(&format!("  {file} token {i}: {token} by {margin} there, {ours} by {lead:.2} here"));
    }
    assert!((different.len() as f64) < DIFFERENT_SHARE_MAX * f64::from(n_positions), "too many differ");
    assert!(different.iter().all(|step| step.3 <= NOISE), "some differ where the oracle was sure");
}

#[test]
fn tiny_en_chooses_the_oracles_tokens() {
    follow("whisper-tiny-en", include_str!("tokens.tiny.en.tsv"));
}

#[test]
fn base_chooses_the_oracles_tokens() {
    follow("whisper-base", include_str!("tokens.base.tsv"));
}
