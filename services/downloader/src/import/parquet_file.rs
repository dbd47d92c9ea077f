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
        // Older writers do not say that bytes are text.
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
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
    use parquet::data_type::{
        ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type, Int96, Int96Type,
    };
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    fn write<T: DataType>(column: &mut parquet::file::writer::SerializedColumnWriter<'_>, value: T::T) {
        column.typed::<T>().write_batch(&[value], Some(&[1]), None).unwrap();
    }

    /// A row of types that other programs choose: days or the oldest form of instants, decimals, short floats, bytes.
    fn file_of_other_types(is_day: bool) -> Bytes {
        let date = if is_day { "int32 date (DATE)" } else { "int96 date" };
        let schema = format!(
            "message schema {{
            optional binary symbol; optional {date}; optional int64 open (DECIMAL(12,4));
            optional float high; optional double low; optional int32 close (DECIMAL(9,2)); optional int32 volume; }}"
        );
        let schema = Arc::new(parse_message_type(&schema).unwrap());
        let mut writer =
            SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::default())).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for place in 0..7 {
            let mut column = group.next_column().unwrap().unwrap();
            match place {
                0 => write::<ByteArrayType>(&mut column, ByteArray::from("AAPL")),
                1 if is_day => write::<Int32Type>(&mut column, 20_362),
                1 => {
                    let mut instant = Int96::new();
                    // The Julian day after the nanoseconds of the day.
                    instant.set_data(0, 0, 2_440_588 + 20_362);
                    write::<Int96Type>(&mut column, instant);
                }
                2 => write::<Int64Type>(&mut column, 2_550_400),
                3 => write::<FloatType>(&mut column, 258.79),
                4 => write::<DoubleType>(&mut column, 254.93),
                5 => write::<Int32Type>(&mut column, 25_545),
                _ => write::<Int32Type>(&mut column, 48_713_940),
            }
            column.close().unwrap();
        }
        group.close().unwrap();
        writer.into_inner().unwrap().into()
    }

    #[test]
    fn every_type_that_programs_choose_is_read() {
        for is_day in [true, false] {
            let read = read_file(&file_of_other_types(is_day)).unwrap();

            let row = &read.rows[0];
            assert_eq!((row.symbol.as_str(), row.date.to_string().as_str()), ("AAPL", "2025-10-01"));
            let prices = [row.bar.open(), row.bar.high(), row.bar.low(), row.bar.close()];
            assert_eq!(
                prices.map(|price| price.amount().normalize().to_string()),
                ["255.04", "258.79", "254.93", "255.45"]
            );
            assert_eq!(row.bar.volume(), 48_713_940);
        }
    }

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
