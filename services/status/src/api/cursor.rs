//! Cursors: where a page ended, as an opaque text for a URL.

use chrono::NaiveDate;
use domain::events::job_view::RequestedDay;

use domain::values::date::parse_date;

/// The position of a row; rows are ordered by model, trial, date and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) model: String,
    pub(super) trial: u32,
    pub(super) date: NaiveDate,
    /// Number of the row within its day, from 1.
    pub(super) number: usize,
}

/// The cursor after `day`.
pub(super) fn after(day: &RequestedDay) -> String {
    encode(&format!("{}/{}/{}", day.date, day.trial, day.model))
}

pub(super) fn after_place(place: &Place) -> String {
    encode(&format!("{}/{}/{}/{}", place.date, place.trial, place.number, place.model))
}

/// The model-day of a cursor; `None` for an invalid one.
pub(super) fn model_day(cursor: &str) -> Option<RequestedDay> {
    let text = decode(cursor)?;
    let mut parts = text.splitn(3, '/');
    let (date, trial, model) = (parts.next()?, parts.next()?, parts.next()?);
    Some(RequestedDay { date: parse_date(date)?, trial: trial.parse().ok()?, model: model.to_owned() })
}

/// The place of a cursor; `None` for an invalid one.
pub(super) fn place(cursor: &str) -> Option<Place> {
    let text = decode(cursor)?;
    let mut parts = text.splitn(4, '/');
    let (date, trial, number, model) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (date, trial, number) = (parse_date(date)?, trial.parse().ok()?, number.parse().ok()?);
    Some(Place { date, trial, number, model: model.to_owned() })
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(cursor: &str) -> Option<String> {
    let digits = cursor.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let text = String::from_utf8(digits.collect::<Option<Vec<u8>>>()?).ok()?;
    // Postgres refuses a NUL in a text.
    Some(text).filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let place = RequestedDay {
            date: "2025-10-01".parse().unwrap(),
            model: "org/m\u{f6}del v1".to_owned(),
            trial: 7,
        };

        assert_eq!(model_day(&after(&place)), Some(place));
    }

    #[test]
    fn a_cursor_of_a_row_reads_back() {
        let (date, model) = ("2025-10-01".parse().unwrap(), "org/m\u{f6}del v1".to_owned());
        let row = Place { model, trial: 7, date, number: 12 };

        assert_eq!(place(&after_place(&row)), Some(row.clone()));
        assert_eq!(place(&after(&RequestedDay { date, trial: 7, model: "m".to_owned() })), None);
    }

    #[test]
    fn other_texts_are_no_cursors() {
        for text in ["", "x", "zz", "+1", "\u{e9}a", "323032352d31302d3031"] {
            assert_eq!(model_day(text), None, "{text:?}");
        }
    }
}
