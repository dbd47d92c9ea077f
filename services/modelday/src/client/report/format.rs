//! Numbers and texts as a report writes them.

/// A fraction in percent with its sign.
pub(super) fn signed_percent(fraction: f64) -> String {
    minus(&format!("{:+.2} %", fraction * 100.0))
}

/// A fraction in percent.
pub(super) fn percent(fraction: f64) -> String {
    minus(&format!("{:.2} %", fraction * 100.0))
}

/// A ratio such as Sharpe's.
pub(super) fn ratio(value: f64) -> String {
    minus(&format!("{value:.2}"))
}

/// Dollars with commas between thousands.
pub(super) fn dollars(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let sign =
        if value < 0.0 && text.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) { "\u{2212}" } else { "" };
    format!("{sign}{}.{cents}", thousands(whole))
}

/// A count with commas between thousands.
pub(super) fn count(value: u64) -> String {
    thousands(&value.to_string())
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn minus(text: &str) -> String {
    text.replace('-', "\u{2212}")
}

/// Text for HTML, in elements and attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_have_commas_and_a_minus_only_below_zero() {
        assert_eq!(
            [1_234_567.891, 999.0, -1_000.5, -0.001].map(dollars),
            ["1,234,567.89", "999.00", "\u{2212}1,000.50", "0.00"]
        );
    }

    #[test]
    fn a_name_cannot_end_its_element_or_attribute() {
        assert_eq!(escaped("<a href='x\" &'>"), "&lt;a href=&#39;x&quot; &amp;&#39;&gt;");
    }
}
