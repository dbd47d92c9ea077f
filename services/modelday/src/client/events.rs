//! A job's events as they happen, from the first one to the last, over any number of connections.

use std::time::Duration;

use contract::kind::{JOB_CANCELLED, JOB_COMPLETED, JOB_FAILED, JOB_PARTIAL};
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::api::Api;
use super::error::ApiError;
use super::patience::Patience;
use super::sse::{Message, Reader};

/// First wait before asking again; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(2);

/// What comes out of a stream.
pub(super) enum Item {
    /// Something happened.
    Event(Message),
    /// That was all; the job has ended.
    End,
    /// This Modelday has no streams.
    Absent,
    /// It cannot be followed.
    Lost(ApiError),
}

/// The events of a job. They stop with this value.
pub(super) struct Events {
    items: mpsc::Receiver<Item>,
    task: JoinHandle<()>,
}

impl Events {
    /// Follows the job from its first event.
    pub(super) fn of(api: &Api, job: &str) -> Self {
        let (sender, items) = mpsc::channel(256);
        let stream = Stream { api: api.clone(), job: job.to_owned(), last: None, ended: false, sender };
        Self { items, task: tokio::spawn(stream.follow()) }
    }

    /// What comes next; after anything but an event nothing comes.
    pub(super) async fn next(&mut self) -> Option<Item> {
        self.items.recv().await
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Stream {
    api: Api,
    job: String,
    last: Option<String>,
    /// The event that ends a job was among them.
    ended: bool,
    sender: mpsc::Sender<Item>,
}

/// How a connection came to its end.
enum Closed {
    /// By the server, in order.
    InOrder,
    /// There was nothing to connect to.
    NoStream,
}

impl Stream {
    async fn follow(mut self) {
        let mut patience = Patience::new();
        let mut wait = FIRST;
        let last = loop {
            let before = self.last.clone();
            let closed = self.connection().await;
            if self.last != before || closed.is_ok() {
                patience.heard();
                wait = FIRST;
            }
            match closed {
                Ok(Closed::NoStream) => break Item::Absent,
                Ok(Closed::InOrder) if self.ended => break Item::End,
                // The server stops, and another one will know the rest.
                Ok(Closed::InOrder) => {}
                Err(problem) => {
                    if let Err(problem) = patience.bear(problem) {
                        break Item::Lost(problem);
                    }
                }
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST);
        };
        // Nobody listens any more; then nobody misses it.
        let _ = self.sender.send(last).await;
    }

    async fn connection(&mut self) -> Result<Closed, ApiError> {
        let mut headers = vec![("accept", "text/event-stream")];
        if let Some(last) = &self.last {
            headers.push(("last-event-id", last));
        }
        let opened = self.api.open(&["jobs", &self.job, "events"], &(), &headers).await;
        let mut response = match opened {
            Ok(response) => response,
            Err(ApiError::Answered(problem)) if problem.is_unknown_path() => return Ok(Closed::NoStream),
            Err(problem) => return Err(problem),
        };
        if response.status() == StatusCode::NO_CONTENT {
            self.ended = true;
            return Ok(Closed::InOrder);
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return Ok(Closed::NoStream);
        }
        let mut reader = Reader::default();
        while let Some(bytes) = self.api.chunk(&mut response).await? {
            for message in reader.push(&bytes) {
                self.ended |=
                    [JOB_COMPLETED, JOB_PARTIAL, JOB_FAILED, JOB_CANCELLED].contains(&&*message.kind);
                self.last.clone_from(&message.id);
                if self.sender.send(Item::Event(message)).await.is_err() {
                    return Ok(Closed::InOrder);
                }
            }
        }
        Ok(Closed::InOrder)
    }
}
