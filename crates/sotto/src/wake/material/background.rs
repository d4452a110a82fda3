//! Long speech without the word, cut into parts.

use std::collections::BTreeMap;
use std::path::Path;

use learn::random::Chance;
use learn::wake::Stretch;
use learn::wake::parts::{PARTS, part_of};

use super::table::Row;
use super::{Table, decode};
use crate::failure::Failure;

/// Long speech whose terms let weights trained on it ship freely: Apache-2.0, public domain, Apache-2.0. The rest is
/// share-alike or of its own terms and only judges: wuw-corpus-ii CC-BY-SA-4.0, debian-asterisk-en CC-BY-SA-3.0,
/// fotaq-speech the game's licence.
const FREE_SPEECH: [&str; 3] = ["picovoice-wwb", "mycroft-pcd", "watson-stt"];
/// Short clips that are free as well: other words, and spoken orders.
const FREE_CLIPS: [&str; 3] = ["picovoice-wwb", "mycroft-pcd", "picovoice-s2i"];
/// A game that plays at the Amazon: what of it has no text may hold the word.
const AMAZON_SPEECH: &str = "fotaq-speech";
/// A telephone exchange's prompt without a text, which says "to execute an echo test".
const ECHO_PROMPT: &str = "en: demo instruct";
/// A recording of several wake words, which its label does not name.
const MANY_WORDS: &str = "multiple keywords";
/// Half of the pause between two clips of a recording, in samples.
const MARGIN: usize = 4_000;
/// The pause between short clips, in samples, and its noise.
const PAUSE: usize = 8_000;
const PAUSE_NOISE: f32 = 8.0;

/// All speech without the word: runs of neighbouring clips of one recording, and short clips, joined.
pub(super) fn stretches(data: &Path, word: &str) -> Result<Vec<Stretch>, Failure> {
    let folder = data.join("background");
    let index = Table::read(&folder.join("index.tsv"))?;
    let mut by_file: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    index.rows().for_each(|row| by_file.entry(row.get("file")).or_default().push(row));
    let mut stretches = Vec::new();
    for (file, rows) in by_file {
        let pcm = decode(&folder.join(file))?;
        let mut run: Option<(u8, usize, usize)> = None;
        for (place, row) in rows.iter().enumerate() {
            let part = part_of(place, rows.len());
            let start = row.samples("start_s").saturating_sub(MARGIN);
            let end = (row.samples("end_s") + MARGIN).min(pcm.len());
            let continues = run.is_some_and(|(own, ..)| own == part);
            if may_hold(row, word) || !continues {
                stretches.extend(run.take().map(|run| stretch(file, &pcm, run, rows[0])));
            }
            if !may_hold(row, word) {
                run = Some((part, run.map_or(start, |(_, start, _)| start), end));
            }
        }
        stretches.extend(run.map(|run| stretch(file, &pcm, run, rows[0])));
    }
    stretches.extend(short_clips(data, word)?);
    Ok(stretches)
}

fn stretch(file: &str, pcm: &[i16], (part, start, end): (u8, usize, usize), row: Row<'_>) -> Stretch {
    let trains = FREE_SPEECH.contains(&row.get("source"));
    Stretch { name: file.to_owned(), start, pcm: pcm[start..end.max(start)].into(), part, trains }
}

/// Whether the word may be said in it: such clips are no speech without the word.
fn may_hold(row: &Row<'_>, word: &str) -> bool {
    let label = row.get("label").to_lowercase();
    label.contains(word)
        || label == MANY_WORDS
        || (word == "echo" && label == ECHO_PROMPT)
        || (word == "amazon" && row.get("source") == AMAZON_SPEECH && label.is_empty())
}

/// Short clips without the word, one recording a part.
fn short_clips(data: &Path, word: &str) -> Result<Vec<Stretch>, Failure> {
    let speech = data.join("speech");
    let manifest = Table::read(&speech.join("manifest.tsv"))?;
    let rows: Vec<_> =
        manifest.rows().filter(|row| FREE_CLIPS.contains(&row.get("source")) && !may_hold(row, word)).collect();
    let mut chance = Chance::new(1);
    let mut sums = vec![Vec::new(); usize::from(PARTS)];
    for (place, row) in rows.iter().enumerate() {
        let sum = &mut sums[usize::from(part_of(place, rows.len()))];
        sum.extend(decode(&speech.join(row.get("path")))?);
        sum.extend((0..PAUSE).map(|_| (chance.normal() * PAUSE_NOISE) as i16));
    }
    let stretches = (0..PARTS).zip(sums);
    let name = || "short clips".to_owned();
    Ok(stretches.map(|(part, pcm)| Stretch { name: name(), start: 0, pcm: pcm.into(), part, trains: true }).collect())
}
