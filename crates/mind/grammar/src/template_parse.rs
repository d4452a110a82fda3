//! The template parser: text to [`Part`], with the place of what is wrong.
//!
//! ```text
//! body     = sequence *( "|" sequence ) / sequence *( ";" sequence )
//! sequence = *( "(" body ")" / "[" body "]" / "{" name [ ":" name ] "}" / "<" name ">" / text )
//! ```

use winnow::Parser;
use winnow::error::{ErrMode, ParserError};
use winnow::stream::{LocatingSlice, Location, Stateful, Stream};
use winnow::token::{any, take_till};

use crate::error::{TemplateError, TemplateFault};
use crate::limits::{NAME_CHARS_MAX, NESTING_MAX, PERMUTATION_ITEMS_MAX, TEMPLATE_CHARS_MAX};
use crate::template::Part;

type Input<'a> = Stateful<LocatingSlice<&'a str>, usize>;
type Outcome<T> = Result<T, ErrMode<Fault>>;

/// Characters that mean something; a backslash before one takes the meaning away.
const SPECIAL: [char; 11] = ['(', ')', '[', ']', '{', '}', '<', '>', '|', ';', '\\'];

#[derive(Debug)]
struct Fault {
    offset: usize,
    fault: TemplateFault,
}

impl<'a> ParserError<Input<'a>> for Fault {
    type Inner = Self;

    // Reached only at the end of the input: each parser below looks at the next character before it calls another.
    fn from_input(input: &Input<'a>) -> Self {
        Self { offset: input.current_token_start(), fault: TemplateFault::Empty }
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}

/// Reads a whole template.
pub(crate) fn parse(text: &str) -> Result<Part, TemplateError> {
    let fail = |Fault { offset, fault }| locate(text, offset, fault);
    if let Some((offset, _)) = text.char_indices().nth(TEMPLATE_CHARS_MAX) {
        return Err(fail(Fault { offset, fault: TemplateFault::TooLong }));
    }
    let mut input = Stateful { input: LocatingSlice::new(text), state: 0 };
    let whole = body(&mut input).map_err(|error| match error {
        ErrMode::Backtrack(fault) | ErrMode::Cut(fault) => fail(fault),
        ErrMode::Incomplete(_) => fail(Fault { offset: text.len(), fault: TemplateFault::Empty }),
    })?;
    let offset = input.current_token_start();
    if let Some(close) = peek(&input) {
        return Err(fail(Fault { offset, fault: TemplateFault::ClosesNothing { close } }));
    }
    if text.trim().is_empty() {
        return Err(fail(Fault { offset: 0, fault: TemplateFault::Empty }));
    }
    Ok(whole)
}

/// Everything up to the next closing bracket or the end, neither of which it takes.
fn body(input: &mut Input<'_>) -> Outcome<Part> {
    let mut separator = None;
    let mut parts = vec![sequence(input)?];
    while let Some(next @ ('|' | ';')) = peek(input) {
        if separator.is_some_and(|before| before != next) {
            return Err(cut(input, TemplateFault::MixedSeparators));
        }
        separator = Some(next);
        any.parse_next(input)?;
        parts.push(sequence(input)?);
        if next == ';' && parts.len() > PERMUTATION_ITEMS_MAX {
            return Err(cut(input, TemplateFault::TooManyItems));
        }
    }
    Ok(match separator {
        Some(';') => Part::Permutation(parts),
        Some(_) => Part::Alternative(parts),
        None => parts.pop().unwrap_or(Part::Sequence(Vec::new())),
    })
}

fn sequence(input: &mut Input<'_>) -> Outcome<Part> {
    let mut parts = Vec::new();
    loop {
        match peek(input) {
            Some('(') => parts.push(bracketed(input, '(', ')')?),
            Some('[') => parts.push(Part::Optional(Box::new(bracketed(input, '[', ']')?))),
            Some('{') => parts.push(list(input)?),
            Some('<') => parts.push(rule(input)?),
            Some(close @ ('}' | '>')) => return Err(cut(input, TemplateFault::ClosesNothing { close })),
            None | Some(')' | ']' | '|' | ';') => break,
            Some(_) => parts.push(Part::Text(text(input)?)),
        }
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Part::Sequence(parts) })
}

fn bracketed(input: &mut Input<'_>, open: char, close: char) -> Outcome<Part> {
    let start = input.current_token_start();
    if input.state == NESTING_MAX {
        return Err(cut(input, TemplateFault::TooDeep));
    }
    input.state += 1;
    any.parse_next(input)?;
    let inside = body(input)?;
    match peek(input) {
        Some(next) if next == close => any.parse_next(input)?,
        Some(other) => return Err(cut(input, TemplateFault::ClosesNothing { close: other })),
        None => return Err(cut_at(start, TemplateFault::NeverClosed { open })),
    };
    input.state -= 1;
    if inside == Part::Sequence(Vec::new()) {
        return Err(cut_at(start, TemplateFault::Empty));
    }
    Ok(inside)
}

fn list(input: &mut Input<'_>) -> Outcome<Part> {
    let start = input.current_token_start();
    let inside = named(input, '{', '}')?;
    let (list, slot) = inside.split_once(':').unwrap_or((inside, inside));
    if !is_name(list) || !is_name(slot) {
        return Err(cut_at(start + 1, TemplateFault::BadName));
    }
    Ok(Part::List { list: list.to_owned(), slot: slot.to_owned() })
}

fn rule(input: &mut Input<'_>) -> Outcome<Part> {
    let start = input.current_token_start();
    let name = named(input, '<', '>')?;
    if !is_name(name) {
        return Err(cut_at(start + 1, TemplateFault::BadName));
    }
    Ok(Part::Rule(name.to_owned()))
}

/// What stands between `open` and `close`, without spaces around it.
fn named<'a>(input: &mut Input<'a>, open: char, close: char) -> Outcome<&'a str> {
    let start = input.current_token_start();
    any.parse_next(input)?;
    let inside: &str = take_till(0.., SPECIAL).parse_next(input)?;
    match peek(input) {
        Some(next) if next == close => any.parse_next(input)?,
        None => return Err(cut_at(start, TemplateFault::NeverClosed { open })),
        Some(_) => return Err(cut(input, TemplateFault::BadName)),
    };
    Ok(inside.trim())
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ',');
    !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && name.chars().all(fits)
}

fn text(input: &mut Input<'_>) -> Outcome<String> {
    let mut letters = String::new();
    loop {
        let plain: &str = take_till(0.., SPECIAL).parse_next(input)?;
        letters.push_str(plain);
        if peek(input) != Some('\\') {
            return Ok(letters);
        }
        let start = input.current_token_start();
        any.parse_next(input)?;
        if peek(input).is_none() {
            return Err(cut_at(start, TemplateFault::DanglingEscape));
        }
        letters.push(any.parse_next(input)?);
    }
}

fn peek(input: &Input<'_>) -> Option<char> {
    input.peek_token()
}

fn cut(input: &Input<'_>, fault: TemplateFault) -> ErrMode<Fault> {
    cut_at(input.current_token_start(), fault)
}

const fn cut_at(offset: usize, fault: TemplateFault) -> ErrMode<Fault> {
    ErrMode::Cut(Fault { offset, fault })
}

fn locate(text: &str, offset: usize, fault: TemplateFault) -> TemplateError {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    TemplateError { line, column, fault }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = parse(text).map_or_else(|error| error.to_string(), |part| show(&part));
        assert_eq!(shown, expected, "{text}");
    }

    fn show(part: &Part) -> String {
        let join = |parts: &[Part]| parts.iter().map(show).collect::<Vec<_>>().join(" ");
        match part {
            Part::Text(text) => format!("{text:?}"),
            Part::Sequence(parts) => format!("(seq {})", join(parts)),
            Part::Alternative(parts) => format!("(or {})", join(parts)),
            Part::Optional(part) => format!("(opt {})", show(part)),
            Part::Permutation(parts) => format!("(any-order {})", join(parts)),
            Part::Rule(name) => format!("<{name}>"),
            Part::List { list, slot } => format!("{{{list}:{slot}}}"),
        }
    }

    #[test]
    fn every_form_is_read() {
        check("never mind", r#""never mind""#);
        check("light[s]", r#"(seq "light" (opt "s"))"#);
        check("(on|off)", r#"(or "on" "off")"#);
        check("on|off", r#"(or "on" "off")"#);
        check("[the|my] {name}", r#"(seq (opt (or "the" "my")) " " {name:name})"#);
        check("<turn> {area:room}", r#"(seq <turn> " " {area:room})"#);
        check("{0..100,5:level}%", r#"(seq {0..100,5:level} "%")"#);
        check("(a;b [c])", r#"(any-order "a" (seq "b " (opt "c")))"#);
        check(r"\(a\|b\\", r#""(a|b\\""#);
        check("(a|)", r#"(or "a" (seq ))"#);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        check("turn (on|off", "line 1, column 6: this `(` is never closed");
        check("turn\nthe [light", "line 2, column 5: this `[` is never closed");
        check("on)", "line 1, column 3: `)` closes nothing here");
        check("(on]", "line 1, column 4: `]` closes nothing here");
        check("é on}", "line 1, column 5: `}` closes nothing here");
        check("a()", "line 1, column 2: these brackets are empty");
        check("", "line 1, column 1: these brackets are empty");
        check(
            "(a|b;c)",
            "line 1, column 5: `|` and `;` stand in the same brackets: put one of them into brackets of its own",
        );
        check("a\\", "line 1, column 2: a `\\` must stand before a character");
        check("(a;b;c;d;e;f;g)", "line 1, column 15: a permutation has at most 6 items");
        let bad_name = "a name is made of letters, digits, `_`, `-`, `.`, and is at most 64 long";
        check("{}", &format!("line 1, column 2: {bad_name}"));
        check("{a:}", &format!("line 1, column 2: {bad_name}"));
        check("<a(b)>", &format!("line 1, column 3: {bad_name}"));
        check("{a", "line 1, column 1: this `{` is never closed");
    }

    #[test]
    fn nesting_and_length_have_limits() {
        let nested = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
        assert!(parse(&nested(NESTING_MAX)).is_ok());
        check(&nested(NESTING_MAX + 1), "line 1, column 33: brackets are nested more than 32 deep");
        check(&"[".repeat(5_000), "line 1, column 33: brackets are nested more than 32 deep");
        assert!(parse(&"a".repeat(TEMPLATE_CHARS_MAX)).is_ok());
        check(&"é".repeat(TEMPLATE_CHARS_MAX + 1), "line 1, column 8193: a template has at most 8192 characters");
    }

    proptest! {
        #[test]
        fn nothing_makes_the_parser_panic(text in r"[a \n(){}\[\]<>|;:\\é.]{0,60}") {
            let _ = parse(&text);
        }
    }
}
