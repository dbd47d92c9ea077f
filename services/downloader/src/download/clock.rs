//! Which sessions are final at a moment, and therefore which part of a response may be stored.

use chrono::{DateTime, NaiveDate, Utc};
use domain::market::calendar::{Calendar, exchange_date};

use crate::provider::{PriceResponse, Sessions};

/// A moment, and the sessions that were final at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) now: DateTime<Utc>,
    /// The last session whose bar may be stored.
    pub(crate) storable_until: NaiveDate,
    /// The last session whose bar, if it is absent, will not appear any more.
    final_until: NaiveDate,
}

impl Clock {
    pub(crate) fn at(calendar: &Calendar, now: DateTime<Utc>) -> Self {
        Self {
            now,
            storable_until: calendar.last_storable_session(now).unwrap_or(NaiveDate::MIN),
            final_until: calendar.last_final_session(now).unwrap_or(NaiveDate::MIN),
        }
    }

    pub(crate) fn sessions<'a>(&self, is_session: &'a (dyn Fn(NaiveDate) -> bool + Sync)) -> Sessions<'a> {
        Sessions {
            is_session,
            today: exchange_date(self.now),
            storable_until: self.storable_until,
            final_until: self.final_until,
        }
    }
}

/// The part of a response that is valid by its own date.
///
/// A response whose `Date` is earlier than our clock comes from a cache, a lagging mirror, or a stand-in for a past
/// day. It proves no absence after that date, and a bar that was not yet storable on that date may have changed.
pub(super) fn up_to_own_date(
    response: PriceResponse,
    responded_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    calendar: &Calendar,
) -> PriceResponse {
    let Some(responded_at) = responded_at.filter(|at| *at < now) else { return response };
    let then = Clock::at(calendar, responded_at);
    let PriceResponse { mut bars, mut spans, mut actions, rejected, mut not_storable } = response;
    let all = bars.len();
    bars.retain(|(_, date, _)| *date <= then.storable_until);
    actions.retain(|(_, date, _)| *date <= then.storable_until);
    not_storable += all - bars.len();
    for span in &mut spans {
        span.to = span.to.min(then.final_until);
        span.requested_at = span.requested_at.min(responded_at);
    }
    spans.retain(|span| span.from <= span.to);
    PriceResponse { bars, spans, actions, rejected, not_storable }
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

    fn response() -> PriceResponse {
        let bars = ["2025-10-29", "2025-10-30", "2025-10-31"];
        let span = AnswerSpan {
            symbol: symbol("A"),
            from: date("2025-10-29"),
            to: date("2025-11-06"),
            requested_at: instant(NOW),
        };
        PriceResponse {
            bars: bars.iter().map(|day| (symbol("A"), date(day), bar())).collect(),
            spans: vec![span],
            ..PriceResponse::default()
        }
    }

    fn check(responded_at: Option<&str>, last_bar: &str, last_covered: Option<&str>) {
        let trimmed = up_to_own_date(response(), responded_at.map(instant), instant(NOW), &Calendar::nyse());

        assert_eq!(trimmed.bars.last().map(|(_, date, _)| *date), Some(date(last_bar)), "{responded_at:?}");
        assert_eq!(trimmed.spans.first().map(|span| span.to), last_covered.map(date), "{responded_at:?}");
    }

    #[test]
    fn a_response_proves_nothing_after_its_own_date() {
        check(None, "2025-10-31", Some("2025-11-06"));
        check(Some("2025-11-10T17:00:05Z"), "2025-10-31", Some("2025-11-06"));
        check(Some("2025-10-31T03:59:59Z"), "2025-10-30", Some("2025-10-29"));
        check(Some("2025-10-31T15:00:00Z"), "2025-10-30", Some("2025-10-29"));
        check(Some("2025-10-30T01:00:00Z"), "2025-10-29", None);
    }

    #[test]
    fn an_old_response_is_as_old_as_it_says() {
        let at = instant("2025-10-31T03:59:59Z");

        assert_eq!(
            up_to_own_date(response(), Some(at), instant(NOW), &Calendar::nyse()).spans[0].requested_at,
            at
        );
    }
}
