//! The parameters of an import, and how the API's description names their values.

use domain::ingest::import::{BarOptions, Basis, DateOrder, DecimalMark};
use runtime::http::Params;
use utoipa::ToSchema;

/// What the query says about a file of bars.
pub(super) fn bar_options(params: &mut Params) -> BarOptions {
    let bases = [Basis::Raw, Basis::SplitAdjusted, Basis::TotalReturn].map(|basis| (basis.as_str(), basis));
    BarOptions {
        symbol: params.read("symbol", "value_error", "a symbol, e.g. AAPL", |text: &str| text.parse().ok()),
        file_name: params.text("file_name").map(str::to_owned),
        basis: params.choice("basis", &bases),
        date_order: params.choice("dates", &[("mdy", DateOrder::MonthFirst), ("dmy", DateOrder::DayFirst)]),
        decimal_mark: params
            .choice("decimal", &[("point", DecimalMark::Point), ("comma", DecimalMark::Comma)]),
        with_actions: params.choice("actions", &[("true", true), ("false", false)]).unwrap_or(false),
    }
}

/// What a file has.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the texts that are read as an `ImportKind`")]
pub(super) enum FileKind {
    Bars,
    Splits,
    Dividends,
    SpinOffs,
    Renames,
    Mergers,
    Delistings,
}

/// What prices are based on.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the texts that are read as a `Basis`")]
pub(super) enum BasisName {
    Raw,
    SplitAdjusted,
    TotalReturn,
}

/// The order of dates.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the texts that are read as a `DateOrder`")]
pub(super) enum OrderName {
    Mdy,
    Dmy,
}

/// The mark before decimal places.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the texts that are read as a `DecimalMark`")]
pub(super) enum MarkName {
    Point,
    Comma,
}
