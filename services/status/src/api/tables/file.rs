//! A table as a file that is written while it is sent: nothing is read before the client has taken what was there.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures::stream::{self, StreamExt as _};
use runtime::http::Problem;

use super::row::TableRow;
use super::walk::Walk;

/// A form in which rows are written.
pub(super) trait TableFile<R>: Send + 'static {
    /// Why rows cannot be written.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Takes rows; answers what can be sent of the file, which may be nothing yet.
    fn write(&mut self, rows: Vec<R>) -> Result<Vec<u8>, Self::Error>;

    /// The rest of the file.
    fn finish(&mut self) -> Result<Vec<u8>, Self::Error>;
}

/// A file in the making.
pub(super) struct Download<R, F> {
    walk: Walk<R>,
    file: F,
    finished: bool,
}

impl<R: TableRow, F: TableFile<R>> Download<R, F> {
    pub(super) fn new(walk: Walk<R>, file: F) -> Self {
        Self { walk, file, finished: false }
    }

    /// The answer. What fails before the first bytes is a problem; what fails later cuts the file off.
    pub(super) async fn response(
        mut self,
        extension: &str,
        media_type: &'static str,
    ) -> Result<Response, Problem> {
        let first = self.next().await?;
        let rest = stream::try_unfold(self, async |mut download| match download.next().await {
            Ok(Some(bytes)) => Ok(Some((bytes, download))),
            Ok(None) => Ok(None),
            // The problem is logged where it was made.
            Err(_) => Err(std::io::Error::other("the rest of the table cannot be read")),
        });
        let body = Body::from_stream(stream::iter(first.map(Ok)).chain(rest));
        let name = format!("attachment; filename=\"{}.{extension}\"", R::TABLE);
        let headers = [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, name)];
        Ok((headers, body).into_response())
    }

    /// The next bytes; `None` after the last ones.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        while !self.finished {
            let written = match self.walk.next().await? {
                Some(rows) => self.file.write(rows.into_iter().map(|(_, row)| row).collect()),
                None => {
                    self.finished = true;
                    self.file.finish()
                }
            };
            let bytes = written.map_err(|problem| Problem::internal(&problem))?;
            if !bytes.is_empty() {
                return Ok(Some(bytes.into()));
            }
        }
        Ok(None)
    }
}
