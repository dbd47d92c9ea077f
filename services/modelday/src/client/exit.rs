//! How a command of the client ends, as scripts see it.

use std::io::ErrorKind;
use std::process::ExitCode;

use super::error::ApiError;

/// The codes, as `--help` tells them.
pub(crate) const CODES: &str = "\
Exit codes:
  0    done; a job that was watched completed
  1    failed
  2    usage, or a request that was refused
  3    a job that was watched ended partial
  4    a job that was watched was cancelled
  5    Modelday does not answer, or has trouble of its own
  130  interrupted; the job goes on
";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done,
    /// Something of ours, or the job.
    Failed,
    /// The request cannot be carried out as it is.
    Refused,
    /// Some model-days of the job failed.
    Partial,
    /// Somebody cancelled the job.
    Cancelled,
    /// Nobody answers, or who answers is in trouble; the same may work later.
    Unreachable,
    /// By the person in front of it.
    Interrupted,
}

impl Exit {
    /// How a job's end is told.
    pub(crate) fn of_job(status: &str) -> Self {
        match status {
            "completed" => Self::Done,
            "partial" => Self::Partial,
            "cancelled" => Self::Cancelled,
            _ => Self::Failed,
        }
    }

    /// How a problem is told.
    pub(crate) fn of_problem(problem: &anyhow::Error) -> Self {
        match problem.downcast_ref::<ApiError>() {
            Some(ApiError::Unreachable { .. } | ApiError::CutOff { .. }) => Self::Unreachable,
            Some(ApiError::Token) => Self::Refused,
            Some(ApiError::Answered(problem)) if problem.status >= 500 => Self::Unreachable,
            Some(ApiError::Answered(_)) => Self::Refused,
            Some(ApiError::Unreadable { .. }) => Self::Failed,
            None if nobody_reads(problem) => Self::Done,
            None => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Refused => 2,
            Exit::Partial => 3,
            Exit::Cancelled => 4,
            Exit::Unreachable => 5,
            Exit::Interrupted => 130,
        })
    }
}

/// Whether it is just that the reader of our output has seen enough, as `head` does.
pub(crate) fn nobody_reads(problem: &anyhow::Error) -> bool {
    problem.downcast_ref::<std::io::Error>().is_some_and(|problem| problem.kind() == ErrorKind::BrokenPipe)
}
