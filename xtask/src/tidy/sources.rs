//! Rules for Rust files. They lean on rustfmt: a block ends where its indentation comes back.

use super::{File, Finding};

/// Lines of a file, its tests included.
const FILE_LINES_MAX: usize = 400;

/// Lines of a function, from its signature to its last brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Files that are longer, each with the reason. It may only get shorter.
const LONG_FILES: [(&str, &str); 0] = [];

/// Words that have no place in a file, and outside its tests. Put together here, so that this file has none.
fn banned() -> Vec<(String, bool, &'static str)> {
    let word = |parts: &[&str]| parts.concat();
    vec![
        (word(&["#[al", "low("]), false, "say `#[expect(…, reason = …)]`: it tells when it is no longer needed"),
        (word(&["#![al", "low("]), false, "say `#![expect(…, reason = …)]`: it tells when it is no longer needed"),
        (word(&["to", "do!("]), false, "nothing is left open"),
        (word(&["unimple", "mented!("]), false, "nothing is left open"),
        (word(&["db", "g!("]), false, "left over from a search"),
        (word(&[".unw", "rap()"]), true, "say with `expect` why this cannot be, or handle it"),
    ]
}

/// What `sotto-ear` is made of, beside crates from elsewhere, which `tree` looks after.
const UNDER_THE_EAR: [&str; 6] = [
    "crates/asr/src/",
    "crates/base/src/",
    "crates/device/ear/src/",
    "crates/device/gate/src/",
    "crates/device/hearing/src/",
    "crates/device/pipe/src/",
];

/// The standard library's ways to a socket or another program: used anywhere in a binary, it imports their calls.
const SOCKETS: [&str; 3] = ["std::net", "os::unix::net", "process::Command"];

/// Files and functions that are too long, and words that have no place in them.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut findings = Vec::new();
    let is_listed = LONG_FILES.iter().any(|(path, _)| *path == file.path);
    if lines.len() > FILE_LINES_MAX && !is_listed {
        findings.push(Finding::new(&file.path, 0, format!("has {} lines; at most {FILE_LINES_MAX}", lines.len())));
    }
    if lines.len() <= FILE_LINES_MAX && is_listed {
        findings.push(Finding::new(&file.path, 0, "is no longer long: take it off the list".to_owned()));
    }
    findings.extend(long_functions(file, &lines));
    findings.extend(banned_words(file, &lines));
    findings
}

fn long_functions(file: &File, lines: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| opens_function(line)) {
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        // A function that ends in its first line, or has no body, is short.
        let ends = |line: &&str| {
            **line == end
                || (line.ends_with(';') && line.starts_with(indent) && !line[indent.len()..].starts_with(' '))
        };
        let length = lines[index..].iter().position(ends).map_or(0, |length| length + 1);
        if length > FUNCTION_LINES_MAX && !line.ends_with('}') {
            let what = format!("this function has {length} lines; at most {FUNCTION_LINES_MAX}");
            findings.push(Finding::new(&file.path, index + 1, what));
        }
    }
    findings
}

fn opens_function(line: &str) -> bool {
    let mut words = line.split_whitespace().take_while(|word| !word.starts_with("//"));
    let qualifier = |word: &str| {
        word.starts_with("pub") || matches!(word, "const" | "async" | "unsafe" | "extern" | "in" | "\"C\"")
    };
    words.find(|word| !qualifier(word)) == Some("fn")
}

fn banned_words(file: &File, lines: &[&str]) -> Vec<Finding> {
    let banned = banned();
    let in_tests = file.path.contains("/tests/") || file.path.contains("/benches/");
    let tests_from = lines.iter().position(|line| line.trim() == "#[cfg(test)]").unwrap_or(lines.len());
    let mut findings = Vec::new();
    let under_the_ear = UNDER_THE_EAR.iter().any(|folder| file.path.starts_with(folder));
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        for way in SOCKETS.iter().filter(|way| under_the_ear && index < tests_from && line.contains(**way)) {
            let what = format!("`{way}`: sotto-ear imports no socket call and starts no program");
            findings.push(Finding::new(&file.path, index + 1, what));
        }
        let is_test = in_tests || index >= tests_from;
        for (word, except_tests, why) in &banned {
            if line.contains(word.as_str()) && !(*except_tests && is_test) {
                findings.push(Finding::new(&file.path, index + 1, format!("`{word}`: {why}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<String> {
        let file = File { path: "crates/a/src/a.rs".to_owned(), text: text.to_owned() };
        check(&file).iter().map(ToString::to_string).collect()
    }

    fn function(head: &str, body_lines: usize) -> String {
        format!("impl A {{\n    {head} {{\n{}    }}\n}}\n", "        a();\n".repeat(body_lines))
    }

    #[test]
    fn long_files_and_functions_are_found() {
        assert_eq!(check_text(&"// a\n".repeat(400)), Vec::<String>::new());
        assert_eq!(check_text(&"// a\n".repeat(401)), ["crates/a/src/a.rs: has 401 lines; at most 400"]);
        for head in ["fn a()", "pub(crate) async fn a()", "pub const fn a()"] {
            assert_eq!(check_text(&function(head, 68)), Vec::<String>::new(), "{head}");
            let found = check_text(&function(head, 69));
            assert_eq!(found, ["crates/a/src/a.rs:2: this function has 71 lines; at most 70"], "{head}");
        }
        assert_eq!(
            check_text(&format!("trait A {{\n    fn a();\n}}\n{}", "// a\n".repeat(90))),
            Vec::<String>::new()
        );
    }

    #[test]
    fn i4_a_socket_under_the_ear_is_found() {
        let text =
            "use std::net::TcpStream;\nuse std::process::ExitCode;\n#[cfg(test)]\nuse std::process::Command;\n";
        let check_at = |path: &str| check(&File { path: path.to_owned(), text: text.to_owned() }).len();
        assert_eq!(check_at("crates/device/ear/src/ring.rs"), 1);
        assert_eq!(check_at("crates/device/link/src/main.rs"), 0);
    }

    #[test]
    fn banned_words_are_found_and_tests_may_unwrap() {
        for (word, except_tests, _) in banned() {
            let line = format!("    a{word});\n");
            assert_eq!(check_text(&line).len(), 1, "{word}");
            assert_eq!(check_text(&format!("// {line}")).len(), 0, "{word}");
            assert_eq!(
                check_text(&format!("#[cfg(test)]\nmod tests {{\n{line}}}\n")).is_empty(),
                except_tests,
                "{word}"
            );
        }
    }
}
