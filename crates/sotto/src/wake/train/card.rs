//! The model card: what went into a word's weights, under which terms, and what they can do.

use learn::wake::{FOLDS, OnsetErrors, Recipe};

use super::{Figures, THRESHOLDS, TrainArgs};

/// The card as Markdown.
pub(super) fn card(args: &TrainArgs, recipe: &Recipe, figures: &Figures) -> String {
    let name = args.word.name();
    let mut lines = vec![
        format!("# The weights of \"{name}\""),
        String::new(),
        "Small networks on the Google speech embedding (Apache-2.0, fetched and not part of these weights), trained by:"
            .to_owned(),
        String::new(),
        format!(
            "    sotto wake train {name} --seed {} --false-accepts {} --out {name}.weights --card {name}.md",
            recipe.seed, args.false_accepts
        ),
        String::new(),
    ];
    lines.extend(sources(figures.clips));
    lines.extend(shape(recipe));
    lines.extend(misses(args, figures));
    lines.extend(onsets(figures));
    lines.extend(limits());
    lines.join("\n") + "\n"
}

fn sources(clips: usize) -> Vec<String> {
    let text = format!(
        "## What they learned from

| source | what | terms |
|---|---|---|
| picovoice-wwb | {clips} clips of the word by more than 50 people; other wake words, 1.2 h | Apache-2.0 |
| mycroft-pcd | other wake words, many near in sound, 0.7 h | public domain |
| watson-stt | sentences in several languages, 0.4 h | Apache-2.0 |
| picovoice-s2i | 40 s of a kitchen | Apache-2.0 |
| speechbrain | five noises, four measured rooms | Apache-2.0 |
| espeak-ng, flite | the word and other sentences by synthetic voices | the programs' output is free; flite's voices are under Carnegie Mellon's permissive licence |

Nothing share-alike, nothing of unclear terms. wuw-corpus-ii (CC-BY-SA-4.0), debian-asterisk-en (CC-BY-SA-3.0) and
fotaq-speech (the game's own licence) only judge. The clips of richtier-alexa were left out altogether: they judge the
whole path from microphone to reply.
"
    );
    text.split('\n').map(str::to_owned).collect()
}

fn shape(recipe: &Recipe) -> Vec<String> {
    let text = format!(
        "## What they are

{} heads whose scores are averaged: 10 embeddings (1.5 s) through 96 → {}, side by side, → {} → 1, with layer
normalisation; and one locator of the onset: about 0.9 s of mel frames around a candidate → {} → {} → 1, a softmax over
candidates. Each clip was heard in {} scenes, each of {} synthetic voices in {}: other speed, room, noise, loudness,
other speech before and behind; one word in sixteen or so cut off halfway, so that half a word does not wake. The locator
also heard {} splices of each clip: the word cut at its onset, in noise or right behind other speech.
",
        recipe.heads,
        recipe.head.frame_width,
        recipe.head.word_width,
        recipe.onset.widths[0],
        recipe.onset.widths[1],
        recipe.scenes_per_clip,
        recipe.voices,
        recipe.scenes_per_voice,
        recipe.splices_per_clip,
    );
    text.split('\n').map(str::to_owned).collect()
}

fn misses(args: &TrainArgs, figures: &Figures) -> Vec<String> {
    let mut lines = vec![
        "## What they hear".to_owned(),
        String::new(),
        format!(
            "Misses in per cent of {} human clips, each heard by weights that were trained without its fold",
            figures.clips
        ),
        format!(
            "({FOLDS} blocks of neighbouring numbers, since neighbours share a voice); noise of another part of the kitchen,"
        ),
        "babble of voices never met. False accepts by the shipped weights, on recordings never met:".to_owned(),
        format!(
            "{:.1} h of telephone speech, prompts and a game's actors. The word's own threshold is **{}**,",
            figures.hours, THRESHOLDS[figures.own]
        ),
        format!("the lowest of these with at most {} false accepts an hour.", args.false_accepts),
        String::new(),
        "| threshold | clean | kitchen 10 dB | babble 10 dB | false accepts an hour |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    for (index, threshold) in THRESHOLDS.iter().enumerate() {
        let part = |missed: &[usize]| 100.0 * missed[index] as f64 / figures.clips.max(1) as f64;
        let cells: Vec<String> = figures.missed.iter().map(|(_, missed)| format!("{:.1}", part(missed))).collect();
        let accepts: usize = figures.false_accepts.iter().map(|(_, accepts)| accepts[index]).sum();
        let per_hour = accepts as f64 / figures.hours.max(1e-9);
        lines.push(format!("| {threshold} | {} | {per_hour:.2} ({accepts}) |", cells.join(" | ")));
    }
    let own = figures.own;
    let by_name: Vec<String> = figures
        .false_accepts
        .iter()
        .filter(|(_, accepts)| accepts[own] > 0)
        .map(|(name, accepts)| format!("{name} {}", accepts[own]))
        .collect();
    lines.push(String::new());
    lines.push(format!("At its own threshold the false accepts come from: {}.", by_name.join(", ")));
    lines.push(String::new());
    lines
}

fn onsets(figures: &Figures) -> Vec<String> {
    let row = |name: &str, errors: &OnsetErrors| {
        format!(
            "| {name} | {} | {:.0} | {:.0} |",
            errors.errors.len(),
            errors.quantile_ms(0.5),
            errors.quantile_ms(0.95)
        )
    };
    vec![
        "## Where they say it began".to_owned(),
        String::new(),
        "The word of each clip, cut at its onset, laid into a kitchen's noise 15 to 30 dB below it; out of fold."
            .to_owned(),
        "Distance from the true sample in milliseconds, of the words that woke.".to_owned(),
        String::new(),
        "| splice | words | median | 95th percentile |".to_owned(),
        "|---|---|---|---|".to_owned(),
        row("in room noise", &figures.onsets[0]),
        row("up to 50 ms behind other speech", &figures.onsets[1]),
        String::new(),
    ]
}

fn limits() -> Vec<String> {
    let text = "## What they cannot do

They are a first stage alone: a word near in sound (\"a letter\", \"election\") can wake them, and so can a television.
Children, whispers, singing and far rooms are not among the clips. Synthetic voices were learned from and are not
measured by.";
    text.lines().map(str::to_owned).collect()
}
