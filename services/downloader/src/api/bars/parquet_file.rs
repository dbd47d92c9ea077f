//! Bars as Parquet: exact prices as `DECIMAL(38, 18)`, as in the tables of results; a row group for each symbol.

use std::mem;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::NaiveDate;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{
    ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{PrimitiveTypeBuilder, Type};
use rust_decimal::Decimal;
use storage::market::BarRow;

use super::bar_file::{BarFile, prices};

const PRECISION: i32 = 38;
const SCALE: u32 = 18;
const PRICES: [&str; 4] = ["open", "high", "low", "close"];

/// A Parquet file that is being written.
pub(super) struct ParquetFile {
    writer: SerializedFileWriter<Vec<u8>>,
}

impl ParquetFile {
    pub(super) fn begin() -> Result<Self, ParquetError> {
        let mut fields = vec![
            field("symbol", Physical::BYTE_ARRAY, Some(LogicalType::String)).build()?,
            field("date", Physical::INT32, Some(LogicalType::Date)).build()?,
        ];
        for name in PRICES {
            let decimal = Some(LogicalType::decimal(SCALE.cast_signed(), PRECISION));
            let price = field(name, Physical::FIXED_LEN_BYTE_ARRAY, decimal);
            fields.push(
                price.with_length(16).with_precision(PRECISION).with_scale(SCALE.cast_signed()).build()?,
            );
        }
        fields.push(field("volume", Physical::INT64, None).build()?);
        let fields = fields.into_iter().map(Arc::new).collect();
        let schema = Type::group_type_builder("bars").with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("modelday version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
        Ok(Self { writer })
    }

    fn write_group(&mut self, rows: &[BarRow]) -> anyhow::Result<()> {
        let mut group = self.writer.next_row_group()?;
        let symbols: Vec<ByteArray> = rows.iter().map(|row| ByteArray::from(row.symbol.as_str())).collect();
        let days = rows.iter().map(|row| i32::try_from((row.date - NaiveDate::default()).num_days()));
        let days: Vec<i32> = days.collect::<Result<_, _>>().context("a date")?;
        let volumes = rows.iter().map(|row| i64::try_from(row.bar.volume())).collect::<Result<Vec<_>, _>>();
        let volumes = volumes.context("a volume")?;
        let mut columns = 0;
        while let Some(mut column) = group.next_column()? {
            match columns {
                0 => column.typed::<ByteArrayType>().write_batch(&symbols, None, None)?,
                1 => column.typed::<Int32Type>().write_batch(&days, None, None)?,
                price @ 2..=5 => {
                    let amounts = rows.iter().map(|row| fixed(prices(&row.bar)[price - 2]));
                    let amounts: Option<Vec<FixedLenByteArray>> = amounts.collect();
                    let amounts = amounts.context("a price has too many digits")?;
                    column.typed::<FixedLenByteArrayType>().write_batch(&amounts, None, None)?
                }
                _ => column.typed::<Int64Type>().write_batch(&volumes, None, None)?,
            };
            column.close()?;
            columns += 1;
        }
        group.close()?;
        Ok(())
    }

    /// The bytes written since the last call.
    fn take_bytes(&mut self) -> anyhow::Result<Vec<u8>> {
        self.writer.flush()?;
        Ok(mem::take(self.writer.inner_mut()))
    }
}

impl BarFile for ParquetFile {
    fn write(&mut self, rows: &[BarRow]) -> anyhow::Result<Vec<u8>> {
        if !rows.is_empty() {
            self.write_group(rows)?;
        }
        self.take_bytes()
    }

    fn finish(&mut self) -> anyhow::Result<Vec<u8>> {
        self.writer.finish()?;
        self.take_bytes()
    }
}

fn field(name: &str, physical: Physical, logical: Option<LogicalType>) -> PrimitiveTypeBuilder<'_> {
    let field = Type::primitive_type_builder(name, physical);
    field.with_repetition(Repetition::REQUIRED).with_logical_type(logical)
}

/// An amount with [`SCALE`] digits after the point; `None` when it has more.
fn fixed(amount: Decimal) -> Option<FixedLenByteArray> {
    let amount = amount.normalize();
    let more = SCALE.checked_sub(amount.scale())?;
    let digits = amount.mantissa().checked_mul(10_i128.checked_pow(more)?)?;
    Some(FixedLenByteArray::from(ByteArray::from(digits.to_be_bytes().to_vec())))
}

#[cfg(test)]
mod tests {
    use domain::market::instruments::Bar;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    use super::*;

    #[test]
    fn bars_read_back_with_exact_prices_in_a_group_for_each_symbol() {
        let row = |symbol: &str, close: &str| {
            let price = |text: &str| text.parse().unwrap();
            let bar = Bar::new(price("1.5"), price("9.25"), price("0.0000000001"), price(close), 7).unwrap();
            BarRow { symbol: symbol.parse().unwrap(), date: "2025-10-01".parse().unwrap(), bar }
        };
        let mut file = ParquetFile::begin().unwrap();
        let parts = [
            file.write(&[row("AAPL", "2.75"), row("AAPL", "3")]).unwrap(),
            file.write(&[]).unwrap(),
            file.write(&[row("MSFT", "4")]).unwrap(),
            file.finish().unwrap(),
        ];

        let reader = SerializedFileReader::new(axum::body::Bytes::from(parts.concat())).unwrap();
        let rows: Vec<String> =
            reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!((reader.num_row_groups(), rows.len()), (2, 3));
        for part in ["AAPL", "2025-10-01", "1.5", "9.25", "0.000000000100000000", "2.75", "7"] {
            assert!(rows[0].contains(part), "{part} is not in {}", rows[0]);
        }
    }
}
