//! Starts of programs in Rust, JavaScript and Python, found by the calls that start them.

use std::collections::BTreeSet;

use super::{Start, What, shell};

/// Where programs lie in a system.
const FOLDERS: [&str; 6] = ["/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/usr/games/"];
const SHELLS: [&str; 3] = ["sh", "bash", "dash"];
/// JavaScript's calls that start a program.
const JAVASCRIPT_CALLS: [&str; 6] = ["spawn", "spawnSync", "execFile", "execFileSync", "execSync", "exec"];

/// `Command::new(…)`, and what is named a program: `program: "…"`, `let program = "…"`, `const PROGRAM: &str = "…"`.
pub(crate) fn in_rust(text: &str) -> Vec<Start> {
    let text = without_comments(text, "//");
    let mut starts = Vec::new();
    for (at, call) in text.match_indices("Command::new(") {
        // Such as in a list of banned words.
        if text[..at].ends_with('"') {
            continue;
        }
        let rest = &text[at + call.len()..];
        let argument = argument(rest);
        let line = line_of(&text, at);
        let what = what(argument);
        if matches!(&what, What::Named(name) if SHELLS.contains(&name.as_str())) {
            starts.extend(in_script(rest, line));
        }
        starts.push(Start { line, what });
    }
    starts.extend(named_programs(&text));
    starts
}

/// The programs of a script that is handed to a shell behind `-c`, in the same statement.
fn in_script(statement: &str, line: usize) -> Vec<Start> {
    let Some((_, rest)) = statement.split(";\n").next().unwrap_or_default().split_once("\"-c\"") else {
        return Vec::new();
    };
    let Some(script) = rest.find('"').and_then(|at| literal(&rest[at..])) else { return Vec::new() };
    let functions = shell::functions(script).into_iter().collect();
    shell::starts(script, &functions).into_iter().map(|start| Start { line, ..start }).collect()
}

fn named_programs(text: &str) -> Vec<Start> {
    let mut starts = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let lower = line.to_ascii_lowercase();
        for (at, word) in lower.match_indices("program") {
            let rest = line[at + word.len()..].trim_start_matches([':', '=', ' ', '&']);
            let rest = ["'static ", "str = ", "PathBuf::from(", "Path::new("]
                .iter()
                .fold(rest, |rest, before| rest.strip_prefix(before).unwrap_or(rest));
            let is_given = line[at + word.len()..].starts_with([':', ' ']);
            if let Some(name) = literal(rest).filter(|_| is_given) {
                starts.push(Start { line: index + 1, what: named(name) });
            }
        }
    }
    // A place that is not there, as tests name them, or a word within a sentence.
    starts.retain(|start| matches!(&start.what, What::Named(name) if is_name(name) && name != "nowhere"));
    starts
}

/// The calls of `node:child_process`, under whatever name `promisify` gave them, and programs named by their path.
pub(crate) fn in_javascript(text: &str) -> Vec<Start> {
    let text = without_comments(text, "//");
    let mut calls: BTreeSet<&str> = BTreeSet::new();
    if text.contains("child_process") {
        calls.extend(JAVASCRIPT_CALLS);
    }
    for (at, _) in text.match_indices("= promisify(exec") {
        calls.extend(text[..at].split_whitespace().next_back());
    }
    let mut starts = Vec::new();
    for call in calls {
        for (at, _) in text.match_indices(&format!("{call}(")) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_')) {
                continue;
            }
            let argument = argument(&text[at + call.len() + 1..]);
            // Our own binaries, whose paths the tests have in variables.
            if argument.starts_with(['"', '\'', '`']) {
                starts.push(Start { line: line_of(&text, at), what: what(argument) });
            }
        }
    }
    starts.extend(by_path(&text));
    starts
}

/// `subprocess`'s calls with a list that begins with a name.
pub(crate) fn in_python(text: &str) -> Vec<Start> {
    let text = without_comments(text, "#");
    let mut starts = by_path(&text);
    for (at, call) in text.match_indices("subprocess.") {
        let rest = &text[at + call.len()..];
        let Some((_, arguments)) = rest.lines().next().unwrap_or_default().split_once('(') else { continue };
        if let Some(name) = literal(arguments.trim_start_matches('[')) {
            starts.push(Start { line: line_of(&text, at), what: named(name) });
        }
    }
    starts
}

/// Literals that are the path of a program.
fn by_path(text: &str) -> Vec<Start> {
    let mut starts = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for folder in FOLDERS {
            for (at, _) in line.match_indices(&format!("\"{folder}")) {
                let name = literal(&line[at..]).unwrap_or_default();
                starts.push(Start { line: index + 1, what: named(name) });
            }
        }
    }
    starts
}

/// The first argument of a call, from behind its parenthesis.
fn argument(rest: &str) -> &str {
    let (mut depth, mut in_text, mut before) = (0, false, ' ');
    for (at, c) in rest.char_indices() {
        match c {
            '"' if before != '\\' => in_text = !in_text,
            _ if in_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ',' if depth == 0 => return rest[..at].trim(),
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        before = c;
    }
    rest.trim()
}

fn what(argument: &str) -> What {
    literal(argument).map_or_else(|| What::Expression(argument.to_owned()), named)
}

fn named(path: &str) -> What {
    // `exec` in JavaScript takes a whole line.
    let path = path.split_whitespace().next().unwrap_or_default();
    What::Named(path.rsplit('/').next().unwrap_or(path).to_owned())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'))
}

/// What stands between the quotes that `text` begins with.
fn literal(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    text[1..].split_once(quote).map(|(inside, _)| inside)
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The text with its lines, but for those that are comments and for comments behind a space.
fn without_comments(text: &str, sign: &str) -> String {
    let behind = format!(" {sign} ");
    let kept = |line: &str| {
        if line.trim_start().starts_with(sign) {
            String::new()
        } else {
            line.split(&behind).next().unwrap_or_default().to_owned()
        }
    };
    text.lines().map(|line| kept(line) + "\n").collect()
}
