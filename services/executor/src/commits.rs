//! Commits of days. While one is on its way those of other lanes come together, and the next takes them all: in one
//! transaction ten days cost little more than one.

use storage::execution::{DayCommit, DayWriter, Written, commit_day};
use storage::{PgPool, StorageError};
use tokio::sync::{mpsc, oneshot};

/// Most days in one transaction.
const MOST: usize = 64;

/// Where lanes bring the ends of their days.
pub(crate) struct Commits(mpsc::UnboundedSender<Asked>);

struct Asked {
    commit: DayCommit,
    told: oneshot::Sender<Answer>,
}

enum Answer {
    /// It is committed, or its lane is in other hands.
    Written(Option<Written>),
    /// Nothing is written, and one of the days that it was with may be the reason.
    Alone(DayCommit),
}

impl Commits {
    /// Starts the task that writes, until this is dropped.
    pub(crate) fn start(pool: PgPool) -> Self {
        let (commits, asked) = mpsc::unbounded_channel();
        tokio::spawn(write(pool, asked));
        Self(commits)
    }

    /// Commits the day at its lane's front.
    ///
    /// # Errors
    /// [`StorageError::Fenced`] when somebody else has taken the lane.
    pub(crate) async fn commit(&self, pool: &PgPool, commit: DayCommit) -> Result<Written, StorageError> {
        // An agent's day takes long, and ends with more.
        if commit.agent.is_some() {
            return commit_day(pool, &commit).await;
        }
        let (told, answer) = oneshot::channel();
        // Fails only when the task is gone, as the answer does then.
        let _ = self.0.send(Asked { commit, told });
        match answer.await {
            Ok(Answer::Written(written)) => written.ok_or(StorageError::Fenced),
            Ok(Answer::Alone(commit)) => commit_day(pool, &commit).await,
            Err(_) => Err(StorageError::Lost),
        }
    }
}

/// A worker that is cut off takes nobody else's day with it: the task goes on.
async fn write(pool: PgPool, mut asked: mpsc::UnboundedReceiver<Asked>) {
    let mut writer = None;
    let mut batch = Vec::new();
    while asked.recv_many(&mut batch, MOST).await > 0 {
        let (commits, told): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|Asked { commit, told }| (commit, told)).unzip();
        let answers = match written(&pool, &mut writer, &commits).await {
            Ok(written) => written.into_iter().map(Answer::Written).collect(),
            Err(problem) => {
                let days = commits.len();
                tracing::debug!("{days} days were not committed together: {problem}");
                let nothing_is_written = match &mut writer {
                    None => true,
                    Some(open) => open.answers().await,
                };
                if nothing_is_written {
                    commits.into_iter().map(Answer::Alone).collect()
                } else {
                    writer = None;
                    Vec::new()
                }
            }
        };
        for (told, answer) in told.into_iter().zip(answers) {
            // Whoever asked may be gone.
            let _ = told.send(answer);
        }
    }
}

async fn written(
    pool: &PgPool,
    writer: &mut Option<DayWriter>,
    commits: &[DayCommit],
) -> Result<Vec<Option<Written>>, StorageError> {
    if let Some(open) = writer
        && !open.is_usable().await
    {
        *writer = None;
    }
    let writer = match writer {
        Some(writer) => writer,
        None => writer.insert(DayWriter::open(pool).await?),
    };
    writer.commit(commits).await
}
