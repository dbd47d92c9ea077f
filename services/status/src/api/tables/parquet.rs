//! Parquet: exact decimals as `DECIMAL(38, 18)`, texts in dictionaries, written one row group after the other.

use std::fmt;
use std::mem;
use std::sync::Arc;

use chrono::NaiveDate;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
    Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use rust_decimal::Decimal;

use super::column::{Cell, Column, Kind, Numbers};
use super::file::TableFile;
use super::row::TableRow;

/// Digits of a decimal.
const PRECISION: i32 = 38;

/// Digits after the decimal point.
const SCALE: u32 = 18;

/// Rows of a group, which are held in memory until it is written.
const GROUP_ROWS: usize = 16_384;

/// Why rows cannot be written.
#[derive(Debug)]
pub(super) enum WriteError {
    /// An amount has more digits than the format can hold.
    Inexact { column: &'static str, amount: Decimal },
    /// A value is of another kind than its column, or is missing.
    Unfit { column: &'static str },
    /// The Parquet writer failed.
    Format(ParquetError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inexact { column, amount } => {
                write!(f, "{column} {amount} does not fit DECIMAL({PRECISION}, {SCALE})")
            }
            Self::Unfit { column } => write!(f, "{column} has a value that is not of its kind"),
            Self::Format(problem) => write!(f, "parquet: {problem}"),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<ParquetError> for WriteError {
    fn from(problem: ParquetError) -> Self {
        Self::Format(problem)
    }
}

/// A Parquet file that is being written.
pub(super) struct ParquetFile<R> {
    numbers: Numbers,
    writer: SerializedFileWriter<Vec<u8>>,
    rows: Vec<R>,
}

impl<R: TableRow> ParquetFile<R> {
    pub(super) fn begin(numbers: Numbers) -> Result<Self, WriteError> {
        let fields = R::COLUMNS
            .iter()
            .map(|column| Ok(Arc::new(field(column, numbers)?)))
            .collect::<Result<_, ParquetError>>()?;
        let schema = Type::group_type_builder(R::TABLE).with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_created_by(concat!("modelday version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
        Ok(Self { numbers, writer, rows: Vec::new() })
    }

    fn write_group(&mut self) -> Result<(), WriteError> {
        let rows = mem::take(&mut self.rows);
        let mut group = self.writer.next_row_group()?;
        for column in R::COLUMNS {
            let Some(mut writer) = group.next_column()? else { break };
            write_column(&mut writer, column, self.numbers, &rows)?;
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }

    /// The bytes written since the last call.
    fn take_bytes(&mut self) -> Result<Vec<u8>, WriteError> {
        self.writer.flush().map_err(ParquetError::from)?;
        Ok(mem::take(self.writer.inner_mut()))
    }
}

impl<R: TableRow> TableFile<R> for ParquetFile<R> {
    type Error = WriteError;

    fn write(&mut self, rows: Vec<R>) -> Result<Vec<u8>, WriteError> {
        self.rows.extend(rows);
        if self.rows.len() < GROUP_ROWS {
            return Ok(Vec::new());
        }
        self.write_group()?;
        self.take_bytes()
    }

    fn finish(&mut self) -> Result<Vec<u8>, WriteError> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        self.writer.finish()?;
        self.take_bytes()
    }
}

fn field<R>(column: &Column<R>, numbers: Numbers) -> Result<Type, ParquetError> {
    let kind = numbers.kind(column.kind);
    let (physical, logical) = match kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
        Kind::Count => (Physical::INT64, None),
        Kind::Amount => {
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(SCALE.cast_signed(), PRECISION)))
        }
        Kind::Ratio => (Physical::DOUBLE, None),
        Kind::Instant => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Kind::Flag => (Physical::BOOLEAN, None),
    };
    let repetition = if column.optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let field = Type::primitive_type_builder(column.name, physical)
        .with_repetition(repetition)
        .with_logical_type(logical);
    match kind {
        Kind::Amount => {
            field.with_length(16).with_precision(PRECISION).with_scale(SCALE.cast_signed()).build()
        }
        Kind::Text | Kind::Date | Kind::Count | Kind::Ratio | Kind::Instant | Kind::Flag => field.build(),
    }
}

fn write_column<R>(
    writer: &mut SerializedColumnWriter<'_>,
    column: &Column<R>,
    numbers: Numbers,
    rows: &[R],
) -> Result<(), WriteError> {
    match numbers.kind(column.kind) {
        Kind::Text => write::<R, ByteArrayType>(writer, column, rows, |cell| match cell {
            Cell::Text(text) => Some(ByteArray::from(text)),
            _ => None,
        }),
        Kind::Date => write::<R, Int32Type>(writer, column, rows, |cell| match cell {
            Cell::Date(date) => i32::try_from((date - NaiveDate::default()).num_days()).ok(),
            _ => None,
        }),
        Kind::Count => write::<R, Int64Type>(writer, column, rows, |cell| match cell {
            Cell::Count(count) => Some(count),
            _ => None,
        }),
        Kind::Amount => {
            let amount = |row| match (column.cell)(row) {
                Cell::Amount(amount) if unscaled(amount).is_none() => Some(amount),
                _ => None,
            };
            if let Some(amount) = rows.iter().find_map(amount) {
                return Err(WriteError::Inexact { column: column.name, amount });
            }
            write::<R, FixedLenByteArrayType>(writer, column, rows, |cell| match cell {
                Cell::Amount(amount) => {
                    Some(FixedLenByteArray::from(ByteArray::from(unscaled(amount)?.to_be_bytes().to_vec())))
                }
                _ => None,
            })
        }
        Kind::Ratio => write::<R, DoubleType>(writer, column, rows, |cell| match numbers.cell(cell) {
            Cell::Ratio(ratio) => Some(ratio),
            _ => None,
        }),
        Kind::Instant => write::<R, Int64Type>(writer, column, rows, |cell| match cell {
            Cell::Instant(at) => Some(at.timestamp_micros()),
            _ => None,
        }),
        Kind::Flag => write::<R, BoolType>(writer, column, rows, |cell| match cell {
            Cell::Flag(flag) => Some(flag),
            _ => None,
        }),
    }
}

fn write<R, T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    column: &Column<R>,
    rows: &[R],
    value: impl Fn(Cell<'_>) -> Option<T::T>,
) -> Result<(), WriteError> {
    let (mut values, mut levels) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        match (column.cell)(row) {
            Cell::Nothing if column.optional => levels.push(0),
            cell => {
                values.push(value(cell).ok_or(WriteError::Unfit { column: column.name })?);
                levels.push(1);
            }
        }
    }
    let levels = column.optional.then_some(levels.as_slice());
    writer.typed::<T>().write_batch(&values, levels, None)?;
    Ok(())
}

/// The digits of an amount with [`SCALE`] of them after the point; `None` when it has more.
fn unscaled(amount: Decimal) -> Option<i128> {
    let amount = amount.normalize();
    let more = SCALE.checked_sub(amount.scale())?;
    let digits = amount.mantissa().checked_mul(10_i128.checked_pow(more)?)?;
    (digits.abs() < 10_i128.pow(PRECISION.cast_unsigned())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;
    use storage::PgPool;

    use super::*;
    use crate::api::tables::row::Day;

    struct Numbered(i64);

    impl TableRow for Numbered {
        const TABLE: &'static str = "numbered";
        const COLUMNS: &'static [Column<Self>] = &[
            Column::new("number", Kind::Count, "", |row| Cell::Count(row.0)),
            Column::optional("even", Kind::Amount, "", |row| match row.0 % 2 {
                0 => Cell::Amount(row.0.into()),
                _ => Cell::Nothing,
            }),
        ];

        async fn of(_: &PgPool, _: &[Day]) -> storage::Result<Vec<Vec<Self>>> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_long_table_is_written_group_by_group_and_reads_back_whole() {
        let count = i64::try_from(GROUP_ROWS).unwrap() * 2 + 7;
        let (mut file, mut parts) = (ParquetFile::begin(Numbers::Exact).unwrap(), Vec::new());
        for row in 0..count {
            parts.push(file.write(vec![Numbered(row)]).unwrap());
        }
        parts.push(file.finish().unwrap());

        assert_eq!(parts.iter().filter(|part| !part.is_empty()).count(), 3);
        let reader = SerializedFileReader::new(bytes(parts)).unwrap();
        assert_eq!(reader.num_row_groups(), 3);
        for (expected, row) in (0..).zip(reader.get_row_iter(None).unwrap()) {
            let row = row.unwrap();
            assert_eq!(row.get_long(0).unwrap(), expected);
            assert_eq!(row.get_decimal(1).is_ok(), expected % 2 == 0, "{expected}");
        }
        assert_eq!(reader.metadata().file_metadata().num_rows(), count);
    }

    #[test]
    fn as_floats_amounts_are_doubles_however_many_digits_they_have() {
        const LONG: Column<Numbered> =
            Column::optional("even", Kind::Amount, "", |_| Cell::Amount(Decimal::MAX));
        let mut file = ParquetFile::begin(Numbers::Float).unwrap();
        let parts = vec![file.write(vec![Numbered(4), Numbered(5)]).unwrap(), file.finish().unwrap()];

        let reader = SerializedFileReader::new(bytes(parts)).unwrap();
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();

        assert!((rows[0].get_double(1).unwrap() - 4.0).abs() < f64::EPSILON);
        assert!(rows[1].get_double(1).is_err(), "an absent amount stays absent");
        assert_eq!(field(&LONG, Numbers::Float).unwrap().get_physical_type(), Physical::DOUBLE);
    }

    #[test]
    fn a_value_that_does_not_fit_its_column_is_refused() {
        const WRONG: Column<Numbered> = Column::new("wrong", Kind::Text, "", |row| Cell::Count(row.0));
        const MISSING: Column<Numbered> = Column::new("missing", Kind::Amount, "", |_| Cell::Nothing);
        const LONG: Column<Numbered> = Column::new("long", Kind::Amount, "", |_| Cell::Amount(Decimal::MAX));
        let error = |column: &Column<Numbered>| {
            let mut file = ParquetFile::<Numbered>::begin(Numbers::Exact).unwrap();
            let mut group = file.writer.next_row_group().unwrap();
            let mut writer = group.next_column().unwrap().unwrap();
            write_column(&mut writer, column, Numbers::Exact, &[Numbered(1)]).unwrap_err().to_string()
        };

        assert_eq!(error(&WRONG), "wrong has a value that is not of its kind");
        assert_eq!(error(&MISSING), "missing has a value that is not of its kind");
        assert_eq!(error(&LONG), "long 79228162514264337593543950335 does not fit DECIMAL(38, 18)");
    }

    fn bytes(parts: Vec<Vec<u8>>) -> axum::body::Bytes {
        parts.concat().into()
    }

    #[test]
    fn amounts_are_exact_or_not_written() {
        let digits = |text: &str| unscaled(text.parse().unwrap());

        assert_eq!(digits("-256.4833"), Some(-256_483_300_000_000_000_000));
        assert_eq!(digits("0.000000000000000001"), Some(1));
        assert_eq!(digits("99999999999999999999"), Some(99_999_999_999_999_999_999 * 10_i128.pow(18)));
        assert_eq!(digits("100000000000000000000"), None);
        assert_eq!(digits("0.0000000000000000001"), None);
    }
}
