//! `sotto wake stats`: how often a device woke, and how often it nearly did.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use clap::Args;
use ear::{BINS, FILE_BYTES, Tally, WordCounts};
use serde_json::json;

use crate::failure::Failure;
use crate::places::Places;

/// The longest bar, in letters.
const BAR_MAX: u64 = 30;

/// Shows how often words woke the devices of this machine, and how often something came near.
#[derive(Args, Debug)]
pub(crate) struct StatsArgs {
    /// One device, by the name of its folder [default: all of this machine]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Print one JSON object a line, one for each device and word
    #[arg(long)]
    json: bool,
}

/// Prints the counts of each device and word.
pub(super) fn run(args: &StatsArgs, places: &Places) -> Result<(), Failure> {
    let devices = match &args.device {
        Some(name) => vec![name.clone()],
        None => devices(&places.device(""))?,
    };
    let mut is_empty = true;
    for device in devices {
        let Some(tally) = read(&places.device(&device).join("ear.journal"))? else { continue };
        for counts in tally.words() {
            is_empty = false;
            crate::print_line(&if args.json { as_json(&device, counts) } else { as_text(&device, counts) })?;
        }
    }
    if is_empty && !args.json {
        crate::print_line("nothing has been counted yet")?;
    }
    Ok(())
}

/// The folders of this machine's devices, in order.
fn devices(folder: &Path) -> Result<Vec<String>, Failure> {
    let failed = |why: std::io::Error| Failure::no(format!("{}: {why}", folder.display()));
    let entries = match std::fs::read_dir(folder) {
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// A device's counts; none where it has no journal yet.
fn read(path: &Path) -> Result<Option<Tally>, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::no(format!("{}: {why}", path.display()));
    let file = match File::open(path) {
        Err(why) if matches!(why.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        file => file.map_err(|why| failed(&why))?,
    };
    let mut bytes = Vec::with_capacity(FILE_BYTES);
    file.take(FILE_BYTES as u64).read_to_end(&mut bytes).map_err(|why| failed(&why))?;
    Tally::read(&bytes).map(Some).map_err(|why| failed(&why))
}

fn as_json(device: &str, counts: &WordCounts) -> String {
    json!({
        "device": device,
        "word": counts.name,
        "wakes": total(&counts.wakes),
        "near_misses": total(&counts.near_misses),
        "wake_scores": counts.wakes,
        "near_miss_scores": counts.near_misses,
    })
    .to_string()
}

fn total(counts: &[u64; BINS]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// A line, and one for each part of the scores that holds anything.
fn as_text(device: &str, counts: &WordCounts) -> String {
    let (wakes, misses) = (total(&counts.wakes), total(&counts.near_misses));
    let plural = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let (wakes, misses) = (plural(wakes, "wake", "wakes"), plural(misses, "near miss", "near misses"));
    let mut text = format!("{device}: \"{}\" {wakes}, {misses}", counts.name);
    let both = || counts.wakes.iter().zip(&counts.near_misses);
    let most = both().map(|(wakes, misses)| wakes.saturating_add(*misses)).max().unwrap_or(0).max(1);
    for (bin, (wakes, misses)) in both().enumerate().filter(|(_, (wakes, misses))| **wakes > 0 || **misses > 0) {
        let bar = |count: u64, letter: &str| {
            let len = (u128::from(count) * u128::from(BAR_MAX)).div_ceil(u128::from(most));
            letter.repeat(usize::try_from(len).unwrap_or(0))
        };
        let from = bin as f64 / BINS as f64;
        let bars = format!("{}{}", bar(*wakes, "█"), bar(*misses, "░"));
        text +=
            &format!("\n  score {from:.2} to {:.2}  {bars} {wakes} woke, {misses} did not", from + 1.0 / BINS as f64);
    }
    text
}
