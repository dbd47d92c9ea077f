//! The report as Markdown: the same figures without charts.

use std::fmt::Write as _;

use super::definitions::{FIGURES, METHOD};
use super::fetch::Report;
use super::format::{count, dollars, percent, signed_percent};
use super::heat_map::month_name;

/// The whole text; `made` says when and by which version.
pub(crate) fn markdown(report: &Report, made: &str) -> String {
    let of = match &report.job {
        Some(job) => format!("job `{job}`"),
        None => format!("experiment `{}`", plain(&report.experiment)),
    };
    let mut text = format!(
        "# {}\n\n{} to {}, {} sessions, {of}.\n{made}\n\n## Summary\n\n",
        plain(&report.title()),
        report.start,
        report.end,
        report.dates().len()
    );
    summary(&mut text, report);
    months(&mut text, report);
    text.push_str("\n## Trades and costs\n\n");
    text.push_str("| Model | Buys | Sells | Dollars traded | Fees | Of dollars traded | Tokens | Model's cost | Most traded |\n");
    text.push_str("|---|--:|--:|--:|--:|--:|--:|--:|---|\n");
    for activity in report.activities() {
        let share =
            if activity.dollars > 0.0 { percent(activity.fees / activity.dollars) } else { "–".to_owned() };
        let (tokens, cost) = match &activity.agent {
            Some(agent) => {
                (count(agent.tokens), agent.dollars.map_or("unknown".to_owned(), |cost| format!("{cost:.4}")))
            }
            None => ("–".to_owned(), "–".to_owned()),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {share} | {tokens} | {cost} | {} |",
            plain(&activity.name),
            activity.buys,
            activity.sells,
            dollars(activity.dollars),
            dollars(activity.fees),
            plain(&activity.symbols.join(", "))
        );
    }
    method(&mut text, report);
    text
}

fn summary(text: &mut String, report: &Report) {
    text.push_str("| Model |");
    for definition in &FIGURES {
        let _ = write!(text, " {} |", definition.heading);
    }
    let _ = write!(text, "\n|---|{}\n", "--:|".repeat(FIGURES.len()));
    for row in &report.rows {
        let benchmark = if row.is_portfolio() { "" } else { " (benchmark)" };
        let _ = write!(text, "| {}{benchmark} |", plain(&report.name(row)));
        for definition in &FIGURES {
            let value = row.figure(definition.name);
            let _ = write!(text, " {} |", value.map_or("–".to_owned(), |value| definition.written(value)));
        }
        text.push('\n');
    }
}

fn months(text: &mut String, report: &Report) {
    text.push_str("\n## Months\n\n| Model | Month | Return |\n|---|---|--:|\n");
    for (name, returns) in report.months() {
        for ((year, month), gain) in returns {
            let _ = writeln!(
                text,
                "| {} | {} {year} | {} |",
                plain(&name),
                month_name(month),
                signed_percent(gain)
            );
        }
    }
}

fn method(text: &mut String, report: &Report) {
    text.push_str("\n## Method and definitions\n\n");
    for paragraph in METHOD {
        let _ = writeln!(text, "{paragraph}\n");
    }
    for definition in &FIGURES {
        let _ = writeln!(text, "* **{}**: {}", definition.heading, definition.text);
    }
    text.push_str("\nBundles:\n\n");
    for bundle in &report.bundles {
        let _ = match &bundle.hash {
            Ok(hash) => writeln!(text, "* job `{}`: `{hash}`", bundle.job),
            Err(reason) => writeln!(text, "* job `{}`: none ({})", bundle.job, plain(reason)),
        };
    }
}

/// A name inside a table or a heading: without what Markdown or HTML would read in it.
fn plain(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars().filter(|c| !c.is_control()) {
        if "\\`*_{}[]<>()#!|&".contains(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}
