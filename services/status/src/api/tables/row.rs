//! A row of a table, its JSON and its schema.

use domain::simulation::model_day::CompletedDay;
use runtime::http::Number;
use rust_decimal::Decimal;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use storage::PgPool;
use storage::status::Trading;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};

use super::column::{Cell, Column, Kind, Numbers};
use crate::api::format::instant;

/// A completed day, from which rows are made.
pub(super) struct Day {
    pub(super) day: CompletedDay,
    /// What the portfolio was worth at the close of the day that it continued from; `None` on a first day.
    pub(super) base_close: Option<Decimal>,
}

/// A row of a table.
pub(super) trait TableRow: Sized + Send + Sync + 'static {
    /// The table's name.
    const TABLE: &'static str;
    /// Its columns.
    const COLUMNS: &'static [Column<Self>];
    /// Which days have rows.
    const OF: Trading = Trading::Any;

    /// The rows of each of these days of one portfolio.
    fn of(pool: &PgPool, days: &[Day]) -> impl Future<Output = storage::Result<Vec<Vec<Self>>>> + Send;
}

/// A row in a JSON response.
pub(crate) struct JsonRow<R>(pub(super) R, pub(super) Numbers);

impl<R: TableRow> Serialize for JsonRow<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(R::COLUMNS.len()))?;
        for column in R::COLUMNS {
            match self.1.cell((column.cell)(&self.0)) {
                Cell::Text(text) => map.serialize_entry(column.name, text)?,
                Cell::Date(date) => map.serialize_entry(column.name, &date)?,
                Cell::Count(count) => map.serialize_entry(column.name, &count)?,
                Cell::Amount(amount) => map.serialize_entry(column.name, &Number(amount))?,
                Cell::Ratio(ratio) => map.serialize_entry(column.name, &ratio)?,
                Cell::Instant(at) => map.serialize_entry(column.name, &instant(at))?,
                Cell::Flag(flag) => map.serialize_entry(column.name, &flag)?,
                Cell::Nothing => map.serialize_entry(column.name, &())?,
            }
        }
        map.end()
    }
}

/// The schema of a row.
pub(super) fn schema<R: TableRow>() -> RefOr<Schema> {
    let mut object = ObjectBuilder::new();
    for column in R::COLUMNS {
        object = object.property(column.name, column_schema(column)).required(column.name);
    }
    object.into()
}

fn column_schema<R>(column: &Column<R>) -> ObjectBuilder {
    let (kind, format) = match column.kind {
        Kind::Text => (Type::String, None),
        Kind::Date => (Type::String, Some(KnownFormat::Date)),
        Kind::Count => (Type::Integer, Some(KnownFormat::Int64)),
        Kind::Amount | Kind::Ratio => (Type::Number, None),
        Kind::Instant => (Type::String, Some(KnownFormat::DateTime)),
        Kind::Flag => (Type::Boolean, None),
    };
    let kinds =
        if column.optional { SchemaType::from_iter([kind, Type::Null]) } else { SchemaType::new(kind) };
    ObjectBuilder::new()
        .schema_type(kinds)
        .format(format.map(SchemaFormat::KnownFormat))
        .description(Some(column.about))
}
