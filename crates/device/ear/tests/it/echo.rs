//! The device's own playback: pairs of what a microphone hears and what was played, made of voices, a room and
//! a small loudspeaker that distorts.

use base::SampleIndex;
use ear::echo::{ECHO_FRAME, EchoCanceller, Playback, REFUSE_FROM};
use ear::{Models, WakeDetector, Word};
use test_speech::{Clip, people};

const RATE: usize = 16_000;
/// Every so-manieth recording of the word is tried, from this one on: others were used to choose [`REFUSE_FROM`].
const EVERY: usize = 8;
const FIRST: usize = 4;
/// [`REFUSE_FROM`] is chosen by people. Of synthetic voices, whose sentences are all alike, so many of the thirty may wake.
const SYNTHETIC_KEPT_MAX: usize = 2;

/// What came of one pair.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    /// Wakes on the microphone as it is, behind the canceller, and of those the ones not refused.
    raw: bool,
    cancelled: bool,
    kept: bool,
    /// The correlation of the first wake behind the canceller.
    correlation: Option<f32>,
}

/// A room's response: the direct sound after `delay` samples, then a decaying tail of 0.3 s to a sixtieth of a decibel.
fn room(delay: usize, seed: usize) -> Vec<f32> {
    let tail = crate::stream::noise(RATE / 4 + seed, 1_000.0);
    let mut response = vec![0.0; delay];
    response.push(1.0);
    response.extend(
        tail[seed..].iter().enumerate().map(|(index, noise)| {
            f32::from(*noise) / 1_000.0 * 0.12 * (-(index as f32) / (0.04 * RATE as f32)).exp()
        }),
    );
    response
}

/// `sound` as a small loudspeaker plays it into the room and the microphone hears it, at `gain`.
fn echo(sound: &[i16], response: &[f32], gain: f32) -> Vec<f32> {
    let played: Vec<f32> = sound.iter().map(|sample| (f32::from(*sample) / 20_000.0).tanh() * 20_000.0).collect();
    let mut heard = vec![0.0; sound.len() + response.len()];
    for (index, weight) in response.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
        for (sum, sample) in heard[index..].iter_mut().zip(&played) {
            *sum += weight * sample * gain;
        }
    }
    heard.truncate(sound.len());
    heard
}

fn loud(pcm: &[i16], level: f32) -> Vec<i16> {
    let power = pcm.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / pcm.len().max(1) as f32;
    let gain = level / power.sqrt().max(1.0);
    pcm.iter().map(|sample| (f32::from(*sample) * gain).clamp(-32_768.0, 32_767.0) as i16).collect()
}

fn mixed(a: &[f32], b: &[i16], at: usize) -> Vec<i16> {
    let noise = crate::stream::noise(a.len(), 15.0);
    let person = |index: usize| index.checked_sub(at).and_then(|index| b.get(index)).map_or(0.0, |s| f32::from(*s));
    let sum = |index: usize| a[index] + f32::from(noise[index]) + person(index);
    (0..a.len()).map(|index| sum(index).clamp(-32_768.0, 32_767.0) as i16).collect()
}

fn play(models: &Models, microphone: &[i16], reference: &[i16]) -> Outcome {
    let detector = || WakeDetector::new(models, Word::Alexa, None).expect("the shipped weights are whole");
    let mut outcome = Outcome { raw: detector().push(microphone).is_some(), ..Outcome::default() };
    let (mut canceller, mut detector, mut playback) = (EchoCanceller::new(), detector(), Playback::new(models));
    let mut at = 0;
    for (heard, played) in microphone.chunks(640).zip(reference.chunks(640)) {
        canceller.push(heard, played, |clean| {
            playback.push(clean.subtracted, &reference[at..][..ECHO_FRAME]);
            at += ECHO_FRAME;
            if let Some(wake) = detector.push(clean.subtracted) {
                let correlation = playback.correlation(wake.onset, wake.at);
                outcome.cancelled = true;
                outcome.kept |= correlation < REFUSE_FROM;
                outcome.correlation.get_or_insert(correlation);
            }
        });
    }
    outcome
}

/// Chords of a few overtones with a beat, another one every half second.
fn music(len: usize) -> Vec<i16> {
    let note = |index: usize| {
        let at = index as f32 / RATE as f32;
        let bar = index / (RATE / 2);
        let beat = (-(at * 2.0).fract() * 4.0).exp();
        let chord = [0, 4, 7].map(|step| 220.0 * ((bar * 5 % 12 + step) as f32 / 12.0).exp2());
        let voice = |hertz: f32| {
            (1..6_u8).map(move |k| (at * hertz * f32::from(k) * std::f32::consts::TAU).sin() / f32::from(k))
        };
        beat * chord.iter().map(|hertz| voice(*hertz).sum::<f32>()).sum::<f32>()
    };
    (0..len).map(|index| (note(index) * 1_500.0) as i16).collect()
}

fn tell(what: &str, outcomes: &[Outcome]) -> usize {
    let count = |test: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| test(outcome)).count();
    let kept = count(|outcome| outcome.kept);
    let mut found: Vec<f32> = outcomes.iter().filter_map(|outcome| outcome.correlation).collect();
    found.sort_by(f32::total_cmp);
    let (raw, cancelled) = (count(|outcome| outcome.raw), count(|outcome| outcome.cancelled));
    eprintln!(
        "{what}: of {} wake {raw}, behind the canceller {cancelled}, not refused {kept}; {found:.2?}",
        outcomes.len()
    );
    kept
}

#[test]
fn own_playback_does_not_wake_and_a_person_does() {
    let Some(models) = crate::models() else { return };
    check_playback(
        "synthetic voices",
        (SYNTHETIC_KEPT_MAX, 2),
        &models,
        &test_speech::clear_words("Alexa"),
        &test_speech::commands(20),
    );
    let words: Vec<Clip> = people::clips("picovoice-wwb", "alexa").into_iter().skip(FIRST).step_by(EVERY).collect();
    if !words.is_empty() {
        check_playback("people", (0, 3), &models, &words, &people::clips("speech-to-phrase", ""));
    }
}

/// At most so many wakes by playback; and in so many of the three rooms a person who speaks is heard (over a reply in one's
/// own voice nobody is: the synthetic voices say word and reply).
fn check_playback(
    who: &str,
    (kept_max, rooms_heard_in): (usize, usize),
    models: &Models,
    words: &[Clip],
    talk: &[Clip],
) {
    let words: Vec<_> = words.iter().map(|word| loud(&word.pcm, 2_500.0)).collect();
    let talk: Vec<i16> = talk.iter().flat_map(|command| loud(&command.pcm, 2_500.0)).collect();
    let lead = 4 * RATE;
    let with_word = |before: &[i16], word: &[i16]| [before, word, &vec![0; RATE]].concat();
    let rooms: Vec<_> = (0..words.len()).map(|index| room(160 + index * 97 % 1_600, index)).collect();
    let own = |before: &dyn Fn(usize) -> Vec<i16>| -> Vec<Outcome> {
        let pairs = words.iter().zip(&rooms).enumerate();
        pairs
            .map(|(index, (word, response))| {
                let reference = with_word(&before(index), word);
                play(models, &mixed(&echo(&reference, response, 0.7), &[], 0), &reference)
            })
            .collect()
    };
    let person = |background: &dyn Fn(usize) -> Vec<i16>| -> Vec<Outcome> {
        let pairs = words.iter().zip(&rooms).enumerate();
        pairs
            .map(|(index, (word, response))| {
                let reference = background(index);
                play(models, &mixed(&echo(&reference, response, 0.7), word, lead), &reference)
            })
            .collect()
    };
    let talk_of =
        |index: usize, len: usize| talk.iter().cycle().skip(index * 20_000).take(len).copied().collect::<Vec<_>>();
    let length = lead + 3 * RATE;
    let mut playback_kept = 0;
    playback_kept += tell("own voice says the word at once", &own(&|_| vec![0; RATE / 2]));
    playback_kept += tell("own voice says it in a reply", &own(&|index| talk_of(index, lead)));
    playback_kept += tell("a song has it", &own(&|_| music(lead)));
    let person_kept = [
        tell("a person in silence", &person(&|_| vec![0; length])),
        tell("a person over music", &person(&|_| music(length))),
        tell("a person over a reply", &person(&|index| talk_of(index, length))),
    ];
    eprintln!("{who}: playback not refused: {playback_kept}; people: {person_kept:?} of {}", words.len());
    assert!(playback_kept <= kept_max, "{playback_kept} wakes by playback of {who}");
    assert!(person_kept[..rooms_heard_in].iter().all(|kept| kept + 1 >= words.len()), "{who}: {person_kept:?}");
}

#[test]
fn the_devices_own_tone_is_thirty_decibels_down_once_it_has_spoken() {
    // A synthetic voice holds few frequencies: the room is known once a tone has sounded besides.
    check_tone("synthetic voices", &test_speech::commands(12), 2);
    let people = people::clips("speech-to-phrase", "");
    if !people.is_empty() {
        check_tone("people", &people, 1);
    }
}

fn check_tone(who: &str, talk: &[Clip], from: usize) {
    let talk: Vec<i16> = talk.iter().flat_map(|command| loud(&command.pcm, 2_500.0)).collect();
    // A quarter of a second of a bell: partials that fade.
    let bell = |index: usize| {
        let at = index as f32 / RATE as f32;
        let partial = |k: f32| (at * 660.0 * k * std::f32::consts::TAU).sin() / k;
        ([1.0, 1.5, 2.01, 2.76, 4.1, 5.4].map(partial).iter().sum::<f32>() * (-at * 12.0).exp() * 6_000.0) as i16
    };
    let tone: Vec<i16> = (0..RATE / 4).map(bell).collect();
    let pause = vec![0; RATE];
    let reference = [&tone[..], &pause, &talk[..6 * RATE], &pause, &tone, &pause, &tone, &pause].concat();
    let microphone = mixed(&echo(&reference, &room(480, 3), 0.7), &[], 0);
    let (mut canceller, mut clean) = (EchoCanceller::new(), Vec::new());
    canceller.push(&microphone, &reference, |frame| clean.extend_from_slice(frame.suppressed));
    let power = |pcm: &[i16]| pcm.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / pcm.len() as f64;
    let starts = [0, RATE * 5 / 4 + 7 * RATE, RATE * 5 / 4 + 7 * RATE + RATE * 5 / 4];
    let down = starts.map(|start| {
        let span = start + 480..start + RATE / 4 + 480;
        10.0 * (power(&microphone[span.clone()]) / power(&clean[span]).max(1e-3)).log10()
    });
    eprintln!("{who}: the tone is down by {down:.0?} dB: before the device ever spoke, after a reply, and again");
    assert!(down[from..].iter().all(|down| *down >= 30.0), "{who}: {down:.0?}");
}

#[test]
fn one_side_may_run_ahead_and_nothing_is_lost() {
    let mut canceller = EchoCanceller::new();
    let sound = crate::stream::noise(RATE, 500.0);
    let mut clean = 0;
    canceller.push(&sound, &[], |frame| clean += frame.suppressed.len());
    // What waits for its reference is 160 ms at most.
    assert!(clean + 2_560 >= sound.len() && clean <= sound.len(), "{clean}");
    canceller.push(&[], &sound, |frame| clean += frame.suppressed.len());
    assert!(clean + ECHO_FRAME > sound.len(), "{clean}");
    for _ in 0..20 {
        canceller.push(&sound[..100], &sound[..3_000], |_| {});
    }
}

#[test]
fn what_is_too_old_or_too_new_has_nothing_in_common() {
    let Some(models) = crate::models() else { return };
    let mut playback = Playback::new(&models);
    assert_eq!(playback.correlation(SampleIndex(0), SampleIndex(0)), 0.0);
    let sound: Vec<i16> =
        (0..8).flat_map(|n| crate::stream::noise(4_000, if n % 2 == 0 { 3_000.0 } else { 30.0 })).collect();
    playback.push(&sound, &sound);
    assert!(playback.correlation(SampleIndex(8_000), SampleIndex(24_000)) > 0.99);
    assert_eq!(
        playback.correlation(SampleIndex(u64::MAX - 5), SampleIndex(u64::MAX)),
        playback.correlation(SampleIndex(27_000), SampleIndex(32_000))
    );
    playback.push(&vec![0; 6 * RATE], &vec![0; 6 * RATE]);
    assert_eq!(playback.correlation(SampleIndex(8_000), SampleIndex(24_000)), 0.0);
}
