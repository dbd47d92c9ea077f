//! The body of an import, held in memory. All bodies together have a limit, and each counts only as far as it has arrived:
//! a slow client neither blocks others nor can many of them fill the memory.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures::StreamExt as _;
use runtime::http::Problem;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many files of the largest size may be held at the same time.
const FILES: usize = 2;

/// The memory for bodies.
pub(crate) struct FileMemory {
    /// The most bytes of a file.
    limit: usize,
    /// One permit for each free byte.
    free: Arc<Semaphore>,
}

/// A body that has arrived.
pub(crate) struct FileBody {
    pub(crate) bytes: Bytes,
    _memory: Option<OwnedSemaphorePermit>,
}

impl FileMemory {
    /// Memory for files of at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        let bytes = limit.saturating_mul(FILES).min(Semaphore::MAX_PERMITS);
        Self { limit, free: Arc::new(Semaphore::new(bytes)) }
    }

    /// Reads a body to its end.
    pub(crate) async fn read(&self, body: Body) -> Result<FileBody, Problem> {
        let (mut bytes, mut memory) = (Vec::new(), None::<OwnedSemaphorePermit>);
        let mut parts = body.into_data_stream();
        while let Some(part) = parts.next().await {
            let part = part.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The body broke off"))?;
            if bytes.len() + part.len() > self.limit {
                return Err(self.too_large());
            }
            let size = u32::try_from(part.len()).map_err(|_| self.too_large())?;
            let taken = Arc::clone(&self.free).try_acquire_many_owned(size).map_err(|_| busy())?;
            match &mut memory {
                Some(memory) => memory.merge(taken),
                None => memory = Some(taken),
            }
            bytes.extend_from_slice(&part);
        }
        Ok(FileBody { bytes: bytes.into(), _memory: memory })
    }

    fn too_large(&self) -> Problem {
        let limit = self.limit >> 20;
        let detail =
            format!("The file is larger than {limit} MiB; send it in parts, or raise IMPORT_LIMIT_MIB");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }
}

fn busy() -> Problem {
    let detail = "Other files are being imported, and together they are too large; try again in a moment";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(parts: &[usize]) -> Body {
        let parts: Vec<_> = parts.iter().map(|size| Ok::<_, std::io::Error>(vec![b'x'; *size])).collect();
        Body::from_stream(futures::stream::iter(parts))
    }

    fn status(read: Result<FileBody, Problem>) -> Option<StatusCode> {
        read.err().map(|problem| problem.status())
    }

    #[tokio::test]
    async fn a_body_of_several_parts_arrives_whole() {
        let memory = FileMemory::new(100);

        let read = memory.read(body(&[60, 40])).await.ok().unwrap();

        assert_eq!(read.bytes.len(), 100);
    }

    #[tokio::test]
    async fn a_body_above_the_limit_is_too_large() {
        let memory = FileMemory::new(100);

        assert_eq!(status(memory.read(body(&[60, 41])).await), Some(StatusCode::PAYLOAD_TOO_LARGE));
    }

    #[tokio::test]
    async fn bodies_beyond_the_memory_of_all_are_refused_until_others_are_done() {
        let memory = FileMemory::new(100);
        let held = [memory.read(body(&[100])).await, memory.read(body(&[60])).await];

        assert_eq!(status(memory.read(body(&[41])).await), Some(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(status(memory.read(body(&[40])).await), None);
        drop(held);
        assert_eq!(status(memory.read(body(&[100])).await), None);
    }
}
