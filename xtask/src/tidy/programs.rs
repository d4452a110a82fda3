//! Programs that the code, its tests and its scripts start: each is in a package that `./sotto` installs, or in every
//! Debian. One that a developer once installed by hand is missing on everybody else's machine.

mod shell;
mod written;

use std::collections::BTreeSet;

use super::{File, Finding};

/// What every Debian has; nothing of it is installed.
const BASE: &str = "scripts/packages-base.txt";
/// What building and running need.
const UP: &str = "scripts/packages-up.txt";
/// What the tests need besides.
const TEST: &str = "scripts/packages-test.txt";

/// What training a word needs, and so the tests of it.
const TRAIN: &str = "scripts/packages-train.txt";
/// Where words are trained.
const TRAINING: [&str; 2] = ["crates/mind/learn/", "scripts/kokoro/"];

/// Programs that come with Rust, which `scripts/rust.sh` sees to.
const TOOLS: [&str; 3] = ["cargo", "rustc", "rustup"];

/// Programs that one file asks for by itself before it starts them: the program, the file, and how it does.
const ASKED_FOR: [(&str, &str, &str); 8] = [
    ("curl", "scripts/rust.sh", "installs it first"),
    ("sudo", "scripts/packages.sh", "looks whether it is there, and says what to do without"),
    ("sudo", "crates/sotto/src/uninstall/debian.rs", "says what to do by hand where it fails"),
    ("strace", "scripts/delays.sh", "looks for it, and names its package"),
    ("debootstrap", "packaging/try-in-debian.sh", "its head names it"),
    ("git", "packaging/try-in-debian.sh", "its head names it"),
    ("cargo-deny", "scripts/test.sh", "looks whether it is there"),
    ("npm", "scripts/kokoro/kokoro.sh", "is for maintainers, who have it from the tests"),
];

/// What is started where no name is written out: the file, what stands in the name's place, and the programs that it
/// may be. An empty list is our own binaries, or what the person names.
const NOT_WRITTEN_OUT: [(&str, &str, &[&str]); 16] = [
    ("crates/asr/tests/oracle.py", "", &[]),
    ("crates/device/launcher/src/process.rs", "&path", &[]),
    ("crates/memory/history/src/tests/kill.rs", "std::env::current_exe().expect(\"this program\")", &[]),
    ("crates/mind/learn/src/voices.rs", "program", &["espeak-ng", "flite"]),
    ("crates/mind/learn/src/wake/neighbours.rs", "program", &["espeak-ng"]),
    ("crates/mind/speech/src/espeak.rs", "&self.config.program", &["espeak-ng"]),
    ("crates/sotto/src/ask/device.rs", "program", &[]),
    ("crates/sotto/src/bench/recogniser.rs", "python", &[]),
    ("crates/sotto/src/bench/wake/engines.rs", "own", &[]),
    ("crates/sotto/src/bench/wake/engines.rs", "python", &[]),
    ("crates/sotto/src/device_run.rs", "Places::binary(\"sotto-device\")?", &[]),
    ("crates/sotto/src/models/python.rs", "self.home.join(\"bin/python3\")", &[]),
    ("crates/sotto/src/uninstall/debian.rs", "program", &["apt-get"]),
    ("crates/sotto/src/wake/ear_process.rs", "binary", &[]),
    ("crates/sotto/tests/it/surroundings.rs", "&program", &[]),
    ("crates/test-speech/src/synthetic.rs", "program", &["espeak-ng", "flite"]),
];

/// A program that is started somewhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) line: usize,
    pub(crate) what: What,
}

/// What is known of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Its name, without its folder.
    Named(String),
    /// What stands in the place of its name.
    Expression(String),
}

/// Programs that are in none of the lists that the file may lean on.
pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let listed = |path: &str| files.iter().find(|file| file.path == path).map(listed_in).unwrap_or_default();
    let (base, up, train, test) = (listed(BASE), listed(UP), listed(TRAIN), listed(TEST));
    let scripts: Vec<&File> = files.iter().filter(|file| is_shell(file)).collect();
    let functions: BTreeSet<String> = scripts.iter().flat_map(|file| shell::functions(&file.text)).collect();
    let mut findings = Vec::new();
    for file in files {
        let tests_from = first_line_of_tests(file);
        for start in starts_in(file, &functions) {
            let names = match start.what {
                What::Named(name) => vec![name],
                What::Expression(expression) => match known(&file.path, &expression) {
                    Some(programs) => programs.iter().map(ToString::to_string).collect(),
                    None => {
                        let what = format!("what does `{expression}` start? Say it in xtask/src/tidy/programs.rs");
                        findings.push(Finding::new(&file.path, start.line, what));
                        continue;
                    }
                },
            };
            let is_test = start.line >= tests_from;
            for name in names {
                let is_trains = TRAINING.iter().any(|folder| file.path.starts_with(folder));
                let is_there = base.contains(&name)
                    || up.contains(&name)
                    || ((is_test || is_trains) && train.contains(&name))
                    || (is_test && test.contains(&name));
                if !is_there && !is_ours(&name) && !is_asked_for(&name, &file.path) {
                    let list = if is_test { TEST } else { UP };
                    let what = format!("starts {name}, whose package is not in {list} (nor its name in {BASE})");
                    findings.push(Finding::new(&file.path, start.line, what));
                }
            }
        }
    }
    findings
}

fn known(path: &str, expression: &str) -> Option<&'static [&'static str]> {
    // Cargo's own names for what it has built.
    if expression.starts_with("env!(\"CARGO") || expression.starts_with("std::env::var_os(\"CARGO\")") {
        return Some(&[]);
    }
    let entry = NOT_WRITTEN_OUT.iter().find(|(file, written, _)| *file == path && *written == expression)?;
    Some(entry.2)
}

fn is_ours(name: &str) -> bool {
    name == "sotto" || name.starts_with("sotto-") || TOOLS.contains(&name)
}

fn is_asked_for(name: &str, path: &str) -> bool {
    ASKED_FOR.iter().any(|(program, file, _)| *program == name && *file == path)
}

/// The programs of a list of packages: the commands of the second column, and what the third names besides.
fn listed_in(file: &File) -> BTreeSet<String> {
    let lines = file.text.lines().filter(|line| !line.starts_with('#'));
    let names = lines.flat_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let probes = columns.next().unwrap_or_default().split('|').filter(|probe| !probe.contains(':'));
        probes.chain(columns.next().unwrap_or_default().split(',')).map(str::to_owned)
    });
    names.filter(|name| !name.is_empty()).collect()
}

fn starts_in(file: &File, functions: &BTreeSet<String>) -> Vec<Start> {
    match file.path.rsplit('.').next() {
        _ if is_shell(file) => shell::starts(&file.text, functions),
        Some("rs") if !file.path.starts_with("xtask/src/tidy/programs") => written::in_rust(&file.text),
        Some("js" | "mjs") => written::in_javascript(&file.text),
        Some("py") => written::in_python(&file.text),
        _ => Vec::new(),
    }
}

fn is_shell(file: &File) -> bool {
    file.path.ends_with(".sh")
        || (!file.path.contains('.') || file.path.starts_with(".ci/")) && file.text.contains("bash\n")
}

/// The line from which on a file is a test's.
fn first_line_of_tests(file: &File) -> usize {
    const TESTS: [&str; 5] = ["/tests/", "crates/test-speech/", "scripts/test.sh", "scripts/delays.sh", "web/"];
    if TESTS.iter().any(|part| file.path.contains(part)) || file.path.ends_with("/tests.rs") {
        return 0;
    }
    let at = file.text.lines().position(|line| line.trim() == "#[cfg(test)]");
    at.map_or(usize::MAX, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: [(&str, &str); 4] = [
        (BASE, "# What there is\ncoreutils cat cp,timeout\nbash bash\n"),
        (UP, "espeak-ng  espeak-ng\ngcc cc gcc\nlibasound2-dev library:alsa\n"),
        (TRAIN, "flite  flite\n"),
        (TEST, "npm npm npx\nchromium  chromium|env:SOTTO_CHROMIUM\n"),
    ];

    fn found(path: &str, text: &str) -> Vec<String> {
        let file = |(path, text): (&str, &str)| File { path: path.to_owned(), text: text.to_owned() };
        let files: Vec<File> = LISTS.into_iter().chain([(path, text)]).map(file).collect();
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_in_no_list_is_found() {
        for (path, text, line, name) in [
            ("crates/a/src/a.rs", "fn a() {\n    Command::new(\"sox\")\n}\n", 2, "sox"),
            ("crates/a/src/a.rs", "let v = V { program: \"sox\" };\n", 1, "sox"),
            ("crates/a/src/a.rs", "const PROGRAM: &str = \"sox\";\n", 1, "sox"),
            ("crates/a/src/a.rs", "C { program: PathBuf::from(\"/usr/bin/sox\") }\n", 1, "sox"),
            ("crates/a/src/a.rs", "Command::new(\"cat\");\nCommand::new(\"flite\");\n", 2, "flite"),
            ("crates/a/tests/it/a.rs", "Command::new(\n        \"/usr/bin/ps\",\n)\n", 1, "ps"),
            ("crates/a/tests/it/a.rs", "Command::new(\"bash\").args([\"-c\", \"cat a | sox\"])\n", 1, "sox"),
            ("scripts/a.sh", "# bash\nx=$(cat b | jq .)\n", 2, "jq"),
            ("web/tests/a.js", "const run = promisify(execFile);\nawait run(\"ffmpeg\", []);\n", 2, "ffmpeg"),
            ("a/tests/a.py", "import subprocess\nsubprocess.run([\"sox\", \"-n\"])\n", 2, "sox"),
        ] {
            let [only] = &found(path, text)[..] else { panic!("{text}: {:?}", found(path, text)) };
            assert!(only.starts_with(&format!("{path}:{line}: starts {name}, ")), "{only}");
        }
    }

    #[test]
    fn what_is_listed_or_ours_passes() {
        for (path, text) in [
            ("crates/a/src/a.rs", "Command::new(\"/bin/cat\"); Command::new(\"espeak-ng\"); Command::new(\"cc\")\n"),
            ("crates/a/src/a.rs", "#[cfg(test)]\nmod tests { Command::new(\"flite\") }\n"),
            ("crates/mind/learn/src/a.rs", "Command::new(\"flite\")\n"),
            ("crates/a/tests/it/a.rs", "Command::new(env!(\"CARGO_BIN_EXE_sotto\")); // Command::new(\"sox\")\n"),
            ("scripts/rust.sh", "# bash\ncurl --proto '=https' https://a.b | cat\n"),
            ("web/playwright.config.js", "executablePath: \"/usr/bin/chromium\"\n"),
        ] {
            assert_eq!(found(path, text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_start_without_a_name_must_be_explained() {
        let found = found("crates/a/src/a.rs", "Command::new(chosen(\"x\"))\n");
        assert_eq!(
            found,
            ["crates/a/src/a.rs:1: what does `chosen(\"x\")` start? Say it in xtask/src/tidy/programs.rs"]
        );
    }
}
