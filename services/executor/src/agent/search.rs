//! Web search for agents: any endpoint that answers with results that have dates.
//!
//! What a result may say is decided by the domain; here is only the call.

use std::time::Duration;

use chrono::NaiveDate;
use domain::agent::search::{SearchResult, failed, published_before, text};
use runtime::outbound::Outbound;
use serde_json::Value;

/// Longest that a search may take.
const MAX_SEARCH_TIME: Duration = Duration::from_secs(30);
/// Bytes of a response.
const MAX_RESPONSE_BYTES: usize = 2 << 20;

/// Searches, when it is configured.
#[derive(Debug, Clone)]
pub struct Searcher {
    http: reqwest::Client,
    url: String,
    key: Option<String>,
}

impl Searcher {
    /// Searches at `url`, with `key` as a bearer token.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(outbound: &Outbound, url: String, key: Option<String>) -> reqwest::Result<Self> {
        let http = outbound.of_operator().client()?.timeout(MAX_SEARCH_TIME).build()?;
        Ok(Self { http, url, key })
    }

    /// The text for the model about `query` on `today`; of a search that failed, the reason.
    pub async fn search(&self, query: &str, today: NaiveDate) -> String {
        match self.found(query).await {
            Ok(found) => text(&published_before(&found, today), today),
            Err(problem) => failed(problem),
        }
    }

    async fn found(&self, query: &str) -> Result<Vec<SearchResult>, &'static str> {
        let mut request =
            self.http.get(&self.url).query(&[("q", query)]).header("accept", "application/json");
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let mut response = request.send().await.map_err(|_| "the search did not answer")?;
        if response.status().is_redirection() {
            return Err("the search redirects to another address, which is not followed; correct SEARCH_URL");
        }
        if !response.status().is_success() {
            return Err("the search was refused");
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| "the search broke off")? {
            if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
                return Err("the search said too much");
            }
            body.extend_from_slice(&chunk);
        }
        let json: Value = serde_json::from_slice(&body).map_err(|_| "the search gave no JSON")?;
        Ok(results(&json))
    }
}

/// The results of an answer: a list, or one under `data` or `results`.
fn results(json: &Value) -> Vec<SearchResult> {
    let list =
        json.as_array().or_else(|| ["data", "results"].iter().find_map(|key| json.get(key)?.as_array()));
    let field = |result: &Value, names: &[&str]| {
        names.iter().find_map(|name| result.get(name)?.as_str().map(str::to_owned))
    };
    let found = |result: &Value| SearchResult {
        title: field(result, &["title"]).unwrap_or_default(),
        url: field(result, &["url", "link"]).unwrap_or_default(),
        date: field(result, &["date", "publishedTime", "published_date", "published"]),
        content: field(result, &["content", "description", "snippet"]).unwrap_or_default(),
    };
    list.into_iter().flatten().map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_found_under_the_names_that_engines_use() {
        let body = serde_json::json!({"data": [
            {"title": "A", "url": "u", "publishedTime": "2025-10-01T00:00:00Z", "content": "c"},
            {"title": "B", "link": "l", "snippet": "s"},
        ]});

        let found = results(&body);

        assert_eq!(found[0].date.as_deref(), Some("2025-10-01T00:00:00Z"));
        assert_eq!((found[1].url.as_str(), found[1].content.as_str()), ("l", "s"));
        assert_eq!(found[1].date, None);
    }
}
