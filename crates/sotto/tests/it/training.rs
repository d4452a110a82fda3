//! `sotto wake train` and `sotto wake eval --retrain` from end to end, on few recordings and with few steps: what comes out
//! is useless, the way there is the real one.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ear::WordModel;
use learn::wake::scores::Scores;

use test_speech::{Voice, people};

use crate::home::{Home, clips};

/// Clips of the word by people: as many as it takes to be judged by them.
const CLIPS: usize = 40;
/// Recordings of one's own.
const MINE: usize = 12;
/// Clips of other words, two a part.
const OTHERS: usize = 20;
/// The beginning of a long recording, and the rows that it is made of.
const LONG: &str = "watson-stt.0.opus";
const LONG_SAMPLES: usize = 120 * 16_000;
const ROW_SECONDS: usize = 6;

/// The recordings of people, or where there are none what synthetic voices say in their stead, in the same shape.
fn recordings(home: &Home) -> PathBuf {
    if let Some(folder) = people::folder() {
        return folder.canonicalize().expect("there");
    }
    let folder = home.dir.path().join("synthetic");
    let write = |name: &str, pcm: &[i16]| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let file = std::fs::File::create(path).expect("made");
        // Every reader goes by what is in a file, not by its name.
        sound::write_wav(std::io::BufWriter::new(file), 16_000, pcm).expect("written");
    };
    let mut manifest = "path\tsource\tlicence\tlabel\n".to_owned();
    let mut add = |name: String, source: &str, label: &str, pcm: &[i16]| {
        write(&format!("speech/{name}"), pcm);
        manifest += &format!("{name}\t{source}\t\t{label}\n");
    };
    for (index, voice) in Voice::ALL.iter().cycle().take(CLIPS + MINE).enumerate() {
        let pace = 90 + u32::try_from(index).expect("few") * 2 / 3;
        let name = format!("picovoice-wwb/alexa_{index}.flac");
        add(name, "picovoice-wwb", "alexa", &in_a_pause(&voice.say_at("Alexa", pace)));
    }
    let commands = test_speech::commands(60);
    for (index, command) in commands.iter().take(OTHERS + 2).enumerate() {
        add(format!("picovoice-s2i/order_{index}.flac"), "picovoice-s2i", "an order", &command.pcm);
    }
    for index in 1..=4_usize {
        // An echo that fades, each room with its own.
        let noise = test_speech::kitchen(index * 2_000);
        let fading =
            noise.iter().enumerate().map(|(at, sample)| (f32::from(*sample) * (-(at as f32) / 800.0).exp()) as i16);
        write(&format!("speech/speechbrain/a_rir{index}.flac"), &[vec![16_000], fading.collect()].concat());
        write(&format!("speech/speechbrain/a_noise{index}.flac"), &test_speech::kitchen(index * 48_000));
    }
    let talk: Vec<i16> = commands.iter().flat_map(|command| in_a_pause(&command.pcm)).take(LONG_SAMPLES).collect();
    assert_eq!(talk.len(), LONG_SAMPLES, "longer speech is needed");
    write(&format!("background/{LONG}"), &talk);
    write("noise/kitchen.flac", &test_speech::kitchen(LONG_SAMPLES));
    std::fs::write(folder.join("speech/manifest.tsv"), manifest).expect("written");
    folder
}

fn in_a_pause(said: &[i16]) -> Vec<i16> {
    let pause = test_speech::kitchen(6_400).iter().map(|sample| sample / 64).collect::<Vec<_>>();
    [&pause, said, &pause].concat()
}

/// A small part of the development recordings in the same shape, and a folder of other clips of the word.
fn small(data: &Path, home: &Path) -> (PathBuf, PathBuf) {
    let (folder, mine) = (home.join("recordings"), home.join("mine"));
    for name in ["speech", "background", "noise"] {
        std::fs::create_dir_all(folder.join(name)).expect("made");
    }
    std::fs::create_dir_all(&mine).expect("made");
    for source in ["picovoice-wwb", "picovoice-s2i"] {
        symlink(data.join("speech").join(source), folder.join("speech").join(source)).expect("linked");
    }
    // Rooms, and of the noises one: each is heard once a part.
    let sounds = std::fs::read_dir(data.join("speech/speechbrain")).expect("the folder");
    let mut sounds: Vec<PathBuf> = sounds.map(|entry| entry.expect("readable").path()).collect();
    sounds.sort();
    let (noises, rooms): (Vec<_>, Vec<_>) = sounds.into_iter().partition(|path| text(path).contains("_noise"));
    std::fs::create_dir_all(folder.join("speech/speechbrain")).expect("made");
    for path in rooms.iter().chain(noises.get(1)) {
        symlink(path, folder.join("speech/speechbrain").join(path.file_name().expect("a file"))).expect("linked");
    }
    symlink(data.join("noise/kitchen.flac"), folder.join("noise/kitchen.flac")).expect("linked");
    let (words, others) = (clips(data, "picovoice-wwb"), clips(data, "picovoice-s2i"));
    let words: Vec<&PathBuf> = words.iter().filter(|(_, label)| label == "alexa").map(|(path, _)| path).collect();
    let row = |path: &Path, source: &str, label: &str| {
        let path = path.strip_prefix(data.join("speech")).expect("among them");
        format!("{}\t{source}\t\t{label}\n", path.display())
    };
    let mut manifest = "path\tsource\tlicence\tlabel\n".to_owned();
    words.iter().take(CLIPS).for_each(|path| manifest += &row(path, "picovoice-wwb", "alexa"));
    others.iter().take(OTHERS).for_each(|(path, _)| manifest += &row(path, "picovoice-s2i", "an order"));
    std::fs::write(folder.join("speech/manifest.tsv"), manifest).expect("written");
    for (index, path) in words.iter().rev().take(MINE).enumerate() {
        symlink(path, mine.join(format!("{index:02}.flac"))).expect("linked");
    }
    let mut long = Vec::new();
    let mut reader = sound::SoundReader::open(&data.join("background").join(LONG)).expect("there");
    while long.len() < LONG_SAMPLES && reader.read(&mut long).expect("a good file") {}
    let file = std::fs::File::create(folder.join("background/long.wav")).expect("made");
    sound::write_wav(std::io::BufWriter::new(file), 16_000, &long[..LONG_SAMPLES]).expect("written");
    let mut index = "file\tstart_s\tend_s\tsource\tlabel\tspeaker\n".to_owned();
    for start in (0..LONG_SAMPLES / 16_000).step_by(ROW_SECONDS) {
        index += &format!("long.wav\t{start}\t{}\twatson-stt\t\t\n", start + ROW_SECONDS);
    }
    std::fs::write(folder.join("background/index.tsv"), index).expect("written");
    (folder, mine)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn scores_are_made_anew_as_they_were_and_held_against_the_old_ones() {
    let home = Home::new();
    let data = recordings(&home);
    let (folder, _) = small(&data, home.dir.path());
    let kept = home.dir.path().join("anew.tsv");
    let with = ["wake", "eval", "--word", "alexa", "--json", "--recordings", text(&folder)];
    let trial = ["--retrain", "--trial", "--folds", "1"];
    let first = home.sotto(&[&with[..], &trial, &["--keep", text(&kept)]].concat());
    assert_eq!(first.code, Some(0), "{first:?}");
    let line = first.line();
    assert_eq!((line["folds"].as_u64(), line["speech"].as_str()), (Some(1), Some("human")), "{line}");
    // The shipped scores are of other weights and more clips.
    let differences = &line["differences"];
    // They share clips where those clips are here.
    let is_shared = differences["changed"].as_u64().is_some_and(|count| count > 0);
    assert_eq!(is_shared, people::folder().is_some(), "{line}");
    assert!(differences["alone"].as_u64().is_some_and(|count| count > 0), "{line}");
    let scores = Scores::from_text(&std::fs::read_to_string(&kept).expect("kept")).expect("whole");
    assert!((4..=CLIPS / 4).contains(&scores.clips()), "a fold of {}", scores.clips());
    assert_eq!(scores.words.len(), 6 * scores.clips(), "each in six conditions");
    // The same recordings and seed give the same scores.
    let again = home.sotto(&[&with[..], &trial, &["--scores", text(&kept)]].concat());
    let differences = &again.line()["differences"];
    for name in ["changed", "alone", "lost", "gained"] {
        assert_eq!(differences[name].as_u64(), Some(0), "{name}: {differences}");
    }
    let failures = home.sotto(&[&with[..], &["--failures", "--scores", text(&kept)]].concat());
    let missed = scores.words.iter().filter(|word| scores.word_margin(learn::wake::scores::Tier::Both, word) < 0.0);
    assert_eq!(failures.code, Some(0), "{failures:?}");
    assert!(failures.lines.len() >= missed.count(), "{failures:?}");
    let told = |line: &serde_json::Value| line["text"].is_string() && line["first_logit"].is_number();
    assert!(failures.lines.iter().all(told), "{failures:?}");
    home.sotto(&["wake", "eval", "--word", "alexa", "--trial"]).refuses(2, "need --retrain");
}

#[test]
fn a_dozen_recordings_of_ones_own_are_learned_from() {
    let home = Home::new();
    let data = recordings(&home);
    let (folder, mine) = small(&data, home.dir.path());
    let file = |name: &str| home.dir.path().join(name);
    let television = file("television");
    std::fs::create_dir(&television).expect("made");
    for (index, (path, _)) in clips(&data, "picovoice-s2i").iter().rev().take(2).enumerate() {
        symlink(path, television.join(format!("{index}.flac"))).expect("linked");
    }
    let (weights, scores, card) = (file("alexa.weights"), file("alexa.scores.tsv"), file("alexa.md"));
    let train = [
        &["wake", "train", "alexa", "--recordings", text(&folder), "--recordings-of-me", text(&mine)][..],
        &["--other-speech", text(&television), "--trial", "--folds", "1"],
        &["--out", text(&weights), "--scores", text(&scores), "--card", text(&card)],
    ]
    .concat();
    let trained = home.sotto(&train);
    assert_eq!(trained.code, Some(0), "{trained:?}");
    assert!(trained.stderr.contains(&format!("and {MINE} of your own that only train")), "{}", trained.stderr);
    let model = WordModel::from_bytes(&std::fs::read(&weights).expect("written")).expect("whole");
    assert_eq!(model.name, "alexa");
    let card = std::fs::read_to_string(&card).expect("written");
    assert!(card.contains(&format!("| your own | {MINE} recordings | yours |")), "{card}");
    assert!(card.contains("--recordings-of-me MINE") && card.contains("only 1 of 5 folds"), "{card}");
    assert!(card.contains("--other-speech OTHERS") && card.contains("| 1 min without the word |"), "{card}");
    // One's own only train: no score is of them.
    let scores = Scores::from_text(&std::fs::read_to_string(&scores).expect("written")).expect("whole");
    assert!(scores.words.iter().all(|word| !word.clip.contains("mine")));
    let heard = home.sotto(&["wake", "detect", "--weights", text(&weights), "--json", text(&mine.join("00.flac"))]);
    assert_eq!(heard.code, Some(0), "{heard:?}");
    // A recording that is none, and one without a clear word, are named.
    std::fs::write(television.join("2.wav"), b"no sound").expect("written");
    home.sotto(&train).refuses(2, "2.wav");
    std::fs::remove_file(television.join("2.wav")).expect("removed");
    std::fs::write(mine.join("99.wav"), wav_of_silence()).expect("written");
    home.sotto(&train).refuses(2, "99.wav: no single clear word in it");
}

fn wav_of_silence() -> Vec<u8> {
    let mut bytes = Vec::new();
    sound::write_wav(std::io::Cursor::new(&mut bytes), 16_000, &[0; 16_000]).expect("in memory");
    bytes
}
