//! Rules for every text file.

use super::{File, Finding};

/// Beginnings of paths that exist on one developer's machine alone. Put together here, so that this file has none.
fn private_paths() -> [String; 4] {
    ["home", "Users", "root", "work"].map(|folder| format!("/{folder}/"))
}

/// Files that name such a folder with reason.
const MAY_NAME_PATHS: [(&str, &str); 1] =
    [("packaging/try-in-debian.sh", "its paths are within the Debian that it puts together")];

/// White space at the ends of lines, tabs at their beginnings, a missing last line end, and developers' paths.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let paths = private_paths();
    for (number, line) in (1..).zip(file.text.split('\n')) {
        // A hard line break of Markdown is two spaces; a backslash does the same and can be seen.
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::new(&file.path, number, "white space at the end of the line"));
        }
        let may_name = MAY_NAME_PATHS.iter().any(|(listed, _)| *listed == file.path);
        if let Some(path) = paths.iter().find(|path| names_path(line, path) && !may_name) {
            findings.push(Finding::new(&file.path, number, format!("{path} is a folder of one machine alone")));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(Finding::new(&file.path, 0, "the last line does not end"));
    }
    findings
}

/// Whether the line names something under `path`, which is not merely the middle of a longer path.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().last());
        let after = line.get(at + path.len()..).and_then(|after| after.chars().next());
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}' | ')');
        !before.is_some_and(goes_on) && after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<String> {
        let file = File { path: "a.md".to_owned(), text: text.to_owned() };
        check(&file).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn white_space_that_cannot_be_seen_is_found() {
        assert_eq!(check_text("good\n\n"), Vec::<String>::new());
        assert_eq!(check_text(""), Vec::<String>::new());
        assert_eq!(check_text("good\nbad \n"), ["a.md:2: white space at the end of the line"]);
        assert_eq!(check_text("bad\r\n"), ["a.md:1: white space at the end of the line"]);
        assert_eq!(check_text("bad"), ["a.md: the last line does not end"]);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        let [home, users, root, work] = private_paths();
        for path in [home, users, root, work] {
            assert_eq!(check_text(&format!("see {path}somebody/notes\n")).len(), 1, "{path}");
            assert_eq!(
                check_text(&format!("see ..{path}somebody and https://a.b{path}c and `{path}`\n")).len(),
                0,
                "{path}"
            );
        }
    }
}
