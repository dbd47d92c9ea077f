//! Bars as Parquet, as pandas, polars and DuckDB write it.

use axum::body::Bytes;
use domain::ingest::import::{BarFile, BarOptions, BarReader, Faults, Rules};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

/// Whether a file says of itself that it is Parquet.
pub(super) fn is_parquet(file: &Bytes) -> bool {
    file.starts_with(b"PAR1")
}

/// Reads the file. A fault's line is the number of the row.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(file: &Bytes, options: &BarOptions, rules: &Rules<'_>) -> Result<BarFile, Faults> {
    let reader = SerializedFileReader::new(file.clone()).map_err(|problem| unreadable(&problem))?;
    let columns = reader.metadata().file_metadata().schema().get_fields();
    let header: Vec<&str> = columns.iter().map(|column| column.name()).collect();
    let mut bars = BarReader::new(&header, options, rules)?;
    let rows = reader.get_row_iter(None).map_err(|problem| unreadable(&problem))?;
    for (row, line) in rows.zip(1..) {
        let row = row.map_err(|problem| unreadable(&problem))?;
        let fields: Vec<String> = row.get_column_iter().map(|(_, field)| text(field)).collect();
        bars.row(line, &fields.iter().map(String::as_str).collect::<Vec<_>>());
        if bars.is_overfull() {
            break;
        }
    }
    bars.finish()
}

/// A value as a CSV file has it.
fn text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Float(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        Field::TimestampMillis(instant) | Field::TimestampMicros(instant) => instant.to_string(),
        other => other.to_string(),
    }
}

fn unreadable(problem: &ParquetError) -> Faults {
    let problem =
        format!("the file cannot be read ({problem}); write it with snappy, gzip or no compression");
    Faults::only(1, "", problem, "")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::market::calendar::Calendar;
    use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// A frame of one row, as pandas writes it: floats, instants in nanoseconds, more columns than are read.
    fn file(date: i64) -> Bytes {
        let schema = "message schema {
            optional int64 Date (TIMESTAMP(NANOS,false)); optional double Open; optional double High;
            optional double Low; optional double Close; optional int64 Volume; optional binary Ticker (UTF8);
            optional double Dividends; }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let mut writer =
            SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::default())).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut numbers = [255.04, 258.79, 254.93, 255.45, 0.0].into_iter();
        for place in 0..8 {
            let mut column = group.next_column().unwrap().unwrap();
            fn write<T: DataType>(
                column: &mut parquet::file::writer::SerializedColumnWriter<'_>,
                value: T::T,
            ) {
                column.typed::<T>().write_batch(&[value], Some(&[1]), None).unwrap();
            }
            match place {
                0 => write::<Int64Type>(&mut column, date),
                5 => write::<Int64Type>(&mut column, 48_713_940),
                6 => write::<ByteArrayType>(&mut column, ByteArray::from("AAPL")),
                _ => write::<DoubleType>(&mut column, numbers.next().unwrap()),
            }
            column.close().unwrap();
        }
        group.close().unwrap();
        writer.into_inner().unwrap().into()
    }

    fn read_file(file: &Bytes) -> Result<BarFile, Faults> {
        let (calendar, closed_until) = (Calendar::nyse(), "2025-10-30".parse().unwrap());
        read(file, &BarOptions::default(), &Rules { calendar: &calendar, closed_until })
    }

    #[test]
    fn a_frame_of_pandas_is_read() {
        let midnight = 1_759_276_800_000_000_000;
        let file = file(midnight);
        assert!(is_parquet(&file));

        let read = read_file(&file).unwrap();

        let row = &read.rows[0];
        assert_eq!((row.symbol.as_str(), row.date.to_string().as_str()), ("AAPL", "2025-10-01"));
        assert_eq!((row.bar.open().to_string().as_str(), row.bar.volume()), ("255.04", 48_713_940));
        assert_eq!(read.ignored_columns, ["Dividends"]);
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let whole = file(1_759_276_800_000_000_000);

        for cut in [4, whole.len() / 2, whole.len() - 1] {
            let faults = read_file(&whole.slice(..cut)).unwrap_err();
            assert!(faults.listed[0].problem.contains("cannot be read"), "{faults:?}");
        }
    }
}
