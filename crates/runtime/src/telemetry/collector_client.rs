//! The HTTP client of the exporter. Its thread belongs to no runtime, so each request runs on that of the process.

use anyhow::Context as _;
use futures::future::BoxFuture;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

/// The largest answer that is read. A collector says a few words.
const MAX_ANSWER: usize = 1 << 20;

/// Sends spans to a collector over HTTP.
#[derive(Debug)]
pub(super) struct CollectorClient {
    http: reqwest::Client,
    runtime: Handle,
}

impl CollectorClient {
    /// Requests run on the runtime that calls this.
    pub(super) fn new(http: reqwest::Client) -> Self {
        Self { http, runtime: Handle::current() }
    }
}

impl HttpClient for CollectorClient {
    fn send_bytes<'client, 'answer>(
        &'client self,
        request: Request<Bytes>,
    ) -> BoxFuture<'answer, Result<Response<Bytes>, HttpError>>
    where
        'client: 'answer,
        Self: 'answer,
    {
        let http = self.http.clone();
        let answer = self.runtime.spawn(async move { send(&http, request).await });
        Box::pin(async move { Ok(answer.await??) })
    }
}

async fn send(http: &reqwest::Client, request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
    let (parts, body) = request.into_parts();
    let request = http.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
    let mut response = request.send().await?;
    let mut answer = Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        headers.extend(response.headers().clone());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        anyhow::ensure!(body.len() <= MAX_ANSWER, "the collector says too much");
    }
    answer.body(body.into()).context("reading the collector's answer")
}
