"""Values of tables become tokens in AWS's form."""

from __future__ import annotations

import math

import pytest

from flowwarden.errors import LogFormatError
from flowwarden.records.fields import BY_NAME, FIELDS, Kind
from flowwarden.sources.columns import Columns, csv_columns, token
from flowwarden.sources.names import field_name


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("srcport", 8080, "8080"),
        ("srcport", 8080.0, "8080"),
        ("srcport", "8080.0", "8080"),
        ("srcport", "08080.00", "08080"),
        ("srcport", "8080.5", "8080.5"),
        ("srcport", math.nan, "-"),
        ("bytes", 2**62, str(2**62)),
        ("start", 1700000000.0, "1700000000"),
        ("vpc-id", "1.0", "1.0"),
        ("account-id", 123.0, "000000000123"),
        ("account-id", "123", "123"),
        ("account-id", "unknown", "unknown"),
        ("tgw-src-vpc-account-id", 11122223333, "011122223333"),
        ("instance-id", "None", "-"),
        ("instance-tag", "None", "None"),
        ("instance-tag", "", "-"),
        ("instance-tag", "a%20b", "a%20b"),
        ("srcaddr", " 10.0.0.1 ", "10.0.0.1"),
    ],
)
def test_values_become_tokens(name: str, value: object, expected: str) -> None:
    """Invalid values are kept, for the reader to reject."""
    assert token(BY_NAME[name], value) == expected


@pytest.mark.parametrize("value", [None, "", "-", "  "])
def test_an_absent_value_is_a_dash_in_any_field(value: object) -> None:
    """This is AWS's form."""
    assert {field.name for field in FIELDS if token(field, value) != "-"} == set()


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.ENCODED_TEXT])
def test_null_words_of_other_tools_are_dashes_except_in_tags(kind: Kind) -> None:
    """A tag can have the value None."""
    fields = [field for field in FIELDS if field.kind is kind]
    assert {token(field, word) for field in fields for word in ("None", "NULL", "nan")} <= {"-"}


@pytest.mark.parametrize("value", [True, [], {}, b"x"])
def test_a_value_that_is_neither_text_nor_number_is_rejected(value: object) -> None:
    """The message contains the field and the type of the value."""
    with pytest.raises(ValueError, match=f"srcport is a {type(value).__name__}"):
        token(BY_NAME["srcport"], value)


@pytest.mark.parametrize("column", ["account_id", "account-id", " Account_ID ", "@account_id"])
def test_column_names_become_field_names(column: str) -> None:
    """Dashes, underscores, capitals, CloudWatch's `@`."""
    assert field_name(column) == "account-id"


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_is_found_under_its_column_name(field: object) -> None:
    """The table of fields is the only source of names."""
    name = field.name  # type: ignore[attr-defined]  # a field of the table
    columns = Columns(
        ["srcaddr", "dstaddr", name.replace("-", "_")] if name not in {"srcaddr", "dstaddr"} else [name]
    )
    assert name in columns.layout.names


def test_missing_address_columns_are_added_as_absent() -> None:
    """So a table of gaps can be read."""
    columns = Columns(["log_status", "interface_id"])
    assert columns.line(["NODATA", "eni-0a"]) == "NODATA eni-0a - -"


@pytest.mark.parametrize("names", [["date"], [], ["srcaddr", "src_addr", "srcaddr"]])
def test_columns_that_are_not_a_layout_are_rejected(names: list[str]) -> None:
    """No field, or a duplicate field."""
    with pytest.raises(LogFormatError):
        Columns(names)


@pytest.mark.parametrize(
    "line", ["", "srcaddr dstaddr", "srcaddr,date", "2,10.0.0.1", ",", '","', "srcaddr\r,dstaddr,message"]
)
def test_other_lines_are_not_a_csv_header(line: str) -> None:
    """A header contains two fields or a message column, and a line break at the end only."""
    assert csv_columns(line) is None
