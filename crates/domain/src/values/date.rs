//! Dates as text.

use chrono::NaiveDate;

/// Parses a date written as `YYYY-MM-DD`, zero-padded and with nothing around it; `None` for any other text.
///
/// `NaiveDate::from_str` also takes spaces, signs and single digits.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let date: NaiveDate = text.parse().ok()?;
    (text.len() == 10 && date.to_string() == text).then_some(date)
}

/// A text that is not a date of the one form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a date; write YYYY-MM-DD, such as 2025-10-01")]
pub struct NotADate(String);

/// As [`parse_date`], with an error for people.
///
/// # Errors
/// When the text is not a date of that form.
pub fn required_date(text: &str) -> Result<NaiveDate, NotADate> {
    parse_date(text).ok_or_else(|| NotADate(text.to_owned()))
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
            "2025-1-5",
            "2025-10-01 and more",
        ] {
            assert_eq!(parse_date(wrong), None, "{wrong:?}");
            assert!(
                required_date(wrong).unwrap_err().to_string().ends_with("such as 2025-10-01"),
                "{wrong:?}"
            );
        }
    }
}
