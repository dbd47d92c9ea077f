//! The HTTP API as the client uses it.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Body, RequestBuilder, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::connection::Connection;
use super::error::{ApiError, Problem};

/// How long an answer may take to begin and to go on.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Modelday that answers at some address.
#[derive(Clone)]
pub(crate) struct Api {
    base_url: Url,
    client: reqwest::Client,
}

/// What Modelday answered, to the letter.
pub(crate) struct Answer {
    pub(crate) text: String,
    base_url: String,
}

impl Answer {
    /// The answer as the client understands it.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let base_url = self.base_url.clone();
        serde_json::from_str(&self.text).map_err(|cause| ApiError::Unreadable { base_url, cause })
    }
}

impl Api {
    /// The Modelday at `connection`, with the token of the environment.
    ///
    /// # Errors
    /// When the token cannot be one.
    pub(crate) fn new(connection: &Connection) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        // Not an argument: those are seen by everybody on the machine.
        if let Ok(token) = std::env::var("MODELDAY_TOKEN")
            && !token.trim().is_empty()
        {
            let bearer = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
            let mut bearer = bearer.map_err(|_| ApiError::Token)?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let client = reqwest::Client::builder();
        let client = client.default_headers(headers).no_proxy();
        let client = client.connect_timeout(Duration::from_secs(10)).read_timeout(PATIENCE);
        let agent = concat!("modelday/", env!("CARGO_PKG_VERSION"));
        Ok(Self { base_url: connection.base_url.clone(), client: client.user_agent(agent).build()? })
    }

    /// The address for people: without a password.
    pub(crate) fn shown(&self) -> String {
        shown(&self.base_url)
    }

    /// A GET.
    pub(crate) async fn get(&self, path: &[&str], query: &impl Serialize) -> Result<Answer, ApiError> {
        self.answer(self.client.get(self.url(path)).query(query)).await
    }

    /// A POST of JSON, or of nothing.
    pub(crate) async fn post(
        &self,
        path: &[&str],
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Result<Answer, ApiError> {
        let mut request = self.client.post(self.url(path));
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.answer(request).await
    }

    /// A POST of a CSV file.
    pub(crate) async fn post_csv(
        &self,
        path: &[&str],
        query: &impl Serialize,
        csv: impl Into<Body>,
    ) -> Result<Answer, ApiError> {
        let request = self.client.post(self.url(path)).query(query);
        self.answer(request.header(CONTENT_TYPE, "text/csv").body(csv)).await
    }

    /// A GET whose answer is read bit by bit.
    pub(crate) async fn open(
        &self,
        path: &[&str],
        query: &impl Serialize,
        headers: &[(&'static str, &str)],
    ) -> Result<Response, ApiError> {
        let mut request = self.client.get(self.url(path)).query(query);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.successful(request).await
    }

    /// The next part of an answer; `None` after the last one.
    pub(crate) async fn chunk(&self, response: &mut Response) -> Result<Option<Vec<u8>>, ApiError> {
        let chunk = response.chunk().await.map_err(|problem| self.cut_off(&problem))?;
        Ok(chunk.map(Into::into))
    }

    fn url(&self, path: &[&str]) -> Url {
        below(&self.base_url, path)
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Answer, ApiError> {
        let request = request.header(ACCEPT, "application/json, application/problem+json");
        let response = self.successful(request).await?;
        let text = response.text().await.map_err(|problem| self.cut_off(&problem))?;
        Ok(Answer { text, base_url: self.shown() })
    }

    async fn successful(&self, request: RequestBuilder) -> Result<Response, ApiError> {
        let sent = request.send().await;
        let response = sent.map_err(|problem| ApiError::Unreachable {
            base_url: self.shown(),
            cause: innermost(&problem),
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.text().await.map_err(|problem| self.cut_off(&problem))?;
        Err(ApiError::Answered(Problem::read(status, retry_after, &body)))
    }

    fn cut_off(&self, problem: &reqwest::Error) -> ApiError {
        ApiError::CutOff { base_url: self.shown(), cause: innermost(problem) }
    }
}

fn shown(base_url: &Url) -> String {
    let mut url = base_url.clone();
    let _ = url.set_password(None);
    url.as_str().trim_end_matches('/').to_owned()
}

fn below(base_url: &Url, path: &[&str]) -> Url {
    let mut url = base_url.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// The cause of all others: the layers between say nothing to a person.
fn innermost(problem: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = problem;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn what_a_person_types_stays_one_part_of_the_path() {
        let below = below(&url("http://host:1/prefix/"), &["jobs", "a/../b?c", "cancel"]);

        assert_eq!(below.as_str(), "http://host:1/prefix/jobs/a%2F..%2Fb%3Fc/cancel");
    }

    #[test]
    fn a_password_in_the_address_is_not_shown() {
        assert_eq!(shown(&url("https://me:secret@host/")), "https://me@host");
    }
}
