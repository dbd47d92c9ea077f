//! The exit codes of the client's commands.

use std::io::ErrorKind;
use std::process::ExitCode;

use super::http::ApiError;
use crate::terminal::table::UnknownColumn;

/// The codes, as `--help` lists them.
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
    Done,
    /// The job failed, or the client itself.
    Failed,
    /// The server refused the request. It will refuse the same request again.
    Refused,
    /// Some model-days of the job failed.
    Partial,
    /// The job was cancelled.
    Cancelled,
    /// No response, or a response of status 5xx. The same request may succeed later.
    Unreachable,
    /// By Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The exit code for a job that has ended with this status.
    pub(crate) fn of_job(status: &str) -> Self {
        match status {
            "completed" => Self::Done,
            "partial" => Self::Partial,
            "cancelled" => Self::Cancelled,
            _ => Self::Failed,
        }
    }

    /// The exit code for an error.
    pub(crate) fn of_error(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<ApiError>() {
            Some(ApiError::Unreachable { .. } | ApiError::CutOff { .. }) => Self::Unreachable,
            Some(ApiError::Token | ApiError::Address(_)) => Self::Refused,
            Some(ApiError::Problem(problem)) if problem.status >= 500 => Self::Unreachable,
            Some(ApiError::Problem(_)) => Self::Refused,
            Some(ApiError::Unreadable { .. } | ApiError::TooLarge { .. }) => Self::Failed,
            None if is_broken_pipe(error) => Self::Done,
            None if error.is::<UnknownColumn>() => Self::Refused,
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

/// Whether the reader of the output has closed the pipe, as `head` does. That is no failure.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
