//! What the calendar and a clock say about which sessions an answer may speak for.

use chrono::{DateTime, NaiveDate, Utc};
use domain::market::calendar::{Calendar, exchange_date};

use crate::provider::{Answer, Sessions};

/// A moment, and the sessions that were over by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) now: DateTime<Utc>,
    /// The last session whose bar may be stored.
    pub(crate) storable_until: NaiveDate,
    /// The last session whose absent bar will not come any more.
    settled_until: NaiveDate,
}

impl Clock {
    pub(crate) fn at(calendar: &Calendar, now: DateTime<Utc>) -> Self {
        Self {
            now,
            storable_until: calendar.last_storable_session(now).unwrap_or(NaiveDate::MIN),
            settled_until: calendar.last_final_session(now).unwrap_or(NaiveDate::MIN),
        }
    }

    pub(crate) fn sessions<'a>(&self, is_session: &'a (dyn Fn(NaiveDate) -> bool + Sync)) -> Sessions<'a> {
        Sessions {
            is_session,
            today: exchange_date(self.now),
            storable_until: self.storable_until,
            settled_until: self.settled_until,
        }
    }
}

/// The part of an answer that its own date vouches for.
///
/// A provider that says it answered earlier than our clock (a cache, a lagging mirror, a stand-in that lives
/// in the past) knows nothing of later sessions: it proves no absence there, and the bar of a session that was
/// not closed for long enough then may have changed since.
pub(crate) fn vouched(
    answer: Answer,
    answered_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    calendar: &Calendar,
) -> Answer {
    let Some(answered_at) = answered_at.filter(|at| *at < now) else { return answer };
    let then = Clock::at(calendar, answered_at);
    let Answer { mut bars, mut spans, rejected, mut unsettled } = answer;
    let all = bars.len();
    bars.retain(|(_, date, _)| *date <= then.storable_until);
    unsettled += all - bars.len();
    for span in &mut spans {
        span.to = span.to.min(then.settled_until);
        span.asked_at = span.asked_at.min(answered_at);
    }
    spans.retain(|span| span.from <= span.to);
    Answer { bars, spans, rejected, unsettled }
}

#[cfg(test)]
mod tests {
    use domain::ingest::coverage::AnswerSpan;

    use super::*;
    use crate::testing::{bar, date, symbol};

    const NOW: &str = "2025-11-10T17:00:00Z";

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn answer() -> Answer {
        let bars = ["2025-10-29", "2025-10-30", "2025-10-31"];
        let span = AnswerSpan {
            symbol: symbol("A"),
            from: date("2025-10-29"),
            to: date("2025-11-06"),
            asked_at: instant(NOW),
        };
        Answer {
            bars: bars.iter().map(|day| (symbol("A"), date(day), bar())).collect(),
            spans: vec![span],
            ..Answer::default()
        }
    }

    fn check(answered_at: Option<&str>, last_bar: &str, last_covered: Option<&str>) {
        let vouched = vouched(answer(), answered_at.map(instant), instant(NOW), &Calendar::nyse());

        assert_eq!(vouched.bars.last().map(|(_, date, _)| *date), Some(date(last_bar)), "{answered_at:?}");
        assert_eq!(vouched.spans.first().map(|span| span.to), last_covered.map(date), "{answered_at:?}");
    }

    #[test]
    fn an_answer_vouches_for_nothing_after_its_own_date() {
        check(None, "2025-10-31", Some("2025-11-06"));
        check(Some("2025-11-10T17:00:05Z"), "2025-10-31", Some("2025-11-06"));
        check(Some("2025-10-31T03:59:59Z"), "2025-10-30", Some("2025-10-29"));
        check(Some("2025-10-31T15:00:00Z"), "2025-10-30", Some("2025-10-29"));
        check(Some("2025-10-30T01:00:00Z"), "2025-10-29", None);
    }

    #[test]
    fn an_old_answer_is_as_old_as_it_says() {
        let at = instant("2025-10-31T03:59:59Z");

        assert_eq!(vouched(answer(), Some(at), instant(NOW), &Calendar::nyse()).spans[0].asked_at, at);
    }
}
