//! The HTTP API as the client uses it.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Body, RequestBuilder, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::connection::Connection;
use super::error::{ApiError, Problem};

/// The longest wait for the first or the next bytes of a response.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The largest body of a response that is read as a whole, in MiB. A page of the longest list has less than 10.
const MAX_BODY_MIB: usize = 256;
/// The same of an error.
const MAX_PROBLEM_MIB: usize = 4;
/// The longest time that such a body may take.
const MAX_BODY_TIME: Duration = Duration::from_secs(10 * 60);

/// Calls the API of one Modelday.
#[derive(Clone)]
pub(crate) struct Api {
    base_url: Url,
    client: reqwest::Client,
}

/// The body of a successful response, unchanged.
pub(crate) struct ResponseBody {
    pub(crate) text: String,
    base_url: String,
}

impl ResponseBody {
    /// The body as the type that this version of the client expects.
    pub(crate) fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let base_url = self.base_url.clone();
        serde_json::from_str(&self.text).map_err(|cause| ApiError::Unreadable { base_url, cause })
    }
}

impl Api {
    /// Calls the Modelday at `connection` with the token of `MODELDAY_TOKEN`, if that is set.
    ///
    /// # Errors
    /// When the address is none, or the token has characters that no HTTP header may have.
    pub(crate) fn new(connection: &Connection) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        // From the environment, because every user of the machine can read the arguments of a process.
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
        let client = client.connect_timeout(Duration::from_secs(10)).read_timeout(READ_TIMEOUT);
        let agent = concat!("modelday/", env!("CARGO_PKG_VERSION"));
        Ok(Self { base_url: connection.url()?, client: client.user_agent(agent).build()? })
    }

    /// The address for messages.
    pub(crate) fn display_url(&self) -> String {
        self.base_url.as_str().trim_end_matches('/').to_owned()
    }

    /// Sends a GET request.
    pub(crate) async fn get(&self, path: &[&str], query: &impl Serialize) -> Result<ResponseBody, ApiError> {
        self.body_of(self.client.get(self.url(path)).query(query)).await
    }

    /// Sends a POST request with a JSON body, or without a body.
    pub(crate) async fn post(
        &self,
        path: &[&str],
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Result<ResponseBody, ApiError> {
        let mut request = self.client.post(self.url(path));
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.body_of(request).await
    }

    /// Sends a PUT request with a JSON body.
    pub(crate) async fn put(&self, path: &[&str], body: &Value) -> Result<ResponseBody, ApiError> {
        self.body_of(self.client.put(self.url(path)).json(body)).await
    }

    /// Sends a DELETE request.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<ResponseBody, ApiError> {
        self.body_of(self.client.delete(self.url(path))).await
    }

    /// Sends a POST request with a file as its body.
    pub(crate) async fn post_file(
        &self,
        path: &[&str],
        query: &impl Serialize,
        file: impl Into<Body>,
    ) -> Result<ResponseBody, ApiError> {
        let request = self.client.post(self.url(path)).query(query);
        self.body_of(request.header(CONTENT_TYPE, "application/octet-stream").body(file)).await
    }

    /// Sends a GET request whose body the caller reads in chunks.
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
        self.send(request).await
    }

    /// Sends a POST request whose response the caller reads in chunks.
    pub(crate) async fn open_post(&self, path: &[&str], body: &Value) -> Result<Response, ApiError> {
        self.send(self.client.post(self.url(path)).json(body)).await
    }

    /// The next chunk of a body; `None` after the last one.
    pub(crate) async fn chunk(&self, response: &mut Response) -> Result<Option<Vec<u8>>, ApiError> {
        let chunk = response.chunk().await.map_err(|problem| self.cut_off(&problem))?;
        Ok(chunk.map(Into::into))
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &[&str]) -> Url {
        below(&self.base_url, path)
    }

    async fn body_of(&self, request: RequestBuilder) -> Result<ResponseBody, ApiError> {
        let request = request.header(ACCEPT, "application/json, application/problem+json");
        let response = self.send(request).await?;
        let text = self.text(response, MAX_BODY_MIB).await?;
        Ok(ResponseBody { text, base_url: self.display_url() })
    }

    /// Sends the request; a response that is no success becomes an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response, ApiError> {
        let sent = request.send().await;
        let response = sent.map_err(|problem| ApiError::Unreachable {
            base_url: self.display_url(),
            cause: innermost(&problem),
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let body = self.text(response, MAX_PROBLEM_MIB).await?;
        Err(ApiError::Problem(Problem::parse(status, retry_after, &body)))
    }

    /// The whole body, which must be text of at most so many MiB.
    async fn text(&self, mut response: Response, max_mib: usize) -> Result<String, ApiError> {
        let mut body = Vec::new();
        let read = async {
            while let Some(bytes) = self.chunk(&mut response).await? {
                if body.len() + bytes.len() > max_mib << 20 {
                    return Err(self.too_large(max_mib));
                }
                body.extend_from_slice(&bytes);
            }
            Ok(String::from_utf8_lossy(&body).into_owned())
        };
        tokio::time::timeout(MAX_BODY_TIME, read).await.unwrap_or_else(|_| {
            let cause = format!("it takes more than {} s", MAX_BODY_TIME.as_secs());
            Err(ApiError::CutOff { base_url: self.display_url(), cause })
        })
    }

    /// The error of a response, or a part of one, that is larger than so many MiB.
    pub(crate) fn too_large(&self, max_mib: usize) -> ApiError {
        ApiError::TooLarge { base_url: self.display_url(), max_mib }
    }

    fn cut_off(&self, problem: &reqwest::Error) -> ApiError {
        ApiError::CutOff { base_url: self.display_url(), cause: innermost(problem) }
    }
}

fn below(base_url: &Url, path: &[&str]) -> Url {
    let mut url = base_url.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// The innermost cause. The layers around it do not help a person.
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
    fn an_argument_stays_one_segment_of_the_path() {
        let below = below(&url("http://host:1/prefix/"), &["jobs", "a/../b?c", "cancel"]);

        assert_eq!(below.as_str(), "http://host:1/prefix/jobs/a%2F..%2Fb%3Fc/cancel");
    }
}
