//! A table as Parquet. Each value is the text that PostgreSQL writes for it, so that it comes back exactly.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::SerializedFileReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

/// The values of a row.
type Row = Vec<Option<String>>;

/// Bytes of a group of rows, which are held in memory until it is written.
const GROUP_BYTES: usize = 16 << 20;

/// A file that is being written.
pub(super) struct TableFile {
    writer: SerializedFileWriter<File>,
    rows: Vec<Row>,
    bytes: usize,
}

impl TableFile {
    pub(super) fn begin(path: &Path, table: &str, columns: &[String]) -> anyhow::Result<Self> {
        let field = |name: &String| {
            let field = Type::primitive_type_builder(name, Physical::BYTE_ARRAY);
            let field =
                field.with_repetition(Repetition::OPTIONAL).with_logical_type(Some(LogicalType::String));
            anyhow::Ok(Arc::new(field.build()?))
        };
        let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
        let schema = Type::group_type_builder(table).with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::GZIP(Default::default()))
            .set_statistics_enabled(EnabledStatistics::None)
            .set_created_by(concat!("modelday version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = File::create_new(path).with_context(|| format!("{} cannot be made", path.display()))?;
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { writer, rows: Vec::new(), bytes: 0 })
    }

    pub(super) fn add(&mut self, row: Row) -> anyhow::Result<()> {
        self.bytes += row.iter().flatten().map(String::len).sum::<usize>() + row.len();
        self.rows.push(row);
        if self.bytes >= GROUP_BYTES { self.write_group() } else { Ok(()) }
    }

    /// Ends the file and brings it down to the disk.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        Ok(self.writer.into_inner()?.sync_all()?)
    }

    fn write_group(&mut self) -> anyhow::Result<()> {
        let mut rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let mut group = self.writer.next_row_group()?;
        let mut place = 0;
        while let Some(mut column) = group.next_column()? {
            let (mut values, mut levels) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
            for row in &mut rows {
                let value = row.get_mut(place).and_then(Option::take);
                levels.push(i16::from(value.is_some()));
                values.extend(value.map(|text| ByteArray::from(text.into_bytes())));
            }
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
            column.close()?;
            place += 1;
        }
        group.close()?;
        Ok(())
    }
}

/// The rows of a file, one after another.
pub(super) fn read_rows(path: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Row>> + use<>> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let rows = RowIter::from_file_into(Box::new(SerializedFileReader::new(file)?));
    Ok(rows.map(|row| -> anyhow::Result<Row> {
        let row = row?;
        row.get_column_iter().map(|(_, field)| text(field)).collect()
    }))
}

fn text(field: &Field) -> anyhow::Result<Option<String>> {
    match field {
        Field::Null => Ok(None),
        Field::Str(text) => Ok(Some(text.clone())),
        other => bail!("{other} is no text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_and_long_tables_have_several_groups() {
        let path = std::env::temp_dir().join(format!("{}.parquet", uuid::Uuid::now_v7()));
        let columns = ["id".to_owned(), "body".to_owned()];
        let body = "x\u{e9}\n".repeat(1 << 18);
        let rows: Vec<Row> = (0..40)
            .map(|number| vec![Some(number.to_string()), (number % 3 > 0).then(|| body.clone())])
            .collect();

        let mut file = TableFile::begin(&path, "status.events", &columns).unwrap();
        rows.iter().for_each(|row| file.add(row.clone()).unwrap());
        file.finish().unwrap();

        let read: Vec<Row> = read_rows(&path).unwrap().map(Result::unwrap).collect();
        assert!(read == rows, "the rows differ");
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn an_empty_table_has_a_file_without_rows() {
        let path = std::env::temp_dir().join(format!("{}.parquet", uuid::Uuid::now_v7()));

        TableFile::begin(&path, "market.findings", &["id".to_owned()]).unwrap().finish().unwrap();

        assert_eq!(read_rows(&path).unwrap().count(), 0);
        std::fs::remove_file(path).unwrap();
    }
}
