"""Tables as pandas frames, with real dates and numbers."""

from __future__ import annotations

import importlib
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .errors import ModeldayError

if TYPE_CHECKING:
    import pandas

# What the leaderboard has besides numbers and texts.
_NESTED = ("usage", "stale", "sample", "price_only", "reasons", "in_sample", "out_of_sample")


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise ModeldayError("frames need pandas and pyarrow: pip install 'modelday[pandas]'") from missing


def of_parquet(files: list[bytes]) -> pandas.DataFrame:
    """The rows of Parquet files with one schema. Dates are `datetime64`, and not Python's objects."""
    arrow, parquet = _library("pyarrow"), _library("pyarrow.parquet")
    table = arrow.concat_tables([parquet.read_table(io.BytesIO(file)) for file in files])
    for place, field in enumerate(table.schema):
        if arrow.types.is_date(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(arrow.timestamp("ns")))
    frame: pandas.DataFrame = table.to_pandas()
    return frame


def of_bars(file: bytes, decimals: bool) -> pandas.DataFrame:
    """Prices, which the file has as exact decimals."""
    frame = of_parquet([file])
    if not decimals:
        for name in ("open", "high", "low", "close"):
            frame[name] = frame[name].astype("float64")
    return frame


def of_leaderboard(rows: list[dict[str, Any]], decimals: bool) -> pandas.DataFrame:
    """The leaderboard: a row for each portfolio and benchmark, without what is no figure."""
    library = _library("pandas")
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in _NESTED]
    frame: pandas.DataFrame = library.DataFrame([[row.get(name) for name in columns] for row in rows], columns=columns)
    for name in columns:
        values = [value for value in frame[name] if value is not None]
        if name.endswith("_date"):
            frame[name] = library.to_datetime(frame[name])
        elif not decimals and values and all(_is_number(value) for value in values):
            frame[name] = library.to_numeric(frame[name])
    return frame


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def returns(equity: pandas.DataFrame) -> pandas.DataFrame:
    """Returns from close to close, as fractions: a row for each date, a column for each portfolio."""
    several = equity.groupby("model")["trial"].nunique() > 1
    name = equity["model"].where(
        ~equity["model"].map(several).astype(bool), equity["model"] + " #" + equity["trial"].astype(str)
    )
    wide = equity.assign(portfolio=name).pivot(index="date", columns="portfolio", values="return")
    wide.columns.name = None
    return wide
