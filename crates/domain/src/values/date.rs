//! Dates as text.

use chrono::NaiveDate;

/// Parses a date written as `YYYY-MM-DD`, zero-padded and with nothing around it; `None` for any other text.
///
/// `NaiveDate::from_str` also takes spaces, signs and single digits.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let date: NaiveDate = text.parse().ok()?;
    (text.len() == 10 && date.to_string() == text).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_one_form() {
        assert_eq!(parse_date("2025-10-01"), NaiveDate::from_ymd_opt(2025, 10, 1));
        assert_eq!(parse_date("0001-01-01"), NaiveDate::from_ymd_opt(1, 1, 1));
    }

    #[test]
    fn any_other_text_is_no_date() {
        for wrong in [
            "",
            "2025-10-1",
            "2025-02-30",
            " 2025-10-01",
            "2025-10-01 ",
            "20251001",
            "+025-10-01",
            "+2025-10-01",
            "+12025-10-01",
            "-0001-10-01",
            "2025-10-01T00:00:00",
            "２０２５-10-01",
        ] {
            assert_eq!(parse_date(wrong), None, "{wrong:?}");
        }
    }
}
