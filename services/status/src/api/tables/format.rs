//! The formats of a table, and how a request chooses one.

use axum::http::{HeaderMap, header};
use utoipa::ToSchema;

/// Media type of CSV in the header `Accept`.
const CSV: &str = "text/csv";

/// Media type of a CSV file.
pub(super) const CSV_FILE: &str = "text/csv; charset=utf-8; header=present";

/// Media type of a Parquet file.
pub(super) const PARQUET: &str = "application/vnd.apache.parquet";

/// The format of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A page of rows.
    Json {
        /// Most rows.
        limit: usize,
    },
    /// A file of all rows.
    Csv,
    /// A file of all rows.
    Parquet,
}

/// The values of `format`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes")]
pub(crate) enum FormatName {
    Json,
    Csv,
    Parquet,
}

/// The values of `numbers`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes")]
pub(crate) enum NumbersName {
    Exact,
    Float,
}

/// The first supported format in the header `Accept`; a page when there is none.
pub(super) fn accepted_format(headers: &HeaderMap, page: Format) -> Format {
    let supported = [("application/json", page), (CSV, Format::Csv), (PARQUET, Format::Parquet)];
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut named = values
        .flat_map(|value| value.split(','))
        .map(|named| named.split(';').next().unwrap_or(named).trim());
    named
        .find_map(|named| supported.iter().find(|(name, _)| named.eq_ignore_ascii_case(name)))
        .map_or(page, |(_, format)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Format {
        let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        accepted_format(&headers, Format::Json { limit: 7 })
    }

    #[test]
    fn the_header_accept_names_the_format() {
        assert_eq!(of("text/csv"), Format::Csv);
        assert_eq!(of("text/html, application/vnd.apache.parquet;q=0.9, text/csv"), Format::Parquet);
        assert_eq!(of("application/json, text/csv"), Format::Json { limit: 7 });
        assert_eq!(of("*/*"), Format::Json { limit: 7 });
        assert_eq!(accepted_format(&HeaderMap::new(), Format::Csv), Format::Csv);
    }
}
