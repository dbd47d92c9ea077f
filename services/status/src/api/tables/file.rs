//! A table as a file that is written while it is sent: more days are read only when the client has received the rows
//! before.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures::stream::{self, StreamExt as _};
use runtime::http::Problem;

use super::row::TableRow;
use super::row_reader::RowReader;

/// A file format.
pub(super) trait TableFile<R>: Send + 'static {
    /// Why a row cannot be written.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Writes rows; returns the bytes that can be sent, which may be none yet.
    fn write(&mut self, rows: Vec<R>) -> Result<Vec<u8>, Self::Error>;

    /// Returns the rest of the file.
    fn finish(&mut self) -> Result<Vec<u8>, Self::Error>;
}

/// A file that is being sent.
pub(super) struct Download<R, F> {
    rows: RowReader<R>,
    file: F,
    finished: bool,
}

impl<R: TableRow, F: TableFile<R>> Download<R, F> {
    pub(super) fn new(rows: RowReader<R>, file: F) -> Self {
        Self { rows, file, finished: false }
    }

    /// The response. A failure before the first bytes is a problem; a later one ends the file early.
    pub(super) async fn response(
        mut self,
        extension: &str,
        media_type: &'static str,
    ) -> Result<Response, Problem> {
        let first = self.next().await?;
        let rest = stream::try_unfold(self, async |mut download| match download.next().await {
            Ok(Some(bytes)) => Ok(Some((bytes, download))),
            Ok(None) => Ok(None),
            // `Problem::internal` has logged the cause.
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
            let written = match self.rows.next().await? {
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
