//! Traces as text, one line a span. What depends on the speed of a machine is left out: times, and statements that took
//! long.

use std::fmt::Write as _;
use std::path::Path;

use super::collector::Span;

/// A span with the spans below it.
struct Tree<'a> {
    span: &'a Span,
    children: Vec<Tree<'a>>,
}

/// The attributes that a line shows, with the words before them.
const SHOWN: [(&str, &str); 5] = [
    ("symbol", ""),
    ("gen_ai.usage.input_tokens", "tokens "),
    ("trading_date", ""),
    ("lane.count", "lanes "),
    ("model_day.count", "days "),
];

/// The trace of `root`, drawn.
pub(super) fn draw(spans: &[Span], root: &Span) -> String {
    let mut text = String::new();
    write(&mut text, &tree(spans, root), 0, "");
    text
}

/// How many spans lie on the longest way from a root to a leaf.
pub(super) fn depth(spans: &[Span], root: &Span) -> usize {
    fn of(tree: &Tree<'_>) -> usize {
        1 + tree.children.iter().map(of).max().unwrap_or(0)
    }
    of(&tree(spans, root))
}

fn tree<'a>(spans: &'a [Span], span: &'a Span) -> Tree<'a> {
    let is_child = |other: &&Span| other.trace == span.trace && other.parent == span.id;
    let is_drawn = |other: &&Span| !other.attributes.contains_key("db.system.name");
    let mut children: Vec<&Span> = spans.iter().filter(is_child).filter(is_drawn).collect();
    // What is sent leaves when the relay gets to it, so its place in time says nothing.
    children.sort_by_key(|child| match child.kind {
        "PRODUCER" => (1, 0, child.name.clone()),
        _ => (0, child.began, String::new()),
    });
    Tree { span, children: children.into_iter().map(|child| tree(spans, child)).collect() }
}

fn write(text: &mut String, tree: &Tree<'_>, indent: usize, service: &str) {
    line(text, &[tree.span], indent, service);
    let mut rest = tree.children.as_slice();
    while let Some(first) = rest.first() {
        let is_same = |other: &&Tree<'_>| other.span.name == first.span.name && other.children.is_empty();
        let same = if first.children.is_empty() { rest.iter().take_while(is_same).count() } else { 1 };
        if same > 1 {
            let spans: Vec<&Span> = rest[..same].iter().map(|tree| tree.span).collect();
            line(text, &spans, indent + 1, &tree.span.service());
        } else {
            write(text, first, indent + 1, &tree.span.service());
        }
        rest = &rest[same..];
    }
}

/// One line for spans of the same name.
fn line(text: &mut String, spans: &[&Span], indent: usize, above: &str) {
    let first = spans[0];
    let mut line = format!("{}{}", "  ".repeat(indent), first.name);
    for (attribute, word) in SHOWN {
        let value = first.attribute(attribute);
        let is_usual = attribute == "lane.count" && value == "1";
        if !value.is_empty() && !is_usual && spans.iter().all(|span| span.attribute(attribute) == value) {
            let _ = write!(line, "  {word}{value}");
        }
    }
    // How many messages left together depends on the relay.
    if spans.len() > 1 && first.kind != "PRODUCER" {
        let _ = write!(line, "  x{}", spans.len());
    }
    if first.links.iter().any(|(trace, _)| *trace != first.trace) {
        line.push_str(if first.parent.is_empty() { "  <- another trace" } else { "  -> another trace" });
    }
    if first.service() != above {
        line = format!("{line:<84}  {}", first.service());
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Compares a drawing with the one of that name in the documents, or writes it there.
pub(super) fn is_documented(name: &str, drawing: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/observability.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let begin = format!("<!-- drawing: {name} -->\n```\n");
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("docs have no drawing {name}"));
    let (documented, after) = rest.split_once("```\n").unwrap();
    if std::env::var_os("MODELDAY_UPDATE_BASELINE").is_some() {
        std::fs::write(&path, format!("{before}{begin}{drawing}```\n{after}")).unwrap();
        return;
    }
    assert_eq!(
        drawing, documented,
        "docs/observability.md is old: MODELDAY_UPDATE_BASELINE=1 cargo test -p it --test e2e -- otlp"
    );
}
