//! Numbers as files have them: with a decimal point or a decimal comma, with thousands apart, as long as a float
//! prints.

use std::str::FromStr as _;

use rust_decimal::Decimal;

/// The character before the decimal places of a file's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

/// What a number says about the decimal mark of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It can be read with this mark only.
    Only(DecimalMark),
    /// Its comma may stand before decimal places or before thousands, e.g. `1,234`.
    Ambiguous,
    /// It says nothing.
    Nothing,
}

/// Whether a field says that there is no value, as Excel, pandas and vendors write it.
pub(super) fn is_missing(text: &str) -> bool {
    const WORDS: [&str; 8] = ["", "-", "n/a", "na", "nan", "none", "null", "n.a."];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// What stands between thousands, whatever the decimal mark is: blanks of several widths, and the apostrophe of
/// Switzerland.
const THOUSANDS: [char; 6] = [' ', '\u{a0}', '\u{2009}', '\u{202f}', '\'', '\u{2019}'];

/// The number of shares that `text` is, which may be written as thousands (`K`), millions (`M`) or billions (`B`).
pub(super) fn shares(text: &str, mark: DecimalMark) -> Option<Decimal> {
    let factor = match text.chars().last()?.to_ascii_uppercase() {
        'K' => 1_000,
        'M' => 1_000_000,
        'B' => 1_000_000_000,
        _ => return number(text, mark),
    };
    let amount = number(text.get(..text.len() - 1)?.trim_end(), mark)?;
    amount.checked_mul(Decimal::from(factor))
}

/// The number that `text` is.
pub(super) fn number(text: &str, mark: DecimalMark) -> Option<Decimal> {
    let text = text.strip_prefix('$').unwrap_or(text);
    let (decimal, thousands) = match mark {
        DecimalMark::Point => ('.', ','),
        DecimalMark::Comma => (',', '.'),
    };
    let (mantissa, exponent) = text.split_at(text.find(['e', 'E']).unwrap_or(text.len()));
    let (whole, places) = mantissa.split_once(decimal).map_or((mantissa, None), |(a, b)| (a, Some(b)));
    let has_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let has_groups = || [thousands].into_iter().chain(THOUSANDS).any(|mark| is_grouped(whole, mark));
    if !(has_digits(whole) || has_groups()) || !places.is_none_or(has_digits) {
        return None;
    }
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let plain = format!("{sign}{whole}.{}", places.unwrap_or("0"));
    if exponent.is_empty() {
        Decimal::from_str(&plain).ok()
    } else {
        Decimal::from_scientific(&format!("{plain}{exponent}")).ok()
    }
}

/// Whether these are digits in groups of three, e.g. `12,345,678`.
fn is_grouped(whole: &str, mark: char) -> bool {
    let mut groups = whole.split(mark);
    let is_group = |group: &str, shortest: usize| {
        (shortest..=3).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit())
    };
    groups.next().is_some_and(|first| is_group(first, 1)) && groups.all(|group| is_group(group, 3))
}

pub(super) fn evidence(text: &str) -> Evidence {
    let text = text.trim_start_matches(['$', '-']);
    let count = |mark| text.matches(mark).count();
    match (count(','), count('.')) {
        (0, 0) => Evidence::Nothing,
        (0, 1) if !is_grouped(text, '.') => Evidence::Only(DecimalMark::Point),
        (0, 1) => Evidence::Nothing,
        (0, _) => Evidence::Only(DecimalMark::Comma),
        (1, 0) if is_grouped(text, ',') => Evidence::Ambiguous,
        (1, 0) => Evidence::Only(DecimalMark::Comma),
        (_, 0) => Evidence::Only(DecimalMark::Point),
        _ if text.rfind(',') > text.rfind('.') => Evidence::Only(DecimalMark::Comma),
        _ => Evidence::Only(DecimalMark::Point),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, mark: DecimalMark, expected: Option<&str>) {
        let read = number(text, mark).map(|number| number.normalize().to_string());
        assert_eq!(read.as_deref(), expected, "{text}");
    }

    #[test]
    fn numbers_are_read_as_spreadsheets_and_floats_write_them() {
        check("255.4499969482422", DecimalMark::Point, Some("255.4499969482422"));
        check("48,713,940", DecimalMark::Point, Some("48713940"));
        check("$1,255.04", DecimalMark::Point, Some("1255.04"));
        check("1.5e-05", DecimalMark::Point, Some("0.000015"));
        check("4.8713940E7", DecimalMark::Point, Some("48713940"));
        check("-1", DecimalMark::Point, Some("-1"));
        check("1 255,04", DecimalMark::Comma, Some("1255.04"));
        check("48\u{202f}713\u{202f}940", DecimalMark::Comma, Some("48713940"));
        check("1'255.04", DecimalMark::Point, Some("1255.04"));
        check("1.255,04", DecimalMark::Comma, Some("1255.04"));
        check("48.713.940", DecimalMark::Comma, Some("48713940"));
        check(
            "0.123456789012345678901234567890123",
            DecimalMark::Point,
            Some("0.1234567890123456789012345679"),
        );
    }

    #[test]
    fn shares_may_be_written_in_thousands_millions_and_billions() {
        let read = |text: &str, mark| shares(text, mark).map(|number| number.normalize().to_string());

        assert_eq!(read("48.71M", DecimalMark::Point).as_deref(), Some("48710000"));
        assert_eq!(read("1,2B", DecimalMark::Comma).as_deref(), Some("1200000000"));
        assert_eq!(read("500 k", DecimalMark::Point).as_deref(), Some("500000"));
        assert_eq!(read("48713940", DecimalMark::Point).as_deref(), Some("48713940"));
        assert_eq!(read("M", DecimalMark::Point), None);
    }

    #[test]
    fn what_is_no_number_is_not_guessed() {
        for text in
            ["", "1,23", "12,34,567", "1.2.3", "1e", "abc", "10 00", "1 000'000", ".", "5.", "١", "1e400"]
        {
            check(text, DecimalMark::Point, None);
        }
        check("255.04", DecimalMark::Comma, None);
    }

    #[test]
    fn a_number_tells_its_mark_where_it_can_be_read_in_one_way() {
        use DecimalMark::{Comma, Point};
        for text in ["255.04", "1,255.04", "48,713,940", "1255.040", "$1.5"] {
            assert_eq!(evidence(text), Evidence::Only(Point), "{text}");
        }
        for text in ["255,04", "1.255,04", "48.713.940", "1255,040"] {
            assert_eq!(evidence(text), Evidence::Only(Comma), "{text}");
        }
        assert_eq!(evidence("1,234"), Evidence::Ambiguous);
        assert_eq!(
            evidence("1.234"),
            Evidence::Nothing,
            "a point is before decimal places unless others say otherwise"
        );
        assert_eq!(evidence("1234"), Evidence::Nothing);
    }
}
