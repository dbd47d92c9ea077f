//! Where a page ended, as an opaque text that fits into a URL.

use domain::fold::Cell;

use super::query::strict_date;

/// The cursor after `cell`.
pub(crate) fn after(cell: &Cell) -> String {
    let text = format!("{}/{}/{}", cell.date, cell.trial, cell.model);
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The cell of a cursor; `None` for a text that is none.
pub(crate) fn cell(cursor: &str) -> Option<Cell> {
    let digits = cursor.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let text = String::from_utf8(digits.collect::<Option<Vec<u8>>>()?).ok()?;
    let mut parts = text.splitn(3, '/');
    let (date, trial, model) = (parts.next()?, parts.next()?, parts.next()?);
    // Postgres cannot compare with a NUL.
    let model = Some(model).filter(|model| !model.contains('\0'))?;
    Some(Cell { date: strict_date(date)?, trial: trial.parse().ok()?, model: model.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let place =
            Cell { date: "2025-10-01".parse().unwrap(), model: "org/m\u{f6}del v1".to_owned(), trial: 7 };

        assert_eq!(cell(&after(&place)), Some(place));
    }

    #[test]
    fn other_texts_are_no_cursors() {
        for text in ["", "x", "zz", "+1", "\u{e9}a", "323032352d31302d3031"] {
            assert_eq!(cell(text), None, "{text:?}");
        }
    }
}
