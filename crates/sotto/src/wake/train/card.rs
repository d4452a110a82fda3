//! The model card: what went into a word's weights, under which terms, and what they can do.

use learn::wake::parts::FOLDS;
use learn::wake::{ACCEPTS_PER_HOUR, LIGHT_ACCEPTS_PER_HOUR, OnsetErrors, Recipe, TRIGGERS_PER_HOUR};

use super::{Outcome, TrainArgs};
use crate::wake::figures;
use crate::wake::material::Recordings;

/// The card as Markdown.
pub(super) fn card(args: &TrainArgs, recipe: &Recipe, recordings: &Recordings, outcome: &Outcome) -> String {
    let name = &args.word;
    let voices = if args.making.voices.is_some() { format!(" --voices voices/{name}") } else { String::new() };
    let mine = if args.making.recordings_of_me.is_some() { " --recordings-of-me MINE" } else { "" };
    let others = if args.making.other_speech.is_some() { " --other-speech OTHERS" } else { "" };
    let crowd = if args.making.crowd { " --crowd" } else { "" };
    let title = format!(
        "# The weights of \"{name}\"

Small networks on the Google speech embedding (Apache-2.0, fetched and not part of these weights), trained by:

    sotto wake train {name} --seed {}{crowd}{voices}{mine}{others} --folds {} \\
        --out {name}.weights --scores {name}.scores.tsv --card {name}.md
",
        recipe.seed, args.making.folds
    );
    let parts = [
        title,
        sources(args, recordings),
        shape(recipe, recordings),
        heard(recipe, recordings, outcome),
        onsets(&outcome.onsets),
        limits(recordings),
    ];
    parts.join("\n")
}

fn sources(args: &TrainArgs, recordings: &Recordings) -> String {
    let name = &args.word;
    let mut rows = Vec::new();
    if recordings.human_clips > 0 {
        let clips = recordings.human_clips;
        rows.push(format!(
            "| picovoice-wwb, mycroft-pcd | {clips} clips of the word by people | Apache-2.0, public domain |"
        ));
    } else if recordings.few_human_clips > 0 {
        let clips = recordings.few_human_clips;
        rows.push(format!("| picovoice-wwb, mycroft-pcd | {clips} clips by people, too few to judge by | Apache-2.0, public domain |"));
    }
    if args.making.voices.is_some() {
        let good = "clips of `--voices`, from scripts/kokoro/voices.sh: Kokoro-82M, 28 English voices";
        rows.push(format!("| {good} | \"{name}\" at other speeds and tones | Apache-2.0 |"));
    }
    if !recordings.material.other_speech.is_empty() {
        let samples: usize = recordings.material.other_speech.iter().map(Vec::len).sum();
        let minutes = samples.div_ceil(60 * 16_000);
        rows.push(format!(
            "| recordings of `--other-speech`; for the words that ship, sentences in twelve languages by Kokoro's voices, from scripts/kokoro/languages.sh | {minutes} min without the word | whose they are; Kokoro's: Apache-2.0 |"
        ));
    }
    if args.making.recordings_of_me.is_some() {
        rows.push(format!("| your own | {} recordings | yours |", recordings.material.own.len()));
    }
    let rows = rows.join("\n");
    format!(
        "## What they learned from

| source | what | terms |
|---|---|---|
{rows}
| picovoice-wwb, mycroft-pcd | other wake words, many near in sound, 1.9 h | Apache-2.0, public domain |
| watson-stt, picovoice-s2i | sentences in several languages, spoken orders, 0.5 h | Apache-2.0 |
| picovoice-s2i | a kitchen, a minute | Apache-2.0 |
| speechbrain | five noises, two measured rooms | Apache-2.0 |
| espeak-ng, flite | the word and other sentences by synthetic voices | the programs' output is free; flite's voices are under Carnegie Mellon's permissive licence |

Nothing share-alike, nothing of unclear terms. wuw-corpus-ii (CC-BY-SA-4.0), debian-asterisk-en (CC-BY-SA-3.0) and
fotaq-speech (the game's own licence) only judge. The clips of richtier-alexa were left out altogether: they judge the
whole path from microphone to reply.
"
    )
}

fn shape(recipe: &Recipe, recordings: &Recordings) -> String {
    format!(
        "## What they are

{} heads whose scores are averaged: 10 embeddings (1.5 s) through 96 → {}, side by side, → {} → 1, with layer
normalisation; and one locator of the onset: mel frames around a candidate → {} → {} → 1, a softmax over candidates.
Each of the {} clips was heard in some {} scenes, each of {} espeak-ng and flite voices in {}: other speed, room, noise,
loudness, other speech before and behind; one word in sixteen or so cut off halfway, so that half a word does not wake.
",
        recipe.heads,
        recipe.head.frame_width,
        recipe.head.word_width,
        recipe.onset.widths[0],
        recipe.onset.widths[1],
        recordings.material.clips.len(),
        recipe.scenes_each(recordings.material.clips.len()),
        recipe.voices,
        recipe.scenes_per_voice,
    )
}

fn heard(recipe: &Recipe, recordings: &Recordings, outcome: &Outcome) -> String {
    let scores = &outcome.scores;
    let kind = if recordings.human_clips > 0 {
        "**human** recordings, one voice in one fold as far as it is known"
    } else {
        "**synthetic** clips (Kokoro), one voice in one fold; there are too few human recordings of the word"
    };
    let cautious = if recipe.caution > 0.0 { ", and one standard error of that higher" } else { "" };
    let triggers = scores.others.len() as f64 / scores.hours().max(1e-9);
    let unjudged = if scores.folds.len() < usize::from(FOLDS) {
        let folds = figures::folds(scores);
        format!(
            "\nOf the recordings, {folds}: the clips, the speech and the noise of the others tell nothing here.\n"
        )
    } else {
        String::new()
    };
    format!(
        "## What they hear

Misses of {} {kind}, with the 95 % interval by Wilson; false accepts in {:.2} h of human speech without the word, with the
upper end of the exact 95 % interval. All of it out of fold: weights and thresholds met neither the fold's voices nor its
speech nor its noise, and thresholds (for {ACCEPTS_PER_HOUR} false accepts an hour{cautious}; the light tier's for
{LIGHT_ACCEPTS_PER_HOUR}) were set on a part that the weights had not met either. The first stage triggers {triggers:.1}
times an hour (set for {TRIGGERS_PER_HOUR}); Whisper tiny.en verifies.
{unjudged}
{}
Both stages with all thresholds raised (in units of log-probability), misses in per cent:

{}
Failures:

{}",
        scores.clips(),
        scores.hours(),
        figures::table(scores),
        figures::curve(scores),
        figures::failures(scores)
    )
}

fn onsets(onsets: &[OnsetErrors; 2]) -> String {
    let row = |name: &str, errors: &OnsetErrors| {
        let (median, high) = (errors.quantile_ms(0.5), errors.quantile_ms(0.95));
        format!("| {name} | {} | {median:.0} | {high:.0} |", errors.errors.len())
    };
    format!(
        "## Where they say it began

The word of each clip, cut at its onset, laid into a kitchen's noise 15 to 30 dB below it; out of fold. Distance from the
true sample in milliseconds, of the words that triggered.

| splice | words | median | 95th percentile |
|---|---|---|---|
{}
{}
",
        row("in room noise", &onsets[0]),
        row("up to 50 ms behind other speech", &onsets[1])
    )
}

fn limits(recordings: &Recordings) -> String {
    let synthetic = if recordings.human_clips > 0 {
        "Synthetic voices were learned from and are not measured by."
    } else {
        "Synthetic voices speak more clearly than people: expect more misses from people than this card states."
    };
    format!(
        "## What they cannot do

Children, whispers and singing are not among the clips. {synthetic}
"
    )
}
