//! The commands of a shell script: as much of bash's grammar as our scripts use.

mod reader;

use std::collections::BTreeSet;

use self::reader::{Reader, Word};
use super::{Start, What};

/// What is part of the shell itself.
const BUILTINS: &str = ". : [ [[ break cd command compgen continue declare echo esac eval exec exit export false for \
kill let local mapfile popd printf pushd pwd read readonly return select set shift shopt source test trap true type \
ulimit umask unset wait";
/// Words after which another command begins.
const KEYWORDS: [&str; 12] = ["!", "{", "}", "do", "done", "elif", "else", "fi", "if", "then", "until", "while"];
/// Commands whose arguments are a command, after so many words of their own, options apart.
const WRAPPERS: [(&str, usize); 15] = [
    ("as_administrator", 0),
    ("chroot", 1),
    ("env", 0),
    ("exec", 0),
    ("have", 0),
    ("in_root", 0),
    ("in_web", 0),
    ("inside", 1),
    ("nice", 0),
    ("setpriv", 0),
    ("step", 1),
    ("step_live", 1),
    ("sudo", 0),
    ("timeout", 1),
    ("unshare", 0),
];

/// The programs that a script starts by name; `functions` are those of all scripts.
pub(crate) fn starts(text: &str, functions: &BTreeSet<String>) -> Vec<Start> {
    let mut starts = Vec::new();
    for (line, words) in Reader::read(text).commands {
        let Some(name) = program(&words) else { continue };
        let is_the_shells = BUILTINS.split(' ').any(|builtin| builtin == name) || functions.contains(name);
        if !is_the_shells {
            let name = name.rsplit('/').next().unwrap_or(name);
            starts.push(Start { line, what: What::Named(name.to_owned()) });
        }
    }
    starts
}

/// The functions that a script defines.
pub(crate) fn functions(text: &str) -> Vec<String> {
    Reader::read(text).functions
}

/// The program that a simple command starts, if it is named: behind assignments, keywords and what only wraps it.
fn program(words: &[Word]) -> Option<&str> {
    let mut left = words;
    loop {
        let (word, rest) = left.split_first()?;
        let is_keyword = !word.is_quoted && KEYWORDS.contains(&word.text.as_str());
        if is_keyword || is_assignment(word) {
            left = rest;
            continue;
        }
        let Some((_, own)) = WRAPPERS.iter().find(|(name, _)| *name == word.text) else { break };
        let mut wrapped = rest;
        let mut own = *own;
        while let Some((word, behind)) = wrapped.split_first() {
            let is_option = word.text.starts_with('-') || is_assignment(word);
            if !is_option && own == 0 {
                break;
            }
            own -= usize::from(!is_option);
            wrapped = behind;
        }
        // A wrapper that is a program itself is in the list of what every Debian has.
        if wrapped.is_empty() {
            break;
        }
        left = wrapped;
    }
    let word = left.first()?;
    let is_named = !word.is_expanded && !word.text.is_empty() && !word.text.starts_with("./");
    is_named.then_some(word.text.as_str())
}

fn is_assignment(word: &Word) -> bool {
    let name = word.text.split(['=', '[']).next().unwrap_or_default().trim_end_matches('+');
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name && word.text.contains('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let functions = functions(text).into_iter().collect();
        let named = |start: Start| match start.what {
            What::Named(name) => name,
            What::Expression(expression) => panic!("{expression}"),
        };
        starts(text, &functions).into_iter().map(named).collect()
    }

    #[test]
    fn commands_are_found_wherever_they_stand() {
        for (text, wanted) in [
            ("aa b | cc && dd || ee; ff & gg\n", "aa cc dd ee ff gg"),
            ("if ! aa; then bb; elif cc; then dd; else ee; fi\n", "aa bb cc dd ee"),
            ("while read -r x; do aa \"$x\"; done < <(bb c)\n", "aa bb"),
            ("x=$(aa \"$(bb c)\") y=1 cc > dd 2>&1 <<< ee\n", "bb aa cc"),
            ("exec timeout --kill-after=10 5 aa b\nstep \"a name\" in_root bb\n", "aa bb"),
            ("case $1 in a | b) aa ;; 'c d') bb ;; *) cc ;; esac\ndd\n", "aa bb cc dd"),
            ("cat <<'END'\nnot this\nEND\naa\n", "cat aa"),
            ("f() { aa; }\nf b # bb\nlist=(no such # (x)\n things)\nlist+=(\"$(bb)\")\n", "aa bb"),
            ("[ -n \"$a\" ] && [[ $b == c ]] || aa \\\n  b\n(cd x && bb) || \"$cc\" d\n./ours\n", "aa bb"),
            ("echo $((1 + 2)) ${a:-b c} | aa\n/usr/bin/bb\n", "aa bb"),
        ] {
            assert_eq!(names(text).join(" "), wanted, "{text}");
        }
    }
}
