//! Which results of a web search a model may see: those that are certainly from before the day.
//!
//! The shell searches; nothing here does.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::json::{Object, array, bounded, printable};

mod date;

/// The most results that are shown.
const MOST_RESULTS: usize = 5;
const TITLE_LIMIT: usize = 200;
const URL_LIMIT: usize = 500;
const CONTENT_LIMIT: usize = 1_000;

/// A result as the search engine gave it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// The page's title.
    pub title: String,
    /// Its address.
    pub url: String,
    /// When it was published, in the engine's words.
    pub date: Option<String>,
    /// Its text, or part of it.
    pub content: String,
}

/// A result that may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usable {
    /// The page's title, at most about 200 characters.
    pub title: String,
    /// Its address, at most about 500 characters.
    pub url: String,
    /// The day it was published; before the day of the search.
    pub date: NaiveDate,
    /// The beginning of its text, at most about 1,000 characters.
    pub content: String,
}

/// Those of `results` that were published before `today`, at most five, in their order. One whose
/// date is missing, relative (`2 days ago`), ambiguous (`01/02/2025`) or unreadable is left out.
pub fn usable(results: &[Found], today: NaiveDate) -> Vec<Usable> {
    let shown = |found: &Found| {
        let date = date::published(found.date.as_deref()?).filter(|date| *date < today)?;
        Some(Usable {
            title: bounded(printable(&found.title).trim(), TITLE_LIMIT),
            url: bounded(printable(&found.url).trim(), URL_LIMIT),
            date,
            content: bounded(printable(&found.content).trim(), CONTENT_LIMIT),
        })
    };
    results.iter().filter_map(shown).take(MOST_RESULTS).collect()
}

/// What the tool answers with these results.
pub fn text(results: &[Usable], today: NaiveDate) -> String {
    if results.is_empty() {
        return super::json::error(&format!("No results from before {today}"));
    }
    let result = |found: &Usable| {
        let (title, url, date) = (found.title.as_str(), found.url.as_str(), found.date.to_string());
        Object::new()
            .text("title", title)
            .text("url", url)
            .text("date", &date)
            .text("content", &found.content)
    };
    Object::new().json("results", array(results.iter().map(|found| result(found).finish()))).finish()
}

/// What the tool answers when the search itself did not work, for the reason `text` (without keys).
pub fn failed(text: &str) -> String {
    super::json::error(&format!("Search failed: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(date: Option<&str>) -> Found {
        let (title, url, content) =
            ("a title".to_owned(), "https://example.com".to_owned(), "text".to_owned());
        Found { title, url, date: date.map(str::to_owned), content }
    }

    fn today() -> NaiveDate {
        "2025-10-02".parse().unwrap()
    }

    #[test]
    fn only_what_is_certainly_from_before_today_is_shown() {
        let dates = [
            Some("2025-10-01"),
            Some("2025-10-02"),
            Some("2025-10-03"),
            None,
            Some("2 days ago"),
            Some("Sep 30, 2025"),
        ];

        let shown = usable(&dates.map(found), today());

        assert_eq!(
            shown.iter().map(|shown| shown.date.to_string()).collect::<Vec<_>>(),
            ["2025-10-01", "2025-09-30"]
        );
    }

    #[test]
    fn results_are_few_and_short() {
        let long = Found { content: "ä".repeat(5_000), ..found(Some("2025-10-01")) };

        let shown = usable(&vec![long; 9], today());

        assert_eq!(shown.len(), 5);
        assert_eq!(shown[0].content.chars().count(), 1_001);
    }

    #[test]
    fn nothing_found_is_said() {
        assert_eq!(text(&[], today()), r#"{"error":"No results from before 2025-10-02"}"#);
        assert_eq!(
            text(&usable(&[found(Some("2025-10-01"))], today()), today()),
            r#"{"results":[{"title":"a title","url":"https://example.com","date":"2025-10-01","content":"text"}]}"#
        );
    }
}
