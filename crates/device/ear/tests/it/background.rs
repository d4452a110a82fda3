//! Where requests end while a television talks, and that nobody who goes on softly is cut off for it.
//!
//! Voices are synthesised on the spot, so that this runs anywhere; human recordings are added where they are there.

use base::SampleCount;
use ear::endpoint::Opening;
use ear::vad::VadModel;
use test_speech::{Voice, people};

use crate::request_end::{LEVEL, PREROLL, RATE, end_of, model, speech_of};

/// A question is over so soon, whatever talks behind it.
const OVER_WITHIN_MS: i64 = 3_000;
const WORD: &str = "Alexa";
const QUESTIONS: [&str; 4] = [
    "What time is it?",
    "Set a timer for ten minutes, please.",
    "Turn off all of the lights in the kitchen.",
    "What is the weather like in New York tomorrow?",
];
const TALK: &str = "The committee met on Thursday to consider the proposal, and after a long debate its members decided that \
    nothing should be done before the spring. In other news, farmers in the north of the country report the driest \
    summer for thirty years, while the ports expect more ships than ever. We now go over to our correspondent, who \
    has spent the day among the people of the valley and has heard what they think of all this.";
/// Who asks, and in how many percent of the usual time.
const SPEAKERS: [(Voice, u32); 3] = [(Voice::Slt, 100), (Voice::Rms, 115), (Voice::British, 108)];
const TELEVISIONS: [Voice; 2] = [Voice::Kal, Voice::Awb];

/// Speech without the silence around it, at [`LEVEL`].
fn say(model: &VadModel, text: &str, (voice, percent): (Voice, u32)) -> Vec<f32> {
    speech_of(model, &voice.say_at(text, percent)).expect("a voice is speech")
}

fn db(gain_db: f32) -> f32 {
    10_f32.powf(gain_db / 20.0)
}

fn scaled(sound: &[f32], gain_db: f32) -> Vec<f32> {
    sound.iter().map(|s| s * db(gain_db)).collect()
}

/// Half a second, the word, a pause, the question, and 15 s after it, all with `talk` behind it at this gain and the hiss
/// of a quiet room. And the question's last sample.
fn scene(word: &[f32], pause_s: f32, question: &[f32], talk: &[f32], talk_db: f32) -> (Vec<i16>, usize) {
    let mut sound = vec![0.0; PREROLL];
    sound.extend_from_slice(word);
    sound.resize(sound.len() + (pause_s * RATE as f32) as usize, 0.0);
    sound.extend_from_slice(question);
    let end = sound.len();
    sound.resize(end + 15 * RATE, 0.0);
    let mut noise = 0x9e37_79b9_u32;
    let mut hiss = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((noise >> 8) as f32 / (1 << 24) as f32 - 0.5) * LEVEL * 0.03
    };
    let talk = talk.iter().cycle().map(|s| s * db(talk_db)).chain(std::iter::repeat(0.0));
    let mixed = sound.iter().zip(talk).map(|(s, t)| ((s + t + hiss()).clamp(-1.0, 1.0) * 32_767.0) as i16);
    (mixed.collect(), end)
}

/// How long after the question its end was found: less than nothing where it was cut short.
fn delay_ms(model: &VadModel, (pcm, end): &(Vec<i16>, usize)) -> i64 {
    let opening = Opening::WakeWord { onset: SampleCount(PREROLL as u64) };
    let found = end_of(model, pcm, opening).expect("the sound is as long as a stream may be");
    (found.decided_at.0 as i64 - *end as i64) / 16
}

/// From full level down by `fall_db` over the last part of the sound.
fn falling(sound: &[f32], fall_db: f32, from: f32) -> Vec<f32> {
    let n = sound.len() as f32;
    let gain = |i: usize| db(-fall_db * ((i as f32 / n - from) / 0.1).clamp(0.0, 1.0));
    sound.iter().enumerate().map(|(i, s)| s * gain(i)).collect()
}

/// The first half, a pause, and the rest.
fn hesitating(sound: &[f32], pause_s: f32) -> Vec<f32> {
    let (a, b) = sound.split_at(sound.len() / 2);
    [a, &vec![0.0; (pause_s * RATE as f32) as usize], b].concat()
}

#[test]
fn a_television_does_not_keep_a_question_open() {
    let Some(model) = model() else { return };
    let mut late = Vec::new();
    let mut n = 0;
    for television in TELEVISIONS {
        let talk = say(&model, TALK, (television, 100));
        for (i, speaker) in SPEAKERS.into_iter().enumerate() {
            let word = say(&model, WORD, speaker);
            for (j, question) in QUESTIONS.into_iter().enumerate() {
                let question = say(&model, question, speaker);
                for talk_db in [-15.0, -20.0, -25.0] {
                    // Another part of the talk each time.
                    let from = (i * 37 + j * 53) * RATE / 10;
                    let delay = delay_ms(&model, &scene(&word, 0.15, &question, &talk[from % talk.len()..], talk_db));
                    n += 1;
                    if !(0..=OVER_WITHIN_MS).contains(&delay) {
                        late.push((television, speaker.0, j, talk_db, delay));
                    }
                }
            }
        }
    }
    eprintln!("{} of {n} questions in front of a television cut short or kept open", late.len());
    assert!(late.is_empty(), "{late:?}");
}

#[test]
fn who_goes_on_softly_is_not_cut_off() {
    let Some(model) = model() else { return };
    let mut cut = Vec::new();
    let mut n = 0;
    for speaker in SPEAKERS {
        let word = say(&model, WORD, speaker);
        for (j, question) in QUESTIONS.into_iter().enumerate() {
            let question = say(&model, question, speaker);
            let ways = [
                ("falls by 10 dB", 0.15, word.clone(), falling(&question, 10.0, 0.5)),
                ("falls by 12 dB", 0.15, word.clone(), falling(&question, 12.0, 0.6)),
                ("walks away", 0.4, word.clone(), falling(&question, 12.0, 0.0)),
                ("called at 10 dB more", 0.15, scaled(&word, 10.0), question.clone()),
                ("called at 12 dB more", 0.4, scaled(&word, 12.0), question.clone()),
                ("called, after a second", 1.2, scaled(&word, 10.0), question.clone()),
                ("hesitates", 0.15, word.clone(), hesitating(&question, 0.4)),
                ("hesitates and falls", 0.15, word.clone(), falling(&hesitating(&question, 0.4), 10.0, 0.6)),
            ];
            for (way, pause_s, word, question) in ways {
                n += 1;
                let delay = delay_ms(&model, &scene(&word, pause_s, &question, &[0.0], 0.0));
                // The last tenth of a second of a voice that dies away is no word.
                if delay < -100 {
                    cut.push((way, speaker.0, j, delay));
                }
            }
        }
    }
    eprintln!("{} of {n} soft speakers cut short", cut.len());
    assert!(cut.is_empty(), "{cut:?}");
}

#[test]
fn people_in_front_of_a_television_and_people_who_fall_silent_slowly() {
    let Some(model) = model() else { return };
    let take = |source: &str, label: &str, step: usize| -> Vec<Vec<f32>> {
        let clips = people::clips(source, label).into_iter().step_by(step);
        clips.filter_map(|clip| speech_of(&model, &clip.pcm)).collect()
    };
    let mut words = take("picovoice-wwb", "alexa", 3);
    words.retain(|word| word.len() < RATE * 95 / 100);
    let questions = [take("speech-to-phrase", "", 2), take("picovoice-s2i", "", 3)].concat();
    let talks = take("resemblyzer-librispeech", "", 4);
    if words.is_empty() || questions.is_empty() || talks.is_empty() {
        return test_speech::skip("no recordings of people");
    }
    let talks: Vec<Vec<f32>> = talks.chunks(3).map(<[Vec<f32>]>::concat).collect();
    for talk_db in [-15.0, -20.0, -25.0] {
        let scenes = questions.iter().enumerate().map(|(i, question)| {
            let pause = [0.03, 0.4, 1.2][i % 3];
            scene(&words[i % words.len()], pause, question, &talks[i % talks.len()], talk_db)
        });
        let mut delays: Vec<i64> = scenes.map(|scene| delay_ms(&model, &scene)).collect();
        delays.sort_unstable();
        let n = delays.len();
        let cut = delays.iter().filter(|delay| **delay < 0).count();
        let late = delays.iter().filter(|delay| OVER_WITHIN_MS < **delay).count();
        eprintln!(
            "{talk_db} dB: of {n} questions {cut} cut short, {late} open for more than 3 s; p50 {} ms, p95 {} ms",
            delays[n / 2],
            delays[n * 95 / 100]
        );
        assert!(late * 10 <= n && cut * 20 <= n, "{talk_db} dB: {cut} cut short, {late} late of {n}");
    }
    for (way, fall_db, from) in [("fall by 10 dB", 10.0, 0.6), ("walk away", 12.0, 0.0)] {
        let scenes = questions.iter().enumerate().map(|(i, question)| {
            let pause = [0.03, 0.4, 1.2, 2.3][i % 4];
            scene(&words[i % words.len()], pause, &falling(question, fall_db, from), &[0.0], 0.0)
        });
        let cut = scenes.filter(|scene| delay_ms(&model, scene) < -100).count();
        eprintln!("{way}: {cut} of {} cut short", questions.len());
        assert!(cut == 0, "{way}: {cut} cut short");
    }
}
