//! Which results of a web search a model may see: those that were certainly published before the day.
//!
//! The caller makes the search.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::json::{Object, array, bounded, printable};

mod publication_date;

const MAX_RESULTS: usize = 5;
const MAX_TITLE: usize = 200;
const MAX_URL: usize = 500;
const MAX_CONTENT: usize = 1_000;

/// A result as the search engine returned it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchResult {
    /// The page's title.
    pub title: String,
    /// Its address.
    pub url: String,
    /// When it was published, as the engine writes it.
    pub date: Option<String>,
    /// Its text, or part of it.
    pub content: String,
}

/// A result that may be shown: it was published before the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedResult {
    /// The page's title, about 200 characters or fewer.
    pub title: String,
    /// Its address, about 500 characters or fewer.
    pub url: String,
    /// When it was published.
    pub date: NaiveDate,
    /// The beginning of its text, about 1,000 characters or fewer.
    pub content: String,
}

/// The first five of `results` that were published before `today`. A result is left out when its date is missing,
/// relative (`2 days ago`), ambiguous (`01/02/2025`) or unreadable.
pub fn published_before(results: &[SearchResult], today: NaiveDate) -> Vec<DatedResult> {
    let shown = |found: &SearchResult| {
        let date = publication_date::parse(found.date.as_deref()?).filter(|date| *date < today)?;
        Some(DatedResult {
            title: bounded(printable(&found.title).trim(), MAX_TITLE),
            url: bounded(printable(&found.url).trim(), MAX_URL),
            date,
            content: bounded(printable(&found.content).trim(), MAX_CONTENT),
        })
    };
    results.iter().filter_map(shown).take(MAX_RESULTS).collect()
}

/// The tool's result.
pub fn text(results: &[DatedResult], today: NaiveDate) -> String {
    if results.is_empty() {
        return super::json::error(&format!("No results from before {today}"));
    }
    let result = |found: &DatedResult| {
        let (title, url, date) = (found.title.as_str(), found.url.as_str(), found.date.to_string());
        Object::new()
            .text("title", title)
            .text("url", url)
            .text("date", &date)
            .text("content", &found.content)
    };
    Object::new().json("results", array(results.iter().map(|found| result(found).finish()))).finish()
}

/// The tool's result when the search failed for the reason `text`, which contains no keys.
pub fn failed(text: &str) -> String {
    super::json::error(&format!("Search failed: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(date: Option<&str>) -> SearchResult {
        let (title, url, content) =
            ("a title".to_owned(), "https://example.com".to_owned(), "text".to_owned());
        SearchResult { title, url, date: date.map(str::to_owned), content }
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

        let shown = published_before(&dates.map(found), today());

        assert_eq!(
            shown.iter().map(|shown| shown.date.to_string()).collect::<Vec<_>>(),
            ["2025-10-01", "2025-09-30"]
        );
    }

    #[test]
    fn results_are_few_and_short() {
        let long = SearchResult { content: "ä".repeat(5_000), ..found(Some("2025-10-01")) };

        let shown = published_before(&vec![long; 9], today());

        assert_eq!(shown.len(), 5);
        assert_eq!(shown[0].content.chars().count(), 1_001);
    }

    #[test]
    fn no_results_are_an_error() {
        assert_eq!(text(&[], today()), r#"{"error":"No results from before 2025-10-02"}"#);
        assert_eq!(
            text(&published_before(&[found(Some("2025-10-01"))], today()), today()),
            r#"{"results":[{"title":"a title","url":"https://example.com","date":"2025-10-01","content":"text"}]}"#
        );
    }
}
