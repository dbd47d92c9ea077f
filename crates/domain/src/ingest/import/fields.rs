//! The fields of one line of CSV. Each line is read on its own, so that a stray quotation mark does not swallow the
//! lines after it.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Splits lines into fields.
pub(super) struct FieldReader {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl FieldReader {
    /// A reader for lines with `delimiter` between fields.
    pub(super) fn new(delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, text: Vec::new(), ends: Vec::new() }
    }

    /// The fields of `line`, without blanks around them. A comma within quotation marks is text.
    pub(super) fn split(&mut self, line: &str) -> Vec<&str> {
        // Neither the text nor the number of fields can grow by reading.
        self.text.resize(line.len() + 1, 0);
        self.ends.resize(line.len() + 2, 0);
        self.reader.reset();
        let (result, _, mut written, mut fields) =
            self.reader.read_record(line.as_bytes(), &mut self.text, &mut self.ends);
        if matches!(result, ReadRecordResult::InputEmpty) {
            let (text, ends) = (self.text.get_mut(written..), self.ends.get_mut(fields..));
            if let (Some(text), Some(ends)) = (text, ends) {
                let (_, _, more, last) = self.reader.read_record(&[], text, ends);
                (written, fields) = (written + more, fields + last);
            }
        }
        let text =
            self.text.get(..written).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        let ends = self.ends.iter().take(fields);
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(ends).map(|(start, end)| text.get(*start..*end).unwrap_or_default().trim()).collect()
    }
}

/// The character between the fields: the most frequent one of the header.
pub(super) fn delimiter(header: &str) -> u8 {
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    // Of equally frequent ones, `max_by_key` takes the last.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, delimiter: u8, expected: &[&str]) {
        assert_eq!(FieldReader::new(delimiter).split(line), expected, "{line}");
    }

    #[test]
    fn a_delimiter_within_quotation_marks_is_text() {
        check("AAPL, 2025-10-01 ,\"48,713,940\"", b',', &["AAPL", "2025-10-01", "48,713,940"]);
        check("\"a \"\"b\"\" c\",", b',', &["a \"b\" c", ""]);
        check("255,04;\"1;2\";é", b';', &["255,04", "1;2", "é"]);
        check("a\tb", b'\t', &["a", "b"]);
    }

    #[test]
    fn a_stray_quotation_mark_ends_with_its_line() {
        let mut reader = FieldReader::new(b',');

        assert_eq!(reader.split("a,\"b,c"), ["a", "b,c"]);
        assert_eq!(reader.split("d,e"), ["d", "e"]);
        assert_eq!(reader.split("f\"g,h"), ["f\"g", "h"]);
    }
}
