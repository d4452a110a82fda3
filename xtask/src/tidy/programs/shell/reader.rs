//! A script taken apart into simple commands. What is quoted or expanded is told, not worked out.

/// A word, and whether the shell would leave it as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) is_quoted: bool,
    pub(super) is_expanded: bool,
}

/// What has been read so far.
pub(super) struct Reader<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    line: usize,
    /// Simple commands, each with the line it ends in.
    pub(super) commands: Vec<(usize, Vec<Word>)>,
    /// The names of functions that are defined.
    pub(super) functions: Vec<String>,
    words: Vec<Word>,
    word: Option<Word>,
    /// Ends of here-documents that begin behind this line.
    documents: Vec<String>,
    /// How many `case` are open.
    cases: usize,
    /// Whether the next word is where something is redirected to.
    is_target: bool,
}

impl<'t> Reader<'t> {
    pub(super) fn read(text: &'t str) -> Self {
        let mut reader = Self {
            rest: text.chars().peekable(),
            line: 1,
            commands: Vec::new(),
            functions: Vec::new(),
            words: Vec::new(),
            word: None,
            documents: Vec::new(),
            cases: 0,
            is_target: false,
        };
        reader.list(None);
        reader
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next();
        self.line += usize::from(c == Some('\n'));
        c
    }

    fn skip_if(&mut self, c: char) -> bool {
        let is_there = self.rest.peek() == Some(&c);
        if is_there {
            self.next();
        }
        is_there
    }

    /// Commands up to the sign that closes them.
    fn list(&mut self, close: Option<char>) {
        while let Some(c) = self.next() {
            match c {
                _ if Some(c) == close => break,
                ' ' | '\t' => self.end_word(),
                '\n' => {
                    self.end_command();
                    self.skip_documents();
                }
                '#' if self.word.is_none() => self.skip_line(),
                ';' => self.semicolon(),
                '&' if self.skip_if('>') => self.redirect(),
                '&' | '|' => self.end_command(),
                '>' | '<' => self.angle(c),
                '(' => self.parenthesis(),
                _ => self.part(c),
            }
        }
        self.end_command();
    }

    /// A part of a word.
    fn part(&mut self, c: char) {
        match c {
            '\\' => {
                if let Some(c) = self.next().filter(|c| *c != '\n') {
                    self.push(c);
                }
            }
            '\'' => {
                self.word.get_or_insert_default().is_quoted = true;
                while let Some(c) = self.next().filter(|c| *c != '\'') {
                    self.push(c);
                }
            }
            '"' => self.quoted(),
            '$' => self.dollar(),
            '*' | '?' => {
                self.push(c);
                self.word.get_or_insert_default().is_expanded = true;
            }
            _ => self.push(c),
        }
    }

    fn quoted(&mut self) {
        self.word.get_or_insert_default().is_quoted = true;
        while let Some(c) = self.next().filter(|c| *c != '"') {
            match c {
                '\\' => {
                    if let Some(c) = self.next() {
                        self.push(c);
                    }
                }
                '$' => self.dollar(),
                _ => self.push(c),
            }
        }
    }

    fn dollar(&mut self) {
        self.word.get_or_insert_default().is_expanded = true;
        match self.rest.peek() {
            Some('(') => {
                self.next();
                if self.rest.peek() == Some(&'(') { self.skip_to(')', '(') } else { self.nested() }
            }
            Some('{') => {
                self.next();
                self.skip_to('}', '{');
            }
            _ => {}
        }
    }

    /// Commands whose output is a part of this word.
    fn nested(&mut self) {
        let (words, word) = (std::mem::take(&mut self.words), self.word.take());
        let (cases, is_target) = (std::mem::take(&mut self.cases), std::mem::take(&mut self.is_target));
        self.list(Some(')'));
        (self.words, self.word, self.cases, self.is_target) = (words, word, cases, is_target);
    }

    fn skip_to(&mut self, close: char, open: char) {
        let mut depth = 1;
        while let Some(c) = self.next() {
            depth = if c == open {
                depth + 1
            } else if c == close {
                depth - 1
            } else {
                depth
            };
            if depth == 0 {
                return;
            }
        }
    }

    fn parenthesis(&mut self) {
        let before = self.word.as_ref().map(|word| word.text.clone()).unwrap_or_default();
        if before.ends_with('=') {
            self.array();
        } else if !before.is_empty() && self.skip_if(')') {
            self.word = None;
            self.functions.push(before);
        } else {
            self.end_command();
            self.nested();
        }
    }

    /// The elements of an array are no commands, though commands may make them.
    fn array(&mut self) {
        while let Some(c) = self.next().filter(|c| *c != ')') {
            match c {
                ' ' | '\t' | '\n' => self.word = None,
                '#' if self.word.is_none() => self.skip_line(),
                _ => self.part(c),
            }
        }
        self.word = None;
    }

    fn skip_line(&mut self) {
        while self.rest.peek().is_some_and(|c| *c != '\n') {
            self.next();
        }
    }

    fn semicolon(&mut self) {
        self.end_command();
        if self.skip_if(';') && self.cases > 0 {
            self.pattern();
        }
    }

    /// A pattern of `case`, up to its parenthesis; or the end of all of them.
    fn pattern(&mut self) {
        let mut seen = String::new();
        while let Some(c) = self.next() {
            match c {
                '\'' | '"' => self.skip_to(c, '\0'),
                ')' => return,
                '#' if seen.trim().is_empty() => self.skip_line(),
                _ => seen.push(c),
            }
            if seen.trim() == "esac" {
                self.cases -= 1;
                return;
            }
        }
    }

    fn angle(&mut self, c: char) {
        if self.rest.peek() == Some(&'(') {
            self.next();
            self.word.get_or_insert_default().is_expanded = true;
            return self.nested();
        }
        // The number of a descriptor before it is no argument.
        self.word.take_if(|word| word.text.chars().all(|c| c.is_ascii_digit()));
        let is_double = self.skip_if(c);
        let is_triple = is_double && self.skip_if(c);
        if c == '<' && is_double && !is_triple {
            self.end_word();
            let mut end = String::new();
            while let Some(c) = self.rest.peek().copied().filter(|c| !c.is_whitespace()) {
                self.next();
                if !matches!(c, '\'' | '"' | '-' | '\\') {
                    end.push(c);
                }
            }
            self.documents.push(end);
        } else {
            self.skip_if('&');
            self.redirect();
        }
    }

    fn redirect(&mut self) {
        self.end_word();
        self.is_target = true;
    }

    fn skip_documents(&mut self) {
        for end in std::mem::take(&mut self.documents) {
            let mut line = String::new();
            while let Some(c) = self.next() {
                if c != '\n' {
                    line.push(c);
                } else if std::mem::take(&mut line).trim() == end {
                    break;
                }
            }
        }
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().text.push(c);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if std::mem::take(&mut self.is_target) {
            return;
        }
        let is_plain = !word.is_quoted && !word.is_expanded;
        let is_in = is_plain && word.text == "in";
        if is_plain && word.text == "esac" && self.words.is_empty() {
            self.cases = self.cases.saturating_sub(1);
        }
        self.words.push(word);
        if is_in && self.words.first().is_some_and(|first| first.text == "case") {
            self.words.clear();
            self.cases += 1;
            self.pattern();
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.is_target = false;
        let words = std::mem::take(&mut self.words);
        if !words.is_empty() {
            self.commands.push((self.line, words));
        }
    }
}
