//! Variables in a file of `NAME=value` lines, such as `.env`, in the form that shells and Docker Compose read alike.

use std::collections::BTreeMap;

/// A line that is none of `NAME=value`. The line is not repeated: it may hold a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InvalidLine {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) problem: &'static str,
}

const NO_ASSIGNMENT: &str = "is not NAME=value";
const OPEN_QUOTE: &str = "has a quote without its end, or text after it";
const UNQUOTED: &str = "has a space, a quote or one of $ ` \\ in a value without quotes";
const EXPANDED: &str = "has one of $ ` \\ within double quotes";

/// The variables of a file; of two lines with one name the last counts.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>, InvalidLine> {
    let mut variables = BTreeMap::new();
    for (place, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let assigned = assignment(line).map_err(|problem| InvalidLine { line: place + 1, problem })?;
        variables.insert(assigned.0, assigned.1);
    }
    Ok(variables)
}

fn assignment(line: &str) -> Result<(String, String), &'static str> {
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, value) = line.split_once('=').ok_or(NO_ASSIGNMENT)?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        return Err(NO_ASSIGNMENT);
    }
    Ok((name.to_owned(), value_of(value)?.to_owned()))
}

/// A value without its quotes, and without a comment after it.
fn value_of(text: &str) -> Result<&str, &'static str> {
    let quote = text.chars().next().filter(|first| ['\'', '"'].contains(first));
    let Some(quote) = quote else {
        let value = text.split_once(" #").map_or(text, |(value, _)| value).trim_end();
        let is_plain = !value.contains(|c: char| c.is_whitespace() || "'\"$`\\".contains(c));
        return if is_plain { Ok(value) } else { Err(UNQUOTED) };
    };
    let (value, rest) = text[1..].split_once(quote).ok_or(OPEN_QUOTE)?;
    let rest = rest.trim_start();
    if !rest.is_empty() && !rest.starts_with('#') {
        return Err(OPEN_QUOTE);
    }
    if quote == '"' && value.contains(['$', '`', '\\']) {
        return Err(EXPANDED);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_a_shell_reads_them() {
        let text = "# mine\n\nA=1\nexport B='two words # $x'\nC=\"three\" # why\nD=four # why\nE=\nA=5\n";

        let read = parse(text).unwrap();

        let expected = [("A", "5"), ("B", "two words # $x"), ("C", "three"), ("D", "four"), ("E", "")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn a_line_that_a_shell_would_read_otherwise_is_named_by_its_number() {
        let problem = |text: &str| parse(text).map_err(|InvalidLine { line, problem }| (line, problem));

        assert_eq!(problem("A=1\nsk-secret"), Err((2, NO_ASSIGNMENT)));
        assert_eq!(problem("sk-secret=x"), Err((1, NO_ASSIGNMENT)));
        assert_eq!(problem("A='open"), Err((1, OPEN_QUOTE)));
        assert_eq!(problem("A='a'b"), Err((1, OPEN_QUOTE)));
        assert_eq!(problem("A=two words"), Err((1, UNQUOTED)));
        assert_eq!(problem("A=$HOME"), Err((1, UNQUOTED)));
        assert_eq!(problem("A=\"$HOME\""), Err((1, EXPANDED)));
    }
}
