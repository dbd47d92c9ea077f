"""Reads tables as an analyst would, and compares the files with the pages.

usage: tables.py FOLDER TYPES
FOLDER has TABLE.parquet, TABLE.csv and TABLE.json (an array of all rows) of each table; TYPES is docs/tables.md.
Prints the number of rows of each table as JSON.
"""

import csv
import json
import re
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TYPES = {
    "STRING": pa.string(),
    "DATE": pa.date32(),
    "INT64": pa.int64(),
    "DECIMAL(38, 18)": pa.decimal128(38, 18),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP(MICROS, UTC)": pa.timestamp("us", tz="UTC"),
}


def documented(text: str, table: str) -> pa.Schema:
    section = text.split(f"### {table}\n")[1].split("\n### ")[0]
    lines = re.findall(r"^\| `(\w+)`( \?)? \| `([^`]+)` \|", section, re.MULTILINE)
    return pa.schema([pa.field(name, TYPES[kind], nullable=bool(mark)) for name, mark, kind in lines])


def as_json(value):
    """A cell as the JSON page has it."""
    if hasattr(value, "tzinfo"):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


def check(folder: Path, text: str, table: str) -> int:
    file = pq.ParquetFile(folder / f"{table}.parquet")
    schema = documented(text, table)
    assert file.schema_arrow.equals(schema), f"{table}: {file.schema_arrow} is not {schema}"
    rows = file.read().to_pylist()
    pages = json.loads((folder / f"{table}.json").read_text(), parse_float=Decimal)
    assert len(rows) == len(pages), f"{table}: {len(rows)} rows, {len(pages)} in the pages"
    for number, (row, page) in enumerate(zip(rows, pages)):
        assert list(row) == list(page), f"{table}: columns {list(row)} and {list(page)}"
        for name, value in row.items():
            # Exact but for what is a binary fraction, which has more than one decimal form.
            expected = float(page[name]) if isinstance(value, float) else page[name]
            assert as_json(value) == expected, f"{table}, row {number}: {name} is {value!r}, not {expected!r}"
    with open(folder / f"{table}.csv", newline="", encoding="utf-8") as lines:
        assert [list(row.values()) for row in csv.DictReader(lines)] == [
            ["" if value is None else plain(value) for value in page.values()] for page in pages
        ], f"{table}: the CSV file is not what the pages are"
    metadata = file.metadata
    for group in range(metadata.num_row_groups):
        for place, field in enumerate(schema):
            if field.type == pa.string():
                encodings = metadata.row_group(group).column(place).encodings
                assert "RLE_DICTIONARY" in encodings, f"{table}: {field.name} is {encodings}"
    return len(rows)


def plain(value) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.removesuffix(".0") if isinstance(value, Decimal) else text


def add_up(folder: Path) -> None:
    """The values of a portfolio's positions are its value at the close."""
    sums = {}
    for row in pq.read_table(folder / "positions.parquet").to_pylist():
        key = (row["model"], row["trial"], row["date"])
        sums[key] = sums.get(key, 0) + row["value"]
    for row in pq.read_table(folder / "equity.parquet").to_pylist():
        key = (row["model"], row["trial"], row["date"])
        assert sums.pop(key) == row["value_at_close"], f"{key} is worth {row['value_at_close']}"
    assert not sums, f"positions without equity: {list(sums)}"


if __name__ == "__main__":
    folder, text = Path(sys.argv[1]), Path(sys.argv[2]).read_text()
    counts = {table: check(folder, text, table) for table in ("trades", "positions", "equity")}
    add_up(folder)
    print(json.dumps(counts))
