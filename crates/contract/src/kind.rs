//! Names of message types. The routing key of an event is its type.

use domain::events::event::Event;
use domain::job::JobOutcome;

/// A job was accepted.
pub const JOB_REQUESTED: &str = "modelday.job.requested.v1";
/// Prices are missing and will be fetched.
pub const DOWNLOAD_STARTED: &str = "modelday.data.download_started.v1";
/// Another symbol is done.
pub const DOWNLOAD_PROGRESSED: &str = "modelday.data.download_progressed.v1";
/// These dates can run.
pub const DATA_READY: &str = "modelday.data.ready.v1";
/// The job waits for the provider's next quota window.
pub const DATA_WAITING: &str = "modelday.data.waiting.v1";
/// No date can run.
pub const DATA_FAILED: &str = "modelday.data.failed.v1";
/// The job's lanes are planned.
pub const JOB_STARTED: &str = "modelday.job.started.v1";
/// An attempt of a slow model began.
pub const MODEL_DAY_STARTED: &str = "modelday.model_day.started.v1";
/// A model-day took effect.
pub const MODEL_DAY_COMPLETED: &str = "modelday.model_day.completed.v1";
/// A model-day failed.
pub const MODEL_DAY_FAILED: &str = "modelday.model_day.failed.v1";
/// Dates of one portfolio are not run.
pub const MODEL_DAYS_SKIPPED: &str = "modelday.model_days.skipped.v1";
/// The job ended without a failed day.
pub const JOB_COMPLETED: &str = "modelday.job.completed.v1";
/// The job ended with failed and with completed days.
pub const JOB_PARTIAL: &str = "modelday.job.partial.v1";
/// The job ended and nothing could be run, or every day failed.
pub const JOB_FAILED: &str = "modelday.job.failed.v1";
/// The job was ended by its user.
pub const JOB_CANCELLED: &str = "modelday.job.cancelled.v1";

/// Command: take a turn of a lane.
pub const LANE_CONTINUE: &str = "lane.continue";
/// Command: end a job now.
pub const JOB_CANCEL: &str = "job.cancel";

/// Every command type that this version knows.
pub const COMMANDS: [&str; 2] = [LANE_CONTINUE, JOB_CANCEL];

/// Every event type that this version knows.
pub const EVENTS: [&str; 15] = [
    JOB_REQUESTED,
    DOWNLOAD_STARTED,
    DOWNLOAD_PROGRESSED,
    DATA_READY,
    DATA_WAITING,
    DATA_FAILED,
    JOB_STARTED,
    MODEL_DAY_STARTED,
    MODEL_DAY_COMPLETED,
    MODEL_DAY_FAILED,
    MODEL_DAYS_SKIPPED,
    JOB_COMPLETED,
    JOB_PARTIAL,
    JOB_FAILED,
    JOB_CANCELLED,
];

/// The service that sends messages of a type; `None` for a type that this version does not know.
pub fn sender(kind: &str) -> Option<&'static str> {
    match kind {
        JOB_REQUESTED | JOB_CANCEL => Some("trigger"),
        DOWNLOAD_STARTED | DOWNLOAD_PROGRESSED | DATA_READY | DATA_WAITING | DATA_FAILED => {
            Some("downloader")
        }
        LANE_CONTINUE => Some("executor"),
        kind if EVENTS.contains(&kind) => Some("executor"),
        _ => None,
    }
}

/// Whether `source`, such as `/modelday/trigger`, sends messages of a type. True for an unknown type, which no consumer
/// can decode anyway.
pub fn is_sent_by(source: &str, kind: &str) -> bool {
    sender(kind).is_none_or(|sender| source.strip_prefix("/modelday/") == Some(sender))
}

/// The id of the JSON Schema of a type's bodies, an absolute URI. The file is in `proto-schemas/json-schema`.
pub fn schema_id(kind: &str) -> String {
    format!("urn:modelday:v1:{kind}")
}

/// The event types that a pattern selects: `*` stands for any characters, and `modelday.` at the beginning may be left
/// out, so `job.*` selects the events of a job's life. Empty when the pattern fits no type that this version knows.
pub fn matching(pattern: &str) -> Vec<&'static str> {
    let fits = |kind: &str| {
        fits(kind, pattern) || kind.strip_prefix("modelday.").is_some_and(|short| fits(short, pattern))
    };
    EVENTS.into_iter().filter(|kind| fits(kind)).collect()
}

/// Looks for the parts between the stars one after another.
fn fits(text: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return text == pattern };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = text.strip_prefix(start).and_then(|text| text.strip_suffix(end));
    let Some(mut inner) = inner else { return false };
    middle.split('*').all(|part| match inner.split_once(part) {
        Some((_, after)) => {
            inner = after;
            true
        }
        None => false,
    })
}

/// The type of an event's message.
pub fn of(event: &Event) -> &'static str {
    match event {
        Event::JobRequested(_) => JOB_REQUESTED,
        Event::DownloadStarted(_) => DOWNLOAD_STARTED,
        Event::DownloadProgressed(_) => DOWNLOAD_PROGRESSED,
        Event::DataReady(_) => DATA_READY,
        Event::DataWaiting(_) => DATA_WAITING,
        Event::DataFailed(_) => DATA_FAILED,
        Event::JobStarted(_) => JOB_STARTED,
        Event::ModelDayStarted(_) => MODEL_DAY_STARTED,
        Event::ModelDayCompleted(_) => MODEL_DAY_COMPLETED,
        Event::ModelDayFailed(_) => MODEL_DAY_FAILED,
        Event::ModelDaysSkipped(_) => MODEL_DAYS_SKIPPED,
        Event::JobEnded(ended) => of_outcome(ended.outcome),
    }
}

/// The type of the event of a job's end.
pub fn of_outcome(outcome: JobOutcome) -> &'static str {
    match outcome {
        JobOutcome::Completed => JOB_COMPLETED,
        JobOutcome::Partial => JOB_PARTIAL,
        JobOutcome::Failed => JOB_FAILED,
        JobOutcome::Cancelled => JOB_CANCELLED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_selects_types_with_or_without_their_first_word() {
        let of_jobs =
            [JOB_REQUESTED, JOB_STARTED, JOB_COMPLETED, JOB_PARTIAL, JOB_FAILED, JOB_CANCELLED].to_vec();
        assert_eq!(matching("job.*"), of_jobs);
        assert_eq!(matching("modelday.job.*"), of_jobs);
        assert_eq!(matching("*"), EVENTS.to_vec());
        assert_eq!(matching("**"), EVENTS.to_vec());
        assert_eq!(matching("*.failed.v1"), [DATA_FAILED, MODEL_DAY_FAILED, JOB_FAILED]);
        assert_eq!(matching("m*day.job*ted.v1"), [JOB_REQUESTED, JOB_STARTED, JOB_COMPLETED]);
        assert_eq!(matching("data.ready.v1"), [DATA_READY]);
        for nothing in ["", "job", "jobs.*", "data.ready.v1.", "*v2", "*.v1*.v1"] {
            assert_eq!(matching(nothing), [""; 0], "{nothing}");
        }
    }

    #[test]
    fn every_type_has_one_sender_and_others_do_not_speak_for_it() {
        for kind in EVENTS.into_iter().chain(COMMANDS) {
            let senders = ["trigger", "downloader", "executor", "status"]
                .map(|service| is_sent_by(&format!("/modelday/{service}"), kind));
            assert_eq!(senders.into_iter().filter(|sends| *sends).count(), 1, "{kind}");
        }
        assert!(is_sent_by("/modelday/downloader", DATA_READY));
        assert!(!is_sent_by("/modelday/executor", DATA_READY));
        assert!(!is_sent_by("downloader", DATA_READY));
        assert!(is_sent_by("/modelday/executor", "modelday.of_tomorrow.v1"));
    }
}
