//! Compressed bodies, for clients that accept them. Streams go out as they are, because each part has to arrive at once.

use std::io::Write as _;

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::problem::Problem;

/// Smaller bodies fit into one packet as they are.
const LEAST_BYTES: u64 = 1400;
/// Larger ones are compressed beside other requests, because it takes some milliseconds.
const LONG_BYTES: u64 = 64 * 1024;
/// Types that consist of text.
const TEXTS: [&str; 4] = ["application/json", "application/problem+json", "text/csv", "text/plain"];

/// Whether a header lists `token`, and not with weight 0. Proxies mark entity tags as weak.
pub fn lists(headers: &HeaderMap, header: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|values| values.split(',')).any(|value| {
        let mut parts = value.trim().trim_start_matches("W/").split(';').map(str::trim);
        parts.next() == Some(token) && !parts.any(|weight| weight.trim_end_matches(['0', '.']) == "q=")
    })
}

/// Compresses the response where the client accepts it and it is worth it.
pub(super) async fn compress(request: Request, next: Next) -> Response {
    let is_accepted = lists(request.headers(), &header::ACCEPT_ENCODING, "gzip");
    let mut response = next.run(request).await;
    let Some(length) = compressible(&response) else { return response };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !is_accepted {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    match compressed(body, length).await {
        Ok(bytes) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(problem) => Problem::internal(&problem).into_response(),
    }
}

/// The length of a body that is whole, consists of text, and is long. An entity tag names the very bytes, so that a
/// response with one stays as it is.
fn compressible(response: &Response) -> Option<u64> {
    let headers = response.headers();
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim();
    let is_left = headers.contains_key(header::CONTENT_ENCODING)
        || headers.contains_key(header::ETAG)
        || !TEXTS.contains(&kind);
    response.body().size_hint().exact().filter(|length| *length >= LEAST_BYTES && !is_left)
}

async fn compressed(body: Body, length: u64) -> std::io::Result<Vec<u8>> {
    let bytes = to_bytes(body, usize::MAX).await.map_err(std::io::Error::other)?;
    if length < LONG_BYTES {
        return gzip(&bytes);
    }
    tokio::task::spawn_blocking(move || gzip(&bytes)).await?
}

fn gzip(bytes: &Bytes) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::routing::get;
    use axum::{Router, middleware};
    use flate2::read::GzDecoder;
    use futures::stream;
    use tower::ServiceExt as _;

    use super::*;

    const LONG: usize = 100_000;
    const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

    async fn answer(path: &str, accepted: Option<&str>) -> (HeaderMap, Vec<u8>) {
        let app = Router::new()
            .route("/long", get(|| async { (JSON, "7".repeat(LONG)) }))
            .route("/short", get(|| async { (JSON, "7") }))
            .route("/tagged", get(|| async { (JSON, [(header::ETAG, "\"1\"")], "7".repeat(LONG)) }))
            .route("/picture", get(|| async { ([(header::CONTENT_TYPE, "image/png")], "7".repeat(LONG)) }))
            .route(
                "/stream",
                get(|| async {
                    let parts = stream::iter(["7".repeat(LONG)].map(Ok::<_, std::io::Error>));
                    (JSON, Body::from_stream(parts))
                }),
            )
            .layer(middleware::from_fn(compress));
        let mut request = Request::get(path);
        if let Some(accepted) = accepted {
            request = request.header(header::ACCEPT_ENCODING, accepted);
        }
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn a_long_text_is_compressed_for_a_client_that_accepts_it() {
        let (headers, body) = answer("/long", Some("br, gzip;q=0.5")).await;

        assert_eq!(
            (&headers["content-encoding"], &headers["vary"]),
            (&"gzip".parse().unwrap(), &"Accept-Encoding".parse().unwrap())
        );
        assert!(body.len() < LONG / 50, "{} bytes", body.len());
        let mut text = String::new();
        GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
        assert_eq!(text, "7".repeat(LONG));
    }

    #[tokio::test]
    async fn nothing_else_is_compressed() {
        for (path, accepted, length) in [
            ("/long", None, LONG),
            ("/long", Some("br"), LONG),
            ("/long", Some("gzip;q=0, br"), LONG),
            ("/short", Some("gzip"), 1),
            ("/tagged", Some("gzip"), LONG),
            ("/picture", Some("gzip"), LONG),
            ("/stream", Some("gzip"), LONG),
        ] {
            let (headers, body) = answer(path, accepted).await;
            assert!(!headers.contains_key("content-encoding"), "{path} {accepted:?}");
            assert_eq!(body.len(), length, "{path} {accepted:?}");
        }
        assert_eq!(answer("/long", None).await.0["vary"], "Accept-Encoding");
    }
}
