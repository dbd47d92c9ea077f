//! Commits of days. While one is on its way those of other lanes come together, and the next takes them all: in one
//! transaction ten days cost little more than one.

use std::time::Duration;

use storage::execution::{DayCommit, DayWriter, Written, commit_day};
use storage::{PgPool, StorageError};
use tokio::sync::{mpsc, oneshot};

/// Most days in one transaction.
const MOST: usize = 64;

/// How long a day waits for those of lanes that go on after the commit before: they are about to come. As short as a
/// timer can be.
const PATIENCE: Duration = Duration::from_millis(1);

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
    let mut due = 0;
    loop {
        let batch = gather(&mut asked, due, async { tokio::time::sleep(PATIENCE).await }).await;
        if batch.is_empty() {
            return;
        }
        let (commits, told): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|Asked { commit, told }| (commit, told)).unzip();
        due = commits.iter().filter(|commit| commit.next_turn.is_none()).count();
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

/// What has come, at least one and at the end none. With it comes what comes until there are as many as are `due`, or
/// until `patience` has run out.
async fn gather<T>(
    asked: &mut mpsc::UnboundedReceiver<T>,
    due: usize,
    patience: impl Future<Output = ()>,
) -> Vec<T> {
    let mut batch = Vec::new();
    asked.recv_many(&mut batch, MOST).await;
    let all_that_are_due = async {
        while batch.len() < due {
            let room = MOST - batch.len();
            if asked.recv_many(&mut batch, room).await == 0 {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        () = all_that_are_due => {}
        () = patience => {}
    }
    batch
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

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn days_that_are_due_go_together() {
        let (days, mut asked) = mpsc::unbounded_channel();
        let lanes = async move {
            for day in 1..=3 {
                days.send(day).unwrap();
                yield_now().await;
            }
            pending::<()>().await;
        };

        let batch = tokio::select! {
            batch = gather(&mut asked, 3, pending()) => batch,
            () = lanes => unreachable!("the lanes stay"),
        };

        assert_eq!(batch, [1, 2, 3]);
    }

    #[tokio::test]
    async fn a_day_whose_company_does_not_come_goes_alone() {
        let (days, mut asked) = mpsc::unbounded_channel();
        days.send(1).unwrap();

        assert_eq!(gather(&mut asked, 3, ready(())).await, [1]);
    }

    #[tokio::test]
    async fn a_day_that_waits_for_nobody_goes_at_once() {
        let (days, mut asked) = mpsc::unbounded_channel();
        days.send(1).unwrap();

        assert_eq!(gather(&mut asked, 1, pending()).await, [1]);
    }

    #[tokio::test]
    async fn it_ends_when_nobody_is_left() {
        let (days, mut asked) = mpsc::unbounded_channel::<u32>();
        drop(days);

        assert!(gather(&mut asked, 3, pending()).await.is_empty());
    }
}
